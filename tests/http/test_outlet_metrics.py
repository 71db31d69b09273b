"""streamer.http.outlet_metrics: what is told to whom, in numbers."""

import time
from pathlib import Path

from tests.archive.events import an_event
from tests.http.archived import archive_of, keep, run_archived
from tests.http.guests import Door, bearer
from tests.peers.service import Metrics
from tests.peers.until import until

NOW = time.time()
SECRET = "a-secret-topic"
AWAY = {"phone": {"url": f"http://127.0.0.1:1/{SECRET}", "networks": ["127.0.0.0/8"]}}


async def metrics(door: Door) -> Metrics:
    """What Prometheus reads."""
    async with door.ask("GET", "/metrics", bearer("metrics")) as response:
        text = await response.text()
    assert response.status == 200
    assert SECRET not in text
    return Metrics(text)


async def test_alerts_are_counted_by_rule_and_by_what_came_of_them(tmp_path: Path) -> None:
    """Each rule's four outcomes are there from the start, or the first alert would not be a rise."""
    async with run_archived(tmp_path, alerts={"night": {"streams": ["a"]}}) as door:
        before = await metrics(door)
        await keep(door, an_event(NOW - 10, stream="a"))
        await keep(door, an_event(NOW, stream="a"))
        after = await metrics(door)
    assert before.labels("sightline_alerts_total", "outcome") == {"told", "silenced", "cooled", "noted"}
    assert before.sum("sightline_alerts_total", rule="night") == 0
    for outcome, count in (("noted", 1), ("cooled", 1), ("told", 0), ("silenced", 0)):
        assert after.sum("sightline_alerts_total", rule="night", outcome=outcome) == count


async def test_an_outlet_that_was_never_told_anything_is_there(tmp_path: Path) -> None:
    """It is well, has nothing to be told, and has not had anything."""
    async with run_archived(tmp_path, webhooks=AWAY) as door:
        found = await metrics(door)
    assert found.sum("sightline_outlet_ok", outlet="phone") == 1
    for name in ("sent_total", "retried_total", "given_up_total", "lost_total", "waiting", "dead"):
        assert found.labels(f"sightline_outlet_{name}", "outlet") == {"phone"}
        assert found.sum(f"sightline_outlet_{name}", outlet="phone") == 0
    assert found.labels("sightline_outlet_oldest_waiting_timestamp_seconds", "outlet") == set()


async def test_an_outlet_that_fails_says_what_waits_and_since_when(tmp_path: Path) -> None:
    """Not ok, an attempt to be made again, and the time of the letter that waits; what was given up is dead."""
    rules = {"all": {"outlets": ["phone"], "cooldown": 0}}
    async with run_archived(tmp_path, alerts=rules, webhooks=AWAY) as door:
        outbox = archive_of(door).outbox
        await keep(door, an_event(NOW, stream="a"), an_event(NOW, stream="b"))
        await until(lambda: door.service.outgoing.states()[0].status == "failing")
        failing = await metrics(door)
        [letter, _] = await outbox.due("phone", NOW + 1e6, 10)
        await outbox.dead(letter.number, "it was given up")
        after = await metrics(door)
    assert failing.sum("sightline_outlet_ok", outlet="phone") == 0
    assert failing.sum("sightline_outlet_retried_total", outlet="phone") >= 1
    assert failing.sum("sightline_outlet_waiting", outlet="phone") == 2
    assert abs(failing.sum("sightline_outlet_oldest_waiting_timestamp_seconds", outlet="phone") - time.time()) < 60
    assert after.sum("sightline_outlet_waiting", outlet="phone") == 1
    assert after.sum("sightline_outlet_dead", outlet="phone") == 1


async def test_letters_to_an_outlet_that_is_no_more_are_counted(tmp_path: Path) -> None:
    """As waiting: somebody should know of them."""
    rules = {"all": {"outlets": ["phone"]}}
    async with run_archived(tmp_path, alerts=rules, webhooks=AWAY) as door:
        await keep(door, an_event(NOW, stream="a"))
    async with run_archived(tmp_path) as door:
        found = await metrics(door)
    assert found.sum("sightline_outlet_waiting", outlet="phone") == 1
    assert found.labels("sightline_outlet_ok", "outlet") == set()
