"""A TF2 object checkpoint (tf.train.Checkpoint) and the code that rebuilds its network ─► a `Detector`."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.signature import DETECTION_OUTPUTS
from sightline_export.builder import run_builder
from sightline_export.detector import Detector, Pictures
from sightline_export.errors import Unusable
from sightline_export.label_map import read_label_map
from sightline_export.request import Request

_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_ATTRIBUTES = ("input_height", "input_width", "labels", "resize_rule", "pad_value", "min_score", "detect")


def load(request: Request) -> Detector:
    """Build the network and fill it from the checkpoint.

    Raises:
        Unusable: no builder, a builder that fails or returns something else, or a checkpoint of another network.
    """
    prefix = request.source.path
    _readable(prefix)
    if request.builder is None:
        config = prefix.parent / "pipeline.config"
        hint = f", or name {config} in its place" if config.is_file() else ""
        raise Unusable(
            f"{prefix} is a checkpoint, which holds weights and no graph: "
            f"name the code that builds it with --builder path/to/file.py:function{hint}"
        )
    model = _build(request.builder)
    _restore(model, prefix, request.builder)
    labels = {int(class_id): str(name) for class_id, name in model.labels.items()}
    width, height = request.input_size or (int(model.input_width), int(model.input_height))

    def reference(pictures: Pictures) -> dict[str, NDArray[Any]]:
        found = model.detect(tf.constant(pictures))
        return {name: np.asarray(found[name]) for name in DETECTION_OUTPUTS}

    return Detector(
        detect=model.detect,
        reference=reference,
        height=height,
        width=width,
        labels=labels if request.labels is None else read_label_map(request.labels),
        resize=request.resize or model.resize_rule,
        pad_value=int(model.pad_value),
        min_score=float(model.min_score) if request.min_score is None else request.min_score,
    )


def _readable(prefix: Path) -> None:
    try:
        keys = tf.train.load_checkpoint(str(prefix)).get_variable_to_shape_map()
    except Exception as error:  # The reader raises OpError, ValueError, IndexError and others.
        raise Unusable(f"checkpoint {prefix} cannot be read: {error}") from error
    if _OBJECT_GRAPH not in keys:
        raise Unusable(
            f"checkpoint {prefix} was not written by tf.train.Checkpoint: it holds {_few(keys)} and no object graph; "
            f"if TensorFlow 1 wrote it, its graph {prefix.name}.meta is missing beside it"
        )


def _build(name: str) -> Any:
    model = run_builder(name)
    if missing := [attribute for attribute in _ATTRIBUTES if not hasattr(model, attribute)]:
        raise Unusable(f"builder {name} returned a {type(model).__name__} without {', '.join(missing)}")
    return model


def _restore(model: Any, prefix: Path, builder: str) -> None:
    try:
        # read, not restore: that one also wants the counter that only Checkpoint.save keeps.
        status = tf.train.Checkpoint(model=model).read(str(prefix))
        status.assert_existing_objects_matched()
    except AssertionError as error:
        raise Unusable(f"checkpoint {prefix} does not hold all weights of {builder}: {error}") from error
    except Exception as error:  # A cut file raises OpError or IndexError, another shape ValueError, and so on.
        raise Unusable(f"checkpoint {prefix} does not fit {builder}: {error}") from error
    # What the optimizer kept is of no use here, and nothing to warn about.
    status.expect_partial()


def _few(names: Any) -> str:
    names = sorted(names)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") or "nothing"
