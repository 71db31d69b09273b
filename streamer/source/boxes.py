"""MP4 in parts that are read from their beginnings, as HLS has it: each part's boxes are judged before FFmpeg has them.

FFmpeg reads the parts as one stream, so a box must end where its part does: what follows would be taken for its inside.
"""

from collections.abc import Callable

from streamer.source import mp4
from streamer.source.reader import Body
from streamer.values.errors import SourceError

SYNC = 0x47
"""How a packet of MPEG-TS begins (ISO/IEC 13818-1, 2.4.3.2): such a part goes past as it is."""


def neither() -> SourceError:
    """What is said of a part of another kind."""
    return SourceError("unsupported", "the segment is neither MPEG-TS nor MP4")


class Boxes:
    """One part.

    Args:
        body: its bytes.
        fragments: judges all parts of a stream together.
        refuse: what is said of a part that is neither MP4 nor MPEG-TS.
    """

    def __init__(self, body: Body, fragments: mp4.Fragments, refuse: Callable[[], SourceError] = neither) -> None:
        self._body, self._fragments, self._refuse = body, fragments, refuse
        self._ready = b""
        """What was read already, and may be given."""
        self._left: int | None = None
        """Bytes of the box at hand that are not looked into; None: the part has not begun."""
        self._is_mp4 = True

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end.

        Raises:
            SourceError: what the part claims cannot be, or it is neither MP4 nor MPEG-TS; or what the body says.
        """
        if not self._ready and not self._left and self._is_mp4:
            self._begin()
        if self._ready:
            taken, self._ready = self._ready[:size], self._ready[size:]
            return taken
        if not self._is_mp4:
            return self._body.read(size)
        if not self._left:
            return b""
        taken = self._body.read(min(size, self._left))
        if not taken:
            raise SourceError("ended", "the segment ends within a box")
        self._left -= len(taken)
        self._fragments.watch(taken)
        return taken

    def _begin(self) -> None:
        """Look at the next box, and at all of it where FFmpeg would go into it."""
        head, is_first = self._up_to(8), self._left is None
        self._left = 0
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if is_first and head[:1] == bytes((SYNC,)) and kind not in mp4.JUDGED:
            self._is_mp4, self._ready = False, head
            return
        if not head:
            return
        if is_first and not (len(kind) == 4 and kind.isascii() and kind.decode().isprintable()):
            raise self._refuse()
        if size == 1:
            head += self._up_to(8)
            size = int.from_bytes(head[8:], "big")
        if size < len(head) or len(head) < 8:
            raise SourceError("protocol", "the segment holds a box without an end")
        if kind in mp4.JUDGED:
            if size > mp4.LONGEST_INDEX:
                raise SourceError("too_large", f"the segment has an index of {size} bytes")
            head += self._up_to(size - len(head))
            if len(head) < size:
                raise SourceError("ended", "the segment ends within an index")
            self._fragments.judge(head)
        self._ready, self._left = head, size - len(head)

    def _up_to(self, count: int) -> bytes:
        """So many bytes, or all that there are."""
        read = bytearray()
        while len(read) < count and (more := self._body.read(count - len(read))):
            read += more
        return bytes(read)
