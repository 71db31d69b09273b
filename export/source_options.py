"""The options that say what is exported, and how its tensors are meant."""

import argparse
from pathlib import Path
from typing import Any

from sightline_export.errors import Unusable
from sightline_export.source import BUNDLED_BUILDER, BUNDLED_CHECKPOINT, READABLE, Kind, Source, recognise
from sightline_export.tensors import TensorNames
from sightline_export.training_config import label_map_of, training_paths


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add SOURCE and its options.

    Those with an underscore are the ones that training code around the Object Detection API calls its export.py with.
    """
    add = parser.add_argument
    add("source", nargs="?", type=Path, metavar="SOURCE", help=f"{READABLE}; the bundled checkpoint if left out")
    add("--labels", type=Path, metavar="FILE", help="label map: .pbtxt, .txt (a name a line) or .json")
    add(
        "--builder",
        metavar="FILE.py:FUNCTION",
        help="the code that builds a TF2 checkpoint's network, or returns a Keras file's custom objects; "
        "package.module:function too, the working directory's own first",
    )
    add(
        "--inputs",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="the tensor that takes pictures; others are given a value, NAME=VALUE (is_training=false)",
    )
    add(
        "--outputs",
        nargs="+",
        action="extend",
        default=[],
        metavar="ROLE=NAME",
        help="boxes=NAME scores=NAME, and classes=NAME count=NAME from a graph that suppresses overlaps itself",
    )
    add("--decode", type=Path, metavar="FILE.yaml", help="how a raw head is meant: see docs/decode.yaml")
    add("--pipeline_config_file", type=Path, metavar="FILE", help="the same as SOURCE, for a pipeline.config")
    add("--checkpoint_dir", type=Path, metavar="DIR", help="where its checkpoints are (default: beside it)")
    add("--config_file", type=Path, metavar="FILE.yaml", help="a training configuration that names the two")


def read_source_options(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of `sightline_export.request.Request` that these options decide.

    Raises:
        Unusable: the source is none, or an option does not go with it.
    """
    source = _source(options)
    bundled = source.path.parent == BUNDLED_CHECKPOINT and options.source is None
    builder = options.builder or (BUNDLED_BUILDER if bundled else None)
    if builder and source.kind not in (Kind.CHECKPOINT, Kind.KERAS):
        raise Unusable(f"--builder is for checkpoints of TF2 and Keras files; {source.path} is a {source.kind}")
    tensors = TensorNames.read(options.inputs, options.outputs)
    if source.kind is Kind.CHECKPOINT and (tensors != TensorNames() or options.decode):
        raise Unusable(
            f"{source.path} is a {source.kind}, whose builder decodes its own tensors: "
            "--inputs, --outputs and --decode are for other sources"
        )
    labels = options.labels
    if labels is None and source.kind is Kind.PIPELINE:
        labels = label_map_of(source.path)
    return {"source": source, "labels": labels, "builder": builder, "tensors": tensors, "decode": options.decode}


def _source(options: argparse.Namespace) -> Source:
    config, checkpoint_dir = options.pipeline_config_file, options.checkpoint_dir
    if options.config_file is not None:
        named_config, named_dir = training_paths(options.config_file)
        config, checkpoint_dir = config or named_config, checkpoint_dir or named_dir
        if options.source is None and config is None:
            raise Unusable(f"--config_file {options.config_file} names no pipeline_config.pipeline_config_filepath")
    if options.source is not None and config is not None:
        raise Unusable(f"SOURCE {options.source} and pipeline config {config} are two sources; give one")
    if config is not None:
        if not config.is_file():
            raise Unusable(f"there is no pipeline config {config}")
        if config.suffix != ".config":
            raise Unusable(f"{config} is no pipeline config: its name must end in .config")
        return recognise(config, checkpoint_dir)
    return recognise(options.source or BUNDLED_CHECKPOINT, checkpoint_dir)
