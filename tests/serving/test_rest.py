"""serving.rest answers over HTTP as TensorFlow Serving does: same JSON, same codes, same words."""

import json
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyProto
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from serving.errors import ServingError, StartError, not_found
from serving.metrics import Metrics
from serving.rest import RestServer

METRICS_PATH = "/monitoring/prometheus/metrics"
AVAILABLE = 30


def fake_status(request: Any) -> Any:
    """One model, `tiny` with versions 3 and 2; a model named after a gRPC status fails with it."""
    spec = request.model_spec
    if spec.name in grpc.StatusCode.__members__:
        raise ServingError(grpc.StatusCode[spec.name], f'says "{spec.name}"')
    if spec.name != "tiny":
        raise not_found(f"Could not find any versions of model {spec.name}")
    if spec.version_label:
        raise not_found(f"label {spec.version_label}")
    response = get_model_status_pb2.GetModelStatusResponse()
    for version in [spec.version.value] if spec.HasField("version") else [3, 2]:
        response.model_version_status.add(version=version, state=AVAILABLE).status.error_code = 0
    return response


def fake_metadata(request: Any) -> Any:
    """`tiny` has one signature, of one input."""
    assert list(request.metadata_field) == ["signature_def"]
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = request.model_spec.name
    response.model_spec.version.value = request.model_spec.version.value or 3
    signatures = get_model_metadata_pb2.SignatureDefMap()
    signature = signatures.signature_def["serving_default"]
    signature.inputs["x"].name = "x:0"
    signature.inputs["x"].dtype = 1
    signature.inputs["x"].tensor_shape.dim.add(size=-1)
    packed = AnyProto()
    packed.Pack(signatures)
    response.metadata["signature_def"].CopyFrom(packed)
    return response


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    """What the server of this file counts."""
    return Metrics()


@pytest.fixture(scope="module")
def rest(metrics: Metrics) -> Iterator[RestServer]:
    """A server of the fakes."""
    server = RestServer("127.0.0.1", 0, fake_status, fake_metadata, metrics, METRICS_PATH)
    yield server
    server.close()


def ask(server: RestServer, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, str, str]:
    """One request: its HTTP status, content type and body."""
    request = Request(f"http://127.0.0.1:{server.port}{path}", data=body, method=method)
    try:
        with urlopen(request, timeout=30) as response:
            return response.status, response.headers["Content-Type"], response.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


STATUS = """{
 "model_version_status": [
  {
   "version": "2",
   "state": "AVAILABLE",
   "status": {
    "error_code": "OK",
    "error_message": ""
   }
  }
 ]
}
"""
METADATA = """{
"model_spec":{
 "name": "tiny",
 "version": "3",
 "signature_name": ""
}
,
"metadata": {"signature_def": {
 "signature_def": {
  "serving_default": {
   "inputs": {
    "x": {
     "name": "x:0",
     "dtype": "DT_FLOAT",
     "tensor_shape": {
      "dim": [
       {
        "size": "-1",
        "name": ""
       }
      ],
      "unknown_rank": false
     }
    }
   },
   "outputs": {},
   "method_name": "",
   "defaults": {}
  }
 }
}
}
}
"""


def test_status_is_told_in_tensorflow_servings_json(rest: RestServer) -> None:
    """The fields, their spelling, the defaults and the white space are TensorFlow Serving's."""
    assert ask(rest, "/v1/models/tiny/versions/2") == (200, "application/json", STATUS)


def test_metadata_is_told_in_tensorflow_servings_json(rest: RestServer) -> None:
    """The two messages of the answer are put together as TensorFlow Serving does, names as in the protos."""
    assert ask(rest, "/v1/models/tiny/metadata") == (200, "application/json", METADATA)


@pytest.mark.parametrize(
    ("path", "versions"),
    [
        ("/v1/models/tiny", ["3", "2"]),
        ("/V1/Models/tiny", ["3", "2"]),
        ("/v1/models/t%69ny", ["3", "2"]),
        ("/v1/models/tiny/METADATA", ["3", "2"]),
        ("/v1/models/tiny/versions/000000000000000000002", ["2"]),
        ("/v1/models/tiny/versions/9223372036854775807", ["9223372036854775807"]),
    ],
)
def test_paths_are_read_as_tensorflow_serving_reads_them(rest: RestServer, path: str, versions: list[str]) -> None:
    """Case does not matter but in names and in `metadata`, and names may be escaped."""
    code, _, text = ask(rest, path)
    assert code == 200
    assert [told["version"] for told in json.loads(text)["model_version_status"]] == versions


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/models/a%2Fb%3A%22%0A", 'a/b:"\n'),
        ("/v1/models/tiny?x=1", "tiny?x=1"),
        ("/v1/models/%zz", "%zz"),
        ("/v1/models/%ff", "\ufffd"),
    ],
)
def test_names_arrive_as_they_were_meant(rest: RestServer, path: str, name: str) -> None:
    """A name goes through unchanged, whatever is in it; a query belongs to it."""
    code, content_type, text = ask(rest, path)
    assert (code, content_type) == (404, "application/json")
    assert json.loads(text) == {"error": f"Could not find any versions of model {name}"}


def test_labels_are_passed_on(rest: RestServer) -> None:
    """A label reaches the one who knows labels."""
    assert json.loads(ask(rest, "/v1/models/tiny/labels/st%61ble")[2]) == {"error": "label stable"}


ON_GRPC = "{} is not implemented over REST by this server; call it over gRPC"


@pytest.mark.parametrize(
    ("method", "path", "code", "says"),
    [
        ("GET", "/v1/foo", 400, "Malformed request: GET /v1/foo"),
        ("GET", "/v1/models/", 400, "Malformed request: GET /v1/models/"),
        ("GET", "/v1/models/a/b", 400, "Malformed request: GET /v1/models/a/b"),
        ("GET", "/v1/models/tiny:predict", 400, "Malformed request: GET /v1/models/tiny:predict"),
        ("GET", "/v1/models/tiny/versions/x", 400, "Malformed request: GET /v1/models/tiny/versions/x"),
        ("GET", "/v1/models/m/versions/1/labels/a", 400, "Malformed request: GET /v1/models/m/versions/1/labels/a"),
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("GET", "/v1/models/versions/3", 400, "Missing model name in request."),
        ("PUT", "/v1/models/tiny", 400, "Malformed request: PUT /v1/models/tiny"),
        ("DELETE", "/v1/models/tiny", 400, "Malformed request: DELETE /v1/models/tiny"),
        ("PATCH", "/v1/models/tiny", 400, "Malformed request: PATCH /v1/models/tiny"),
        ("POST", "/v1/models/tiny", 400, "Malformed request: POST /v1/models/tiny"),
        ("POST", "/v1/models/tiny:PREDICT", 400, "Malformed request: POST /v1/models/tiny:PREDICT"),
        ("POST", "/v1/models/tiny:predict", 501, ON_GRPC.format("predict")),
        ("POST", "/v1/models/tiny/versions/1:classify", 501, ON_GRPC.format("classify")),
        ("POST", "/v1/models/tiny/labels/a:regress", 501, ON_GRPC.format("regress")),
    ],
)
def test_what_is_not_answered_is_refused_in_json(
    rest: RestServer, method: str, path: str, code: int, says: str
) -> None:
    """A wrong path or method gets TensorFlow Serving's words; running a model says where that is done."""
    body = json.dumps({"error": says}, indent=4)
    assert ask(rest, path, method, b"{}" if method == "POST" else None) == (code, "application/json", body)


@pytest.mark.parametrize("version", ["9223372036854775808", "9" * 5000])
def test_a_version_too_large_is_refused_without_words(rest: RestServer, version: str) -> None:
    """TensorFlow Serving answers a version that is no int64 with 400 and nothing in it."""
    assert ask(rest, f"/v1/models/tiny/versions/{version}") == (400, "application/json", "")


HTTP_STATUS = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}


@pytest.mark.parametrize("name", sorted(set(grpc.StatusCode.__members__) - {"OK"}))
def test_every_status_has_its_http_status(rest: RestServer, metrics: Metrics, name: str) -> None:
    """A failure gets the HTTP status TensorFlow Serving gives it, its words whole, and is counted by its name."""
    code, _, text = ask(rest, f"/v1/models/{name}")
    assert code == HTTP_STATUS[name]
    assert text == f'{{\n    "error": "says \\"{name}\\""\n}}'
    assert f':tensorflow:serving:request_count{{model_name="{name}",status="{name}"}} 1\n' in metrics.text()


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/v1", "/v2/models/tiny", "/metrics", f"{METRICS_PATH}/"])
def test_other_paths_are_not_found(rest: RestServer, method: str, path: str) -> None:
    """Outside /v1/ there is a page that says 404, and no JSON."""
    code, content_type, text = ask(rest, path, method)
    assert (code, content_type) == (404, "text/html")
    assert "404 Not Found" in text


def test_unknown_methods_are_not_implemented(rest: RestServer) -> None:
    """TRACE is not a method here."""
    assert ask(rest, "/v1/models/tiny", "TRACE")[:2] == (501, "text/html")


def test_head_is_refused_without_a_body(rest: RestServer) -> None:
    """HEAD is a malformed request, as every method but GET and POST."""
    assert ask(rest, "/v1/models/tiny", "HEAD") == (400, "application/json", "")


@pytest.mark.parametrize(("origin", "code"), [("https://example.org", 200), ("null", 400), (None, 400)])
def test_preflights_are_answered(rest: RestServer, origin: str | None, code: int) -> None:
    """OPTIONS is well with an Origin and refused without, both with nothing in it."""
    connection = HTTPConnection("127.0.0.1", rest.port, timeout=30)
    connection.request("OPTIONS", "/v1/models/tiny", headers={"Origin": origin} if origin else {})
    response = connection.getresponse()
    assert (response.status, response.read()) == (code, b"")
    assert response.headers["Access-Control-Allow-Origin"] is None
    connection.close()


def test_metrics_are_shown_under_their_path(rest: RestServer, metrics: Metrics) -> None:
    """The page is plain text; with a query its path is another one."""
    ask(rest, "/v1/models/tiny")
    code, content_type, text = ask(rest, METRICS_PATH)
    assert (code, content_type, text) == (200, "text/plain", metrics.text())
    assert ':tensorflow:serving:request_latency_count{model_name="tiny",API="",entrypoint="REST"} ' in text
    code, content_type, text = ask(rest, f"{METRICS_PATH}?a")
    assert (code, content_type) == (400, "text/plain")
    assert text == f"Unexpected path: {METRICS_PATH}?a. Should be {METRICS_PATH}"


def test_without_a_path_there_are_no_metrics() -> None:
    """What is not asked for is not shown."""
    server = RestServer("127.0.0.1", 0, fake_status, fake_metadata)
    try:
        assert ask(server, METRICS_PATH)[0] == 404
        assert ask(server, "/v1/models/tiny")[0] == 200
    finally:
        server.close()


STRANGE = {
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no http": b"hello\r\n\r\n",
    "nul": b"GET /v1/models/\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "not utf-8": b"GET /v1/models/\xff\xfe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "whole url": b"GET http://a/v1/models/tiny HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "long path": b"GET /v1/models/" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "long header": b"GET /v1/models/tiny HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000 + b"\r\n\r\n",
    "bad length": b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "bad chunk": b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "bad gzip": b"POST /v1/foo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    "no body": b"POST /v1/models/tiny:predict HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n{",
}


@pytest.mark.parametrize("sent", STRANGE.values(), ids=STRANGE.keys())
def test_strangers_get_no_traceback(rest: RestServer, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever bytes come, the answer is a client's error or none, nothing is logged, and the next caller is served."""
    with caplog.at_level(logging.WARNING), socket.create_connection(("127.0.0.1", rest.port), timeout=30) as stranger:
        stranger.sendall(sent)
        stranger.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: stranger.recv(65536), b""))
    assert answer[:10] in (b"", b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 5")
    assert b" 500 " not in answer
    assert b"Traceback" not in answer
    assert caplog.records == []
    assert ask(rest, "/v1/models/tiny")[0] == 200


def test_close_answers_what_is_in_work() -> None:
    """A request that runs when the server is told to stop is answered; afterwards nobody listens."""
    entered, leave = threading.Event(), threading.Event()

    def slow_status(request: Any) -> Any:
        entered.set()
        assert leave.wait(30)
        return fake_status(request)

    server = RestServer("127.0.0.1", 0, slow_status, fake_metadata)
    with ThreadPoolExecutor(2) as threads:
        answer = threads.submit(ask, server, "/v1/models/tiny")
        assert entered.wait(30)
        closing = threads.submit(server.close)
        leave.set()
        assert answer.result()[0] == 200
        closing.result()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), timeout=30)


def test_callers_do_not_wait_for_each_other(metrics: Metrics) -> None:
    """While one status waits, the metrics and another status are answered."""
    entered, leave = threading.Event(), threading.Event()

    def slow_status(request: Any) -> Any:
        if request.model_spec.HasField("version"):
            entered.set()
            assert leave.wait(30)
        return fake_status(request)

    server = RestServer("127.0.0.1", 0, slow_status, fake_metadata, metrics, METRICS_PATH)
    with ThreadPoolExecutor(1) as threads:
        waits = threads.submit(ask, server, "/v1/models/tiny/versions/3")
        assert entered.wait(30)
        assert ask(server, METRICS_PATH)[0] == 200
        assert ask(server, "/v1/models/tiny")[0] == 200
        leave.set()
        assert waits.result()[0] == 200
    server.close()


def test_a_port_in_use_is_refused(rest: RestServer) -> None:
    """A port that somebody listens on is named, and so is a host that is not here."""
    with pytest.raises(StartError, match=rf"^cannot listen on 127\.0\.0\.1:{rest.port}: Address already in use$"):
        RestServer("127.0.0.1", rest.port, fake_status, fake_metadata)
    with pytest.raises(StartError, match=r"^cannot listen on 192\.0\.2\.1:0: Cannot assign requested address$"):
        RestServer("192.0.2.1", 0, fake_status, fake_metadata)
