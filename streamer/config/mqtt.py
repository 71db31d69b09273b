"""The section `mqtt`: a broker that is told of everything."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from streamer.config.section import Section


def _checked_url(value: str) -> str:
    if not re.fullmatch(r"mqtts?://([^\s/?#@]+@)?[^\s/?#@]+", value):
        raise ValueError("it is no broker; allowed is one such as mqtt://user:password@broker.example.org:1883")
    return value


class MqttTlsSettings(Section):
    """How the broker proves who it is, over mqtts://, and how we do."""

    ca: Annotated[str, Field(min_length=1)] | None = None
    cert: Annotated[str, Field(min_length=1)] | None = None
    key: Annotated[str, Field(min_length=1)] | None = None


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
