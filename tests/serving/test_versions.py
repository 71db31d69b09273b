"""Versions come and go under a server: load before unload, one line for what is broken, nothing lost in between."""

import gc
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from serving import server, wire
from serving.errors import ServingError, StartError
from serving.metrics import Metrics
from serving.model import Model, Retries, State
from serving.model_config import ModelConfig
from serving.options import Options
from serving.predict import MAX_UNSENT
from serving.servable import Servable
from serving.session import Session
from serving.versions import find_versions, fingerprint
from serving.warmup import WARMUP_FILE
from tests.peers.until import wait_until
from tests.serving.peers import Caller, check, images, run_server, single, warm_up_with, warm_up_with_requests


@pytest.fixture
def base_path(saved: Path, tmp_path: Path) -> Path:
    """A model directory with version 1 in it."""
    shutil.copytree(saved / "1", tmp_path / "tiny" / "1")
    return tmp_path / "tiny"


def arrive(saved: Path, base_path: Path, version: int) -> None:
    """Put a version there as one should: copied under a name that is none, then renamed."""
    shutil.copytree(saved / str(version), base_path / f".{version}.tmp")
    (base_path / f".{version}.tmp").rename(base_path / str(version))


def statuses(caller: Caller) -> list[tuple[int, int]]:
    """Version and state, as GetModelStatus tells them."""
    found = caller.status(wire.GetModelStatusRequest(model_spec={"name": "tiny"}), timeout=30)
    return [(status.version, status.state) for status in found.model_version_status]


def test_only_whole_numbers_are_versions(tmp_path: Path) -> None:
    """Directories named by a number are versions; hidden ones, files and other names are not."""
    for name in ("1", "007", "12", ".3", "3.tmp", "v4", "-5", "\N{SUPERSCRIPT TWO}"):
        (tmp_path / name).mkdir()
    (tmp_path / "99").write_text("a file")
    assert find_versions(tmp_path) == {1: tmp_path / "1", 7: tmp_path / "007", 12: tmp_path / "12"}


def test_fingerprint_follows_the_files(tmp_path: Path) -> None:
    """A version that is still being copied has another fingerprint than a moment before."""
    before = fingerprint(tmp_path)
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "variables.index").write_bytes(b"part")
    half = fingerprint(tmp_path)
    (tmp_path / "variables" / "variables.index").write_bytes(b"whole file")
    assert len({before, half, fingerprint(tmp_path)}) == 3
    assert fingerprint(tmp_path) == fingerprint(tmp_path)


def test_a_newer_version_takes_over_without_a_failed_call(saved: Path, base_path: Path) -> None:
    """Calls go on through a swap: each is answered by one version whole, the newer one from some moment on."""
    with run_server(base_path, "--file_system_poll_wait_seconds=0.05") as running:
        caller = Caller(running.port)
        swapped = threading.Event()

        def call_on(seed: int) -> list[int]:
            versions: list[int] = []
            while not swapped.is_set() or len(versions) < 10:
                pictures = images(1 + len(versions) % 3, seed)
                response = caller.detect(pictures)
                check(response, pictures)
                versions.append(response.model_spec.version.value)
                if versions[-1] == 2:
                    swapped.set()
            return versions

        with ThreadPoolExecutor(4) as threads:
            calls = [threads.submit(call_on, seed) for seed in range(4)]
            arrive(saved, base_path, 2)
            answered = [call.result(60) for call in calls]
        for versions in answered:
            assert versions == sorted(versions)
        assert {version for versions in answered for version in versions} == {1, 2}
        running.close()
        assert running.models.statuses("tiny")[1].state is State.END


def test_a_broken_version_leaves_the_old_one_serving(base_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A version that cannot be loaded is told once, shown as ended with its error, and tried again when it changes."""
    said: list[str] = []
    options = Options.parse(["--port=0", "--model_name=tiny", f"--model_base_path={base_path}"])
    running = server.start(options, said.append)
    try:
        caller = Caller(running.port)
        (base_path / "2").mkdir()
        (base_path / "2" / "saved_model.pb").write_bytes(b"no SavedModel")
        for _ in range(3):
            running.models.poll()
        pictures = images(1, seed=1)
        response = caller.detect(pictures)
        check(response, pictures)
        assert response.model_spec.version.value == 1
        assert statuses(caller) == [(2, 50), (1, 30)]
        asked = wire.GetModelStatusRequest(model_spec={"name": "tiny", "version": {"value": 2}})
        (status,) = caller.status(asked, timeout=30).model_version_status
        assert status.status.error_code == grpc.StatusCode.DATA_LOSS.value[0]
        assert status.status.error_message
        path = f'model_path="{base_path / "2"}"'
        assert f':tensorflow:cc:saved_model:load_attempt_count{{{path},status="fail"}} 1' in running.metrics.text()
        complaints = [line for line in said if "cannot load tiny version 2" in line]
        assert len(complaints) == 1
        assert "version 1 keeps serving" in complaints[0]
        assert "\n" not in complaints[0]
        shutil.copytree(base_path / "1", base_path / "2", dirs_exist_ok=True)
        running.models.poll()
        assert statuses(caller) == [(2, 30), (1, 50)]
    finally:
        running.close()
    assert "Traceback" not in capsys.readouterr().err


def test_a_failed_version_leaves_nothing_in_memory(saved: Path, base_path: Path) -> None:
    """What was loaded of versions whose warm-up fails is let go, though their errors are kept."""
    with run_server(base_path, "--file_system_poll_wait_seconds=0") as running:
        before = sessions()
        for version in (2, 3, 4):
            shutil.copytree(saved / "2", base_path / str(version))
            warm_up_with(base_path / str(version), images(9, seed=9))
        for _ in range(3):
            running.models.poll()
            shutil.rmtree(base_path / str(max(find_versions(base_path))))
        states = [status.state for status in running.models.statuses("tiny").values()]
        assert states == [State.END] * 3 + [State.AVAILABLE]
        assert sessions() == before


def test_warm_up_leaves_out_what_it_likes(base_path: Path) -> None:
    """A version's own requests may be of one value, however large its pictures are; a caller's may not."""
    side = 2400
    assert side * side * 3 > MAX_UNSENT
    grey = wire.TensorProto(
        dtype=wire.DT_UINT8, tensor_shape={"dim": [{"size": size} for size in (1, side, side, 3)]}, int_val=[1]
    )
    large = wire.PredictRequest(model_spec={"name": "tiny", "signature_name": "single"}, inputs={"image": grey})
    warm_up_with_requests(base_path / "1", large)
    with run_server(base_path) as running:
        assert running.models.statuses("tiny")[1].state == State.AVAILABLE
        with pytest.raises(grpc.RpcError, match="tensor parsing error: image"):
            Caller(running.port).predict(large, timeout=30)


def sessions() -> int:
    """How many models are in memory."""
    gc.collect()
    return sum(isinstance(found, Session) for found in gc.get_objects())


def test_a_slow_caller_holds_up_nothing_but_its_version(saved: Path, base_path: Path, tmp_path: Path) -> None:
    """While a call still uses a replaced version, other models' versions come, and this one ends after it."""
    other = tmp_path / "other"
    shutil.copytree(saved / "1", other / "1")
    config = tmp_path / "models.config"
    config.write_text(
        "model_config_list {"
        + "".join(
            f" config {{ name: '{name}' base_path: '{path}' model_platform: 'tensorflow' }}"
            for name, path in (("tiny", base_path), ("other", other))
        )
        + " }"
    )
    options = Options.parse(["--port=0", f"--model_config_file={config}", "--file_system_poll_wait_seconds=0"])
    running = server.start(options, lambda _line: None)
    try:
        held = running.models._listed.models["tiny"].hold()
        for path in (base_path, other):
            arrive(saved, path, 2)
        running.models.poll()
        assert running.models.available() == {"tiny": [2], "other": [2]}
        assert running.models.statuses("tiny")[1].state is State.UNLOADING
        held.release()
        wait_until(lambda: running.models.statuses("tiny")[1].state is State.END)
    finally:
        running.close()


def test_a_look_that_fails_is_not_the_last(saved: Path, base_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in a look at the base path is told in a line, and the next look finds what is new."""
    said: list[str] = []
    running = server.start(Options.parse([*single(base_path), "--file_system_poll_wait_seconds=0.02"]), said.append)
    try:
        with monkeypatch.context() as broken:
            broken.setattr("serving.model.find_versions", lambda _path: int("no number"))
            failed = "looking for changes failed: ValueError: invalid literal"
            wait_until(lambda: any(line.startswith(failed) for line in said))
        arrive(saved, base_path, 2)
        wait_until(lambda: running.models.available() == {"tiny": [2]})
    finally:
        running.close()
        running.close()


def test_a_failed_load_is_retried(tmp_path: Path) -> None:
    """With retries a version that does not load counts as loading until they are used up, each after its interval."""
    (tmp_path / "1").mkdir()
    attempts: list[int] = []
    said: list[str] = []
    now = 0.0

    def load(_name: str, version: int, _path: Path) -> Servable:
        attempts.append(version)
        raise ServingError(grpc.StatusCode.DATA_LOSS, "torn")

    model = Model(ModelConfig("m", tmp_path), load, said.append, Metrics(), Retries(2, 60.0), clock=lambda: now)
    for now, made, state in (  # noqa: B007  read by the clock
        (0, 1, State.LOADING),
        (59, 1, State.LOADING),
        (60, 2, State.LOADING),
        (119, 2, State.LOADING),
        (120, 3, State.END),
        (1000, 3, State.END),
    ):
        model.poll()
        assert (len(attempts), model.statuses()[1].state) == (made, state)
    assert [line.rpartition("; ")[2] for line in said if "cannot load" in line][:2] == ["trying again in 60 s"] * 2
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"whole at last")
    model.poll()
    assert len(attempts) == 4


def test_a_removed_version_gives_way_to_the_one_before(saved: Path, base_path: Path) -> None:
    """Removing the newest version rolls back; removing all of them leaves the model without one."""
    arrive(saved, base_path, 2)
    with run_server(base_path, "--file_system_poll_wait_seconds=0") as running:
        caller = Caller(running.port)
        assert statuses(caller) == [(2, 30)]
        shutil.rmtree(base_path / "2")
        running.models.poll()
        assert statuses(caller) == [(2, 50), (1, 30)]
        shutil.rmtree(base_path / "1")
        running.models.poll()
        with pytest.raises(grpc.RpcError, match=r"Latest\(tiny\)") as error:
            caller.detect(images(1, seed=1))
        assert error.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_base_path_that_vanishes_changes_nothing(base_path: Path) -> None:
    """While the directory cannot be read the loaded version serves on."""
    with run_server(base_path, "--file_system_poll_wait_seconds=0") as running:
        shutil.rmtree(base_path)
        running.models.poll()
        assert statuses(Caller(running.port)) == [(1, 30)]


def test_an_empty_base_path_is_waited_on(saved: Path, tmp_path: Path) -> None:
    """With nothing there yet the server says so, keeps its port shut, and starts when a version arrives."""
    said: list[str] = []
    hinted = threading.Event()

    def log(text: str) -> None:
        said.append(text)
        hinted.set()

    options = Options.parse(
        ["--port=0", "--model_name=tiny", f"--model_base_path={tmp_path}", "--file_system_poll_wait_seconds=0.05"]
    )
    with ThreadPoolExecutor(1) as threads:
        starting = threads.submit(server.start, options, log)
        assert hinted.wait(30)
        assert not starting.done()
        arrive(saved, tmp_path, 1)
        running = starting.result(60)
    try:
        assert statuses(Caller(running.port)) == [(1, 30)]
        assert said[0] == (
            f"No versions of servable tiny found under base path {tmp_path}. "
            "Did you forget to name your leaf directory as a number (eg. '/1/')?"
        )
        assert len([line for line in said if "No versions" in line]) == 1
    finally:
        running.close()


@pytest.mark.parametrize(
    ("flags", "runs"),
    [((), 2), (("--num_request_iterations_for_warmup=3",), 6), (("--enable_model_warmup=false",), 0)],
)
def test_warm_up_requests_run_before_serving(base_path: Path, flags: tuple[str, ...], runs: int) -> None:
    """A version's own requests are run through its batching before it is available, as often as asked."""
    warm_up_with(base_path / "1", images(1, seed=1), images(8, seed=8))
    with run_server(base_path, *flags) as running:
        page = running.metrics.text()
    name = ":tensorflow:serving:batching_session:wrapped_run_count{}"
    assert ([line for line in page.splitlines() if line.startswith(name)] or [f"{name} 0"]) == [f"{name} {runs}"]
    assert (":tensorflow:serving:model_warmup_latency_count" in page) == bool(runs)


def test_another_graph_of_the_file_is_chosen_by_its_tags(base_path: Path) -> None:
    """--saved_model_tags says which; one that is not there is named."""
    with pytest.raises(StartError, match="gpu"), run_server(base_path, "--saved_model_tags=serve,gpu"):
        pass


@pytest.mark.parametrize("fault", ["request", "record", "pb", "variables"])
def test_a_version_that_cannot_serve_does_not_start(base_path: Path, fault: str) -> None:
    """A failing warm-up request, a damaged record, a torn graph and missing weights each stop the start in one line."""
    says = f"tiny version 1 in {base_path / '1'} cannot be loaded: "
    if fault == "request":
        warm_up_with(base_path / "1", images(9, seed=9))
        says = "Task size 9 is larger"
    elif fault == "record":
        warm_up_with(base_path / "1", images(1, seed=1))
        with (base_path / "1" / WARMUP_FILE).open("r+b") as file:
            file.seek(20)
            file.write(b"torn")
        says = "Please verify your warmup data is in TFRecord format."
    elif fault == "pb":
        content = (base_path / "1" / "saved_model.pb").read_bytes()
        (base_path / "1" / "saved_model.pb").write_bytes(content[: len(content) // 2])
    else:
        shutil.rmtree(base_path / "1" / "variables")
    with pytest.raises(StartError) as error, run_server(base_path):
        pass
    assert says in str(error.value)
    assert "\n" not in str(error.value)
