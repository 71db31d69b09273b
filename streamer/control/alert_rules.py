"""Rules that come through the API, in the words of the configuration's section `alerts`."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel

from streamer import config
from streamer.config import AlertSettings
from streamer.config.outlets import require_known
from streamer.values.alert import AlertRule
from streamer.values.errors import ConfigError, Refused


def alert_settings() -> type[BaseModel]:
    """What is said of a rule, as a type that describes itself."""
    return AlertSettings


def read_rule(name: str, document: dict[str, Any], outlets: Collection[str]) -> AlertRule:
    """A rule that a request carries.

    Args:
        name: its own.
        document: its keys.
        outlets: names of those that it may tell.

    Raises:
        Refused: 422 which key cannot be, and why.
    """
    try:
        settings = config.parse_alert(name, document)
        require_known(settings.outlets, outlets, "outlets")
    except ConfigError as error:
        raise Refused(422, str(error)) from None
    return settings.value(name)
