"""The gRPC services: requests to models, errors to status codes. The only file that knows both."""
# ruff: noqa: N802  the methods are named as in the protos

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyProto
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.errors import ServingError, invalid_argument, not_found
from serving.model import Model
from serving.predict import run_predict
from serving.wire import SIGNATURE_DEF

Models = Mapping[str, Model]
Response = TypeVar("Response")


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc]
    """tensorflow.serving.PredictionService: Predict and GetModelMetadata."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run one request on the version it names, or on the one that serves."""
        return _answer(context, lambda: self._predict(request, context))

    def GetModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The SignatureDefs of the version asked for."""
        return _answer(context, lambda: self._metadata(request))

    def Classify(self, request: Any, context: grpc.ServicerContext) -> NoReturn:
        """Not implemented."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Classify is not implemented by this server")

    def Regress(self, request: Any, context: grpc.ServicerContext) -> NoReturn:
        """Not implemented."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Regress is not implemented by this server")

    def MultiInference(self, request: Any, context: grpc.ServicerContext) -> NoReturn:
        """Not implemented."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "MultiInference is not implemented by this server")

    def _predict(self, request: Any, context: grpc.ServicerContext) -> Any:
        response = predict_pb2.PredictResponse()
        model, version = _find(self._models, request)
        with model.servable(version).in_use() as servable:
            if not context.is_active():  # gave up while it waited for a thread: nobody reads the answer
                raise ServingError(grpc.StatusCode.CANCELLED, "the caller has gone")
            run_predict(servable, request, response)
        return response

    def _metadata(self, request: Any) -> Any:
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != SIGNATURE_DEF:
                raise invalid_argument(f"Metadata field {field} is not supported")
        model, version = _find(self._models, request)
        servable = model.servable(version)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = model.name
        response.model_spec.version.value = servable.version
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in servable.signature_defs.items():
            signatures.signature_def[name].CopyFrom(definition)
        packed = AnyProto()
        packed.Pack(signatures)
        response.metadata[SIGNATURE_DEF].CopyFrom(packed)
        return response


class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc]
    """tensorflow.serving.ModelService: GetModelStatus."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Where the model's versions are in their lives, newest first."""
        return _answer(context, lambda: self._status(request))

    def HandleReloadConfigRequest(self, request: Any, context: grpc.ServicerContext) -> NoReturn:
        """Not implemented."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "HandleReloadConfigRequest is not implemented by this server")

    def _status(self, request: Any) -> Any:
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        name = request.model_spec.name
        statuses = self._models[name].statuses() if name in self._models else {}
        if request.model_spec.HasField("version"):
            version = request.model_spec.version.value
            if version not in statuses:
                raise not_found(f"Could not find version {version} of model {name}")
            statuses = {version: statuses[version]}
        if not statuses:
            raise not_found(f"Could not find any versions of model {name}")
        response = get_model_status_pb2.GetModelStatusResponse()
        for version, status in sorted(statuses.items(), reverse=True):
            told = response.model_version_status.add(version=version, state=int(status.state))
            told.status.error_code = status.error.number if status.error else 0
            told.status.error_message = str(status.error or "")
        return response


def _find(models: Models, request: Any) -> tuple[Model, int | None]:
    """The model and version a request names (tensorflow_serving/model_servers/server_core.cc)."""
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    spec = request.model_spec
    if not spec.name:
        raise invalid_argument("ModelSpec has no name specified.")
    if spec.HasField("version_label"):
        raise invalid_argument(f"Unrecognized servable version label: {spec.version_label}")
    version = spec.version.value if spec.HasField("version") else None
    if spec.name not in models:
        asked = f"Latest({spec.name})" if version is None else f"Specific({spec.name}, {version})"
        raise not_found(f"Servable not found for request: {asked}")
    return models[spec.name], version


def _answer(context: grpc.ServicerContext, call: Callable[[], Response]) -> Response:
    try:
        return call()
    except ServingError as error:
        context.abort(error.code, error.details)
        raise  # abort itself has raised
