"""The section `mqtt`: a broker that is told of everything."""

import re
from typing import Annotated
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, Field, model_validator

from streamer.config.section import Section

PORTS = {"mqtt": 1883, "mqtts": 8883}
"""By scheme, where none is named."""
ALLOWED = "allowed is one such as mqtt://user:password@broker.example.org:1883, or mqtts://"


def _checked_url(value: str) -> str:
    if not re.fullmatch(r"mqtts?://([^\s/?#@]+@)?[^\s/?#@]+/?", value) or len(value) > 2000:
        raise ValueError(f"it is no broker; {ALLOWED}; in a password / ? # @ : are percent-encoded")  # it may be one
    parts = urlsplit(value)
    try:
        port, host = parts.port, parts.hostname
    except ValueError:
        port, host = 0, None
    if not host or port == 0:
        raise ValueError(f"it has no host, or a port beyond 1 to 65535; {ALLOWED}")
    if parts.password is not None and not parts.username:
        raise ValueError(f"it has a password and no user; {ALLOWED}")
    return value


class MqttTlsSettings(Section):
    """How the broker proves who it is, over mqtts://, and how we do."""

    ca: Annotated[str, Field(min_length=1)] | None = None
    """The authority that signed its certificate, or that itself. None: those the system knows."""
    cert: Annotated[str, Field(min_length=1)] | None = None
    """Our own. None: we show none."""
    key: Annotated[str, Field(min_length=1)] | None = None
    """Its key, without a password. None: it stands in `cert`."""

    @model_validator(mode="after")
    def _checked_key(self) -> "MqttTlsSettings":
        if self.key is not None and self.cert is None:
            raise ValueError("key needs cert, the certificate that it belongs to")
        return self


class MqttSettings(Section):
    """One broker."""

    url: Annotated[str, AfterValidator(_checked_url), Field(repr=False)]
    tls: MqttTlsSettings = MqttTlsSettings()
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,3}$")] = "sightline"
    """Of all topics."""
    events: bool = True
    """Tell of each event's beginning and end, whatever the rules."""
    pictures: Annotated[float, Field(ge=1, le=86_400)] | None = None
    """Seconds from one picture of a stream to the next. None: none."""
    discovery: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    """Prefix of Home Assistant's discovery, `homeassistant` there. None: it is not told."""
    commands: bool = False
    """Take commands: pause a stream, silence a rule."""

    @property
    def host(self) -> str:
        """Where it is."""
        return self._parts.hostname or ""

    @property
    def port(self) -> int:
        """Of TCP."""
        return self._parts.port or PORTS[self._parts.scheme]

    @property
    def user(self) -> str | None:
        """Whom we say we are. None: nobody."""
        return None if self._parts.username is None else unquote(self._parts.username)

    @property
    def password(self) -> str | None:
        """The user's."""
        return None if self._parts.password is None else unquote(self._parts.password)

    @property
    def is_secure(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self._parts.scheme == "mqtts"

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.url)

    @model_validator(mode="after")
    def _checked_tls(self) -> "MqttSettings":
        if self.tls != MqttTlsSettings() and not self.is_secure:
            raise ValueError("tls needs a url that begins with mqtts://")
        return self
