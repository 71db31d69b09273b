"""What a camera that failed says for itself: asked once more, without watching it."""

import re
import socket

from streamer.doctor.observation import Observation
from streamer.source.login import realm_of
from streamer.source.rtsp import ask
from streamer.source.target import Target
from streamer.values.errors import SourceError

CONNECT_TIMEOUT = 1.0
"""Seconds; a camera answers within milliseconds, and there is little time left by then."""


def inquire(target: Target, observation: Observation) -> None:
    """Find out what a failure leaves open, and note it. Blocks for some seconds at the most.

    A password is sent only where the camera has just taken it, so that asking locks nobody out.
    """
    error = observation.error
    if error is None or target.waits or target.scheme in ("srt", "file"):
        return
    try:
        address = target.destinations.addresses(target.host, target.port)[0]
    except SourceError:
        return
    if error.kind == "timeout":
        observation.answers_tcp = _answers(address, target.port)
        if observation.answers_tcp and target.scheme in ("rtsp", "rtsps"):
            observation.answers_rtsp = ask(target, address) is not None
    elif error.realm is not None:
        observation.realm = error.realm
    elif error.kind in ("authentication", "protocol", "codec") and target.scheme in ("rtsp", "rtsps"):
        said = ask(target, address, log_in=error.kind != "authentication")
        if said is not None:
            observation.realm = realm_of(said.challenges)
            observation.offers = tuple(re.findall(r"(?m)^m=(\w{1,20})", said.body))


def _answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), CONNECT_TIMEOUT).close()
    except OSError:
        return False
    return True
