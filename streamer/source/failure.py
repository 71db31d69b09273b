"""What FFmpeg and the system raise, in the words of the API. Their own texts carry the URL, so none is passed on."""

import errno
import os

import av

from streamer.source.protocol import SOCKET_TIMEOUT, STALL_TIMEOUT
from streamer.values.errors import SourceError, SourceErrorKind

OPEN_TIMEOUT = 8.0
"""Seconds to connect and see enough packets to know the codec."""

_KINDS: tuple[tuple[type[BaseException], SourceErrorKind, str], ...] = (
    (av.HTTPUnauthorizedError, "authentication", "the camera refuses the user name or password"),
    (av.HTTPForbiddenError, "authentication", "the camera forbids this user to watch"),
    (av.HTTPNotFoundError, "not_found", "the camera has no stream at this path"),
    (FileNotFoundError, "not_found", "there is no such file"),
    (ConnectionRefusedError, "refused", "the camera's host refuses the connection"),
    (ConnectionResetError, "ended", "the camera closed the connection"),
    (BrokenPipeError, "ended", "the camera closed the connection"),
    (av.EOFError, "ended", "the camera ended the stream"),
    (av.ExitError, "timeout", f"the camera did not answer within {OPEN_TIMEOUT:.0f} s"),
    (TimeoutError, "timeout", "the camera did not answer in time"),
    (av.PatchWelcomeError, "codec", "what the camera sends is of a kind that cannot be decoded here"),
    (av.InvalidDataError, "protocol", "what the camera sends is not a video stream this can read"),
    (av.HTTPClientError, "protocol", "the camera answers with an error"),
    (av.HTTPServerError, "protocol", "the camera answers with an error"),
    (OSError, "unreachable", "the camera cannot be reached"),
    (av.FFmpegError, "failed", "the stream cannot be read"),
)
"""Most specific first."""


def stalled(seconds: float = STALL_TIMEOUT) -> SourceError:
    """A connection that is there and brings nothing."""
    return SourceError("stalled", f"no picture for {seconds:.0f} s: the camera stalled")


def explain(
    failure: BaseException, *, listening: bool = False, delivering: bool = False, silent: float = 0.0
) -> SourceError:
    """Translate what was raised.

    Args:
        failure: by FFmpeg or by a socket.
        listening: nobody had connected to us yet.
        delivering: there had been pictures.
        silent: seconds since the last one.
    """
    said = getattr(failure, "strerror", None)
    if delivering and (isinstance(failure, TimeoutError | av.ExitError) or silent > SOCKET_TIMEOUT):
        return stalled(max(silent, SOCKET_TIMEOUT))
    if delivering and (isinstance(failure, av.InvalidDataError) or _is(failure, errno.EIO)):
        return SourceError("ended", "the camera's stream broke off")  # cut in the middle of a packet
    if listening and isinstance(failure, TimeoutError | av.ExitError):
        return SourceError("waiting", "no camera pushed yet")
    if listening and isinstance(failure, OSError):
        return SourceError("unreachable", f"cannot listen for the camera ({said})")
    for kind, word, sentence in _KINDS:
        if isinstance(failure, kind):
            return SourceError(word, f"{sentence} ({said})" if word in ("failed", "unreachable") and said else sentence)
    return SourceError("failed", f"the stream cannot be read ({type(failure).__name__})")


def printable(text: str) -> str:
    """What a stranger sent, fit for a sentence: no control characters, which a terminal would obey, and 200 at most."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:200])


def of_socket(error: OSError) -> SourceError:
    """Translate what a socket of ours raised while connecting."""
    if isinstance(error, ConnectionRefusedError | TimeoutError):
        return explain(error)
    return SourceError("unreachable", f"the camera cannot be reached ({_reason(error)})")


def _is(failure: BaseException, number: int) -> bool:
    return isinstance(failure, OSError) and failure.errno == number


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else "no reason given"
