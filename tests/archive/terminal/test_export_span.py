"""A span in a folder, for whoever has no Sightline."""

import csv
import json
from pathlib import Path

import av
import pytest

from streamer.archive.recordings.segment import Segment
from streamer.archive.terminal.at_rest import AtRest
from streamer.archive.terminal.export_span import export_span
from streamer.values.errors import ConfigError
from tests.archive.events import NOON
from tests.archive.terminal.conftest import KEPT


def pictures(path: Path) -> int:
    with av.open(str(path)) as source:
        return sum(1 for _ in source.decode(video=0))


async def test_a_span_is_clips_boxes_events_and_pictures(archive: AtRest, tmp_path: Path) -> None:
    """A clip for each form of the video, what was found beside it, and the events that began in the span."""
    told: list[str] = []
    folder = tmp_path / "given"
    done = await export_span(archive, "porch", NOON + 2, NOON + 10, folder, told.append)
    first, second = "porch-2025-11-29T12-00-00Z", "porch-2025-11-29T12-00-08Z"
    assert {path.name for path in folder.iterdir()} == {
        f"{first}.mp4", f"{first}.json", f"{first}.vtt", f"{second}.mp4", f"{second}.json", f"{second}.vtt",
        "events.csv", "events.json", "pictures",
    }  # fmt: skip
    assert (done.clips, done.seconds, done.events, done.left_out) == (2, 8.0, 1, 0)
    assert pictures(folder / f"{first}.mp4") == 6 * 30
    assert pictures(folder / f"{second}.mp4") == 2 * 30
    samples = json.loads((folder / f"{first}.json").read_text())["samples"]
    assert [sample["at"] for sample in samples] == [round(0.2 * number, 3) for number in range(10)]
    assert [event["id"] for event in json.loads((folder / "events.json").read_text())["events"]] == [KEPT[1].id]
    assert [row["id"] for row in csv.DictReader((folder / "events.csv").read_text().splitlines())] == [KEPT[1].id]
    assert [path.name for path in (folder / "pictures").iterdir()] == [f"{KEPT[1].id}.jpg"]
    assert told


async def test_a_file_that_is_gone_is_left_out_and_said(
    archive: AtRest, segments: list[Segment], tmp_path: Path
) -> None:
    """What is there is given, and how much is not."""
    archive.files.path(segments[1]).unlink()
    done = await export_span(archive, "porch", NOON, NOON + 12, tmp_path / "given", lambda _: None)
    assert (done.clips, done.seconds, done.left_out) == (2, 8.0, 1)


async def test_nothing_is_written_over(archive: AtRest, tmp_path: Path) -> None:
    """A folder with something in it is refused in a sentence; so is one that is a file."""
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "mine").touch()
    with pytest.raises(ConfigError, match="is not empty"):
        await export_span(archive, "porch", NOON, NOON + 1, tmp_path / "given", lambda _: None)
    with pytest.raises(ConfigError, match="cannot be used"):
        await export_span(archive, "porch", NOON, NOON + 1, tmp_path / "given" / "mine", lambda _: None)
