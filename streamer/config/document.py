"""The configuration as a whole: read, checked, and refused in one line."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, PrivateAttr, ValidationError

from streamer.config import ports
from streamer.config.access import (
    AccessSettings,
    GroupSettings,
    OidcSettings,
    OidcTlsSettings,
    ProxySettings,
    store_path,
)
from streamer.config.alerts import MOST_RULES, AlertSettings
from streamer.config.api_streams import ApiStreamsSettings
from streamer.config.archive import ArchiveSettings
from streamer.config.bounded_yaml import MAX_BYTES, Unbounded
from streamer.config.cluster import ClusterSettings, ClusterTlsSettings, require_shared_archive
from streamer.config.ingress import IngressSettings
from streamer.config.mqtt import MqttSettings, MqttTlsSettings
from streamer.config.outlets import require_links, require_outlets
from streamer.config.section import Name, Section
from streamer.config.server import IceServerSettings, ServerSettings, TlsSettings
from streamer.config.serving import ServingSettings, ServingTlsSettings
from streamer.config.stream import CameraTlsSettings, StreamSettings, SubSettings
from streamer.config.unique_keys import UniqueKeys
from streamer.config.variables import collect_secrets, substitute
from streamer.config.watching import EventRuleSettings, EventSettings, LineSettings, ZoneSettings
from streamer.config.webhook import MOST_WEBHOOKS, WebhookSettings
from streamer.values import url
from streamer.values.errors import ConfigError
from streamer.values.explanation import dotted, explain, keys_of
from streamer.values.nesting import goes_deeper


class Config(Section):
    """The whole file."""

    server: ServerSettings = ServerSettings()
    serving: ServingSettings = ServingSettings()
    streams: dict[Name, StreamSettings] = Field(default_factory=dict)
    ingress: IngressSettings = IngressSettings()
    api_streams: ApiStreamsSettings = ApiStreamsSettings()
    access: AccessSettings | None = None
    """None: nobody is asked on loopback, as long as there are no users."""
    archive: ArchiveSettings | None = None
    """None: nothing is kept."""
    alerts: dict[Name, AlertSettings] = Field(default_factory=dict, max_length=MOST_RULES)
    webhooks: dict[Name, WebhookSettings] = Field(default_factory=dict, max_length=MOST_WEBHOOKS)
    mqtt: MqttSettings | None = None
    cluster: ClusterSettings | None = None
    """None: this service runs all its streams itself."""
    _streams_said: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def streams_said(self) -> dict[str, Any]:
        """The streams as they are written, with their ${NAME}; in a cluster also those whose variables others have."""
        return self._streams_said


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: in one line, what is wrong, where, and what is allowed.
    """
    return understand(path, read(path))


def read(path: Path) -> bytes | OSError:
    """What a file says, one byte beyond what it may say at the most; or why that cannot be read. Blocks."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        return error


def understand(path: Path, said: bytes | OSError) -> Config:
    """Check what `read` gave of a configuration file. Blocks for as long as its parsing takes.

    Raises:
        ConfigError: as `load`.
    """
    document = _document(path, said)
    try:
        return parse(document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def store_of(path: Path, said: bytes | OSError) -> Path:
    """Where users are kept, by a configuration file whose other keys may be anything. Blocks.

    A command beside the service has seldom the environment that its passwords come from.

    Raises:
        ConfigError: as `load`.
    """
    document = _document(path, said)
    access = document.get("access") if isinstance(document, dict) else None
    store = access.get("store") if isinstance(access, dict) else None
    try:
        found = store_path(parse({"access": {"store": store}}).access, path)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    assert found is not None  # noqa: S101  there is a path
    return found


def _document(path: Path, said: bytes | OSError) -> Any:
    """What a file says, read as YAML.

    Raises:
        ConfigError: it is none.
    """
    try:
        return yaml.load(_text(path, said), Loader=UniqueKeys)  # noqa: S506  a SafeLoader below
    except Unbounded as error:
        raise ConfigError(f"{path}: is not YAML that can be read: {error}") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: what looks like a date and is none
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        url.remember(problem)  # it may quote a URL
        raise ConfigError(f"{path}:{where} is not YAML: {url.redact(problem)}") from None


def _text(path: Path, said: bytes | OSError) -> str:
    if isinstance(said, OSError):
        raise ConfigError(f"{path}: cannot be read: {said.strerror}")
    if len(said) > MAX_BYTES:
        raise ConfigError(f"{path}: cannot be read: it is larger than {MAX_BYTES >> 20} MiB")
    try:
        return said.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: cannot be read: not UTF-8 text") from None


def parse(document: Any) -> Config:
    """Check a configuration that has been read already; None stands for an empty file."""
    document = {} if document is None else document
    if not isinstance(document, dict):
        raise ConfigError(f"must be a mapping with the keys {keys_of(Config)}, not {type(document).__name__}")
    _known = collect_secrets(document)
    # A section whose every line is commented out reads as null.
    document = {key: item for key, item in document.items() if item is not None or key not in Config.model_fields}
    said = document.get("streams")
    if document.get("cluster") is not None:
        document = {**document, **_of_ours(said)}
    document = substitute(document)
    try:
        config = Config.model_validate(document)
    except ValidationError as error:
        raise ConfigError(url.redact(explain(error, document, _section))) from None
    if isinstance(said, dict):
        config.streams_said.update(said)
    ports.require_own(config.streams)
    require_outlets(config.archive, config.alerts, config.webhooks, config.mqtt)
    require_links(config.webhooks, config.server.public_url)
    require_shared_archive(config.cluster, config.archive)
    if config.access is not None and config.access.proxy is not None and not config.server.trusted_proxies:
        raise ConfigError("access.proxy: needs server.trusted_proxies, the addresses of those whose word is taken")
    return config


def _of_ours(streams: Any) -> dict[str, Any]:
    """The section `streams` of a replica, without those whose variables are not set here: another may have them."""
    if not isinstance(streams, dict):
        return {}
    return {"streams": {name: said for name, said in streams.items() if _is_set(said)}}


def _is_set(said: Any) -> bool:
    try:
        substitute(said)
    except ConfigError:
        return False
    return True


def parse_shared_stream(name: str, document: dict[str, Any]) -> StreamSettings:
    """Check the settings of a stream that stands in the file of a replica: ${NAME} is replaced by what it is here.

    Raises:
        ConfigError: as `load`; also where a variable is not set here.
    """
    if goes_deeper(document):
        raise ConfigError("no setting of a stream is that deep")
    _known = collect_secrets(document)
    return parse({"streams": {name: document}}).streams[name]


def parse_stream(name: str, document: dict[str, Any]) -> StreamSettings:
    """Check the settings of one stream that did not come from the configuration file.

    No ${NAME} is replaced in them: a stranger's URL would carry our environment to his camera.

    Raises:
        ConfigError: as `load`, the keys without the stream's name before them.
    """
    if goes_deeper(document):
        raise ConfigError("no setting of a stream is that deep")
    whole = {"streams": {name: document}}
    _known = collect_secrets(whole, trusted=False)
    try:
        return Config.model_validate(whole).streams[name]
    except ValidationError as error:
        sentence, where = url.redact(explain(error, whole, _section)), dotted(("streams", name))
        raise ConfigError(sentence.removeprefix(f"{where}.").removeprefix(f"{where}: ")) from None


def parse_alert(name: str, document: dict[str, Any]) -> AlertSettings:
    """Check a rule that did not come from the configuration file.

    Raises:
        ConfigError: as `load`, the keys without the rule's name before them.
    """
    if goes_deeper(document):
        raise ConfigError("no key of a rule is that deep")
    whole = {"alerts": {name: document}}
    try:
        return Config.model_validate(whole).alerts[name]
    except ValidationError as error:
        sentence, where = url.redact(explain(error, whole, _section)), dotted(("alerts", name))
        raise ConfigError(sentence.removeprefix(f"{where}.").removeprefix(f"{where}: ")) from None


_SECTIONS: tuple[tuple[tuple[str | None, ...], type[Section]], ...] = (
    (("server", "tls"), TlsSettings),
    (("server", "ice_servers"), IceServerSettings),
    (("server",), ServerSettings),
    (("serving", "tls"), ServingTlsSettings),
    (("serving",), ServingSettings),
    (("streams", None, "tls"), CameraTlsSettings),
    (("streams", None, "sub"), SubSettings),
    (("streams", None, "events", "labels", None), EventRuleSettings),
    (("streams", None, "events"), EventSettings),
    (("streams", None, "zones", None), ZoneSettings),
    (("streams", None, "lines", None), LineSettings),
    (("streams",), StreamSettings),
    (("ingress",), IngressSettings),
    (("api_streams",), ApiStreamsSettings),
    (("archive",), ArchiveSettings),
    (("alerts", None), AlertSettings),
    (("webhooks", None), WebhookSettings),
    (("mqtt", "tls"), MqttTlsSettings),
    (("mqtt",), MqttSettings),
    (("cluster", "tls"), ClusterTlsSettings),
    (("cluster",), ClusterSettings),
    (("access", "groups"), GroupSettings),
    (("access", "proxy"), ProxySettings),
    (("access", "oidc", "tls"), OidcTlsSettings),
    (("access", "oidc"), OidcSettings),
    (("access",), AccessSettings),
)
"""Which section stands below a key path; None: whatever name. The first that fits counts."""


def _section(where: tuple[Any, ...]) -> type[Section]:
    """The section a key path leads into."""
    for path, section in _SECTIONS:
        if len(where) >= len(path) and all(key in (None, part) for key, part in zip(path, where, strict=False)):
            return section
    return Config
