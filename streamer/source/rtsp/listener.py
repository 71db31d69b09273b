"""A port at which cameras push by RTSP, to any number of streams: one thread, which waits for nobody in particular."""

import contextlib
import logging
import os
import select
import socket
import threading

from streamer.source.rtsp.caller import Caller
from streamer.source.rtsp.mount import Mount
from streamer.source.rtsp.notices import Notices
from streamer.values.clock import Clock
from streamer.values.errors import SourceError

log = logging.getLogger(__name__)

MOST_CALLERS = 64
"""Connections that do not push yet."""
MOST_OF_ONE = 16
"""Of these, of one address."""
GLANCE = 0.25
"""Seconds from one look at the clock to the next while somebody is waited for."""
IDLE = 2.0
"""The same while nobody is."""
BACKLOG = 64


class Listener:
    """One port; `Listeners` opens it, and says to it which streams it is for.

    Args:
        address: this machine's, numeric; 0.0.0.0 or :: for all of them.
        port: TCP's.
        clock: monotonic seconds.

    Raises:
        SourceError: kind "unreachable"; the port cannot be had.
    """

    def __init__(self, address: str, port: int, clock: Clock) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        both = address == "::" and socket.has_dualstack_ipv6()
        try:
            self._socket = socket.create_server((address, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
        except OSError as error:
            why = os.strerror(error.errno or 0)  # its own text names the address as well
            raise SourceError("unreachable", f"cannot listen for the camera ({why})") from None
        self._socket.setblocking(False)
        self._port, self._clock = port, clock
        self._mounts: tuple[Mount, ...] = ()
        self._callers: dict[int, Caller] = {}
        """By their descriptors."""
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._notices = Notices()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"rtsp-{port}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """The streams that are pushed to here."""
        return self._mounts

    @property
    def closed(self) -> bool:
        """Whether the port was given back."""
        return self._closed

    def add(self, mount: Mount) -> None:
        """A stream is pushed to here from now on; where the port was given back meanwhile, its mount is closed.

        Raises:
            SourceError: kind "unreachable"; another has its name.
        """
        if any((other.path, other.query) == (mount.path, mount.query) for other in self._mounts):
            raise SourceError("unreachable", "cannot listen for the camera (another stream has this path)")
        # One without a path takes what no other has.
        self._mounts = tuple(sorted((*self._mounts, mount), key=lambda each: not each.path))
        if self._closed:  # the thread may have ended, and have looked through its mounts before this one came
            self.remove(mount)

    def remove(self, mount: Mount) -> None:
        """It is not, any more."""
        mount.close()
        self._mounts = tuple(other for other in self._mounts if other is not mount)

    def close(self) -> None:
        """Give the port back at once; the thread ends by itself."""
        self._closed = True
        for mount in self._mounts:
            self.remove(mount)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # which wakes the thread, and lets another have the port

    # ---- in its thread

    def _run(self) -> None:
        try:
            while not self._closed:
                self._round()
        except Exception:
            log.exception("listening at port %d failed", self._port)
        finally:
            self._closed = True
            self._socket.close()
            for caller in self._callers.values():
                caller.close()
            for mount in self._mounts:
                self.remove(mount)  # whoever waits there opens another listener

    def _round(self) -> None:
        waiting = self._callers or any(mount.offered for mount in self._mounts)
        ready = self._poll.poll((GLANCE if waiting else IDLE) * 1000)
        for number, _ in ready:
            if caller := self._callers.get(number):
                caller.hear()
                self._settle(number, caller)
        now = self._clock()
        for number, caller in list(self._callers.items()):
            caller.expire(now)
            self._settle(number, caller)
        for mount in self._mounts:
            mount.expire(now)
        self._log(self._notices.rest(now))
        if any(number == self._socket.fileno() for number, _ in ready) and not self._closed:
            self._accept()

    def _settle(self, number: int, caller: Caller) -> None:
        """Forget a caller that pushes by now, or is gone."""
        if caller.gone:
            self._poll.unregister(number)
            del self._callers[number]

    def _accept(self) -> None:
        try:
            connected, (address, *_) = self._socket.accept()
        except BlockingIOError:
            return
        except OSError as error:  # no descriptors are left, most likely
            self._say(f"a camera could not be let in ({error.strerror})")
            threading.Event().wait(GLANCE)
            return
        self._make_room(address)
        try:
            caller = Caller(connected, address, self._find, self._clock, self._say)
        except OSError:  # it has hung up already
            connected.close()
            return
        self._callers[caller.fileno()] = caller
        self._poll.register(caller, select.POLLIN)

    def _make_room(self, address: str) -> None:
        """Let whoever has said nothing for longest make room for one more."""
        of_one = [each for each in self._callers.items() if each[1].address == address]
        crowd = of_one if len(of_one) >= MOST_OF_ONE else list(self._callers.items())
        if len(of_one) < MOST_OF_ONE and len(crowd) < MOST_CALLERS:
            return
        number, quietest = min(crowd, key=lambda each: each[1].heard_at)
        quietest.leave(503, "others wait to push")
        quietest.close()
        self._settle(number, quietest)

    def _find(self, path: str, query: str) -> Mount | None:
        return next((mount for mount in self._mounts if mount.matches(path, query)), None)

    def _say(self, sentence: str) -> None:
        """Log it, unless that was done a moment ago, or the log gets enough."""
        self._log(self._notices.take(sentence, self._clock()))

    def _log(self, line: str | None) -> None:
        if line is not None:
            log.warning("port %d: %s", self._port, line)
