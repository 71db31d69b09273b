"""streamer.http.exports: events and judged pictures, taken along."""

import csv
import io
import json
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import supervision as sv
import yaml
from pycocotools.coco import COCO

from streamer.archive.database import DatabaseAway
from streamer.http import exports
from streamer.values.event import Boxed, Event, Mark, Picture
from tests.archive.events import an_event
from tests.http.archived import archive_of, asked, keep, of, run_archived
from tests.http.guests import Door, cookie

NOW = time.time()
THING, OTHER = (100.0, 50.0, 300.0, 250.0), (600.0, 300.0, 700.0, 400.0)
PICTURE = Picture(
    b"\xff\xd8 a picture", b"\xff\xd8", (Boxed("defect", 2, 0.75, THING, 7), Boxed("insulator", 1, 0.6, OTHER, 8))
)


async def taken(door: Door, query: str, who: str = "admin") -> bytes:
    """What somebody is given."""
    async with door.ask("GET", f"/api/events/export?{query}", cookie(who)) as response:
        assert response.status == 200, await response.text()
        assert "attachment" in response.headers["Content-Disposition"]
        return await response.read()


async def judged(door: Door, event: Event, verdict: str) -> None:
    """Have an event with a picture kept, and judge it."""
    await keep(door, event, picture=PICTURE)
    await asked(door, f"/api/events/{event.id}", "admin", "PATCH", {"reviewed": verdict})


def a_defect(second: float = 0.0, **given: Any) -> Event:
    """One of the stream a."""
    return an_event(NOW - second, stream="a", label="defect", class_id=2, box=THING, **given)


async def test_csv_has_a_row_an_event_and_no_formula(tmp_path: Path) -> None:
    """The newest first, times in UTC; what would be a formula in a spreadsheet is a text there, quotes and all."""
    marks = (Mark("cross", "gate", NOW, "forward"),)
    event = a_defect(zones=("yard", "gate"), marks=marks, ended_at=NOW + 1)
    async with run_archived(tmp_path) as door:
        await keep(door, event, replace(a_defect(5), label="=1+1"))
        note = '@SUM(A1), "quoted"'
        await asked(door, f"/api/events/{event.id}", "admin", "PATCH", {"note": note, "reviewed": "confirmed"})
        text = (await taken(door, "format=csv")).decode()
    first, second = csv.DictReader(io.StringIO(text, newline=""))
    assert first["id"] == event.id
    assert (first["zones"], first["crossings"], first["reviewed"]) == ("yard; gate", "gate forward", "confirmed")
    assert first["note"] == f"'{note}"
    assert first["ended"].endswith("Z")
    assert (second["label"], second["ended"]) == ("'=1+1", "")


async def test_all_that_fits_comes_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, each comes once, in order, in questions of so many at the most."""
    monkeypatch.setattr(exports, "MAX_LIMIT", 2)
    events = [a_defect(second) for second in range(5)]
    async with run_archived(tmp_path) as door:
        await keep(door, *events, an_event(NOW, stream="a"), an_event(NOW, stream="b", label="defect"))
        found = json.loads(await taken(door, "format=json&class=defect", "viewer"))["events"]
        none = json.loads(await taken(door, "format=json&class=car"))
        assert found[0] == {**(await asked(door, f"/api/events/{events[0].id}")), "detections": found[0]["detections"]}
    assert [event["id"] for event in found] == of(events)
    assert none == {"events": []}


async def test_supervision_takes_the_detections_of_an_event(tmp_path: Path) -> None:
    """An event's `detections` in the JSON are those of supervision.Detections, by its own names."""
    async with run_archived(tmp_path) as door:
        await keep(door, a_defect(), picture=PICTURE)
        [event] = json.loads(await taken(door, "format=json"))["events"]
    columns: dict[str, Any] = {name: np.array(column) for name, column in event["detections"].items()}
    names = columns.pop("class_name")
    found = sv.Detections(**columns, data={"class_name": names})
    assert found.xyxy.tolist() == [list(THING), list(OTHER)]
    assert list(found.data["class_name"]) == ["defect", "insulator"]
    assert found.tracker_id is not None
    assert found.confidence is not None
    assert (found.tracker_id.tolist(), found.confidence.tolist()) == ([7, 8], [0.75, 0.6])


async def test_coco_has_what_was_confirmed_and_false_ones_without_their_box(tmp_path: Path) -> None:
    """A confirmed thing is annotated, a false one is a picture without it, and what nobody judged is not there."""
    right, wrong = a_defect(), a_defect(1)
    async with run_archived(tmp_path) as door:
        await judged(door, right, "confirmed")
        await judged(door, wrong, "false")
        await keep(door, a_defect(2), picture=PICTURE)
        await keep(door, a_defect(3))
        text = (await taken(door, "format=coco")).decode()
    path = tmp_path / "coco.json"
    path.write_text(text)
    coco = COCO(str(path))
    images = {image["event"]: image for image in coco.loadImgs(coco.getImgIds())}
    assert images.keys() == {right.id, wrong.id}
    assert images[right.id]["file_name"] == f"api/events/{right.id}/picture"

    def labels(event: Event) -> dict[str, list[float]]:
        found = coco.loadAnns(coco.getAnnIds(imgIds=[images[event.id]["id"]]))
        return {coco.cats[each["category_id"]]["name"]: each["bbox"] for each in found}

    assert labels(right) == {"defect": [100, 50, 200, 200], "insulator": [600, 300, 100, 100]}
    assert labels(wrong) == {"insulator": [600, 300, 100, 100]}


async def test_yolo_is_a_zip_of_pictures_and_labels(tmp_path: Path) -> None:
    """Each judged picture is in it as it was kept, with a label file in shares of its size, and the classes' names."""
    right, wrong = a_defect(), a_defect(1)
    lost = a_defect(2)
    async with run_archived(tmp_path) as door:
        await judged(door, right, "confirmed")
        await judged(door, wrong, "false")
        await judged(door, lost, "confirmed")
        archive_of(door).pictures.image(lost).unlink()
        data = await taken(door, "format=yolo")
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        assert made.testzip() is None
        names = yaml.safe_load(made.read("data.yaml"))["names"]
        assert {name for name in made.namelist() if "/" in name} == {
            f"{folder}/{event.id}.{kind}"
            for event in (right, wrong)
            for folder, kind in (("images", "jpg"), ("labels", "txt"))
        }
        assert made.read(f"images/{right.id}.jpg") == PICTURE.image
        rows = [line.split() for line in made.read(f"labels/{right.id}.txt").decode().splitlines()]
        assert [names[int(row[0])] for row in rows] == ["defect", "insulator"]
        assert [float(each) for each in rows[0][1:]] == pytest.approx(
            [200 / 1280, 150 / 720, 200 / 1280, 200 / 720], abs=1e-6
        )
        assert [names[int(row.split()[0])] for row in made.read(f"labels/{wrong.id}.txt").decode().splitlines()] == [
            "insulator"
        ]


@pytest.mark.parametrize("kind", ["csv", "json", "coco", "yolo"])
async def test_of_nothing_there_is_a_whole_file(tmp_path: Path, kind: str) -> None:
    """Where nothing fits, each format is one that can be read, with nothing in it."""
    async with run_archived(tmp_path) as door:
        data = await taken(door, f"format={kind}")
    if kind == "csv":
        assert list(csv.DictReader(io.StringIO(data.decode()))) == []
    elif kind == "yolo":
        assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["data.yaml"]
    else:
        assert not any(json.loads(data)[key] for key in ({"json": ["events"], "coco": ["images", "annotations"]}[kind]))


async def test_half_a_file_does_not_look_like_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the database goes away meanwhile, the connection breaks; where it is away before, the answer is 503."""
    monkeypatch.setattr(exports, "MAX_LIMIT", 1)
    async with run_archived(tmp_path) as door:
        await keep(door, a_defect(), a_defect(1))
        database = archive_of(door)._database
        real, questions = database.reading, 0

        def away() -> Any:
            nonlocal questions
            questions += 1
            if questions > 2:  # that for the streams there are, and the first page
                raise DatabaseAway("the server is gone")
            return real()

        monkeypatch.setattr(database, "reading", away)
        with pytest.raises(aiohttp.ClientPayloadError):
            await taken(door, "format=csv")
        assert await door.status("GET", "/api/events/export?format=csv", cookie("admin")) == 503


async def test_few_are_made_at_a_time(tmp_path: Path) -> None:
    """One more than AT_ONCE is 503 with a time to ask again."""
    async with run_archived(tmp_path) as door:
        door.application[exports.UNDER_WAY].update(object() for _ in range(exports.AT_ONCE))
        async with door.ask("GET", "/api/events/export?format=csv", cookie("admin")) as response:
            assert (response.status, int(response.headers["Retry-After"]) > 0) == (503, True)


async def test_who_takes_them_along_is_written_down(tmp_path: Path) -> None:
    """The audit has who it was and which format."""
    async with run_archived(tmp_path) as door:
        await taken(door, "format=csv", "viewer")
        [deed] = (await asked(door, "/api/audit?what=event"))["deeds"]
    assert (deed["who"], deed["what"], deed["target"]) == ("viewer", "event export", "csv")
