"""streamer.cluster.replica: what it does by turns, with a bucket that is made up, in made-up time."""

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from streamer.cluster.bucket import Bucket, Echo, NatsAway, Outrun, Rejected
from streamer.cluster.claims import Claim
from streamer.cluster.member import Member
from streamer.cluster.ownership import Ownership
from streamer.cluster.registry import RecordHeard, Registry, Writing
from streamer.cluster.replica import Replica
from streamer.cluster.servers import Servers
from streamer.cluster.shared import SharedStream
from tests.cluster.crowd import member
from tests.peers.clock import FakeClock

ROAD, YARD = {"url": "rtsp://h/road"}, {"url": "rtsp://h/yard"}


class Made(Bucket):
    """One that takes what it is told to take."""

    def __init__(self) -> None:
        self.born = "first"
        self.revision = 100
        self.written: list[str] = []
        """The names of streams, in order."""
        self.rejects: set[str] = set()
        self.is_emptied = False
        self.on_call: Callable[[int], object] = lambda _: None

    async def claim(self, stream: str, owner: str, last: int) -> Claim:
        """Take a claim."""
        return Claim(stream, owner, self._take(f"claim.{stream}", last))

    async def write(self, writing: Writing) -> RecordHeard:
        """Take a record."""
        revision = self._take(f"{writing.kind}.{writing.stream}", writing.last)
        return RecordHeard(writing.kind, writing.stream, writing.record, revision)

    async def call(self, _: str) -> int:
        """Take a call, which comes back."""
        self.on_call(self.revision)
        return self.revision

    async def speak(self, _: Member) -> int:
        """Take our own."""
        return self._take("member", 0)

    def _take(self, key: str, last: int) -> int:
        if key in self.rejects:
            raise Rejected("JetStream refuses: it is too large")
        if self.is_emptied and last:
            raise Outrun("another was first")
        self.revision += 1
        self.written.append(key)
        return self.revision


class Acting:
    """Replica a, which takes its turns when it is told to."""

    def __init__(self, mine: Mapping[str, Mapping[str, Any]], *shared: str) -> None:
        self.clock, self.bucket, self.registry = FakeClock(), Made(), Registry()
        self.ownership = Ownership("a-00000000", on_gain=lambda *_: None, on_loss=lambda _: None)
        self.replica = Replica(Servers(()), "test", member("a"), self.ownership, self.registry, clock=self.clock)
        self.replica.share([SharedStream(name) for name in shared])
        self.replica.say(mine)
        self.ownership.opens("first")
        self.registry.opens("first")
        self.revision = 0

    def listens(self) -> None:
        """Have heard all."""
        self.ownership.listens(self.clock())
        self.registry.caught_up()
        self.replica._bucket = self.bucket

    def echoes(self) -> None:
        """Have calls come back."""
        self.bucket.on_call = lambda revision: self.replica._take_in(Echo("a", revision))

    def hear(self, *members: Member) -> None:
        """Hear the record of each."""
        for each in members:
            self.revision += 1
            self.ownership.heard_member(each, self.revision, self.clock())

    async def live(self, seconds: float, *members: Member) -> None:
        """Take turns, and hear what these write."""
        for _ in range(round(seconds * 4)):
            self.clock.now += 0.25
            self.ownership.spoke(self.clock())
            self.hear(*members)
            await self.replica._take_turn()


async def test_a_record_that_nats_does_not_take_stops_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    """Claims come first, other records are written, and of this one the log says so once."""
    acting = Acting({"road": ROAD, "yard": YARD}, "cam")
    acting.bucket.rejects = {"file.road", "claim.cam"}
    acting.listens()
    await acting.live(3, member("a"))
    assert set(acting.bucket.written) == {"file.yard"}
    acting.bucket.rejects = {"file.road"}
    await acting.live(1, member("a"))
    assert acting.bucket.written.count("claim.cam") == 1
    words = [record.getMessage() for record in caplog.records]
    assert len(words) == 2
    assert (
        "the record file of road cannot be written for the other replicas: JetStream refuses: it is too large" in words
    )


async def test_of_a_bucket_that_was_emptied_all_is_read_anew() -> None:
    """Nobody is told of that: who is outrun by what it never hears ends its connection."""
    acting = Acting({}, "cam")
    acting.ownership.heard_claim(Claim("cam", "b-00000000", 7), 0)
    acting.listens()
    acting.bucket.is_emptied = True
    await acting.live(3.5, member("a"))
    assert not acting.replica._is_stuck
    await acting.live(2, member("a"))
    acting.echoes()
    with pytest.raises(NatsAway, match="read anew"):
        await acting.replica._speak(acting.bucket)


async def test_who_does_not_hear_the_others_takes_nobody_s_place() -> None:
    """Another's file holds while it is not known who lives; when it is, and that one does not, ours does."""
    acting = Acting({"road": YARD})
    said = json.dumps({"settings": ROAD, "replica": "b"}).encode()
    acting.registry.heard(RecordHeard("file", "road", said, 9))
    acting.listens()
    await acting.live(10)
    assert acting.bucket.written == []
    await acting.live(3, member("a"), member("b"))
    assert acting.bucket.written == []
    await acting.live(6, member("a"))
    assert acting.bucket.written == ["file.road"]


async def test_two_of_one_name_do_not_write_over_each_other(caplog: pytest.LogCaptureFixture) -> None:
    """As of a machine that was cloned: it is an error that is said once; our own former life is none."""
    twin = member("a", life="11111111")
    acting = Acting({"road": ROAD})
    acting.hear(twin)
    acting.listens()
    await acting.live(3, member("a"))
    assert acting.bucket.written == ["file.road"]
    assert not caplog.records
    acting.replica.say({"road": YARD})
    acting.hear(twin)
    await acting.live(3, twin, member("a"))
    assert acting.bucket.written == ["file.road"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "another replica that runs is called a, too" in caplog.text
    await acting.live(6, member("a"))
    assert acting.bucket.written == ["file.road"] * 2


async def test_what_each_member_says_each_second_costs_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer is looked at at once, and one that comes back; and what might move is weighed once a second."""
    weighed: list[float] = []
    acting = Acting({}, "cam")
    monkeypatch.setattr("streamer.cluster.ownership.next_move", lambda *_: weighed.append(acting.clock()))
    acting.listens()
    hear = acting.ownership.heard_member
    assert hear(member("b"), 1, acting.clock())
    assert not hear(member("b", 20), 2, acting.clock())
    acting.clock.advance(4)
    assert hear(member("b"), 3, acting.clock())
    await acting.live(10, member("a"))
    assert 5 <= len(weighed) <= 10
    assert all(later - earlier >= 1 for earlier, later in itertools.pairwise(weighed))


async def test_a_bucket_that_never_tells_what_it_holds_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watch that is lost as it begins, when the bucket's leader changes, would leave us deaf for ever."""
    hurry(monkeypatch)
    acting = Acting({})
    acting.bucket.on_call = lambda _: acting.clock.advance(3)
    with pytest.raises(NatsAway, match="does not tell what it holds"):
        await acting.replica._speak(acting.bucket)
    assert acting.bucket.written == []


async def test_who_calls_and_is_not_answered_is_not_counted_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that was cut off tells of the bucket as it was, and takes what is written: our record is not yet."""
    hurry(monkeypatch)
    acting = Acting({})
    acting.listens()
    acting.replica._take_in(Echo("a", 99))  # of a call before
    acting.replica._take_in(Echo("b", 200))
    with pytest.raises(NatsAway, match="does not come back"):
        await acting.replica._speak(acting.bucket)
    assert acting.bucket.written == []


async def test_who_does_not_hear_what_he_writes_connects_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """However well it began."""
    hurry(monkeypatch)
    acting, spoken = Acting({}), 0
    acting.listens()
    acting.echoes()

    async def speak(_: Member) -> int:
        nonlocal spoken
        spoken += 1
        if spoken <= 3:
            acting.ownership.heard_member(member("a"), spoken, acting.clock())
        return spoken

    monkeypatch.setattr(acting.bucket, "speak", speak)
    with pytest.raises(NatsAway, match="does not come back"):
        await acting.replica._speak(acting.bucket)
    assert spoken == 4


async def test_who_leaves_is_not_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """He has taken his record away, and hands over what he has by the connection that there is."""
    hurry(monkeypatch)
    acting, spoken = Acting({}), asyncio.Event()
    acting.listens()
    acting.echoes()

    async def speak(_: Member) -> int:
        acting.replica._leaves = True
        spoken.set()
        return 1

    monkeypatch.setattr(acting.bucket, "speak", speak)
    speaking = asyncio.create_task(acting.replica._speak(acting.bucket))
    await spoken.wait()
    for _ in range(50):  # more looks than there are
        await asyncio.sleep(0)
    assert not speaking.done()
    speaking.cancel()


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing."""
    for name in ("BEAT", "PAUSE"):
        monkeypatch.setattr(f"streamer.cluster.replica.{name}", 0.0)
