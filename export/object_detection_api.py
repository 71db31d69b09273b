"""A pipeline.config and a TF2 checkpoint ─► the Object Detection API's own SavedModel ─► a `Detector`.

The network is built by that library (research/object_detection of tensorflow/models), which has to be installed: its
exporter_lib_v2 writes a SavedModel, which is read like any other.
"""

import importlib
import inspect
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from sightline_export import saved_model
from sightline_export.detector import Detector
from sightline_export.errors import Unusable
from sightline_export.request import Request
from sightline_export.source import recognise


def load(request: Request) -> Detector:
    """Let the library export, and load what it wrote.

    Raises:
        Unusable: the library is not installed, cannot build or restore the network, or its export is no detector.
    """
    config, checkpoint = request.source.path, request.source.checkpoint
    assert checkpoint is not None  # noqa: S101  `recognise` has found it.
    exporter, read_config = _library(config)
    with tempfile.TemporaryDirectory(prefix="sightline-export-") as directory:
        try:
            exporter("image_tensor", read_config(config), str(checkpoint.parent), directory, **_side_inputs(exporter))
        except Exception as error:  # Whatever the library raises, the config or checkpoint cannot be used.
            said = str(error).strip().splitlines()
            reason = said[0] if said else type(error).__name__
            raise Unusable(f"the Object Detection API cannot export {config} with {checkpoint}: {reason}") from error
        return saved_model.load(replace(request, source=recognise(Path(directory))))


def _side_inputs(exporter: Any) -> dict[str, Any]:
    """What some versions of the exporter want besides: no side inputs."""
    wanted = list(inspect.signature(exporter).parameters.values())[4:]
    return {one.name: False if one.name == "use_side_inputs" else "" for one in wanted if one.default is one.empty}


def _library(config: Path) -> tuple[Any, Any]:
    """Its exporter, and the reader of its configs."""
    try:
        exporter = importlib.import_module("object_detection.exporter_lib_v2")
        protos = importlib.import_module("object_detection.protos.pipeline_pb2")
    except ImportError as error:
        raise Unusable(
            f"{config} needs the TensorFlow Object Detection API, which is not installed ({error}): install it, or run "
            "its exporter_main_v2.py where it is, and give the saved_model directory that it writes"
        ) from error

    def read_config(path: Path) -> Any:
        return text_format.Parse(path.read_text(encoding="utf-8"), protos.TrainEvalPipelineConfig())

    return exporter.export_inference_graph, read_config
