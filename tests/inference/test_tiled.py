"""streamer.inference.tiled: all pictures of a sample are asked about, and one answer is made of them."""

from dataclasses import replace

import numpy as np
import pytest

from serving.signature import Contract
from streamer.inference.pixels import Pixels
from streamer.inference.tiled import predict_tiled
from streamer.inference.tiling import regions, sample_of_pixels
from streamer.values.detections import Detections
from streamer.values.errors import PredictError
from streamer.values.frame import Sample
from tests.peers.frames import make_detections, make_frame, make_picture

SIZE = (640, 480)
CONTRACT = Contract("m", height=48, width=64, labels={})


def tiled_sample(pts: float, tiles: bool = True) -> Sample:
    """A frame in five pictures, or in one."""
    frame = make_frame(pts, picture=make_picture(*SIZE))
    return sample_of_pixels(
        frame, Pixels((np.zeros((SIZE[1], SIZE[0], 3), np.uint8),)), CONTRACT, 0.4, "2x2" if tiles else "off"
    )


class Model:
    """Finds one thing in each picture, in its middle, and notes how it was asked."""

    def __init__(self, fails_at: int = 99) -> None:
        self.calls: list[int] = []
        self._fails_at = fails_at

    async def __call__(self, samples: list[Sample], deadline: float) -> list[Detections]:
        assert deadline == 7.0
        assert all(not sample.tiles for sample in samples)
        self.calls.append(len(samples))
        if len(self.calls) == self._fails_at:
            raise PredictError("UNAVAILABLE", "gone")
        return [self._found(sample, len(self.calls)) for sample in samples]

    def _found(self, sample: Sample, call: int) -> Detections:
        left, top, width, height = 0, 0, *SIZE
        if sample.region is not None:
            left, top = sample.region.left, sample.region.top
            width, height = sample.region.width, sample.region.height
        x, y = left + width / 2, top + height / 2
        found = make_detections(sample.frame.pts, [(x - 5, y - 5, x + 5, y + 5)], size=SIZE)
        return replace(found, answered_at=found.answered_at + call)


@pytest.mark.parametrize(("most", "calls"), [(16, [7]), (5, [5, 2]), (2, [2, 2, 2, 1])])
async def test_every_sample_has_one_answer_made_of_all_its_pictures(most: int, calls: list[int]) -> None:
    """Samples with tiles and without share calls, no call carries more than it may, and each answer is of one frame."""
    model, samples = Model(), [tiled_sample(1.0, tiles=False), tiled_sample(2.0), tiled_sample(3.0, tiles=False)]
    answers = await predict_tiled(model, samples, 7.0, most)
    assert model.calls == calls
    assert [(answer.pts, len(answer)) for answer in answers] == [(1.0, 1), (2.0, 5), (3.0, 1)]
    middles = {((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in answers[1].boxes.tolist()}
    tiles = {(tile.left + tile.width / 2, tile.top + tile.height / 2) for tile in regions(SIZE, "2x2")}
    assert middles == {(SIZE[0] / 2, SIZE[1] / 2), *tiles}


async def test_an_answer_is_there_when_its_last_picture_is() -> None:
    """Of a frame that took several calls the last one's time counts."""
    (answer,) = await predict_tiled(Model(), [tiled_sample(0.0)], 7.0, 2)
    assert answer.answered_at == pytest.approx(1000.05 + 3)


async def test_nothing_is_asked_after_a_call_that_failed() -> None:
    """The model is not burdened with the rest; where nothing is known, or others share the calls, it fails."""
    for model, samples in ((Model(fails_at=1), 1), (Model(fails_at=2), 2)):
        with pytest.raises(PredictError):
            await predict_tiled(model, [tiled_sample(float(number)) for number in range(samples)], 7.0, 2)
        assert model.calls == [2] * samples


async def test_of_a_frame_in_several_calls_what_was_answered_is_told() -> None:
    """A model too slow for all parts of a frame says at least what the whole of it shows."""
    for fails_at, known in ((2, 2), (3, 4)):
        model = Model(fails_at=fails_at)
        (answer,) = await predict_tiled(model, [tiled_sample(0.0)], 7.0, 2)
        assert (len(answer), len(model.calls)) == (known, fails_at)
