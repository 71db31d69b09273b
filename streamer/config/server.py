"""The section `server`: where the page and the API are, and who may come."""

import re
from ipaddress import ip_network
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from streamer.config.section import Section


def _checked_ice_url(value: str) -> str:
    if not re.fullmatch(r"(stuns?|turns?):[A-Za-z0-9._\[\]:-]+(\?transport=(udp|tcp))?", value):
        raise ValueError(f"{value!r} is no ICE server; allowed are stun:host:port and turn:host:port?transport=udp")
    return value


def _checked_origin(value: str) -> str:
    if value != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+", value):
        raise ValueError(f'{value!r} is no origin; allowed are https://host[:port], and "*" for any')
    return value


def _checked_ancestor(value: str) -> str:
    if value != "self" and not re.fullmatch(r"https?://(\*\.)?[A-Za-z0-9.\[\]:-]+", value):
        raise ValueError(f'{value!r} is no origin; allowed are "self", https://host[:port] and https://*.example.org')
    return value


def _checked_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?", value):
        raise ValueError(
            f"{value!r} is no host's name; allowed is one without scheme, port and path: cameras.example.org"
        )
    return value


def _checked_network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError(f"{value!r} is no address and no network; allowed are 127.0.0.1 and 10.0.0.0/8") from None


def _checked_path(value: str) -> str:
    if not re.fullmatch(r"/|(/[A-Za-z0-9._~-]+)+/?", value):
        raise ValueError(f"{value!r} is no path; allowed is one that begins with a slash, such as /sightline")
    return value


def _checked_public_url(value: str) -> str:
    if not re.fullmatch(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:\d{1,5})?(/[A-Za-z0-9._~-]+)*/?", value):
        raise ValueError(f"{value!r} is no address of a page; allowed is one such as https://cameras.example.org")
    return value


def _number_of(value: Any) -> Any:
    """What ${NAME} stands for is a text, here of a number."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,5}", value) else value


Network = Annotated[str, AfterValidator(_checked_network)]


class TlsSettings(Section):
    """What the page and the API are served with over HTTPS."""

    cert: Annotated[str, Field(min_length=1)]
    """Path of the certificate and those it is signed by, in PEM."""
    key: Annotated[str, Field(min_length=1)]
    """Path of its private key, in PEM."""


class IceServerSettings(Section):
    """A STUN or TURN server that browsers are told of."""

    url: Annotated[str, AfterValidator(_checked_ice_url)]
    username: str | None = None
    credential: str | None = None
    secret: Annotated[str, Field(min_length=8)] | None = None
    """What the TURN server shares with us (coturn's `static-auth-secret`): each session gets credentials of its own."""

    @model_validator(mode="after")
    def _checked_login(self) -> "IceServerSettings":
        if self.secret is not None and (self.username, self.credential) != (None, None):
            raise ValueError("a secret makes each session's username and credential; allowed is one or the other")
        if self.secret is not None and not self.url.startswith("turn"):
            raise ValueError(f"a secret belongs to a TURN server, and {self.url!r} is none")
        return self


class ServerSettings(Section):
    """Where the page and the API are served."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, BeforeValidator(_number_of), Field(ge=0, le=65535)] = 8000
    max_viewers: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Viewers of all streams together: by WebRTC, by MJPEG, and of the events."""
    max_viewers_per_stream: Annotated[int, Field(ge=1, le=10_000)] = 64
    max_viewers_per_address: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """None: 8, and never less than one page that shows every stream may take."""
    max_connections: Annotated[int, Field(ge=8, le=100_000)] = 256
    """Connections at once, whatever for; a quarter of the descriptors the process may have is the most."""
    max_connections_per_address: Annotated[int, Field(ge=4, le=100_000)] = 128
    tls: TlsSettings | None = None
    """None: plain HTTP."""
    names: list[Annotated[str, AfterValidator(_checked_name)]] = Field(default_factory=list)
    """Names that browsers know this service by, beside addresses and loopback's."""
    base_path: Annotated[str, AfterValidator(_checked_path)] = "/"
    """The folder browsers find the page in, behind a proxy."""
    public_url: Annotated[str, AfterValidator(_checked_public_url)] | None = None
    """Where the page is for people who are told of something, with its folder. None: they are sent no links."""
    trusted_proxies: list[Network] = Field(default_factory=list)
    """Whose word is taken for who asks, and for the folder."""
    origins: list[Annotated[str, AfterValidator(_checked_origin)]] = Field(default_factory=list)
    """Web pages of other origins that may use the API; "*" for all."""
    frame_ancestors: list[Annotated[str, AfterValidator(_checked_ancestor)]] = Field(default=["self"])
    """Origins of pages that may show ours in a frame; "self" for our own."""
    ice_servers: Annotated[list[IceServerSettings], Field(max_length=8)] = Field(default_factory=list)
