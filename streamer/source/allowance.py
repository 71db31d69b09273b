"""How much may come before there is a picture of it: a camera that begins one and never ends it fills the memory."""

from streamer.source.target import Limits
from streamer.values.errors import SourceError

ROOM = 32 << 20
"""Bytes beside the largest packet: the index of a recording, sound, and what is looked at before the first packet."""


class Allowance:
    """The bytes that FFmpeg may still be given before it gives a packet."""

    def __init__(self, limits: Limits) -> None:
        self._most = self._left = ROOM + limits.max_packet_bytes

    def spend(self, count: int) -> None:
        """Give that many.

        Raises:
            SourceError: kind "too_large".
        """
        self._left -= count
        if self._left < 0:
            raise SourceError("too_large", f"the camera sends {self._most} bytes without a picture in them")

    def renew(self) -> None:
        """There is a packet."""
        self._left = self._most
