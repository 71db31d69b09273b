"""Two replicas of a cluster with one PostgreSQL, and a disk each: what lies with one is nothing to the other."""

import asyncio

from streamer.archive import event_table, lying
from streamer.archive.archive import Archive
from streamer.archive.recordings import segment_table
from streamer.archive.recordings.recovery import Recovery
from streamer.archive.recordings.rules import DAY
from streamer.archive.recordings.segment import Segment
from streamer.values.event import Event
from tests.archive.events import NOON, a_picture, an_event
from tests.archive.recordings.segments import a_segment
from tests.archive.replicas import LATER, Replicas
from tests.archive.test_following import following
from tests.peers.until import until


def recorded(archive: Archive, *segments: Segment, written: bool = True) -> None:
    """By its recorder."""
    for segment in segments:
        path = archive.recordings.path(segment)
        if written:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(segment.size))
        archive.recordings.put(segment)
    archive.recordings.writer.flush()


def kept(archive: Archive, *events: Event) -> None:
    """With pictures."""
    for event in events:
        archive.pictures.write(event, a_picture())
    judge = archive.writer._judge
    with archive._database.writing() as cursor:
        judge.put(cursor, [(event, a_picture()) for event in events])


def started(archive: Archive) -> None:
    """What it does of itself at a start and after, in the threads where it does so."""
    archive._open()
    Recovery(archive.recordings, lambda _: False).run()
    while archive.recordings.upkeep.step(LATER):
        pass
    archive.upkeep.step()
    archive.upkeep.sweep()


def test_neither_takes_the_others_files_for_gone_or_for_its_own(two: Replicas) -> None:
    """Each starts, looks for strays and for what was left, and tidies: all rows, and all files, stay as they were."""
    for number, archive in enumerate(two.both):
        recorded(archive, a_segment(NOON + number), a_segment(NOON + 60 + number, has_event=True))
        recorded(archive, a_segment(NOON + 120 + number, ended_at=None), written=False)  # nothing is on disk yet
        kept(archive, an_event(NOON + number), an_event(NOON + 5 + number, ended_at=NOON + 9))
    segments, events = two.segments(), two.events()
    started(two.near)
    assert two.events() == events
    with two.database.reading() as cursor:
        lost = segments - two.segments()
        assert [each.replica for each in segment_table.unended(cursor)] == ["far"]
        assert cursor.all("SELECT replica, COUNT(*) FROM event WHERE ended_ms IS NULL GROUP BY replica") == [("far", 1)]
        assert len(lost) == 1, "of its own, of which there was nothing on disk"
    for archive in two.both:
        assert len(list(archive.recordings.folder.rglob("*.mp4"))) == 2
        assert len(list(archive.pictures.folder.rglob("*.jpg"))) == 4


def test_one_whose_file_is_gone_is_forgotten_by_the_replica_that_had_it(two: Replicas) -> None:
    """And by no other."""
    gone, left = a_segment(NOON), a_segment(NOON + 1)
    recorded(two.far, gone, left)
    two.far.recordings.path(gone).unlink()
    started(two.near)
    assert two.segments() == {gone.id, left.id}
    started(two.far)
    assert two.segments() == {left.id}


def test_each_keeps_so_many_bytes_of_its_own(two: Replicas) -> None:
    """The limit is one of a disk: what lies with another neither counts nor goes."""
    small = two.archive("near", keep_bytes=2000)
    for archive in (small, two.far):
        recorded(archive, *(a_segment(NOON + number) for number in range(4)))
    started(small)
    with two.database.reading() as cursor:
        counts: dict[str, int] = dict(cursor.all("SELECT replica, COUNT(*) FROM segment GROUP BY replica"))
    assert counts == {"near": 2, "far": 4}
    assert small.recordings.held.size == 2000


def test_what_a_replica_that_is_gone_has_not_let_go_of_others_do_a_day_later(two: Replicas) -> None:
    """Of its rows; its files are its own to remove, once it is back."""
    old, older = a_segment(LATER - 7.5 * DAY), a_segment(LATER - 8.5 * DAY)
    open_ = a_segment(LATER - 8.4 * DAY, ended_at=None)
    recent, past = an_event(LATER - 7.5 * DAY, ended_at=LATER), an_event(LATER - 8.5 * DAY, ended_at=LATER)
    recorded(two.far, old, older, open_)
    kept(two.far, recent, past)
    started(two.near)
    assert (two.segments(), two.events()) == ({old.id}, {recent.id})
    assert len(list(two.far.recordings.folder.rglob("*.mp4"))) == 3
    with two.database.reading() as cursor:
        doomed = set(lying.doomed(cursor, "far", 10))
    assert doomed == {*map(two.far.recordings.files.key, (older, open_)), *two.far.pictures.keys(past)}


async def test_what_somebody_removes_anywhere_goes_from_the_disk_it_is_on(two: Replicas) -> None:
    """Within a moment, and is not taken for a recording that was left, however its replica starts meanwhile."""
    segment, event = a_segment(NOON), an_event(NOON)
    recorded(two.far, segment)
    kept(two.far, event)
    await two.near.open()
    assert (await two.near.recordings.remove("porch", NOON - 1, NOON + 100)).segments == 1
    assert await two.near.remove(event.id)
    Recovery(two.far.recordings, lambda _: False).run()
    assert (two.segments(), two.events()) == (set(), set())
    await two.far.open()
    following = asyncio.create_task(two.far.follow())
    try:
        await until(lambda: not list(two.far.recordings.folder.rglob("*.mp4")))
        await until(lambda: not list(two.far.pictures.folder.rglob("*.jpg")))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    two.far.put(event)  # it goes on where it was seen
    await two.far.writer.settle()
    assert two.events() == set()


def test_what_was_kept_before_there_was_a_cluster_is_whose_disk_it_lies_on(two: Replicas) -> None:
    """Rows without a name are taken by who has their files; by another's start they are left as they are."""
    alone = two.archive("far", None)
    segment, left, event = a_segment(NOON), a_segment(NOON + 60, ended_at=None), an_event(NOON, ended_at=NOON + 1)
    recorded(alone, segment, left)
    kept(alone, event)
    started(two.near)
    assert (two.segments(), two.events()) == ({segment.id, left.id}, {event.id})
    two.far.recordings.path(left).unlink()
    started(two.far)
    with two.database.reading() as cursor:
        found = segment_table.one(cursor, segment.id)
        of_event = event_table.one(cursor, event.id)
    assert found is not None
    assert of_event is not None
    assert (found.replica, of_event.replica) == ("far", "far")


async def test_what_was_recorded_under_another_name_or_none_goes_with_its_row(two: Replicas) -> None:
    """Whoever removes it, and whether or not its replica runs then: it is not taken for a recording that was left."""
    alone, old = two.archive("far", None), two.archive("far", "old")
    nobodys, renamed = a_segment(NOON), a_segment(NOON + 60)
    recorded(alone, nobodys)
    recorded(old, renamed)
    await two.near.open()
    assert (await two.near.recordings.remove("porch", NOON - 1, NOON + 200)).segments == 2
    assert len(list(two.far.recordings.folder.rglob("*.mp4"))) == 2
    Recovery(two.far.recordings, lambda _: False).run()
    assert two.segments() == set()
    async with following(two.far):
        await until(lambda: not list(two.far.recordings.folder.rglob("*.mp4")))


async def test_what_names_nobody_and_lies_here_goes_at_once(two: Replicas) -> None:
    """Its replica has not looked yet whose it is."""
    alone, segment = two.archive("near", None), a_segment(NOON)
    recorded(alone, segment)
    await two.near.open()
    assert (await two.near.recordings.remove("porch", NOON - 1, NOON + 100)).segments == 1
    assert not list(two.near.recordings.folder.rglob("*.mp4"))
    with two.database.reading() as cursor:
        assert cursor.all("SELECT COUNT(*) FROM doomed_file") == [(0,)]
