"""streamer.inference.channel, seen through a predictor: several model servers behind one address."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from serving.signature import Contract
from streamer.inference import predictor as module
from streamer.inference import server
from streamer.inference.predictor import Predictor
from streamer.values.clock import monotonic
from streamer.values.detections import Detections
from streamer.values.errors import PredictError
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.frames import make_frame, make_sample
from tests.peers.name_server import run_name_server
from tests.peers.process import free_port, run_process

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect"})
CALLERS = 4
"""Calls under way at once."""


async def ask(predictor: Predictor) -> Detections:
    """One frame's detections, with a deadline far enough for a loaded machine."""
    (answer,) = await predictor.predict([make_sample(make_frame())], monotonic() + 30)
    return answer


async def until_asked(predictor: Predictor, *servers: FakeModelServer) -> None:
    """Ask until each of `servers` was; pytest's timeout ends what never comes."""
    before = {server: len(server.batches) for server in servers}
    while any(len(server.batches) == before[server] for server in servers):
        await ask(predictor)
        await asyncio.sleep(0.01)


async def asked(predictor: Predictor, *servers: FakeModelServer) -> list[int]:
    """How many of twenty calls each server got."""
    before = [len(server.batches) for server in servers]
    for _ in range(20):
        await ask(predictor)
    return [len(server.batches) - count for server, count in zip(servers, before, strict=True)]


@asynccontextmanager
async def one_predictor(address: str) -> AsyncIterator[Predictor]:
    """A predictor that looks after its model."""
    predictor = Predictor(address, "insulators", clock=monotonic)
    looking = asyncio.create_task(predictor.run())
    try:
        yield predictor
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await predictor.close()


@asynccontextmanager
async def two_servers() -> AsyncIterator[tuple[FakeModelServer, FakeModelServer, Predictor]]:
    """Two servers that have answered, and the predictor that knows both."""
    async with (
        run_fake_model_server(CONTRACT) as first,
        run_fake_model_server(CONTRACT) as second,
        one_predictor(f"ipv4:{first.address},{second.address}") as predictor,
    ):
        await until_asked(predictor, first, second)
        yield first, second, predictor


async def test_servers_take_turns() -> None:
    """Calls go to the servers of one address in turn."""
    async with two_servers() as (first, second, predictor):
        counts = await asked(predictor, first, second)
    # The looks after the model take turns as well, so that a frame's call may come twice to one server.
    assert sum(counts) == 20
    assert min(counts) >= 8


async def test_no_more_is_lost_than_is_in_flight(caplog: pytest.LogCaptureFixture) -> None:
    """Of a server that dies under load only the calls under way are lost; the other takes all, and nobody says down."""
    caplog.set_level(logging.WARNING)
    async with two_servers() as (first, second, predictor):
        lost: list[PredictError] = []
        stopped = asyncio.Event()

        async def caller() -> None:
            while not stopped.is_set():
                try:
                    await ask(predictor)
                except PredictError as error:
                    lost.append(error)

        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(caller())
            for _ in range(3):
                before = len(lost)
                await first.stop()
                seen = len(second.batches)
                while len(second.batches) < seen + 50:  # noqa: ASYNC110  what is waited for has no event of its own
                    await asyncio.sleep(0.01)
                assert len(lost) - before <= CALLERS
                await first.start()
                seen = len(first.batches)
                while len(first.batches) < seen + 50:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            stopped.set()
        assert predictor.up
    assert [record.getMessage() for record in caplog.records if record.name == module.__name__] == []


async def test_a_server_that_comes_back_is_used_again() -> None:
    """A server that was gone gets its share again, without a word from outside."""
    async with two_servers() as (first, second, predictor):
        await first.stop()
        await asyncio.gather(*(ask(predictor) for _ in range(4)), return_exceptions=True)
        assert await asked(predictor, second) == [20]
        await first.start()
        await until_asked(predictor, first, second)


async def test_who_says_not_serving_gets_no_calls() -> None:
    """A server that answers and says NOT_SERVING is left alone until it says SERVING; the service config is obeyed."""
    async with two_servers() as (first, second, predictor):
        await first.say_serving(False)
        while (await asked(predictor, first))[0]:
            pass  # the word is on its way
        assert await asked(predictor, first, second) == [0, 20]
        assert predictor.up
        await first.say_serving(True)
        await until_asked(predictor, first)


async def test_nobody_serving_is_said() -> None:
    """When every server says NOT_SERVING the model is down, and the reason is not that nobody was reached."""
    async with two_servers() as (first, second, predictor):
        await first.say_serving(False)
        await second.say_serving(False)
        address = predictor.address
        while predictor.up:
            await ask_whatever_comes(predictor)
        assert predictor.reason == f"the model server at {address} says that it is not serving"
        await second.say_serving(True)
        before = len(second.batches)
        while len(second.batches) == before:
            await ask_whatever_comes(predictor)


async def ask_whatever_comes(predictor: Predictor) -> None:
    """Ask while it is not sure that anybody answers."""
    with contextlib.suppress(PredictError):
        await ask(predictor)
    await asyncio.sleep(0.01)


async def test_a_server_without_the_health_service_is_used() -> None:
    """A server that answers UNIMPLEMENTED when asked for its health gets calls, beside one that has the service."""
    async with run_fake_model_server(CONTRACT) as plain, run_fake_model_server(CONTRACT) as other:
        await plain.stop()
        plain.has_health = False
        await plain.start()
        async with one_predictor(f"ipv4:{plain.address},{other.address}") as predictor:
            await until_asked(predictor, plain, other)


async def test_a_silent_one_of_two_does_not_mean_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that meets the server that froze is followed by one at the next server, before anything is called down."""
    async with two_servers() as (first, _, predictor):
        monkeypatch.setattr(server, "CONTROL_TIMEOUT", 0.2)
        first.silent = True
        for _ in range(4):
            await predictor._look()
            assert predictor.up


async def test_a_failing_look_beside_answered_calls_does_not_mean_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks and calls take turns at the servers: where a call was answered since the look began, the model is up."""
    async with two_servers() as (_, _, predictor):

        async def look() -> None:
            await ask(predictor)
            raise PredictError("UNAVAILABLE", "the one that is gone was met twice")

        monkeypatch.setattr(predictor, "_look", look)
        await predictor._watch()
        assert predictor.up


async def test_a_frozen_server_is_left_alone() -> None:
    """A server whose process stands still with its port open gets no more calls once a ping has gone unanswered."""
    port = free_port()
    command = [sys.executable, "-m", "tests.peers.fake_model_server", str(port)]
    with run_process(command, ready="serving") as frozen:
        async with (
            run_fake_model_server(CONTRACT) as other,
            one_predictor(f"ipv4:127.0.0.1:{port},{other.address}") as predictor,
        ):
            while not predictor.up:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await until_asked(predictor, other)
            frozen.signal(signal.SIGSTOP)
            lost = in_a_row = 0
            while in_a_row < 20:
                try:
                    await predictor.predict([make_sample(make_frame())], monotonic() + 0.2)
                    in_a_row += 1
                except PredictError:
                    lost, in_a_row = lost + 1, 0
                assert predictor.up
            # One after the other, 0.2 s each: three seconds are fifteen, the ten of gRPC's own timeout fifty.
            assert lost <= 30
            frozen.signal(signal.SIGCONT)


async def test_versions_may_differ_between_servers() -> None:
    """During a rollout each answer carries the labels of the version that gave it, whoever is asked about it."""
    async with two_servers() as (first, second, predictor):
        second.contracts = {2: replace(CONTRACT, labels={1: "cap", 2: "pin"})}
        second.version = 2
        answers = [await ask(predictor) for _ in range(40)]
        labels = {answer.version: answer.labels for answer in answers}
        assert labels == {1: ("insulator", "defect", "class 7"), 2: ("cap", "pin", "class 7")}
        assert all(answer.labels == labels[answer.version] for answer in answers)
        assert predictor.up
        first.contracts, first.version = second.contracts, 2
        assert {(await ask(predictor)).version for _ in range(10)} == {2}


async def test_a_new_server_of_a_name_is_found() -> None:
    """A name is looked up again when a connection reaches its age: the new server gets calls, and none is lost."""
    async with (
        run_name_server() as names,
        run_fake_model_server(CONTRACT, max_age_ms=1000) as first,
        run_fake_model_server(CONTRACT, host="127.0.0.2", port=first.port) as second,
    ):
        names.addresses = [first.host]
        async with one_predictor(f"dns://{names.address}/serving.test:{first.port}") as predictor:
            await until_asked(predictor, first)
            assert second.batches == []
            names.addresses = [first.host, second.host]
            await until_asked(predictor, second)
            await until_asked(predictor, first)


async def test_a_server_that_moved_is_found() -> None:
    """A name that leads to another address since the server behind it died is followed there."""
    async with (
        run_name_server() as names,
        run_fake_model_server(CONTRACT) as first,
        run_fake_model_server(CONTRACT, host="127.0.0.2", port=first.port) as second,
    ):
        names.addresses = [first.host]
        async with one_predictor(f"dns://{names.address}/serving.test:{first.port}") as predictor:
            await until_asked(predictor, first)
            names.addresses = [second.host]
            await first.stop()
            while not second.batches:
                await ask_whatever_comes(predictor)
