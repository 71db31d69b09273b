"""streamer.doctor.examination: how long anybody waits for one."""

import threading

from streamer.doctor.examination import LIMIT, Examination
from streamer.source.allowed_destinations import AllowedDestinations
from streamer.source.target import Target
from streamer.values.errors import SourceError
from tests.peers.clock import FakeClock

PROMISED = 10.0
"""Seconds from the command to its answer, its program's start among them; `sightline bench cameras` measures it."""


async def test_nobody_waits_longer_than_the_limit() -> None:
    """When its time is over an examination is answered, though its thread is stuck in the resolver meanwhile."""
    clock, released = FakeClock(), threading.Event()

    def resolver(_: str, __: int) -> list[str]:
        released.wait()
        raise SourceError("dns", "nobody knows")

    examination = Examination(Target("rtsp://camera/x", destinations=AllowedDestinations(resolver=resolver)), clock)
    ended = examination.start()
    clock.advance(LIMIT)
    seen = await examination.wait(ended)
    assert not ended.done()
    assert seen.error is not None
    assert seen.error.kind == "dns"
    released.set()
    await ended
    assert LIMIT < PROMISED
