"""streamer.annotate.annotation: what a model server does to a run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
from PIL import Image

from serving.signature import Contract
from streamer.annotate import asking
from streamer.annotate.annotation import Annotation
from streamer.annotate.asking import Asking, Pace
from streamer.annotate.listing import listing_of
from streamer.annotate.output import Output, Wish
from streamer.annotate.reading import Failed
from streamer.annotate.shot import Look
from streamer.inference.predictor import Predictor
from streamer.values.clock import monotonic
from streamer.values.errors import PredictError, SightlineError
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.until import until

CONTRACT = Contract("numbers", height=32, width=32, labels={1: "insulator", 2: "defect"}, min_score=0.4)
PICTURES = 21
BUSY = (grpc.StatusCode.RESOURCE_EXHAUSTED, "no room")


class Run:
    """One run over a folder of small pictures, at a server of the test's own."""

    def __init__(self, server: FakeModelServer, predictor: Predictor, folder: Path, pace: Pace) -> None:
        self.server = server
        self.failed: list[Failed] = []
        self.output = Output(folder / "out", Wish("json"))
        self.output.journal.begin({}, anew=False)
        self.output.begin(CONTRACT.labels)
        self.asking = Asking(predictor, pace, monotonic)
        self.annotation = Annotation(
            self.asking,
            Look(CONTRACT, 0.4, "off", None),
            {"insulator": 0.4, "defect": 0.4},
            self.output,
            on_failed=self.failed.append,
            on_progress=lambda tally: None,
        )
        self.files = listing_of([folder / "photos"], recursive=False).files


@asynccontextmanager
async def running(folder: Path, pace: Pace) -> AsyncIterator[Run]:
    """A run that has met its server."""
    (folder / "photos").mkdir()
    for number in range(PICTURES):
        pixels = np.full((8, 8, 3), number, np.uint8)
        Image.fromarray(pixels).save(folder / "photos" / f"{number:02d}.png")
    async with run_fake_model_server(CONTRACT) as server:
        predictor = Predictor(server.address, "numbers", clock=monotonic)
        watching = asyncio.create_task(predictor.run())
        await until(lambda: predictor.up)
        run = Run(server, predictor, folder, pace)
        try:
            yield run
        finally:
            run.output.close()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await predictor.close()


async def test_batches_are_full_but_the_last(tmp_path: Path) -> None:
    """The model is asked about as many pictures at a time as it does best, the rest in two, and each is asked once."""
    async with running(tmp_path, Pace(batch=8, in_flight=2)) as run:
        tally = await run.annotation.run(run.files)
        assert sorted(run.server.batches) == [2, 3, 8, 8]
        assert (tally.done, tally.found) == (PICTURES, {"insulator": PICTURES, "defect": PICTURES})
        # The third row of each answer has a class that the model has no name for.


async def test_no_more_calls_are_under_way_than_may_be(tmp_path: Path) -> None:
    """A server that does not answer has so many calls, and only so much is read ahead of it."""
    async with running(tmp_path, Pace(batch=2, in_flight=3)) as run:
        run.server.is_busy = True
        going = asyncio.create_task(run.annotation.run(run.files))
        await until(lambda: len(run.server.requests) == 3)
        run.server.is_busy = False
        assert (await going).done == PICTURES


async def test_a_server_that_is_away_for_a_while_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server refused for a while is asked again, and every picture is answered."""
    monkeypatch.setattr(asking, "PAUSE", 0.01)
    async with running(tmp_path, Pace(batch=4, in_flight=2)) as run:
        run.server.fail = BUSY
        going = asyncio.create_task(run.annotation.run(run.files))
        await until(lambda: run.asking.again >= 4)
        run.server.fail = None
        assert (await going).done == PICTURES


async def test_a_server_that_stays_away_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while of no answer the run ends with the server's own reason."""
    monkeypatch.setattr(asking, "PAUSE", 0.01)
    monkeypatch.setattr(asking, "PATIENCE", 0.1)
    async with running(tmp_path, Pace(batch=4, in_flight=2)) as run:
        run.server.fail = BUSY
        with pytest.raises(PredictError, match="no room"):
            await run.annotation.run(run.files)


async def test_what_a_server_will_never_take_is_not_asked_again(tmp_path: Path) -> None:
    """A call that is wrong in itself ends the run at once."""
    async with running(tmp_path, Pace(batch=4, in_flight=1)) as run:
        run.server.fail = (grpc.StatusCode.INVALID_ARGUMENT, "batches of 2 at the most")
        with pytest.raises(PredictError, match="batches of 2 at the most"):
            await run.annotation.run(run.files)


async def test_two_versions_are_not_mixed(tmp_path: Path) -> None:
    """A model that changes meanwhile ends the run: one set of labels is of one version."""
    async with running(tmp_path, Pace(batch=4, in_flight=1)) as run:
        run.server.contracts[2] = CONTRACT
        run.server.version = 2
        with pytest.raises(SightlineError, match="version 2 of numbers now"):
            await run.annotation.run(run.files)
        assert len(run.output.journal) == 0


async def test_a_disk_that_takes_nothing_ends_the_run(tmp_path: Path) -> None:
    """Labels that cannot be written are said in a sentence, and nothing is noted as done that is not there."""
    async with running(tmp_path, Pace(batch=4, in_flight=1)) as run:
        (tmp_path / "out" / "labels").write_text("a file where a folder is to be")
        with pytest.raises(SightlineError, match="cannot be written"):
            await run.annotation.run(run.files)
        assert len(run.output.journal) == 0
