"""What Home Assistant is told, held to the shape that its documentation gives device discovery."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.outlets.mqtt.component import quoted
from streamer.outlets.mqtt.discovery import RULES, Discovery, escaped, without_gone
from streamer.outlets.mqtt.topics import Topics
from streamer.outlets.news import StreamNews
from streamer.values.state import StreamState

LIVE = StreamState("live")
FULL = Discovery("homeassistant", Topics("home/sightline"), "1.2", pictures=True, commands=True)
NEWS = StreamNews("line-1.a", LIVE, {"person": 1}, {"gate.b": {}}, ("person", "it's"))

NEEDED = {
    "sensor": {"state_topic"},
    "binary_sensor": {"state_topic"},
    "camera": {"topic"},
    "image": {"image_topic"},
    "switch": {"command_topic"},
    "button": {"command_topic"},
}
"""What a component of each platform must have, beside its platform and its unique id."""


def read(document: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(document)
    return found


def require_shape(document: dict[str, Any]) -> None:
    """The rules of Home Assistant's own schema for a device."""
    assert document["device"]["identifiers"]
    assert document["origin"]["name"] == "Sightline"
    for availability in document["availability"]:
        assert availability["topic"]
    unique = [component["unique_id"] for component in document["components"].values()]
    assert len(set(unique)) == len(unique)
    for id_, component in document["components"].items():
        assert re.fullmatch(r"[A-Za-z0-9_-]+", id_)
        assert NEEDED[component["platform"]] <= component.keys()
        for key, value in component.items():
            if key.endswith("topic"):
                assert not set("+#") & set(value)
        assert not {"availability", "availability_topic"} <= component.keys()


def test_a_stream_is_a_device_with_all_that_is_told_of_it() -> None:
    """Camera, image, counts and occupancy, of classes and of zones; a switch where commands are taken."""
    document = read(FULL.stream(NEWS))
    require_shape(document)
    platforms = {id_: component["platform"] for id_, component in document["components"].items()}
    assert platforms == {
        "state": "sensor",
        "things": "sensor",
        "occupancy": "binary_sensor",
        "picture": "camera",
        "event_picture": "image",
        "label_person": "sensor",
        "label_it_27_s": "sensor",
        "zone_gate_2e_b": "sensor",
        "zone_gate_2e_b_occupancy": "binary_sensor",
        "running": "switch",
    }
    assert document["device"]["name"] == "line-1.a"
    assert FULL.topic_of("line-1.a") == "homeassistant/device/home_2f_sightline/line-1_2e_a/config"
    assert document["components"]["picture"]["topic"] == "home/sightline/streams/line-1.a/picture"
    assert document["availability"] == [{"topic": "home/sightline/status"}]


def test_rules_are_one_device() -> None:
    """A binary sensor each, and a button that snoozes it where commands are taken."""
    document = read(FULL.rules(["night", "day"]))
    require_shape(document)
    assert document["components"]["rule_night"]["state_topic"] == "home/sightline/alerts/night/state"
    assert document["components"]["snooze_night"]["payload_press"] == "snooze 3600"
    assert document["device"]["identifiers"] == [f"home/sightline/{RULES}"]


def test_without_pictures_and_commands_none_are_promised() -> None:
    """Nobody is shown an entity of which nothing ever comes."""
    platforms = {
        component["platform"]
        for component in read(Discovery("ha", Topics("s"), "1").stream(NEWS))["components"].values()
    }
    assert platforms == {"sensor", "binary_sensor"}


def test_a_model_of_eighty_classes_gets_no_eighty_sensors() -> None:
    """Nobody could find his way among them; the attributes of the count have them all."""
    many = StreamNews("a", LIVE, labels=tuple(f"class {index}" for index in range(80)))
    assert not [id_ for id_ in read(FULL.stream(many))["components"] if id_.startswith("label_")]


def test_what_a_device_had_and_has_no_more_is_named() -> None:
    """By its platform alone, as Home Assistant takes a component away; with the next change it is named no more."""
    before, now = FULL.stream(NEWS), FULL.stream(StreamNews("line-1.a", LIVE))
    told = without_gone(now, before)
    assert read(told)["components"]["zone_gate_2e_b"] == {"platform": "sensor"}
    assert read(without_gone(now, told)) == read(now)


@pytest.mark.parametrize(
    "held",
    [b"", b"[]", b'{"components": 5}', b'{"components": {"a": 1, "b": {"platform": [], "c": 1}}}', b"[" * 99_999],
)
def test_whatever_lay_at_the_broker_changes_nothing_else(held: bytes) -> None:
    """Anybody may have put it there."""
    now = FULL.stream(NEWS)
    assert read(without_gone(now, held)) == read(now)


@given(st.lists(st.text(max_size=8), min_size=2, max_size=2, unique=True))
def test_no_two_names_become_the_same_id(names: list[str]) -> None:
    """Nor does any become one that Home Assistant does not take."""
    one, other = map(escaped, names)
    assert one != other
    assert re.fullmatch(r"[A-Za-z0-9_-]*", one)


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True))
def test_no_stream_has_the_device_of_the_rules(name: str) -> None:
    """Whatever it is called."""
    assert FULL.topic_of(name) != FULL.rules_topic


@given(st.text(max_size=20))
def test_a_label_in_a_template_is_that_label(label: str) -> None:
    """Jinja reads it as Python would, whatever quotes and braces are in it; nothing of it is code."""
    text = quoted(label)
    assert re.fullmatch(r"'([A-Za-z0-9 -]|\\U[0-9a-f]{8})*'", text)
    assert text[1:-1].encode("ascii").decode("unicode-escape") == label
