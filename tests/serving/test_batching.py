"""serving.batching reads TensorFlow Serving's batching parameters, and refuses what it would."""

from pathlib import Path

import pytest

from serving.batching import BATCHING_CONFIG, BatchingParameters
from serving.errors import StartError
from sightline_export.warmup import BATCH_SIZES

CONFIGS = sorted(BATCHING_CONFIG.parent.glob("batching*.config"))


def test_shipped_configs_are_read() -> None:
    """The CPU and the GPU file are valid, and every setting in them says why."""
    assert [path.name for path in CONFIGS] == ["batching.config", "batching_gpu.config"]
    parameters = [BatchingParameters.read(path) for path in CONFIGS]
    assert parameters[0] == BatchingParameters(
        max_batch_size=8, batch_timeout=0, max_enqueued_batches=4, num_batch_threads=2
    )
    assert parameters[1].allowed_batch_sizes == (1, 2, 4, 8)
    assert parameters[1].batch_timeout == 0.003
    for path in CONFIGS:
        for paragraph in path.read_text().strip().split("\n\n"):
            assert paragraph.startswith("# "), f"{path.name}: a setting without its reason: {paragraph}"


def test_exported_models_warm_up_every_allowed_size() -> None:
    """The requests an export brings along meet each size a GPU runs, and none that a shipped configuration refuses."""
    parameters = [BatchingParameters.read(path) for path in CONFIGS]
    assert set(BATCH_SIZES) == set(parameters[1].allowed_batch_sizes)
    assert max(BATCH_SIZES) <= min(found.max_batch_size for found in parameters)


def test_an_empty_file_gives_tensorflow_servings_defaults(tmp_path: Path) -> None:
    """What a file leaves out is as TensorFlow Serving has it."""
    (tmp_path / "empty").write_text("")
    parameters = BatchingParameters.read(tmp_path / "empty")
    assert (parameters.max_batch_size, parameters.batch_timeout, parameters.max_enqueued_batches) == (1000, 0, 10)


def test_every_field_is_read(tmp_path: Path) -> None:
    """All fields of the message arrive, micros as seconds."""
    (tmp_path / "all").write_text(
        "max_batch_size { value: 16 } batch_timeout_micros { value: 1500 } max_enqueued_batches { value: 7 }\n"
        "num_batch_threads { value: 3 } thread_pool_name { value: 'mine' } pad_variable_length_inputs: true\n"
        "enable_large_batch_splitting { value: true } max_execution_batch_size { value: 8 }\n"
        "allowed_batch_sizes: 4 allowed_batch_sizes: 16"
    )
    assert BatchingParameters.read(tmp_path / "all") == BatchingParameters(
        max_batch_size=16,
        batch_timeout=0.0015,
        max_enqueued_batches=7,
        num_batch_threads=3,
        thread_pool_name="mine",
        allowed_batch_sizes=(4, 16),
        pad_variable_length_inputs=True,
        enable_large_batch_splitting=True,
        max_execution_batch_size=8,
    )


@pytest.mark.parametrize(("rows", "padded"), [(1, 2), (2, 2), (3, 8), (8, 8), (9, 9)])
def test_batches_are_padded_to_the_next_allowed_size(rows: int, padded: int) -> None:
    """A batch grows to the smallest allowed size that holds it; above all of them it stays as it is."""
    assert BatchingParameters(max_batch_size=8, allowed_batch_sizes=(2, 8)).allowed_size(rows) == padded


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
        (
            "max_batch_size { value: 8 } max_execution_batch_size { value: 9 }",
            "max_execution_batch_size must be from 1 to max_batch_size, 8; was 9",
        ),
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
