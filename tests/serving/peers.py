"""A closed-form SavedModel, and calls to a model server by two clients: the official stubs and serving.wire."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving import server, wire
from serving.options import Options
from serving.server import Server
from serving.warmup import WARMUP_FILE

SIZE = 8


def save_model(base_path: Path, version: int) -> Path:
    """Write a version whose answer is known: every output is made of the row's own pixels, and names the version.

    The pixel [0, 0, 0] says for how long the row's batch is kept busy; 0 is not at all.
    """

    class Model(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.version = tf.Variable(float(version), name="version")

        @tf.function(input_signature=[tf.TensorSpec([None, SIZE, SIZE, 3], tf.uint8, name="input_tensor")])  # type: ignore[untyped-decorator]
        def detect(self, input_tensor: Any) -> dict[str, Any]:
            pixels = tf.reshape(tf.cast(input_tensor, tf.float32), [-1, SIZE * SIZE * 3])
            steps = 20 * tf.cast(tf.reduce_max(tf.concat([pixels[:, 0], [0.0]], 0)), tf.int32)
            busy = tf.ones([256, 256]) / 256
            _, busy = tf.while_loop(lambda i, _: i < steps, lambda i, m: (i + 1, m @ m), (0, busy))
            nothing = tf.reduce_sum(busy) * 0
            return {
                "detection_boxes": tf.reshape(pixels[:, :12], [-1, 3, 4]) / 255 + nothing,
                "detection_scores": pixels[:, 12:15] / 255,
                "detection_classes": pixels[:, 15:18],
                "num_detections": tf.reduce_sum(pixels, 1) + 1e6 * self.version,
            }

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="index")])  # type: ignore[untyped-decorator]
        def labels(self, index: Any) -> dict[str, Any]:
            rows = tf.shape(index)[0]
            return {"class_names": tf.tile([["insulator", "defect"]], [rows, 1]), "index_out": index}

        @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8, name="image")])  # type: ignore[untyped-decorator]
        def single(self, image: Any) -> dict[str, Any]:
            return {"total": tf.reduce_sum(tf.cast(image, tf.float32), [1, 2, 3])}

        @tf.function(input_signature=[tf.TensorSpec([None, 2]), tf.TensorSpec([None, 2])])  # type: ignore[untyped-decorator]
        def pair(self, a: Any, b: Any) -> dict[str, Any]:
            return {"sum": a + b}

        @tf.function(input_signature=[tf.TensorSpec([None, 4], name="x")])  # type: ignore[untyped-decorator]
        def picky(self, x: Any) -> dict[str, Any]:
            return {"y": tf.debugging.check_numerics(x, "row is not a number")}

        @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, name="image")])  # type: ignore[untyped-decorator]
        def anysize(self, image: Any) -> dict[str, Any]:
            return {"total": tf.reduce_sum(tf.cast(image, tf.float32), [1, 2, 3])}

        @tf.function(input_signature=[tf.TensorSpec([None, None], name="x")])  # type: ignore[untyped-decorator]
        def odd(self, x: Any) -> dict[str, Any]:
            return {"scalar": tf.reduce_sum(x), "first": x[:1], "product": x @ tf.ones([3, 4])}

        @tf.function(input_signature=[])  # type: ignore[untyped-decorator]
        def nothing(self) -> dict[str, Any]:
            return {"version": tf.identity(self.version)}

    model = Model()
    path = base_path / str(version)
    signatures = {
        "serving_default": model.detect,
        "labels": model.labels,
        "single": model.single,
        "pair": model.pair,
        "picky": model.picky,
        "anysize": model.anysize,
        "odd": model.odd,
        "nothing": model.nothing,
    }
    tf.saved_model.save(model, str(path), signatures=signatures)
    return path


def images(rows: int, seed: int) -> NDArray[np.uint8]:
    """Random rows that take no time: uint8 [rows, SIZE, SIZE, 3]."""
    pictures = np.random.default_rng(seed).integers(0, 256, (rows, SIZE, SIZE, 3), dtype=np.uint8)
    pictures[:, 0, 0, 0] = 0
    return pictures


def expected(pictures: NDArray[np.uint8], version: int) -> dict[str, NDArray[np.float32]]:
    """What the model answers."""
    pixels = pictures.reshape(len(pictures), -1).astype(np.float32)
    return {
        "detection_boxes": pixels[:, :12].reshape(-1, 3, 4) / np.float32(255),
        "detection_scores": pixels[:, 12:15] / np.float32(255),
        "detection_classes": pixels[:, 15:18],
        "num_detections": pixels.sum(1) + np.float32(1e6 * version),
    }


def single(base_path: Path) -> list[str]:
    """The flags that serve `base_path` as `tiny` on a free port."""
    return ["--port=0", "--model_name=tiny", f"--model_base_path={base_path}"]


@contextmanager
def run_server(base_path: Path, *flags: str) -> Iterator[Server]:
    """The embedded server in this process, on a free port, serving `base_path` as `tiny`."""
    options = Options.parse([*single(base_path), *flags])
    running = server.start(options, log=lambda _text: None)
    try:
        yield running
    finally:
        running.close()


class Caller:
    """A client made of serving.wire and grpc alone."""

    def __init__(self, port: int | str) -> None:
        """`port` on this machine, or a whole address."""
        address = port if isinstance(port, str) else f"127.0.0.1:{port}"
        self.channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
        self.predict = self._method(wire.PREDICT, wire.PredictRequest, wire.PredictResponse)
        self.metadata = self._method(
            wire.GET_MODEL_METADATA, wire.GetModelMetadataRequest, wire.GetModelMetadataResponse
        )
        self.status = self._method(wire.GET_MODEL_STATUS, wire.GetModelStatusRequest, wire.GetModelStatusResponse)
        self.reload = self._method(wire.RELOAD_CONFIG, wire.ReloadConfigRequest, wire.ReloadConfigResponse)

    def _method(self, path: str, request: Any, response: Any) -> Any:
        return self.channel.unary_unary(
            path, request_serializer=request.SerializeToString, response_deserializer=response.FromString
        )

    def detect(self, pictures: NDArray[np.uint8], **spec: Any) -> Any:
        """One Predict on the detector."""
        return self.predict(request(pictures, **spec), timeout=30)


def request(pictures: NDArray[np.uint8], *, output_filter: tuple[str, ...] = (), **spec: Any) -> Any:
    """A PredictRequest for the detector; `spec` are the other fields of its ModelSpec."""
    made = wire.PredictRequest(model_spec={"name": "tiny"} | spec, output_filter=output_filter)
    made.inputs["input_tensor"].CopyFrom(wire.uint8_tensor(pictures.shape, pictures.tobytes()))
    return made


def warm_up_with(version_path: Path, *pictures: NDArray[np.uint8]) -> None:
    """Write warm-up requests of these pictures into a version."""
    warm_up_with_requests(version_path, *map(request, pictures))


def warm_up_with_requests(version_path: Path, *requests: Any) -> None:
    """Write warm-up requests into a version."""
    path = version_path / WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for one in requests:
            asked = predict_pb2.PredictRequest.FromString(one.SerializeToString())
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=asked))
            writer.write(log.SerializeToString())


def float_tensor(*shape: int, value: float = 0.0) -> Any:
    """A float32 TensorProto filled with `value`."""
    return wire.TensorProto(
        dtype=wire.DT_FLOAT, tensor_shape={"dim": [{"size": size} for size in shape]}, float_val=[value]
    )


def predict(inputs: dict[str, Any], *output_filter: str, **spec: Any) -> Any:
    """A PredictRequest of these inputs."""
    made = wire.PredictRequest(output_filter=output_filter, model_spec={"name": "tiny"} | spec)
    for name, tensor in inputs.items():
        made.inputs[name].CopyFrom(tensor)
    return made


def check(response: Any, pictures: NDArray[np.uint8]) -> None:
    """Every row of the response is made of its own picture, by the version the response names."""
    outputs = expected(pictures, response.model_spec.version.value)
    assert response.outputs
    for name, tensor in response.outputs.items():
        np.testing.assert_allclose(wire.to_array(tensor), outputs[name], err_msg=name)


if __name__ == "__main__":
    save_model(Path(sys.argv[1]), 3)
