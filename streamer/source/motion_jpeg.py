"""A camera that sends one JPEG picture after the other over HTTP. One kind of `Opened`."""

from collections.abc import Iterator
from typing import cast

import av

from streamer.source import protocol as protocols
from streamer.source.download import Download
from streamer.source.multipart import Parts
from streamer.source.opened import Unit, Video, limit
from streamer.source.protocol import Protocol
from streamer.source.target import Limits
from streamer.values.clock import Clock, monotonic
from streamer.values.coded import OnSound

READ = 1 << 16
"""Bytes asked for at once; what is there is taken as soon as there is any."""


class MotionJpeg:
    """One answer."""

    recorded = False
    audio: tuple[str, ...] = ()
    lost = 0

    def __init__(self, download: Download, limits: Limits, clock: Clock = monotonic) -> None:
        self.protocol: Protocol = protocols.MULTIPART_JPEG
        self._download, self._clock = download, clock
        self._parts = Parts(limits)

    def hear(self, take: OnSound) -> str | None:
        """There is none."""
        return "JPEG pictures have no sound beside them"

    def video(self, limits: Limits) -> Video:
        """Its pictures, to be decoded within limits. They have no times but that of their arrival."""
        context = av.CodecContext.create("mjpeg", "r")
        limit(context, limits)
        return Video(context, 0.0)

    def units(self) -> Iterator[Unit]:
        """What comes, to the end.

        Raises:
            SourceError: it broke off, or is none.
        """
        while data := self._download.read(READ):
            now = self._clock()
            for picture in self._parts.put(data):
                packet = av.Packet(picture)
                packet.is_keyframe = True
                yield Unit(cast("av.Packet[av.VideoStream]", packet), now)
        now = self._clock()
        yield Unit(cast("av.Packet[av.VideoStream]", av.Packet()), now)

    def failed(self) -> bool:
        """It has no end that is none."""
        return False

    def rewind(self) -> None:
        """What is live cannot be begun again."""
