"""What is to be held of all streams and rules."""

import json
from typing import Any

from streamer.outlets.mqtt.board import GONE_AFTER, MOST_GOING, MOST_GOING_ON, MOST_LABELS, Board
from streamer.outlets.mqtt.discovery import Discovery
from streamer.outlets.mqtt.topics import Topics
from streamer.outlets.news import StreamNews
from streamer.values.state import StreamState
from tests.peers.clock import FakeClock

LIVE = StreamState("live")
TOPICS = Topics("s")
DISCOVERY = Discovery("ha", TOPICS, "1")


def board(clock: FakeClock | None = None, discovery: Discovery | None = None) -> Board:
    return Board(TOPICS, discovery, clock or FakeClock())


def held(board: Board, topic: str) -> Any:
    payload = board.retained.get(topic)
    assert payload is not None
    return json.loads(payload)


def test_a_stream_that_comes_back_soon_is_not_taken_away() -> None:
    """One whose settings change is away for a moment; one that is gone for longer leaves nothing."""
    clock = FakeClock()
    one = board(clock, DISCOVERY)
    one.update([StreamNews("a", LIVE)], [])
    clock.advance(GONE_AFTER)
    one.update([], [])
    assert one.retained.topics() == {"s/streams/a/state", "s/streams/a/counts", "ha/device/s/a/config"}
    clock.advance(0.1)
    one.update([], [])
    assert one.retained.topics() == frozenset()
    assert one.retained.get("s/streams/a/event_picture") == b""


def test_why_a_stream_is_not_live_is_told() -> None:
    """As the page says it."""
    one = board()
    one.update([StreamNews("a", StreamState("offline", "no route"))], [])
    assert held(one, "s/streams/a/state") == {"state": "offline", "reason": "no route"}


def test_a_model_that_invents_classes_fills_no_message() -> None:
    """All are counted, some are named."""
    one = board()
    one.update([StreamNews("a", LIVE, {f"class {index}": 2 for index in range(10_000)})], [])
    counts = held(one, "s/streams/a/counts")
    assert counts["total"] == 20_000
    assert len(counts["labels"]) == MOST_LABELS


def test_a_rule_that_is_no_more_leaves_nothing() -> None:
    """Neither its state nor its sensor; the last takes the device with it."""
    one = board(discovery=DISCOVERY)
    one.update([], ["night", "day"])
    one.met("night", "e1")
    assert one.retained.get("s/alerts/night/state") == b"ON"
    one.update([], ["day"])
    assert one.retained.topics() == {"s/alerts/day/state", DISCOVERY.rules_topic}
    assert held(one, DISCOVERY.rules_topic)["components"]["rule_night"] == {"platform": "binary_sensor"}
    one.update([], [])
    assert one.retained.topics() == frozenset()


def test_a_rule_made_a_moment_ago_is_on_with_its_first_alert() -> None:
    """Rules are looked at once a second, and alerts are told at once."""
    one = board()
    one.met("new", "e1")
    one.update([], ["new"])
    assert one.retained.get("s/alerts/new/state") == b"ON"
    one.over("new", "e1")
    one.over("none", "e1")
    assert one.retained.get("s/alerts/new/state") == b"OFF"
    assert one.retained.get("s/alerts/none/state") is None


def test_events_whose_end_nobody_tells_do_not_add_up() -> None:
    """The oldest are forgotten."""
    one = board()
    for index in range(2 * MOST_GOING_ON):
        one.met("night", f"e{index}")
    assert len(one._going_on["night"]) == MOST_GOING_ON


def test_what_is_found_of_ours_stays_and_of_others_is_not_touched() -> None:
    """Topics of another prefix, and what is no stream's, are no business of ours."""
    one = board(discovery=DISCOVERY)
    one.update([StreamNews("a", LIVE)], ["night"])
    before = one.retained.topics()
    for topic in (
        "s/streams/a/state",
        "s/alerts/night/state",
        "other/streams/b/state",
        "ha/device/other/b/config",
        "s/streams/b/c/state",
    ):
        one.found(topic, b"{}")
    assert one.retained.topics() == before
    assert len(one.retained) == len(before)


def test_a_broker_full_of_others_topics_fills_no_memory() -> None:
    """They are found faster than they are taken away; and what is ours is told all the same."""
    one = board(discovery=DISCOVERY)
    for index in range(MOST_GOING):
        one.found(f"s/streams/a{index}/state", b"{}")
        one.found(f"s/alerts/a{index}/state", b"ON")
        one.found(f"ha/device/s/a{index}/config", b"{}")
    assert MOST_GOING <= one.retained.going == len(one.retained) < MOST_GOING + 10
    one.update([StreamNews("a", LIVE)], ["night"])
    assert "s/streams/a/state" in one.retained.topics()


async def test_more_is_taken_away_once_some_is() -> None:
    """There is room again as soon as the broker is told; a topic as long as no name of ours makes is left alone."""
    one = board()
    one.found(f"s/streams/{'x' * 1000}/state", b"{}")
    assert one.retained.going == 0
    one.found("s/alerts/old/state", b"ON")
    assert one.retained.going == 1
    assert await one.retained.next() == ("s/alerts/old/state", b"")
    assert one.retained.going == 0


def test_what_a_device_had_before_we_came_is_taken_away_with_the_device_that_stays() -> None:
    """Of a zone that was removed while the service did not run, the sensors go."""
    one = board(discovery=DISCOVERY)
    one.update([StreamNews("a", LIVE)], [])
    one.found(DISCOVERY.topic_of("a"), DISCOVERY.stream(StreamNews("a", LIVE, zones={"gate": {}})))
    components = held(one, DISCOVERY.topic_of("a"))["components"]
    assert components["zone_gate"] == {"platform": "sensor"}
    assert components["zone_gate_occupancy"] == {"platform": "binary_sensor"}
    one.update([StreamNews("a", LIVE, zones={"yard": {}})], [])
    assert "zone_gate" not in held(one, DISCOVERY.topic_of("a"))["components"]
