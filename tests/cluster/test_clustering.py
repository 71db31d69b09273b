"""streamer.clustering: what a service asks of its cluster, and what comes of it where another is first or NATS away."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from streamer import config
from streamer.cluster.bucket import LARGEST, NatsAway, Outrun
from streamer.cluster.claims import Claim
from streamer.cluster.member import Member
from streamer.cluster.registry import RecordHeard, Writing
from streamer.clustering import Clustering
from streamer.config import ClusterSettings
from streamer.control.roster import Entry
from streamer.control.statefile import Kept
from streamer.control.stream_changes import StreamChanges
from streamer.values.errors import Refused
from tests.peers.clock import FakeClock
from tests.peers.until import until


class Made:
    """A bucket that takes all that comes, or fails at the next, or waits before it."""

    def __init__(self) -> None:
        self.revision = 0
        self.written: list[Writing] = []
        self.fails: Exception | None = None
        self.fails_after = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.claims = 0

    async def write(self, writing: Writing) -> RecordHeard:
        """Take a record."""
        await self.gate.wait()
        if self.fails is not None and len(self.written) >= self.fails_after:
            raise self.fails
        self.revision += 1
        self.written.append(writing)
        return RecordHeard(writing.kind, writing.stream, writing.record, self.revision)

    async def claim(self, stream: str, owner: str, last: int) -> Claim:
        """Take a claim."""
        self.claims += 1
        await self.gate.wait()
        if last != self.revision:
            raise Outrun
        self.revision += 1
        return Claim(stream, owner, self.revision)


def clustering(bucket: Any) -> Clustering:
    """Of replica a, connected to a bucket; None: to none."""
    settings = ClusterSettings(nats=["nats://127.0.0.1:1"], url="http://h:1", key="k" * 40, replica="a")
    made = Clustering(settings, clock=FakeClock())
    made._registry.opens("first")
    made._registry.caught_up()
    made._replica._bucket = bucket
    return made


async def test_what_a_file_says_is_compared_as_it_is_read_again() -> None:
    """Numbers are keys in YAML and none in JSON: what is written once is not written each turn."""
    own = clustering(None)
    own.say({"road": {"url": "rtsp://h/", "zones": {1: {"points": [[0, 0], [1, 0], [1, 1]]}}}})
    [writing] = own._registry.due(own._mine, "a", {"a"})
    own._registry.heard(RecordHeard("file", "road", writing.record, 1))
    assert own._registry.due(own._mine, "a", {"a"}) == []


async def test_what_is_too_large_is_refused_and_told_to_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Of a file with a word in the log, of the API with one to whoever asked."""
    bucket = Made()
    own = clustering(bucket)
    large: dict[str, Any] = {"url": "rtsp://h/", "labels": {"site": "n" * LARGEST}}
    own.say({"road": large, "yard": {"url": "rtsp://h/"}})
    assert [each.stream for each in own._registry.due(own._mine, "a", {"a"})] == ["yard"]
    assert "road: is not told to the other replicas" in caplog.text
    with pytest.raises(Refused, match="bytes at the most") as refused:
        await own.keep(Kept(), Kept({"gate": large}))
    assert (refused.value.status, bucket.written) == (422, [])


async def test_nothing_was_changed_is_said_where_nothing_was_sent() -> None:
    """Else it may have been."""
    change = (Kept(), Kept({"gate": {"url": "rtsp://h/"}}, frozenset({"gate"})))
    with pytest.raises(Refused, match=r"nothing was changed$"):
        await clustering(None).keep(*change)
    bucket = Made()
    bucket.fails, bucket.fails_after = NatsAway("NATS does not answer"), 1
    with pytest.raises(Refused, match=r"may have been changed or not: look at it$") as refused:
        await clustering(bucket).keep(*change)
    assert (refused.value.status, [each.kind for each in bucket.written]) == (503, ["paused"])


async def test_two_who_want_a_name_at_once_have_one_claim() -> None:
    """The second does not outrun the first, which keeps it."""
    bucket = Made()
    own = clustering(bucket)
    bucket.gate.clear()
    both = [asyncio.create_task(own.claim("drone")) for _ in range(2)]
    await until(lambda: bucket.claims)
    bucket.gate.set()
    await asyncio.gather(*both)
    assert (bucket.claims, own._published) == (1, {"drone"})
    own.let_go("drone")
    assert own._published == set()


async def test_a_stream_of_the_file_of_one_that_is_gone_is_removed() -> None:
    """It may never come back; of one that lives its file has the say, and while that is not known nobody does."""
    bucket = Made()
    own = clustering(bucket)
    said = json.dumps({"settings": {"url": "rtsp://h/"}, "replica": "b"}).encode()
    own._registry.heard(RecordHeard("file", "road", said, 1))
    bucket.revision = 1
    assert not await own.forget("road")
    now = own._clock()
    own._ownership.opens("first")
    own._ownership.listens(now - 10)
    own._ownership.spoke(now)
    for name in ("a", "b"):
        member = own._member if name == "a" else Member(name="b", life="00000000", url="http://b:1", capacity=1)
        own._ownership.heard_member(member, 1, now)
    assert not await own.forget("road")
    own._ownership.heard_good_bye("b-00000000", 2)
    assert await own.forget("road")
    assert not own.is_shared("road")
    assert [(each.kind, each.record) for each in bucket.written] == [("file", b"null")]


async def test_a_name_that_is_asked_for_while_it_is_given_up_is_claimed_again() -> None:
    """Who publishes anew as the claim of before is being deleted is not sent away: nobody else has the name."""
    bucket, sent_away = Made(), list[str]()
    own = clustering(bucket)
    own.on_published_elsewhere = sent_away.append
    own._ownership.opens("first")
    own._ownership.listens(0.0)
    await own.claim("phone")
    assert "phone" in own._ownership.held
    own.let_go("phone")
    own._take_in()
    await own.claim("phone")
    own._ownership.heard_claim(Claim("phone", None, bucket.revision + 1), 0.0)
    own._take_in()
    assert (sent_away, own._ownership.pushed, own.claims_lost) == ([], {"phone"}, 0)


async def test_a_stream_that_is_gained_begins_while_a_change_is_written() -> None:
    """NATS may be slow to take what the API changed: what is ours by then runs, and what is not ends."""
    bucket, applied = Made(), list[set[str]]()
    own = clustering(bucket)
    own._ownership.opens("first")
    own._ownership.listens(0.0)
    for number, name in enumerate(("road", "yard"), start=1):
        record = json.dumps({"settings": {"url": "rtsp://h/"}}).encode()
        own._registry.heard(RecordHeard("added", name, record, number))
    bucket.revision = 2

    async def allow(*_: Any) -> None:
        return

    async def apply(entries: Mapping[str, Entry]) -> None:
        applied.append(set(own.of_ours(entries)))

    changes = StreamChanges(config.parse({}), None, judge=allow, apply=apply, shared=own)
    own.on_change = changes.follow
    following = asyncio.create_task(own._follow())
    try:
        await until(lambda: applied)
        bucket.gate.clear()
        change = asyncio.create_task(changes.add({"name": "gate", "url": "rtsp://h/"}, taken=lambda _: False))
        await until(changes._changing.locked)
        own._ownership.heard_claim(Claim("road", own._member.id, 3), 0.0)
        await until(lambda: applied[-1] == {"road"})
        own._ownership.heard_claim(Claim("road", "b-00000000", 4), 0.0)
        own._ownership.heard_claim(Claim("yard", own._member.id, 5), 0.0)
        await until(lambda: applied[-1] == {"yard"})
        assert not change.done()
        bucket.gate.set()
        await change
        assert changes.has("gate")
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
