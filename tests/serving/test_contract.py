"""The error contract of TensorFlow Serving, row by row: the code and the very words.

The table holds for any server of the closed-form model. Without further ado that is the embedded one; to hold a real
TensorFlow Serving against it:

    python -m tests.serving.peers /tmp/tiny
    tensorflow_model_server --port=5000 --model_name=tiny --model_base_path=/tmp/tiny --enable_batching \\
        --batching_parameters_file=$PWD/serving/batching.config --enable_signature_method_name_check
    SIGHTLINE_SERVING=127.0.0.1:5000 pytest tests/serving/test_contract.py

What is raised and under which name was read in the sources named in the notes beside each group of rows.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from tensorflow_serving.apis import classification_pb2, inference_pb2, prediction_service_pb2_grpc, regression_pb2

from serving import wire
from tests.serving.peers import Caller, check, float_tensor, images, predict, request, run_server

ADDRESS = os.environ.get("SIGHTLINE_SERVING")


@pytest.fixture(scope="module")
def caller(base_path: Path) -> Iterator[Caller]:
    """A client of the server under test."""
    if ADDRESS:
        yield Caller(ADDRESS)
        return
    with run_server(base_path, "--allow_reload") as server:
        yield Caller(server.port)


PICTURE = wire.uint8_tensor((1, 8, 8, 3), bytes(192))
FEED = "serving_default_input_tensor:0"
OUTPUTS = "detection_boxes,detection_classes,detection_scores,num_detections"
TORN = wire.TensorProto(dtype=wire.DT_UINT8, tensor_shape=PICTURE.tensor_shape, tensor_content=b"short")
SIGNATURE = "Expected {} signature method_name to be tensorflow/serving/{}. Was: tensorflow/serving/predict"

NODE = "\n\t [[node]]"
"""Where in the graph an op failed: it is always told, and named after what the optimiser made of the graph."""

INVALID, PRECONDITION, MISSING, UNIMPLEMENTED = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNIMPLEMENTED,
)


def picture(inputs: dict[str, Any] | None = None, *output_filter: str, **spec: Any) -> Any:
    """A PredictRequest; without inputs, of one good picture."""
    return predict({"input_tensor": PICTURE} if inputs is None else inputs, *output_filter, **spec)


def spec(message: Any, **fields: Any) -> Any:
    """A request of another kind about `tiny`."""
    return message(model_spec={"name": "tiny"} | fields)


# tensorflow_serving/model_servers/server_core.cc, servables/tensorflow/predict_util.cc, and, for what the runtime says,
# TensorFlow's own DirectSession.
PREDICT = {
    "no spec": (wire.PredictRequest(), INVALID, "Missing ModelSpec"),
    "no name": (picture(name=""), INVALID, "ModelSpec has no name specified."),
    "unknown model": (picture(name="who"), MISSING, "Servable not found for request: Latest(who)"),
    "unknown model's version": (
        picture(name="who", version={"value": 7}),
        MISSING,
        "Servable not found for request: Specific(who, 7)",
    ),
    "unknown version": (picture(version={"value": 7}), MISSING, "Servable not found for request: Specific(tiny, 7)"),
    "unknown label": (
        picture(version_label="stable"),
        INVALID,
        "Unrecognized servable version label: stable",
    ),
    "unknown signature": (picture(signature_name="sig"), PRECONDITION, 'Serving signature key "sig" not found.'),
    "no inputs": (
        picture({}),
        INVALID,
        "input size does not match signature: 0!=1 len({}) != len({input_tensor}). Sent extra: {}. "
        "Missing but required: {input_tensor}.",
    ),
    "an input too many": (
        picture({"input_tensor": PICTURE, "b": PICTURE, "a": PICTURE}),
        INVALID,
        "input size does not match signature: 3!=1 len({a,b,input_tensor}) != len({input_tensor}). "
        "Sent extra: {a,b}. Missing but required: {}.",
    ),
    "an input by another name": (
        picture({"y": PICTURE}),
        INVALID,
        f"Signature input alias: input_tensor(feed name: {FEED}) not found in request and no default value provided. "
        "Inputs expected to be in the request {y}, or default input alias set: ",
    ),
    "torn tensor": (picture({"input_tensor": TORN}), INVALID, "tensor parsing error: input_tensor"),
    "another dtype": (
        picture({"input_tensor": float_tensor(1, 8, 8, 3)}),
        INVALID,
        "Expects arg[0] to be uint8 but float is provided",
    ),
    "unknown output": (
        picture(None, "z"),
        INVALID,
        f"output tensor alias not found in signature: z Outputs expected to be in the set {{{OUTPUTS}}}.",
    ),
    "an output twice": (
        picture(None, "num_detections", "num_detections"),
        INVALID,
        "duplicate output tensor alias: num_detections",
    ),
    "a shape the graph cannot run": (
        picture({"input_tensor": wire.uint8_tensor((1, 9, 8, 3), bytes(216))}),
        INVALID,
        "Input to reshape is a tensor with 216 values, but the requested shape requires a multiple of 192" + NODE,
    ),
    "a product that does not fit": (
        predict({"x": float_tensor(2, 4)}, "product", signature_name="odd"),
        INVALID,
        "Matrix size-incompatible: In[0]: [2,4], In[1]: [3,4]" + NODE,
    ),
    "the model refuses the values": (
        predict({"x": float_tensor(1, 4, value=float("nan"))}, signature_name="picky"),
        INVALID,
        "row is not a number : Tensor had NaN values" + NODE,
    ),
}
# tensorflow_serving/batching/batching_session.cc, and TensorFlow's shared_batch_scheduler.h.
BATCHING = {
    "a scalar": (
        picture({"input_tensor": wire.uint8_tensor((), b"x")}),
        INVALID,
        "Batching Run() input tensors must have at least one dimension",
    ),
    "a signature without inputs": (
        predict({}, signature_name="nothing"),
        INVALID,
        "Batching Run() must have at least one input tensor",
    ),
    "unequal rows": (
        predict({"a": float_tensor(1, 2), "b": float_tensor(2, 2)}, signature_name="pair"),
        INVALID,
        "Batching Run() input tensors must have equal 0th-dimension size",
    ),
    "more rows than a batch": (
        picture({"input_tensor": wire.uint8_tensor((9, 8, 8, 3), bytes(9 * 192))}),
        INVALID,
        "Task size 9 is larger than maximum input batch size 8",
    ),
    "an output without rows": (
        predict({"x": float_tensor(2, 3)}, "scalar", signature_name="odd"),
        PRECONDITION,
        "Batched output tensor has 0 dimensions",
    ),
    "an output of other rows": (
        predict({"x": float_tensor(2, 3)}, "first", signature_name="odd"),
        PRECONDITION,
        "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input tensors",
    ),
}
# tensorflow_serving/servables/tensorflow/get_model_metadata_impl.cc
METADATA = {
    "no spec": (wire.GetModelMetadataRequest(metadata_field=["signature_def"]), INVALID, "Missing ModelSpec"),
    "no field": (
        spec(wire.GetModelMetadataRequest),
        INVALID,
        "GetModelMetadataRequest must specify at least one metadata_field",
    ),
    "another field": (
        wire.GetModelMetadataRequest(model_spec={"name": "tiny"}, metadata_field=["assets"]),
        INVALID,
        "Metadata field assets is not supported",
    ),
    "unknown model": (
        wire.GetModelMetadataRequest(model_spec={"name": "who"}, metadata_field=["signature_def"]),
        MISSING,
        "Servable not found for request: Latest(who)",
    ),
    "unknown label": (
        wire.GetModelMetadataRequest(
            model_spec={"name": "tiny", "version_label": "canary"}, metadata_field=["signature_def"]
        ),
        INVALID,
        "Unrecognized servable version label: canary",
    ),
}
# tensorflow_serving/model_servers/get_model_status_impl.cc, model_service_impl.cc
STATUS = {
    "no spec": (wire.GetModelStatusRequest(), INVALID, "Missing ModelSpec"),
    "unknown model": (
        spec(wire.GetModelStatusRequest, name="who"),
        MISSING,
        "Could not find any versions of model who",
    ),
    "unknown version": (
        spec(wire.GetModelStatusRequest, version={"value": 9}),
        MISSING,
        "Could not find version 9 of model tiny",
    ),
}
RELOAD = {
    "no list": (
        wire.ReloadConfigRequest(),
        INVALID,
        "ServerModelConfig type not supported by HandleReloadConfigRequest. "
        "Only ModelConfigList is currently supported",
    ),
    "a model twice": (
        wire.ReloadConfigRequest(
            config={
                "model_config_list": {
                    "config": [{"name": "m", "base_path": "/m", "model_platform": "tensorflow"} for _ in range(2)]
                }
            }
        ),
        INVALID,
        "Illegal to list model m multiple times in config list",
    ),
    "a relative path": (
        wire.ReloadConfigRequest(
            config={"model_config_list": {"config": [{"name": "m", "base_path": "m", "model_platform": "tensorflow"}]}}
        ),
        INVALID,
        "Expected model m to have an absolute path or URI; got base_path()=m",
    ),
}
ROWS = [
    pytest.param(method, *row, id=f"{method}: {case}")
    for method, rows in (
        ("predict", PREDICT),
        ("predict", BATCHING),
        ("metadata", METADATA),
        ("status", STATUS),
        ("reload", RELOAD),
    )
    for case, row in rows.items()
]


@pytest.mark.parametrize(("method", "asked", "code", "message"), ROWS)
def test_error_contract(caller: Caller, method: str, asked: Any, code: grpc.StatusCode, message: str) -> None:
    """Each wrong request gets TensorFlow Serving's code and its very words."""
    with pytest.raises(grpc.RpcError) as error:
        getattr(caller, method)(asked, timeout=30)
    details = re.sub(r"\n\t \[\[.+\]\]$", NODE, str(error.value.details()))
    assert (error.value.code(), details) == (code, message)


@pytest.mark.parametrize(
    ("method", "message", "code", "says"),
    [
        ("Classify", classification_pb2.ClassificationRequest, INVALID, SIGNATURE.format("classification", "classify")),
        ("Regress", regression_pb2.RegressionRequest, INVALID, SIGNATURE.format("regression", "regress")),
        ("Classify no spec", classification_pb2.ClassificationRequest, INVALID, "Missing ModelSpec"),
        ("Regress no spec", regression_pb2.RegressionRequest, INVALID, "Missing ModelSpec"),
    ],
)
def test_calls_on_examples_are_refused(
    caller: Caller, method: str, message: Any, code: grpc.StatusCode, says: str
) -> None:
    """Classify and Regress say that a detector's signature is for Predict."""
    stub = prediction_service_pb2_grpc.PredictionServiceStub(caller.channel)
    name, _, without_spec = method.partition(" ")
    with pytest.raises(grpc.RpcError) as error:
        getattr(stub, name)(message() if without_spec else spec(message), timeout=30)
    assert (error.value.code(), error.value.details()) == (code, says)


@pytest.mark.skipif(
    ADDRESS is not None, reason="TensorFlow Serving answers MultiInference; the embedded server does not"
)
def test_multi_inference_is_unimplemented(caller: Caller) -> None:
    """MultiInference answers UNIMPLEMENTED."""
    stub = prediction_service_pb2_grpc.PredictionServiceStub(caller.channel)
    with pytest.raises(grpc.RpcError) as error:
        stub.MultiInference(inference_pb2.MultiInferenceRequest(), timeout=30)
    assert error.value.code() is UNIMPLEMENTED


def test_static_shapes_are_not_checked(caller: Caller) -> None:
    """A height that the signature does not allow is run where the graph can run it."""
    lying = wire.uint8_tensor((1, 4, 16, 3), bytes(192))  # the signature says 8 by 8; the graph only counts the pixels
    response = caller.predict(picture({"input_tensor": lying}), timeout=30)
    assert wire.shape_of(response.outputs["detection_boxes"]) == (1, 3, 4)


def test_sizes_do_not_meet_in_a_batch(caller: Caller) -> None:
    """Pictures of two sizes in one batch fail every request in it, and none after it."""
    words = (
        "Tensors with name 'anysize_image:0' from different tasks have different shapes and padding is turned off. Set "
        "pad_variable_length_inputs to true, or ensure that all tensors with the same name have equal dimensions "
        "starting with the first dim."
    )
    sizes = [
        predict({"image": wire.uint8_tensor((1, height, 4, 3), bytes(12 * height))}, signature_name="anysize")
        for height in (5, 9)
    ]
    answers: set[tuple[grpc.StatusCode, str]] = set()
    for _ in range(50):  # which calls meet is chance; that some do is not
        calls = [caller.predict.future(asked, timeout=30) for asked in sizes * 8]
        answers |= {(call.code(), call.details()) for call in calls}
        if (PRECONDITION, words) in answers:
            break
    assert (PRECONDITION, words) in answers
    assert answers <= {(PRECONDITION, words), (grpc.StatusCode.OK, "")}
    assert wire.to_array(caller.predict(sizes[0], timeout=30).outputs["total"]).tolist() == [0]


def overload(base_path: Path, *flags: str) -> set[tuple[grpc.StatusCode, str]]:
    """What a server with these flags answers to twelve slow calls at once; each that is answered has its own rows."""
    pictures = images(2, seed=5)
    pictures[:, 0, 0, 0] = 60
    with run_server(base_path, *flags) as running:
        calls = [Caller(running.port).predict.future(request(pictures), timeout=60) for _ in range(12)]
        for call in calls:
            if not call.exception():
                check(call.result(), pictures)
        return {(call.code(), call.details()) for call in calls}


EMBEDDED = pytest.mark.skipif(ADDRESS is not None, reason="needs a server started with other flags")


@EMBEDDED
def test_a_full_queue_is_unavailable(base_path: Path, tmp_path: Path) -> None:
    """What does not fit the queue is refused at once with the scheduler's words; what does is answered."""
    config = tmp_path / "batching.config"
    config.write_text("max_batch_size { value: 2 } num_batch_threads { value: 1 } max_enqueued_batches { value: 1 }")
    full = (
        "The batch scheduling queue to which this task was submitted is full; "
        "currently 1 batches enqueued and max_enqueued_batches is 1"
    )
    answers = overload(base_path, f"--batching_parameters_file={config}")
    assert answers == {(grpc.StatusCode.OK, ""), (grpc.StatusCode.UNAVAILABLE, full)}


@EMBEDDED
def test_a_full_queue_says_what_fits_where_requests_are_split(base_path: Path, tmp_path: Path) -> None:
    """With splitting, the scheduler's words name the capacity that is left."""
    config = tmp_path / "batching.config"
    config.write_text(
        "max_batch_size { value: 8 } num_batch_threads { value: 1 } max_enqueued_batches { value: 1 }\n"
        "enable_large_batch_splitting { value: true } max_execution_batch_size { value: 1 }"
    )
    answers = overload(base_path, f"--batching_parameters_file={config}")
    assert {code for code, _ in answers} <= {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
    refusals = [words for code, words in answers if code is grpc.StatusCode.UNAVAILABLE]
    assert refusals
    for words in refusals:
        assert re.fullmatch(
            r"The batch scheduling queue to which this task was submitted is full; task size is 2 but scheduling "
            r"capacity is only \d \(num_enqueued_batches=\d, max_enqueued_batches=1, open_batch_size=\d, "
            r"max_execution_batch_size=1\)",
            words,
        )


@EMBEDDED
def test_more_calls_than_threads_are_refused(base_path: Path) -> None:
    """With every thread in use a further call is refused at once instead of growing old unseen."""
    answers = overload(base_path, "--grpc_max_threads=2")
    assert answers == {
        (grpc.StatusCode.OK, ""),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted"),
    }


def test_success_names_what_answered(caller: Caller) -> None:
    """The response carries the name, the version that answered, and the signature, also where none was asked for."""
    answered = caller.predict(picture(), timeout=30).model_spec
    assert (answered.name, answered.version.value, answered.signature_name) == ("tiny", 3, "serving_default")
    told = caller.metadata(
        wire.GetModelMetadataRequest(model_spec={"name": "tiny"}, metadata_field=["signature_def"]), timeout=30
    ).model_spec
    assert (told.name, told.version.value, told.signature_name) == ("tiny", 3, "")
