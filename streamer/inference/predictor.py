"""A batch of samples becomes one Predict call, and its answer becomes detections.

One predictor serves one model of one TensorFlow Serving (or of `serving/`, which speaks the same API), or of several
behind one address. `run` keeps knowing whether the model is there and what its contract says; `predict` asks. The
messages are `serving.wire`'s, so no TensorFlow is needed here.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import grpc.aio
import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from serving import signature, wire
from serving.resize import Resize
from serving.signature import Contract, ContractError
from streamer.inference.channel import open_channel
from streamer.values.clock import Clock
from streamer.values.detections import Detections
from streamer.values.errors import PredictError
from streamer.values.frame import Sample

log = logging.getLogger(__name__)

MAX_DETECTIONS = 100
"""Rows kept of one frame's answer: a broken model may send a million."""
PROBE_INTERVAL = 0.2
"""Seconds between attempts to find a model that is not there."""
CHECK_INTERVAL = 2.0
"""Seconds between looks at a model that is."""
CONTROL_TIMEOUT = 2.0
"""Seconds for the calls about the model, not about frames."""
NOT_ASKED = "the model server was not asked yet"
LOOKS = 8
"""Times a version is asked for which only some of several servers may have."""


class Predictor:
    """Asks one model about samples."""

    def __init__(
        self,
        address: str,
        model: str,
        *,
        clock: Clock,
        on_call: Callable[[int, float], None] = lambda batch_size, seconds: None,
        on_error: Callable[[str], None] = lambda code: None,
    ) -> None:
        self.address = address
        self.model = model
        self.up = False
        """Whether the model answered last time it was asked anything."""
        self.reason: str | None = NOT_ASKED
        """Why it is not up, as a sentence."""
        self.contract: Contract | None = None
        """What the newest version says of itself; stays while the server is away."""
        self.version = 0
        self._clock = clock
        self._on_call = on_call
        self._on_error = on_error
        self._doubted = asyncio.Event()
        """Set by a failed call: look at the model soon."""
        self._contracts: dict[int, Contract] = {}
        self._channel = open_channel(address)
        self._predict = self._channel.unary_unary(
            wire.PREDICT,
            request_serializer=wire.PredictRequest.SerializeToString,
            response_deserializer=wire.PredictResponse.FromString,
        )
        self._metadata = self._channel.unary_unary(
            wire.GET_MODEL_METADATA,
            request_serializer=wire.GetModelMetadataRequest.SerializeToString,
            response_deserializer=wire.GetModelMetadataResponse.FromString,
        )

    async def run(self) -> None:
        """Keep `up`, `reason` and `contract` true until cancelled. May be run again."""
        self.up, self.reason = False, NOT_ASKED
        while True:
            self._doubted.clear()
            await self._watch()
            await asyncio.sleep(PROBE_INTERVAL)
            if self.up:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_INTERVAL - PROBE_INTERVAL):
                        await self._doubted.wait()

    async def close(self) -> None:
        """Close the channel; calls under way fail."""
        await self._channel.close()

    async def predict(self, samples: list[Sample], deadline: float) -> list[Detections]:
        """Detections of each sample, in order.

        Args:
            samples: at least one; each tensor of the contract's size.
            deadline: monotonic time from which the answer is worth nothing.

        Raises:
            PredictError: no answer, or one that is not of the contract's form.
        """
        started = self._clock()
        try:
            response = await self._call(self._predict, self._request(samples), max(0.01, deadline - started))
            answered_at = self._clock()
            version = response.model_spec.version.value
            if version not in self._contracts:
                # A version the labels of which are not known yet: no box may carry another version's label.
                await self._learn(version)
            answers = self._read(response, samples, self._contracts[version], version, answered_at)
        except PredictError as error:
            self._on_error(error.code)
            # One of several servers may be gone, or the frame was old when it left: let the next look decide, soon.
            self._doubted.set()
            raise
        self._on_call(len(samples), answered_at - started)
        return answers

    def _request(self, samples: list[Sample]) -> Any:
        shape = samples[0].tensor.shape
        if any(sample.tensor.shape != shape for sample in samples):
            raise PredictError("FAILED_PRECONDITION", "the model's input size changed between two frames")
        request = wire.PredictRequest(output_filter=signature.DETECTION_OUTPUTS)
        request.model_spec.name = self.model
        request.model_spec.signature_name = signature.SERVING_DEFAULT
        # Filled in place: a batch of eight is megabytes, and every copy of it is a pause of the event loop.
        tensor = request.inputs[signature.INPUT_TENSOR]
        tensor.dtype = wire.DT_UINT8
        for size in (len(samples), *shape):
            tensor.tensor_shape.dim.add(size=size)
        tensor.tensor_content = b"".join(sample.tensor.data for sample in samples)
        return request

    def _read(
        self, response: Any, samples: list[Sample], contract: Contract, version: int, answered_at: float
    ) -> list[Detections]:
        outputs = _detection_arrays(response, len(samples))
        answers = []
        for row, sample in enumerate(samples):
            frame = sample.frame
            resize = Resize.fit((frame.width, frame.height), (contract.width, contract.height), contract.resize)
            boxes, scores, class_ids = (
                array[row, :MAX_DETECTIONS]
                for array in (
                    outputs[signature.DETECTION_BOXES],
                    outputs[signature.DETECTION_SCORES],
                    outputs[signature.DETECTION_CLASSES],
                )
            )
            count = int(np.clip(np.nan_to_num(outputs[signature.NUM_DETECTIONS][row]), 0, len(scores)))
            finite = np.isfinite(boxes).all(axis=1) & np.isfinite(scores) & np.isfinite(class_ids)
            keep = finite & (scores >= sample.min_score) & (np.arange(len(scores)) < count)
            ids = class_ids[keep].astype(np.int64)
            answers.append(
                Detections(
                    stream=frame.stream,
                    pts=frame.pts,
                    received_at=frame.received_at,
                    answered_at=answered_at,
                    model=self.model,
                    version=version,
                    width=frame.width,
                    height=frame.height,
                    boxes=resize.to_frame(boxes[keep]),
                    scores=scores[keep],
                    class_ids=ids,
                    labels=tuple(contract.labels.get(int(class_id), f"class {class_id}") for class_id in ids),
                )
            )
        return answers

    async def _watch(self) -> None:
        """Look, and note what was seen; it is said once an outage and reason, not five times a second."""
        try:
            await self._look()
        except PredictError as error:
            if self._down(str(error)):
                log.warning("%s", error)
        except Exception:
            if self._down(f"the model server at {self.address} answers nonsense"):
                log.exception("model %s: asking about it failed in a way nobody foresaw", self.model)

    async def _look(self) -> None:
        """Ask who answers. When nobody does, once more: one of several servers may be gone, and the next is asked."""
        try:
            await self._learn(None)
        except PredictError:
            if not self.up:
                raise
            await self._learn(None)

    async def _learn(self, version: int | None) -> None:
        """Ask the model (the newest version, or one) who it is. Raises PredictError where it cannot be used."""
        metadata = wire.GetModelMetadataRequest(metadata_field=[wire.SIGNATURE_DEF])
        metadata.model_spec.name = self.model
        if version is not None:
            metadata.model_spec.version.value = version
        answer = await self._ask(self._metadata, metadata)
        found = answer.model_spec.version.value
        if found not in self._contracts:
            try:
                signatures = wire.signature_defs(answer)
            except DecodeError as error:
                raise PredictError("INTERNAL", f"model {self.model}: its signatures cannot be read") from error
            _require_canonical(self.model, signatures)
            contract = await self._read_contract(found)
            _require_usable(self.model, signatures[signature.SERVING_DEFAULT], contract)
            self._contracts[found] = contract
            log.info("model %s version %d: %s", self.model, found, ", ".join(self._contracts[found].labels.values()))
            while len(self._contracts) > 4:
                del self._contracts[next(iter(self._contracts))]  # learnt first; the lowest may be one rolled back to
        self.contract, self.version = self._contracts[found], found
        if not self.up:
            log.info("model %s is up at %s", self.model, self.address)
        self.up, self.reason = True, None

    async def _read_contract(self, version: int) -> Contract:
        request = wire.PredictRequest(output_filter=[signature.CONTRACT])
        request.model_spec.name = self.model
        request.model_spec.version.value = version
        request.model_spec.signature_name = signature.LABELS
        index = wire.TensorProto(dtype=wire.DT_INT64, int64_val=[0])
        index.tensor_shape.dim.add(size=1)
        request.inputs[signature.LABELS_INDEX].CopyFrom(index)
        response = await self._ask(self._predict, request)
        try:
            text = wire.to_array(response.outputs[signature.CONTRACT]).reshape(-1)[0]
            return Contract.from_json(text)
        except (ContractError, ValueError, IndexError) as error:
            sentence = f"model {self.model}: {error}: export it with `sightline export` of the version that runs here"
            raise PredictError("FAILED_PRECONDITION", sentence) from error

    async def _ask(self, method: Any, request: Any) -> Any:
        """A call about the model; a version that one server does not have is asked of the next, should there be any.

        During a rollout the servers of one address differ, and the version that just answered may be on one alone.
        """
        looks = LOOKS if request.model_spec.HasField("version") else 1
        while True:
            looks -= 1
            try:
                return await self._call(method, request, CONTROL_TIMEOUT)
            except PredictError as error:
                if error.code != "NOT_FOUND" or not looks:
                    raise

    async def _call(self, method: Any, request: Any, seconds: float) -> Any:
        with _translated(self.address):
            return await method(request, timeout=seconds)

    def _down(self, reason: str) -> bool:
        """It does not answer, and why; gives whether that is news."""
        news = self.up or self.reason != reason
        self.up, self.reason = False, reason
        return news


@contextlib.contextmanager
def _translated(address: str) -> Iterator[None]:
    """GRPC's errors become PredictError, with a sentence for the page."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        code = error.code().name
        sentence = {
            "UNAVAILABLE": f"the model server at {address} cannot be reached",
            "DEADLINE_EXCEEDED": f"the model server at {address} did not answer in time",
        }.get(code, f"the model server at {address} refuses: {error.details()}")
        details = error.details() or ""
        if code == "UNAVAILABLE" and "queue" in details:
            code, sentence = "RESOURCE_EXHAUSTED", f"the model server at {address} has more work than it can do"
        if code == "UNAVAILABLE" and "unhealthy" in details:  # gRPC's own word for NOT_SERVING
            sentence = f"the model server at {address} says that it is not serving"
        raise PredictError(code, sentence) from error


def _require_canonical(model: str, signatures: dict[str, Any]) -> None:
    """Refuse a model whose signatures are not `serving.signature`'s, saying what to do."""
    wanted = {signature.SERVING_DEFAULT: signature.DETECTION_OUTPUTS, signature.LABELS: signature.LABELS_OUTPUTS}
    for name, outputs in wanted.items():
        missing = sorted(set(outputs) - set(signatures[name].outputs)) if name in signatures else [name]
        if missing:
            raise PredictError(
                "FAILED_PRECONDITION",
                f"model {model} has no {', '.join(missing)}: export it with `sightline export` so that it carries them",
            )


def _require_usable(model: str, serving_default: Any, contract: Contract) -> None:
    """Refuse a model that would refuse every call, or see other colours than the camera's, saying what to do."""
    again = "export it again with `sightline export`"
    if contract.color_order != "RGB":
        raise PredictError(
            "FAILED_PRECONDITION",
            f"model {model} wants {contract.color_order} and is sent RGB: {again}, which swaps colours in the graph",
        )
    stated = serving_default.inputs[signature.INPUT_TENSOR]
    shape = wire.shape_of(stated)
    if stated.dtype != wire.DT_UINT8 or shape[1:] != (contract.height, contract.width, 3):
        found = f"{signature.INPUT_TENSOR} of shape {list(shape)}" if shape else f"no {signature.INPUT_TENSOR}"
        raise PredictError(
            "FAILED_PRECONDITION",
            f"model {model} has {found}, and is sent uint8 [N, {contract.height}, {contract.width}, 3] "
            f"as its contract says: {again}",
        )


def _detection_arrays(response: Any, rows: int) -> dict[str, NDArray[Any]]:
    """The four outputs, their shapes checked against the batch."""
    arrays: dict[str, NDArray[Any]] = {}
    for name in signature.DETECTION_OUTPUTS:
        if name not in response.outputs:
            raise PredictError("INTERNAL", f"the model's answer lacks {name}")
        try:
            arrays[name] = wire.to_array(response.outputs[name])
        except ValueError as error:
            raise PredictError("INTERNAL", f"the model's {name} cannot be read: {error}") from error
    found = arrays[signature.DETECTION_SCORES].shape[1:]
    shapes = {
        signature.DETECTION_BOXES: (rows, *found, 4),
        signature.DETECTION_SCORES: (rows, *found),
        signature.DETECTION_CLASSES: (rows, *found),
        signature.NUM_DETECTIONS: (rows,),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape or len(found) != 1:
            raise PredictError("INTERNAL", f"the model's {name} has shape {arrays[name].shape}, not {shape}")
    return arrays
