"""One stream's packets decoded, within limits that hold for pictures which grow on the way too."""

import av

from streamer.source.claims import Claims
from streamer.source.target import Limits
from streamer.values.errors import SourceError

SPOILED_PACKETS = 5
"""Packets in a row that nothing could be made of, from which on that is no damage on the way."""
_UNDECODABLE = (av.InvalidDataError, av.ArgumentError, av.MemoryError)
"""What FFmpeg raises at them. At a size beyond `max_pixels` each codec raises another: H.264, MJPEG, H.265."""


class Decoding:
    """One stream's decoding."""

    def __init__(self, context: av.VideoCodecContext, limits: Limits) -> None:
        self._context, self._limits = context, limits
        self._claims = Claims(context, limits)
        self._begun = False
        """There was a picture, so that the decoder knew its size."""
        self.spoiled = 0
        """Packets in a row that nothing could be made of."""

    def go_on(self, context: av.VideoCodecContext) -> None:
        """Decode with another decoder, from a keyframe on."""
        self._context = context

    def pictures(self, packet: "av.Packet[av.VideoStream]") -> list[av.VideoFrame]:
        """What a packet decodes to; nothing where it was damaged on the way.

        Raises:
            SourceError: kind "too_large"; the pictures are beyond the limits now.
        """
        self._claims.require(packet)
        try:
            pictures = self._context.decode(packet)
        except _UNDECODABLE:
            self.spoiled += 1
            if self.spoiled >= SPOILED_PACKETS:
                self._require_size()
            return []
        if pictures:
            self._begun, self.spoiled = True, 0
        return pictures

    def _require_size(self) -> None:
        """Check whether it is their size: a decoder that refuses one says it, or, of JPEG, forgets the one before."""
        context = self._context
        if context.width and context.height:
            self._limits.require_size(context.width, context.height)
        elif self._begun:
            sentence = f"the camera sends pictures of more than {self._limits.max_pixels} pixels now"
            raise SourceError("too_large", sentence)
