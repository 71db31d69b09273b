"""Clients that are not ours work against the embedded server as they would against TensorFlow Serving."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving import wire
from serving.server import Server
from tests.serving.peers import Caller, check, expected, images, run_server

OVMSCLIENT = """
import json, sys
import numpy as np
from ovmsclient import make_grpc_client

client = make_grpc_client(sys.argv[1])
pictures = np.load(sys.argv[2])
versions = [{}, {"model_version": 3}]
json.dump({
    "predict": [
        {name: array.tolist() for name, array in client.predict({"input_tensor": pictures}, "tiny", **v).items()}
        for v in versions
    ],
    "metadata": [client.get_model_metadata("tiny", **v) for v in versions],
    "status": [client.get_model_status("tiny", **v) for v in versions],
}, sys.stdout)
"""


@pytest.fixture(scope="module")
def tiny(base_path: Path) -> Iterator[Server]:
    """A server of that model."""
    with run_server(base_path) as running:
        yield running


@pytest.fixture
def channel(tiny: Server) -> Iterator[grpc.Channel]:
    """A connection to it."""
    with grpc.insecure_channel(f"127.0.0.1:{tiny.port}") as channel:
        yield channel


@pytest.mark.parametrize("flags", [(), ("--enable_serialization_as_tensor_content=true",)])
def test_official_stubs_predict(base_path: Path, flags: tuple[str, ...]) -> None:
    """A client of tensorflow-serving-api gets every output, and the version and signature that made them.

    Whether numbers come in lists, as TensorFlow Serving sends them, or as bytes makes no difference to it.
    """
    import tensorflow as tf

    pictures = images(3, seed=1)
    asked = predict_pb2.PredictRequest()
    asked.model_spec.name = "tiny"
    asked.inputs["input_tensor"].CopyFrom(tf.make_tensor_proto(pictures))
    with run_server(base_path, *flags) as running, grpc.insecure_channel(f"127.0.0.1:{running.port}") as channel:
        response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(asked, timeout=30)
    assert response.model_spec.name == "tiny"
    assert response.model_spec.version.value == 3
    assert response.model_spec.signature_name == "serving_default"
    outputs = expected(pictures, 3)
    assert set(response.outputs) == set(outputs)
    for name, array in outputs.items():
        tensor = response.outputs[name]
        np.testing.assert_allclose(tf.make_ndarray(tensor), array, err_msg=name)
        assert bool(tensor.tensor_content) == bool(flags)
        assert len(tensor.float_val) == (0 if flags else array.size)


def test_official_stubs_read_metadata_and_status(channel: grpc.Channel) -> None:
    """Metadata carries every SignatureDef of the file, status the version that is available."""
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


def test_ovmsclient_predicts_and_reads(tiny: Server, tmp_path: Path) -> None:
    """OpenVINO's client, which shares no code with TensorFlow, gets rows, metadata and status, version given or not.

    In a process of its own: it brings copies of the same protos.
    """
    pictures = images(2, seed=5)
    np.save(tmp_path / "pictures.npy", pictures)
    command = [sys.executable, "-c", OVMSCLIENT, f"127.0.0.1:{tiny.port}", str(tmp_path / "pictures.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    for answer in answers["predict"]:
        assert answer.keys() == expected(pictures, 3).keys()
        for name, array in expected(pictures, 3).items():
            np.testing.assert_allclose(answer[name], array, rtol=1e-6, err_msg=name)
    for metadata in answers["metadata"]:
        assert metadata["model_version"] == 3
        assert metadata["inputs"] == {"input_tensor": {"shape": [-1, 8, 8, 3], "dtype": "DT_UINT8"}}
    for status in answers["status"]:
        assert status == {"3": {"state": "AVAILABLE", "error_code": 0, "error_message": ""}}


def test_wire_client_reads_signatures(tiny: Server) -> None:
    """A client without TensorFlow reads the same signatures."""
    asked = wire.GetModelMetadataRequest(model_spec={"name": "tiny"}, metadata_field=[wire.SIGNATURE_DEF])
    found = wire.signature_defs(Caller(tiny.port).metadata(asked, timeout=30))
    assert wire.shape_of(found["serving_default"].inputs["input_tensor"]) == (-1, 8, 8, 3)


@pytest.mark.parametrize("name", ["", "ModelService", "PredictionService"])
def test_health_is_told_by_short_names(channel: grpc.Channel, name: str) -> None:
    """grpc.health.v1 answers SERVING for TensorFlow Serving's names."""
    stub = health_pb2_grpc.HealthStub(channel)
    found = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=30)
    assert found.status == health_pb2.HealthCheckResponse.SERVING


def test_health_of_another_name_is_not_found(channel: grpc.Channel) -> None:
    """The protos' full names are none, as there."""
    stub = health_pb2_grpc.HealthStub(channel)
    with pytest.raises(grpc.RpcError) as error:
        stub.Check(health_pb2.HealthCheckRequest(service="tensorflow.serving.PredictionService"), timeout=30)
    assert error.value.code() is grpc.StatusCode.NOT_FOUND


def test_watchers_hold_no_threads(base_path: Path) -> None:
    """More health watchers than threads leave every thread to Predict; closing tells all of them."""
    serving, not_serving = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    with (
        run_server(base_path, "--grpc_max_threads=2") as running,
        grpc.insecure_channel(f"127.0.0.1:{running.port}") as channel,
    ):
        watches = [health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest()) for _ in range(20)]
        assert {next(watch).status for watch in watches} == {serving}
        pictures = images(2, seed=3)
        check(Caller(running.port).detect(pictures), pictures)
        running.close()
        assert {next(watch).status for watch in watches} == {not_serving}


def test_health_can_be_left_out(base_path: Path) -> None:
    """--enable_grpc_healthcheck_service=false answers UNIMPLEMENTED, as TensorFlow Serving does unless asked."""
    with (
        run_server(base_path, "--enable_grpc_healthcheck_service=false") as running,
        grpc.insecure_channel(f"127.0.0.1:{running.port}") as channel,
        pytest.raises(grpc.RpcError) as error,
    ):
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=30)
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_unix_socket_serves_too(base_path: Path, tmp_path: Path) -> None:
    """--grpc_socket_path answers beside the port."""
    socket = tmp_path / "serving.sock"
    pictures = images(2, seed=9)
    with run_server(base_path, f"--grpc_socket_path={socket}") as running:
        for address in (f"unix:{socket}", f"127.0.0.1:{running.port}"):
            check(Caller(address).detect(pictures), pictures)
