"""One attempt's packets become the pictures that are wanted, each with what it was decoded from."""

from dataclasses import dataclass

import av

from streamer.source.decoding import Decoding
from streamer.source.opened import Unit, Video
from streamer.source.seams import Seams
from streamer.source.skim import Skim
from streamer.source.target import Limits
from streamer.values.depth import Depth

MOST_UNSHOWN = 32
"""Packets whose pictures may still come: B-pictures come later, and of what was damaged none does."""


@dataclass(frozen=True, slots=True)
class Pictured:
    """A decoded picture."""

    picture: av.VideoFrame
    own: float | None
    """Its own time in seconds, where there is one."""
    of: Unit
    """What it was decoded from."""


class Picturing:
    """One attempt's. Used in the connection's thread."""

    def __init__(self, video: Video, limits: Limits, *, clocked: bool, independent: bool) -> None:
        """Begin; `clocked`: its packets have times that mean something; `independent`: each is a picture by itself."""
        self.decoding = Decoding(video.context, limits)
        self._video, self._clocked = video, clocked
        self._skim, self._seams = Skim(independent=independent), Seams(video, limits)
        self._of: dict[int, Unit] = {}
        """By the packet's time."""

    def take(self, unit: Unit, packet: "av.Packet[av.VideoStream]", depth: Depth) -> list[Pictured] | None:
        """The pictures that are there with this packet; None where it is not decoded, since nobody needs it.

        Raises:
            SourceError: kind "too_large".
        """
        stands = packet.is_keyframe and unit.stands
        if stands and self._seams.turn(packet, wanted=depth.is_whole, distance=self._skim.distance):
            self.decoding.go_on(self._video.context)
        due = self._skim.take(unit, packet, depth)
        if not due:
            return None
        found = [picture for each in due for picture in self._decoded(each)]
        while len(self._of) > MOST_UNSHOWN:  # those whose picture never came
            self._of.pop(next(iter(self._of)))
        return [each for each in found if each.of.is_whole and not each.of.was_held]

    def _decoded(self, unit: Unit) -> list[Pictured]:
        packet = unit.packet
        if packet is None:
            return []
        if packet.pts is not None:
            self._of[packet.pts] = unit
        pictures = self.decoding.pictures(packet)
        if self.decoding.spoiled:
            self._seams.spoiled()
        if packet.is_keyframe and unit.stands:
            self._skim.pictured(is_own=any(picture.pts == packet.pts is not None for picture in pictures))
        return [self._pictured(picture, unit) for picture in pictures]

    def _pictured(self, picture: av.VideoFrame, unit: Unit) -> Pictured:
        if picture.pts is None:
            return Pictured(picture, None, unit)
        own = picture.pts * self._video.time_base if self._clocked else None
        return Pictured(picture, own, self._of.pop(picture.pts, unit))
