"""Where an RTSP server sends us: seen before it is followed, and followed only where it stays with the camera."""

from dataclasses import replace
from urllib.parse import urlsplit

from streamer.source.failure import printable
from streamer.source.target import Target
from streamer.values import url as urls
from streamer.values.errors import SourceError

REDIRECTS = 3
"""How often a server may send us elsewhere on itself."""


class Moved(Exception):
    """A server answers that what is asked for is elsewhere. A plain fact; whether to go there is decided outside."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


def stays(location: str, target: Target) -> bool:
    """Whether a redirect leads to the same host, and no longer without TLS than before."""
    try:
        scheme, host = urls.scheme_of(location), urls.host_of(location)
        urls.port_of(location)
    except ValueError:
        return False
    return host == target.host and scheme in {"rtsp": ("rtsp", "rtsps"), "rtsps": ("rtsps",)}[target.scheme]


def redirected(target: Target, location: str) -> Target:
    """What is read instead, with the same user and password.

    Raises:
        SourceError: kind "redirected"; it leads elsewhere.
    """
    if not stays(location, target):
        there = printable(urls.redact(_without_login(location))) if "://" in location else "elsewhere"
        raise SourceError(
            "redirected", f"the camera redirects to {there}, which is not followed; write that URL if it is meant"
        )
    parts, login = urlsplit(urls.without_login(location)), urlsplit(target.url).netloc.rpartition("@")[0]
    return replace(target, url=parts._replace(netloc=f"{login}@{parts.netloc}" if login else parts.netloc).geturl())


def _without_login(location: str) -> str:
    try:
        return urls.without_login(location)
    except ValueError:
        return "what is not a URL"
