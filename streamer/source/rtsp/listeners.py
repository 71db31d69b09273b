"""Where streams are pushed to: the ports that are open in this process, each for as long as a stream needs it."""

import threading

from streamer.source.rtsp.listener import Listener
from streamer.source.rtsp.mount import Mount
from streamer.source.target import Target
from streamer.values.clock import Clock


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
            mount, listener = Mount(target), self._open.get(there)
            if listener is not None and not listener.closed:
                listener.add(mount)
                return listener, mount
            listener = Listener(*there, clock)
            listener.add(mount)
            listener.start()  # only now: a camera that comes as the port opens finds its stream there
            self._open[there] = listener
            return listener, mount

    def dismount(self, listener: Listener, mount: Mount) -> None:
        """Give a name back, and the port with the last; does not wait."""
        with self._lock:
            listener.remove(mount)
            if not listener.mounts:
                listener.close()
                self._open = {there: each for there, each in self._open.items() if each is not listener}


LISTENERS = Listeners()
