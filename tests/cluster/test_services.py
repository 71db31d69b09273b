"""Services that are replicas of one cluster: each stream is run by one of them, whatever becomes of the others."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streamer.control.statefile import Kept, StateFile
from tests.cluster.services import CONTRACT, all_run, is_member, replica, run_once, runner, running, runs
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.nats_server import run_nats_server
from tests.peers.rtc import take_answer
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Answer, Service, until
from tests.peers.whip_publisher import WhipPublisher

JSON = "application/json"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def model() -> AsyncIterator[FakeModelServer]:
    """One that all replicas ask."""
    async with run_fake_model_server(CONTRACT) as server:
        yield server


async def add(service: Service, name: str, url: str) -> Answer:
    """Have a replica add a stream."""
    return await service.ask(
        "/api/streams", method="POST", body=json.dumps({"name": name, "url": url}), content_type=JSON
    )


async def test_each_stream_is_run_by_one_of_two_and_by_the_other_after_it(
    model: FakeModelServer, numbered_clip: Path, tmp_path: Path
) -> None:
    """Both files have it, or one had it added before it was a replica; who is stopped hands it over."""
    with run_nats_server() as nats, run_rtsp_server({"/road": numbered_clip, "/yard": numbered_clip}) as camera:
        streams = {name: {"url": camera.url(f"/{name}")} for name in ("road", "yard")}
        a_config, b_config = (replica(name, nats, model, streams) for name in ("first", "second"))
        state = tmp_path / "state.json"
        StateFile(state).write(Kept({"gate": {"url": camera.url("/road")}}))
        a_config["api_streams"]["state"] = str(state)
        with running(a_config) as a, running(b_config) as b:
            await run_once((a, b), (*streams, "gate"))
            await has_said(a, "taken over into the cluster: gate; state.json is kept as state.json.taken-over")
            here, other = runner((a, b), "road")
            await here.wait_for_state("road", "live")
            here.process.signal(signal.SIGTERM)
            await run_once((other,), (*streams, "gate"))
            await other.wait_for_state("road", "live")
            await other.wait_for_state("gate", "live")
            assert await asyncio.to_thread(here.process.wait) == 0, here.process.output


async def test_what_one_is_told_all_know_and_of_one_that_is_killed_another_runs_it(
    model: FakeModelServer, numbered_clip: Path
) -> None:
    """Streams are added, paused and removed at any replica; each says who runs what; who comes back finds all there."""
    with (
        run_nats_server() as nats,
        run_rtsp_server({"/road": numbered_clip, "/yard": numbered_clip}) as camera,
        running(replica("first", nats, model)) as a,
    ):
        with running(replica("second", nats, model)) as b:
            for service, name in ((a, "road"), (b, "yard")):
                await is_member(service)
                added = await add(service, name, camera.url(f"/{name}"))
                assert added.status == 201, added
            await run_once((a, b), ("road", "yard"))  # and so both know of both
            taken = await add(a, "yard", camera.url("/road"))
            assert (taken.status, "yard" in taken.problem()) == (409, True)
            before = (await a.metrics()).sum("sightline_cluster_failovers_total")
            b.process.kill()
        await all_run((a,), ("road", "yard"))
        await a.wait_for_state("road", "live")
        await a.wait_for_state("yard", "live")
        assert (await a.metrics()).sum("sightline_cluster_failovers_total") == before + 1
        with running(replica("second", nats, model)) as b:
            await run_once((a, b), ("road", "yard"))
            cluster = (await b.ask("/api/cluster")).json()
            assert {each["name"] for each in cluster["replicas"]} == {"first", "second"}
            for service in (a, b):
                [name] = runs(service)
                await knows(b, name, "first" if service is a else "second")
            _, other = runner((a, b), "road")
            paused = await other.ask("/api/streams/road", method="PATCH", body='{"paused": true}', content_type=JSON)
            assert (paused.status, paused.json()["settings"]["paused"]) == (200, True)
            here, _ = runner((a, b), "road")
            await here.wait_for_state("road", "paused")
            gone = await other.ask("/api/streams/road", method="DELETE")
            assert gone.status == 204, gone
            await all_run((a, b), ("yard",))


async def test_what_is_published_and_what_needs_a_variable_runs_where_that_is(
    model: FakeModelServer, numbered_clip: Path
) -> None:
    """A name is published to one replica at a time; while NATS is away all goes on, but changes are refused."""
    with run_nats_server() as nats, run_rtsp_server({"/road": numbered_clip}) as camera:
        streams = {"road": {"url": camera.url("/${CARRY_TEST_PATH}")}}
        with (
            running(replica("first", nats, model, streams)) as a,
            running(replica("second", nats, model), {"CARRY_TEST_PATH": "road"}) as b,
        ):
            await b.wait_for_state("road", "live")
            await a.wait_for_output("road: is left to other replicas: ")
            await a.wait_for_output("CARRY_TEST_PATH is not set")
            publisher = WhipPublisher()
            try:
                answer = await publish(a, publisher)
                assert answer.status == 201, answer
                await all_run((a,), ("phone",))
                await knows(b, "phone", "first")
                refused = await publish(b, another := WhipPublisher())
                await another.close()
                assert (refused.status, "phone" in refused.problem()) == (409, True)
                assert nats.process is not None
                nats.process.kill()
                await is_away(a)
                refused = await add(a, "yard", camera.url("/road"))
                assert (refused.status, "while NATS is away" in refused.problem()) == (503, True)
                assert (await a.ask("/readyz")).status == 200
                await a.wait_for_state("phone", "live")
                await b.wait_for_state("road", "live")
                assert (runs(a), runs(b)) == ({"phone"}, {"road"})
            finally:
                await publisher.close()


async def publish(service: Service, publisher: WhipPublisher) -> Answer:
    """Have it published as a phone."""
    offer = await publisher.offer()
    answer = await service.ask("/whip/phone", method="POST", body=offer, content_type="application/sdp")
    if answer.status == 201:
        await take_answer(publisher.pc, answer.body.decode())
    return answer


async def has_said(service: Service, sentence: str) -> None:
    """Wait until it stands in the log."""

    async def reached() -> bool:
        return sentence in service.process.output

    await until(reached, lambda: service.process.output)


async def knows(service: Service, stream: str, owner: str) -> None:
    """Wait until a replica has heard whose a stream is."""

    async def reached() -> bool:
        streams = (await service.ask("/api/cluster")).json()["streams"]
        return {each["name"]: each["replica"] for each in streams}.get(stream) == owner

    await until(reached, lambda: service.process.output)


async def is_away(service: Service) -> None:
    """Wait until a replica has noticed that NATS is away."""

    async def reached() -> bool:
        return bool((await service.ask("/api/cluster")).json()["standing"] == "away")

    await until(reached, lambda: service.process.output)
