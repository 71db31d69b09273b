"""What one server is asked to do: the command line, read and checked before seconds go into TensorFlow."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

import grpc

from serving import tls
from serving.batching import BATCHING_CONFIG, BatchingParameters
from serving.errors import ServingError, StartError
from serving.flags import DEFAULT_INTER_OP, DEFAULT_INTRA_OP, WITHOUT_EFFECT, parser
from serving.model_config import ModelConfig, read_model_configs
from serving.monitoring import prometheus_path
from serving.versions import find_versions, why_no_versions

ChannelArguments = tuple[tuple[str, int | str], ...]


@dataclass(frozen=True)
class Options:
    """One server."""

    host: str
    port: int
    grpc_socket_path: str
    rest_api_port: int
    """0 is none."""
    models: tuple[ModelConfig, ...]
    model_config_file: Path | None
    config_poll_wait: float
    """Seconds between two looks at it; 0 looks once."""
    poll_wait: float
    """Seconds between two looks at the base paths; 0 looks once."""
    labels_for_unavailable: bool
    allow_reload: bool
    """Whether HandleReloadConfigRequest is obeyed."""
    tags: tuple[str, ...]
    warm_up_iterations: int
    """0 leaves warm-up out."""
    load_retries: int
    load_retry_interval: float
    """Seconds."""
    batching: BatchingParameters | None
    """None: every request runs by itself."""
    intra_op_threads: int
    inter_op_threads: int
    gpu_memory_fraction: float
    grpc_max_threads: int
    grpc_channel_arguments: ChannelArguments
    as_tensor_content: bool
    check_method_name: bool
    health: bool
    metrics_path: str | None
    credentials: grpc.ServerCredentials | None
    notes: tuple[str, ...]
    """What a person should know about the flags that were given."""

    def address(self, port: int) -> str:
        """Host and port as gRPC takes them."""
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    @classmethod
    def parse(cls, arguments: list[str] | None = None) -> "Options":
        """Read a command line.

        Raises:
            StartError: a flag is unknown, or its value or a file it names cannot be used.
        """
        flags = parser().parse_args(arguments)
        _check(flags)
        intra_op, inter_op = _threads(flags)
        rest_api_port, notes = _rest(flags)
        return cls(
            host=flags.host,
            port=flags.port,
            grpc_socket_path=flags.grpc_socket_path,
            rest_api_port=rest_api_port,
            models=tuple(_models(flags)),
            model_config_file=flags.model_config_file,
            config_poll_wait=max(0.0, flags.model_config_file_poll_wait_seconds),
            poll_wait=max(0.0, flags.file_system_poll_wait_seconds),
            labels_for_unavailable=flags.allow_version_labels_for_unavailable_models,
            allow_reload=flags.allow_reload,
            tags=tuple(flags.saved_model_tags.split(",")),
            warm_up_iterations=max(1, flags.num_request_iterations_for_warmup) if flags.enable_model_warmup else 0,
            load_retries=flags.max_num_load_retries,
            load_retry_interval=max(0.0, flags.load_retry_interval_micros / 1e6),
            batching=BatchingParameters.read(flags.batching_parameters_file or BATCHING_CONFIG)
            if flags.enable_batching
            else None,
            intra_op_threads=intra_op,
            inter_op_threads=inter_op,
            gpu_memory_fraction=flags.per_process_gpu_memory_fraction,
            grpc_max_threads=flags.grpc_max_threads,
            grpc_channel_arguments=_channel_arguments(flags.grpc_channel_arguments),
            as_tensor_content=flags.enable_serialization_as_tensor_content,
            check_method_name=flags.enable_signature_method_name_check,
            health=flags.enable_grpc_healthcheck_service,
            metrics_path=prometheus_path(flags.monitoring_config_file) if flags.monitoring_config_file else None,
            credentials=tls.read_credentials(flags.ssl_config_file) if flags.ssl_config_file else None,
            notes=(*notes, *(f"--{name} has no effect here" for name in WITHOUT_EFFECT if hasattr(flags, name))),
        )


def _check(flags: argparse.Namespace) -> None:
    least = {
        "tensorflow_session_parallelism": (0, "; 0 leaves it to the other two"),
        "tensorflow_intra_op_parallelism": (0, "; 0 lets TensorFlow choose"),
        "tensorflow_inter_op_parallelism": (0, "; 0 lets TensorFlow choose"),
        "grpc_max_threads": (1, "; at least 1"),
        "max_num_load_retries": (0, "; at least 0"),
    }
    for flag, (smallest, allowed) in least.items():
        given = getattr(flags, flag)
        if given is not None and given < smallest:
            raise StartError(f"--{flag} {given} is not allowed{allowed}")
    for flag, none in (("port", "for a free one"), ("rest_api_port", "for none")):
        if not 0 <= getattr(flags, flag) <= 65535:
            raise StartError(f"--{flag} {getattr(flags, flag)} is not allowed; 1 to 65535, or 0 {none}")
    if not 0 <= flags.per_process_gpu_memory_fraction <= 1:
        share = flags.per_process_gpu_memory_fraction
        raise StartError(f"--per_process_gpu_memory_fraction {share} is not allowed; 0 to 1")
    if flags.batching_parameters_file and not flags.enable_batching:
        raise StartError("--batching_parameters_file is set without --enable_batching=true")


def _threads(flags: argparse.Namespace) -> tuple[int, int]:
    """TensorFlow's threads, in an op and over ops (tensorflow_serving/model_servers/server.cc)."""
    both, intra, inter = (
        getattr(flags, f"tensorflow_{name}_parallelism") for name in ("session", "intra_op", "inter_op")
    )
    if both and intra and inter:
        raise StartError(
            "--tensorflow_session_parallelism is given, and --tensorflow_intra_op_parallelism with "
            "--tensorflow_inter_op_parallelism too; either the one or the other two"
        )
    if intra is None and inter is None:
        return (both, both) if both else (DEFAULT_INTRA_OP, DEFAULT_INTER_OP)
    return intra or 0, inter or 0


def _rest(flags: argparse.Namespace) -> tuple[int, list[str]]:
    """The REST port, and what to say where it is none after all; TensorFlow Serving starts without it, too."""
    if flags.rest_api_port and flags.rest_api_port == flags.port:
        return 0, [f"no REST port: --rest_api_port {flags.rest_api_port} is --port as well"]
    if flags.monitoring_config_file and not flags.rest_api_port:
        return 0, ["no metrics: --monitoring_config_file is given without --rest_api_port, where they are served"]
    return flags.rest_api_port, []


def _models(flags: argparse.Namespace) -> list[ModelConfig]:
    if flags.model_config_file:
        where = f"--model_config_file {flags.model_config_file}"
        try:
            models = read_model_configs(flags.model_config_file)
        except ServingError as error:
            raise StartError(f"{where}: {error}") from None
        if not models:
            raise StartError(f"{where} lists no models")
        for model in models:
            _check_base_path(f"{where}: model {model.name}: base_path", model)
        return models
    if not flags.model_base_path:
        raise StartError("neither --model_base_path nor --model_config_file is given; one of them says what to serve")
    if not flags.model_name:
        raise StartError("--model_name '' is not allowed; the name callers use")
    model = ModelConfig(flags.model_name, flags.model_base_path.absolute())
    _check_base_path("--model_base_path", model)
    return [model]


def _check_base_path(where: str, model: ModelConfig) -> None:
    """It must exist, and where it holds anything, hold a version."""
    try:
        if not find_versions(model.base_path) and any(model.base_path.iterdir()):
            raise StartError(f"{where}: {why_no_versions(model.name, model.base_path)}")
    except OSError as error:
        raise StartError(f"{where} {model.base_path}: {error.strerror}") from error
    except ValueError as error:  # a NUL
        raise StartError(f"{where} {str(model.base_path)!r}: {error}") from error


def _channel_arguments(text: str) -> ChannelArguments:
    arguments: list[tuple[str, int | str]] = []
    for item in filter(None, text.split(",")):
        key, equals, value = item.partition("=")
        if not (key and equals):
            raise StartError(f"--grpc_channel_arguments: {item!r} is not allowed; key=value")
        arguments.append((key, _int32(value)))
    return tuple(arguments)


def _int32(text: str) -> int | str:
    """A number where gRPC can take it as one, else the text, which gRPC says something about."""
    number = int(text) if re.fullmatch(r"-?[0-9]{1,10}", text) else 1 << 31
    return number if -(1 << 31) <= number < 1 << 31 else text
