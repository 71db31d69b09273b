"""One Predict request on one loaded version (the checks of tensorflow_serving/servables/tensorflow/predict_util.cc).

Requests and responses are duck typed: the official classes or those of serving.wire.
"""

from collections.abc import Iterable
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from serving.errors import ServingError, invalid_argument
from serving.servable import Servable, Signature
from serving.signature import SERVING_DEFAULT
from serving.wire import DT_STRING, DataType, shape_of, to_array

# How TensorFlow's DataTypeString names them in its messages, where that is not the proto's name in lower case.
_DTYPE_NAMES = {number: name.removeprefix("DT_").lower() for name, number in DataType.items()}


def run_predict(servable: Servable, request: Any, response: Any) -> None:
    """Answer `request` into `response`.

    Raises:
        ServingError: the request does not fit the signature, or the model failed on it.
    """
    name = request.model_spec.signature_name or SERVING_DEFAULT
    if name not in servable.signatures:
        raise ServingError(grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
    signature = servable.signatures[name]
    arrays = _inputs(signature, request.inputs)
    outputs = _outputs(signature, request.output_filter)
    _check_dtypes(signature, request.inputs)
    _check_shapes(signature, arrays)
    found = signature.run(arrays)
    response.model_spec.name = servable.model
    response.model_spec.version.value = servable.version
    response.model_spec.signature_name = name
    for output in outputs:
        _write(response.outputs[output], found[output], signature.definition.outputs[output].dtype)


def _inputs(signature: Signature, given: Any) -> list[NDArray[Any]]:
    expected, found = set(signature.inputs), set(given)
    if len(found) != len(expected):
        raise invalid_argument(
            f"input size does not match signature: {len(found)}!={len(expected)} "
            f"len({_braces(found)}) != len({_braces(expected)}). "
            f"Sent extra: {_braces(found - expected)}. Missing but required: {_braces(expected - found)}."
        )
    arrays = []
    for name in signature.inputs:
        if name not in found:
            feed = signature.definition.inputs[name].name
            raise invalid_argument(
                f"Signature input alias: {name}(feed name: {feed}) not found in request and no default value "
                f"provided. Inputs expected to be in the request {_braces(found)}, or default input alias set: "
            )
        try:
            arrays.append(to_array(given[name]))
        except ValueError:
            raise invalid_argument(f"tensor parsing error: {name}") from None
    return arrays


def _check_dtypes(signature: Signature, given: Any) -> None:
    for number, name in enumerate(signature.inputs):
        expected, found = signature.definition.inputs[name].dtype, given[name].dtype
        if found != expected:
            raise invalid_argument(
                f"Expects arg[{number}] to be {_DTYPE_NAMES[expected]} but {_DTYPE_NAMES[found]} is provided"
            )


def _check_shapes(signature: Signature, arrays: list[NDArray[Any]]) -> None:
    """What the batching session refuses (tensorflow_serving/batching/batching_util.h), and what the signature does.

    The latter is ours alone: TensorFlow Serving lets the graph decide, and one wrong shape then fails its whole batch.
    """
    if signature.batched and any(array.ndim == 0 for array in arrays):
        raise invalid_argument("Batching Run() input tensors must have at least one dimension")
    if signature.batched and len({len(array) for array in arrays}) > 1:
        raise invalid_argument("Batching Run() input tensors must have equal 0th-dimension size")
    for (name, spec), array in zip(signature.inputs.items(), arrays, strict=True):
        if not spec.shape.is_compatible_with(array.shape):
            expected = list(shape_of(signature.definition.inputs[name]))
            raise invalid_argument(f"input {name} has shape {list(array.shape)}; the signature takes {expected}")


def _outputs(signature: Signature, output_filter: Iterable[str]) -> list[str]:
    wanted: list[str] = []
    for output in output_filter:
        if output not in signature.outputs:
            raise invalid_argument(
                f"output tensor alias not found in signature: {output} "
                f"Outputs expected to be in the set {_braces(signature.outputs)}."
            )
        if output in wanted:
            raise invalid_argument(f"duplicate output tensor alias: {output}")
        wanted.append(output)
    return wanted or signature.outputs


def _braces(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def _write(tensor: Any, array: NDArray[Any], dtype: int) -> None:
    tensor.dtype = dtype
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    if dtype == DT_STRING:
        tensor.string_val.extend(array.ravel().tolist())
    else:
        tensor.tensor_content = np.ascontiguousarray(array).tobytes()
