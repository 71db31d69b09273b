"""streamer.cluster.replica: three replicas, and what becomes of their streams, by a real NATS."""

import pytest

from streamer.cluster.assignment import bound
from streamer.cluster.shared import SharedStream
from tests.cluster.crowd import streams
from tests.cluster.trio import Actor, acting, all_are_run_once, all_is_settled, epochs
from tests.peers.nats_server import make_nats_server, run_nats_cluster, run_nats_server
from tests.peers.until import until

SHARED = streams(30)


def live_for(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have silence mean nothing for so long."""
    monkeypatch.setattr("streamer.cluster.liveness.DEAD_AFTER", seconds)
    monkeypatch.setattr("streamer.cluster.ownership.DEAF_AFTER", seconds / 2)
    monkeypatch.setattr("streamer.cluster.replica.LOOKS", round(2 * seconds))


@pytest.fixture
def nobody_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow a loaded machine makes one of them."""
    live_for(3600.0, monkeypatch)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is slow is waited for."""
    monkeypatch.setattr("streamer.cluster.bucket.ANSWER", 60.0)
    monkeypatch.setattr("streamer.cluster.bucket.PATIENCE", 60.0)


def port_of(actor: Actor) -> int | None:
    """Of the server that it is connected to."""
    bucket = actor.replica._bucket
    url = None if bucket is None else bucket._store._js._nc.connected_url
    return None if url is None else url.port


@pytest.mark.usefixtures("patient")
async def test_the_streams_of_one_that_is_killed_are_run_by_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within bounds; the others' own are not touched, and no epoch is acted upon twice."""
    monkeypatch.setattr("streamer.cluster.ownership.IMPATIENT_AFTER", 3600.0)  # the bounds hold, however late one is
    live_for(8.0, monkeypatch)
    with run_nats_server() as server:
        async with acting("abc", [server.url], SHARED) as actors:
            await all_is_settled(actors, SHARED)
            a, b, c = actors
            orphans = a.runs
            before = {actor: (actor.runs, len(actor.told)) for actor in (b, c)}
            await a.kill()
            await all_are_run_once((b, c), SHARED)
            members = (b.member, c.member)
            for actor, (own, told) in before.items():
                assert own <= actor.runs
                assert {stream for stream, _ in actor.told[told:]} <= orphans
                assert len(actor.runs) <= bound(actor.member, members, len(SHARED))
            assert set(epochs(actors).values()) == {1}


@pytest.mark.usefixtures("patient", "nobody_dies")
async def test_one_that_leaves_hands_its_streams_over() -> None:
    """It runs none any more, and the others have them without waiting for its death; who comes back is given some."""
    with run_nats_server() as server:
        async with acting("abc", [server.url], SHARED) as actors:
            await all_is_settled(actors, SHARED)
            a, b, c = actors
            await a.replica.hand_over()
            assert a.runs == set()
            members = b.ownership.members
            await until(lambda: a.member.id not in members(0))  # by its good-bye: at 0 nobody is silent for long
            await all_are_run_once((b, c), SHARED)
            async with acting("a", [server.url], SHARED) as (again,):
                await until(lambda: again.runs)
                await all_are_run_once((again, b, c), SHARED)
            assert set(epochs([*actors, again]).values()) == {1}


@pytest.mark.usefixtures("nobody_dies")
async def test_without_nats_every_replica_runs_on_and_claims_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It says so once; a camera that bears one client only is let go; all is well again when NATS is back."""
    caplog.set_level("INFO", "streamer.cluster")
    shy = SharedStream("shy", on_partition="release")
    shared = [*streams(6), shy]

    def words() -> list[str]:
        return [record.getMessage() for record in caplog.records]

    with make_nats_server() as server:
        async with acting("ab", [server.url], shared) as actors:
            with server.running():
                await all_is_settled(actors, shared)
            before = [actor.runs - {"shy"} for actor in actors]
            await until(lambda: all(actor.is_away for actor in actors))
            await all_are_run_once(actors, shared[:-1])
            assert [actor.runs for actor in actors] == before
            with server.running():
                await all_are_run_once(actors, shared)
                assert [actor.runs - {"shy"} for actor in actors] == before
                await until(lambda: words().count("NATS is back") >= 2)  # the other may find it later
    assert sum(word.startswith("NATS is away: ") for word in words()) >= 2


@pytest.mark.usefixtures("nobody_dies")
async def test_of_three_servers_one_may_be_killed() -> None:
    """Every replica goes to another server, and each stream is run by who ran it."""
    with run_nats_cluster() as servers:
        urls = [server.url for server in servers]
        shared = streams(6)
        async with acting("ab", urls, shared, copies=3) as actors:
            await all_is_settled(actors, shared)
            before = [actor.runs for actor in actors]
            first = actors[0]
            await until(lambda: port_of(first) is not None)
            used = next(server for server in servers if server.port == port_of(first))
            assert used.process is not None
            used.process.kill()
            await until(lambda: first.is_away)
            await until(lambda: not any(actor.is_away for actor in actors))
            assert [actor.runs for actor in actors] == before
