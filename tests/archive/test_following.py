"""What one replica learns of what another keeps: by the database alone, within a second."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest

from streamer.archive import event_table, lying
from streamer.archive.alerts.leases import SECONDS
from streamer.archive.archive import Archive
from streamer.archive.claims import Claimed
from streamer.archive.database import Cursor, DatabaseAway
from streamer.archive.following import PAGE
from streamer.archive.kept import Kept
from streamer.archive.retention import DAY
from streamer.values.alert import AlertRule, Telling
from streamer.values.clock import monotonic
from streamer.values.epoch import Epoch
from streamer.values.event import Event
from tests.archive.events import NOON, a_picture, an_event
from tests.archive.replicas import LATER, Replicas
from tests.peers.until import until

CLAIMED = Claimed(Epoch("bucket", 1), NOON)


def away(**_: object) -> AbstractContextManager[Cursor]:
    """In the place of what reads and writes: the database cannot be reached."""
    raise DatabaseAway("cut off")


@asynccontextmanager
async def following(*archives: Archive) -> AsyncIterator[None]:
    """Open them, and have them write and follow for as long as the block lasts."""
    for archive in archives:
        await archive.open()
    tasks = [asyncio.ensure_future(run()) for archive in archives for run in (archive.write, archive.follow)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_events_of_all_replicas_are_told_everywhere_in_one_order(two: Replicas) -> None:
    """By the numbers of their changes, its own among the others'."""
    heard: dict[str, list[int]] = {"near": [], "far": []}
    near, far = (
        two.archive(name, on_kept=lambda some, name=name: heard[name].extend(kept.changed for kept in some))  # type: ignore[misc]
        for name in ("near", "far")
    )
    async with following(near, far):
        for number in range(20):
            (near, far)[number % 2].put(an_event(NOON + number, stream="ab"[number % 2]))
            await asyncio.sleep(0)
        await until(lambda: all(len(set(numbers)) == 20 for numbers in heard.values()))
    for numbers in heard.values():
        assert numbers == sorted(set(numbers))


async def test_who_tells_an_outlet_is_woken_by_letters_that_others_write(two: Replicas) -> None:
    """And only he has any to tell."""
    rule = AlertRule("all", outlets=("phone",))
    for archive in two.both:
        archive.alerts.change(Telling((rule,)), ["phone"])
    woken: list[str] = []
    for archive in two.both:
        archive.outbox.on_filled("phone", lambda: woken.append("woken"))
    async with following(*two.both):
        await until(lambda: any(archive.leases is not None and archive.leases.has("phone") for archive in two.both))
        assert two.near.leases is not None
        teller, writer = two.both if two.near.leases.has("phone") else two.both[::-1]
        woken.clear()
        teller.outbox.on_filled("phone", lambda: woken.append("teller"))
        writer.put(an_event(NOON, stream="a"))
        await until(lambda: "teller" in woken)
        [letter] = await teller.outbox.due("phone", NOON * 2, 10)
        assert letter.stream == "a"
        assert await writer.outbox.due("phone", NOON * 2, 10) == []


async def test_a_rule_that_is_made_at_one_replica_is_in_force_at_all(two: Replicas) -> None:
    """And gone everywhere once it is removed at another."""
    async with following(*two.both):
        await two.near.alerts.put_rule(AlertRule("night", streams=("porch",)), "somebody")
        await until(lambda: [rule.name for rule in two.far.alerts.telling.rules] == ["night"])
        await two.far.alerts.remove_rule("night")
        await until(lambda: two.near.alerts.telling.rules == ())


async def test_events_that_a_dead_replica_left_open_end_with_whoever_takes_its_stream(two: Replicas) -> None:
    """When they were seen last, told of once; and what the former owner says later of them opens none again."""
    heard: list[tuple[str, str]] = []
    far = two.archive("far", on_kept=lambda some: heard.extend((kept.event.id, kept.news) for kept in some))
    left, other = an_event(NOON, stream="a"), an_event(NOON + 1, stream="b")
    await two.near.open()
    for event in (left, other):
        two.near.put(event)
    await two.near.writer.settle()
    async with following(far):
        assert far.following is not None
        far.following.gained("a", CLAIMED)
        await until(lambda: (left.id, "ended") in heard)
    two.near.put(replace(left, last_at=left.last_at + 30))
    await two.near.writer.settle()
    with two.database.reading() as cursor:
        ended, going_on = (event_table.one(cursor, event.id) for event in (left, other))
    assert ended is not None
    assert going_on is not None
    assert (ended.event.ended_at, going_on.event.ended_at) == (left.last_at, None)


async def test_what_begins_after_another_replicas_newer_claim_is_not_kept(two: Replicas) -> None:
    """With a replica that reaches the database and not NATS; it is counted. What began before is kept."""
    newer = Claimed(Epoch("bucket", 2), NOON + 10)
    began, late = an_event(NOON + 9, stream="a"), an_event(NOON + 11, stream="a")
    waited, other = an_event(NOON + 9.5, stream="a"), an_event(NOON + 11, stream="b")
    near, far = two.both
    async with following(near, far):
        assert near.following is not None
        assert far.following is not None
        for stream in "ab":
            near.following.gained(stream, CLAIMED)
        near.put(began)
        await until(lambda: two.events() == {began.id})
        far.following.gained("a", newer)
        await until(lambda: ended(two, began))
        for event in (late, waited, other, replace(late, last_at=NOON + 20)):
            near.put(event, a_picture())
        await until(lambda: two.events() == {began.id, waited.id, other.id} and near.writer.outrun == 1)
        assert not near.pictures.image(late).exists()
        own = an_event(NOON + 12, stream="a")
        far.put(own)
        await until(lambda: own.id in two.events())
        near.put(replace(late, last_at=NOON + 30, ended_at=NOON + 30))
        back = an_event(NOON + 31, stream="a")
        near.following.gained("a", Claimed(Epoch("bucket", 3), NOON + 30))
        near.put(back)
        await until(lambda: back.id in two.events())
    assert late.id not in two.events()
    assert near.writer.outrun == 1


async def test_a_file_that_cannot_be_removed_keeps_nobody_from_following(
    two: Replicas, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, and tried at the next start; what else is to go goes, and all that is kept is told of."""
    heard: list[str] = []
    near = two.archive("near", on_kept=lambda some: heard.extend(kept.event.id for kept in some))
    folder, stuck = near.pictures.folder.parent, [f"pictures/a/{number}.jpg" for number in range(PAGE + 1)]
    for key in stuck:
        (folder / key / "not a file").mkdir(parents=True)
    (folder / "pictures/b").mkdir()
    goes = folder / "pictures/b/2.jpg"
    goes.write_bytes(b"x")
    with two.database.writing() as cursor:
        lying.doom(cursor, [("near", key) for key in (*stuck, "pictures/b/2.jpg")])
    async with following(near):
        await until(lambda: not goes.exists())
        event = an_event(NOON, stream="a")
        near.put(event)
        await until(lambda: event.id in heard)

    with two.database.reading() as cursor:
        assert sorted(lying.doomed(cursor, "near", 1000)) == sorted(stuck)
    assert sum("cannot be removed" in record.message for record in caplog.records) == len(stuck)


async def test_who_cannot_reach_the_database_tells_no_outlet_any_more_once_its_lease_is_over(two: Replicas) -> None:
    """As another tells it by then: of a broker's client there is one. Once it is reached again one of them has it."""
    near = two.near
    assert near.leases is not None
    changes: list[bool] = []
    near.alerts.change(Telling(), ["mqtt"])
    near.leases.on_change.append(lambda: changes.append(near.leases is not None and near.leases.has("mqtt")))
    reading, writing, skew = near._database.reading, near._database.writing, 0.0
    near.leases._clock = lambda: monotonic() + skew

    async with following(near):
        await until(lambda: changes == [True])
        near._database.reading = near._database.writing = away  # type: ignore[method-assign]
        skew = SECONDS
        await until(lambda: changes == [True, False])
        near._database.reading, near._database.writing = reading, writing  # type: ignore[method-assign]
        await until(lambda: changes == [True, False, True])


async def test_who_has_lost_a_stream_before_it_could_write_ends_none_of_its_events(two: Replicas) -> None:
    """They are going on at another replica: what ended stays so, and would be ended there too."""
    event, other = an_event(NOON, stream="a"), an_event(NOON, stream="b")
    await two.far.open()
    for each in (event, other):
        two.far.put(each)
    await two.far.writer.settle()
    assert two.near.following is not None
    for stream in "ab":
        two.near.following.gained(stream, CLAIMED)  # before it has a database
    two.near.following.lost("a")
    async with following(two.near):
        await until(lambda: ended(two, other))
    assert not ended(two, event)


async def test_a_stream_that_was_lost_while_the_database_was_away_is_taken_over_by_nobody_here(two: Replicas) -> None:
    """Its new owner's events are going on, when the attempt that failed would be made once more."""
    event, other = an_event(NOON, stream="a"), an_event(NOON, stream="b")
    await two.far.open()
    for each in (event, other):
        two.far.put(each)
    await two.far.writer.settle()
    known = two.near.following
    assert known is not None
    take_over = known._take_over
    attempts: list[str] = []

    def away(stream: str, claimed: Claimed) -> None:
        attempts.append(stream)
        if attempts.count(stream) == 1:
            known.lost("a")
            raise DatabaseAway("for a moment")
        take_over(stream, claimed)

    known._take_over = away
    for stream in "ab":
        known.gained(stream, CLAIMED)
    async with following(two.near):
        await until(lambda: ended(two, other))
    assert not ended(two, event)
    assert attempts.count("a") == 1


async def test_who_ends_an_event_of_a_dead_replica_is_the_one_to_tell_of_it(two: Replicas) -> None:
    """Once: its own are its to tell as ever, and the others' ends are of whoever ended them."""
    told: list[tuple[str, str, bool]] = []
    archives: dict[str, Archive] = {}

    def heard(name: str, some: Sequence[Kept]) -> None:
        ours = [kept.event for kept in some if archives[name].is_to_tell(kept)]
        told.extend((name, event.id, event.ended_at is not None) for event in ours)

    for name in ("near", "far"):
        archives[name] = two.archive(name, on_kept=partial(heard, name))
    near, far = archives.values()
    left = an_event(NOON, stream="a")
    with two.database.writing() as cursor:
        event_table.put(cursor, [(left, None)], "dead")
    async with following(near, far):
        assert far.following is not None
        far.following.gained("a", CLAIMED)
        await until(lambda: ("far", left.id, True) in told)
        last = an_event(NOON, stream="b")
        near.put(last)
        await until(lambda: ("near", last.id, False) in told)
    assert [each for each in told if each[1] == left.id] == [("far", left.id, True)]


def test_an_event_that_was_not_seen_for_a_day_ends_though_nobody_runs_its_stream(two: Replicas) -> None:
    """Its replica does not come back; then it goes in its time, as any other."""
    left, going_on = an_event(LATER - 1.1 * DAY, stream="a"), an_event(LATER - 0.9 * DAY, stream="a")
    old = an_event(LATER - 100 * DAY, stream="a")
    with two.database.writing() as cursor:
        event_table.put(cursor, [(left, None), (going_on, None), (old, None)], "dead")
    two.near.upkeep.step()
    assert [ended(two, event) for event in (left, going_on)] == [True, False]
    two.near.upkeep.step()
    assert two.events() == {left.id, going_on.id}


def ended(replicas: Replicas, event: Event) -> bool:
    with replicas.database.reading() as cursor:
        kept = event_table.one(cursor, event.id)
    return kept is not None and kept.event.ended_at is not None
