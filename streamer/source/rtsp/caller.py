"""A connection to a port of ours, until the camera behind it pushes: heard without waiting for it."""

import contextlib
import socket
from collections.abc import Callable

from streamer.source.rtsp.handshake import Find, Handshake
from streamer.source.rtsp.message import Fields, Inbox, Request
from streamer.source.rtsp.port_pair import PortPair
from streamer.source.rtsp.push import Push, answer
from streamer.source.rtsp.wire import ANSWER_TIMEOUT
from streamer.values.clock import Clock
from streamer.values.errors import SourceError

HANDSHAKE_TIMEOUT = 30.0
"""Seconds from connecting to RECORD."""
MOST_HEARD = 200
"""Messages and packets in that time; of 32 tracks there are about forty."""
LEAVING = 1.0
"""Seconds in which the other side may read the last answer: a socket that is closed with something unread loses it."""
_NO_REQUEST = Request("", "", Fields())


class Caller:
    """One, used by the listener's thread alone.

    Args:
        connected: the socket, from here on the caller's.
        address: the other side's, numeric.
        find: the stream of a name.
        clock: monotonic seconds.
        say: takes a sentence for the log.
    """

    def __init__(
        self, connected: socket.socket, address: str, find: Find, clock: Clock, say: Callable[[str], None]
    ) -> None:
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = address
        self._socket, self._clock, self._say = connected, clock, say
        self._inbox = Inbox()
        self._handshake = Handshake(find, self._bind, clock, self._tell)
        self._began = self.heard_at = clock()
        """`heard_at`: when it last said something whole."""
        self._heard = 0
        self._left_at: float | None = None
        self.gone = False
        """Whether it has been handed over, or closed."""

    def fileno(self) -> int:
        """For poll(2)."""
        return self._socket.fileno()

    def hear(self) -> None:
        """Take what has come, and answer it."""
        try:
            size = self._socket.recv_into(self._inbox.room())
            if size == 0:
                self.close()
            elif self._left_at is None:
                self._inbox.filled(size)
                self._take()
        except BlockingIOError:
            return
        except OSError:
            self.close()
        except SourceError as error:
            large = error.kind == "too_large"
            self._tell("its request is too large" if large else "what it says is not RTSP")
            self.leave(413 if large else 400, "this is more than is taken" if large else "this is not RTSP")

    def expire(self, now: float) -> None:
        """End it where it has taken its time."""
        if self._left_at is not None:
            if now - self._left_at > LEAVING:
                self.close()
        elif now - self.heard_at > ANSWER_TIMEOUT or now - self._began > HANDSHAKE_TIMEOUT:
            self.leave(408, "this takes too long")

    def leave(self, status: int, sentence: str) -> None:
        """Say why, and hang up."""
        self._send(answer(_NO_REQUEST, status, sentence))
        self._hang_up()

    def close(self) -> None:
        """Let go of it. May be called twice."""
        self.gone = True
        self._handshake.close()
        self._socket.close()

    def _take(self) -> None:
        while not self.gone and self._left_at is None and (found := self._inbox.take()) is not None:
            self._heard += 1
            self.heard_at = self._clock()
            if self._heard > MOST_HEARD:
                self._tell("it says much, and does not push")
                self.leave(400, "this is too much")
            elif isinstance(found, Request):
                self._answer(found)

    def _answer(self, request: Request) -> None:
        said = self._handshake.answer(request)
        mount, agreed = self._handshake.mount, self._handshake.agreed
        if mount is not None and agreed is not None:
            push = Push(self._socket, self._inbox, agreed, said)
            self.gone = True
            if not mount.offer(push, self._clock()):
                push.close()
            return
        self._send(said)
        if self._handshake.over:
            self._hang_up()

    def _send(self, data: bytes) -> None:
        """Send all of it: whoever does not take answers of that size is not waited for."""
        if self.gone:
            return
        try:
            if self._socket.send(data) < len(data):
                self.close()
        except OSError:
            self.close()

    def _hang_up(self) -> None:
        if not self.gone:
            self._left_at = self._clock()
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)

    def _bind(self) -> PortPair:
        return PortPair(self._socket.getsockname()[0], self.address)

    def _tell(self, sentence: str) -> None:
        self._say(f"{self.address}: {sentence}")
