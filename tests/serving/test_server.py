"""The embedded server answers as TensorFlow Serving does: same rows, same codes, same words."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving import wire
from serving.server import Server
from tests.peers.until import wait_until
from tests.serving.peers import (
    Caller,
    check,
    float_tensor,
    images,
    predict,
    request,
    run_server,
    save_model,
)


@pytest.fixture(scope="module")
def tiny(base_path: Path) -> Iterator[Server]:
    """A server of that model, with threads for every caller here."""
    with run_server(base_path, "--grpc_max_threads=64") as running:
        yield running


@pytest.fixture(scope="module")
def caller(tiny: Server) -> Caller:
    """A client of serving.wire."""
    return Caller(tiny.port)


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


def test_inputs_left_out_take_their_defaults(tmp_path: Path) -> None:
    """A signature's default for an input is used where a request leaves it out; others must be sent."""
    path = save_model(tmp_path, 1) / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    saved.meta_graphs[0].signature_def["pair"].defaults["b"].CopyFrom(tf.make_tensor_proto([[40.0, 2.0]]))
    path.write_bytes(saved.SerializeToString())
    with run_server(tmp_path) as running:
        caller = Caller(running.port)
        asked = predict({"a": float_tensor(1, 2, value=1)}, signature_name="pair")
        assert wire.to_array(caller.predict(asked, timeout=30).outputs["sum"]).tolist() == [[41, 3]]
        with pytest.raises(grpc.RpcError) as error:
            caller.predict(predict({"b": float_tensor(1, 2)}, signature_name="pair"), timeout=30)
        assert str(error.value.details()).endswith("{b}, or default input alias set: b")


def test_a_signature_for_something_else_is_refused_when_asked(tmp_path: Path) -> None:
    """--enable_signature_method_name_check refuses Predict on a signature that is not made for it; else it runs."""
    path = save_model(tmp_path, 1) / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    saved.meta_graphs[0].signature_def["pair"].method_name = "somebody/elses"
    path.write_bytes(saved.SerializeToString())
    asked = predict({"a": float_tensor(1, 2), "b": float_tensor(1, 2)}, signature_name="pair")
    with run_server(tmp_path) as running:
        assert Caller(running.port).predict(asked, timeout=30).outputs["sum"].float_val == [0, 0]
    with (
        run_server(tmp_path, "--enable_signature_method_name_check") as running,
        pytest.raises(grpc.RpcError) as error,
    ):
        Caller(running.port).predict(asked, timeout=30)
    assert error.value.code() is grpc.StatusCode.INTERNAL
    assert str(error.value.details()).endswith("tensorflow/serving/regress}. Was: somebody/elses")


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.complex64, tf.int8, tf.bool, tf.uint64])
def test_every_dtype_is_carried(tmp_path: Path, dtype: Any) -> None:
    """Tensors of TensorFlow's less common dtypes go in and out as they are."""

    class Echo(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([None, 2], dtype, name="x")])  # type: ignore[untyped-decorator]
        def run(self, x: Any) -> dict[str, Any]:
            return {"y": tf.identity(x)}

    echo = Echo()
    tf.saved_model.save(echo, str(tmp_path / "1"), signatures=echo.run)
    values = tf.cast(tf.constant([[0, 1], [1, 1]]), dtype)
    asked = predict_pb2.PredictRequest()
    asked.model_spec.name = "tiny"
    asked.inputs["x"].CopyFrom(tf.make_tensor_proto(values))
    for flags in ((), ("--enable_serialization_as_tensor_content",)):
        with run_server(tmp_path, *flags) as running:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(Caller(running.port).channel)
            answer = stub.Predict(asked, timeout=30).outputs["y"]
        np.testing.assert_array_equal(tf.make_ndarray(answer), values.numpy())


def test_a_tensor_too_large_to_be_true_is_refused(caller: Caller) -> None:
    """A shape that no memory holds is a parsing error, not the end of the server."""
    huge = wire.TensorProto(dtype=wire.DT_UINT8, tensor_shape={"dim": [{"size": 1 << 40}, {"size": 1 << 20}]})
    with pytest.raises(grpc.RpcError, match="tensor parsing error: input_tensor") as error:
        caller.predict(predict({"input_tensor": huge}), timeout=30)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("dtype", ["DT_UINT8", "DT_FLOAT", "DT_STRING", "DT_HALF", "DT_COMPLEX128", "DT_INT64"])
def test_what_a_shape_claims_is_not_made_up(caller: Caller, monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    """A request of some bytes that claims gigabytes, of whichever dtype, is refused before there is memory for them."""

    def made_up(tensor: Any) -> Any:
        raise AssertionError(tensor)

    monkeypatch.setattr("serving.predict.to_array", made_up)
    monkeypatch.setattr("tensorflow.make_ndarray", made_up)
    bomb = wire.TensorProto(dtype=wire.DataType[dtype], tensor_shape={"dim": [{"size": 1}, *[{"size": 12_000}] * 2]})
    with pytest.raises(grpc.RpcError, match="tensor parsing error: input_tensor") as error:
        caller.predict(predict({"input_tensor": bomb}), timeout=30)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_tensor_that_is_one_value_is_filled_up(caller: Caller) -> None:
    """A request that leaves out what repeats, as warm-up requests do, is read as TensorFlow reads it."""
    filled = wire.TensorProto(
        dtype=wire.DT_UINT8, tensor_shape={"dim": [{"size": size} for size in (1, 8, 8, 3)]}, int_val=[0]
    )
    answer = caller.predict(predict({"input_tensor": filled}), timeout=30)
    np.testing.assert_array_equal(wire.to_array(answer.outputs["num_detections"]), [3e6])


def test_errors_that_quote_no_text_are_answered(tmp_path: Path) -> None:
    """An op that quotes bytes which are no UTF-8, or a text of many bytes, gets its code and not a broken call."""

    class Reader(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="x")])  # type: ignore[untyped-decorator]
        def number(self, x: Any) -> dict[str, Any]:
            return {"y": tf.strings.to_number(x)}

    reader = Reader()
    tf.saved_model.save(reader, str(tmp_path / "1"), signatures=reader.number)
    with run_server(tmp_path) as running:
        for text in (b"\xff\xfe", "日".encode() * 2000):
            x = wire.TensorProto(dtype=wire.DT_STRING, tensor_shape={"dim": [{"size": 1}]}, string_val=[text])
            with pytest.raises(grpc.RpcError, match="StringToNumberOp could not correctly convert string") as error:
                Caller(running.port).predict(predict({"x": x}), timeout=30)
            assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_deadlines_are_the_runtimes(base_path: Path) -> None:
    """A call is not run on after its deadline, and one that waits behind it is not run at all; both are counted so."""
    slow = images(8, seed=1)
    slow[:, 0, 0, 0] = 250
    with run_server(base_path) as running:
        caller = Caller(running.port)
        check(caller.detect(pictures := images(1, seed=2)), pictures)
        held = [caller.predict.future(request(slow), timeout=30) for _ in range(4)]  # every batch thread, twice
        caller.status(wire.GetModelStatusRequest(model_spec={"name": "tiny"}), timeout=30)
        late = caller.predict.future(request(images(8, seed=3)), timeout=0.2)
        assert late.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        for call in held:
            check(call.result(), slow)
        assert caller.predict.future(request(slow), timeout=0.2).code() is grpc.StatusCode.DEADLINE_EXCEEDED

        def counted(status: str) -> bool:
            return f'request_count{{model_name="tiny",status="{status}"}} 1' in running.metrics.text()

        wait_until(lambda: counted("RESOURCE_EXHAUSTED") and counted("DEADLINE_EXCEEDED"))


def test_long_messages_are_cut(caller: Caller) -> None:
    """A message of more than 1024 characters is cut as TensorFlow Serving cuts it."""
    with pytest.raises(grpc.RpcError) as error:
        caller.predict(predict({}, name="m" * 2000), timeout=30)
    details = str(error.value.details())
    assert details.startswith("Servable not found for request: Latest(mmm")
    assert details.endswith("m...TRUNCATED")
    assert len(details) == 1024 + len("...TRUNCATED")


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
