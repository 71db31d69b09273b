"""streamer.cluster.bucket: the store, by a real NATS."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from streamer.cluster.bucket import LARGEST, Bucket, CaughtUp, GoodBye, MemberHeard, NatsAway, Outrun, Rejected, opened
from streamer.cluster.claims import Claim
from streamer.cluster.registry import RecordHeard, Writing
from streamer.cluster.servers import Servers, Tls
from tests.cluster.crowd import member
from tests.peers.nats_server import NatsServer, run_nats_server
from tests.peers.process import free_port

ANYBODY = Servers(())


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is slow is waited for."""
    monkeypatch.setattr("streamer.cluster.bucket.ANSWER", 60.0)
    monkeypatch.setattr("streamer.cluster.bucket.PATIENCE", 60.0)


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    """One for all tests of this file."""
    with run_nats_server() as running:
        yield running


@pytest.fixture
async def bucket(server: NatsServer, request: pytest.FixtureRequest) -> AsyncIterator[Bucket]:
    """Of a cluster that no other test has."""
    async with opened(ANYBODY, server.url, request.node.name) as made:
        yield made


async def test_of_racing_claims_exactly_one_wins(bucket: Bucket) -> None:
    """Whether nobody had the stream, its owner is dead, or it was given up."""
    last = 0
    for _ in range(3):
        races = [bucket.claim("cam", f"m{n}", last) for n in range(8)]
        won = [each for each in await asyncio.gather(*races, return_exceptions=True) if isinstance(each, Claim)]
        assert len(won) == 1
        last = won[0].epoch
    await bucket.give("cam", last)
    races = [bucket.claim("cam", f"m{n}", last + 1) for n in range(8)]
    assert sum(isinstance(each, Claim) for each in await asyncio.gather(*races, return_exceptions=True)) == 1


async def test_a_claim_that_is_another_s_by_now_is_not_given_up(bucket: Bucket) -> None:
    """Who hands over takes nothing from whom was faster."""
    first = await bucket.claim("cam", "a", 0)
    await bucket.claim("cam", "b", first.epoch)
    with pytest.raises(Outrun):
        await bucket.give("cam", first.epoch)


async def test_all_that_stands_there_is_told_and_then_what_is_new(bucket: Bucket) -> None:
    """Names may have dots in every place; what cannot be read is nobody's claim, and no member."""
    a = member("a.b..")
    await bucket.speak(a)
    claim = await bucket.claim("cam..1.", a.id, 0)
    news = bucket.hear()
    first, second = await anext(news), await anext(news)
    assert isinstance(first, MemberHeard)
    assert (first.member, second) == (a, claim)
    assert await anext(news) == CaughtUp()
    await bucket._store.put("claim.cam==1=", b"nonsense")
    await bucket._store.put("member.x", b"nonsense")
    await bucket.clear(a.id)
    assert await anext(news) == Claim("cam..1.", None, claim.epoch + 1)
    good_bye = await anext(news)
    assert isinstance(good_bye, GoodBye)
    assert (good_bye.member, bucket.unreadable) == (a.id, 2)
    await news.aclose()


async def test_a_bucket_is_the_same_for_all_who_open_it(bucket: Bucket, server: NatsServer) -> None:
    """Also for those who make it at the same time: by when it was made."""

    async def born() -> str:
        async with opened(ANYBODY, server.url, "raced") as other:
            return other.born

    several = await asyncio.gather(*(born() for _ in range(4)))
    assert len(set(several)) == 1
    assert bucket.born not in several


async def test_who_is_not_let_in_is_told_why_and_no_password() -> None:
    """In one sentence, with the server's place."""
    with run_nats_server("authorization { user: ann, password: good }") as server:
        url = server.url.replace("//", "//ann:hunter2@")
        with pytest.raises(NatsAway, match=rf"^127\.0\.0\.1:{server.port}: NATS does not let us in") as refused:
            async with opened(Servers((url,)), url, "test"):
                pass
        assert "hunter2" not in str(refused.value)
        assert "hunter2" not in repr(Servers((url,), token="hunter2"))
        right = server.url.replace("//", "//ann:good@")
        async with opened(Servers((right,)), right, "test") as bucket:
            assert bucket.born


async def test_no_password_is_sent_without_tls(server: NatsServer) -> None:
    """To a server that says it has none; and an address that is none is told without a word of its password."""
    url = server.url.replace("nats://", "tls://ann:hunter2@")
    with pytest.raises(NatsAway, match=rf"^127\.0\.0\.1:{server.port}: this server has no TLS$"):
        async with opened(ANYBODY, url, "test"):
            pass
    with pytest.raises(NatsAway) as refused:
        async with opened(ANYBODY, "nats://ann:hun/ter2@127.0.0.1:1", "test"):
            pass
    assert "hun" not in str(refused.value)


async def test_a_server_that_is_not_there_is_told() -> None:
    """And so is a certificate that is no file."""
    url = f"nats://127.0.0.1:{free_port()}"
    with pytest.raises(NatsAway, match="Connect"):
        async with opened(ANYBODY, url, "test"):
            pass
    with pytest.raises(NatsAway, match=r"nothing\.pem cannot be used as NATS's authority: No such file"):
        async with opened(Servers((url,), tls=Tls("nothing.pem")), url, "test"):
            pass


async def test_the_end_of_the_connection_ends_what_is_heard() -> None:
    """Nobody waits for news from a server that is gone."""

    async def hears_until_it_is_killed(server: NatsServer) -> None:
        async with opened(ANYBODY, server.url, "test") as bucket:
            async for heard in bucket.hear():
                if isinstance(heard, CaughtUp):
                    assert server.process is not None
                    server.process.kill()

    with run_nats_server() as server, pytest.raises(NatsAway):
        await hears_until_it_is_killed(server)


async def test_records_of_streams_are_written_conditionally_and_heard(server: NatsServer) -> None:
    """Who knows an older revision writes nothing; a record that is none stops nobody, nor one whose key is none."""
    async with opened(ANYBODY, server.url, "records") as bucket:
        first = await bucket.write(Writing("added", "road.1", b'{"settings": {}}', 0))
        with pytest.raises(Outrun):
            await bucket.write(Writing("added", "road.1", b"null", 0))
        second = await bucket.write(Writing("added", "road.1", b"null", first.revision))
        await bucket._store.put("file.x=y", b"\xff")
        for key in ("added.road.1", "claim.road.1", "added.-road", "member.a.b"):  # they would stand for others
            await bucket._store.put(key, b'{"settings": {}}')
        await bucket._store.put("member.x-00000000", member("y").record())
        await bucket._store.put("odd", b"\xff")
        async with contextlib.aclosing(bucket.hear()) as news:
            heard = [await anext(news) for _ in range(3)]
        assert bucket.unreadable == 6
        with pytest.raises(Rejected):
            await bucket.write(Writing("added", "large", b" " * (LARGEST + 1), 0))
    assert heard[0] == second
    assert isinstance(heard[1], RecordHeard)
    assert isinstance(heard[2], CaughtUp)
