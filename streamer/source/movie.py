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
        self._at = 0
        self._find_index()
        self._at = 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end."""
        for begin, held in self._held.items():
            if begin <= self._at < begin + len(held):
                taken = held[self._at - begin : self._at - begin + size]
                self._at += len(taken)
                return taken
        next_held = min((begin for begin in self._held if begin > self._at), default=self._at + size)
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
            if kind == b"moov" or not self.seekable():
                self._require_room(kind, begin, size)
                head += self._exactly(size - len(head))
            if kind == b"moov":
                mp4.require_honest(head)
            self._held[begin] = head
            if kind == b"moov":
                return
            self._at = begin + size
        raise SourceError("protocol", "the MP4 has no index")

    def _require_room(self, kind: bytes, begin: int, size: int) -> None:
        if kind == b"mdat":
            raise SourceError("unsupported", "the MP4's index comes behind its video, and the server has no ranges")
        if (begin + size > mp4.LONGEST_INDEX and not self.seekable()) or size > mp4.LONGEST_INDEX:
            raise SourceError("too_large", f"the MP4's index has {size} bytes; at most {mp4.LONGEST_INDEX} are read")

    def _exactly(self, count: int) -> bytes:
        read = bytearray()
        while len(read) < count and (more := self._take(count - len(read))):
            read += more
        if len(read) < count:
            raise SourceError("protocol", "the MP4 ends before its index does")
        return bytes(read)
