"""Stream URLs, and keeping their passwords out of everything a person may read."""

import logging
import re
from urllib.parse import quote, unquote, urlsplit

from streamer.errors import ConfigError

SCHEMES = ("rtsp", "rtsps")

_secrets: set[str] = set()


def check(url: str) -> str:
    """Return `url` if a source can be opened from it, and remember its password as a secret.

    Raises:
        ConfigError: the scheme is not one of SCHEMES, or the host is missing. The text never carries the password.
    """
    remember(url)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:  # its text quotes the part that was taken for a port, which may be half a password
        raise ConfigError(
            f"{redact(url)!r} is not a URL: a port is 0 to 65535, and in a password "
            "/ ? # [ ] @ : must be percent-encoded (/ is %2F)"
        ) from None
    if parts.scheme not in SCHEMES:
        raise ConfigError(f"{redact(url)!r}: allowed are {' and '.join(f'{scheme}://' for scheme in SCHEMES)} URLs")
    if not host:
        raise ConfigError(f"{redact(url)!r} names no host; allowed is rtsp://[user:password@]host[:port]/path")
    return url


def has_login(url: str) -> bool:
    """Whether the URL carries a user name."""
    return "@" in urlsplit(url).netloc


def port_of(url: str) -> int:
    """The port, RTSP's own where none is named (RFC 7826 section 4.2)."""
    parts = urlsplit(url)
    return parts.port or {"rtsps": 322}.get(parts.scheme, 554)


def remember(url: str) -> None:
    """Register the password in `url`, so that `redact` knows it in every spelling.

    Replacing known values is what holds when a password contains `@`, `/` or `:`; patterns do not.
    """
    rest = url.partition("://")[2]
    # As RFC 3986 has it, and as a person means it who does not encode the password.
    for authority in (re.split("[/?#]", rest, maxsplit=1)[0], rest):
        userinfo, at, _ = authority.rpartition("@")
        _, colon, password = userinfo.partition(":")
        if at and colon and password:
            _secrets.update(_spellings(password))


def _spellings(password: str) -> set[str]:
    """A password as it was written, as it is meant, and as software may print it."""
    plain = unquote(password)
    encoded = {quote(plain, safe=""), quote(plain)}
    lower = {re.sub("%..", lambda found: found.group().lower(), text) for text in encoded}
    return {spelling for text in {password, plain} | encoded | lower for spelling in (text, repr(text)[1:-1])}


def redact(text: str) -> str:
    """`text` with every registered password replaced by ***."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(f":{secret}@", ":***@")
        if len(secret) >= 4:  # shorter ones would cut harmless words to pieces
            text = text.replace(secret, "***")
    return text


class RedactFilter(logging.Filter):
    """Keeps registered passwords out of log records, tracebacks included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place; never drops one."""
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True
