"""A stream's name at a port of ours, under which a camera pushes to it; what comes is handed to the stream's thread."""

import hmac
import threading

from streamer.source.rtsp.push import Push
from streamer.source.rtsp.wire import ANSWER_TIMEOUT, given_up
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values import url as urls
from streamer.values.errors import SourceError


class Mount:
    """Of one stream. Used by the listener's thread, which offers, and by the stream's, which takes.

    Args:
        target: its URL has the path, and the user and password a camera must know.
    """

    def __init__(self, target: Target) -> None:
        self.path, self.query = urls.path_of(target.url), urls.query_of(target.url)
        self.login = urls.login_of(target.url)
        """User and password; None: whoever comes may push."""
        self._changed = threading.Condition()
        self._push: Push | None = None
        """That pushes, or is about to."""
        self._offered_at: float | None = None
        """When that was handed over; None: it was taken."""
        self._refused: SourceError | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether nobody pushes to here any more."""
        return self._closed

    @property
    def busy(self) -> bool:
        """Whether a camera pushes to here."""
        return self._push is not None

    @property
    def offered(self) -> bool:
        """Whether one would, and was not taken yet."""
        return self._offered_at is not None

    def matches(self, path: str, query: str) -> bool:
        """Whether this is the stream of that name. One without a path takes any; one with a query wants the same."""
        named = not self.path or path == self.path
        return named and (not self.query or hmac.compare_digest(query.encode(), self.query.encode()))

    def offer(self, push: Push, now: float) -> bool:
        """Hand over a camera that pushes; False: another does, or the stream is no more."""
        with self._changed:
            if self._closed or self._push is not None:
                return False
            self._push, self._offered_at = push, now
            self._changed.notify_all()
            return True

    def refused(self, error: SourceError) -> None:
        """Tell whoever waits why a camera that wanted to push may not; while another does it is nobody's concern."""
        with self._changed:
            if self._push is None:
                self._refused = error
                self._changed.notify_all()

    def expire(self, now: float) -> None:
        """Let a camera go that nobody took."""
        with self._changed:
            if self._offered_at is not None and now - self._offered_at > ANSWER_TIMEOUT:
                self._let_go()

    def take(self, stop: Stop, seconds: float) -> Push:
        """Wait for a camera to push; `vacate` once it is over.

        Raises:
            SourceError: kind "waiting", none did; or why one that wanted to may not.
        """
        stop.attach(self._wake)
        try:
            with self._changed:
                self._changed.wait_for(lambda: stop or self._closed or self._found, seconds)
                if stop:
                    raise given_up()
                if self._closed:
                    raise SourceError("ended", "the port was closed")
                refused, self._refused = self._refused, None
                if self._push is not None and self._offered_at is not None:
                    self._offered_at = None
                    return self._push
                raise refused or SourceError("waiting", "no camera pushed yet")
        finally:
            stop.detach(self._wake)

    def vacate(self, push: Push) -> None:
        """That camera pushes no longer; another may."""
        with self._changed:
            if self._push is push:
                self._push = None

    def close(self) -> None:
        """Nobody may push any more. What pushes already goes on. May be called twice."""
        with self._changed:
            self._closed = True
            self._let_go()
            self._changed.notify_all()

    @property
    def _found(self) -> bool:
        """Whether there is something for whoever waits."""
        return self._offered_at is not None or self._refused is not None

    def _let_go(self) -> None:
        if self._push is not None and self._offered_at is not None:
            self._push.close()
            self._push = self._offered_at = None

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
