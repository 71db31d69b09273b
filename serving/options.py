"""The command line: flags named and shaped as tensorflow_model_server has them, so that one line starts either."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from serving.batching import BATCHING_CONFIG, BatchingParameters
from serving.errors import StartError
from serving.versions import find_versions, why_no_versions

DEFAULT_PORT = 5000
DEFAULT_INTRA_OP = 1
DEFAULT_INTER_OP = 2
"""TensorFlow threads. On two cores, two batches in flight: 1/2 gave 137 images a second, 2/2 gave 106, 2/1 gave 72."""


@dataclass(frozen=True)
class Options:
    """What one server is asked to do."""

    host: str
    port: int
    model_name: str
    model_base_path: Path
    batching: BatchingParameters | None
    """None: every request runs by itself."""
    intra_op_threads: int
    inter_op_threads: int
    poll_wait: float
    """Seconds between two looks at the base path; 0 looks once."""
    grpc_max_threads: int
    grpc_channel_arguments: tuple[tuple[str, int | str], ...]

    @property
    def address(self) -> str:
        """Host and port as gRPC takes them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, arguments: list[str] | None = None) -> "Options":
        """Read a command line; wrong flags end the process with code 2.

        Raises:
            StartError: a flag's value cannot be used.
        """
        flags = _parser().parse_args(arguments)
        if flags.batching_parameters_file and not flags.enable_batching:
            raise StartError("--batching_parameters_file is set without --enable_batching=true")
        for flag in ("tensorflow_intra_op_parallelism", "tensorflow_inter_op_parallelism"):
            if getattr(flags, flag) < 0:
                raise StartError(f"--{flag} {getattr(flags, flag)} is not allowed; 0 lets TensorFlow choose")
        if flags.grpc_max_threads < 1:
            raise StartError(f"--grpc_max_threads {flags.grpc_max_threads} is not allowed; at least 1")
        if not 0 <= flags.port <= 65535:
            raise StartError(f"--port {flags.port} is not allowed; 1 to 65535, or 0 for a free one")
        return cls(
            host=flags.host,
            port=flags.port,
            model_name=flags.model_name,
            model_base_path=_base_path(flags.model_name, flags.model_base_path),
            batching=BatchingParameters.read(flags.batching_parameters_file or BATCHING_CONFIG)
            if flags.enable_batching
            else None,
            intra_op_threads=flags.tensorflow_intra_op_parallelism,
            inter_op_threads=flags.tensorflow_inter_op_parallelism,
            poll_wait=max(0.0, flags.file_system_poll_wait_seconds),
            grpc_max_threads=flags.grpc_max_threads,
            grpc_channel_arguments=_channel_arguments(flags.grpc_channel_arguments),
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m serving",
        description="Serve a SavedModel with TensorFlow Serving's gRPC API. See docs/serving.md.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (not a flag of tensorflow_model_server)")
    add("--port", type=int, default=DEFAULT_PORT, help="gRPC port; 0 takes a free one and prints it")
    add("--model_name", required=True, help="name callers use")
    add("--model_base_path", type=Path, required=True, help="directory whose children are version numbers")
    add("--enable_batching", type=_bool, nargs="?", const=True, default=True, help="gather requests into batches")
    add("--batching_parameters_file", type=Path, help=f"text BatchingParameters; without it {BATCHING_CONFIG.name}")
    add("--tensorflow_intra_op_parallelism", type=int, default=DEFAULT_INTRA_OP, help="threads one op may use")
    add("--tensorflow_inter_op_parallelism", type=int, default=DEFAULT_INTER_OP, help="ops run at once")
    add("--file_system_poll_wait_seconds", type=float, default=1, help="time between looks for a new version")
    threads = max(16, 4 * (os.cpu_count() or 1))
    add("--grpc_max_threads", type=int, default=threads, help="requests in work at once; more are refused")
    add("--grpc_channel_arguments", default="", help="key=value,key=value for the gRPC server")
    return parser


def _bool(text: str) -> bool:
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is not allowed; true or false")


def _channel_arguments(text: str) -> tuple[tuple[str, int | str], ...]:
    arguments: list[tuple[str, int | str]] = []
    for item in filter(None, text.split(",")):
        key, equals, value = item.partition("=")
        if not (key and equals):
            raise StartError(f"--grpc_channel_arguments: {item!r} is not allowed; key=value")
        arguments.append((key, int(value) if value.lstrip("-").isdigit() else value))
    return tuple(arguments)


def _base_path(model: str, path: Path) -> Path:
    """The base path, checked: it must exist, and where it holds anything, hold a version."""
    path = path.absolute()
    try:
        if not find_versions(path) and any(path.iterdir()):
            raise StartError(f"--model_base_path: {why_no_versions(model, path)}")
    except OSError as error:
        raise StartError(f"--model_base_path {path}: {error.strerror}") from error
    return path
