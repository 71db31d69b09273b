"""Where a request about a track goes: the control URLs of SDP as cameras write them (RFC 2326 appendix C.1.1). Pure."""

import re
from urllib.parse import urlsplit

from streamer.source.rtsp.message import Fields

_ABSOLUTE = re.compile(r"rtsps?://", re.IGNORECASE)


def base_of(fields: Fields, asked: str) -> str:
    """What a description's URLs are relative to: what its head says, or the URL that was asked for.

    Args:
        fields: of the answer to DESCRIBE.
        asked: that URL, without user and password.
    """
    said = fields.get("content-base") or fields.get("content-location") or ""
    return at(asked, said) if _ABSOLUTE.match(said) else asked


def control_url(base: str, control: str) -> str:
    """The URL of a track, or of the whole.

    It is put behind the base, whatever stands in that, where RFC 3986 would cut off a query or a last segment: cameras
    mean it so, as what their makers' own viewers do.

    Args:
        base: absolute.
        control: as SDP has it.
    """
    control = "".join(control.split())
    if control in ("", "*"):
        return base
    if _ABSOLUTE.match(control):
        return at(base, control)
    if base.endswith("/") or control[0] in "/?":
        return base.removesuffix("/") + control if control[0] == "/" else base + control
    return f"{base}/{control}"


def at(here: str, there: str) -> str:
    """An absolute URL with another's scheme, host and port: behind a NAT a camera names an address nobody reaches."""
    ours = urlsplit(here)
    rest = _ABSOLUTE.sub("", "".join(there.split()))
    begins = re.search(r"[/?]", rest)
    return f"{ours.scheme}://{ours.netloc}{rest[begins.start() :] if begins else ''}"


def is_absolute(control: str) -> bool:
    """Whether a control URL stands by itself."""
    return _ABSOLUTE.match(control) is not None
