"""What an HLS playlist may have us fetch: FFmpeg asks here for each playlist, key and segment."""

import io
from dataclasses import dataclass, replace
from typing import Protocol

from streamer.source import manifest
from streamer.source.allowance import Allowance
from streamer.source.allowed_destinations import STRANGER
from streamer.source.boxes import Boxes
from streamer.source.cipher import Decrypted, wrong_key
from streamer.source.download import Download
from streamer.source.failure import stalled
from streamer.source.manifest import Manifest
from streamer.source.mp4 import Fragments
from streamer.source.protocol import HLS, STALL_TIMEOUT
from streamer.source.reader import Body
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values import url as urls
from streamer.values.clock import Clock, monotonic
from streamer.values.errors import SourceError

LONGEST = 1 << 20
"""Bytes of a playlist: a day of six-second segments. FFmpeg keeps all of them, and would read one without end."""
KEY = 16
"""Bytes of a key (RFC 8216 section 5.2); what comes behind them is none of it."""
STALE = 3.0
"""Target durations in which a live playlist must change. RFC 8216 section 6.2.2 wants it within one and a half, counted
where it is written; here it is asked for every half or whole one."""
MOST_READINGS = 32
"""Playlists of one stream that are remembered: more than it has sizes and languages. What is read again is; a server
that gives a playlist for each segment adds nothing."""


class Resource(Protocol):
    """What FFmpeg reads. `read` gives up to `size` bytes, none at the end."""

    @property
    def closed(self) -> bool:
        """Whether nobody reads it any more."""

    def read(self, size: int, /) -> bytes:
        """What PyAV calls."""

    def close(self) -> None:
        """What PyAV calls."""


class Segment:
    """A segment, or a key. A connection that breaks ends it early: the next segment begins anew."""

    def __init__(self, playlist: "Playlist", download: Download, body: Body) -> None:
        self._playlist, self._download, self._body = playlist, download, body
        self.closed = False

    def read(self, size: int) -> bytes:
        """What PyAV calls."""
        try:
            taken = self._body.read(size)
            self._playlist.allowance.spend(len(taken))
        except SourceError as error:
            if error.kind not in ("ended", "stalled"):
                self._playlist.error = error
            return b""
        return taken

    def close(self) -> None:
        """What PyAV calls."""
        self.closed = True
        self._download.close()


@dataclass(frozen=True, slots=True)
class Reading:
    """What is remembered of a playlist: as little as tells that it changed, however long it is."""

    said: int
    """The hash of its text."""
    since: float
    """Monotonic seconds."""
    keys: frozenset[int]
    """The hashes of its keys' URLs."""


class Playlist:
    """Opens what an HLS stream is made of; `av.open` takes it as `io_open`."""

    def __init__(self, target: Target, stop: Stop, clock: Clock = monotonic) -> None:
        self._target, self._stop, self._clock = target, stop, clock
        self._origin = (target.scheme, target.host, target.port)
        self._opened = False
        self._resources: list[Resource] = []
        self._readings: dict[str, Reading] = {}
        """By a playlist's URL, its newest one; what was read last is last."""
        self._longest: float | None = None
        self._fragments = Fragments()
        self.allowance = Allowance(target.limits)
        self.error: SourceError | None = None
        """Why nothing more is fetched: FFmpeg tries again and again before it gives up."""
        self.passed: SourceError | None = None
        """Why the last resource could not be had, where that was passed over; None where it could."""

    @property
    def patience(self) -> float:
        """Seconds without a picture after which the stream is given up."""
        return HLS.stall if self._longest is None else max(STALL_TIMEOUT, STALE * self._longest)

    def __call__(self, url: str, flags: int, options: dict[str, str]) -> Resource:
        """Open one resource; one without a byte where it may not be fetched, or cannot.

        Args:
            url: of the resource; after "crypto+" where it is encrypted.
            flags: none, since it is only read.
            options: what FFmpeg's own protocols are told: `offset` and `end_offset` in bytes where it is a part of a
                file, `key` and `iv` in hexadecimal.
        """
        if self.error is None and not self._stop:
            try:
                opened = self._open(url.removeprefix("crypto+"), options)
            except SourceError as error:
                self._failed(url, error)
            except ValueError:  # urllib's; its text quotes the URL
                self.error = SourceError("protocol", "the playlist names what is not a URL")
            else:
                self._opened, self.passed = True, None
                self._resources = [resource for resource in self._resources if not resource.closed]
                self._resources.append(opened)
                return opened
        return io.BytesIO()

    def close(self) -> None:
        """Close what FFmpeg left open, as it does where a stream cannot be opened."""
        for resource in self._resources:
            resource.close()

    def _open(self, url: str, options: dict[str, str]) -> Resource:
        end = options.get("end_offset")
        download = Download(
            self._target_of(url), url, self._stop, first=int(options.get("offset", 0)), end=int(end) if end else None
        )
        try:
            if download.peek(len(manifest.MARK)).startswith(manifest.MARK):
                return io.BytesIO(self._read(url, download).text.encode())
            if self._is_key(url):
                return io.BytesIO(_first(download, KEY))
            if "key" not in options:
                return Segment(self, download, Boxes(download, self._fragments))
            key, vector = bytes.fromhex(options["key"]), bytes.fromhex(options["iv"])
            return Segment(self, download, Boxes(Decrypted(download, key, vector), self._fragments, wrong_key))
        except (SourceError, ValueError):
            download.close()
            raise

    def _is_key(self, url: str) -> bool:
        return any(hash(url) in reading.keys for reading in self._readings.values())

    def _failed(self, url: str, error: SourceError) -> None:
        """One resource cannot be had. A live playlist may name what has been deleted already; a key must be there."""
        passing = error.kind == "not_found" or (error.kind in ("ended", "stalled") and url not in self._readings)
        if not self._opened or not passing or self._is_key(url):
            self.error = error
        else:
            self.passed = error

    def _read(self, url: str, download: Download) -> Manifest:
        """A playlist, and what follows from it.

        Raises:
            SourceError: kind "too_large", "unsupported" or "stalled", or what the download says.
        """
        read = bytearray()
        while more := download.read(LONGEST):
            read += more
            if len(read) > LONGEST:
                raise SourceError("too_large", f"the playlist has more than {LONGEST} bytes")
        download.close()
        found = manifest.read(read.decode(errors="replace"), download.url, max_pixels=self._target.limits.max_pixels)
        if found.is_master and self._readings:
            raise SourceError("protocol", "the playlist's variant is a list of variants again, and not of segments")
        changes = found.target is not None and not found.ended
        if found.target is not None and changes:
            self._longest = max(found.target, self._longest or 0.0)
        unchanged = self._remember(url, found)
        if changes and unchanged > self.patience:
            raise stalled(unchanged)
        return found

    def _remember(self, url: str, found: Manifest) -> float:
        """Take note of a reading; gives the seconds for which it has said the same."""
        now, said = self._clock(), hash(found.text)
        before = self._readings.pop(url, None)
        since = before.since if before is not None and before.said == said else now
        self._readings[url] = Reading(said, since, frozenset(map(hash, found.keys)))
        if len(self._readings) > MOST_READINGS:
            del self._readings[next(iter(self._readings))]
        return now - since

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
        if self._target.destinations.pins:
            raise SourceError("forbidden", f"the playlist names another host, {urls.host_of(url)}")
        return replace(self._target, url=urls.without_login(url), destinations=STRANGER)


def _first(download: Download, count: int) -> bytes:
    """So many bytes of a resource, or all that there are; nothing more of it is asked for."""
    read = b""
    while len(read) < count and (more := download.read(count - len(read))):
        read += more
    download.close()
    return read
