"""Requests a version brings along to be run before it is served (g3doc/saved_model_warmup.md of tensorflow/serving)."""

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.errors import ServingError, invalid_argument, status_code
from serving.predict import run_predict
from serving.servable import Servable

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
MAX_RECORDS = 1000


def warm_up(servable: Servable) -> int:
    """Run the version's warm-up requests, TFRecords of PredictionLog; returns how many there were, 0 without a file.

    Raises:
        ServingError: the file is damaged, has too many records or one that is no Predict, or a request failed.
    """
    path = servable.path / WARMUP_FILE
    if not path.exists():
        return 0
    count = 0
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            count += 1
            if count > MAX_RECORDS:
                raise invalid_argument(f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {path}")
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if not log.HasField("predict_log"):
                raise invalid_argument(f"warm-up record {count} of {path} is not a predict_log")
            run_predict(servable, log.predict_log.request, predict_pb2.PredictResponse())
    except tf.errors.OpError as error:
        message = f"{error.message}. Please verify your warmup data is in TFRecord format."
        raise ServingError(status_code(error.error_code), message) from error
    return count
