"""What an HLS playlist may have us fetch: FFmpeg asks here for every playlist and segment, and connects to nobody."""

from dataclasses import replace

from streamer import url as urls
from streamer.egress import STRANGER
from streamer.errors import SourceError
from streamer.source.download import Download
from streamer.source.stop import Stop
from streamer.source.target import Target


class Resource:
    """One playlist or segment. A connection that breaks ends it early: the next segment begins anew."""

    def __init__(self, download: Download | None) -> None:
        self._download = download
        self.closed = False

    def read(self, size: int) -> bytes:
        """What PyAV calls."""
        if self._download is None:
            return b""
        try:
            return self._download.read(size)
        except SourceError:
            return b""

    def close(self) -> None:
        """What PyAV calls."""
        self.closed = True
        if self._download is not None:
            self._download.close()


class Playlist:
    """Opens what an HLS stream is made of; `av.open` takes it as `io_open`."""

    def __init__(self, target: Target, stop: Stop) -> None:
        self._target, self._stop = target, stop
        self._origin = (target.scheme, target.host, target.port)
        self._opened = False
        self._resources: list[Resource] = []
        self.error: SourceError | None = None
        """Why nothing more is fetched: FFmpeg tries again and again before it gives up."""

    def __call__(self, url: str, flags: int, options: dict[str, str]) -> "Resource":
        """Open one resource; one without a byte where it may not be fetched, or cannot."""
        if self.error is None and not self._stop:
            try:
                opened = Download(self._target_of(url), url, self._stop)
            except SourceError as error:
                if error.kind != "not_found" or not self._opened:  # a live one may name what has been deleted already
                    self.error = error
            else:
                self._opened = True
                self._resources = [resource for resource in self._resources if not resource.closed]
                self._resources.append(Resource(opened))
                return self._resources[-1]
        return Resource(None)

    def close(self) -> None:
        """Close what FFmpeg left open, as it does where a stream cannot be opened."""
        for resource in self._resources:
            resource.close()

    def _target_of(self, url: str) -> Target:
        """What may be reached for this resource, and with which password.

        Another host than the playlist's was named by nobody we trust: for the operator's own URLs it may be anywhere
        but on this machine and its cloud, for others nowhere. It never gets the password.
        """
        scheme = urls.scheme_of(url)
        if scheme not in ("http", "https"):
            raise SourceError("unsupported", f"the playlist names {scheme}: resources, which are not fetched")
        if urls.host_of(url) == self._target.host:
            same = (scheme, self._target.host, urls.port_of(url)) == self._origin
            return self._target if same else replace(self._target, url=urls.without_login(self._target.url))
        if self._target.egress.pins:
            raise SourceError("forbidden", f"the playlist names another host, {urls.host_of(url)}")
        return replace(self._target, url=urls.without_login(url), egress=STRANGER)
