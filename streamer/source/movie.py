"""The bytes of an MP4 as FFmpeg gets them: the way to its index and the index as they were judged, the rest watched."""

import io

from streamer.source import mp4
from streamer.source.download import Download
from streamer.values.errors import SourceError

MOST_BOXES = 64
"""Up to the index."""


class Movie:
    """One answer. Its index has been read when it is made.

    What was read on the way there is what FFmpeg gets: a server may give the same part of a file twice in two ways.

    Raises:
        SourceError: what the index claims cannot be, or it is not to be had; or what the download says.
    """

    def __init__(self, download: Download) -> None:
        self._download = download
        self._fragments = mp4.Fragments()
        self._held: dict[int, bytes] = {}
        """What was read already, by the byte it begins at."""
        self._ahead = (0, b"")
        """The newest box behind the index: where it begins, and as much of it as was judged."""
        self._at = 0
        self._find_index()
        self._next: int | None = self._at
        """Where the first box begins that was not looked at; None: none follows."""
        self._at = 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end."""
        for _ in range(MOST_BOXES):  # what is further away it does not go into, and comes back
            if self._next is None or self._at < self._next:
                break
            self._look_at(self._next)
        parts = [*self._held.items(), self._ahead]
        for begin, held in parts:
            if begin <= self._at < begin + len(held):
                taken = held[self._at - begin : self._at - begin + size]
                self._at += len(taken)
                return taken
        bounds = [begin for begin, _ in parts] + ([] if self._next is None else [self._next])
        next_held = min((begin for begin in bounds if begin > self._at), default=self._at + size)
        taken = self._take(min(size, next_held - self._at))
        self._fragments.watch(taken)
        return taken

    def seekable(self) -> bool:
        """Whether it can be read from anywhere."""
        return self._download.seekable()

    def tell(self) -> int:
        """Bytes from the beginning."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on from another place."""
        self._download.seek(self._at)
        self._at = self._download.seek(offset, whence)
        return self._at

    def close(self) -> None:
        """Let go of the connection. May be called twice."""
        self._download.close()

    def _take(self, size: int) -> bytes:
        if self.seekable():
            self._download.seek(self._at)
        taken = self._download.read(size)
        self._at += len(taken)
        return taken

    def _find_index(self) -> None:
        """Go from box to box, and judge the index; where parts cannot be asked for, keep all that is passed."""
        for _ in range(MOST_BOXES):
            begin = self._at
            head = self._exactly(8)
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            if size == 1:
                head += self._exactly(8)
                size = int.from_bytes(head[8:], "big")
            if size < len(head):  # 0 means up to the end, so that nothing follows
                break
            if kind in mp4.JUDGED or not self.seekable():
                self._require_room(kind, begin, size)
                head += self._exactly(size - len(head))
            if kind in mp4.JUDGED:
                self._fragments.judge(head)
            self._held[begin] = head
            self._at = begin + size
            if kind == b"moov":
                return
        raise SourceError("protocol", "the MP4 has no index")

    def _look_at(self, begin: int) -> None:
        """Look at the box that begins there, and at all of it where FFmpeg would go into it."""
        back, self._at = self._at, begin
        head = self._up_to(8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if size == 1:
            head += self._up_to(8)
            size = int.from_bytes(head[8:], "big")
        if kind in mp4.JUDGED:
            if not len(head) <= size <= mp4.LONGEST_INDEX:
                raise SourceError("too_large", f"the MP4 has an index of {size} bytes behind its first")
            head += self._up_to(size - len(head))
            if len(head) < size:
                raise SourceError("ended", "the MP4 ends within an index")
            self._fragments.judge(head)
        self._ahead = begin, head
        self._next = begin + size if size >= len(head) >= 8 else None  # FFmpeg goes no further either
        self._at = back

    def _require_room(self, kind: bytes, begin: int, size: int) -> None:
        if kind == b"mdat":
            raise SourceError("unsupported", "the MP4's index comes behind its video, and the server has no ranges")
        if (begin + size > mp4.LONGEST_INDEX and not self.seekable()) or size > mp4.LONGEST_INDEX:
            raise SourceError("too_large", f"the MP4's index has {size} bytes; at most {mp4.LONGEST_INDEX} are read")

    def _exactly(self, count: int) -> bytes:
        read = self._up_to(count)
        if len(read) < count:
            raise SourceError("protocol", "the MP4 ends before its index does")
        return read

    def _up_to(self, count: int) -> bytes:
        """So many bytes, or all that there are."""
        read = bytearray()
        while len(read) < count and (more := self._take(count - len(read))):
            read += more
        return bytes(read)
