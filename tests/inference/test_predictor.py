"""streamer.inference.predictor: a batch of samples becomes one Predict call, and its answer becomes detections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import grpc
import numpy as np
import pytest

from serving import signature
from serving.signature import Contract
from streamer.inference.answer import MAX_DETECTIONS
from streamer.inference.intake import MAX_ANSWER
from streamer.inference.predictor import Predictor
from streamer.values.clock import monotonic
from streamer.values.errors import PredictError
from streamer.values.frame import Sample
from streamer.values.tiles import Region
from tests.peers.clock import FakeClock
from tests.peers.fake_model_server import FakeModelServer, expected_boxes, run_fake_model_server
from tests.peers.frames import make_frame, make_picture, make_sample
from tests.peers.until import until

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect"})


@asynccontextmanager
async def predicting(contract: Contract = CONTRACT) -> AsyncIterator[tuple[FakeModelServer, Predictor]]:
    """A predictor and the server it asks; nothing was asked yet."""
    async with run_fake_model_server(contract) as server:
        predictor = Predictor(server.address, "insulators", clock=monotonic)
        try:
            yield server, predictor
        finally:
            await predictor.close()


@asynccontextmanager
async def running(predictor: Predictor) -> AsyncIterator[None]:
    """The predictor looks after its model for as long as the block lasts."""
    task = asyncio.create_task(predictor.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def sample_of(value: int = 0, *, min_score: float = 0.0, size: tuple[int, int] = (64, 64), stream: str = "a") -> Sample:
    """A sample whose pixels are all `value`, of a frame of (width, height) `size`."""
    return make_sample(
        make_frame(value / 5, stream=stream, picture=make_picture(*size)), value=value, min_score=min_score
    )


def deadline() -> float:
    """Far enough for a loaded machine."""
    return monotonic() + 30


async def test_each_sample_gets_its_own_rows_answer() -> None:
    """A batch is one call, and every sample's detections are those of its own pixels, in pixels of its own frame."""
    async with predicting() as (server, predictor):
        values = [0, 40, 200, 255]
        samples = [sample_of(value, stream=f"s{value}", size=(64 + value, 64 + value)) for value in values]
        answers = await predictor.predict(samples, deadline())
    assert server.batches == [4]
    for value, sample, answer in zip(values, samples, answers, strict=True):
        size = 64 + value
        ymin, xmin, ymax, xmax = expected_boxes(value).T
        expected = np.clip(np.stack([xmin, ymin, xmax, ymax], axis=1) * size, 0, size)
        np.testing.assert_allclose(answer.boxes, expected, rtol=1e-5)
        np.testing.assert_array_equal(answer.scores, np.array([0.9, 0.6, 0.3], np.float32))
        assert answer.class_ids.tolist() == [1, 2, 7]
        assert answer.labels == ("insulator", "defect", "class 7")
        assert (answer.stream, answer.pts, answer.received_at) == (f"s{value}", value / 5, sample.frame.received_at)
        assert (answer.model, answer.version, answer.width, answer.height) == ("insulators", 1, size, size)
        assert answer.answered_at <= monotonic()


async def test_boxes_of_a_part_are_in_pixels_of_its_frame() -> None:
    """Where a sample shows a part of its frame, its boxes are where they are in the whole of it."""
    async with predicting() as (server, predictor):
        server.outputs[signature.DETECTION_BOXES] = np.array([[[0.25, 0.25, 0.75, 0.75]] * 3], np.float32)
        sample = replace(sample_of(size=(200, 100)), region=Region(100, 20, 80, 40))
        (answer,) = await predictor.predict([sample], deadline())
    assert answer.boxes[0].tolist() == [120, 20, 160, 60]
    assert (answer.width, answer.height) == (200, 100)


async def test_the_request_asks_for_what_is_needed_alone() -> None:
    """A request names model, signature and the four outputs, and carries the samples' own bytes."""
    async with predicting() as (server, predictor):
        samples = [sample_of(7), sample_of(9)]
        await predictor.predict(samples, deadline())
    (request,) = server.requests
    assert request.model_spec.name == "insulators"
    assert request.model_spec.signature_name == "serving_default"
    assert sorted(request.output_filter) == sorted(signature.DETECTION_OUTPUTS)
    tensor = request.inputs[signature.INPUT_TENSOR]
    assert [dim.size for dim in tensor.tensor_shape.dim] == [2, 32, 32, 3]
    assert tensor.tensor_content == samples[0].tensor.tobytes() + samples[1].tensor.tobytes()


@pytest.mark.parametrize(("size", "rule"), [((128, 64), "letterbox"), ((64, 128), "letterbox"), ((128, 64), "stretch")])
async def test_boxes_are_mapped_back_through_the_contracts_resize(size: tuple[int, int], rule: str) -> None:
    """The bars of a letterbox are taken off again: the middle of the input is the middle of the frame."""
    contract = replace(CONTRACT, resize="stretch" if rule == "stretch" else "letterbox")
    async with predicting(contract) as (server, predictor):
        server.outputs[signature.DETECTION_BOXES] = np.array([[[0.25, 0.25, 0.75, 0.75]] * 3], np.float32)
        (answer,) = await predictor.predict([sample_of(size=size)], deadline())
    width, height = size
    expected = {
        ((128, 64), "letterbox"): (32, 0, 96, 64),
        ((64, 128), "letterbox"): (0, 32, 64, 96),
        ((128, 64), "stretch"): (32, 16, 96, 48),
    }[size, rule]
    np.testing.assert_allclose(answer.boxes, [expected] * 3, atol=1e-4)
    assert (answer.width, answer.height) == (width, height)


@pytest.mark.parametrize(("min_score", "count"), [(0.0, 3), (0.3, 3), (0.31, 2), (0.6, 2), (0.9, 1), (0.95, 0)])
async def test_weak_detections_are_left_out(min_score: float, count: int) -> None:
    """Each stream gets the detections from its own score on, and two streams in a batch each their own."""
    async with predicting() as (_, predictor):
        weak = float(np.float32(min_score))
        answer, everything = await predictor.predict([sample_of(min_score=weak), sample_of(stream="b")], deadline())
    assert len(answer) == len(answer.boxes) == len(answer.labels) == count
    assert len(everything) == 3


@pytest.mark.parametrize(
    ("min_score", "strong", "faint"), [(0.0, 3, 0), (0.5, 2, 1), (0.51, 2, 0), (0.95, 0, 2), (1.0, 0, 2)]
)
async def test_faint_detections_are_apart(min_score: float, strong: int, faint: int) -> None:
    """What is below a stream's score by less than four tenths of it is known, and not among its detections."""
    async with predicting() as (_, predictor):
        answer, everything = await predictor.predict(
            [sample_of(min_score=min_score), sample_of(stream="b")], deadline()
        )
    assert (len(answer), answer.faint is not None and len(answer.faint)) == (strong, faint)
    assert answer.faint is not None
    assert answer.faint.faint is None
    np.testing.assert_array_equal(
        np.concatenate([answer.boxes, answer.faint.boxes]), everything.boxes[: strong + faint]
    )
    assert answer.labels + answer.faint.labels == everything.labels[: strong + faint]
    assert (answer.faint.scores < min_score).all()


@pytest.mark.parametrize(("number", "count"), [(0, 0), (1, 1), (2.0, 2), (3, 3), (50, 3), (-1, 0), (float("nan"), 0)])
async def test_only_as_many_rows_count_as_the_model_says(number: float, count: int) -> None:
    """Rows beyond num_detections are not detections, and a senseless number takes nobody beyond the rows there are."""
    async with predicting() as (server, predictor):
        server.outputs[signature.NUM_DETECTIONS] = np.array([number], np.float32)
        (answer,) = await predictor.predict([sample_of()], deadline())
    assert len(answer) == count


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("output", [signature.DETECTION_BOXES, signature.DETECTION_SCORES, signature.DETECTION_CLASSES])
async def test_rows_that_are_no_numbers_are_left_out(output: str, wrong: float) -> None:
    """A row with NaN or infinity in it is no detection; its neighbours are."""
    async with predicting() as (server, predictor):
        good = {
            signature.DETECTION_BOXES: np.array([[[0.1, 0.1, 0.2, 0.2]] * 3], np.float32),
            signature.DETECTION_SCORES: np.array([[0.9, 0.8, 0.7]], np.float32),
            signature.DETECTION_CLASSES: np.array([[1, 2, 1]], np.float32),
        }
        good[output][0, 1] = wrong
        server.outputs |= good
        (answer,) = await predictor.predict([sample_of()], deadline())
    assert answer.scores.tolist() == pytest.approx([0.9, 0.7])
    assert np.isfinite(answer.boxes).all()


async def test_a_flood_of_detections_is_cut() -> None:
    """Of a model that sends thousands of rows the first hundred are read."""
    async with predicting() as (server, predictor):
        rows = 5000
        server.outputs |= {
            signature.DETECTION_BOXES: np.tile(np.array([0.1, 0.1, 0.2, 0.2], np.float32), (1, rows, 1)),
            signature.DETECTION_SCORES: np.full((1, rows), 0.5, np.float32),
            signature.DETECTION_CLASSES: np.ones((1, rows), np.float32),
            signature.NUM_DETECTIONS: np.array([rows], np.float32),
        }
        (answer,) = await predictor.predict([sample_of()], deadline())
    assert len(answer) == MAX_DETECTIONS


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        ({signature.DETECTION_BOXES: np.zeros((2, 3, 4))}, "detection_boxes has shape"),
        ({signature.DETECTION_BOXES: np.zeros((1, 3, 5))}, "detection_boxes has shape"),
        ({signature.DETECTION_SCORES: np.zeros((1, 3, 1))}, "has shape"),
        ({signature.DETECTION_SCORES: np.zeros(1)}, "has shape"),
        ({signature.DETECTION_CLASSES: np.zeros((1, 4))}, "detection_classes has shape"),
        ({signature.NUM_DETECTIONS: np.zeros((1, 1))}, "num_detections has shape"),
        ({signature.NUM_DETECTIONS: np.zeros(3)}, "num_detections has shape"),
    ],
)
async def test_an_answer_of_another_shape_is_refused(outputs: dict[str, np.ndarray], says: str) -> None:
    """An answer whose shapes do not fit the batch is an error that names the output, never a wrong box."""
    async with predicting() as (server, predictor):
        server.outputs |= outputs
        with pytest.raises(PredictError, match=says) as refused:
            await predictor.predict([sample_of()], deadline())
    assert refused.value.code == "INTERNAL"


async def test_an_answer_that_lacks_an_output_is_refused() -> None:
    """An answer without one of the four outputs names the one that is missing."""
    async with predicting() as (server, predictor):
        await predictor.predict([sample_of()], deadline())
        server.missing = {signature.DETECTION_SCORES}
        with pytest.raises(PredictError, match="lacks detection_scores"):
            await predictor.predict([sample_of()], deadline())


async def test_labels_belong_to_the_version_that_answered() -> None:
    """When the server changes to a version with other labels, no detection carries another version's label."""
    async with predicting() as (server, predictor):
        (old,) = await predictor.predict([sample_of()], deadline())
        server.contracts[2] = replace(CONTRACT, labels={1: "cap", 2: "pin", 7: "wire"})
        server.version = 2
        (new,) = await predictor.predict([sample_of()], deadline())
        server.version = 1
        (back,) = await predictor.predict([sample_of()], deadline())
    assert (old.version, old.labels) == (1, ("insulator", "defect", "class 7"))
    assert (new.version, new.labels) == (2, ("cap", "pin", "wire"))
    assert (back.version, back.labels) == (1, old.labels)


async def test_many_versions_are_no_trouble() -> None:
    """A server that moves through versions, up and down, is followed, though only the newest few are remembered."""
    async with predicting() as (server, predictor):
        server.contracts = {version: replace(CONTRACT, labels={1: f"v{version}"}) for version in range(1, 12)}
        for version in (1, 2, 3, 4, 5, 6, 11, 10, 1, 2, 9, 1):
            server.version = version
            (answer,) = await predictor.predict([sample_of()], deadline())
            assert (answer.version, answer.labels[0]) == (version, f"v{version}")
        assert len(predictor._contracts) <= 4


async def test_samples_of_two_sizes_are_refused() -> None:
    """A batch across a change of the model's input size is an error, not garbage."""
    async with predicting() as (server, predictor):
        frame = make_frame()
        with pytest.raises(PredictError, match="input size changed") as refused:
            await predictor.predict([make_sample(frame), make_sample(frame, size=(64, 64))], deadline())
        assert refused.value.code == "FAILED_PRECONDITION"
        assert server.batches == []


# ---- whatever comes


@pytest.mark.parametrize("raw", [b"\xff\xff", b"no message", b"\x0a\x05ab"])
async def test_what_is_no_message_is_refused(raw: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Bytes that are no answer are an error with a code, as others are, and no traceback."""
    failed: list[str] = []
    async with run_fake_model_server(CONTRACT) as server:
        predictor = Predictor(server.address, "insulators", clock=monotonic, on_error=failed.append)
        await predictor.predict([sample_of()], deadline())
        server.raw = raw
        with pytest.raises(PredictError, match="the model's answer is no PredictResponse"):
            await predictor.predict([sample_of()], deadline())
        with pytest.raises(PredictError, match="the model's answer is no GetModelMetadataResponse"):
            await predictor._look()
        await predictor.close()
    assert failed == ["INTERNAL"]
    assert "Traceback" not in caplog.text


async def test_an_answer_that_is_too_large_is_not_taken() -> None:
    """An answer beyond what any batch needs is refused by its size, before it is read."""
    async with predicting() as (server, predictor):
        await predictor.predict([sample_of()], deadline())
        server.raw = bytes(MAX_ANSWER + 1)
        with pytest.raises(PredictError) as refused:
            await predictor.predict([sample_of()], deadline())
    assert str(refused.value) == f"the model server at {server.address} answers with more than 4 MiB"
    assert refused.value.code == "INTERNAL"


async def test_a_version_that_nobody_describes_is_refused() -> None:
    """An answer of a version that the server does not tell of, asked about it, is an error that says so."""
    async with predicting() as (server, predictor):
        server.version, server.contracts, server.described = 7, {7: CONTRACT}, 3
        with pytest.raises(PredictError, match="answers as version 7, and asked about that tells of version 3"):
            await predictor.predict([sample_of()], deadline())


async def test_a_server_that_says_too_much_is_told_in_short() -> None:
    """A server's words reach the page in one line, without control characters, and cut."""
    async with predicting() as (server, predictor):
        await predictor.predict([sample_of()], deadline())
        server.fail = (grpc.StatusCode.INTERNAL, "\x1b[31mred\nline " + "x" * 3000)
        with pytest.raises(PredictError) as refused:
            await predictor.predict([sample_of()], deadline())
    assert str(refused.value).startswith(f"the model server at {server.address} refuses: [31mred line xxx")
    assert len(str(refused.value)) < 400


async def test_why_frames_are_not_answered_is_known_until_one_is() -> None:
    """What is wrong with the answers stays known while looks at the model go well, and ends with a good answer."""
    async with predicting() as (server, predictor):
        await predictor.predict([sample_of()], deadline())
        server.missing = {signature.DETECTION_SCORES}
        with pytest.raises(PredictError):
            await predictor.predict([sample_of()], deadline())
        await predictor._look()
        assert (predictor.up, predictor.complaint) == (True, "the model's answer lacks detection_scores")
        server.missing = set()
        await predictor.predict([sample_of()], deadline())
        assert predictor.complaint is None


async def test_answers_that_stay_wrong_are_said_once_a_second(caplog: pytest.LogCaptureFixture) -> None:
    """Frames that fail for more than a second are a line in the log, one a second where the words change."""
    clock = FakeClock()
    async with run_fake_model_server(CONTRACT) as server:
        predictor = Predictor(server.address, "insulators", clock=clock)
        for call in range(26):
            server.fail = (grpc.StatusCode.INTERNAL, f"at {call}")
            with pytest.raises(PredictError):
                await predictor.predict([sample_of()], clock.advance(0.25) + 30)
        await predictor.close()
    assert [message.rpartition(" ")[2] for message in caplog.messages] == ["4", "8", "12", "16", "20", "24"]
    assert all("model insulators: frames are not answered: the model" in message for message in caplog.messages)


async def test_a_model_that_cannot_be_used_is_counted() -> None:
    """A look at a model that says it cannot be used is counted with its code, once; one that nobody answers is not."""
    failed: list[str] = []
    async with run_fake_model_server(replace(CONTRACT, color_order="BGR")) as server:
        predictor = Predictor(server.address, "insulators", clock=monotonic, on_error=failed.append)
        await predictor._watch()
        assert failed == ["FAILED_PRECONDITION"]
        with pytest.raises(PredictError):
            await predictor.predict([sample_of()], deadline())
        assert failed == ["FAILED_PRECONDITION"] * 2
        await server.stop()
        await predictor._watch()
        assert failed == ["FAILED_PRECONDITION"] * 2
        await predictor.close()


# ---- up and down


async def test_a_model_is_up_once_it_said_who_it_is() -> None:
    """Before it was asked a model is down; then it is up, with the contract that it carries."""
    async with predicting() as (_, predictor):
        assert (predictor.up, predictor.contract, bool(predictor.reason)) == (False, None, True)
        async with running(predictor):
            await until(lambda: predictor.up)
        assert predictor.contract == CONTRACT
        assert predictor.version == 1
        assert not predictor.reason


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ({signature.LABELS}, "labels"),
        ({signature.SERVING_DEFAULT}, "serving_default"),
        ({signature.NUM_DETECTIONS, signature.DETECTION_BOXES}, "detection_boxes, num_detections"),
        ({signature.CONTRACT}, "contract"),
    ],
)
async def test_a_model_not_exported_here_is_refused_with_what_to_do(missing: set[str], named: str) -> None:
    """A model that lacks a signature or an output stays down; the reason names what is missing and the command."""
    async with predicting() as (server, predictor):
        server.missing = missing
        async with running(predictor):
            await until(lambda: "insulators" in (predictor.reason or ""))
        assert not predictor.up
        assert predictor.reason == (
            f"model insulators has no {named}: export it with `sightline export` so that it carries them"
        )


class NewerContract(Contract):
    """A contract of a Sightline to come."""

    def to_json(self) -> str:
        return super().to_json().replace('"format": 1', '"format": 2')


NEWER = NewerContract("insulators", height=32, width=32, labels={1: "insulator"})


@pytest.mark.parametrize(
    ("contract", "size", "missing", "says"),
    [
        (CONTRACT, (-1, -1), "", "has input_tensor of shape [-1, -1, -1, 3], and is sent uint8 [N, 32, 32, 3]"),
        (CONTRACT, (64, 32), "", "has input_tensor of shape [-1, 64, 32, 3], and is sent uint8 [N, 32, 32, 3]"),
        (CONTRACT, None, signature.INPUT_TENSOR, "has no input_tensor, and is sent uint8 [N, 32, 32, 3]"),
        (replace(CONTRACT, pad_value=300), None, "", "pad_value is 300, not a whole number from 0 to 255: export it"),
        (replace(CONTRACT, height=8000, width=8000), None, "", "an input of 8000 x 8000 is larger than 4194304 pixels"),
        (replace(CONTRACT, color_order="BGR"), None, "", "wants BGR and is sent RGB: export it again"),
        (replace(CONTRACT, max_batch_size=-1), None, "", "allows -1 frames a call, not 1 or more: export it again"),
        (
            NEWER,
            None,
            "",
            "contract format 2 is not known here, only 1: export it with `sightline export` of the version",
        ),
    ],
)
async def test_a_model_that_cannot_be_used_is_refused_with_what_to_do(
    contract: Contract, size: tuple[int, int] | None, missing: str, says: str
) -> None:
    """A model of another input, colour order or contract format stays down, and is told to be exported again."""
    async with predicting(contract) as (server, predictor):
        server.input_size, server.missing = size, {missing}
        async with running(predictor):
            await until(lambda: "insulators" in (predictor.reason or ""))
        assert not predictor.up
        assert says in str(predictor.reason)
        assert "`sightline export`" in str(predictor.reason)


@pytest.mark.parametrize(
    ("code", "details", "seen", "says"),
    [
        (grpc.StatusCode.UNAVAILABLE, "shutting down", "UNAVAILABLE", "cannot be reached"),
        (grpc.StatusCode.NOT_FOUND, "Servable not found", "NOT_FOUND", "refuses: Servable not found"),
        (grpc.StatusCode.UNAVAILABLE, "The batch scheduling queue is full", "RESOURCE_EXHAUSTED", "more work"),
        (grpc.StatusCode.INVALID_ARGUMENT, "bad shape", "INVALID_ARGUMENT", "refuses: bad shape"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "", "DEADLINE_EXCEEDED", "did not answer in time"),
    ],
)
async def test_refusals_of_the_server_become_sentences(
    code: grpc.StatusCode, details: str, seen: str, says: str
) -> None:
    """Each gRPC failure is told by its code and a sentence with the address; one alone does not mean down."""
    failed: list[str] = []
    async with run_fake_model_server(CONTRACT) as server:
        predictor = Predictor(server.address, "insulators", clock=monotonic, on_error=failed.append)
        await predictor.predict([sample_of()], deadline())
        assert predictor.up
        server.fail = (code, details)
        with pytest.raises(PredictError, match=says) as refused:
            await predictor.predict([sample_of()], deadline())
        assert refused.value.code == seen
        assert server.address in str(refused.value)
        assert failed == [seen]
        assert predictor.up
        assert predictor.contract == CONTRACT
        await predictor.close()


async def test_a_model_nobody_has_is_down() -> None:
    """A server that answers and does not have the model leaves it down, with the server's own words."""
    async with predicting() as (server, predictor), running(predictor):
        await until(lambda: predictor.up)
        server.fail = (grpc.StatusCode.NOT_FOUND, "Servable not found for request: Latest(insulators)")
        with pytest.raises(PredictError):
            await predictor.predict([sample_of()], deadline())
        await until(lambda: not predictor.up)
        assert predictor.reason == (
            f"the model server at {server.address} refuses: Servable not found for request: Latest(insulators)"
        )


async def test_a_silent_server_is_given_up_at_the_deadline() -> None:
    """A server that takes the call and says nothing costs no longer than the deadline allows."""
    async with predicting() as (server, predictor):
        await predictor.predict([sample_of()], deadline())
        server.silent = True
        with pytest.raises(PredictError) as refused:
            await predictor.predict([sample_of()], monotonic() + 0.05)
        assert refused.value.code == "DEADLINE_EXCEEDED"


async def test_a_missed_deadline_alone_does_not_mean_away() -> None:
    """A frame that was old when it left may miss its deadline on a healthy server: the next look decides."""
    async with predicting() as (server, predictor), running(predictor):
        await until(lambda: predictor.up)
        server.silent = True
        with pytest.raises(PredictError):
            await predictor.predict([sample_of()], monotonic() + 0.05)
        assert predictor.up
        server.silent = False
        assert len(await predictor.predict([sample_of()], deadline())) == 1


async def test_a_server_that_comes_back_is_found() -> None:
    """A model server that went away and came back on its port answers again, without a word from outside."""
    async with predicting() as (server, predictor), running(predictor):
        await until(lambda: predictor.up)
        await server.stop()
        with pytest.raises(PredictError):
            await predictor.predict([sample_of()], monotonic() + 1)
        await until(lambda: not predictor.up)
        assert predictor.reason == f"the model server at {server.address} cannot be reached"
        assert predictor.contract == CONTRACT
        await server.start()
        await until(lambda: predictor.up)
        assert len(await predictor.predict([sample_of()], deadline())) == 1


async def test_a_server_that_is_not_there_yet_is_found() -> None:
    """A service may start before its model server."""
    async with run_fake_model_server(CONTRACT) as server:
        await server.stop()
        predictor = Predictor(server.address, "insulators", clock=monotonic)
        async with running(predictor):
            await until(lambda: "cannot be reached" in (predictor.reason or ""))
            assert not predictor.up
            await server.start()
            await until(lambda: predictor.up)
        await predictor.close()


async def test_answered_calls_are_reported_with_their_size() -> None:
    """Every answered call tells its batch size and seconds; a failed one tells its code alone."""
    calls: list[tuple[int, float]] = []
    async with run_fake_model_server(CONTRACT) as server:
        predictor = Predictor(
            server.address, "insulators", clock=monotonic, on_call=lambda size, seconds: calls.append((size, seconds))
        )
        await predictor.predict([sample_of()] * 3, deadline())
        server.fail = (grpc.StatusCode.INTERNAL, "no")
        with pytest.raises(PredictError):
            await predictor.predict([sample_of()], deadline())
        await predictor.close()
    assert [size for size, _ in calls] == [3]
    assert calls[0][1] >= 0
