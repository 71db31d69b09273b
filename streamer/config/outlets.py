"""Who can be told: names of webhooks, and the broker's; and what rules need of the rest of the configuration."""

from collections.abc import Collection, Iterable, Mapping

from streamer.config.alerts import AlertSettings
from streamer.config.archive import ArchiveSettings
from streamer.config.mqtt import MqttSettings
from streamer.config.webhook import WebhookSettings
from streamer.values.errors import ConfigError

MQTT = "mqtt"
"""The broker's name as an outlet."""


def require_links(webhooks: Mapping[str, WebhookSettings], public_url: str | None) -> None:
    """Refuse pictures as links where nobody said what they begin with.

    Raises:
        ConfigError: whose.
    """
    for name, webhook in webhooks.items():
        if webhook.form == "link" and public_url is None:
            raise ConfigError(f"webhooks.{name}.picture: link needs server.public_url, which it begins with")


def require_outlets(
    archive: ArchiveSettings | None,
    alerts: Mapping[str, AlertSettings],
    webhooks: Mapping[str, WebhookSettings],
    mqtt: MqttSettings | None,
) -> None:
    """Refuse rules that name nobody there is, and telling anybody where nothing is kept.

    Raises:
        ConfigError: which, and what is allowed.
    """
    sections = {"alerts": bool(alerts), "webhooks": bool(webhooks), "mqtt": mqtt is not None}
    said = next((name for name, is_there in sections.items() if is_there), None)
    if said is not None and archive is None:
        raise ConfigError(f"{said}: needs the section archive: what is told is kept first")
    if MQTT in webhooks:
        raise ConfigError(f"webhooks.{MQTT}: this is the broker's name; allowed is any other")
    known = names(webhooks, mqtt)
    for name, rule in alerts.items():
        require_known(rule.outlets, known, f"alerts.{name}.outlets")


def names(webhooks: Iterable[str], mqtt: MqttSettings | None) -> list[str]:
    """Of all outlets, in order."""
    return [*sorted(webhooks), *([] if mqtt is None else [MQTT])]


def require_known(outlets: Iterable[str], known: Collection[str], where: str) -> None:
    """Refuse an outlet that is none.

    Raises:
        ConfigError: says which there are.
    """
    for outlet in outlets:
        if outlet not in known:
            there = f"there are {', '.join(known)}" if known else "there is none"
            raise ConfigError(f"{where}: {outlet!r} is no outlet; {there}")
