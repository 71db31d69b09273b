"""Pictures of events, as files."""

from pathlib import Path

import pytest

from streamer.archive.pictures import YOUNG, Pictures
from streamer.values.event import Picture
from tests.archive.events import NOON, a_picture, an_event


def test_a_picture_lies_in_its_streams_day(tmp_path: Path) -> None:
    """The folder is STREAM/YYYY/MM/DD of the event's beginning in UTC, and only its owner reads it."""
    pictures, event = Pictures(tmp_path), an_event(NOON)
    pictures.write(event, a_picture())
    assert pictures.image(event) == tmp_path / "porch" / "2025" / "11" / "29" / f"{event.id}.jpg"
    assert pictures.image(event).read_bytes() == b"image"
    assert pictures.thumbnail(event).read_bytes() == b"thumbnail"
    assert pictures.image(event).stat().st_mode & 0o777 == 0o600


def test_what_is_half_written_does_not_stay(tmp_path: Path) -> None:
    """A picture whose place is taken by a folder leaves nothing beside it."""
    pictures, event = Pictures(tmp_path), an_event()
    pictures.image(event).mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        pictures.write(event, a_picture())
    assert not list(tmp_path.rglob("*.part"))


def test_an_empty_day_goes_with_its_last_picture(tmp_path: Path) -> None:
    """Folders that nothing is in do not pile up; others stay."""
    pictures, today, tomorrow = Pictures(tmp_path), an_event(NOON), an_event(NOON + 86_400)
    pictures.write(today, a_picture())
    pictures.write(tomorrow, a_picture())
    pictures.remove([today])
    assert list(pictures.days()) == [pictures.image(tomorrow).parent]
    pictures.remove([tomorrow])
    assert list(tmp_path.iterdir()) == []


def test_strays_are_found_and_removed(tmp_path: Path) -> None:
    """What a killed service left is named by its day; what it never finished goes once it is old."""
    pictures, event, stray = Pictures(tmp_path), an_event(NOON), an_event(NOON + 1)
    for each in (event, stray):
        pictures.write(each, Picture(b"image", b"small"))
    (day,) = pictures.days()
    (day / "x.jpg.part").write_bytes(b"half")
    written_at = (day / "x.jpg.part").stat().st_mtime
    assert pictures.ids_in(day, written_at) == {event.id, stray.id}
    assert (day / "x.jpg.part").exists()
    assert pictures.ids_in(day, written_at + YOUNG + 1) == {event.id, stray.id}
    pictures.remove_strays(day, {stray.id})
    assert sorted(day.iterdir()) == sorted([pictures.image(event), pictures.thumbnail(event)])
