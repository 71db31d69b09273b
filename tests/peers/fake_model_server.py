"""A model server with a closed-form answer, and knobs for everything that can be wrong with one.

Real gRPC in the test's own process, speaking serving.wire: what the service says to it goes over a socket.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from numpy.typing import NDArray

from serving import signature, wire
from serving.signature import Contract

ROWS = 3
"""Detections in every answer."""


def expected_boxes(value: int) -> NDArray[np.float32]:
    """The boxes answered for a frame whose first pixel is `value`: [ROWS, 4], ymin, xmin, ymax, xmax in 0..1."""
    first = np.array([0.0, 0.0, 0.25, 0.5], np.float32) + np.float32(value / 512)
    return np.stack([first + np.float32(row / 16) for row in range(ROWS)])


class FakeModelServer:
    """Answers Predict and GetModelMetadata for one model; `run_fake_model_server` makes one."""

    def __init__(
        self,
        contract: Contract,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        max_age_ms: int = 0,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        self.credentials = credentials
        """What it speaks TLS with; None: it speaks plain gRPC."""
        self.host = host
        self.port = port
        self.max_age_ms = max_age_ms
        """End a connection in good order when it is this old; 0 for never."""
        self.version = 1
        """The version that answers."""
        self.contracts = {1: contract}
        """By version."""
        self.fail: tuple[grpc.StatusCode, str] | None = None
        """Refuse every call with this."""
        self.missing: set[str] = set()
        """Signatures, inputs and outputs that the model lacks."""
        self.input_size: tuple[int, int] | None = None
        """Height and width that its signature states, -1 for a free one, if they are not the contract's."""
        self.scores = [0.9, 0.6, 0.3]
        """Of each answer's rows."""
        self.outputs: dict[str, NDArray[Any]] = {}
        """Outputs to answer with instead of the computed ones."""
        self.raw: bytes | None = None
        """What to answer every call with, whether or not it is a message."""
        self.tensors: dict[str, Any] = {}
        """TensorProtos to answer with instead of the outputs of that name, the contract's among them."""
        self.described: int | None = None
        """The version that its metadata tell of, whichever is asked about."""
        self.silent = False
        """Take calls and never answer."""
        self.is_busy = False
        """Take Predict calls about frames and never answer those."""
        self.has_health = True
        """Offer grpc.health.v1, from the next start on."""
        self.batches: list[int] = []
        """Rows of each Predict on frames."""
        self.requests: list[Any] = []
        """The requests themselves."""
        self._server: grpc.aio.Server | None = None
        self._health = health.HealthServicer()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)]
        if self.max_age_ms:
            options.append(("grpc.max_connection_age_ms", self.max_age_ms))
        self._server = grpc.aio.server(options=options)
        if self.has_health:
            self._health = health.HealthServicer()
            health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        calls = {
            wire.PREDICT: (self._predict, wire.PredictRequest),
            wire.GET_MODEL_METADATA: (self._metadata, wire.GetModelMetadataRequest),
        }
        for path, (answer, request) in calls.items():
            service, method = path.strip("/").split("/")
            handler: Any = grpc.unary_unary_rpc_method_handler(
                answer,
                request_deserializer=request.FromString,
                response_serializer=lambda reply: reply.SerializeToString() if self.raw is None else self.raw,
            )
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        if self.credentials is None:
            self.port = self._server.add_insecure_port(self.address)
        else:
            self.port = self._server.add_secure_port(self.address, self.credentials)
        await self._server.start()

    async def stop(self) -> None:
        """Be gone at once; may be called twice."""
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    async def say_serving(self, serving: bool) -> None:
        """Tell whoever watches its health whether it wants calls; it goes on answering them in any case."""
        status = health_pb2.HealthCheckResponse
        await self._health.set("", status.SERVING if serving else status.NOT_SERVING)

    async def _check(self, request: Any, context: Any) -> int:
        """Refuse what is to be refused; gives the version asked for."""
        while self.silent:  # noqa: ASYNC110  a knob, turned by hand
            await asyncio.sleep(0.01)
        if self.fail is not None:
            await context.abort(*self.fail)
        version = request.model_spec.version.value or self.version
        if version not in self.contracts:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no version {version}")
        return int(version)

    async def _metadata(self, request: Any, context: Any) -> Any:
        version = await self._check(request, context)
        signatures = wire.SignatureDefMap()
        known = {signature.SERVING_DEFAULT: signature.DETECTION_OUTPUTS, signature.LABELS: signature.LABELS_OUTPUTS}
        for name, outputs in known.items():
            if name in self.missing:
                continue
            for output in outputs:
                if output not in self.missing:
                    signatures.signature_def[name].outputs[output].name = f"{output}:0"
        self._state_input(signatures, self.contracts[version])
        response = wire.GetModelMetadataResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version if self.described is None else self.described
        packed = response.metadata[wire.SIGNATURE_DEF]
        packed.type_url = f"type.googleapis.com/{wire.SignatureDefMap.DESCRIPTOR.full_name}"
        packed.value = signatures.SerializeToString()
        return response

    def _state_input(self, signatures: Any, contract: Contract) -> None:
        if signature.SERVING_DEFAULT in self.missing or signature.INPUT_TENSOR in self.missing:
            return
        stated = signatures.signature_def[signature.SERVING_DEFAULT].inputs[signature.INPUT_TENSOR]
        stated.dtype = wire.DT_UINT8
        for size in (-1, *(self.input_size or (contract.height, contract.width)), 3):
            stated.tensor_shape.dim.add(size=size)

    async def _predict(self, request: Any, context: Any) -> Any:
        version = await self._check(request, context)
        response = wire.PredictResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version
        if request.model_spec.signature_name == signature.LABELS:
            text = response.outputs[signature.CONTRACT]
            text.dtype = wire.DT_STRING
            text.tensor_shape.dim.add(size=1)
            text.string_val.append(self.contracts[version].to_json().encode())
            if signature.CONTRACT in self.tensors:
                text.CopyFrom(self.tensors[signature.CONTRACT])
            return response
        pictures = wire.to_array(request.inputs[signature.INPUT_TENSOR])
        self.requests.append(request)
        while self.is_busy:  # noqa: ASYNC110  a knob, turned by hand
            await asyncio.sleep(0.01)
        self.batches.append(len(pictures))
        rows = len(pictures)
        outputs: dict[str, NDArray[Any]] = {
            signature.DETECTION_BOXES: np.stack([expected_boxes(int(picture[0, 0, 0])) for picture in pictures]),
            signature.DETECTION_SCORES: np.tile(np.array(self.scores, np.float32), (rows, 1)),
            signature.DETECTION_CLASSES: np.tile(np.array([1, 2, 7], np.float32), (rows, 1)),
            signature.NUM_DETECTIONS: np.full(rows, ROWS, np.float32),
        } | self.outputs
        for name, array in outputs.items():
            if name not in self.missing:
                response.outputs[name].CopyFrom(self.tensors.get(name) or float_tensor(array))
        return response


def float_tensor(array: NDArray[Any]) -> Any:
    """A float32 TensorProto."""
    values = np.ascontiguousarray(array, np.float32)
    tensor = wire.TensorProto(dtype=wire.DT_FLOAT, tensor_content=values.tobytes())
    for size in values.shape:
        tensor.tensor_shape.dim.add(size=size)
    return tensor


@asynccontextmanager
async def run_fake_model_server(
    contract: Contract,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    max_age_ms: int = 0,
    credentials: grpc.ServerCredentials | None = None,
) -> AsyncIterator[FakeModelServer]:
    """A server for as long as the block lasts."""
    server = FakeModelServer(contract, host=host, port=port, max_age_ms=max_age_ms, credentials=credentials)
    await server.start()
    try:
        yield server
    finally:
        server.silent = server.is_busy = False
        await server.stop()


async def serve(port: int, host: str = "127.0.0.1") -> None:
    """Be a server in a process of its own, which can be frozen."""
    contract = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect"})
    async with run_fake_model_server(contract, host=host, port=port):
        print("serving", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:]))
