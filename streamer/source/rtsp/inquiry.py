"""What an RTSP server says for itself, asked by us, where FFmpeg's own attempt failed without saying why.

FFmpeg follows a redirect to whatever host a server names, or, as it is told here, none at all: then this finds out
where the server points, to say so and to follow what stays with the camera. And it calls silence invalid data.
"""

import contextlib
import re
import socket
from typing import NamedTuple

from streamer.source.login import answer
from streamer.source.protocol import SOCKET_TIMEOUT
from streamer.source.target import Target
from streamer.values import url as urls
from streamer.values.clock import monotonic
from streamer.values.errors import SourceError

LONGEST = 1 << 16
"""Bytes of an answer that are read."""
DEADLINE = 2 * SOCKET_TIMEOUT
"""Seconds all of it may take: a server that sends a byte now and then would be listened to for hours."""


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    """0: it answered otherwise than RTSP does, or hung up."""
    location: str
    """Where a redirect leads; "" where there is none."""
    challenges: tuple[str, ...] = ()
    """What it asks a password for: the values of WWW-Authenticate."""
    body: str = ""
    """For DESCRIBE: what it would send, as SDP."""


def ask(target: Target, address: str, *, log_in: bool = False) -> Answer | None:
    """A server's answer to DESCRIBE, or to OPTIONS where that is not 200; None if it is silent.

    Args:
        target: its URL is asked about.
        address: the server's, numeric.
        log_in: answer with the URL's password where one is asked for; otherwise none is sent.
    """
    found, until = None, monotonic() + DEADLINE
    try:
        with (
            socket.create_connection((address, target.port), SOCKET_TIMEOUT) as bare,
            target.trust.wrap(bare, target.host) if target.scheme == "rtsps" else bare as connected,
        ):
            url = urls.without_login(target.url)
            found = _request(connected, until, "OPTIONS", url, 1)
            if found is not None and found.status == 200:
                found = _request(connected, until, "DESCRIBE", url, 2)
            login = urls.login_of(target.url)
            if log_in and login is not None and found is not None and found.status == 401:
                answers = (answer(challenge, *login, "DESCRIBE", url) for challenge in found.challenges)
                said = next(filter(None, answers), None)
                found = found if said is None else _request(connected, until, "DESCRIBE", url, 3, said)
    except (OSError, ValueError, SourceError):
        return None
    return found


def _request(
    connected: socket.socket, until: float, method: str, url: str, number: int, login: str = ""
) -> Answer | None:
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {number}", "User-Agent: sightline"]
    lines += [f"Authorization: {login}"] if login else []
    connected.sendall("\r\n".join((*lines, "", "")).encode())
    return _answer(connected, until)


def _answer(connected: socket.socket, until: float) -> Answer | None:
    """One answer; of its body, which nobody depends on, what comes in time (RFC 7826 section 17.3)."""
    received = b""
    while b"\r\n\r\n" not in received and len(received) < LONGEST:
        more = _receive(connected, until)
        if not more:
            break
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    text = head.decode("latin-1")
    status = re.match(r"RTSP/\d\.\d (\d{3})", text)
    if status is None:
        return Answer(0, "")
    length = re.search(r"(?im)^content-length:[ \t]*(\d{1,6})", text)
    with contextlib.suppress(TimeoutError):
        while length and len(body) < min(int(length[1]), LONGEST) and (more := _receive(connected, until)):
            body += more
    location = re.search(r"(?im)^location:[ \t]*(\S+)", text)
    challenges = re.findall(r"(?im)^www-authenticate:[ \t]*(.*?)\r?$", text)
    return Answer(int(status[1]), location[1] if location else "", tuple(challenges), body.decode(errors="replace"))


def _receive(connected: socket.socket, until: float) -> bytes:
    """What comes next; none at the end. Raises TimeoutError where nothing does in time."""
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError
    connected.settimeout(min(SOCKET_TIMEOUT, left))
    return connected.recv(4096)
