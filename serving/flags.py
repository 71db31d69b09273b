"""The command line: flags named and shaped as tensorflow_model_server has them (its model_servers/main.cc)."""

import argparse
import math
import os
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from serving.batching import BATCHING_CONFIG
from serving.errors import StartError

DEFAULT_PORT = 5000
DEFAULT_INTRA_OP = 1
DEFAULT_INTER_OP = 2
"""TensorFlow threads. Two batches in flight, each op on one core, did best on two cores: docs/serving.md."""

WITHOUT_EFFECT = (
    "enable_profiler",
    "flush_filesystem_caches",
    "mixed_precision",
    "num_load_threads",
    "num_tflite_interpreters_per_pool",
    "num_tflite_pools",
    "num_unload_threads",
    "prefer_tflite_model",
    "remove_unused_fields_from_bundle_metagraph",
    "rest_api_enable_cors_support",
    "rest_api_num_threads",
    "rest_api_timeout_in_ms",
    "xla_cpu_compilation_enabled",
    "xla_gpu_compilation_enabled",
)
"""Taken, so that one command line starts either server, and named in the log when given."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StartError(f"{message}; --help lists what is allowed")


def parser() -> argparse.ArgumentParser:
    """All flags; docs/serving.md has a row for each. What is wrong with one raises StartError."""
    found = _Parser(
        prog="python -m serving",
        description="Serve SavedModels with TensorFlow Serving's API. See docs/serving.md.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    _add_ports(found.add_argument_group("ports"))
    _add_models(found.add_argument_group("models"))
    _add_batching(found.add_argument_group("batching and threads"))
    _add_rest(found.add_argument_group("answers, metrics, security"))
    others = found.add_argument_group("taken and without effect here")
    for name in WITHOUT_EFFECT:
        others.add_argument(f"--{name}", nargs="?", const="true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    found.add_argument("--version", action="version", version=f"sightline {version('sightline')}")
    return found


def _add_ports(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (not a flag of tensorflow_model_server)")
    add("--port", type=int, default=DEFAULT_PORT, help="gRPC port; 0 takes a free one and prints it")
    add("--grpc_socket_path", default="", help="a UNIX socket to listen on as well")
    add("--rest_api_port", type=int, default=0, help="port for status, metadata and metrics over HTTP; 0 is none")


def _add_models(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--model_name", default="default", help="name callers use")
    add("--model_base_path", type=_path, help="directory whose children are version numbers")
    add("--model_config_file", type=_path, help="text ModelServerConfig, instead of the two above")
    add(
        "--model_config_file_poll_wait_seconds",
        type=_seconds,
        default=0,
        help="time between looks at that file; 0: one",
    )
    add("--file_system_poll_wait_seconds", type=_seconds, default=1, help="time between looks for new versions")
    _switch(group, "--allow_version_labels_for_unavailable_models", False, "new labels may name any version")
    _switch(group, "--allow_reload", False, "callers may change the list (not a flag of tensorflow_model_server)")
    add("--saved_model_tags", default="serve", help="comma-separated tags of the graph in the SavedModel")
    _switch(group, "--enable_model_warmup", True, "run a version's own requests before it serves")
    add("--num_request_iterations_for_warmup", type=int, default=1, help="how often each of them")
    add("--max_num_load_retries", type=int, default=0, help="how often a version that does not load is tried again")
    add("--load_retry_interval_micros", type=int, default=60_000_000, help="time between two tries")


def _add_batching(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    _switch(group, "--enable_batching", True, "gather requests into batches")
    add("--batching_parameters_file", type=_path, help=f"text BatchingParameters; without it {BATCHING_CONFIG.name}")
    add("--tensorflow_session_parallelism", type=int, default=0, help="both of the next two, where neither is given")
    add("--tensorflow_intra_op_parallelism", type=int, help=f"threads one op may use (default: {DEFAULT_INTRA_OP})")
    add("--tensorflow_inter_op_parallelism", type=int, help=f"ops run at once (default: {DEFAULT_INTER_OP})")
    add("--per_process_gpu_memory_fraction", type=float, default=0.0, help="share of a GPU's memory; 0: TensorFlow's")
    threads = max(16, 4 * (os.cpu_count() or 1))
    add("--grpc_max_threads", type=int, default=threads, help="requests in work at once; more are refused")
    add("--grpc_channel_arguments", default="", help="key=value,key=value for the gRPC server")


def _add_rest(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    _switch(group, "--enable_serialization_as_tensor_content", False, "answer in bytes instead of in lists")
    _switch(group, "--enable_signature_method_name_check", False, "refuse signatures not made for Predict")
    _switch(group, "--enable_grpc_healthcheck_service", True, "grpc.health.v1")
    add("--monitoring_config_file", type=_path, help="text MonitoringConfig: metrics on the REST port")
    add("--ssl_config_file", type=_path, help="text SSLConfig: TLS on the gRPC port")


def _switch(group: argparse._ArgumentGroup, flag: str, default: bool, text: str) -> None:
    """A flag that is `--flag`, `--flag=true` or `--flag=false`."""
    group.add_argument(flag, type=_bool, nargs="?", const=True, default=default, help=text)


def _path(text: str) -> Path | None:
    return Path(text) if text else None  # an empty value is as good as none, there too


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not -1e6 <= seconds <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; seconds, up to 1000000")
    return seconds


def _bool(text: str) -> bool:
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is not allowed; true or false")
