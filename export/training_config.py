"""What lies around a training run of the TensorFlow Object Detection API, as far as an export needs it.

pipeline.config names a label map. The file behind `--config_file` of training code that calls that library is YAML,
with a section `pipeline_config` that names `pipeline_config_filepath` and `checkpoint_save_path`.
"""

from pathlib import Path
from typing import Any

import yaml
from google.protobuf import text_format

from serving.text_proto import Fields, message_class
from sightline_export.errors import Unusable

_READER: Fields = {"label_map_path": "string"}
_Readers = message_class("sightline.Readers", {"train_input_reader": _READER, "eval_input_reader": _READER})


def label_map_of(config: Path) -> Path | None:
    """The label map that a pipeline.config names, if it is there: as named, or beside the config.

    Raises:
        Unusable: the config cannot be read.
    """
    readers = _Readers()
    try:
        # Merge, because a config may have several eval_input_reader.
        text_format.Merge(config.read_text(encoding="utf-8"), readers, allow_unknown_field=True)
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"cannot read {config}: {getattr(error, 'strerror', None) or 'no UTF-8 text'}") from error
    except (text_format.ParseError, RecursionError) as error:
        raise Unusable(f"{config} is no pipeline.config of the Object Detection API: {error}") from error
    paths = (readers.train_input_reader.label_map_path, readers.eval_input_reader.label_map_path)
    named = [Path(path) for path in paths if path]
    places = (place for path in named for place in (path, config.parent / path, config.parent / path.name))
    return next((place for place in places if place.is_file()), None)


def training_paths(config_file: Path) -> tuple[Path | None, Path | None]:
    """The pipeline.config and the checkpoint's directory that a --config_file names; the rest of it is for training.

    Raises:
        Unusable: the file cannot be read, or is not of that form.
    """
    try:
        document: Any = yaml.safe_load(config_file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(f"cannot read {config_file}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise Unusable(f"--config_file {config_file} is no YAML") from error
    section = document.get("pipeline_config", {}) if isinstance(document, dict) else None
    if not isinstance(section, dict):
        raise Unusable(f"--config_file {config_file} is no mapping with a section pipeline_config")
    found = (section.get("pipeline_config_filepath"), section.get("checkpoint_save_path"))
    config, checkpoints = (Path(path) if isinstance(path, str) else None for path in found)
    return config, checkpoints
