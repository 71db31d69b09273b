"""Requests a version brings along to be run before it is served (g3doc/saved_model_warmup.md of tensorflow/serving)."""

import threading
import time
from collections.abc import Iterator

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.errors import ServingError, invalid_argument, status_code
from serving.metrics import Metrics
from serving.predict import Predict
from serving.servable import Servable

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
MAX_RECORDS = 1000


def warm_up(servable: Servable, predict: Predict, metrics: Metrics, stop: threading.Event, iterations: int = 1) -> int:
    """Run the version's warm-up requests, TFRecords of PredictionLog; returns how many there were, 0 without a file.

    Args:
        servable: the version.
        predict: how a request is run.
        metrics: counts them, and the time.
        stop: set when the server is told to stop: nobody will ask this version any more.
        iterations: how often each is run.

    Raises:
        ServingError: the file is damaged, has too many records or one that is no Predict, a request failed, or `stop`.
    """
    if not (servable.path / WARMUP_FILE).exists():
        return 0
    started, count = time.monotonic(), 0
    for record in _records(servable):
        count += 1
        for _ in range(iterations):
            if stop.is_set():
                raise ServingError(grpc.StatusCode.CANCELLED, "the server is stopping")
            # The version's own, and of one value: eight pictures of 1024 x 1024 are 24 MiB that it leaves out.
            predict.run(servable, record, predict_pb2.PredictResponse(), most_unsent=None)
    metrics.warm_up(str(servable.path), "OK", time.monotonic() - started, count)
    return count


def _records(servable: Servable) -> Iterator[predict_pb2.PredictRequest]:
    path = servable.path / WARMUP_FILE
    try:
        for number, record in enumerate(tf.data.TFRecordDataset(str(path)).as_numpy_iterator(), start=1):
            if number > MAX_RECORDS:
                raise invalid_argument(f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {path}")
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if not log.HasField("predict_log"):
                raise invalid_argument(f"warm-up record {number} of {path} is not a predict_log")
            yield log.predict_log.request
    except tf.errors.OpError as error:
        message = f"{error.message}. Please verify your warmup data is in TFRecord format."
        raise ServingError(status_code(error.error_code), message) from error
