"""streamer.outlets.document: one JSON document, as docs/notification.schema.json describes it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
from hypothesis import given
from hypothesis import strategies as st

from streamer.archive.kept import Kept
from streamer.outlets.document import SCHEMA
from streamer.outlets.webhook.cloud_event import TYPES, attributes
from streamer.outlets.webhook.letter import Letter, PictureLinks
from streamer.outlets.webhook.recipes.plain import plain
from streamer.values.event import Event, Mark
from streamer.values.notification import Notification, NotificationKind
from tests.outlets.memory_outbox import EVENT, PICTURE, told

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "notification.schema.json"
VALIDATOR = jsonschema_rs.validator_for(json.loads(SCHEMA_FILE.read_text()), validate_formats=True)
LINKS = PictureLinks("https://cam.example/api/events/x/picture?until=1", "https://cam.example/t", 1_800_086_400)

MOMENTS = st.floats(0, 4e9)
NAMES = st.text(max_size=30)
MARKS = st.builds(
    Mark, st.sampled_from(["enter", "leave", "dwell", "cross"]), NAMES, MOMENTS, st.sampled_from([None, "forward"])
)
EVENTS = st.builds(
    Event,
    id=st.just(str(EVENT["id"])),
    stream=st.just("yard"),
    label=NAMES,
    class_id=st.integers(0, 1000),
    tracker_id=st.integers(0),
    model=NAMES,
    version=st.integers(0),
    began_at=MOMENTS,
    last_at=MOMENTS,
    began_pts=MOMENTS,
    last_pts=MOMENTS,
    score=st.floats(0, 1),
    box=st.tuples(*[st.floats(-10, 5000)] * 4),
    width=st.integers(1, 8192),
    height=st.integers(1, 8192),
    ended_at=st.none() | MOMENTS,
    zones=st.lists(NAMES, max_size=3).map(tuple),
    marks=st.lists(MARKS, max_size=3).map(tuple),
)
NOTIFICATIONS = st.builds(
    lambda kind, event, rule: replace(
        told(kind=kind), event={} if kind == "test" else Kept(event, 1).document(), rule=rule
    ),
    st.sampled_from(get_args(NotificationKind)),
    EVENTS,
    st.none() | NAMES,
)
LETTERS = st.builds(
    lambda said, form, base: Letter(
        said,
        "https://x.example/",
        form,
        None if said.kind == "test" or form in ("none", "link") else PICTURE,
        LINKS if form == "link" else None,
        base,
    ),
    NOTIFICATIONS,
    st.sampled_from(["none", "inline", "link", "multipart"]),
    st.sampled_from([None, "https://cam.example/x"]),
)


def document_of(letter: Letter) -> Any:
    """What is sent, read as its receiver reads it."""
    post = plain(letter)
    body = post.body
    if post.type.startswith("multipart"):
        body = body.split(b"\r\n\r\n", 1)[1].split(b"\r\n--", 1)[0]
    return json.loads(body)


@given(LETTERS)
def test_every_document_is_as_its_schema_says(letter: Letter) -> None:
    """Whatever the event, the rule and the picture are."""
    VALIDATOR.validate(document_of(letter))


def test_the_schema_describes_all_there_is() -> None:
    """Each key of a document, and each of its events, has its words there; but those of reviews, which come later."""
    schema = json.loads(SCHEMA_FILE.read_text())
    document = document_of(Letter(told(), "https://x.example/"))
    assert document.keys() == schema["properties"].keys()
    assert document["schema"] == SCHEMA == schema["properties"]["schema"]["const"]
    later = {"reviewed", "reviewed_by", "reviewed_at", "note", "bookmarked", "changed", "began_pts", "last_pts"}
    assert document["event"].keys() - later == schema["$defs"]["event"]["properties"].keys()


@given(NOTIFICATIONS, st.sampled_from([None, "https://cam.example/x"]))
def test_the_headers_are_a_cloud_events(said: Notification, base: str | None) -> None:
    """Those that CloudEvents 1.0 demands are there and not empty, and all are ASCII that a header may hold."""
    headers = attributes(said, base)
    assert headers.keys() >= {"ce-specversion", "ce-id", "ce-type", "ce-source"}
    assert all(value and value.isascii() and value.isprintable() for value in headers.values())
    assert set(TYPES) == set(get_args(NotificationKind))
