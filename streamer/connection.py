"""One attempt to read a source: a thread that opens, demuxes and decodes until something ends it.

A thread blocked inside FFmpeg cannot be stopped from outside. FFmpeg's own socket timeout ends it, and until then its
frames are no longer listened to.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable

import av
from av.container import InputContainer

from streamer.clock import Clock
from streamer.errors import SourceError, SourceErrorKind
from streamer.timeline import Timeline

log = logging.getLogger(__name__)

OPEN_TIMEOUT = 8.0
"""Seconds to connect, DESCRIBE, SETUP and see enough packets to know the codec."""
SOCKET_TIMEOUT = 2.0
"""FFmpeg's `timeout`, in seconds here and microseconds there. A stalled read is noticed after two to three of them,
since FFmpeg's parser flushes one more frame and starts the clock again."""
STALL_TIMEOUT = 5.0
"""Seconds without a frame after which a connection is given up."""
LISTEN_TIMEOUT = 5
"""Seconds one `listen` waits for a camera; then it is renewed."""
LATE = 1.0
"""Seconds of lag that are too many."""
LATE_FOR = 2.0
"""Seconds the lag must last before decoding skips ahead: a burst after a stall is worked off faster than that."""
MAX_PIXELS = 4096 * 2304
"""A picture larger than this is refused before its memory is taken."""

Deliver = Callable[[av.VideoFrame, float | None, float], None]
"""Takes a decoded picture, its own time in seconds or None, and its monotonic arrival."""


class Connection:
    """One attempt. `deliver` is called in the connection's thread, and must not wait."""

    def __init__(self, name: str, url: str, listen: bool, timeline: Timeline, deliver: Deliver, clock: Clock) -> None:
        self._name, self._url, self._listen = name, url, listen
        self._timeline, self._deliver, self._clock = timeline, deliver, clock
        self._abandoned = threading.Event()
        self.opened_at: float | None = None
        """Monotonic time at which the camera had said what it sends; None before."""
        self.delivering = False
        """True from the first frame on."""
        self.alive_at = clock()
        """Monotonic time of the newest frame; before the first, of the newest packet."""
        self.skipped_late = 0
        """Packets dropped undecoded because decoding had fallen behind."""

    def start(self) -> asyncio.Future[SourceError]:
        """Begin; the future resolves to why the attempt ended."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[SourceError] = loop.create_future()
        # A daemon: a thread blocked in FFmpeg must not hold up the end of the process.
        threading.Thread(target=self._run, args=(loop, ended), name=f"source-{self._name}", daemon=True).start()
        return ended

    def abandon(self) -> None:
        """Stop listening to it; the thread closes its socket as soon as FFmpeg lets it."""
        self._abandoned.set()

    def _run(self, loop: asyncio.AbstractEventLoop, ended: asyncio.Future[SourceError]) -> None:
        try:
            self._read()
            error = SourceError("ended", "the camera ended the stream")
        except SourceError as refused:
            error = refused
        except (OSError, av.FFmpegError, ValueError) as failure:
            error = explain(failure, listening=self._listen and not self.delivering, delivering=self.delivering)
        except Exception:
            log.exception("%s: reading the source failed", self._name)
            error = SourceError("failed", "the source failed in a way nobody foresaw; the log has the details")
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is stopping
            loop.call_soon_threadsafe(lambda: None if ended.done() else ended.set_result(error))

    def _read(self) -> None:
        with _open(self._url, self._listen) as container:
            if not container.streams.video:
                raise SourceError("codec", "the stream carries no video")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise SourceError("codec", "the stream's video codec cannot be decoded here")
            # Frame threads add a frame of delay each and cost more in all; one camera is one thread.
            stream.codec_context.thread_type = "NONE"
            stream.codec_context.thread_count = 1
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            self.opened_at = self.alive_at = self._clock()
            self._decode(container, stream)

    def _decode(self, container: InputContainer, stream: av.VideoStream) -> None:
        """Decode what comes until it ends, or until nobody listens any more."""
        time_base = float(stream.time_base or 0)
        gate = _Gate(self._timeline)
        arrivals: dict[int, float] = {}
        for packet in container.demux(stream):
            now = self._clock()
            if self._abandoned.is_set():
                return
            if not self.delivering:
                self.alive_at = now
            if not gate.opens(packet.is_keyframe, None if packet.pts is None else packet.pts * time_base, now):
                self.skipped_late += self.delivering
                continue
            if packet.pts is not None:
                arrivals[packet.pts] = now
            for picture in packet.decode():
                received_at = arrivals.pop(picture.pts, now) if picture.pts is not None else now
                if self._abandoned.is_set():
                    return
                self.delivering, self.alive_at = True, self._clock()
                self._deliver(picture, None if picture.pts is None else picture.pts * time_base, received_at)
            while len(arrivals) > 32:  # packets whose picture never came
                arrivals.pop(next(iter(arrivals)))


class _Gate:
    """Which packets are worth decoding: none before a keyframe, and none up to the next one when too late."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._open = False
        self._late_since: float | None = None

    def opens(self, is_keyframe: bool, pts: float | None, now: float) -> bool:
        late = pts is not None and self._timeline.lag(pts, now) > LATE
        if not late:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        elif self._open and now - self._late_since > LATE_FOR:
            self._open = False
        if not self._open and is_keyframe:
            self._open = True
            if late and pts is not None:  # skipping did not help: the way itself has become longer
                self._timeline.accept_delay(pts, now)
            self._late_since = None
        return self._open


def _open(url: str, listen: bool) -> InputContainer:
    """Open a source for reading.

    Options: libavformat/rtsp.c. `stimeout` is gone since FFmpeg 5 and silently ignored.
    """
    options = {
        "rtsp_transport": "tcp",
        "timeout": str(int(SOCKET_TIMEOUT * 1e6)),
        "allowed_media_types": "video",
        "protocol_whitelist": "rtsp,rtsps,rtp,tcp,tls,udp",
        "max_delay": "0",
    }
    if listen:
        options |= {"rtsp_flags": "listen", "listen_timeout": str(LISTEN_TIMEOUT)}
    # PyAV's own timeout covers DNS and connect. For reads its callback takes the GIL at every poll (PyAV #1112), so it
    # is left out where FFmpeg's `timeout` does the same. On a listening socket that does nothing: a client that
    # connects and says nothing, or a drone that loses power, would hold the port for ever.
    timeout = (LISTEN_TIMEOUT + OPEN_TIMEOUT, STALL_TIMEOUT) if listen else (OPEN_TIMEOUT, None)
    return av.open(url, format="rtsp", options=options, timeout=timeout)


STALLED = f"no picture for {STALL_TIMEOUT:.0f} s: the camera stalled"

_KINDS: tuple[tuple[type[BaseException], SourceErrorKind, str], ...] = (
    (av.HTTPUnauthorizedError, "authentication", "the camera refuses the user name or password"),
    (av.HTTPForbiddenError, "authentication", "the camera forbids this user to watch"),
    (av.HTTPNotFoundError, "not_found", "the camera has no stream at this path"),
    (ConnectionRefusedError, "refused", "the camera's host refuses the connection"),
    (ConnectionResetError, "ended", "the camera closed the connection"),
    (BrokenPipeError, "ended", "the camera closed the connection"),
    (av.EOFError, "ended", "the camera ended the stream"),
    (av.ExitError, "timeout", f"the camera did not answer within {OPEN_TIMEOUT:.0f} s"),
    (TimeoutError, "timeout", "the camera did not answer in time"),
    (av.InvalidDataError, "protocol", "what the camera sends is not a video stream this can read"),
    (av.HTTPClientError, "protocol", "the camera answers with an error"),
    (av.HTTPServerError, "protocol", "the camera answers with an error"),
    (OSError, "unreachable", "the camera cannot be reached"),
    (av.FFmpegError, "failed", "the stream cannot be read"),
)
"""What PyAV raises, most specific first. Their own texts carry the URL with its password, so none is passed on."""


def explain(failure: BaseException, *, listening: bool, delivering: bool = False) -> SourceError:
    """Translate what PyAV raised into the words the API uses."""
    said = getattr(failure, "strerror", None)
    if delivering and isinstance(failure, av.InvalidDataError):  # a connection cut in the middle of a packet
        return SourceError("ended", "the camera's stream broke off")
    if delivering and isinstance(failure, (TimeoutError, av.ExitError)):
        return SourceError("stalled", STALLED)
    if listening and isinstance(failure, (TimeoutError, av.ExitError)):
        return SourceError("waiting", "no camera pushed yet")
    if listening and isinstance(failure, OSError):
        return SourceError("unreachable", f"cannot listen for the camera ({said})")
    for kind, word, sentence in _KINDS:
        if isinstance(failure, kind):
            return SourceError(word, f"{sentence} ({said})" if word in ("failed", "unreachable") and said else sentence)
    return SourceError("failed", f"the stream cannot be read ({type(failure).__name__})")
