"""Whether the seams between a picture's blocks are smoothed (the loop filter, H.264 clause 8.7; H.265 clause 8.7.2).

That is a fifth of decoding, and a detector does not see it: docs/design/decoding.md has the figures. While nobody looks
it is left out of all but keyframes, by a decoder of its own from one keyframe to another: FFmpeg takes the option
(`skip_loop_filter`) when a decoder is opened, and PyAV has no other way to it. What is left out adds up in the pictures
behind, so only where the next keyframe is near.
"""

from typing import cast

import av

from streamer.rtp.coding import brings_sets
from streamer.source.opened import Video, limit
from streamer.source.target import Limits

FURTHEST = 4.0
"""Seconds from one keyframe to the next, up to which seams are left: so long whoever begins to look may see some."""
OPTION = {"skip_loop_filter": "nokey"}


class Seams:
    """One attempt's."""

    def __init__(self, video: Video, limits: Limits) -> None:
        """They are smoothed."""
        self.are_left = False
        self._video, self._limits = video, limits
        self._trouble = False

    def spoiled(self) -> None:
        """Something could not be decoded."""
        self._trouble |= self.are_left

    def turn(self, packet: "av.Packet[av.VideoStream]", *, wanted: bool, distance: float | None) -> bool:
        """Have the video decoded by another decoder from this keyframe on, where that is right; gives whether it is.

        Args:
            packet: the keyframe. The other decoder knows of nothing that is not in it.
            wanted: whether somebody looks, or may want pictures as good as they can be had.
            distance: seconds to the next keyframe, as far as that is known.
        """
        leave = not wanted and not self._trouble and distance is not None and distance <= FURTHEST
        before = self._video.context
        if leave == self.are_left or self._video.stream is not None:  # a container's decoder is a part of it
            return False
        if not brings_sets(before.codec.canonical_name, bytes(packet)):
            return False
        context = cast(av.VideoCodecContext, av.CodecContext.create(before.codec.name, "r"))
        limit(context, self._limits)
        if leave:
            context.options = {**context.options, **OPTION}
        self._video.context, self.are_left = context, leave
        return True
