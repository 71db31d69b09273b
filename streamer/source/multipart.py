"""JPEG pictures out of a multipart answer (multipart/x-mixed-replace), as cameras write it and browsers show it. Pure.

By the pictures themselves, not by what stands between them: the first part may come without a boundary (ESP32), the
boundary is another one than was said, parts have neither type nor length, or a wrong one. A picture ends with its own
last byte and does not wait for the next part; its size is judged before the rest of it has come.
"""

import re

from streamer.source.failure import printable
from streamer.source.target import Limits
from streamer.values.errors import SourceError

BEGIN = b"\xff\xd8\xff"
"""A picture's first marker, SOI, and the first byte of the next one (ITU-T T.81 B.1.1.3)."""
LONGEST_HEAD = 1 << 16
"""Bytes from one picture to the next: a boundary and some lines, or what a sensor's buffer was filled up with."""

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that carry the picture's size (B.2.2)."""
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""What ends a scan (B.1.1.2)."""
_TYPE = re.compile(rb"^content-type:[ \t]*([^\r\n;]{1,80})", re.IGNORECASE | re.MULTILINE)


class Parts:
    """One answer; give it what comes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = bytearray()
        """From the picture's first byte on; before it has begun, what may be its head."""
        self._at: int | None = None
        """How far the picture has been walked through; None: it has not begun."""
        self._scanning = False

    def put(self, data: bytes) -> list[bytes]:
        """The pictures that are whole with this.

        Raises:
            SourceError: kind "protocol", there are no pictures; "unsupported", there are others; "too_large".
        """
        self._held += data
        found = list[bytes]()
        while self._begins() and (end := self._end()) is not None:
            found.append(bytes(self._held[:end]))
            del self._held[:end]
            self._at = None
        self._limits.require_packet(len(self._held))
        return found

    def _begins(self) -> bool:
        """Whether there is a picture; what stands before it is let go."""
        if self._at is None:
            begins = self._held.find(BEGIN)
            if begins < 0 and len(self._held) > LONGEST_HEAD:
                raise _no_picture(bytes(self._held))
            if begins < 0:
                return False
            del self._held[:begins]
            self._at, self._scanning = 2, False
        return True

    def _end(self) -> int | None:
        """Go on from marker to marker; gives where the picture ends, None: not here yet."""
        at, held = self._at or 0, self._held
        while at + 2 <= len(held):
            if self._scanning or held[at] != 0xFF:  # no marker where one must be is damage: the decoder will say so
                found = _NEXT_MARKER.search(held, at)
                at, self._scanning = (len(held) - 1, True) if found is None else (found.start(), False)
                if found is None:
                    break
            marker = held[at + 1]
            if marker == _EOI:
                return at + 2
            if marker == _SOI:  # it was cut off, and here is the next one
                return at
            if marker == 0xFF or marker in _BARE:
                at += 1 if marker == 0xFF else 2
                continue
            if at + 9 > len(held):
                break
            if marker in _FRAMES:
                height, width = (int.from_bytes(held[at + field : at + field + 2], "big") for field in (5, 7))
                self._limits.require_size(width, height)
            self._scanning = marker == _SOS
            at += 2 + int.from_bytes(held[at + 2 : at + 4], "big")
        self._at = at
        return None


def _no_picture(came: bytes) -> SourceError:
    """What came instead of pictures."""
    kinds = [kind.decode("latin-1").strip().lower() for kind in _TYPE.findall(came)]
    other = next((kind for kind in kinds if kind not in ("image/jpeg", "image/jpg")), None)
    if other is not None:
        return SourceError("unsupported", f"the parts the server sends are {printable(other)}; image/jpeg is shown")
    return SourceError("protocol", f"the server sends {LONGEST_HEAD} bytes without a JPEG picture in them")
