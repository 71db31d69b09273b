"""The model server as the service calls it: over one channel, gRPC's errors become ours, each with a sentence.

The messages are `serving.wire`'s, so no TensorFlow is needed here.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import grpc
import grpc.aio

from serving import wire
from streamer.inference import intake
from streamer.inference.channel import open_channel
from streamer.inference.credentials import Credentials
from streamer.values.errors import PredictError

CONTROL_TIMEOUT = 2.0
"""Seconds for the calls about the model, not about frames."""
LOOKS = 8
"""Times a version is asked for which only some of several servers may have."""


class ModelServer:
    """One TensorFlow Serving (or `serving/`, which speaks the same API), or several behind one address.

    Its calls raise PredictError: no answer, with the gRPC status name.
    """

    def __init__(self, address: str, credentials: Credentials | None = None) -> None:
        self.address = address
        self._channel = open_channel(address, credentials)
        # Answers come as bytes: what is no message is no error of gRPC's, but a traceback in its log and a None.
        self._predict: Any = self._channel.unary_unary(
            wire.PREDICT, request_serializer=wire.PredictRequest.SerializeToString
        )
        self._metadata: Any = self._channel.unary_unary(
            wire.GET_MODEL_METADATA, request_serializer=wire.GetModelMetadataRequest.SerializeToString
        )

    async def close(self) -> None:
        """Close the channel; calls under way fail."""
        await self._channel.close()

    async def predict(self, request: Any, seconds: float) -> Any:
        """The answer to a PredictRequest about frames, which is worth waiting for so long."""
        return intake.message(wire.PredictResponse, await self._call(self._predict, request, seconds))

    async def ask(self, request: Any) -> Any:
        """The answer to a PredictRequest or a GetModelMetadataRequest about the model.

        A version that one server does not have is asked of the next, should there be any: during a rollout the servers
        of one address differ, and the version that just answered may be on one alone.
        """
        method, answer = self._metadata, wire.GetModelMetadataResponse
        if isinstance(request, wire.PredictRequest):
            method, answer = self._predict, wire.PredictResponse
        looks = LOOKS if request.model_spec.HasField("version") else 1
        while True:
            looks -= 1
            try:
                return intake.message(answer, await self._call(method, request, CONTROL_TIMEOUT))
            except PredictError as error:
                if error.code != "NOT_FOUND" or not looks:
                    raise

    async def _call(self, method: Any, request: Any, seconds: float) -> bytes:
        with _translated(self.address):
            answer: bytes = await method(request, timeout=seconds)
            return answer


@contextlib.contextmanager
def _translated(address: str) -> Iterator[None]:
    """GRPC's errors become PredictError, with a sentence for the page."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        code, says = _told(error.code().name, error.details() or "")
        raise PredictError(code, f"the model server at {address} {says}") from error


def _told(code: str, details: str) -> tuple[str, str]:
    """The code that counts, and what the server does, as a sentence goes on after its name."""
    if "message larger than max" in details and "SERVER" not in details:  # gRPC's words for what is not let in here
        return "INTERNAL", f"answers with more than {intake.MAX_ANSWER >> 20} MiB"
    if code == "DEADLINE_EXCEEDED":
        return code, "did not answer in time"
    if code != "UNAVAILABLE":
        return code, f"refuses: {intake.sentence(details)}"
    if "queue" in details:
        return "RESOURCE_EXHAUSTED", "has more work than it can do"
    if "unhealthy" in details:  # gRPC's own word for NOT_SERVING
        return code, "says that it is not serving"
    why = _why_no_connection(details)
    return code, f"cannot be reached: {why}" if why else "cannot be reached"


_NO_CONNECTION = {
    "Hostname Verification Check failed": "its certificate is for another name; serving.tls.name says which",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is signed by nobody in serving.tls.ca, or is not valid now",
    "WRONG_VERSION_NUMBER": "it does not speak TLS, and serving.tls is set",
    "Socket closed": "it closes connections; it may want TLS, or another certificate: serving.tls",
}


def _why_no_connection(details: str) -> str | None:
    """What gRPC says of the handshake of the last server tried, in our words."""
    if not details.startswith("connections to all backends failing"):
        return None
    return next((why for words, why in _NO_CONNECTION.items() if words in details), None)
