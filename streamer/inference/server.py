"""The model server as the service calls it: over one channel, gRPC's errors become ours, each with a sentence.

The messages are `serving.wire`'s, so no TensorFlow is needed here.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import grpc
import grpc.aio

from serving import wire
from streamer.inference.channel import open_channel
from streamer.values.errors import PredictError

CONTROL_TIMEOUT = 2.0
"""Seconds for the calls about the model, not about frames."""
LOOKS = 8
"""Times a version is asked for which only some of several servers may have."""


class ModelServer:
    """One TensorFlow Serving (or `serving/`, which speaks the same API), or several behind one address.

    Its calls raise PredictError: no answer, with the gRPC status name.
    """

    def __init__(self, address: str) -> None:
        self.address = address
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

    async def close(self) -> None:
        """Close the channel; calls under way fail."""
        await self._channel.close()

    async def predict(self, request: Any, seconds: float) -> Any:
        """The answer to a PredictRequest about frames, which is worth waiting for so long."""
        return await self._call(self._predict, request, seconds)

    async def ask(self, request: Any) -> Any:
        """The answer to a PredictRequest or a GetModelMetadataRequest about the model.

        A version that one server does not have is asked of the next, should there be any: during a rollout the servers
        of one address differ, and the version that just answered may be on one alone.
        """
        method = self._predict if isinstance(request, wire.PredictRequest) else self._metadata
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
