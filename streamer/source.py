"""A URL becomes frames: PyAV in a thread of its own, a watchdog, and a new attempt after every failure.

`run` is the life of a source: try, say why it ended, wait, try again. `_Connection` is one attempt: a thread that opens,
demuxes and decodes until something ends it. A thread blocked inside FFmpeg cannot be stopped from outside; FFmpeg's own
socket timeout ends it, and until then its frames are no longer listened to.
"""

import asyncio
import contextlib
import logging
import random
import threading
from collections.abc import Callable
from typing import Literal

import av
from av.container import InputContainer

from streamer.backoff import Backoff
from streamer.clock import Clock
from streamer.errors import SourceError, SourceErrorKind
from streamer.frame import Frame
from streamer.timeline import Timeline

log = logging.getLogger(__name__)

SourceState = Literal["connecting", "live", "offline"]

OPEN_TIMEOUT = 8.0
"""Seconds to connect, DESCRIBE, SETUP and see enough packets to know the codec."""
SOCKET_TIMEOUT = 2.0
"""FFmpeg's `timeout`, in seconds here and microseconds there. A stalled read is noticed after two to three of them,
since FFmpeg's parser flushes one more frame and starts the clock again."""
STALL_TIMEOUT = 5.0
"""Seconds without a frame after which a connection is given up."""
LISTEN_TIMEOUT = 5
"""Seconds one `listen` lasts; then it is renewed, so that a stop never waits for a camera that does not come."""
LATE = 1.0
"""Seconds of lag at which decoding skips to the next keyframe instead of showing the past."""
MAX_PIXELS = 4096 * 2304
"""A picture larger than this is refused before its memory is taken."""


class Source:
    """Keeps one stream's frames coming.

    `on_frame` is called in the source's own thread, once a frame, in order, and must not wait.
    """

    def __init__(
        self,
        name: str,
        url: str,
        on_frame: Callable[[Frame], None],
        *,
        listen: bool = False,
        clock: Clock,
        redact: Callable[[str], str],
        rand: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.url = url
        self.listen = listen
        self.state: SourceState = "connecting"
        self.reason: str | None = None
        """Why the state is not live, as a sentence."""
        self.last_frame_at: float | None = None
        """Monotonic arrival of the newest frame."""
        self.reconnects: dict[SourceErrorKind, int] = {}
        """Attempts that ended, by reason."""
        self.skipped_late = 0
        """Packets dropped undecoded because decoding had fallen behind."""
        self._on_frame = on_frame
        self._clock = clock
        self._redact = redact
        self._backoff = Backoff(rand)
        self._timeline = Timeline()
        self._frames = 0

    async def run(self) -> None:
        """Open the source, and open it again whenever it ends, until cancelled."""
        while True:
            if self.state != "offline":
                self._waiting()
            try:
                await self.run_once()
            except SourceError as error:
                pause = self._failed(error)
            await asyncio.sleep(pause)

    async def run_once(self) -> None:
        """One attempt.

        Raises:
            SourceError: always, sooner or later; its kind says why the attempt ended.
        """
        self._timeline.reopened()
        connection = _Connection(self, asyncio.get_running_loop())
        connection.start()
        try:
            while not connection.ended.done():
                await asyncio.wait({connection.ended}, timeout=0.25)
                silent = self._clock() - connection.alive_at
                if connection.delivering and silent > STALL_TIMEOUT:
                    # Its thread ends by FFmpeg's timeout, soon; a second connection meanwhile could be one too many
                    # for the camera.
                    self._say("offline", f"no picture for {STALL_TIMEOUT:.0f} s: the camera stalled")
                    await asyncio.wait({connection.ended}, timeout=2 * SOCKET_TIMEOUT)
                    raise SourceError("stalled", f"no picture for {silent:.0f} s: the camera stalled")
            raise connection.ended.result()
        finally:
            connection.abandon()

    def _failed(self, error: SourceError) -> float:
        """Note why an attempt ended; returns the seconds to wait."""
        if error.kind == "waiting":  # nobody pushed to us yet: not a failure
            return 0.0
        self.reconnects[error.kind] = self.reconnects.get(error.kind, 0) + 1
        first = self.reason != str(error)
        self._say("offline", str(error))
        if first:
            log.warning("%s: %s", self.name, error)
        if self.listen and error.kind in ("ended", "stalled", "timeout"):
            return 0.0  # the camera will push again, and must find somebody listening
        return self._backoff.failed(self._clock(), locked_out=error.kind == "authentication")

    def _waiting(self) -> None:
        where = self._redact(self.url)
        self._say("connecting", f"waiting for a camera to push to {where}" if self.listen else "connecting")

    def _say(self, state: SourceState, reason: str | None) -> None:
        self.state, self.reason = state, reason

    def _deliver(self, picture: av.VideoFrame, pts: float | None, received_at: float) -> None:
        """In the connection's thread: one decoded picture."""
        placed = self._timeline.place(pts, received_at)
        frame = Frame(self.name, self._frames, placed, received_at, picture)
        self._frames += 1
        self.last_frame_at = received_at
        if self.state != "live":
            log.info("%s: live, %d x %d", self.name, picture.width, picture.height)
            self._say("live", None)
            self._backoff.delivered()
        self._on_frame(frame)


class _Connection:
    """One attempt to read a source, in a thread of its own."""

    def __init__(self, source: Source, loop: asyncio.AbstractEventLoop) -> None:
        self._source = source
        self._loop = loop
        self._abandoned = threading.Event()
        self.ended: asyncio.Future[SourceError] = loop.create_future()
        """Resolves to why the thread ended."""
        self.delivering = False
        """True from the first frame on."""
        self.alive_at = source._clock()
        """Monotonic time of the newest frame, or of the start."""

    def start(self) -> None:
        # A daemon: a thread blocked in FFmpeg must not hold up the end of the process.
        threading.Thread(target=self._run, name=f"source-{self._source.name}", daemon=True).start()

    def abandon(self) -> None:
        """Stop listening to it; the thread closes its socket as soon as FFmpeg lets it."""
        self._abandoned.set()

    def _run(self) -> None:
        try:
            self._read()
            error = SourceError("ended", "the camera ended the stream")
        except SourceError as refused:
            error = refused
        except (OSError, av.FFmpegError, ValueError) as failure:
            error = _explain(failure, listening=self._source.listen and not self.delivering)
        except Exception:
            log.exception("%s: the source's thread failed", self._source.name)
            error = SourceError("failed", "the source failed in a way nobody foresaw; the log has the details")
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is stopping
            self._loop.call_soon_threadsafe(lambda: self.ended.done() or self.ended.set_result(error))

    def _read(self) -> None:
        with _open(self._source.url, self._source.listen) as container:
            if not container.streams.video:
                raise SourceError("codec", "the stream carries no video")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise SourceError("codec", "the stream's video codec cannot be decoded here")
            # Frame threads add a frame of delay each and cost more in all; one camera is one thread.
            stream.codec_context.thread_type = "NONE"
            stream.codec_context.thread_count = 1
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            self._decode(container, stream)

    def _decode(self, container: InputContainer, stream: av.VideoStream) -> None:
        source, clock = self._source, self._source._clock
        time_base = float(stream.time_base or 0)
        waiting_for_key = True
        arrivals: dict[int, float] = {}
        for packet in container.demux(stream):
            now = clock()
            if self._abandoned.is_set():
                return
            if packet.pts is not None and source._timeline.lag(packet.pts * time_base, now) > LATE:
                waiting_for_key = waiting_for_key or not packet.is_keyframe
            if waiting_for_key and not packet.is_keyframe:
                source.skipped_late += self.delivering
                continue
            waiting_for_key = False
            if packet.pts is not None:
                arrivals[packet.pts] = now
            for picture in packet.decode():
                if self._abandoned.is_set():
                    return
                received_at = arrivals.pop(picture.pts, now) if picture.pts is not None else now
                self.delivering, self.alive_at = True, clock()
                source._deliver(picture, None if picture.pts is None else picture.pts * time_base, received_at)
            while len(arrivals) > 32:  # packets whose picture never came
                arrivals.pop(next(iter(arrivals)))


def _open(url: str, listen: bool) -> InputContainer:
    """Open a source for reading. Options: libavformat/rtsp.c; `stimeout` is gone since FFmpeg 5 and silently ignored."""
    options = {
        "rtsp_transport": "tcp",
        "timeout": str(int(SOCKET_TIMEOUT * 1e6)),
        "allowed_media_types": "video",
        "protocol_whitelist": "rtsp,rtsps,rtp,tcp,tls,udp",
        "max_delay": "0",
    }
    if listen:
        options |= {"rtsp_flags": "listen", "listen_timeout": str(LISTEN_TIMEOUT)}
    # PyAV's own timeout covers DNS and connect; for reads its callback would take the GIL at every poll (PyAV #1112).
    return av.open(url, format="rtsp", options=options, timeout=None if listen else (OPEN_TIMEOUT, None))


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
    (av.HTTPError, "protocol", "the camera answers with an error"),
    (av.FFmpegError, "failed", "the stream cannot be read"),
    (OSError, "unreachable", "the camera cannot be reached"),
)
"""What PyAV raises, most specific first. Their own texts carry the URL with its password, so none is passed on."""


def _explain(failure: BaseException, *, listening: bool) -> SourceError:
    """Translate what PyAV raised into the words the API uses."""
    if listening and isinstance(failure, (TimeoutError, av.ExitError)):
        return SourceError("waiting", "no camera pushed yet")
    for kind, word, sentence in _KINDS:
        if isinstance(failure, kind):
            detail = f" ({failure.strerror})" if word in ("failed", "unreachable") and failure.strerror else ""
            return SourceError(word, sentence + detail)
    return SourceError("failed", f"the stream cannot be read ({type(failure).__name__})")
