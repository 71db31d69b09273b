"""One Predict request on one loaded version (the checks of tensorflow_serving/servables/tensorflow/predict_util.cc).

Requests and responses are duck typed: the official classes or those of serving.wire.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import grpc
import tensorflow as tf
from numpy.typing import NDArray

from serving.errors import ServingError, failed_precondition, invalid_argument
from serving.metrics import Metrics
from serving.servable import Servable
from serving.signature import SERVING_DEFAULT
from serving.wire import carries, to_array, unsent, write

MAX_UNSENT = 16 << 20
"""Bytes of a caller's tensor that are made up because its shape claims them: a request of some bytes may claim
gigabytes. TensorFlow Serving makes them up without end."""

METHOD_NAMES = ("tensorflow/serving/predict", "tensorflow/serving/classify", "tensorflow/serving/regress")


class Predict:
    """How Predict is answered: what is checked, how tensors are written."""

    def __init__(self, metrics: Metrics, *, as_tensor_content: bool = False, check_method_name: bool = False) -> None:
        """Args name flags of the server.

        Args:
            metrics: counts the time spent in the model.
            as_tensor_content: --enable_serialization_as_tensor_content.
            check_method_name: --enable_signature_method_name_check.
        """
        self._metrics = metrics
        self._as_tensor_content = as_tensor_content
        self._check_method_name = check_method_name

    def run(
        self,
        servable: Servable,
        request: Any,
        response: Any,
        timeout: float | None = None,
        *,
        most_unsent: int | None = MAX_UNSENT,
    ) -> None:
        """Answer `request` into `response`.

        Args:
            servable: the version that is asked.
            request: a PredictRequest.
            response: an empty PredictResponse.
            timeout: seconds the model may take.
            most_unsent: bytes that may be made up of one tensor; None: any number.

        Raises:
            ServingError: the request does not fit the signature, or the model failed on it.
        """
        name = request.model_spec.signature_name or SERVING_DEFAULT
        if name not in servable.signature_defs:
            raise failed_precondition(f'Serving signature key "{name}" not found.')
        definition = servable.signature_defs[name]
        if self._check_method_name and definition.method_name not in METHOD_NAMES:
            raise ServingError(
                grpc.StatusCode.INTERNAL,
                f"Expected prediction signature method_name to be one of {{{', '.join(METHOD_NAMES)}}}. "
                f"Was: {definition.method_name}",
            )
        inputs = _read(_given(definition, request.inputs), most_unsent)
        outputs = _outputs(definition, request.output_filter)
        started = time.monotonic()
        found = servable.run(name, inputs, outputs, timeout)
        self._metrics.runtime_latency(request.model_spec.name, "Predict", "TF1", time.monotonic() - started)
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = servable.version
        response.model_spec.signature_name = name
        for output, array in zip(outputs, found, strict=True):
            self._write(response.outputs[output], array, definition.outputs[output].dtype)

    def _write(self, tensor: Any, array: NDArray[Any], dtype: int) -> None:
        if carries(dtype):
            write(tensor, array, dtype, as_content=self._as_tensor_content)
        else:
            tensor.CopyFrom(tf.make_tensor_proto(array, dtype))


def _given(definition: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The TensorProto of each input of the signature, its default where the request has none."""
    expected, found = set(definition.inputs), set(inputs)
    if len(found) > len(expected) or (len(found) < len(expected) and not definition.defaults):
        raise invalid_argument(
            f"input size does not match signature: {len(found)}!={len(expected)} "
            f"len({_braces(found)}) != len({_braces(expected)}). "
            f"Sent extra: {_braces(found - expected)}. Missing but required: {_braces(expected - found)}."
        )
    given = {}
    for alias in sorted(expected):
        if alias in found:
            given[alias] = inputs[alias]
        elif alias in definition.defaults:
            given[alias] = definition.defaults[alias]
        else:
            raise invalid_argument(
                f"Signature input alias: {alias}(feed name: {definition.inputs[alias].name}) not found in request and "
                f"no default value provided. Inputs expected to be in the request {_braces(found)}, or default input "
                f"alias set: {','.join(sorted(definition.defaults))}"
            )
    return given


def _read(given: Mapping[str, Any], most_unsent: int | None) -> dict[str, NDArray[Any]]:
    arrays = {}
    for alias, tensor in given.items():
        try:
            if most_unsent is not None and (bytes_unsent := unsent(tensor)) > most_unsent:
                raise ValueError(f"{bytes_unsent} bytes are claimed and not there")
            arrays[alias] = to_array(tensor) if carries(tensor.dtype) else tf.make_ndarray(tensor)
        except (ValueError, TypeError, OverflowError, MemoryError):
            raise invalid_argument(f"tensor parsing error: {alias}") from None
    return arrays


def _outputs(definition: Any, output_filter: Iterable[str]) -> list[str]:
    wanted: list[str] = []
    for output in output_filter:
        if output not in definition.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {output} "
                f"Outputs expected to be in the set {_braces(definition.outputs)}."
            )
        if output in wanted:
            raise invalid_argument(f"duplicate output tensor alias: {output}")
        wanted.append(output)
    return wanted or sorted(definition.outputs)


def _braces(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
