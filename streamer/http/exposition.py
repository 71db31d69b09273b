"""The metrics as Prometheus' text, written a little at a time: thousands of lines at once would hold up all streams."""

import asyncio
from collections.abc import Iterable

from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

AT_ONCE = 200
"""Lines that are written before the event loop has its turn: about a millisecond."""


class _Part(Collector):
    """Some samples of one family."""

    def __init__(self, family: Metric, begin: int) -> None:
        self._part = Metric(family.name, family.documentation, family.type, family.unit)
        self._part.samples = family.samples[begin : begin + AT_ONCE]

    def collect(self) -> Iterable[Metric]:
        return (self._part,)


async def exposition(collector: Collector) -> bytes:
    """What `generate_latest` gives, of numbers that are all read at one moment."""
    written = []
    for family in list(collector.collect()):
        for begin in range(0, max(1, len(family.samples)), AT_ONCE):
            text = generate_latest(_Part(family, begin))
            # A family's two lines of explanation stand before its first sample alone.
            written.append(text.split(b"\n", 2)[2] if begin else text)
            await asyncio.sleep(0)
    return b"".join(written)
