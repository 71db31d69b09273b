"""Stream URLs, and keeping their passwords out of everything a person may read."""

import logging
import re
from urllib.parse import unquote, urlsplit, urlunsplit

from streamer.values.errors import ConfigError
from streamer.values.passwords import Passwords

PORTS: dict[str, int | None] = {
    "rtsp": 554,  # RFC 7826 section 4.2
    "rtsps": 322,
    "rtmp": 1935,
    "http": 80,
    "https": 443,
    "udp": None,  # MPEG-TS and SRT have no port of their own: it must be named
    "srt": None,
    "file": 0,
}
"""The schemes a source can be opened from, and the port each means where none is named."""

ALLOWED = "rtsp://, rtsps://, rtmp://, http://, https://, udp:// and srt:// URLs, and file: with a path"

LONGEST = 4096
"""Characters of a URL; FFmpeg cuts off what comes after them."""

MOST_ENDS = 8
"""Of the @ in a URL, how many may be the end of its password, beside the last: RFC 3986 has one there, and a person who
does not encode a password any."""

LONG_PATH = 4
"""Characters of a path, a slash among them, that is a secret as a whole; a shorter one keeps none."""
LONG_PIECE = 16
"""Characters of a piece of one that is a secret by itself; a shorter one may be a word."""

_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\ud800-\udfff]")
"""What no URL holds (RFC 3986 section 2): a line break in one would be a header of the request."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
"""What no user name or password holds, percent-encoded or not (RFC 7617 section 2): it would be one as well."""

_SECRET_NAMES = re.compile(
    r"(login)?pas(s(word|wd|phrase)?)?|pwd?|psw|token|(access_?|auth_?)token|secret|(api_?)?key|sig(nature)?"
)
"""Names under which cameras and media servers take a password in the query."""
_IN_PATH = re.compile(rf"(?i)[/_;](?:{_SECRET_NAMES.pattern})=(?P<value>.+?)(?=_[a-z]+=|[/;&?#]|$)")
"""The same in a path: /user=admin_password=secret_channel=1_stream=0.sdp is what cameras of many names want."""

_secrets = Passwords()


def check(url: str) -> str:
    """Return `url` if a source can be opened from it, and remember its password as a secret.

    Raises:
        ConfigError: the scheme is not one of PORTS, host, port or path are missing, or it is too long. The text never
            carries the password.
    """
    if len(url) > LONGEST:
        raise ConfigError(f"this is a URL of {len(url)} characters; allowed are {LONGEST}")
    remember(url)
    if _UNSAFE.search(url):
        raise ConfigError(f"{redact(url)!r} is not a URL: blanks and line breaks must be percent-encoded")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # its text quotes the part that was taken for a port, which may be half a password
        raise ConfigError(
            f"{redact(url)!r} is not a URL: a port is 0 to 65535, and in a password "
            "/ ? # [ ] @ : must be percent-encoded (/ is %2F)"
        ) from None
    if parts.scheme not in PORTS:
        raise ConfigError(f"{redact(url)!r}: allowed are {ALLOWED}")
    if parts.scheme == "file":
        if host not in (None, "", "localhost") or not parts.path.strip("/"):
            raise ConfigError(f"{redact(url)!r} names no file; allowed is file:///path/to/clip.mp4 or file:clip.mp4")
        return url
    if _CONTROL.search(unquote(parts.netloc)):
        raise ConfigError(f"{redact(url)!r}: there are control characters in its user name or password")
    if not host:
        example = "rtsp://[user:password@]host[:port]/path"
        raise ConfigError(f"{redact(url)!r} names no host; allowed is {example}")
    if port is None and PORTS[parts.scheme] is None:
        raise ConfigError(f"{redact(url)!r} names no port; allowed is {parts.scheme}://host:port")
    return url


def scheme_of(url: str) -> str:
    """The scheme, in lower case."""
    return urlsplit(url).scheme


def has_login(url: str) -> bool:
    """Whether the URL carries a user name."""
    return "@" in urlsplit(url).netloc


def host_of(url: str) -> str:
    """The host, in lower case and without an IPv6 address's brackets; "" where there is none."""
    return urlsplit(url).hostname or ""


def port_of(url: str) -> int:
    """The port, the scheme's own where none is named; 0 where it has none."""
    parts = urlsplit(url)
    return parts.port or PORTS.get(parts.scheme) or 0


def path_of(url: str) -> str:
    """The path as it is meant, not percent-encoded and without slashes at its end; "" where there is none."""
    return unquote(urlsplit(url).path).rstrip("/")


def query_of(url: str) -> str:
    """What stands behind the question mark, as it is written."""
    return urlsplit(url).query


def login_of(url: str) -> tuple[str, str] | None:
    """(user, password) as they are meant, or None where the URL names no user."""
    parts = urlsplit(url)
    return None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))


def without_login(url: str) -> str:
    """The URL without user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def at(url: str, address: str) -> str:
    """The URL with its host replaced by a numeric address, so that nobody resolves the name again."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    netloc = f"{login}@" if login else ""
    netloc += f"[{address}]" if ":" in address else address
    netloc += f":{parts.port}" if parts.port is not None else ""
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))


def remember(url: str) -> None:
    """Know the passwords in `url` for a while, so that `redact` cuts them out."""
    _secrets.note(_passwords_in(url))


def hold(url: str, user: object) -> None:
    """Know them for as long as `user` lives, and a while longer."""
    _secrets.hold(_passwords_in(url), user)


def hold_whole(url: str, user: object) -> None:
    """Know path and query as a whole as secrets, for as long as `user` lives: many receivers have no other password."""
    _, _, rest = url[:LONGEST].partition("://")
    host, slash, after = rest.partition("/")
    after = slash + after or host.partition("?")[1] + host.partition("?")[2]
    pieces = {piece for piece in re.split(r"[/?&=]", after) if len(piece) >= LONG_PIECE}
    wholes = {text for text in (after, after.partition("?")[0]) if len(text) > LONG_PATH}
    _secrets.hold(wholes | pieces | _passwords_in(url), user)


def _passwords_in(url: str) -> set[str]:
    """As they are written there."""
    if len(url) > LONGEST:  # it is none
        return set()
    rest = url.partition("://")[2]
    after = rest.partition(":")[2]
    ends = [found.start() for found in re.finditer("@", after)]
    found = {after[:end] for end in (*ends[:MOST_ENDS], *ends[-1:])}
    found |= {match["value"] for match in _IN_PATH.finditer(rest)}
    pairs = re.findall(r"[?&]([^=&#?]+)=(?=([^&#]+))", rest)
    found |= {value for name, value in pairs if _SECRET_NAMES.fullmatch(name.lower())}
    return found - {""}


def redact(text: str) -> str:
    """`text` with every known password replaced by ***."""
    return _secrets.redact(text)


class RedactFilter(logging.Filter):
    """Keeps registered passwords out of log records, tracebacks included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; never drops one."""
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True
