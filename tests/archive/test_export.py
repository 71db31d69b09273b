"""streamer.archive.export and training_set: what leaves the archive, whatever it was called."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streamer.archive.export import csv_of, json_of
from streamer.archive.kept import Kept, Review
from streamer.archive.training_set import boxes_of, coco_of
from streamer.values.event import Boxed
from tests.archive.events import an_event

THING, OTHER = Boxed("defect", 2, 0.7, (1.0, 2.0, 3.0, 4.0), 7), Boxed("insulator", 1, 0.6, (5.0, 6.0, 7.0, 8.0), 8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


async def pages(*each: Sequence[Kept]) -> AsyncIterator[Sequence[Kept]]:
    """As the archive gives them."""
    for page in each:
        yield page


def made(parts: AsyncIterator[bytes]) -> bytes:
    """All of an export."""

    async def read() -> bytes:
        return b"".join([part async for part in parts])

    return asyncio.run(read())


@given(label=TEXTS, note=TEXTS)
def test_whatever_things_are_called_csv_is_read_back_and_holds_no_formula(label: str, note: str) -> None:
    """A cell is what was said, behind a quote where a spreadsheet would calculate it; and no row becomes two."""
    kept = Kept(replace(an_event(), label=label), 1, review=Review(note=note))
    text = made(csv_of(pages([kept, kept]))).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 2
    for name, said in (("label", label), ("note", note)):
        cell = rows[0][name]
        assert cell in (said, f"'{said}")
        assert cell[:1] not in tuple("=+-@\t\r\n")


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=3), max_size=3))
def test_however_it_comes_in_pages_json_and_coco_are_whole(labels: list[list[str]]) -> None:
    """Pages are joined to one document, with as many events, and pictures, as there are in all."""

    def given_pages() -> AsyncIterator[Sequence[Kept]]:
        number = iter(range(100))

        def kept(label: str) -> Kept:
            return Kept(an_event(id=f"{next(number)}", label=label), 1, boxes=(THING,), picture_bytes=len(label))

        return pages(*[[kept(label) for label in page] for page in labels])

    every = [label for page in labels for label in page]
    assert [event["label"] for event in json.loads(made(json_of(given_pages())))["events"]] == every
    document: dict[str, Any] = json.loads(made(coco_of(given_pages)))
    assert [image["id"] for image in document["images"]] == list(range(1, 1 + sum(map(bool, every))))


def test_a_judged_thing_is_called_what_its_event_is() -> None:
    """Confirmed, it goes by the label of the votes; false, it is left out; without a box it has the event's."""
    event = replace(an_event(), label="bird", tracker_id=7)
    confirmed = Kept(event, 1, review=Review("confirmed"), boxes=(THING, OTHER))
    assert [(each.label, each.box) for each in boxes_of(confirmed)] == [("bird", THING.box), ("insulator", OTHER.box)]
    assert boxes_of(replace(confirmed, review=Review("false"))) == [OTHER]
    assert [each.box for each in boxes_of(replace(confirmed, boxes=()))] == [event.box]
