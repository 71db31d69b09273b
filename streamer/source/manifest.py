"""What an HLS playlist says (RFC 8216). Pure."""

import re
from dataclasses import dataclass, replace
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

VARIANT = "#EXT-X-STREAM-INF:"
"""What stands before each variant in a master playlist (section 4.3.4.2)."""
RENDITION = "#EXT-X-MEDIA:"
"""What names a playlist beside the variants (section 4.3.4.1). FFmpeg takes it from any playlist."""
VIDEO_CODECS = ("avc", "hvc", "hev", "mp4v", "vp0", "vp8", "vp9", "av01", "dvh")
"""How the names of video codecs begin (RFC 6381); a variant that names codecs and none of these is sound."""

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
    """The playlist with absolute URLs; of a master playlist, its best variant alone."""
    is_master: bool = False
    """It names playlists, and not segments."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the playlists a master playlist names."""

    url: str
    bandwidth: int
    """Bits a second; 0 where it does not say."""
    pixels: int
    """Of a picture; 0 where it does not say."""
    is_video: bool


def read(text: str, url: str, *, max_pixels: int) -> Manifest:
    """Read a playlist that was found at a URL.

    Of a master playlist one variant is kept, and no rendition of sound or text: FFmpeg would fetch all of them, and a
    master playlist within each, before it chose.

    Raises:
        SourceError: kind "unsupported", it is encrypted in a way that is not played; kind "too_large".
        ValueError: it names what is not a URL; urllib's, whose text quotes that.
    """
    said = text.replace("\0", "\n").splitlines()  # wherever FFmpeg may see a line end, there is one
    if any(line.startswith(VARIANT) for line in said):
        return _one_variant(said, url, max_pixels)
    target, ended, keys, lines, length = None, False, set[str](), list[str](), 0
    for number, line in enumerate(said):
        if line.startswith("#EXT-X-TARGETDURATION:"):
            target = min(_seconds(line.partition(":")[2]), LONGEST_TARGET)
        elif line.startswith("#EXT-X-ENDLIST"):
            ended = True
        elif line.startswith("#EXT-X-KEY:"):
            named = _keys(line, url)
            keys |= named
            length += sum(map(len, named))
        elif line.startswith(RENDITION):
            line = "#"
        lines.append(_absolute(line, url))
        length += len(lines[-1]) + 1
        if number >= MOST_LINES or length > LONGEST:
            raise SourceError("too_large", f"the playlist has more than {MOST_LINES} lines, or {LONGEST} characters")
    return Manifest(target, ended, frozenset(keys), "\n".join(lines) + "\n")


def _one_variant(lines: list[str], url: str, max_pixels: int) -> Manifest:
    """A master playlist of the best variant: with video, within the limit if any is, of the most bits a second.

    Raises:
        SourceError: kind "protocol", it names none; kind "too_large".
    """
    best: Variant | None = None
    said: dict[str, str] | None = None
    for number, line in enumerate(lines):
        if number >= MOST_LINES:
            raise SourceError("too_large", f"the playlist has more than {MOST_LINES} lines")
        if line.startswith(VARIANT):
            said = _attributes(line)
        elif said is not None and line.strip() and not line.startswith("#"):
            found, said = _variant(said, line.strip()), None
            best = max(best or found, found, key=lambda each: _worth(each, max_pixels))
    if best is None:
        raise SourceError("protocol", "the playlist names no variant of its video")
    kept = replace(best, url=urljoin(url, best.url))
    one = ("#EXTM3U", f"{VARIANT}BANDWIDTH={kept.bandwidth or 1}", kept.url)
    return Manifest(None, False, frozenset(), "\n".join(one) + "\n", is_master=True)


def _variant(said: dict[str, str], url: str) -> Variant:
    codecs = said.get("CODECS", "")
    size = re.fullmatch(r"(\d{1,6})x(\d{1,6})", said.get("RESOLUTION", ""))
    return Variant(
        url,
        bandwidth=int(found[0]) if (found := re.match(r"\d{1,12}", said.get("BANDWIDTH", ""))) else 0,
        pixels=int(size[1]) * int(size[2]) if size else 0,
        is_video=size is not None
        or not codecs
        or any(codec.strip().lower().startswith(VIDEO_CODECS) for codec in codecs.split(",")),
    )


def _worth(variant: Variant, max_pixels: int) -> tuple[bool, bool, int]:
    """What makes one variant better than another; of equal ones the first stays."""
    return variant.is_video, variant.pixels <= max_pixels, variant.bandwidth


def _attributes(line: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(line)}


def _keys(line: str, url: str) -> set[str]:
    said = _attributes(line)
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
