"""streamer.source.failure: what FFmpeg and the system raise, in the words of the API."""

import errno
import re
from typing import get_args

import av
import pytest

from streamer.source.failure import explain, of_socket
from streamer.values.errors import SourceErrorKind
from tests.peers.required import REPOSITORY

URL = "rtsp://user:hunter2@camera/"


def raised(number: int, text: str) -> OSError:
    """An error as PyAV raises it, with the URL in it."""
    return OSError(number, text, URL)


@pytest.mark.parametrize(
    ("failure", "word"),
    [
        (av.HTTPUnauthorizedError(1, "401", URL), "authentication"),
        (av.HTTPForbiddenError(1, "403", URL), "authentication"),
        (av.HTTPNotFoundError(1, "404", URL), "not_found"),
        (raised(errno.ENOENT, "No such file or directory"), "not_found"),
        (raised(errno.ECONNREFUSED, "Connection refused"), "refused"),
        (raised(errno.ECONNRESET, "Connection reset by peer"), "ended"),
        (raised(errno.ETIMEDOUT, "Connection timed out"), "timeout"),
        (raised(errno.EHOSTUNREACH, "No route to host"), "unreachable"),
        (av.EOFError(1, "End of file", URL), "ended"),
        (av.InvalidDataError(1, "Invalid data", URL), "protocol"),
        (av.PatchWelcomeError(1, "Not yet implemented", URL), "codec"),
        (av.ExitError(1, "Immediate exit", URL), "timeout"),
        (ValueError(URL), "failed"),
    ],
)
def test_each_error_has_its_word_and_no_url(failure: BaseException, word: str) -> None:
    """What is raised while opening becomes its word and a sentence that carries nothing of the URL."""
    explained = explain(failure)
    assert explained.kind == word
    assert "hunter2" not in str(explained)
    assert "camera/" not in str(explained)


def test_an_error_means_something_else_while_pictures_come() -> None:
    """A stream that breaks off has ended; one that was silent before, however FFmpeg calls it, has stalled."""
    broken = raised(errno.EIO, "Input/output error")
    assert explain(broken, delivering=True, silent=0.1).kind == "ended"
    assert explain(broken, delivering=True, silent=4.0).kind == "stalled"
    assert explain(raised(errno.ETIMEDOUT, "timed out"), delivering=True, silent=0.1).kind == "stalled"
    assert explain(av.InvalidDataError(1, "Invalid data", URL), delivering=True).kind == "ended"


def test_nobody_pushing_is_no_failure() -> None:
    """A listening stream that nobody calls waits; one whose port is taken says so."""
    assert explain(raised(errno.ETIMEDOUT, "timed out"), listening=True).kind == "waiting"
    taken = explain(raised(errno.EADDRINUSE, "Address already in use"), listening=True)
    assert (taken.kind, str(taken)) == ("unreachable", "cannot listen for the camera (Address already in use)")


def test_sockets_of_ours_have_the_same_words() -> None:
    """What a socket raises is said in the words FFmpeg's errors have."""
    for number, word in (
        (errno.ECONNREFUSED, "refused"),
        (errno.ETIMEDOUT, "timeout"),
        (errno.ENETUNREACH, "unreachable"),
        (errno.ECONNRESET, "unreachable"),
    ):
        assert of_socket(OSError(number, "text", URL)).kind == word


def test_every_word_is_explained() -> None:
    """docs/cameras.md has a row for every word but the one that is no failure."""
    table = (REPOSITORY / "docs" / "cameras.md").read_text().partition("## When a camera is away")[2]
    explained = {
        word for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for word in re.findall(r"`(\w+)`", row)
    }
    assert explained == set(get_args(SourceErrorKind)) - {"waiting"}
