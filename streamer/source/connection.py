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
from av.stream import Discard
from av.video.reformatter import VideoReformatter

from streamer.source.container import Opened, open_target
from streamer.source.decoding import SPOILED_PACKETS, Decoding
from streamer.source.failure import explain
from streamer.source.gate import Ceiling, Gate
from streamer.source.pace import Pace
from streamer.source.protocol import SOCKET_TIMEOUT, STALL_TIMEOUT
from streamer.source.rotation import upright
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values.clock import Clock
from streamer.values.errors import SourceError
from streamer.values.timeline import Timeline

log = logging.getLogger(__name__)

SPOILED_FOR = 1.5
"""Seconds of packets none of which can be decoded, SPOILED_PACKETS at least, after which a camera is asked anew what it
sends."""
LATE = 0.9
"""Share of FFmpeg's timeout after which a packet has come by it."""
FRAME_INTERVAL = 0.04
"""Seconds from one picture to the next where nothing tells."""

Deliver = Callable[[av.VideoFrame, float | None, float], None]
"""Takes a decoded picture, its own time in seconds or None, and its monotonic arrival."""


class Connection:
    """One attempt. `deliver` is called in the connection's thread, and must not wait."""

    def __init__(self, name: str, target: Target, timeline: Timeline, deliver: Deliver, clock: Clock) -> None:
        self._name, self._target = name, target
        self._timeline, self._deliver, self._clock = timeline, deliver, clock
        self._stop = Stop()
        self._reformatter = VideoReformatter()
        self._ceiling = Ceiling(target.limits.max_fps)
        self._decoding = Decoding(target.limits)
        self.started_at = clock()
        """Monotonic time at which the attempt began."""
        self.opened_at: float | None = None
        """Monotonic time at which the camera had said what it sends; None before."""
        self.stall_timeout = STALL_TIMEOUT
        """Seconds without a frame after which it is not worth waiting for."""
        self.delivering = False
        """True from the first frame on."""
        self.alive_at = self.started_at
        """Monotonic time of the newest frame; before the first, of the newest packet."""
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
        with open_target(self._target, self._stop) as opened:
            stream = opened.video(self._target.limits)
            for other in opened.container.streams:
                if other is not stream:
                    other.discard = Discard.all  # of HLS every rendition is fetched otherwise
            self.stall_timeout = opened.protocol.stall
            self.opened_at = self.alive_at = self._clock()
            self._decode(opened, stream)

    def _decode(self, opened: Opened, stream: av.VideoStream) -> None:
        """Decode what comes until it ends, or until nobody listens any more."""
        time_base = float(stream.time_base or 0)
        clocked, bursts = opened.protocol.clocked, opened.protocol.bursts
        pace = Pace(1 / float(stream.guessed_rate) if stream.guessed_rate else FRAME_INTERVAL)
        gate = Gate(self._timeline)
        arrivals: dict[int, float] = {}
        for packet, since in self._timed(opened, stream):
            now = self._clock()
            if self._stop:
                return
            if not self.delivering:
                self.alive_at = since
            self._target.limits.require_packet(packet.size)
            time = packet.pts * time_base if packet.pts is not None and clocked else None
            if not gate.opens(packet.is_keyframe, None if bursts else time, now):
                self.skipped_late += self.delivering
                continue
            if packet.pts is not None:
                arrivals[packet.pts] = now
            for picture in self._pictures(packet, now):
                received_at = arrivals.pop(picture.pts, now) if picture.pts is not None else now
                own = picture.pts * time_base if picture.pts is not None and clocked else None
                if bursts:
                    self.alive_at = pace.due(own, self._clock())  # what is held until then is no silence
                    self._stop.wait(self.alive_at - self._clock())
                    received_at = self._clock()
                if self._stop:
                    return
                self.delivering, self.alive_at = True, self._clock() - (now - since)
                if not self._ceiling.passes(received_at):
                    self.skipped_late += 1
                    continue
                turned = upright(picture, self._reformatter)
                if self._stop:  # meanwhile: another attempt may be at it by now
                    return
                self._deliver(turned, own, received_at)
            while len(arrivals) > 32:  # packets whose picture never came
                arrivals.pop(next(iter(arrivals)))

    def _timed(self, opened: Opened, stream: av.VideoStream) -> "Iterator[tuple[av.Packet[av.VideoStream], float]]":
        """The packets of a stream, each with the monotonic time since when it has certainly been here.

        The last one before a silence comes by FFmpeg's first timeout, and was here when it was asked for. Of a camera
        whose pictures are further apart than that timeout they all come so: it is slow, and not silent.
        """
        time_base = float(stream.time_base or 0)
        last = 0  # FFmpeg counts from the first packet, which may come without a time
        asked_at = self._clock()
        for packet in _packets(opened, stream):
            now = self._clock()
            late = opened.protocol.format == "rtsp" and now - asked_at > LATE * SOCKET_TIMEOUT
            quick = packet.pts is not None and abs(packet.pts - last) * time_base < SOCKET_TIMEOUT
            yield packet, asked_at if late and quick else now
            last, asked_at = last if packet.pts is None else packet.pts, self._clock()

    def _pictures(self, packet: "av.Packet[av.VideoStream]", now: float) -> list[av.VideoFrame]:
        """What a packet decodes to. One that was damaged on the way is passed over.

        Raises:
            SourceError: kind "codec" where nothing can be decoded any more: the camera sends something else now; kind
                "too_large" where that is because of its size.
        """
        pictures = self._decoding.pictures(packet)
        hopeless = not pictures and self._decoding.spoiled >= SPOILED_PACKETS
        if hopeless and self.delivering and now - self.alive_at > SPOILED_FOR:
            raise SourceError(
                "codec", "what the camera sends now cannot be decoded: it has changed its codec or its size"
            )
        return pictures


def _packets(opened: Opened, stream: av.VideoStream) -> "Iterator[av.Packet[av.VideoStream]]":
    """The packets of a stream; a recording is begun again at its end.

    Raises:
        SourceError: kind "codec"; there is nothing in the recording.
    """
    while True:
        empty = True
        for packet in opened.packets(stream):
            empty = empty and not packet.size
            yield packet
        if not opened.recorded or opened.failed():
            return
        if empty:
            raise SourceError("codec", "the recording holds no pictures")
        opened.container.seek(0)
