"""streamer.view.clean.wire: messages, both ways."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.values.state import StreamState
from streamer.values.track import TrackedBox
from streamer.view.clean.wire import (
    BINARY,
    TEXT,
    boxes_message,
    form_of,
    framed,
    gap_message,
    group_message,
    hello,
    picture_message,
    sampled_message,
    text,
)
from tests.view.clean.peers import FORM, Shown, coded, messages, read

EDGES = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, -math.inf])


@given(st.integers(0, 3), st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, 70_000]))
def test_a_message_of_any_size_is_read_as_it_was_written(before: int, size: int) -> None:
    """However long a message is, its length is told so that the next one begins where it ends."""
    payload = bytes(before) + b"x" * size
    assert list(messages(framed(payload, BINARY) + framed(b"next", TEXT))) == [payload, "next"]


@given(
    st.binary(min_size=1, max_size=300),
    st.integers(-(2**52), 2**52),
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.floats(0, 1e9),
)
def test_a_picture_is_its_access_unit_and_its_identity(
    data: bytes, time: int, opening: int, is_key: bool, received: float
) -> None:
    """What a camera sent is there to the byte, with its time to the microsecond."""
    sent = replace(coded(0), data=data, time=time, opening=opening, is_key=is_key, received_at=received)
    assert read(picture_message(sent)) == [Shown(is_key, opening, time, received, data)]


@given(st.lists(st.tuples(EDGES, EDGES, EDGES, EDGES), max_size=3), st.text(max_size=20), st.booleans())
def test_boxes_are_json_whatever_a_model_says(
    edges: list[tuple[float, float, float, float]], label: str, exact: bool
) -> None:
    """Any label and any number is sent as JSON has it, edges as fractions that are near the picture."""
    boxes = [TrackedBox(7, box, label, 3, 0.5) for box in edges]
    [said] = read(boxes_message(4, -5, boxes, (64, 48), exact=exact))
    assert isinstance(said, dict)
    assert (said["opening"], said["time"], said["exact"]) == (4, -5, exact)
    for row in said["boxes"]:
        assert row[:4] == [7, label, 3, 0.5]
        assert all(-1 <= edge <= 2 for edge in row[4:])


def test_boxes_are_fractions_of_the_picture() -> None:
    """The upper left is 0, 0 and the lower right 1, 1, however large the picture is."""
    box = TrackedBox(17, (16.0, 12.0, 64.0, 48.0), "insulator", 1, 0.9126)
    [said] = read(boxes_message(1, 2, [box], (64, 48), exact=True))
    assert isinstance(said, dict)
    assert said["boxes"] == [[17, "insulator", 1, 0.913, 0.25, 0.25, 1.0, 1.0]]


@pytest.mark.parametrize(
    ("form", "why"),
    [
        (FORM, None),
        (replace(FORM, codec="hevc", name=""), "hevc"),
        (replace(FORM, codec="mjpeg", name=""), "mjpeg"),
        (replace(FORM, name=""), "does not say"),
    ],
)
def test_what_browsers_do_not_play_is_not_offered(form: object, why: str | None) -> None:
    """Of H.264 whose kind is known pictures will come; of all else the form says why none will."""
    said = form_of(form, 5)  # type: ignore[arg-type]
    assert said["offered"] == (why is None)
    assert (why is None and said["why"] is None) or str(why) in str(said["why"])
    assert (said["codec"] == FORM.name) == (why is None)
    assert said["opening"] == 5


def test_every_other_message_is_what_the_api_says() -> None:
    """The words of docs/api.md."""
    assert read(text(hello("front", StreamState("stale", "why"), 12.5, "v1"))) == [
        {
            "type": "hello",
            "version": 1,
            "stream": "front",
            "state": "stale",
            "reason": "why",
            "now": 12.5,
            "viewer": "v1",
        }
    ]
    assert read(group_message(3) + gap_message(4) + sampled_message(1, -2)) == [
        {"type": "group", "pictures": 3},
        {"type": "gap", "pictures": 4},
        {"type": "sampled", "opening": 1, "time": -2},
    ]
    assert json.loads(json.dumps(form_of(FORM, 1, "turned")))["offered"] is False
