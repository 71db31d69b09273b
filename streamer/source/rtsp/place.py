"""Where one stream is pushed to, kept from one attempt to the next."""

import threading
from typing import TYPE_CHECKING

from streamer.source.target import Target
from streamer.values.clock import Clock, monotonic

if TYPE_CHECKING:
    from streamer.source.rtsp.listener import Listener
    from streamer.source.rtsp.listeners import Listeners
    from streamer.source.rtsp.mount import Mount


class Place:
    """A stream's, so that a camera that comes between two attempts finds the port open.

    Every stream has one, and few are pushed to: what listens is imported, in the attempt's thread, for those alone.

    Args:
        listeners: whose ports are used; None: this process's.
    """

    def __init__(self, listeners: "Listeners | None" = None) -> None:
        self._listeners = listeners
        self._lock = threading.Lock()
        self._held: tuple[Listeners, Listener, Mount] | None = None
        self._closed = False

    def mount(self, target: Target, clock: Clock = monotonic) -> "Mount":
        """The stream's name at its port.

        Raises:
            SourceError: as `Listeners.mount`; or the place was given up.
        """
        from streamer.source.rtsp.listeners import LISTENERS
        from streamer.source.rtsp.wire import given_up

        held = self._held
        if held is not None and not held[2].closed:
            return held[2]
        listeners = self._listeners or LISTENERS
        listener, mount = listeners.mount(target, clock)  # may ask a name server, and must hold up no `close`
        with self._lock:
            if not self._closed:
                self._held = listeners, listener, mount
                return mount
        listeners.dismount(listener, mount)
        raise given_up()

    def close(self) -> None:
        """Give it up: nobody may push to it any more. May be called twice."""
        with self._lock:
            self._closed = True
            held, self._held = self._held, None
        if held is not None:
            listeners, listener, mount = held
            listeners.dismount(listener, mount)
