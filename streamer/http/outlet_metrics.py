"""Numbers of what is told to whom, for `/metrics`; docs/monitoring.md says what each is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from streamer.values.outlet import OutletState

if TYPE_CHECKING:
    from streamer.archive.alerts.letter import Queue

OUTCOMES = ("told", "silenced", "cooled", "noted")
"""Of an alert."""


class Outlets(Protocol):
    """What is read of all senders."""

    def states(self) -> Sequence[OutletState]:
        """Each one's."""

    def running(self) -> frozenset[str]:
        """Names of those that are told from here: of a cluster's replicas, one tells each."""


def of_alerts(rules: Iterable[str], counts: Mapping[tuple[str, str], int]) -> Iterator[Metric]:
    """What came of alerts, by rule.

    Args:
        rules: names of those in force: what one has not done yet is 0, or the first time would not be a rise.
        counts: how many there were since the start, by rule and outcome.
    """
    alerts = CounterMetricFamily("sightline_alerts", "Alerts, by what came of them", labels=["rule", "outcome"])
    for (rule, outcome), count in sorted({**dict.fromkeys(product(rules, OUTCOMES), 0), **counts}.items()):
        alerts.add_metric([rule, outcome], count)
    yield alerts


def of_outlets(states: Sequence[OutletState], queues: "Mapping[str, Queue]") -> Iterator[Metric]:
    """How telling goes, by outlet.

    Args:
        states: how each is.
        queues: what each is still to be told, by name; of outlets that are no more, too.
    """
    ok = GaugeMetricFamily("sightline_outlet_ok", "1 while it takes what it is told", labels=["outlet"])
    sent = CounterMetricFamily("sightline_outlet_sent", "Letters that it has", labels=["outlet"])
    retried = CounterMetricFamily(
        "sightline_outlet_retried", "Attempts that failed and are made again", labels=["outlet"]
    )
    given_up = CounterMetricFamily("sightline_outlet_given_up", "Letters that were given up", labels=["outlet"])
    ignored = CounterMetricFamily(
        "sightline_outlet_commands_ignored", "Commands that were none, or could not be obeyed", labels=["outlet"]
    )
    for state in states:
        if state.kind == "mqtt":
            ignored.add_metric([state.name], state.ignored)
        ok.add_metric([state.name], float(state.status == "ok"))
        sent.add_metric([state.name], state.sent)
        retried.add_metric([state.name], state.retried)
        given_up.add_metric([state.name], state.dead)
    yield from (
        ok,
        sent,
        retried,
        given_up,
        ignored,
        *_queues(sorted({state.name for state in states} | set(queues)), queues),
    )


def _queues(names: Iterable[str], queues: "Mapping[str, Queue]") -> Iterator[Metric]:
    """Those of outlets that are no more, too: their letters wait for a person. Who never had one has none."""
    waiting = GaugeMetricFamily("sightline_outlet_waiting", "Letters that it is still to be told", labels=["outlet"])
    dead = GaugeMetricFamily("sightline_outlet_dead", "Letters given up that wait for a person", labels=["outlet"])
    lost = CounterMetricFamily("sightline_outlet_lost", "Letters that there was no room for", labels=["outlet"])
    oldest = GaugeMetricFamily(
        "sightline_outlet_oldest_waiting_timestamp_seconds",
        "Since when the letter that waits longest does",
        labels=["outlet"],
    )
    for name in names:
        queue = queues.get(name)
        waiting.add_metric([name], 0 if queue is None else queue.waiting)
        dead.add_metric([name], 0 if queue is None else queue.dead)
        lost.add_metric([name], 0 if queue is None else queue.lost)
        if queue is not None and queue.oldest_at is not None:
            oldest.add_metric([name], queue.oldest_at)
    yield from (waiting, dead, lost, oldest)
