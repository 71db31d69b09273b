"""A camera watched for some seconds: what comes is noted, and decoded from the first keyframe on. Blocks."""

import time
from collections.abc import Callable

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from streamer.doctor.observation import Arrival, Kind, Observation
from streamer.source.decoding import Decoding
from streamer.source.kinds import open_target
from streamer.source.opened import Opened, Video
from streamer.source.rotation import upright
from streamer.source.rtsp.traits import Traits
from streamer.source.stop import Stop
from streamer.source.target import Limits, Target
from streamer.values.clock import Clock
from streamer.values.errors import SourceError

ENOUGH = 4.0
"""Seconds of watching that are enough where this many keyframes have come; without them it goes on while it may."""
ENOUGH_KEYFRAMES = 4
ENOUGH_RECORDED = 10.0
"""Seconds of a recording, which is read faster than it plays."""
ENOUGH_PACKETS = 10_000
"""However soon they came: ten times what the fastest camera sends, and judged on the event loop within milliseconds."""
ALWAYS_DECODED = 50
"""Pictures that are decoded however long it takes; more, while this machine keeps up."""
MOST_LOAD = 0.8


def watch(
    target: Target,
    seen: Observation,
    stop: Stop,
    *,
    until: float,
    clock: Clock,
    wall: Callable[[], float],
) -> None:
    """Open a camera and note what comes.

    Args:
        target: the camera.
        seen: where it is noted.
        stop: ends it.
        until: monotonic seconds at which to end.
        clock: monotonic seconds.
        wall: seconds since 1970.

    Raises:
        SourceError, OSError, av.FFmpegError: it cannot be opened, or breaks off.
    """

    def learn(traits: Traits) -> None:
        seen.traits = traits

    over = False
    with open_target(target, stop, learn=learn) as opened:
        # Before it is asked for: where there is none, the sound is what there is to tell.
        seen.kind = Kind("", None, None, 1.0, opened.audio, opened.protocol.clocked)
        video = opened.video(target.limits)
        seen.kind, seen.size = _kind(opened, video), _size(video.context)
        seen.opened_at = clock()
        pictures = _Pictures(seen, video, target.limits, clock)
        for unit in opened.units():
            now, packet = clock(), unit.packet
            if stop:
                break
            if packet is None:
                if now >= until:
                    break
                continue
            if not packet.size:  # the end, as PyAV shows it
                over = not opened.protocol.bursts
                break
            target.limits.require_packet(packet.size)
            own = packet.pts * video.time_base if packet.pts is not None and opened.protocol.clocked else None
            ahead = None if unit.camera_time is None else unit.camera_time - wall()
            seen.arrivals.append(Arrival(now, own, packet.size, packet.is_keyframe and unit.is_whole, ahead))
            pictures.take(packet, unit.is_whole)
            if now >= until or _is_enough(seen, now):
                break
        # Again: what the camera did not announce was found out by decoding.
        seen.kind, seen.lost = _kind(opened, video), opened.lost
        seen.ended_at = clock()
    if over:  # said after the block, which ends with the reason where there is another: FFmpeg sees an end in each
        raise SourceError("ended", "the camera ended the stream")


class _Pictures:
    """The pictures of one camera."""

    def __init__(self, seen: Observation, video: Video, limits: Limits, clock: Clock) -> None:
        self._seen, self._clock = seen, clock
        self._decoding = Decoding(video.context, limits)
        self._reformatter = VideoReformatter()
        self._begun_at: float | None = None

    def take(self, packet: "av.Packet[av.VideoStream]", is_whole: bool) -> None:
        """Decode one packet, if it is worth it; of one that `is_whole` not, the picture is shown where no other comes.

        Raises:
            SourceError: kind "too_large"; the pictures have grown beyond the limits.
        """
        if self._begun_at is None:
            if not packet.is_keyframe:
                return
            self._begun_at = self._clock()
        seen = self._seen
        if seen.pictures > ALWAYS_DECODED and seen.decode_seconds > MOST_LOAD * (self._clock() - self._begun_at):
            return
        before, spoiled = time.thread_time(), self._decoding.spoiled
        try:
            pictures = self._decoding.pictures(packet)
        finally:
            seen.undecodable += self._decoding.spoiled > spoiled
            seen.decode_seconds += time.thread_time() - before
        for picture in pictures:
            self._note(picture, is_whole)

    def _note(self, picture: av.VideoFrame, is_whole: bool) -> None:
        seen = self._seen
        seen.pictures += 1
        seen.b_pictures += picture.pict_type == PictureType.B
        seen.interlaced += picture.interlaced_frame
        seen.damaged += picture.is_corrupt and is_whole
        if seen.first_picture_at is None:
            seen.first_picture_at = self._clock() if is_whole else None
            seen.picture = upright(picture, self._reformatter)
            seen.size = (seen.picture.width, seen.picture.height)
            seen.contrast = float(np.asarray(picture.to_ndarray(format="gray8"))[::8, ::8].std())


def _is_enough(seen: Observation, now: float) -> bool:
    if len(seen.arrivals) >= ENOUGH_PACKETS:
        return True
    kind, first, last = seen.kind, seen.arrivals[0], seen.arrivals[-1]
    if kind is not None and kind.bursts and first.time is not None and last.time is not None:
        return last.time - first.time >= ENOUGH_RECORDED
    if now - first.at < ENOUGH:
        return False
    return sum(arrival.is_keyframe for arrival in seen.arrivals) >= ENOUGH_KEYFRAMES


def _size(context: av.VideoCodecContext) -> tuple[int, int] | None:
    return (context.width, context.height) if context.width and context.height else None


def _kind(opened: Opened, video: Video) -> Kind:
    context, protocol = video.context, opened.protocol
    aspect = video.pixel_aspect or context.sample_aspect_ratio
    return Kind(
        context.codec.canonical_name,
        context.profile,
        context.pix_fmt,
        float(aspect) if aspect else 1.0,
        opened.audio,
        protocol.clocked,
        protocol.bursts,
        opened.recorded,
    )
