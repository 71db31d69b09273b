"""No more requests in work than --grpc_max_threads: the one more is refused at once, in gRPC's own words for it."""

import threading
from collections.abc import Callable
from typing import Any

import grpc

EXHAUSTED = "Server Threadpool Exhausted"
"""What gRPC's C++ server, and so TensorFlow Serving, answers when its threads are used up."""
SPARE_THREADS = 4
"""Threads beyond the limit, for saying so."""
MAX_WAITING = 512
"""Calls beyond the limit that may wait to be told; more are refused by gRPC itself before they are read."""


class Admission(grpc.ServerInterceptor):
    """Counts requests in work. Calls that stream hold no thread and are not counted."""

    def __init__(self, limit: int) -> None:
        self._free = threading.BoundedSemaphore(limit)

    def intercept_service(self, continuation: Callable[[Any], Any], details: Any) -> Any:
        """Wrap the method's handler."""
        handler = continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            self._limited(handler.unary_unary), handler.request_deserializer, handler.response_serializer
        )

    def _limited(self, answer: Callable[[Any, Any], Any]) -> Callable[[Any, grpc.ServicerContext], Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            if not self._free.acquire(blocking=False):
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, EXHAUSTED)
            try:
                return answer(request, context)
            finally:
                self._free.release()

        return call
