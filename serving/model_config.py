"""Which models a server serves: --model_name and --model_base_path, or the file of --model_config_file.

The file is the text form of tensorflow.serving.ModelServerConfig (tensorflow_serving/config/model_server_config.proto);
HandleReloadConfigRequest carries the same message. Refusals are in the words of
tensorflow_serving/model_servers/server_core.cc.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving import text_proto, wire
from serving.errors import invalid_argument

PLATFORM = "tensorflow"
"""The one platform there is: a SavedModel."""


@dataclass(frozen=True)
class VersionPolicy:
    """Which of the versions on disk are served; the default is the newest one."""

    latest: int | None = 1
    """That many of the newest; None where `specific` says which, or all are."""
    specific: frozenset[int] | None = None

    def choose(self, versions: Iterable[int]) -> set[int]:
        """Those of `versions` that are to be served."""
        if self.specific is not None:
            return set(self.specific & set(versions))
        ascending = sorted(versions)
        return set(ascending if self.latest is None else ascending[-self.latest :])


@dataclass(frozen=True)
class ModelConfig:
    """One model."""

    name: str
    base_path: Path
    policy: VersionPolicy = VersionPolicy()
    labels: dict[str, int] = field(default_factory=dict)
    """Version label to version."""


def read_model_configs(path: Path) -> list[ModelConfig] | None:
    """Read a file of models; None where it says nothing, as one that is just being written does.

    Raises:
        StartError: it cannot be read, or is no ModelServerConfig.
        ServingError: what it says cannot be served.
    """
    config = text_proto.read(path, wire.ModelServerConfig, "--model_config_file")
    return model_configs(config) if config.WhichOneof("config") else None


def model_configs(config: Any) -> list[ModelConfig]:
    """The models of a ModelServerConfig.

    Raises:
        ServingError: INVALID_ARGUMENT, in TensorFlow Serving's words.
    """
    if config.WhichOneof("config") == "custom_model_config":
        raise invalid_argument("Missing custom_model_config_loader in ServerCore Options")
    found: dict[str, ModelConfig] = {}
    for model in config.model_config_list.config:
        if model.name in found:
            raise invalid_argument(f"Illegal to list model {model.name} multiple times in config list")
        found[model.name] = _model_config(model)
    return list(found.values())


def _model_config(model: Any) -> ModelConfig:
    if not model.name:
        raise invalid_argument(f"a model in the config list has no name; its base_path is {model.base_path!r}")
    if not Path(model.base_path).is_absolute():
        raise invalid_argument(
            f"Expected model {model.name} to have an absolute path or URI; got base_path()={model.base_path}"
        )
    if not model.model_platform and not model.model_type:
        raise invalid_argument(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform, "
            f"model name is {model.name}"
        )
    if model.model_platform and model.model_type:
        raise invalid_argument(
            "Illegal setting both ModelServerConfig::model_type (deprecated) and ModelServerConfig::model_platform, "
            f"model name is {model.name}"
        )
    if model.model_platform not in ("", PLATFORM) or model.model_type > 1:
        asked = model.model_platform or model.model_type
        raise invalid_argument(f"Model {model.name} requests unsupported platform {asked}")
    return ModelConfig(model.name, Path(model.base_path), _policy(model), dict(model.version_labels))


def _policy(model: Any) -> VersionPolicy:
    policy = model.model_version_policy
    match policy.WhichOneof("policy_choice"):
        case "all":
            return VersionPolicy(latest=None)
        case "specific":
            if not policy.specific.versions:
                raise invalid_argument(f"No specific versions requested for servable {model.name}.")
            return VersionPolicy(latest=None, specific=frozenset(policy.specific.versions))
        case "latest":
            # proto3 cannot tell 0 from unset; TensorFlow Serving reads both as its default.
            return VersionPolicy(latest=policy.latest.num_versions or 1)
        case _:
            return VersionPolicy()
