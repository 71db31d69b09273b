"""A traced detector ─► a version directory: SavedModel, contract, warm-up requests."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from export.errors import Unusable
from export.warmup import write_warmup
from serving.signature import CLASS_IDS, CLASS_NAMES, CONTRACT, CONTRACT_FILE, LABELS, SERVING_DEFAULT, Contract


def write(version: Path, serving_default: Any, contract: Contract, keep: Any = None) -> None:
    """Write everything a model server and a client need into the empty directory `version`.

    Args:
        version: an existing, empty directory.
        serving_default: a tf.function with its one input signature.
        contract: what travels with the model.
        keep: what owns resources of the graph that are no variables (lookup tables), or None.

    Raises:
        Unusable: the detector cannot be traced, or not be written (disk full, resources that nobody owns).
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
    except (OSError, tf.errors.OpError) as error:
        raise Unusable(f"cannot write {version.parent}: {error}") from error
    except AssertionError as error:
        raise Unusable(f"the graph uses a resource that cannot be saved: {error}") from error


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
