"""A connection to an RTSP server: bytes to send, messages and packets that come, and an end whenever we want one."""

import contextlib
import errno
import socket
import ssl

from streamer.source.certificate_trust import shake_hands
from streamer.source.dialler import Dialler
from streamer.source.failure import OPEN_TIMEOUT, explain, of_socket
from streamer.source.rtsp.message import Chunk, Inbox, Message
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values.clock import Clock
from streamer.values.errors import SourceError

LOOK = 0.25
"""Seconds a read waits at the most, before whoever reads looks at the clock."""
ANSWER_TIMEOUT = OPEN_TIMEOUT
"""Seconds for one answer, head and body, to be whole, however its bytes come."""


class Closed(Exception):
    """The other side has closed the connection. A plain fact; what it means its reader knows."""


class Wire:
    """One connection, used by one thread; `stop` ends whatever it waits for.

    Args:
        connected: the socket, or one that `connect` connects. It is the wire's from here on.
        stop: ends it from another thread.
        clock: monotonic seconds.
        inbox: what has come over it so far; None: nothing.
    """

    def __init__(self, connected: socket.socket, stop: Stop, clock: Clock, inbox: Inbox | None = None) -> None:
        self._socket = connected
        self._stop, self._clock = stop, clock
        self._inbox = inbox or Inbox()
        self._closed = False
        connected.settimeout(LOOK)
        stop.attach(self._wake)

    def connect(self, address: str, port: int, seconds: float) -> None:
        """Reach an address.

        Raises:
            OSError: it is not reached.
        """
        self._socket.settimeout(seconds)
        self._socket.connect((address, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(LOOK)

    def encrypt(self, target: Target) -> None:
        """Speak TLS from here on.

        Raises:
            SourceError: kind "tls".
            OSError: the connection broke.
        """
        begun = target.trust.begin(self._socket, target.host)
        self._socket = begun
        if self._stop:  # and the other socket was woken
            raise given_up()
        begun.settimeout(OPEN_TIMEOUT)
        shake_hands(begun)
        begun.settimeout(LOOK)

    @property
    def here(self) -> str:
        """Our address on it."""
        return str(self._socket.getsockname()[0])

    @property
    def there(self) -> str:
        """The camera's address on it."""
        return str(self._socket.getpeername()[0])

    def fileno(self) -> int:
        """For poll(2)."""
        return self._socket.fileno()

    def send(self, data: bytes, seconds: float = ANSWER_TIMEOUT) -> None:
        """Send all of it.

        Raises:
            SourceError: the camera does not take it.
        """
        try:
            self._socket.settimeout(seconds)
            self._socket.sendall(data)
            self._socket.settimeout(LOOK)
        except OSError as error:
            raise self._broken(error) from None

    def take(self) -> Chunk | Message | None:
        """What has come and is whole; None: nothing is. Raises as `Inbox.take`."""
        return self._inbox.take()

    def run(self, channel: int) -> list[bytes]:
        """The packets of one channel that have come and are next; see `Inbox.run`."""
        return self._inbox.run(channel)

    def receive(self) -> bool:
        """Wait LOOK for more; False: nothing came. Only once `take` has given None.

        Raises:
            Closed: the camera closed the connection, or `stop` was set.
            SourceError: kind "ended"; it broke.
        """
        try:
            size = self._socket.recv_into(self._inbox.room())
        except (TimeoutError, ssl.SSLWantReadError):
            size = -1
        except OSError as error:
            raise self._broken(error) from None
        if self._stop:
            raise Closed
        if size == 0:
            self._closed = True
            raise Closed
        self._inbox.filled(max(0, size))
        return size > 0

    def close(self) -> None:
        """Let go of it. May be called twice."""
        self._stop.detach(self._wake)
        self._socket.close()

    def _broken(self, error: OSError) -> SourceError:
        self._closed = True
        if self._stop:
            return given_up()
        if isinstance(error, ssl.SSLError) or error.errno in (errno.ECONNABORTED, errno.ESHUTDOWN):
            return SourceError("ended", "the camera closed the connection")
        return explain(error)

    @property
    def stopped(self) -> bool:
        """Whether we ended it."""
        return bool(self._stop)

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._closed

    def _wake(self) -> None:
        """End a read or a connecting that another thread waits in; a farewell can still be sent: one way alone is shut.

        TLS is passed by: it would not be safe.
        """
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RD)


def given_up() -> SourceError:
    """`stop` was set."""
    return SourceError("ended", "given up")


def connect(target: Target, stop: Stop, clock: Clock) -> Wire:
    """Connect to the first address of a target that lets us, each having been judged.

    Raises:
        SourceError: why not.
    """
    found = target.destinations.addresses(target.host, target.port)
    patience = OPEN_TIMEOUT if len(found) == 1 else OPEN_TIMEOUT / 2

    def reach(address: str, left: float) -> Wire:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        wire = Wire(socket.socket(family, socket.SOCK_STREAM), stop, clock)
        try:
            wire.connect(address, target.port, min(patience, left))
            if target.scheme == "rtsps":
                wire.encrypt(target)
        except BaseException:
            wire.close()
            raise
        return wire

    try:
        wire = Dialler(found, OPEN_TIMEOUT, clock).open(reach)
    except (OSError, SourceError) as error:
        if stop:
            raise given_up() from None
        if isinstance(error, SourceError):
            raise
        raise of_socket(error) from None
    if stop:
        wire.close()
        raise given_up()
    return wire
