"""Stream URLs, and keeping their passwords out of everything a person may read."""

import logging
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
    except ValueError as error:
        raise ConfigError(f"{redact(url)!r} is not a URL ({redact(str(error))})") from None
    if parts.scheme not in SCHEMES:
        raise ConfigError(f"{redact(url)!r}: allowed are {' and '.join(f'{scheme}://' for scheme in SCHEMES)} URLs")
    if not host:
        raise ConfigError(f"{redact(url)!r} names no host; allowed is rtsp://[user:password@]host[:port]/path")
    return url


def remember(url: str) -> None:
    """Register the password in `url`, so that `redact` knows it in every spelling.

    Replacing known values is what holds when a password contains `@`, `/` or `:`; patterns do not.
    """
    userinfo, at, _ = url.partition("://")[2].rpartition("@")
    _, colon, password = userinfo.partition(":")
    if at and colon and password:
        _secrets.update({password, unquote(password), quote(unquote(password), safe="")})


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
