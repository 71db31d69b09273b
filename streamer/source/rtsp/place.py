"""Where streams are pushed to: the ports that are open in this process, each for as long as a stream needs it."""

import threading

from streamer.source.rtsp.listener import Listener
from streamer.source.rtsp.mount import Mount
from streamer.source.rtsp.wire import given_up
from streamer.source.target import Target
from streamer.values.clock import Clock, monotonic


class Listeners:
    """A process has one of these, as it has its ports."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[str, int], Listener] = {}

    def mount(self, target: Target, clock: Clock) -> tuple[Listener, Mount]:
        """Have a stream's name at its port, which is opened where no other stream has it open.

        Raises:
            SourceError: kind "unreachable", or what hinders its host from being an address.
        """
        there = target.destinations.addresses(target.host, target.port)[0], target.port
        with self._lock:
            listener = self._open.get(there)
            if listener is None or listener.closed:
                listener = Listener(*there, clock)
                listener.start()
                self._open[there] = listener
            mount = Mount(target)
            listener.add(mount)
            return listener, mount

    def dismount(self, listener: Listener, mount: Mount) -> None:
        """Give a name back, and the port with the last; does not wait."""
        with self._lock:
            listener.remove(mount)
            if not listener.mounts:
                listener.close()
                self._open = {there: each for there, each in self._open.items() if each is not listener}


LISTENERS = Listeners()


class Place:
    """A stream's, kept from one attempt to the next, so that a camera that comes between two finds the port open."""

    def __init__(self, listeners: Listeners = LISTENERS) -> None:
        self._listeners = listeners
        self._lock = threading.Lock()
        self._held: tuple[Listener, Mount] | None = None
        self._closed = False

    def mount(self, target: Target, clock: Clock = monotonic) -> Mount:
        """The stream's name at its port.

        Raises:
            SourceError: as `Listeners.mount`; or the place was given up.
        """
        held = self._held
        if held is not None and not held[1].closed:
            return held[1]
        held = self._listeners.mount(target, clock)  # which may ask a name server, and must hold up no `close`
        with self._lock:
            if not self._closed:
                self._held = held
                return held[1]
        self._listeners.dismount(*held)
        raise given_up()

    def close(self) -> None:
        """Give it up: nobody may push to it any more. May be called twice."""
        with self._lock:
            self._closed = True
            held, self._held = self._held, None
        if held is not None:
            self._listeners.dismount(*held)
