"""`python -m serving` as a process: its lines, its exit codes, and how it stops."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from serving import wire
from tests.serving_peers import Caller, check, images, request, save_model


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
        pictures[:, 0, 0, 0] = 50
        in_work = caller.predict.future(request(pictures), timeout=30)
        # Sent after the slow one on the same connection: its answer says that the slow one has arrived.
        caller.status(wire.GetModelStatusRequest(model_spec={"name": "tiny"}), timeout=30)
        assert not in_work.done()
        process.send_signal(signal.SIGTERM)
        check(in_work.result(), pictures)
        out, err = process.communicate(timeout=10)
        assert out.splitlines() == ["stopping: answering what is in work", "stopped"]
        assert err == ""
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def refused(*flags: str) -> str:
    """What a start that fails says; it must be one line and end with code 2, before TensorFlow is loaded."""
    process = start(*flags)
    out, err = process.communicate(timeout=60)
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


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    """A port that somebody listens on is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused("--model_name=m", f"--model_base_path={tmp_path}", f"--port={port}")
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--port=70000",), "--port 70000 is not allowed"),
        (("--grpc_max_threads=0",), "--grpc_max_threads 0 is not allowed"),
        (("--tensorflow_intra_op_parallelism=-1",), "--tensorflow_intra_op_parallelism -1 is not allowed"),
        (("--grpc_channel_arguments=a=1,b",), "'b' is not allowed; key=value"),
        (("--batching_parameters_file=nowhere",), "nowhere: "),
        (("--enable_batching=false", "--batching_parameters_file=x"), "set without --enable_batching"),
    ],
)
def test_wrong_flags_are_refused(tmp_path: Path, flags: tuple[str, ...], says: str) -> None:
    """A value that cannot be used is named with its flag."""
    assert says in refused("--model_name=m", f"--model_base_path={tmp_path}", *flags)


def test_every_flag_is_documented() -> None:
    """docs/serving.md names each flag the command takes."""
    process = start("--help")
    out, _ = process.communicate(timeout=60)
    flags = set(re.findall(r"--\w+", out)) - {"--help"}
    documented = (Path(__file__).parents[1] / "docs" / "serving.md").read_text(encoding="utf-8")
    assert "--model_base_path" in flags
    assert not {flag for flag in flags if f"| `{flag}` |" not in documented}
