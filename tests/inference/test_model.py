"""streamer.inference.model and served_models: what lives as long as a stream asks it goes on after any failure."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest

from serving.signature import Contract
from streamer.inference import predictor, room
from streamer.inference.model import ServedModel, frames_a_call
from streamer.inference.served_models import ServedModels
from streamer.inference.slot import DropReason
from streamer.values.clock import monotonic
from streamer.values.detections import Detections
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.slots import make_slot
from tests.peers.until import until

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect"})


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have models looked after twenty times as often."""
    monkeypatch.setattr(predictor, "PROBE_INTERVAL", 0.01)
    monkeypatch.setattr(predictor, "CHECK_INTERVAL", 0.1)


@pytest.mark.parametrize(
    ("height", "width", "allowed", "frames"),
    [(32, 32, None, 21845), (32, 32, 4, 4), (1280, 1280, None, 13), (2048, 2048, None, 5), (2048, 2048, 2, 2)],
)
def test_a_call_carries_no_more_than_a_message(height: int, width: int, allowed: int | None, frames: int) -> None:
    """A batch is no larger than the model takes and one message of the channel carries; one frame it always is."""
    contract = Contract("m", height=height, width=width, labels={}, max_batch_size=allowed)
    assert frames_a_call(contract) == frames


class FickleClock:
    """A clock that fails whoever asks it next, when a test wants that."""

    def __init__(self) -> None:
        self.fails = False

    def __call__(self) -> float:
        if self.fails:
            self.fails = False
            raise OSError("what is the time")
        return monotonic()


class Asked:
    """A served model that runs, and what became of the samples put to it."""

    def __init__(self, server: FakeModelServer, pause: float) -> None:
        self.server = server
        self.clock = FickleClock()
        self.restarts = 0
        self.told: dict[int, Detections | DropReason] = {}
        self._index = count()
        self.models = ServedModels(
            lambda name: ServedModel(
                server.address,
                name,
                max_batch_size=4,
                in_flight=2,
                deadline=20.0,
                clock=self.clock,
                on_call=lambda *_: None,
                on_error=lambda *_: None,
                on_restart=self._restarted,
                pause=pause,
            )
        )
        self.model = self.models.use("insulators")

    def put(self, stream: str = "a") -> int:
        """Ask about another sample; gives its number."""
        index = next(self._index)
        slot = make_slot(stream, index, monotonic())
        slot.answer = lambda _, answer: self._answered(index, answer)
        self.model.offer(slot)
        return index

    async def answer(self, stream: str = "a") -> Detections | DropReason:
        """Ask about another sample, and wait for its answer."""
        index = self.put(stream)
        await until(lambda: index in self.told)
        return self.told[index]

    def _answered(self, index: int, answer: Detections | DropReason) -> None:
        assert index not in self.told, "answered twice"
        self.told[index] = answer

    def _restarted(self) -> None:
        self.restarts += 1


@asynccontextmanager
async def asking(*, pause: float) -> AsyncIterator[Asked]:
    """A served model that has answered, and whose tasks that fail begin again after `pause` seconds."""
    async with run_fake_model_server(CONTRACT) as server:
        asked = Asked(server, pause)
        asked.models.start()
        try:
            await until(lambda: asked.model.up)
            assert isinstance(await asked.answer(), Detections)
            yield asked
        finally:
            await asked.models.close()


async def test_batches_flow_again_after_the_dispatcher_failed(caplog: pytest.LogCaptureFixture) -> None:
    """An error nobody foresaw costs the samples that wait, which are told; it is counted and logged; all goes on."""
    async with asking(pause=0.0) as asked:
        asked.clock.fails = True
        assert [await asked.answer(), asked.restarts] == ["model_ended", 1]
        await until(lambda: asked.model.up)
        assert isinstance(await asked.answer(), Detections)
    assert "model insulators: dispatcher failed in a way nobody foresaw" in caplog.text
    assert "what is the time" in caplog.text


async def test_the_watch_goes_on_after_it_was_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    """A call about the model that is cancelled under its feet does not end the watch: a server that goes is noticed."""
    async with asking(pause=0.0) as asked:

        async def cut_off() -> None:
            looking.undo()
            raise asyncio.CancelledError

        looking = pytest.MonkeyPatch()
        looking.setattr(asked.model.predictor, "_look", cut_off)
        await until(lambda: asked.restarts == 1)
        await until(lambda: asked.model.up)
        await asked.server.stop()
        await until(lambda: not asked.model.up)
        assert asked.model.reason == f"the model server at {asked.server.address} cannot be reached"
    assert "model insulators: watch was cut off by what it waited for" in caplog.text


async def test_a_model_is_not_up_while_one_of_its_tasks_is_down() -> None:
    """From a task's failure until it runs again the model is down and says why; whoever asks is told at once."""
    async with asking(pause=1000.0) as asked:
        asked.clock.fails = True
        assert await asked.answer() == "model_ended"
        assert not asked.model.up
        assert asked.model.reason == (
            "the dispatcher of model insulators failed in a way nobody foresaw; it starts again, see the log"
        )
        assert asked.model.contract == CONTRACT
        assert await asked.answer() == "model_ended"


async def test_the_reason_is_what_is_wrong_with_the_answers() -> None:
    """A model that is up and answers what cannot be read has that for its reason, and none once it answers well."""
    async with asking(pause=0.0) as asked:
        asked.server.missing = {"detection_scores"}
        assert await asked.answer() == "predict_failed"
        assert asked.model.reason == "the model's answer lacks detection_scores"
        asked.server.missing = set()
        await until(lambda: asked.model.up)
        assert isinstance(await asked.answer(), Detections)
        assert asked.model.reason is None


async def test_there_is_room_for_tiles_until_a_frame_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that answers in time has room for tiles nobody insists on, and has none once a frame has no answer."""
    monkeypatch.setattr(room, "SETTLES", 0.01)
    monkeypatch.setattr(room, "OPENS", 1e6)
    async with asking(pause=0.0) as asked:
        known = list[bool]()
        while True not in known:
            known.append(asked.model.has_room)
            assert isinstance(await asked.answer(), Detections)
        assert not known[0]
        asked.server.missing = {"detection_scores"}
        assert await asked.answer() == "predict_failed"
        assert not asked.model.has_room


async def test_nonsense_is_said_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer nobody foresaw brings the model down and is logged once, however often the model is looked for."""
    async with asking(pause=0.0) as asked:
        looks = list[int]()

        async def nonsense() -> None:
            looks.append(len(looks))
            raise KeyError("nonsense")

        with monkeypatch.context() as looking:
            looking.setattr(asked.model.predictor, "_look", nonsense)
            await until(lambda: len(looks) > 3)
            assert asked.model.reason == f"the model server at {asked.server.address} answers nonsense"
        await until(lambda: asked.model.up)
        assert asked.restarts == 0
    assert caplog.text.count("failed in a way nobody foresaw") == 1


async def test_everybody_is_told_of_a_models_end(caplog: pytest.LogCaptureFixture) -> None:
    """A model that nobody asks any more ends for all who want to know, whatever one of them raises."""
    async with asking(pause=0.0) as asked:
        gone: list[str] = []
        asked.models.on_removed += [lambda name: gone.remove(name), gone.append]
        await asked.models.keep([])
        assert (gone, len(asked.models)) == (["insulators"], 0)
        assert await asked.answer() == "model_ended"
    assert "the end of model insulators could not be taken note of" in caplog.text
