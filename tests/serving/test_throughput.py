"""serving.throughput finds what a model gives at best."""

import json
from pathlib import Path

import pytest
import tensorflow as tf

from serving import throughput
from serving.errors import StartError


def save_doubler(path: Path, *, rows: int | None, dtype: tf.DType) -> Path:
    """Write a version that doubles `rows` pictures of 4 x 4, any number where None."""

    class Doubler(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([rows, 4, 4, 3], dtype, name="x")])  # type: ignore[untyped-decorator]
        def run(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"y": 2 * x}

    model = Doubler()
    tf.saved_model.save(model, str(path), signatures=model.run)
    return path


def test_every_combination_is_measured(tmp_path: Path) -> None:
    """All batch sizes and numbers of callers have a rate, and the best is the highest of them."""
    found = throughput.measure(save_doubler(tmp_path / "1", rows=None, dtype=tf.uint8), seconds=0.03)
    rates = found["images_per_second"]
    assert set(rates) == {f"{batch}x{callers}" for batch in (1, 2, 4, 8) for callers in (1, 2)}
    assert min(rates.values()) > 0
    best = found["best"]
    assert best["images_per_second"] == max(rates.values()) == rates[f"{best['batch']}x{best['callers']}"]
    json.dumps(found)


def test_a_model_of_one_image_is_measured_with_one(tmp_path: Path) -> None:
    """A signature fixed at batch 1 is never given more."""
    found = throughput.measure(save_doubler(tmp_path / "1", rows=1, dtype=tf.float32), seconds=0.03)
    assert set(found["images_per_second"]) == {"1x1", "1x2"}


def test_a_model_without_images_is_refused(tmp_path: Path) -> None:
    """Inputs that random pixels cannot be made for are named as the reason."""
    path = save_doubler(tmp_path / "1", rows=None, dtype=tf.int64)
    with pytest.raises(StartError, match="not images of a fixed size"):
        throughput.measure(path, seconds=0.03)


def test_a_directory_without_a_model_is_refused(tmp_path: Path) -> None:
    """What is no version directory is named in one line."""
    with pytest.raises(StartError) as error:
        throughput.measure(tmp_path, seconds=0.03)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)
