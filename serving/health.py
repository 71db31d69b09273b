"""grpc.health.v1 under the names TensorFlow Serving gives its services."""
# ruff: noqa: N802  the methods are named as in the proto

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2

NAMES = ("", "ModelService", "PredictionService")
"""Short ones, not those of the protos (tensorflow_serving/model_servers/server.cc)."""


class Health(health.HealthServicer):  # type: ignore[misc]
    """Says SERVING from its construction to `close`. Watchers hold no thread."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._watchers: set[Callable[[Any], None]] = set()
        self._closed = False
        super().__init__(experimental_non_blocking=True, experimental_thread_pool=self._threads)
        for name in NAMES:
            self.set(name, health_pb2.HealthCheckResponse.SERVING)

    def Watch(self, request: Any, context: grpc.ServicerContext, send: Any = None) -> Any:
        """Tell the status now and whenever it changes."""
        self._watchers.add(send)
        context.add_callback(lambda: self._watchers.discard(send))
        super().Watch(request, context, send)
        if self._closed:  # who was sent away asks again at once
            send(None)

    def close(self) -> None:
        """Tell everybody that this server goes, and end their calls: they would stay for as long as it may."""
        self._closed = True
        self.enter_graceful_shutdown()
        for send in list(self._watchers):
            send(None)

    def release(self) -> None:
        """Give up its thread, once no call can come any more: one that came would end gRPC's own thread."""
        self._threads.shutdown(wait=False)
