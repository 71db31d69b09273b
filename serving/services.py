"""The gRPC services: requests to models, errors to status codes. The only file that knows both."""
# ruff: noqa: N802  the methods are named as in the protos

import time
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyProto
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.classify import CLASSIFY, REGRESS, Method, refuse
from serving.errors import ServingError, as_serving_error, invalid_argument, not_found
from serving.metrics import Metrics
from serving.model_config import model_configs
from serving.models import Models
from serving.predict import Predict
from serving.wire import SIGNATURE_DEF

Response = TypeVar("Response")

NO_DEADLINE = 1e6
"""Seconds from which a deadline is none."""


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc]
    """tensorflow.serving.PredictionService."""

    def __init__(self, models: Models, predict: Predict, metrics: Metrics) -> None:
        self._models = models
        self._run = predict.run
        self._metrics = metrics

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run one request on the version it names, or on the newest."""
        return self._counted("Predict", request, context, lambda: self._predict(request, context))

    def GetModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The SignatureDefs of the version asked for."""
        return _answer(context, lambda: model_metadata(self._models, request))

    def Classify(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Refused: tf.Examples are not pictures."""
        return self._counted("Classify", request, context, lambda: self._refuse(CLASSIFY, request))

    def Regress(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Refused, likewise."""
        return self._counted("Regress", request, context, lambda: self._refuse(REGRESS, request))

    def MultiInference(self, request: Any, context: grpc.ServicerContext) -> NoReturn:
        """Not implemented."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "MultiInference is not implemented by this server; use Predict")

    def _predict(self, request: Any, context: grpc.ServicerContext) -> Any:
        response = predict_pb2.PredictResponse()
        _require_spec(request)
        with self._models.acquire(request.model_spec) as servable:
            if not context.is_active():  # gave up while it waited for a thread: nobody reads the answer
                raise ServingError(grpc.StatusCode.CANCELLED, "the caller has gone")
            self._run(servable, request, response, _timeout(context))
        return response

    def _refuse(self, method: Method, request: Any) -> NoReturn:
        _require_spec(request)
        with self._models.acquire(request.model_spec) as servable:
            refuse(method, servable, request)

    def _counted(self, api: str, request: Any, context: grpc.ServicerContext, call: Callable[[], Response]) -> Response:
        """Answer and count, as TensorFlow Serving does: every request by status, the time of those that went well."""
        started = time.monotonic()
        name, status = request.model_spec.name, "UNKNOWN"
        try:
            response = call()
            status = "OK"
            self._metrics.request_latency(name, api, "GRPC", time.monotonic() - started)
            return response
        except Exception as error:
            refusal = as_serving_error(error)
            status = refusal.code.name
            context.abort(refusal.code, refusal.details)
            raise  # abort itself has raised
        finally:
            self._metrics.request(name, status)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc]
    """tensorflow.serving.ModelService."""

    def __init__(self, models: Models, *, allow_reload: bool) -> None:
        self._models = models
        self._allow_reload = allow_reload

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Where the model's versions are in their lives, newest first."""
        return _answer(context, lambda: model_status(self._models, request))

    def HandleReloadConfigRequest(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Serve exactly the models of the request; answered when the new ones are available.

        Refused unless --allow_reload is given: a model is a program, which may read and write files, and nobody is
        asked for a password here.
        """
        return _answer(context, lambda: self._reload(request))

    def _reload(self, request: Any) -> Any:
        if not self._allow_reload:
            raise ServingError(
                grpc.StatusCode.PERMISSION_DENIED,
                "This server was started without --allow_reload; its models change with --model_config_file, which "
                "--model_config_file_poll_wait_seconds follows",
            )
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid_argument(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                "Only ModelConfigList is currently supported"
            )
        self._models.reload(model_configs(request.config))
        response = model_management_pb2.ReloadConfigResponse()
        response.status.error_code = 0  # OK is said, not left out
        return response


def model_status(models: Models, request: Any) -> Any:
    """A GetModelStatusResponse (tensorflow_serving/model_servers/get_model_status_impl.cc).

    A version label is not looked at there either: without a version number all versions are told.

    Raises:
        ServingError: no such model or version was ever there.
    """
    _require_spec(request)
    name = request.model_spec.name
    statuses = models.statuses(name)
    if request.model_spec.HasField("version") and (version := models.numbered(request.model_spec)) is not None:
        if version not in statuses:
            raise not_found(f"Could not find version {version} of model {name}")
        statuses = {version: statuses[version]}
    if not statuses:
        raise not_found(f"Could not find any versions of model {name}")
    response = get_model_status_pb2.GetModelStatusResponse()
    for version, status in statuses.items():
        told = response.model_version_status.add(version=version, state=int(status.state))
        told.status.error_code = status.error.number if status.error else 0
        told.status.error_message = str(status.error or "")
    return response


def model_metadata(models: Models, request: Any) -> Any:
    """A GetModelMetadataResponse (tensorflow_serving/servables/tensorflow/get_model_metadata_impl.cc).

    Raises:
        ServingError: another field than signature_def is asked for, or the version does not serve.
    """
    _require_spec(request)
    if not request.metadata_field:
        raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != SIGNATURE_DEF:
            raise invalid_argument(f"Metadata field {field} is not supported")
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    signatures = get_model_metadata_pb2.SignatureDefMap()
    with models.acquire(request.model_spec) as servable:
        response.model_spec.name = servable.model
        response.model_spec.version.value = servable.version
        for name, definition in servable.signature_defs.items():
            signatures.signature_def[name].CopyFrom(definition)
    packed = AnyProto()
    packed.Pack(signatures)
    response.metadata[SIGNATURE_DEF].CopyFrom(packed)
    return response


def _timeout(context: grpc.ServicerContext) -> float | None:
    """Seconds until the caller's deadline; None without one, which gRPC tells as a time after the next ice age."""
    remaining = context.time_remaining()
    return remaining if remaining < NO_DEADLINE else None


def _require_spec(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")


def _answer(context: grpc.ServicerContext, call: Callable[[], Response]) -> Response:
    try:
        return call()
    except Exception as error:
        refusal = as_serving_error(error)
        context.abort(refusal.code, refusal.details)
        raise  # abort itself has raised
