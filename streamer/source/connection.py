"""One attempt to read a source: a thread that opens, demuxes and decodes until something ends it.

A thread blocked inside FFmpeg cannot be stopped from outside. FFmpeg's own socket timeout ends it, and until then its
frames are no longer listened to.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Iterator

import av
from av.video.reformatter import VideoReformatter

from streamer.source.decoding import SPOILED_PACKETS, Decoding
from streamer.source.failure import explain
from streamer.source.gate import Ceiling, Gate
from streamer.source.kinds import open_target
from streamer.source.opened import Opened, Unit, Video
from streamer.source.pace import Pace
from streamer.source.picturing import Picturing
from streamer.source.protocol import STALL_TIMEOUT
from streamer.source.rotation import upright
from streamer.source.rtsp.keepalive import Habits
from streamer.source.rtsp.place import Place
from streamer.source.stop import Stop
from streamer.source.tap import Nobody, Tap
from streamer.source.target import Target
from streamer.values.clock import Clock
from streamer.values.depth import WHOLE, Depth
from streamer.values.errors import SourceError
from streamer.values.timeline import Timeline

log = logging.getLogger(__name__)

SPOILED_FOR = 1.5
"""Seconds of packets none of which can be decoded, SPOILED_PACKETS at least, after which a camera is asked anew what it
sends."""
WITHOUT_PICTURE = 20.0
"""Seconds for which a camera that had pictures may send packets and none: until its next keyframe, after a loss."""
FRAME_INTERVAL = 0.04
"""Seconds from one picture to the next where nothing tells."""

Deliver = Callable[[av.VideoFrame, float | None, Unit], None]
"""Takes a decoded picture, its own time in seconds or None, and what it was decoded from, whose arrival is when it is
due."""
PassOver = Callable[[float], None]
"""Told the arrival of each picture that is not decoded since nobody needs it, in the connection's thread."""


class Connection:
    """One attempt. `deliver` is called in the connection's thread, and must not wait."""

    def __init__(
        self,
        name: str,
        target: Target,
        timeline: Timeline,
        deliver: Deliver,
        clock: Clock,
        habits: Habits | None = None,
        place: Place | None = None,
        tap: Tap | None = None,
        depth: Callable[[], Depth] = lambda: WHOLE,
        pass_over: PassOver = lambda received_at: None,
    ) -> None:
        self._depth, self._pass_over = depth, pass_over
        self._name, self._target = name, target
        self._timeline, self._deliver, self._clock = timeline, deliver, clock
        self._stop = Stop()
        self._habits, self._place = habits or Habits(), place
        self._tap = tap or Tap(Nobody())
        self._reformatter = VideoReformatter()
        self._ceiling = Ceiling(target.limits.max_fps)
        self.started_at = clock()
        """Monotonic time at which the attempt began."""
        self.opened_at: float | None = None
        """Monotonic time at which the camera had said what it sends; None before."""
        self.stall_timeout = STALL_TIMEOUT
        """Seconds without a frame after which it is not worth waiting for; before anything has come perhaps others."""
        self.delivering = False
        """True from the first frame on."""
        self.alive_at = self.started_at
        """Monotonic time of the newest frame; before the first, and while none is whole, of the newest packet."""
        self.pictured_at: float | None = None
        """Monotonic time of the newest frame."""
        self.skipped_late = 0
        """Packets dropped undecoded because decoding had fallen behind, and pictures beyond the most a second."""

    def start(self) -> asyncio.Future[SourceError]:
        """Begin; the future resolves to why the attempt ended, when its socket is closed."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[SourceError] = loop.create_future()
        self.started_at = self.alive_at = self._clock()
        # A daemon: a thread blocked in FFmpeg must not hold up the end of the process.
        threading.Thread(target=self._run, args=(loop, ended), name=f"source-{self._name}", daemon=True).start()
        return ended

    def abandon(self) -> None:
        """Stop listening to it; the thread closes its socket as soon as FFmpeg lets it."""
        self._stop.set()

    def _run(self, loop: asyncio.AbstractEventLoop, ended: asyncio.Future[SourceError]) -> None:
        try:
            self._read()
            error = SourceError("ended", "the camera ended the stream")
        except SourceError as refused:
            error = refused
        except (OSError, av.FFmpegError, ValueError) as failure:
            error = explain(
                failure,
                listening=self._target.listen and not self.delivering,
                delivering=self.delivering,
                silent=self._clock() - self.alive_at if self.delivering else 0.0,
            )
        except Exception:
            log.exception("%s: reading the source failed", self._name)
            error = SourceError("failed", "the source failed in a way nobody foresaw; the log has the details")
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is stopping
            loop.call_soon_threadsafe(lambda: None if ended.done() else ended.set_result(error))

    def _read(self) -> None:
        with open_target(self._target, self._stop, self._habits, place=self._place) as opened:
            if self._target.sound and (unheard := opened.hear(self._tap.hear)) is not None:
                log.info("%s: is recorded without sound: %s", self._name, unheard)
            video = opened.video(self._target.limits)
            self.stall_timeout = opened.protocol.start or opened.protocol.stall
            self.opened_at = self.alive_at = self._clock()
            self._decode(opened, video)

    def _decode(self, opened: Opened, video: Video) -> None:
        """Decode what comes until it ends, or until nobody listens any more."""
        clocked, bursts = opened.protocol.clocked, opened.protocol.bursts
        pace = Pace(1 / video.frame_rate if video.frame_rate else FRAME_INTERVAL) if bursts else None
        gate = Gate(self._timeline)
        self._tap.begin(video, opened.protocol)
        independent = video.context.codec.intra_only and pace is None
        picturing = Picturing(video, self._target.limits, clocked=clocked, independent=independent)
        for unit in _units(opened):
            if self._stop:
                return
            self.stall_timeout = opened.protocol.stall
            if (unit.packet is None or not unit.is_whole or not self.delivering) and self._may_wait(unit.received_at):
                self.alive_at = unit.received_at
            if unit.packet is None:
                continue
            packet, now = unit.packet, unit.received_at
            self._target.limits.require_packet(packet.size)
            self._tap.take(unit)
            time = packet.pts * video.time_base if packet.pts is not None and clocked else None
            if not gate.opens(packet.is_keyframe, None if bursts else time, now):
                self.skipped_late += self.delivering
                continue
            if independent and not self._ceiling.passes(now):  # no other needs it
                self.skipped_late += 1
                continue
            # What comes in bursts is not known by when it comes.
            pictures = picturing.take(unit, packet, self._depth() if pace is None else WHOLE)
            if pictures is None:
                self.alive_at = self.pictured_at = now
                self._pass_over(now)
                continue
            self._require_hope(picturing.decoding, now)
            for each in pictures:
                self._pass_on(each.picture, each.own, each.of, pace, counted=independent)

    def _may_wait(self, now: float) -> bool:
        """Whether packets without a picture are still no silence: of a camera that had some, for a while."""
        return self.pictured_at is None or now - self.pictured_at < WITHOUT_PICTURE

    def _pass_on(
        self, picture: av.VideoFrame, own: float | None, of: Unit, pace: Pace | None, *, counted: bool
    ) -> None:
        """Deliver a picture, if there is still somebody to take it and it is not one too many; `counted`: it is not."""
        if pace is not None:
            self.alive_at = pace.due(own, self._clock())  # what is held until then is no silence
            self._stop.wait(self.alive_at - self._clock())
            of.received_at = self._clock()
        if self._stop:
            return
        self.pictured_at = self._clock()
        self.delivering, self.alive_at = True, self.pictured_at
        if not counted and not self._ceiling.passes(of.received_at):
            self.skipped_late += 1
            return
        turned = upright(picture, self._reformatter)
        of.is_turned = turned is not picture
        if not self._stop:  # meanwhile: another attempt may be at it by now
            self._deliver(turned, own, of)

    def _require_hope(self, decoding: Decoding, now: float) -> None:
        """Check that what was damaged on the way, and passed over, is not everything.

        Raises:
            SourceError: kind "codec"; nothing can be decoded any more: the camera sends something else now.
        """
        hopeless = decoding.spoiled >= SPOILED_PACKETS
        if hopeless and self.pictured_at is not None and now - self.pictured_at > SPOILED_FOR:
            raise SourceError(
                "codec", "what the camera sends now cannot be decoded: it has changed its codec or its size"
            )


def _units(opened: Opened) -> Iterator[Unit]:
    """What comes; a recording is begun again at its end.

    Raises:
        SourceError: kind "codec"; there is nothing in the recording.
    """
    while True:
        empty = True
        for unit in opened.units():
            empty = empty and unit.packet is not None and not unit.packet.size
            yield unit
        if not opened.recorded or opened.failed():
            return
        if empty:
            raise SourceError("codec", "the recording holds no pictures")
        opened.rewind()
