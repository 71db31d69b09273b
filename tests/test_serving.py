"""The embedded server answers as TensorFlow Serving does: same rows, same codes, same words."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving import wire
from serving.server import Server
from tests.serving_peers import Caller, check, expected, images, request, run_server, save_model


@pytest.fixture(scope="module")
def base_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory with version 3 in it."""
    base_path = tmp_path_factory.mktemp("tiny")
    save_model(base_path, 3)
    return base_path


@pytest.fixture(scope="module")
def tiny(base_path: Path) -> Iterator[Server]:
    """A server of that model, with threads for every caller here."""
    with run_server(base_path, "--grpc_max_threads=64") as running:
        yield running


@pytest.fixture(scope="module")
def caller(tiny: Server) -> Caller:
    """A client of serving.wire."""
    return Caller(tiny.port)


def test_official_stubs_predict(tiny: Server) -> None:
    """A client of tensorflow-serving-api gets every output, and the version and signature that made them."""
    import tensorflow as tf

    pictures = images(3, seed=1)
    channel = grpc.insecure_channel(f"127.0.0.1:{tiny.port}")
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    asked = predict_pb2.PredictRequest()
    asked.model_spec.name = "tiny"
    asked.inputs["input_tensor"].CopyFrom(tf.make_tensor_proto(pictures))
    response = stub.Predict(asked, timeout=30)
    assert response.model_spec.name == "tiny"
    assert response.model_spec.version.value == 3
    assert response.model_spec.signature_name == "serving_default"
    outputs = expected(pictures, 3)
    assert set(response.outputs) == set(outputs)
    for name, array in outputs.items():
        np.testing.assert_allclose(tf.make_ndarray(response.outputs[name]), array, err_msg=name)


def test_official_stubs_read_metadata_and_status(tiny: Server) -> None:
    """Metadata carries every SignatureDef of the file, status the version that is available."""
    channel = grpc.insecure_channel(f"127.0.0.1:{tiny.port}")
    asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    asked.model_spec.name = "tiny"
    response = prediction_service_pb2_grpc.PredictionServiceStub(channel).GetModelMetadata(asked, timeout=30)
    assert (response.model_spec.name, response.model_spec.version.value) == ("tiny", 3)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert {"serving_default", "labels", "single", "pair", "picky"} <= set(signatures.signature_def)
    shape = signatures.signature_def["serving_default"].inputs["input_tensor"].tensor_shape
    assert [dim.size for dim in shape.dim] == [-1, 8, 8, 3]
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "tiny"
    found = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(status, timeout=30)
    assert [(v.version, v.state, v.status.error_code) for v in found.model_version_status] == [(3, 30, 0)]


def test_wire_client_reads_signatures(caller: Caller) -> None:
    """A client without TensorFlow reads the same signatures."""
    asked = wire.GetModelMetadataRequest(model_spec={"name": "tiny"}, metadata_field=[wire.SIGNATURE_DEF])
    found = wire.signature_defs(caller.metadata(asked, timeout=30))
    assert wire.shape_of(found["serving_default"].inputs["input_tensor"]) == (-1, 8, 8, 3)


def test_output_filter_gives_only_what_is_asked(caller: Caller) -> None:
    """A reply holds the outputs of the filter and no other."""
    pictures = images(2, seed=2)
    response = caller.detect(pictures, output_filter=("detection_scores",))
    assert list(response.outputs) == ["detection_scores"]
    check(response, pictures)


def test_version_is_chosen_by_number(caller: Caller) -> None:
    """A request that names the version is answered by it."""
    pictures = images(1, seed=3)
    check(caller.detect(pictures, version={"value": 3}), pictures)


def test_strings_are_answered(caller: Caller) -> None:
    """String outputs come as bytes, through the same batching."""
    asked = wire.PredictRequest(model_spec={"name": "tiny", "signature_name": "labels"})
    asked.inputs["index"].CopyFrom(
        wire.TensorProto(dtype=wire.DT_INT64, tensor_shape={"dim": [{"size": 2}]}, int64_val=[7, 8])
    )
    response = caller.predict(asked, timeout=30)
    assert wire.to_array(response.outputs["class_names"]).tolist() == [[b"insulator", b"defect"]] * 2
    assert wire.to_array(response.outputs["index_out"]).tolist() == [7, 8]
    assert response.model_spec.signature_name == "labels"


def test_no_rows_are_answered_with_no_rows(caller: Caller) -> None:
    """An empty batch gets outputs that are empty in dimension 0 and whole in the others."""
    response = caller.detect(images(0, seed=4))
    assert wire.shape_of(response.outputs["detection_boxes"]) == (0, 3, 4)
    assert wire.shape_of(response.outputs["num_detections"]) == (0,)


def test_signature_of_one_image_takes_any_size(caller: Caller) -> None:
    """A signature whose first dimension is fixed is run call by call, at the sizes it leaves open."""
    for height in (5, 9):
        picture = np.ones((1, height, 4, 3), np.uint8)
        asked = wire.PredictRequest(model_spec={"name": "tiny", "signature_name": "single"})
        asked.inputs["image"].CopyFrom(wire.uint8_tensor(picture.shape, picture.tobytes()))
        assert wire.to_array(caller.predict(asked, timeout=30).outputs["total"]).tolist() == [height * 12]


def float_tensor(*shape: int, value: float = 0.0) -> Any:
    """A float32 TensorProto filled with `value`."""
    return wire.TensorProto(
        dtype=wire.DT_FLOAT, tensor_shape={"dim": [{"size": size} for size in shape]}, float_val=[value]
    )


def predict(inputs: dict[str, Any] | None = None, *output_filter: str, **spec: Any) -> Any:
    """A PredictRequest of these inputs; without any, one good picture."""
    made = wire.PredictRequest(output_filter=output_filter, model_spec={"name": "tiny"} | spec)
    for name, tensor in (inputs if inputs is not None else {"input_tensor": PICTURE}).items():
        made.inputs[name].CopyFrom(tensor)
    return made


PICTURE = wire.uint8_tensor((1, 8, 8, 3), bytes(192))
FEED = "serving_default_input_tensor:0"
OUTPUTS = "detection_boxes,detection_classes,detection_scores,num_detections"
TORN = wire.TensorProto(dtype=wire.DT_UINT8, tensor_shape=PICTURE.tensor_shape, tensor_content=b"short")

INVALID, PRECONDITION, MISSING = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.NOT_FOUND,
)
# TensorFlow Serving's own answers; the last rows are ours alone, see docs/serving.md.
PREDICT_ERRORS = {
    "no spec": (wire.PredictRequest(), INVALID, "Missing ModelSpec"),
    "no name": (predict(name=""), INVALID, "ModelSpec has no name specified."),
    "unknown model": (predict(name="who"), MISSING, "Servable not found for request: Latest(who)"),
    "unknown model's version": (
        predict(name="who", version={"value": 7}),
        MISSING,
        "Servable not found for request: Specific(who, 7)",
    ),
    "unknown version": (
        predict(version={"value": 7}),
        MISSING,
        "Servable not found for request: Specific(tiny, 7)",
    ),
    "unknown label": (
        predict(version_label="stable"),
        INVALID,
        "Unrecognized servable version label: stable",
    ),
    "unknown signature": (
        predict(signature_name="sig"),
        PRECONDITION,
        'Serving signature key "sig" not found.',
    ),
    "no inputs": (
        predict({}),
        INVALID,
        "input size does not match signature: 0!=1 len({}) != len({input_tensor}). Sent extra: {}. "
        "Missing but required: {input_tensor}.",
    ),
    "an input too many": (
        predict({"input_tensor": PICTURE, "b": PICTURE, "a": PICTURE}),
        INVALID,
        "input size does not match signature: 3!=1 len({a,b,input_tensor}) != len({input_tensor}). "
        "Sent extra: {a,b}. Missing but required: {}.",
    ),
    "an input by another name": (
        predict({"y": PICTURE}),
        INVALID,
        f"Signature input alias: input_tensor(feed name: {FEED}) not found in request and no default value provided. "
        "Inputs expected to be in the request {y}, or default input alias set: ",
    ),
    "torn tensor": (predict({"input_tensor": TORN}), INVALID, "tensor parsing error: input_tensor"),
    "another dtype": (
        predict({"input_tensor": float_tensor(1, 8, 8, 3)}),
        INVALID,
        "Expects arg[0] to be uint8 but float is provided",
    ),
    "unknown output": (
        predict(None, "z"),
        INVALID,
        f"output tensor alias not found in signature: z Outputs expected to be in the set {{{OUTPUTS}}}.",
    ),
    "an output twice": (
        predict(None, "num_detections", "num_detections"),
        INVALID,
        "duplicate output tensor alias: num_detections",
    ),
    "a scalar": (
        predict({"input_tensor": wire.uint8_tensor((), b"x")}),
        INVALID,
        "Batching Run() input tensors must have at least one dimension",
    ),
    "unequal rows": (
        predict({"a": float_tensor(1, 2), "b": float_tensor(2, 2)}, signature_name="pair"),
        INVALID,
        "Batching Run() input tensors must have equal 0th-dimension size",
    ),
    "more rows than a batch": (
        predict({"input_tensor": wire.uint8_tensor((9, 8, 8, 3), bytes(9 * 192))}),
        INVALID,
        "Task size 9 is larger than maximum input batch size 8",
    ),
    "the model refuses the values": (
        predict({"x": float_tensor(1, 4, value=float("nan"))}, signature_name="picky"),
        INVALID,
        "row is not a number : Tensor had NaN values",
    ),
    "ours: another size of picture": (
        predict({"input_tensor": wire.uint8_tensor((1, 9, 8, 3), bytes(216))}),
        INVALID,
        "input input_tensor has shape [1, 9, 8, 3]; the signature takes [-1, 8, 8, 3]",
    ),
    "ours: a row too many for a signature of one": (
        predict({"image": wire.uint8_tensor((2, 2, 2, 3), bytes(24))}, signature_name="single"),
        INVALID,
        "input image has shape [2, 2, 2, 3]; the signature takes [1, -1, -1, 3]",
    ),
}
METADATA_ERRORS = {
    "no spec": (wire.GetModelMetadataRequest(metadata_field=["signature_def"]), INVALID, "Missing ModelSpec"),
    "no field": (
        wire.GetModelMetadataRequest(model_spec={"name": "tiny"}),
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
}
STATUS_ERRORS = {
    "no spec": (wire.GetModelStatusRequest(), INVALID, "Missing ModelSpec"),
    "unknown model": (
        wire.GetModelStatusRequest(model_spec={"name": "who"}),
        MISSING,
        "Could not find any versions of model who",
    ),
    "unknown version": (
        wire.GetModelStatusRequest(model_spec={"name": "tiny", "version": {"value": 9}}),
        MISSING,
        "Could not find version 9 of model tiny",
    ),
}
ERRORS = [
    pytest.param(method, *row, id=f"{method}: {case}")
    for method, rows in (("predict", PREDICT_ERRORS), ("metadata", METADATA_ERRORS), ("status", STATUS_ERRORS))
    for case, row in rows.items()
]


@pytest.mark.parametrize(("method", "asked", "code", "message"), ERRORS)
def test_error_contract(caller: Caller, method: str, asked: Any, code: grpc.StatusCode, message: str) -> None:
    """Each wrong request gets TensorFlow Serving's code and its very words."""
    with pytest.raises(grpc.RpcError) as error:
        getattr(caller, method)(asked, timeout=30)
    assert (error.value.code(), error.value.details()) == (code, message)


def test_services_not_there_yet_say_so(tiny: Server) -> None:
    """Classify, Regress, MultiInference and HandleReloadConfigRequest answer UNIMPLEMENTED."""
    channel: Any = grpc.insecure_channel(f"127.0.0.1:{tiny.port}")
    methods = [f"PredictionService/{name}" for name in ("Classify", "Regress", "MultiInference")]
    for method in [*methods, "ModelService/HandleReloadConfigRequest"]:
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary(f"/tensorflow.serving.{method}")(b"", timeout=30)
        assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_long_messages_are_cut(caller: Caller) -> None:
    """A message of more than 1024 characters is cut as TensorFlow Serving cuts it."""
    with pytest.raises(grpc.RpcError) as error:
        caller.predict(predict(name="m" * 2000), timeout=30)
    details = str(error.value.details())
    assert details.startswith("Servable not found for request: Latest(mmm")
    assert details.endswith("m...TRUNCATED")
    assert len(details) == 1024 + len("...TRUNCATED")


def test_every_caller_gets_its_own_rows(caller: Caller) -> None:
    """Hundreds of calls from 16 threads, good and bad and of several signatures, each get their own answer."""

    def call(seed: int) -> str:
        chance = random.Random(seed)
        pictures = images(chance.randint(1, 4), seed)
        kind = chance.choice(("good", "good", "good", "filtered", "bad", "pair"))
        if kind == "bad":
            with pytest.raises(grpc.RpcError, match="unknown"):
                caller.detect(pictures, output_filter=("unknown",))
        elif kind == "pair":
            asked = predict(
                {"a": float_tensor(1, 2, value=seed), "b": float_tensor(1, 2, value=1)}, signature_name="pair"
            )
            assert wire.to_array(caller.predict(asked, timeout=30).outputs["sum"]).tolist() == [[seed + 1] * 2]
        else:
            check(caller.detect(pictures, output_filter=("num_detections",) if kind == "filtered" else ()), pictures)
        return kind

    with ThreadPoolExecutor(16) as threads:
        kinds = list(threads.map(call, range(640)))
    assert set(kinds) == {"good", "filtered", "bad", "pair"}


def test_full_queue_is_unavailable(base_path: Path, tmp_path: Path) -> None:
    """What does not fit the queue is refused at once with the scheduler's words; what does is answered."""
    config = tmp_path / "batching.config"
    config.write_text("max_batch_size { value: 2 } num_batch_threads { value: 1 } max_enqueued_batches { value: 1 }")
    pictures = images(2, seed=5)
    pictures[:, 0, 0, 0] = 20
    with run_server(base_path, f"--batching_parameters_file={config}") as running:
        calls = [Caller(running.port).predict.future(request(pictures), timeout=30) for _ in range(8)]
        refused = [call for call in calls if call.exception()]
        for call in calls:
            if call not in refused:
                check(call.result(), pictures)
    assert 0 < len(refused) < 8
    for call in refused:
        assert call.code() is grpc.StatusCode.UNAVAILABLE
        assert call.details() == (
            "The batch scheduling queue to which this task was submitted is full; "
            "currently 1 batches enqueued and max_enqueued_batches is 1"
        )


def test_more_calls_than_threads_are_refused(base_path: Path) -> None:
    """With every thread in use a further call is refused at once instead of growing old unseen."""
    pictures = images(1, seed=6)
    pictures[:, 0, 0, 0] = 20
    with run_server(base_path, "--grpc_max_threads=2") as running:
        calls = [Caller(running.port).predict.future(request(pictures), timeout=30) for _ in range(6)]
        codes = [call.code() for call in calls]
    assert codes.count(grpc.StatusCode.OK) >= 2
    assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}


def test_without_batching_rows_are_not_limited(base_path: Path) -> None:
    """--enable_batching=false runs each request by itself, whatever its size."""
    pictures = images(20, seed=7)
    with run_server(base_path, "--enable_batching=false") as running:
        check(Caller(running.port).detect(pictures), pictures)


def test_pings_every_second_keep_the_connection(base_path: Path) -> None:
    """A caller that pings often to notice a dead server stays connected; gRPC's own default sends it away."""
    strict = "grpc.http2.min_ping_interval_without_data_ms=300000,grpc.keepalive_permit_without_calls=0"
    pings = [
        ("grpc.keepalive_time_ms", 1000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
    with run_server(base_path) as kind, run_server(base_path, f"--grpc_channel_arguments={strict}") as default:
        states: list[grpc.ChannelConnectivity] = []
        sent_away = threading.Event()

        def on_strict(state: grpc.ChannelConnectivity) -> None:
            if state is grpc.ChannelConnectivity.READY:
                connected.set()
            elif connected.is_set():
                sent_away.set()

        connected = threading.Event()
        with (
            grpc.insecure_channel(f"127.0.0.1:{kind.port}", options=pings) as ours,
            grpc.insecure_channel(f"127.0.0.1:{default.port}", options=pings) as theirs,
        ):
            grpc.channel_ready_future(ours).result(30)
            ours.subscribe(states.append)
            theirs.subscribe(on_strict, try_to_connect=True)
            assert sent_away.wait(60)
            assert set(states) <= {grpc.ChannelConnectivity.READY}
