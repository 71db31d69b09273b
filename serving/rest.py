"""The REST port: status, metadata and metrics over HTTP, as TensorFlow Serving answers them.

Which path belongs to whom, and what is counted, is as in model_servers/http_server.cc and util/net_http in
tensorflow/serving.
"""

import asyncio
import contextlib
import logging
import re
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import grpc
from aiohttp import web
from aiohttp.http import HttpProcessingError

from serving.errors import StartError, as_serving_error
from serving.metrics import Metrics
from serving.rest_request import RestRequest, error_json, http_status, metadata_json, status_json
from serving.wire import SIGNATURE_DEF

Call = Callable[[Any], Any]

DRAIN_TIMEOUT = 4.0
"""Seconds requests in work may take after the server was told to stop."""
THREADS = 4
"""Calls at once; they are short, but may wait for a lock."""

_METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
_API = re.compile("/v1/.*", re.IGNORECASE)

_log = logging.getLogger(__name__)
# aiohttp logs bytes that are no HTTP with a traceback; they are answered with 400, and nothing is wrong here.
_log.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))


class RestServer:
    """A server that answers on `port` from its construction until `close`, in a thread and an event loop of its own."""

    def __init__(
        self,
        host: str,
        port: int,
        status: Call,
        metadata: Call,
        metrics: Metrics | None = None,
        metrics_path: str | None = None,
    ) -> None:
        """Open the port; 0 takes a free one.

        `status` and `metadata` answer GetModelStatusRequest and GetModelMetadataRequest of tensorflow_serving.apis, or
        raise ServingError; they are called in other threads, several at once. `metrics` counts requests, and is shown
        under `metrics_path`.

        Raises:
            StartError: the port cannot be opened.
        """
        self._status, self._metadata = status, metadata
        self._metrics, self._metrics_path = metrics, metrics_path
        listening = _listen(host, port)
        self.port: int = listening.getsockname()[1]
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="rest")
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, args=(listening,), name="rest", daemon=True)
        self._thread.start()

    def close(self, timeout: float = DRAIN_TIMEOUT) -> None:
        """Accept nothing new and answer what is in work, at most `timeout` seconds. May be called twice."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, listening: socket.socket) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:  # ends what connections leave running
            runner.run(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        # No body is ever read; what is left of one after the answer is thrown away, for a second at most.
        server = web.Server(self._answer, access_log=None, logger=_log, lingering_time=1.0, auto_decompress=False)
        runner = web.ServerRunner(server, shutdown_timeout=DRAIN_TIMEOUT)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        await self._stop.wait()
        await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        # aiohttp leaves bytes that are not UTF-8 as surrogates, which could not be sent back.
        path = request.raw_path.encode(errors="surrogateescape").decode(errors="replace")
        if request.method not in _METHODS:
            return _page(HTTPStatus.NOT_IMPLEMENTED)
        if self._metrics and path.partition("?")[0] == self._metrics_path:
            return self._show(self._metrics, path)
        if not _API.fullmatch(path):
            return _page(HTTPStatus.NOT_FOUND)
        started = time.perf_counter()
        if request.method == "OPTIONS":  # what a browser asks first; without CORS headers it will go no further
            named = re.search("https?://", request.headers.get("Origin", ""))
            code = grpc.StatusCode.OK if named else grpc.StatusCode.FAILED_PRECONDITION
            self._count("", code, time.perf_counter() - started)
            return _reply(http_status(code), "", "text/html")
        asked = RestRequest.parse(request.method, path)
        code = grpc.StatusCode.OK
        try:
            asked.check()
            text = await self._loop.run_in_executor(self._threads, self._ask, asked)
        except Exception as error:  # noqa: BLE001  no caller gets a traceback, and no log but a line
            refusal = as_serving_error(error)
            code, text = refusal.code, error_json(refusal)
        self._count(asked.model, code, time.perf_counter() - started)
        return _reply(http_status(code), text, "application/json")

    def _ask(self, asked: RestRequest) -> str:
        # Not at the top: whoever only imports this file need not wait for TensorFlow.
        from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest
        from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest

        if asked.action == "metadata":  # METADATA is let through by the path's pattern, and gets the status
            request = GetModelMetadataRequest(metadata_field=[SIGNATURE_DEF])
            asked.fill(request.model_spec)
            return metadata_json(self._metadata(request))
        request = GetModelStatusRequest()
        asked.fill(request.model_spec)
        return status_json(self._status(request))

    def _show(self, metrics: Metrics, path: str) -> web.Response:
        if path != self._metrics_path:
            says = f"Unexpected path: {path}. Should be {self._metrics_path}"
            return _reply(HTTPStatus.BAD_REQUEST, says, "text/plain")
        return _reply(HTTPStatus.OK, metrics.text(), "text/plain")

    def _count(self, model: str, code: grpc.StatusCode, seconds: float) -> None:
        if self._metrics:
            self._metrics.request(model, code.name)
            if code is grpc.StatusCode.OK:  # the API's name is that of a way to run a model, and none is answered
                self._metrics.request_latency(model, "", "REST", seconds)


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise StartError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return listening


def _reply(status: int, text: str, content_type: str) -> web.Response:
    return web.Response(status=status, body=text.encode(), headers={"Content-Type": content_type})


def _page(status: HTTPStatus) -> web.Response:
    text = f"<html><head><title>{status} {status.phrase}</title></head><body><h1>{status.phrase}</h1></body></html>\n"
    return _reply(status, text, "text/html")
