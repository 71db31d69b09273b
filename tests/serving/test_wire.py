"""serving.wire: the API's messages without TensorFlow."""

import subprocess
import sys

import numpy as np
import pytest

from serving import wire


def test_descriptors_equal_the_official_package() -> None:
    """wire.binpb holds exactly the descriptors of the installed tensorflow-serving-api, in the same order."""
    from serving.generate_wire import official_descriptors

    assert wire.DESCRIPTORS.read_bytes() == official_descriptors().SerializeToString(deterministic=True)


def test_tensorflow_is_not_imported() -> None:
    """Importing serving.wire loads neither tensorflow nor its serving API nor grpc."""
    check = "import sys, serving.wire; print(sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert "'numpy'" in loaded
    for name in ("tensorflow", "tensorflow_serving", "grpc"):
        assert f"'{name}'" not in loaded


def test_messages_are_the_official_ones_on_the_wire() -> None:
    """A request made here is read by the official class as the same request, and back."""
    from tensorflow_serving.apis import predict_pb2

    request = wire.PredictRequest(output_filter=["detection_boxes"])
    request.model_spec.name = "insulators"
    request.model_spec.version.value = 7
    request.inputs["input_tensor"].CopyFrom(wire.uint8_tensor((1, 2, 2, 3), bytes(range(12))))
    official = predict_pb2.PredictRequest.FromString(request.SerializeToString())
    assert official.model_spec.version.value == 7
    assert official.inputs["input_tensor"].tensor_content == bytes(range(12))
    assert wire.PredictRequest.FromString(official.SerializeToString()) == request


def test_method_paths_are_the_official_ones() -> None:
    """The paths are those the official stubs call."""
    assert wire.PREDICT == "/tensorflow.serving.PredictionService/Predict"
    assert wire.GET_MODEL_METADATA == "/tensorflow.serving.PredictionService/GetModelMetadata"
    assert wire.GET_MODEL_STATUS == "/tensorflow.serving.ModelService/GetModelStatus"


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"]
)
@pytest.mark.parametrize("form", ["tensor_content", "values"])
def test_to_array_reads_what_tensorflow_writes(dtype: str, form: str) -> None:
    """Every numeric dtype comes back equal, from tensor_content and from the value lists."""
    import tensorflow as tf

    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    proto = tf.make_tensor_proto(array)
    if form == "values":
        field, _ = wire._FIELDS[proto.dtype]
        proto.ClearField("tensor_content")
        proto.ClearField(field)
        getattr(proto, field).extend(array.ravel().tolist())
    ours = wire.TensorProto.FromString(proto.SerializeToString())
    got = wire.to_array(ours)
    assert got.dtype == array.dtype
    np.testing.assert_array_equal(got, tf.make_ndarray(proto))
    np.testing.assert_array_equal(got, array)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], [0, 0, 0, 0]), ([5], [5, 5, 5, 5]), ([1, 2], [1, 2, 2, 2]), ([1, 2, 3, 4, 9], [1, 2, 3, 4])],
)
def test_value_lists_of_another_length_are_read_as_tensorflow_reads_them(
    values: list[float], expected: list[float]
) -> None:
    """No values are zeros, missing values repeat the last, values beyond the shape are ignored."""
    import tensorflow as tf

    tensor = wire.TensorProto(dtype=wire.DT_FLOAT, float_val=values)
    tensor.tensor_shape.dim.add(size=2)
    tensor.tensor_shape.dim.add(size=2)
    np.testing.assert_array_equal(wire.to_array(tensor), np.reshape(expected, (2, 2)))
    np.testing.assert_array_equal(tf.io.parse_tensor(tensor.SerializeToString(), tf.float32), wire.to_array(tensor))


@pytest.mark.parametrize("packed", [False, True])
def test_strings_are_bytes_objects(packed: bool) -> None:
    """Strings are read from string_val, and from tensor_content as servers that fill only that pack them."""
    import tensorflow as tf

    strings = [b"insulator", b"", b"x" * 300, "Gerät".encode()]
    tensor = wire.TensorProto(dtype=wire.DT_STRING)
    tensor.tensor_shape.dim.add(size=2)
    tensor.tensor_shape.dim.add(size=2)
    if packed:
        tensor.tensor_content = bytes([9, 0, 300 & 0x7F | 0x80, 300 >> 7, 6]) + b"".join(strings)
    else:
        tensor.string_val.extend(strings)
    assert wire.to_array(tensor).ravel().tolist() == strings
    assert tf.io.parse_tensor(tensor.SerializeToString(), tf.string).numpy().ravel().tolist() == strings


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        (wire.TensorProto(dtype=wire.DT_UINT8, tensor_shape={"dim": [{"size": 3}]}, tensor_content=b"ab"), "2 bytes"),
        (wire.TensorProto(dtype=wire.DT_UINT8, tensor_shape={"dim": [{"size": -1}]}), "open shape"),
        (wire.TensorProto(dtype=wire.DT_STRING, tensor_shape={"dim": [{"size": 1}]}, tensor_content=b"\x09ab"), "10"),
        (wire.TensorProto(dtype=wire.DT_STRING, tensor_shape={"dim": [{"size": 2}]}, tensor_content=b"\x01"), "end"),
        (
            wire.TensorProto(dtype=wire.DT_STRING, tensor_shape={"dim": [{"size": 1}]}, tensor_content=b"\xff" * 99),
            "2.63",
        ),
        (wire.TensorProto(dtype=wire.DT_FLOAT, tensor_shape={"dim": [{"size": 1 << 40}] * 2}), "too many values"),
        (wire.TensorProto(dtype=wire.DT_FLOAT, tensor_shape={"dim": [{"size": 1}] * 255}), "255 dimensions"),
        (wire.TensorProto(dtype=wire.DataType["DT_RESOURCE"]), "DT_RESOURCE"),
        (wire.TensorProto(dtype=9999), "9999"),
    ],
)
def test_tensors_that_make_no_array_are_refused(tensor: object, says: str) -> None:
    """A tensor whose values cannot be told raises ValueError with what is wrong."""
    with pytest.raises(ValueError, match=says):
        wire.to_array(tensor)


def test_what_a_shape_claims_is_not_made_up_beyond_a_limit() -> None:
    """A shape that claims more values than are wanted is refused before there is memory for them."""
    bomb = wire.TensorProto(dtype=wire.DT_FLOAT, tensor_shape={"dim": [{"size": 8}, {"size": 1 << 50}]})
    with pytest.raises(ValueError, match="allowed are 1000"):
        wire.to_array(bomb, most=1000)
    assert wire.unsent(bomb) == 32 << 50


@pytest.mark.parametrize(
    ("fields", "unsent"),
    [
        ({"dtype": wire.DT_FLOAT, "float_val": [1.0, 2.0]}, 16),
        ({"dtype": wire.DT_FLOAT, "float_val": [1.0] * 9}, 0),
        ({"dtype": wire.DT_FLOAT, "bool_val": [True] * 6}, 24),
        ({"dtype": wire.DT_UINT8, "tensor_content": b"abcdef"}, 0),
        ({"dtype": wire.DT_STRING, "string_val": [b"a"]}, 40),
        ({"dtype": wire.DataType["DT_HALF"], "half_val": [1]}, 80),
        ({"dtype": wire.DataType["DT_COMPLEX128"]}, 96),
    ],
)
def test_what_is_not_sent_is_known(fields: dict[str, object], unsent: int) -> None:
    """Of every dtype it is known how many of the claimed values a tensor does not carry."""
    assert wire.unsent(wire.TensorProto(tensor_shape={"dim": [{"size": 2}, {"size": 3}]}, **fields)) == unsent


def test_uint8_tensor_checks_its_length() -> None:
    """A uint8 tensor comes back as it was, and content of another length is refused before it is sent."""
    image = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)
    np.testing.assert_array_equal(wire.to_array(wire.uint8_tensor(image.shape, image.tobytes())), image)
    with pytest.raises(ValueError, match="11 bytes"):
        wire.uint8_tensor((1, 2, 2, 3), bytes(11))


def test_signature_defs_are_read_from_metadata() -> None:
    """A metadata reply of the official classes yields its signatures by name; an empty one yields none."""
    from google.protobuf import any_pb2
    from tensorflow_serving.apis import get_model_metadata_pb2

    signatures = get_model_metadata_pb2.SignatureDefMap()
    signatures.signature_def["serving_default"].inputs["input_tensor"].name = "serving_default_input_tensor:0"
    official = get_model_metadata_pb2.GetModelMetadataResponse()
    packed = any_pb2.Any()
    packed.Pack(signatures)
    official.metadata["signature_def"].CopyFrom(packed)
    response = wire.GetModelMetadataResponse.FromString(official.SerializeToString())
    found = wire.signature_defs(response)
    assert found["serving_default"].inputs["input_tensor"].name == "serving_default_input_tensor:0"
    assert wire.signature_defs(wire.GetModelMetadataResponse()) == {}
