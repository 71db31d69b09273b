"""The life of the embedded server: load, warm up, open the ports, serve, drain.

Read `start` first. As with TensorFlow Serving the port is opened when every model has a version that serves, so an open
port means ready. This module imports TensorFlow, which takes seconds; `serving.__main__` says so first.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2_grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.admission import MAX_WAITING, SPARE_THREADS, Admission
from serving.errors import ServingError, StartError
from serving.health import Health
from serving.metrics import Metrics
from serving.model import Model, Retries
from serving.model_config import ModelConfig, read_model_configs
from serving.models import Models
from serving.options import Options
from serving.predict import Predict
from serving.rest import RestServer
from serving.scheduler import BatchScheduler
from serving.servable import Servable
from serving.services import ModelService, PredictionService, model_metadata, model_status
from serving.session import SessionOptions
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
    # Requests that arrive faster than Python takes them; above the first number gRPC cancels some of them by lot.
    ("grpc.server.max_pending_requests", 10_000),
    ("grpc.server.max_pending_requests_hard_limit", 20_000),
)


class Server:
    """A server that is being started or answers; `start` makes one, `close` ends it."""

    def __init__(self, options: Options, log: Log, stop: threading.Event | None = None) -> None:
        self.options = options
        self.metrics = Metrics()
        self.models = Models(self._model, labels_for_unavailable=options.labels_for_unavailable)
        self.port = 0
        """The gRPC port, as it was given out where 0 was asked for."""
        self._log = log
        self._stop = stop or threading.Event()
        self._predict = Predict(
            self.metrics,
            as_tensor_content=options.as_tensor_content,
            check_method_name=options.check_method_name,
        )
        self._scheduler = BatchScheduler(options.batching) if options.batching else None
        self._session_options = SessionOptions(
            options.intra_op_threads, options.inter_op_threads, options.gpu_memory_fraction, options.tags
        )
        self._health = Health()
        self._grpc: grpc.Server | None = None
        self._rest: RestServer | None = None
        self._threads: list[threading.Thread] = []

    @property
    def address(self) -> str:
        """Host and port."""
        return self.options.address(self.port)

    @property
    def rest_port(self) -> int:
        """The REST port; 0 where there is none."""
        return self._rest.port if self._rest else 0

    def load(self) -> None:
        """Load the models.

        Empty base paths are waited on, as TensorFlow Serving does, until `stop` is set.

        Raises:
            StartError: a model cannot be loaded.
        """
        self.models.start(self.options.models, self._stop, self.options.poll_wait)

    def open(self) -> None:
        """Open the ports, and look for changes from now on.

        Raises:
            StartError: a port cannot be opened.
        """
        self._open_rest()
        self._open_grpc()
        self._every(self.options.poll_wait, self.models.poll)
        if self.options.model_config_file:
            self._every(self.options.config_poll_wait, self._reread(self.options.model_config_file))

    def close(self, drain: float = DRAIN_TIMEOUT) -> bool:
        """Accept nothing new and answer what is in work, at most `drain` seconds; whether all was answered.

        May be called twice.
        """
        ends_at = time.monotonic() + drain
        self._stop.set()
        stopped = self._grpc.stop(drain) if self._grpc else None
        self._health.close()  # in this order: who watches would be back before nobody is let in any more
        if self._rest:
            self._rest.close(drain)
        # The event is set when everything is over, by itself or because the time is.
        drained = stopped.wait(max(0.0, ends_at - time.monotonic() - 0.1)) if stopped else True
        if stopped:
            stopped.wait(1.0)
        self._health.release()
        for thread in self._threads:
            thread.join(0.1)
        if drained:
            self.models.close(ends_at - time.monotonic())
            if self._scheduler and not self._scheduler.waiting:
                self._scheduler.close()
        return drained

    def _model(self, config: ModelConfig) -> Model:
        retries = Retries(self.options.load_retries, self.options.load_retry_interval)
        return Model(config, self._load, self._log, self.metrics, retries)

    def _load(self, name: str, version: int, path: Path) -> Servable:
        servable = Servable(
            name, version, path, options=self._session_options, scheduler=self._scheduler, metrics=self.metrics
        )
        for key, definition in servable.signature_defs.items():
            if self._scheduler and definition.inputs and not servable.makes_batches(key):
                self._log(f"{name} version {version}: {key} is not batched, its first dimension is fixed")
        if self.options.warm_up_iterations:
            self._warm_up(servable)
        return servable

    def _warm_up(self, servable: Servable) -> None:
        try:
            count = warm_up(servable, self._predict, self.metrics, self._stop, self.options.warm_up_iterations)
        except Exception:
            servable.unload(0)
            raise
        if count:
            self._log(f"warm-up of {servable.model} version {servable.version}: {count} requests")

    def _open_grpc(self) -> None:
        limit = self.options.grpc_max_threads
        server = grpc.server(
            ThreadPoolExecutor(limit + SPARE_THREADS, thread_name_prefix="grpc"),
            options=list((dict(CHANNEL_ARGUMENTS) | dict(self.options.grpc_channel_arguments)).items()),
            interceptors=[Admission(limit)],
            maximum_concurrent_rpcs=limit + MAX_WAITING,
        )
        prediction = PredictionService(self.models, self._predict, self.metrics)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(prediction, server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            ModelService(self.models, allow_reload=self.options.allow_reload), server
        )
        if self.options.health:
            health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        self.port = self._add_port(server, self.options.address(self.options.port))
        if self.options.grpc_socket_path:
            self._add_port(server, f"unix:{Path(self.options.grpc_socket_path).absolute()}")
        server.start()
        self._grpc = server

    def _add_port(self, server: grpc.Server, address: str) -> int:
        try:
            if self.options.credentials:
                return server.add_secure_port(address, self.options.credentials)
            return server.add_insecure_port(address)
        except RuntimeError as error:
            raise StartError(f"cannot listen on {address}: it is in use or not ours") from error

    def _open_rest(self) -> None:
        if self.options.rest_api_port:
            self._rest = RestServer(
                self.options.host,
                self.options.rest_api_port,
                status=lambda request: model_status(self.models, request),
                metadata=lambda request: model_metadata(self.models, request),
                metrics=self.metrics,
                metrics_path=self.options.metrics_path,
            )

    def _reread(self, path: Path) -> Callable[[], None]:
        """A look at --model_config_file; what is wrong with it is said once, and changes nothing."""
        said = ""

        def reread() -> None:
            nonlocal said
            wrong = ""
            try:
                if (configs := read_model_configs(path)) is not None:
                    self.models.reload(configs)
            except (StartError, ServingError) as error:
                wrong = f"{path} is not followed: {error}"
            if wrong and wrong != said:
                self._log(wrong)
            said = wrong

        return reread

    def _every(self, seconds: float, look: Callable[[], None]) -> None:
        if not seconds:
            return

        def run() -> None:
            while not self._stop.wait(seconds):
                try:
                    look()
                except Exception as error:  # noqa: BLE001  whatever it was, the next look may go well
                    self._log(f"looking for changes failed: {type(error).__name__}: {' '.join(str(error).split())}")

        thread = threading.Thread(target=run, name="poll", daemon=True)
        thread.start()
        self._threads.append(thread)


def start(options: Options, log: Log, stop: threading.Event | None = None) -> Server:
    """A server that answers.

    Raises:
        StartError: a model cannot be loaded, or a port cannot be opened.
    """
    server = Server(options, log, stop)
    try:
        server.load()
        server.open()
    except BaseException:
        server.close(0)
        raise
    return server
