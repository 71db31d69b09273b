"""streamer.http.exposition: the metrics' text, written in turns."""

import asyncio
from collections.abc import Iterable

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streamer.http.exposition import AT_ONCE, exposition


class Families(Collector):
    """Families of so many samples."""

    def __init__(self, *sizes: int) -> None:
        self._sizes = sizes

    def collect(self) -> Iterable[Metric]:
        """A counter, a gauge, a counter …"""
        for number, size in enumerate(self._sizes):
            kind = CounterMetricFamily if number % 2 else GaugeMetricFamily
            family = kind(f"family_{number}", 'with "quotes"\nand lines', labels=["stream"])
            for sample in range(size):
                family.add_metric([f"s{sample}\n"], sample / 3)
            yield family


@pytest.mark.parametrize("sizes", [(), (0,), (1, AT_ONCE, AT_ONCE + 1), (3 * AT_ONCE, 0, 5)])
async def test_it_is_the_librarys_text(sizes: tuple[int, ...]) -> None:
    """Whatever there is: byte for byte what prometheus_client writes at once."""
    assert await exposition(Families(*sizes)) == generate_latest(Families(*sizes))


async def test_its_histograms_too() -> None:
    """Buckets, sums and counts of one of the library's own."""
    registry = CollectorRegistry()
    histogram = Histogram("took_seconds", "Long", ["model"], registry=registry)
    for number in range(40):
        histogram.labels(f"m{number}").observe(number)
    assert await exposition(registry) == generate_latest(registry)


async def test_others_have_their_turn_meanwhile() -> None:
    """While many lines are written the event loop turns, once for so many."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    await exposition(Families(10 * AT_ONCE))
    turning.cancel()
    assert turns >= 10
