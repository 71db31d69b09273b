"""What an HLS playlist says (RFC 8216). Pure."""

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from streamer.values.errors import SourceError

MARK = b"#EXTM3U"
"""How every playlist begins (section 4.3.1.1)."""
LONGEST_TARGET = 20.0
"""Seconds; a longer target duration is taken for this one, lest a playlist have us wait for ever."""
MOST_LINES = 100_000
"""Of a playlist: a day of six-second segments has less than half of them."""
LONGEST = 8 << 20
"""Characters of a playlist whose URLs are absolute: one of a thousand letters, before each of a thousand names of one,
makes a megabyte of two kilobytes."""

_ATTRIBUTE = re.compile(r'(?<![A-Z0-9-])([A-Z0-9-]+)=("[^"]*"|[^",]*)')
"""A name begins where no name was before: looked for at each letter of a long one, it would take hours to find none."""


@dataclass(frozen=True)
class Manifest:
    """One playlist, at one time."""

    target: float | None
    """Seconds of the longest segment, which is also how often a live playlist changes; None in a master playlist."""
    ended: bool
    """It changes no more."""
    keys: frozenset[str]
    """The URLs of the keys its segments are encrypted with."""
    text: str
    """The playlist with absolute URLs."""


def read(text: str, url: str) -> Manifest:
    """Read a playlist that was found at a URL.

    Raises:
        SourceError: kind "unsupported", it is encrypted in a way that is not played; kind "too_large".
        ValueError: it names what is not a URL; urllib's, whose text quotes that.
    """
    target, ended, keys, lines, length = None, False, set[str](), list[str](), 0
    for number, line in enumerate(text.splitlines()):
        if line.startswith("#EXT-X-TARGETDURATION:"):
            target = min(_seconds(line.partition(":")[2]), LONGEST_TARGET)
        elif line.startswith("#EXT-X-ENDLIST"):
            ended = True
        elif line.startswith("#EXT-X-KEY:"):
            named = _keys(line, url)
            keys |= named
            length += sum(map(len, named))
        lines.append(_absolute(line, url))
        length += len(lines[-1]) + 1
        if number >= MOST_LINES or length > LONGEST:
            raise SourceError("too_large", f"the playlist has more than {MOST_LINES} lines, or {LONGEST} characters")
    return Manifest(target, ended, frozenset(keys), "\n".join(lines) + "\n")


def _keys(line: str, url: str) -> set[str]:
    said = {name: value.strip('"') for name, value in _ATTRIBUTE.findall(line)}
    method, form = said.get("METHOD", "NONE"), said.get("KEYFORMAT", "identity")
    if method == "NONE":
        return set()
    if method != "AES-128" or form != "identity":
        what = f"{method} with keys by {form}" if form != "identity" else method
        raise SourceError("unsupported", f"the stream is encrypted by {what[:80]}, which is not played; AES-128 is")
    return {urljoin(url, said.get("URI", ""))}


def _absolute(line: str, url: str) -> str:
    """A line with its URL made absolute, since FFmpeg does not know where a redirect led. A tag has one at the most."""
    if line.startswith("#"):
        return re.sub(r'\bURI="([^"]*)"', lambda found: f'URI="{urljoin(url, found[1])}"', line, count=1)
    return urljoin(url, line.strip()) if line.strip() else line


def _seconds(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        return LONGEST_TARGET
