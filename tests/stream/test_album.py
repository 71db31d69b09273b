"""The best picture of each event that goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from streamer.stream import album as album_file
from streamer.stream.album import MOST_WAITING, Album
from streamer.values.clock import monotonic
from streamer.values.errands import Errands
from streamer.values.event import Event, Picture
from streamer.values.frame import Frame
from streamer.values.mishaps import Mishaps
from tests.archive.events import NOON, an_event
from tests.peers.frames import make_frame, make_picture
from tests.peers.until import until


class Kept:
    """What was handed over."""

    def __init__(self) -> None:
        self.pictures: list[tuple[str, Picture]] = []

    def __call__(self, event: Event, picture: Picture) -> None:
        self.pictures.append((event.id, picture))


def make_album(kept: Kept) -> Album:
    return Album(Errands(1, "test"), kept, Mishaps("pictures cannot be drawn", clock=monotonic))


@asynccontextmanager
async def running(album: Album) -> AsyncIterator[None]:
    task = asyncio.create_task(album.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def a_frame(width: int = 320, seed: int = 1) -> Frame:
    return make_frame(picture=make_picture(width, 180, seed=seed))


async def test_a_picture_is_kept_when_it_is_due_and_not_before() -> None:
    """What is drawn is held until its event is to be kept, and handed over once."""
    kept, event = Kept(), an_event()
    album = make_album(kept)
    async with running(album):
        album.know(event, keep=False)
        album.take(event, a_frame(), ())
        await until(lambda: album._pages[event.id].picture)
        assert kept.pictures == []
        album.know(event, keep=True)
        album.know(event, keep=True)
        assert len(kept.pictures) == 1


async def test_an_event_that_ends_while_its_picture_is_drawn_gets_it() -> None:
    """The picture comes when it is ready, and then nothing is held of the event any more."""
    kept, event = Kept(), an_event()
    album = make_album(kept)
    album.know(event, keep=False)
    album.take(event, a_frame(), ())
    album.know(replace(event, ended_at=NOON + 5), keep=True)
    assert kept.pictures == []
    async with running(album):
        await until(lambda: kept.pictures)
    assert album._pages == {}


async def test_the_newest_frames_are_drawn_and_others_give_way() -> None:
    """More frames than may wait: the oldest are dropped, counted, and their events wait for nothing."""
    kept = Kept()
    album = make_album(kept)
    events = [an_event(NOON + number, ended_at=NOON + 9) for number in range(MOST_WAITING + 2)]
    for event in events:
        album.take(event, a_frame(), ())
        album.know(event, keep=True)
    assert album.dropped == {"late": 2, "failed": 0}
    async with running(album):
        await until(lambda: len(kept.pictures) == MOST_WAITING)
    assert [id_ for id_, _ in kept.pictures] == [event.id for event in events[2:]]
    assert album._pages == {}


async def test_what_cannot_be_drawn_is_waited_for_no_longer() -> None:
    """A picture that fails to be drawn costs that picture, which is counted, and the next one is drawn."""
    kept, broken, whole = Kept(), an_event(NOON, ended_at=NOON), an_event(NOON + 1, ended_at=NOON)
    album = make_album(kept)
    album.take(replace(broken, box=(float("nan"),) * 4), a_frame(), ())
    album.know(broken, keep=True)
    album.take(whole, a_frame(), ())
    album.know(whole, keep=True)
    async with running(album):
        await until(lambda: kept.pictures)
    assert [id_ for id_, _ in kept.pictures] == [whole.id]
    assert album._pages == {}
    assert album.dropped == {"late": 0, "failed": 1}


async def test_what_there_is_no_room_for_is_kept_early(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Beyond the bytes that may be held, pictures of the oldest events are handed over at once."""
    monkeypatch.setattr(album_file, "MOST_BYTES", 1)
    kept, event = Kept(), an_event()
    album = make_album(kept)
    async with running(album):
        album.know(event, keep=False)
        album.take(event, a_frame(), ())
        await until(lambda: kept.pictures)
