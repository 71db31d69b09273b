"""What a REST request asks, and how it is answered in JSON: paths, fields and white space as TensorFlow Serving's.

They are those of model_servers/http_rest_api_handler.cc, http_rest_api_util.cc and http_server.cc, and of
MakeJsonFromStatus in util/json_tensor.cc, in tensorflow/serving. As there, a query is part of the path's last name.
"""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import grpc

from serving.errors import ServingError, invalid_argument
from serving.wire import SIGNATURE_DEF

MAX_VERSION = 2**63 - 1

_MODEL = r"([^/:]+)"
_VERSION = r"(?:/versions/(\d+)|/labels/([^/:]+))?"
_PATTERNS = {  # by method; for any other no path is well-formed
    "GET": re.compile(rf"/v1/models(?:/{_MODEL})?{_VERSION}(?:/(metadata))?", re.IGNORECASE | re.ASCII),
    "POST": re.compile(rf"/v1/models/{_MODEL}{_VERSION}:(classify|regress|predict)", re.IGNORECASE | re.ASCII),
}
_HTTP_STATUS = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}


@dataclass(frozen=True)
class RestRequest:
    """The parts of a path below /v1/; empty where it has none."""

    method: str
    path: str
    well_formed: bool
    model: str = ""
    version: str = ""
    label: str = ""
    action: str = ""
    """classify, regress, predict or metadata, spelled as the caller did; empty asks for the status."""

    @classmethod
    def parse(cls, method: str, path: str) -> "RestRequest":
        """Take a path, with its query, apart; one that fits nothing is not well-formed, and no error yet."""
        found = _PATTERNS[method].fullmatch(path) if method in _PATTERNS else None
        if not found:
            return cls(method, path, well_formed=False)
        model, version, label, action = found.groups(default="")
        return cls(method, path, True, unquote(model), version, unquote(label), action)

    def check(self) -> None:
        """Refuse what asks for nothing that is answered here.

        Raises:
            ServingError: with TensorFlow Serving's words, and for running a model with our own.
        """
        if self.version and not _is_int64(self.version):
            raise invalid_argument("")  # there the words are lost on the way, and the body is empty
        if self.method == "POST" and self.action in ("classify", "regress", "predict"):
            words = f"{self.action} is not implemented over REST by this server; call it over gRPC"
            raise ServingError(grpc.StatusCode.UNIMPLEMENTED, words)
        if self.method != "GET" or not self.well_formed:
            raise invalid_argument(f"Malformed request: {self.method} {self.path}")
        if not self.model:
            raise invalid_argument("Missing model name in request.")

    def fill(self, spec: Any) -> None:
        """Write the model, and its version or label, into a ModelSpec."""
        spec.name = self.model
        if self.version:
            spec.version.value = int(self.version)
        if self.label:
            spec.version_label = self.label


def http_status(code: grpc.StatusCode) -> int:
    """The HTTP status of a gRPC one; 500 where HTTP has no word for it."""
    return _HTTP_STATUS.get(code, 500)


def error_json(error: ServingError) -> str:
    """An error's body. Its words are whole: gRPC's limit is not REST's."""
    return json.dumps({"error": str(error)}, indent=4, ensure_ascii=False) if str(error) else ""


def status_json(response: Any) -> str:
    """A GetModelStatusResponse's body."""
    return _message_json(response)


def metadata_json(response: Any) -> str:
    """A GetModelMetadataResponse's body: put together from its two messages, by hand there and thus here."""
    from tensorflow_serving.apis.get_model_metadata_pb2 import SignatureDefMap

    signatures = SignatureDefMap()
    response.metadata[SIGNATURE_DEF].Unpack(signatures)
    spec, definitions = (_message_json(message, names=True) for message in (response.model_spec, signatures))
    return f'{{\n"model_spec":{spec},\n"metadata": {{"{SIGNATURE_DEF}": {definitions}}}\n}}\n'


def _message_json(message: Any, *, names: bool = False) -> str:
    from google.protobuf.json_format import MessageToJson

    text: str = MessageToJson(
        message,
        always_print_fields_with_no_presence=True,
        preserving_proto_field_name=names,
        indent=1,
        ensure_ascii=False,
    )
    return f"{text}\n"


def _is_int64(digits: str) -> bool:
    digits = digits.lstrip("0") or "0"
    return len(digits) <= len(str(MAX_VERSION)) and int(digits) <= MAX_VERSION  # int() refuses thousands of digits
