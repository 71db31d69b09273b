"""Requests that a model server replays before it calls a version available.

TensorFlow Serving reads assets.extra/tf_serving_warmup_requests, a TFRecord of PredictionLog
(tensorflow_serving/g3doc/saved_model_warmup.md), and refuses the version if one of them fails.
"""

from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.signature import DETECTION_OUTPUTS, INPUT_TENSOR, SERVING_DEFAULT, Contract

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
BATCH_SIZES = (1, 2, 4, 8)
"""One record each: a GPU tunes its kernels anew for every batch size it meets."""


def write_warmup(version: Path, contract: Contract) -> None:
    """Write one Predict request for each of BATCH_SIZES into the version directory."""
    with tf.io.TFRecordWriter(str(version / WARMUP_FILE)) as writer:
        for size in BATCH_SIZES:
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=_request(contract, size))
            )
            writer.write(log.SerializeToString())


def read_warmup(version: Path) -> list[predict_pb2.PredictRequest]:
    """The requests of a version directory, in order."""
    records = tf.data.TFRecordDataset(str(version / WARMUP_FILE))
    return [prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request for record in records]


def _request(contract: Contract, size: int) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest(output_filter=DETECTION_OUTPUTS)
    request.model_spec.name = contract.name
    request.model_spec.signature_name = SERVING_DEFAULT
    # A grey picture as a single value, which tensor.proto repeats over the whole shape: bytes instead of megabytes.
    picture = tensor_pb2.TensorProto(dtype=tf.uint8.as_datatype_enum, int_val=[contract.pad_value])
    for dim in (size, contract.height, contract.width, 3):
        picture.tensor_shape.dim.add(size=dim)
    request.inputs[INPUT_TENSOR].CopyFrom(picture)
    return request
