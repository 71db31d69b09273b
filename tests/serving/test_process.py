"""`python -m serving` as a process: its lines, its exit codes, and how it stops."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving import wire
from tests.peers.process import free_port, run_process
from tests.peers.required import REPOSITORY
from tests.serving.peers import Caller, check, images, request, save_model, warm_up_with


def start(*flags: str) -> "subprocess.Popen[str]":
    """The command with these flags."""
    return subprocess.Popen(
        [sys.executable, "-m", "serving", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.timeout(120)
def test_a_server_drains_when_told_to_stop(tmp_path: Path) -> None:
    """It says what it does while it starts; after SIGTERM what is in work is answered, and the exit code is 0."""
    save_model(tmp_path, 1)
    process = start("--port=0", "--model_name=tiny", f"--model_base_path={tmp_path}")
    try:
        assert process.stdout
        lines: list[str] = []
        while not lines or not lines[-1].startswith("serving "):
            lines.append(process.stdout.readline())
            assert lines[-1], process.communicate()[1]
        assert lines[:2] == ["loading tensorflow\n", "loading tiny version 1\n"]
        *_, address = lines[-1].split()
        assert lines[-1] == f"serving tiny version 1 on {address}\n"
        caller = Caller(int(address.rpartition(":")[2]))
        check(caller.detect(pictures := images(2, seed=1)), pictures)
        watch = health_pb2_grpc.HealthStub(caller.channel).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        # Full batches for two threads, short ones: a server has four seconds for all, however busy the machine is.
        pictures = images(8, seed=2)
        pictures[:, 0, 0, 0] = 20
        in_work: list[Any] = []
        while all(call.done() for call in in_work):
            in_work = [caller.predict.future(request(pictures), timeout=30) for _ in range(4)]
            # Sent after the slow ones on the same connection: its answer says that they have arrived.
            caller.status(wire.GetModelStatusRequest(model_spec={"name": "tiny"}), timeout=30)
        process.send_signal(signal.SIGTERM)
        for call in in_work:
            check(call.result(), pictures)
        assert [answer.status for answer in watch] == [health_pb2.HealthCheckResponse.NOT_SERVING]
        out, err = process.communicate(timeout=60)
        assert out.splitlines() == ["stopping: answering what is in work", "stopped"]
        assert err == ""
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.timeout(120)
def test_a_server_told_to_stop_while_it_loads_does(tmp_path: Path) -> None:
    """A version whose warm-up would take minutes does not hold up the end of a server that serves another one."""
    save_model(tmp_path / "tiny", 1)
    save_model(tmp_path, 2)
    slow = images(1, seed=1)
    slow[:, 0, 0, 0] = 200
    warm_up_with(tmp_path / "2", slow)
    process = start(
        "--port=0",
        "--model_name=tiny",
        f"--model_base_path={tmp_path / 'tiny'}",
        "--num_request_iterations_for_warmup=1000",
        "--file_system_poll_wait_seconds=0.05",
    )
    try:
        assert process.stdout
        while not process.stdout.readline().startswith("serving "):
            pass
        (tmp_path / "2").rename(tmp_path / "tiny" / "2")
        while process.stdout.readline() != "loading tiny version 2\n":
            pass
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
    finally:
        process.kill()
        process.communicate()


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """Nobody need read what it prints: `python -m serving … | head -1` leaves a server that serves and stops."""
    save_model(tmp_path, 1)
    port = free_port()
    process = start(f"--port={port}", "--model_name=tiny", f"--model_base_path={tmp_path}")
    try:
        assert process.stdout
        process.stdout.close()
        caller = Caller(port)
        grpc.channel_ready_future(caller.channel).result(60)
        check(caller.detect(pictures := images(2, seed=1)), pictures)
        process.send_signal(signal.SIGTERM)
        assert process.stderr
        assert process.stderr.read() == ""
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def refused(*flags: str) -> str:
    """What a start that fails says; it must be one line and end with code 2, before TensorFlow is loaded."""
    process = start(*flags)
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    return err


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    """A base path that is not there is named."""
    missing = tmp_path / "nowhere"
    assert f"--model_base_path {missing}: No such file" in refused("--model_name=m", f"--model_base_path={missing}")


def test_a_directory_without_versions_is_refused(tmp_path: Path) -> None:
    """A base path with things in it but no version is a mistake; the version itself given as base path is named so."""
    (tmp_path / "saved_model.pb").write_bytes(b"")
    said = refused("--model_name=m", f"--model_base_path={tmp_path}")
    assert f"No versions of servable m found under base path {tmp_path}." in said
    assert f"name the directory that holds it, {tmp_path.parent}" in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "SavedModel file does not exist"),
        (b"junk", "Cannot parse file"),
        ("variables", "not a valid checkpoint"),
    ],
    ids=["empty version directory", "corrupt saved_model.pb", "no variables"],
)
def test_a_version_that_cannot_be_loaded_is_refused(tmp_path: Path, content: bytes | str | None, says: str) -> None:
    """A damaged version is named with its directory and what is wrong with it, in one line and without a trace."""
    version = tmp_path / "1"
    if content == "variables":
        save_model(tmp_path, 1)
        shutil.rmtree(version / "variables")
    else:
        version.mkdir()
        if isinstance(content, bytes):
            (version / "saved_model.pb").write_bytes(content)
    process = start("--port=0", "--model_name=m", f"--model_base_path={tmp_path}")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out.splitlines() == ["loading tensorflow", "loading m version 1"]
    assert err.startswith(f"serving: m version 1 in {version} cannot be loaded: ")
    assert says in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("flag", ["--port", "--rest_api_port"])
def test_a_port_in_use_is_refused(tmp_path: Path, flag: str) -> None:
    """A port that somebody listens on is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused("--model_name=m", f"--model_base_path={tmp_path}", f"{flag}={port}")
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said


PARALLELISM = ("--tensorflow_intra_op_parallelism=1", "--tensorflow_inter_op_parallelism=1")


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--port=70000",), "--port 70000 is not allowed"),
        (("--grpc_max_threads=0",), "--grpc_max_threads 0 is not allowed"),
        (("--tensorflow_intra_op_parallelism=-1",), "--tensorflow_intra_op_parallelism -1 is not allowed"),
        (("--grpc_channel_arguments=a=1,b",), "'b' is not allowed; key=value"),
        (("--grpc_channel_arguments=a=--5,b=²,c=99999999999", "--port=-1"), "--port -1 is not allowed"),
        (("--batching_parameters_file=nowhere",), "nowhere: "),
        (("--enable_batching=false", "--batching_parameters_file=x"), "set without --enable_batching"),
        (("--monitoring_config_file=x",), "--monitoring_config_file x: No such file"),
        (("--file_system_poll_wait_seconds=inf",), "'inf' is not allowed; seconds, up to 1000000"),
        (
            ("--tensorflow_session_parallelism=2", *PARALLELISM),
            "--tensorflow_session_parallelism is given, and --tensorflow_intra_op_parallelism with",
        ),
        (("--per_process_gpu_memory_fraction=2",), "2.0 is not allowed; 0 to 1"),
        (("--max_num_load_retries=-1",), "--max_num_load_retries -1 is not allowed"),
        (("--enable_model_warmup=maybe",), "'maybe' is not allowed; true or false"),
        (("--modle_name=m",), "unrecognized arguments: --modle_name=m; --help lists what is allowed"),
    ],
)
def test_wrong_flags_are_refused(tmp_path: Path, flags: tuple[str, ...], says: str) -> None:
    """A value that cannot be used is named with its flag."""
    assert says in refused("--model_name=m", f"--model_base_path={tmp_path}", *flags)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model_config_list { config { nane: 'm' } }", ':1:30 : Message type "tensorflow.serving.ModelConfig" has no'),
        ("model_config_list { }", "lists no models"),
        (
            "model_config_list { config { name: 'm' base_path: '/nowhere' model_platform: 'tensorflow' } }",
            "model m: base_path /nowhere: No such file or directory",
        ),
        ("model_config_list { config { name: 'm' base_path: '/nowhere' } }", "Illegal setting neither"),
    ],
)
def test_a_wrong_file_of_models_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """A file of models that cannot be served is named with where in it and why."""
    config = tmp_path / "models.config"
    config.write_text(text)
    said = refused(f"--model_config_file={config}")
    assert str(config) in said
    assert says in said


def test_nothing_to_serve_is_refused() -> None:
    """Without a model the flags that name one are told."""
    assert "neither --model_base_path nor --model_config_file is given" in refused()


def test_the_compose_files_command_line_starts_it(tmp_path: Path) -> None:
    """The very flags docker-compose.yml gives tensorflow_model_server start the embedded one, paths and ports moved."""
    save_model(tmp_path, 1)
    models = tmp_path / "models.config"
    models.write_text(
        f"model_config_list {{ config {{ name: 'tiny' base_path: '{tmp_path}' model_platform: 'tensorflow' }} }}"
    )
    services = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    rest, grpc_port = free_port(), free_port()
    moved = {
        "--port": grpc_port,
        "--rest_api_port": rest,
        "--model_config_file": models,
        "--batching_parameters_file": REPOSITORY / "serving" / "batching.config",
        "--monitoring_config_file": REPOSITORY / "serving" / "monitoring.config",
    }
    given = dict(flag.partition("=")[::2] for flag in services["serving"]["command"])
    assert moved.keys() <= given.keys()
    flags = [f"{flag}={moved.get(flag, value)}" for flag, value in given.items()]
    with run_process([sys.executable, "-m", "serving", *flags], ready=f"on 127.0.0.1:{grpc_port}"):
        pictures = images(2, seed=1)
        check(Caller(grpc_port).detect(pictures), pictures)
        with urllib.request.urlopen(f"http://127.0.0.1:{rest}/monitoring/prometheus/metrics", timeout=30) as page:
            counted = page.read().decode()
        with urllib.request.urlopen(f"http://127.0.0.1:{rest}/v1/models/tiny", timeout=30) as page:
            status = json.loads(page.read())
    assert ':tensorflow:serving:request_count{model_name="tiny",status="OK"} 1' in counted
    assert status["model_version_status"][0]["state"] == "AVAILABLE"


def test_every_flag_is_documented() -> None:
    """docs/serving.md names each flag the command takes."""
    process = start("--help")
    out, _ = process.communicate(timeout=60)
    flags = set(re.findall(r"--\w+", out)) - {"--help", "--version"}
    documented = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
    assert "--model_base_path" in flags
    assert not {flag for flag in flags if f"| `{flag}` |" not in documented}
