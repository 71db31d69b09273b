"""What a failure leaves open, and can be found out without speaking to the camera again."""

import socket

from streamer.doctor.observation import Observation
from streamer.source.target import Target
from streamer.values.errors import SourceError

CONNECT_TIMEOUT = 1.0
"""Seconds; a camera answers within milliseconds, and there is little time left by then."""


def inquire(target: Target, observation: Observation) -> None:
    """Find out whether a camera that was silent is there at all, and note it. Blocks for some seconds at the most."""
    error = observation.error
    if error is None or target.waits or target.scheme in ("srt", "file"):
        return
    if error.kind != "timeout":
        return
    if observation.traits is not None:
        observation.answers_tcp = True
        return
    try:
        address = target.destinations.addresses(target.host, target.port)[0]
    except SourceError:
        return
    observation.answers_tcp = _answers(address, target.port)


def _answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), CONNECT_TIMEOUT).close()
    except OSError:
        return False
    return True
