"""Bytes of ours as FFmpeg reads them. What fails is kept here: FFmpeg reads on, and PyAV prints what it cannot keep."""

import io
from typing import Protocol

from streamer.source.allowance import Allowance
from streamer.values.errors import SourceError


class Body(Protocol):
    """What comes from somewhere."""

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end. Raises SourceError."""


class Places(Body, Protocol):
    """A body that gives any part of itself."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go on from another place; gives where that is. May raise SourceError."""

    def tell(self) -> int:
        """Bytes from the beginning."""


class Reader:
    """A body to be read from its beginning to its end."""

    def __init__(self, body: Body, allowance: Allowance) -> None:
        self._body, self.allowance = body, allowance
        self.error: SourceError | None = None
        """Why there are no more bytes; None at a natural end."""

    def read(self, size: int) -> bytes:
        """What PyAV calls."""
        if self.error is not None:
            return b""
        try:
            taken = self._body.read(size)
            self.allowance.spend(len(taken))
            return taken
        except SourceError as error:
            self.error = error
            return b""


class Seekable(Reader):
    """A body that can be read from anywhere."""

    def __init__(self, body: Places, allowance: Allowance) -> None:
        super().__init__(body, allowance)
        self._places = body

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """What PyAV calls; the new position."""
        if self.error is None:
            try:
                return self._places.seek(offset, whence)
            except SourceError as error:
                self.error = error
        return self.tell()

    def tell(self) -> int:
        """What PyAV calls."""
        return self._places.tell()
