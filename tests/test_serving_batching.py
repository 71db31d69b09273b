"""serving.batching reads TensorFlow Serving's parameters; serving.scheduler keeps functions apart."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.batching import BATCHING_CONFIG, BatchingParameters
from serving.errors import StartError
from serving.scheduler import BatchScheduler

CONFIGS = sorted(BATCHING_CONFIG.parent.glob("batching*.config"))


def test_shipped_configs_are_read() -> None:
    """The CPU and the GPU file are valid, and every setting in them says why."""
    assert [path.name for path in CONFIGS] == ["batching.config", "batching_gpu.config"]
    parameters = [BatchingParameters.read(path) for path in CONFIGS]
    assert parameters[0] == BatchingParameters(
        max_batch_size=8, batch_timeout=0, max_enqueued_batches=4, num_batch_threads=2
    )
    assert parameters[1].allowed_batch_sizes == (1, 2, 4, 8, 16)
    assert parameters[1].batch_timeout == 0.003
    for path in CONFIGS:
        for paragraph in path.read_text().strip().split("\n\n"):
            assert paragraph.startswith("# "), f"{path.name}: a setting without its reason: {paragraph}"


def test_an_empty_file_gives_tensorflow_servings_defaults(tmp_path: Path) -> None:
    """What a file leaves out is as TensorFlow Serving has it."""
    (tmp_path / "empty").write_text("")
    parameters = BatchingParameters.read(tmp_path / "empty")
    assert (parameters.max_batch_size, parameters.batch_timeout, parameters.max_enqueued_batches) == (1000, 0, 10)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("max_batch_sise { value: 8 }", 'has no field named "max_batch_sise"'),
        ("max_batch_size: 8", "1:"),
        ("max_batch_size { value: 0 }", "max_batch_size must be at least 1; was 0"),
        ("max_enqueued_batches { value: 0 }", "max_enqueued_batches must be at least 1; was 0"),
        ("num_batch_threads { value: 100000 }", "num_batch_threads must be at most 256; was 100000"),
        ("batch_timeout_micros { value: -1 }", "must not be negative; was -1"),
        ("max_batch_size { value: 4 } allowed_batch_sizes: 4 allowed_batch_sizes: 2", "increasing; were 4, 2"),
        (
            "max_batch_size { value: 4 } allowed_batch_sizes: 2",
            "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 2; expected 4",
        ),
        ("pad_variable_length_inputs: true", "pad_variable_length_inputs is not implemented"),
        ("enable_large_batch_splitting { value: true }", "enable_large_batch_splitting is not implemented"),
    ],
)
def test_wrong_parameters_are_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    """A file that cannot be used is named with what is wrong in it."""
    path = tmp_path / "batching.config"
    path.write_text(text)
    with pytest.raises(StartError) as error:
        BatchingParameters.read(path)
    assert str(path) in str(error.value)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A path without a file is named."""
    with pytest.raises(StartError, match="nowhere"):
        BatchingParameters.read(tmp_path / "nowhere")


def test_functions_of_one_scheduler_keep_to_themselves() -> None:
    """Two functions of the same shape, called at once from many threads, never answer for each other.

    tf.nondifferentiable_batch_function fails this: all its functions in a process share one queue.
    """
    scheduler = BatchScheduler(BatchingParameters(max_batch_size=8, batch_timeout=0.02, num_batch_threads=1))
    spec = [tf.TensorSpec([None, 4], tf.float32)]
    functions = [
        scheduler.batched(lambda x, offset=offset: [x + offset], spec, queue="same") for offset in (0.0, 1000.0)
    ]

    def call(number: int) -> None:
        value = np.full((1, 4), number, np.float32)
        (got,) = functions[number % 2](tf.constant(value))
        np.testing.assert_array_equal(got.numpy(), value + 1000 * (number % 2))

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(call, range(200)))


def test_calls_meet_in_one_batch() -> None:
    """Rows of callers that arrive together run as one batch, padded to an allowed size."""
    sizes: list[int] = []

    def double(x: tf.Tensor) -> list[tf.Tensor]:
        tf.numpy_function(lambda rows: sizes.append(len(rows)), [x], [])
        return [2 * x]

    # Long enough that the four are there; the batch is full with them, so nobody waits for it to pass.
    parameters = BatchingParameters(
        max_batch_size=4, batch_timeout=30, num_batch_threads=1, allowed_batch_sizes=(1, 2, 4)
    )
    batched = BatchScheduler(parameters).batched(double, [tf.TensorSpec([None], tf.float32)], queue="double")
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(lambda value: batched(tf.constant([value]))[0].numpy().tolist(), [1.0, 2.0, 3.0, 4.0])
        )
    assert answers == [[2.0], [4.0], [6.0], [8.0]]
    assert sizes == [4]


def test_models_config_is_what_tensorflow_serving_reads() -> None:
    """models.config parses as the official message, and names one model under an absolute path."""
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse(BATCHING_CONFIG.with_name("models.config").read_text(), config)
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == ("insulators", "/models/insulators", "tensorflow")
    assert model.model_version_policy.latest.num_versions == 1
