"""A traced detector ─► a version directory: SavedModel, contract, warm-up requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from serving.signature import CLASS_IDS, CLASS_NAMES, CONTRACT, CONTRACT_FILE, LABELS, SERVING_DEFAULT, Contract
from sightline_export.errors import Unusable
from sightline_export.warmup import write_warmup


def write(version: Path, serving_default: Any, contract: Contract, keep: Any = None) -> None:
    """Write everything a model server and a client need into the empty directory `version`.

    Args:
        version: an existing, empty directory.
        serving_default: a tf.function with its one input signature.
        contract: what travels with the model.
        keep: what owns resources of the graph that are no variables (lookup tables), or None.

    Raises:
        Unusable: the detector cannot be traced, or its resources not be saved because nobody owns them.
        OSError, tf.errors.OpError: something could not be written; see `writing`.
    """
    try:
        detect = serving_default.get_concrete_function()
    except (tf.errors.OpError, ValueError, TypeError) as error:
        raise Unusable(f"the detector cannot be traced as a graph: {error}") from error
    model = tf.Module()
    # Only what inference uses travels: no optimizer, no layers with traces of their own.
    model.weights = list(detect.graph.variables)
    model.keep = keep
    signatures = {SERVING_DEFAULT: serving_default, LABELS: _labels(contract)}
    try:
        tf.saved_model.save(model, str(version), signatures=signatures)
        (version / CONTRACT_FILE).parent.mkdir(exist_ok=True)
        (version / CONTRACT_FILE).write_text(contract.to_json() + "\n")
        write_warmup(version, contract)
    except AssertionError as error:
        raise Unusable(f"the graph uses a resource that cannot be saved: {error}") from error


@contextmanager
def writing(output: Path) -> Iterator[None]:
    """What goes wrong in this block with a disk (full, gone, read-only) is said of the directory the user named.

    Raises:
        Unusable: Python or TensorFlow could not write.
    """
    try:
        yield
    except OSError as error:
        raise Unusable(f"cannot write to {output}: {error.strerror or error}") from error
    except tf.errors.OpError as error:
        # "…/variables_temp/part-00000-of-00001.data; No space left on device [Op:SaveV2]": the reason is what matters.
        reason = error.message.split(";")[-1].split("[Op:")[0].strip()
        raise Unusable(f"cannot write to {output}: {reason}") from error


def _labels(contract: Contract) -> Any:
    ids, names = list(contract.labels), list(contract.labels.values())
    text = contract.to_json()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, name="index")], autograph=False)  # type: ignore[untyped-decorator]
    def labels(index: Any) -> dict[str, Any]:
        rows = tf.shape(index)[0]
        return {
            CLASS_IDS: tf.tile(tf.constant([ids], tf.int64), [rows, 1]),
            CLASS_NAMES: tf.tile(tf.constant([names], tf.string), [rows, 1]),
            CONTRACT: tf.fill([rows], tf.constant(text)),
        }

    return labels
