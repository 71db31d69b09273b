"""All models of a server: which version a request means, and how the list changes while it serves."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from serving.errors import ServingError, StartError, failed_precondition, invalid_argument
from serving.model import Model, State, VersionStatus, not_available
from serving.model_config import ModelConfig
from serving.servable import Servable

MakeModel = Callable[[ModelConfig], Model]


@dataclass(frozen=True)
class _Listed:
    """One list of models, as a whole: a request sees the labels that belong to the models it sees."""

    models: Mapping[str, Model] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Model to version label to version."""


class Models:
    """Models by name. Lookups never wait for a load; changes wait for each other."""

    def __init__(self, make: MakeModel, *, labels_for_unavailable: bool = False) -> None:
        """Serve nothing yet.

        Args:
            make: a model that has not looked for versions yet.
            labels_for_unavailable: --allow_version_labels_for_unavailable_models: a new label may name a version that
                does not serve yet.
        """
        self._make = make
        self._labels_for_unavailable = labels_for_unavailable
        self._listed = _Listed()
        self._retired: dict[str, Model] = {}
        self._changing = threading.Lock()

    @contextmanager
    def acquire(self, spec: Any) -> Iterator[Servable]:
        """Hold the version that a ModelSpec means for the length of one call.

        Raises:
            ServingError: as tensorflow_serving/model_servers/server_core.cc says it.
        """
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        servable = self._hold(spec)
        try:
            yield servable
        finally:
            servable.release()

    def numbered(self, spec: Any) -> int | None:
        """The version number a ModelSpec asks for; None for whichever.

        0 is what OpenVINO's client sends for that, and its server reads it so. TensorFlow Serving looks for a version
        0, as we do where there is one.
        """
        version: int = spec.version.value
        return version if version or 0 in self.statuses(spec.name) else None

    def statuses(self, name: str) -> dict[int, VersionStatus]:
        """Every version known of a model, newest first, also of one no longer served; empty where it is unknown."""
        model = self._listed.models.get(name) or self._retired.get(name)
        return model.statuses() if model else {}

    def available(self) -> dict[str, list[int]]:
        """The versions that serve, by model."""
        return {name: model.available for name, model in self._listed.models.items()}

    def start(self, configs: Sequence[ModelConfig], stop: threading.Event, poll_wait: float) -> None:
        """Load every model and wait until each has a version that serves, as TensorFlow Serving does.

        Raises:
            StartError: a model cannot be loaded, a label names a version that does not serve, or `stop` was set.
        """
        with self._changing:
            try:
                self._configure(configs)
            except ServingError as error:
                raise StartError(f"{error}: --allow_version_labels_for_unavailable_models=true allows it") from None
            while True:
                for model in self._listed.models.values():
                    model.poll(starting=True)
                for name, model in self._listed.models.items():
                    if not model.available and (failed := model.failures()):
                        version = next(iter(failed))
                        where = model.config.base_path / str(version)
                        raise StartError(f"{name} version {version} in {where} cannot be loaded: {failed[version]}")
                if all(self.available().values()):
                    return
                if stop.wait(poll_wait or 1.0):
                    raise StartError("stopped before a model was there")

    def poll(self) -> None:
        """Look for new versions once."""
        with self._changing:
            self._poll()

    def reload(self, configs: Sequence[ModelConfig]) -> None:
        """Serve exactly these models from now on; returns when the new ones are available.

        Raises:
            ServingError: FAILED_PRECONDITION, a label names a version that does not serve; nothing changes. UNKNOWN, a
                new model did not become available; the others are served.
        """
        with self._changing:
            new = {config.name for config in configs} - self._listed.models.keys()
            self._configure(configs)
            self._poll()
            models = self._listed.models
            missing = [models[name] for name in sorted(new) if not models[name].available]
        if missing:
            raise ServingError(
                grpc.StatusCode.UNKNOWN,
                f"{len(missing)} model(s) did not become available: {{{''.join(map(_why_missing, missing))}}}",
            )

    def close(self, timeout: float) -> None:
        """Let go of everything; nobody may be asking any more.

        A change that is under way is waited for at most `timeout` seconds; then the end of the process frees the rest.
        """
        if self._changing.acquire(timeout=max(0.0, timeout)):
            try:
                for model in self._listed.models.values():
                    model.close()
            finally:
                self._changing.release()

    def _hold(self, spec: Any) -> Servable:
        while True:
            listed = self._listed
            version: int | None = None
            match spec.WhichOneof("version_choice"):
                case "version":
                    version = self.numbered(spec)
                case "version_label":
                    version = listed.labels.get(spec.name, {}).get(spec.version_label)
                    if version is None:
                        raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
            try:
                if (model := listed.models.get(spec.name)) is None:
                    raise not_available(spec.name, version)
                return model.hold(version)
            except ServingError:
                if listed is self._listed:
                    raise
                # The list changed meanwhile: a label may have moved away from a version that has just gone.

    def _configure(self, configs: Sequence[ModelConfig]) -> None:
        labels = {config.name: self._checked_labels(config) for config in configs}
        before = self._listed.models
        models = {}
        for config in configs:
            model = models[config.name] = before.get(config.name) or self._make(config)
            model.config = config
        gone = {name: model for name, model in before.items() if name not in models}
        self._retired = {name: model for name, model in (self._retired | gone).items() if name not in models}
        if models != before or labels != self._listed.labels:
            self._listed = _Listed(models, labels)
        for model in gone.values():
            model.retire()

    def _checked_labels(self, config: ModelConfig) -> dict[str, int]:
        model, known = self._listed.models.get(config.name), self._listed.labels.get(config.name, {})
        for label, version in config.labels.items():
            moved = known.get(label, version) != version
            if (model is None or version not in model.available) and (moved or not self._labels_for_unavailable):
                raise failed_precondition(
                    f"Request to assign label to version {version} of model {config.name}, "
                    "which is not currently available for inference"
                )
        return config.labels

    def _poll(self) -> None:
        for model in self._listed.models.values():
            model.poll()


def _why_missing(model: Model) -> str:
    failed = model.failures()
    if not failed:
        trying = [version for version, status in model.statuses().items() if status.state is State.LOADING]
        if trying:
            return f"{{name: {model.name} version: {trying[0]}}} is tried again, "
        return f"{{name: {model.name}}} no versions under {model.config.base_path}, "
    return "".join(
        f"{{name: {model.name} version: {version}}} due to error: {error.code.name}: {error}, "
        for version, error in failed.items()
    )
