"""TensorFlow Serving's gRPC messages without TensorFlow.

The official tensorflow-serving-api package needs all of tensorflow for a handful of messages: seconds of import and
half a gigabyte. Here the same messages are made from wire.binpb, a FileDescriptorSet taken from that package
(`python -m serving.generate_wire`), in a descriptor pool of their own, so that they live in one process with a loaded
tensorflow as well as without. The bytes on the wire are the same.

    predict = channel.unary_unary(PREDICT, request_serializer=PredictRequest.SerializeToString,
                                  response_deserializer=PredictResponse.FromString)
"""

import math
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import numpy as np
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from numpy.typing import NDArray

DESCRIPTORS = Path(__file__).with_name("wire.binpb")

_pool = descriptor_pool.DescriptorPool()
for _file in FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file:
    _pool.AddSerializedFile(_file.SerializeToString())


def message(name: str) -> Any:
    """The class of one message of the API by its full name, such as `tensorflow.serving.PredictRequest`.

    Raises:
        KeyError: the API has no such message.
    """
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(name))


def _method(service: str, method: str) -> str:
    found = _pool.FindServiceByName(service).FindMethodByName(method)
    return f"/{found.containing_service.full_name}/{found.name}"


TensorProto: Final = message("tensorflow.TensorProto")
ModelSpec: Final = message("tensorflow.serving.ModelSpec")
PredictRequest: Final = message("tensorflow.serving.PredictRequest")
PredictResponse: Final = message("tensorflow.serving.PredictResponse")
GetModelMetadataRequest: Final = message("tensorflow.serving.GetModelMetadataRequest")
GetModelMetadataResponse: Final = message("tensorflow.serving.GetModelMetadataResponse")
SignatureDefMap: Final = message("tensorflow.serving.SignatureDefMap")
GetModelStatusRequest: Final = message("tensorflow.serving.GetModelStatusRequest")
GetModelStatusResponse: Final = message("tensorflow.serving.GetModelStatusResponse")
ModelVersionStatus: Final = message("tensorflow.serving.ModelVersionStatus")
ModelServerConfig: Final = message("tensorflow.serving.ModelServerConfig")
ReloadConfigRequest: Final = message("tensorflow.serving.ReloadConfigRequest")
ReloadConfigResponse: Final = message("tensorflow.serving.ReloadConfigResponse")

PREDICT: Final = _method("tensorflow.serving.PredictionService", "Predict")
GET_MODEL_METADATA: Final = _method("tensorflow.serving.PredictionService", "GetModelMetadata")
GET_MODEL_STATUS: Final = _method("tensorflow.serving.ModelService", "GetModelStatus")
RELOAD_CONFIG: Final = _method("tensorflow.serving.ModelService", "HandleReloadConfigRequest")

SIGNATURE_DEF: Final = "signature_def"
"""The one metadata field GetModelMetadata knows."""

DataType: Final[dict[str, int]] = {
    name: value.number for name, value in _pool.FindEnumTypeByName("tensorflow.DataType").values_by_name.items()
}
"""Every dtype's number by name, such as DataType["DT_UINT8"]."""
DT_FLOAT: Final = DataType["DT_FLOAT"]
DT_UINT8: Final = DataType["DT_UINT8"]
DT_STRING: Final = DataType["DT_STRING"]
DT_INT64: Final = DataType["DT_INT64"]

MAX_RANK: Final = 254
"""Dimensions of a tensor, as TensorFlow limits them."""
MAX_SIZE: Final = 2**63 - 1
"""Values of a tensor, as TensorFlow counts them."""
LARGEST_ITEM: Final = 16
"""Bytes of the largest value a tensor may have, DT_COMPLEX128."""

_VALUES: Final = {  # tensorflow/core/framework/tensor.proto: which field holds the values of which dtype
    "DT_FLOAT": ("float_val", np.float32),
    "DT_DOUBLE": ("double_val", np.float64),
    "DT_INT8": ("int_val", np.int8),
    "DT_INT16": ("int_val", np.int16),
    "DT_INT32": ("int_val", np.int32),
    "DT_INT64": ("int64_val", np.int64),
    "DT_UINT8": ("int_val", np.uint8),
    "DT_UINT16": ("int_val", np.uint16),
    "DT_UINT32": ("uint32_val", np.uint32),
    "DT_UINT64": ("uint64_val", np.uint64),
    "DT_BOOL": ("bool_val", np.bool_),
    "DT_STRING": ("string_val", np.object_),
}
_FIELDS: Final = {DataType[name]: (field, np.dtype(dtype)) for name, (field, dtype) in _VALUES.items()}
_NAMES: Final = {number: name for name, number in DataType.items()}


def carries(dtype: int) -> bool:
    """Whether tensors of this dtype are read and written here; the others need TensorFlow."""
    return dtype in _FIELDS


def name_of(dtype: int) -> str:
    """How a dtype is called, such as DT_FLOAT."""
    return _NAMES.get(dtype, f"dtype {dtype}")


def shape_of(tensor: Any) -> tuple[int, ...]:
    """The dimensions of a TensorProto or a TensorInfo; -1 is a free one."""
    return tuple(dim.size for dim in tensor.tensor_shape.dim)


def size_of(tensor: Any) -> int:
    """How many values the shape of a TensorProto claims.

    Raises:
        ValueError: an open shape, or one that TensorFlow has no tensors of (tensorflow/core/framework/tensor_shape.cc).
    """
    if len(tensor.tensor_shape.dim) > MAX_RANK:
        raise ValueError(f"a tensor of {len(tensor.tensor_shape.dim)} dimensions; allowed are {MAX_RANK}")
    shape = shape_of(tensor)
    if tensor.tensor_shape.unknown_rank or any(length < 0 for length in shape):
        raise ValueError(f"a tensor of open shape {shape} has no values")
    size = math.prod(shape)
    if size > MAX_SIZE:
        raise ValueError(f"a tensor of shape {shape} has too many values")
    return size


def unsent(tensor: Any) -> int:
    """Bytes of the values that a TensorProto's shape claims and it does not carry: whoever reads it makes them up.

    Raises:
        ValueError: as `size_of`.
    """
    size = size_of(tensor)
    if tensor.tensor_content:
        return 0  # content of another length than the shape's is refused, and not filled up
    if tensor.dtype in _FIELDS:
        field, dtype = _FIELDS[tensor.dtype]
        return max(0, size - len(getattr(tensor, field))) * dtype.itemsize
    carried = sum(len(value) for field, value in tensor.ListFields() if field.name.endswith("_val"))
    return max(0, size - carried) * LARGEST_ITEM


def to_array(tensor: Any, most: int = MAX_SIZE) -> NDArray[Any]:
    """The values of a TensorProto as an array of its shape; strings as bytes objects.

    Follows TensorFlow's own reading (tensorflow/core/framework/tensor.cc): values beyond the shape are ignored, missing
    ones repeat the last, and where there are none all are zero. An array from `tensor_content` is read-only.

    Args:
        tensor: what is to be read.
        most: values its shape may claim; a shape of some bytes claims gigabytes, and they would be made up.

    Raises:
        ValueError: a dtype not read here, a shape that `size_of` refuses or that claims too much, or content of another
            length than the shape's.
    """
    if tensor.dtype not in _FIELDS:
        raise ValueError(f"a tensor of dtype {_NAMES.get(tensor.dtype, tensor.dtype)} cannot be read here")
    field, dtype = _FIELDS[tensor.dtype]
    size, shape = size_of(tensor), shape_of(tensor)
    if size > most:
        raise ValueError(f"a tensor of shape {shape} has {size} values; allowed are {most}")
    if content := tensor.tensor_content:
        if dtype.hasobject:
            return np.array(_strings(content, size), dtype).reshape(shape)
        if len(content) != size * dtype.itemsize:
            raise ValueError(f"{len(content)} bytes of content for a tensor of {dtype} {shape}")
        return np.frombuffer(content, dtype).reshape(shape)
    found = np.array(getattr(tensor, field), dtype)[:size]
    if found.size < size:
        rest = found[-1] if found.size else (b"" if dtype.hasobject else 0)
        found = np.concatenate([found, np.full(size - found.size, rest, dtype)])
    return found.reshape(shape)


def _strings(content: bytes, count: int) -> list[bytes]:
    """Strings as TensorFlow packs them in tensor_content: all lengths as varints, then all bytes."""
    lengths, at = [], 0
    try:
        for _ in range(count):
            length, shift = 0, 0
            while content[at] & 0x80:
                if shift > 56:
                    raise ValueError("a string of more than 2^63 bytes")
                length |= (content[at] & 0x7F) << shift
                at, shift = at + 1, shift + 7
            lengths.append(length | content[at] << shift)
            at += 1
    except IndexError:
        raise ValueError(f"{len(content)} bytes of content end before the lengths of {count} strings") from None
    if at + sum(lengths) != len(content):
        raise ValueError(f"{len(content)} bytes of content for strings of {at + sum(lengths)} bytes")
    ends = [at + end for end in accumulate(lengths)]
    return [content[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def write(tensor: Any, array: NDArray[Any], dtype: int, *, as_content: bool = False) -> None:
    """Fill an empty TensorProto: with lists of values, as TensorFlow Serving answers, or with an array's own bytes.

    Bytes are read some hundred times faster; strings are a list either way.

    Raises:
        ValueError: a dtype not written here.
    """
    if dtype not in _FIELDS:
        raise ValueError(f"a tensor of dtype {_NAMES.get(dtype, dtype)} cannot be written here")
    tensor.dtype = dtype
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    field, _ = _FIELDS[dtype]
    if as_content and dtype != DT_STRING:
        tensor.tensor_content = np.ascontiguousarray(array).tobytes()
    else:
        getattr(tensor, field).extend(array.ravel().tolist())


def uint8_tensor(shape: tuple[int, ...], content: bytes) -> Any:
    """A uint8 TensorProto of `shape`, rows first; `content` is its bytes, such as `image.tobytes()`."""
    if len(content) != math.prod(shape):
        raise ValueError(f"{len(content)} bytes for a uint8 tensor of shape {shape}")
    tensor = TensorProto(dtype=DT_UINT8, tensor_content=content)
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    return tensor


def signature_defs(response: Any) -> dict[str, Any]:
    """The SignatureDefs by signature name in a GetModelMetadataResponse; empty where it carries none."""
    if SIGNATURE_DEF not in response.metadata:
        return {}
    return dict(SignatureDefMap.FromString(response.metadata[SIGNATURE_DEF].value).signature_def)
