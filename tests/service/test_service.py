"""streamer.service: what is started is stopped, and what is to run for ever does."""

import asyncio
from typing import Any

import grpc
import pytest

from streamer import config
from streamer.inference.model import ServedModel
from streamer.parts import Parts
from streamer.service import Service
from tests.peers.process import free_port
from tests.peers.threads import own_threads
from tests.peers.until import until

STREAMS = {f"line-{number}": {"url": f"rtsp://127.0.0.1:{free_port()}/x"} for number in range(3)}


def make_service(monkeypatch: pytest.MonkeyPatch) -> tuple[Service, list[grpc.aio.Channel]]:
    """A service of three streams whose cameras and model server are away, and the channels to that server."""
    channels: list[grpc.aio.Channel] = []
    make = Parts._model

    def remembered(parts: Parts, name: str) -> ServedModel:
        model = make(parts, name)
        channels.append(model.predictor._server._channel)
        return model

    monkeypatch.setattr(Parts, "_model", remembered)
    address = f"127.0.0.1:{free_port()}"
    return Service(config.parse({"serving": {"address": address}, "streams": STREAMS})), channels


def are_closed(channels: list[grpc.aio.Channel]) -> bool:
    """Whether there were any, and none of them can do anything any more."""
    return {channel.get_state() for channel in channels} == {grpc.ChannelConnectivity.SHUTDOWN}


@pytest.mark.parametrize("turns", [0, 1, 5])
async def test_a_start_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch, turns: int) -> None:
    """Where a stream cannot be made, however far the others had come: no task, no thread and no channel stays."""
    tasks, threads = asyncio.all_tasks(), own_threads()
    service, channels = make_service(monkeypatch)
    add = service.streams.add

    def fail(pipeline: Any) -> None:
        if pipeline.name == "line-2":
            raise ZeroDivisionError
        add(pipeline)

    async def slow(_: str) -> None:
        for _turn in range(turns):
            await asyncio.sleep(0)

    monkeypatch.setattr(service.streams, "add", fail)
    monkeypatch.setattr(service.streams, "free", slow)
    with pytest.raises(ZeroDivisionError):
        async with service.run():
            pass
    assert list(service.streams) == []
    assert are_closed(channels)
    await until(lambda: asyncio.all_tasks() <= tasks and own_threads() <= threads)


async def test_what_fails_at_the_end_is_said_and_keeps_nothing_open(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Streams that cannot be closed are named in the log, and the models behind them are closed all the same."""
    service, channels = make_service(monkeypatch)
    close = service.streams.close

    async def fail() -> None:
        await close()
        raise ZeroDivisionError

    monkeypatch.setattr(service.streams, "close", fail)
    async with service.run():
        pass
    assert are_closed(channels)
    assert "the streams did not end as it should" in caplog.text


async def test_what_is_to_run_for_ever_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task of the service that dies is begun anew, and counted by its name."""
    monkeypatch.setattr("streamer.service.PAUSE", 0.0)
    service, _ = make_service(monkeypatch)
    failures, lives = [RuntimeError("nobody foresaw this")], list[int]()

    async def measure() -> None:
        lives.append(1)
        if failures:
            raise failures.pop()
        await asyncio.Event().wait()

    monkeypatch.setattr(service, "_measure_lag", measure)
    counted = service.metrics.registry.get_sample_value
    name = "sightline_task_restarts_total"
    assert counted(name, {"task": "event-loop-lag"}) == 0
    async with service.run():
        await until(lambda: len(lives) == 2)
        assert counted(name, {"task": "event-loop-lag"}) == 1
        assert counted(name, {"task": "stream"}) == 0


async def test_a_model_that_ends_before_it_began_leaves_no_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream may name a model and be gone before the model's task had its first turn."""
    service, channels = make_service(monkeypatch)
    service.models.start()
    await service.models.keep([])
    assert are_closed(channels)
