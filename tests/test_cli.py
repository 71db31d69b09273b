"""streamer.cli: the `sightline` command, its exit codes, and what it says."""

import signal
import socket
import sys
import tomllib
from pathlib import Path

import av
import pytest

from streamer import cli
from streamer.values import url
from tests.peers.process import run_process
from tests.peers.required import REPOSITORY

COMMAND = [sys.executable, "-m", "streamer"]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a command given these arguments ends with, exit code 2."""
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("sightline: ")
    return captured.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("server: {prot: 1}", "server.prot: unknown key"),
        ("server: [", "is not YAML"),
        ("streams: {a: {url: 'ftp://u:hunter2@h/'}}", "allowed are rtsp://"),
        ("streams: {a: {url: 'rtsp://u:${SIGHTLINE_TEST_UNSET}@h/'}}", "SIGHTLINE_TEST_UNSET is not set"),
    ],
)
def test_a_bad_configuration_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    """A configuration that cannot be used ends the service with one line and exit code 2."""
    url._secrets.clear()  # of other tests
    path = tmp_path / "sightline.yaml"
    path.write_text(text)
    line = refused(capsys, "serve", "--config", str(path))
    assert str(path) in line
    assert says in line
    assert "hunter2" not in line


def test_a_missing_configuration_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration file that is not there is named."""
    path = tmp_path / "missing.yaml"
    assert f"{path}: cannot be read: No such file or directory" in refused(capsys, "serve", "--config", str(path))


def test_no_configuration_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`serve` alone, where no sightline.yaml lies, says so and what to do."""
    monkeypatch.chdir(tmp_path)
    assert refused(capsys, "serve") == (
        f"sightline: there is no sightline.yaml in {tmp_path}; write one, or name your own with --config FILE\n"
    )


def test_a_directory_that_is_gone_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`serve` alone says that nothing lies in a directory that was removed, too."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert "there is no sightline.yaml in this directory, which is not there any more; " in refused(capsys, "serve")


def test_a_configuration_that_cannot_be_read_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`serve` alone says why a sightline.yaml that is there cannot be read, and not that there is none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sightline.yaml").symlink_to("sightline.yaml")
    assert "sightline.yaml: cannot be read: Too many levels of symbolic links" in refused(capsys, "serve")


def test_the_configuration_beside_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`serve` alone reads ./sightline.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sightline.yaml").write_text("server: {prot: 1}")
    assert "sightline: sightline.yaml: server.prot: unknown key" in refused(capsys, "serve")


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` says the version of pyproject.toml."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    assert capsys.readouterr().out == f"sightline {version}\n"


def test_a_refusal_as_a_process_has_no_traceback(tmp_path: Path) -> None:
    """The command as it is installed prints the same one line, and ends with 2."""
    path = tmp_path / "sightline.yaml"
    path.write_text("server: {port: 99999}")
    with run_process([*COMMAND, "serve", "--config", path]) as process:
        assert process.wait() == 2
        assert process.output == (
            f"sightline: {path}: server.port: 99999 is not allowed; it must be less than or equal to 65535\n"
        )


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    """A port somebody else listens on is named, and the service ends with 2."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path = tmp_path / "sightline.yaml"
        path.write_text(f"server: {{port: {port}}}\nserving: {{address: '127.0.0.1:1'}}")
        with run_process([*COMMAND, "serve", "--config", path]) as process:
            assert process.wait() == 2
            output = process.output
    assert f"sightline: server: cannot listen on 127.0.0.1:{port}: " in output
    assert "Traceback" not in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_service_says_where_and_stops_when_asked(tmp_path: Path, number: signal.Signals) -> None:
    """`serve` prints its URL, and ends with 0 on SIGINT and SIGTERM, without a traceback."""
    path = tmp_path / "sightline.yaml"
    path.write_text("server: {port: 0}\nserving: {address: '127.0.0.1:1'}")
    with run_process([*COMMAND, "serve", "--config", path], ready="sightline: serving http://127.0.0.1:") as process:
        process.signal(number)
        assert process.wait() == 0
        assert "Traceback" not in process.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "COMMAND"),
        (("watch",), "invalid choice: 'watch'"),
        (("serve", "--config", "x", "--port", "1"), "unrecognized arguments: --port 1"),
        (("camera", "file"), "url"),
        (("demo", "--port", "eighty"), "'eighty'"),
        (("evaluate", "--clip", "x"), "--truth"),
        (("evaluate", "--clip", "x", "--truth", "y", "--min-score", "2"), "'2' is not a score from 0 to 1"),
        (("evaluate", "--clip", "x", "--truth", "y", "--sample-fps", "0"), "samples a second from 0.1 to 120"),
        (("evaluate", "--clip", "x", "--truth", "y", "--serving", "a:1", "--model-path", "z"), "not allowed with"),
    ],
)
def test_wrong_arguments_show_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    """No command, an unknown one and wrong arguments give the usage, what is wrong, and exit code 2."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("usage: sightline")
    assert says in captured.err.splitlines()[-1]


@pytest.mark.parametrize("command", ["serve", "demo", "camera", "bench", "evaluate", "doctor", "export"])
def test_help_names_every_command(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """`--help` lists every command, and each has a help of its own."""
    for arguments in (["--help"], [command, "--help"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        assert ended.value.code == 0
        assert command in capsys.readouterr().out


def test_a_camera_needs_a_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there, no video, or not H.264 is refused by name before anything is sent."""
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    other = tmp_path / "mpeg4.mp4"
    with av.open(str(other), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height = 64, 48
        container.mux([*stream.encode(av.VideoFrame(64, 48, "yuv420p")), *stream.encode(None)])
    for path, says in (
        (tmp_path / "missing.mp4", "No such file"),
        (text, "cannot be read as a video"),
        (other, "carries mpeg4; a camera sends h264"),
    ):
        line = refused(capsys, "camera", str(path), "rtsp://127.0.0.1:1/x")
        assert str(path) in line
        assert says in line
