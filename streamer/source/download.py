"""An HTTP answer as bytes for FFmpeg, over a connection of ours: to the address that was judged, and to no other host.

FFmpeg's own HTTP would resolve names by itself, follow redirects and connect where a playlist says.
"""

import http.client
import io
import socket
import string
from contextlib import suppress
from urllib.parse import quote, urljoin, urlsplit

from streamer.source.dialler import Dialler
from streamer.source.failure import explain, of_socket, printable, stalled
from streamer.source.login import Login, challenges_of, realm_of
from streamer.source.protocol import STALL_TIMEOUT
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values import url as urls
from streamer.values.errors import SourceError

CONNECT_TIMEOUT = 4.0
REDIRECTS = 3
"""How often a server may send us elsewhere on itself."""
SKIP = 1 << 18
"""Bytes that are read and thrown away rather than asked for anew, when FFmpeg seeks ahead."""


class Download:
    """One resource, read from its beginning; where the server has ranges, from anywhere.

    Args:
        target: how it may be reached, and with which password.
        url: of the resource.
        stop: ends what waits for it.
        first: the byte to begin with.
        end: the byte to end before; None: at the resource's own end.

    Raises:
        SourceError: in the constructor and in `read`; says why in the words of the API.
    """

    def __init__(self, target: Target, url: str, stop: Stop, *, first: int = 0, end: int | None = None) -> None:
        self._target, self._stop = target, stop
        self.url = url
        """Where it was found: redirects have been followed."""
        self._position = self._wanted = first
        """Bytes from the beginning: of the answer that is open, and as FFmpeg wants it."""
        self._end = end
        login = urls.login_of(target.url)
        self._login = None if login is None else Login(*login)
        self._socket: socket.socket | None = None
        self._start = b""
        """Bytes that were looked at already."""
        self._response: http.client.HTTPResponse | None = None
        try:
            self._response = self._open()
        except SourceError:
            self.close()
            raise
        self.type = self._response.headers.get_content_type()
        """The media type the server names."""
        self._length = self._response.length or 0
        self._seekable = self._response.headers.get("Accept-Ranges") == "bytes" and self._length > 0

    # ---- what FFmpeg calls

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end."""
        if self._wanted != self._position and not self._move():
            return b""
        taken = self._take(size)
        self._wanted = self._position
        return taken

    def _take(self, size: int) -> bytes:
        """What comes next in the answer that is open."""
        if self._start:
            taken, self._start = self._start[:size], self._start[size:]
        else:
            taken = self._receive(size)
        self._position += len(taken)
        return taken

    def _receive(self, size: int) -> bytes:
        if self._end is not None:
            size = min(size, self._end - self._position - len(self._start))
        if self._response is None or size <= 0:
            return b""
        try:
            taken = self._response.read1(size)
            if not taken and self._response.length and not self._stop:  # http.client lets that pass
                raise SourceError("ended", "the server closed the connection")
            return taken
        except TimeoutError:
            raise stalled() from None
        except (OSError, http.client.HTTPException, ValueError):  # ValueError: closed by `close`
            if self._stop:
                return b""
            raise SourceError("ended", "the server closed the connection") from None

    def _move(self) -> bool:
        """Go to the wanted place; False where nothing is there."""
        if self._wanted >= self._length:
            return False
        if not 0 < self._wanted - self._position <= SKIP:
            self._start, self._position = b"", self._wanted
            self._open()
        while self._position < self._wanted:
            if not self._take(self._wanted - self._position):
                return False
        return True

    def seekable(self) -> bool:
        """Whether the server gives parts of it."""
        return self._seekable

    def tell(self) -> int:
        """Bytes from the beginning."""
        return self._wanted

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on from another place: asked for when it is read, since FFmpeg seeks more often than it reads."""
        self._wanted = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._wanted, io.SEEK_END: self._length}[whence]
        return self._wanted

    def close(self) -> None:
        """Let go of the connection. May be called twice."""
        self._stop.detach(self._wake)
        if self._response is not None:
            self._response.close()
        if self._socket is not None:
            self._socket.close()

    def peek(self, size: int) -> bytes:
        """The first bytes, which are read again afterwards."""
        while len(self._start) < size:
            more = self._receive(size - len(self._start))
            if not more:
                break
            self._start += more
        return self._start

    # ---- the request

    def _open(self) -> http.client.HTTPResponse:
        """Ask, log in where that is asked for, and follow a redirect that stays with the host."""
        for _ in range(REDIRECTS + 3):
            response = self._ask()
            if response.status in (301, 302, 303, 307, 308):
                self.url = self._redirected(response.headers.get("Location", ""))
                continue
            if response.status == 401 and self._login is not None and not self._is_home:
                there = f"{urls.scheme_of(self.url)}://{urls.host_of(self.url)}:{urls.port_of(self.url)}"
                sentence = f"the server redirects to {printable(there)}, which asks for the password and is not told it"
                raise SourceError("redirected", f"{sentence}; write that URL if it is meant")
            if response.status == 401 and self._logs_in(response):
                continue
            if response.status == (206 if self._range else 200):
                if self._login is not None:
                    self._login.accepted()
                return response
            raise _refusal(response)
        raise SourceError("redirected", f"the server redirects more than {REDIRECTS} times")

    @property
    def _is_home(self) -> bool:
        """Whether it is still where the password is for: at another port of the host somebody else may answer."""
        return _origin(self.url) == _origin(self._target.url)

    def _logs_in(self, response: http.client.HTTPResponse) -> bool:
        """Whether to ask once more, with a password."""
        challenges = challenges_of(response.headers.get_all("WWW-Authenticate", []))
        return self._login is not None and self._login.tries_again(challenges)

    def _ask(self) -> http.client.HTTPResponse:
        if self._stop:
            raise SourceError("ended", "given up")
        self.close()
        scheme, host, port = urls.scheme_of(self.url), urls.host_of(self.url), urls.port_of(self.url)
        self._socket = self._connect(scheme, host, port)
        self._stop.attach(self._wake)
        connection = http.client.HTTPConnection(host, port)
        if scheme == "https":
            connection.default_port = http.client.HTTPS_PORT  # which the Host header leaves out
        connection.sock = self._socket
        headers = {"User-Agent": "sightline", "Accept": "*/*", "Connection": "close"}
        if self._is_home and (authorization := self._login and self._login.header("GET", self._path())):
            headers["Authorization"] = authorization
        if self._range:
            headers["Range"] = self._range
        try:
            connection.request("GET", self._path(), headers=headers)
            self._response = connection.getresponse()
        except OSError as error:
            raise explain(error) from None
        except (http.client.HTTPException, ValueError):
            raise SourceError("protocol", "the server does not answer as HTTP does") from None
        return self._response

    @property
    def _range(self) -> str | None:
        """The part that is asked for (RFC 9110 section 14.2); None: all of it."""
        if not self._position and self._end is None:
            return None
        return f"bytes={self._position}-{'' if self._end is None else self._end - 1}"

    def _connect(self, scheme: str, host: str, port: int) -> socket.socket:
        """Connect to the first address that lets us."""

        def reach(address: str, left: float) -> socket.socket:
            if self._stop:
                raise SourceError("ended", "given up")
            return socket.create_connection((address, port), min(CONNECT_TIMEOUT, left))

        try:
            connected = Dialler(self._target.destinations.addresses(host, port)).open(reach)
        except OSError as error:
            raise of_socket(error) from None
        try:
            if scheme == "https":
                connected = self._target.trust.wrap(connected, host)
        except OSError as error:
            connected.close()
            raise of_socket(error) from None
        except SourceError:
            connected.close()
            raise
        connected.settimeout(STALL_TIMEOUT)
        return connected

    def _wake(self) -> None:
        """End a read that another thread waits in, where close() would not. TLS is passed by: it would not be safe."""
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _path(self) -> str:
        """Path and query as a request carries them: what is not ASCII, or blank, percent-encoded (RFC 3987, 3.1)."""
        parts = urlsplit(self.url)
        return quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=string.punctuation)

    def _redirected(self, location: str) -> str:
        """Where a redirect leads, if it stays with the host."""
        try:
            there = urljoin(self.url, location)
            stays = urls.scheme_of(there) in ("http", "https") and urls.host_of(there) == urls.host_of(self.url)
            downgrade = urls.scheme_of(self.url) == "https" and urls.scheme_of(there) == "http"
        except ValueError:
            raise SourceError("protocol", "the server redirects to what is not a URL") from None
        if not stays or downgrade:
            raise SourceError(
                "redirected",
                f"the server redirects to {printable(f'{urls.scheme_of(there)}://{urls.host_of(there)}')}, "
                "which is not followed; "
                "write that URL if it is meant",
            )
        return there


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454)."""
    return urls.scheme_of(url), urls.host_of(url), urls.port_of(url)


def _refusal(response: http.client.HTTPResponse) -> SourceError:
    """What an HTTP status says."""
    if response.status == 401:
        realm = realm_of(response.headers.get_all("WWW-Authenticate", []))
        return SourceError("authentication", "the camera refuses the user name or password", realm=realm)
    if response.status == 403:
        return SourceError("authentication", "the camera forbids this user to watch")
    if response.status in (200, 206, 416):
        return SourceError("protocol", "the server does not give the part of the file that was asked for")
    if response.status in (404, 410):
        return SourceError("not_found", "the camera has no stream at this path")
    return SourceError("protocol", f"the server answers {response.status}")
