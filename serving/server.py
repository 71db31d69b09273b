"""The life of the embedded server: load, warm up, open the port, serve, drain.

Read `run` first. As with TensorFlow Serving the port is opened when the model is available, so an open port means
ready. This module imports TensorFlow, which takes seconds; `serving.__main__` says so first.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.errors import StartError
from serving.model import Model
from serving.options import Options
from serving.scheduler import BatchScheduler
from serving.servable import Servable
from serving.services import ModelService, PredictionService
from serving.warmup import warm_up

Log = Callable[[str], None]

DRAIN_TIMEOUT = 4.0
"""Seconds requests in work may take after the server was told to stop."""

CHANNEL_ARGUMENTS: tuple[tuple[str, int | str], ...] = (
    ("grpc.so_reuseport", 0),  # else a second server on the port starts, and gets half of the connections
    ("grpc.max_receive_message_length", 2**31 - 1),  # as TensorFlow Serving has it
    ("grpc.max_send_message_length", 2**31 - 1),
    # Callers ping every 2 s to notice a dead peer; by default more than two pings in 5 minutes end the connection.
    ("grpc.http2.min_ping_interval_without_data_ms", 500),
    ("grpc.keepalive_permit_without_calls", 1),
)


@dataclass
class Server:
    """A server that answers on `port`; made by `start`, ended by `close`."""

    port: int
    address: str
    """Host and port, the port as it was given out where 0 was asked for."""
    model: Model
    _grpc: grpc.Server
    _stop: threading.Event
    _poller: threading.Thread

    def close(self, drain: float = DRAIN_TIMEOUT) -> bool:
        """Accept nothing new and answer what is in work, at most `drain` seconds; whether all was answered."""
        self._stop.set()
        drained = self._grpc.stop(drain).wait(drain + 0.5)
        self._poller.join(0.1)
        return drained


def use_threads(intra_op: int, inter_op: int) -> None:
    """Set TensorFlow's thread pools; possible once, before the first op of the process."""
    tf.config.threading.set_intra_op_parallelism_threads(intra_op)
    tf.config.threading.set_inter_op_parallelism_threads(inter_op)


def start(options: Options, log: Log, stop: threading.Event | None = None) -> Server:
    """Load the model, then open the port.

    An empty base path is waited on, as TensorFlow Serving does. `stop` ends the waiting.

    Raises:
        StartError: the model cannot be loaded, or the port cannot be opened.
    """
    stop = stop or threading.Event()
    model = _model(options, log)
    while True:
        _first_version(model)
        if model.version is not None:
            break
        if stop.wait(options.poll_wait or 1.0):
            raise StartError("stopped before a model was there")
    threads = ThreadPoolExecutor(options.grpc_max_threads, thread_name_prefix="grpc")
    arguments = dict(CHANNEL_ARGUMENTS) | dict(options.grpc_channel_arguments)
    # Without this limit requests above the number of threads wait unseen and grow old.
    server = grpc.server(threads, options=list(arguments.items()), maximum_concurrent_rpcs=options.grpc_max_threads)
    models = {model.name: model}
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(models), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models), server)
    try:
        port = server.add_insecure_port(options.address)
    except RuntimeError as error:
        raise StartError(f"cannot listen on {options.address}: the port is in use or not ours") from error
    server.start()
    poller = threading.Thread(target=_poll, args=(model, options.poll_wait, stop), name="poll", daemon=True)
    poller.start()
    return Server(port, replace(options, port=port).address, model, server, stop, poller)


def _model(options: Options, log: Log) -> Model:
    scheduler = BatchScheduler(options.batching) if options.batching else None

    def load(name: str, version: int, path: Path) -> Servable:
        servable = Servable(name, version, path, scheduler)
        for key, signature in servable.signatures.items():
            if scheduler and not signature.batched:
                log(f"{name} version {version}: {key} is not batched, its tensors have no open first dimension alone")
        if count := warm_up(servable):
            log(f"warm-up of {name} version {version}: {count} requests")
        return servable

    return Model(options.model_name, options.model_base_path, load, log)


def _first_version(model: Model) -> None:
    model.poll()
    for version, status in model.statuses().items():
        if status.error:
            raise StartError(f"{model.name} version {version} did not become available: {status.error}")


def _poll(model: Model, wait: float, stop: threading.Event) -> None:
    while wait and not stop.wait(wait):
        model.poll()
