"""Several models, version policies, labels, and a list of models that changes while it serves."""

import itertools
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import text_format

from serving import server, wire
from serving.errors import ServingError, StartError
from serving.model_config import ModelConfig, VersionPolicy, model_configs, read_model_configs
from serving.options import Options
from serving.server import Server
from tests.peers.until import wait_until
from tests.serving.peers import Caller, check, images


@pytest.fixture
def base_path(saved: Path, tmp_path: Path) -> Path:
    """A model directory with versions 1, 2 and 3 in it."""
    return Path(shutil.copytree(saved, tmp_path / "tiny"))


def entry(name: str, base_path: Path, more: str = "") -> str:
    """One `config { }` of a file of models."""
    return f"config {{ name: '{name}' base_path: '{base_path}' model_platform: 'tensorflow' {more} }}"


def write(path: Path, *entries: str) -> Path:
    """A file of models, replaced in one step as an editor does."""
    draft = path.with_suffix(".draft")
    draft.write_text(f"model_config_list {{ {' '.join(entries)} }}")
    return draft.replace(path)


@contextmanager
def serve(config: Path, *flags: str, said: list[str] | None = None) -> Iterator[tuple[Server, Caller]]:
    """The embedded server of a file of models, and a client of it."""
    lines = said if said is not None else []
    options = Options.parse(["--port=0", f"--model_config_file={config}", "--allow_reload", *flags])
    running = server.start(options, lines.append)
    try:
        yield running, Caller(running.port)
    finally:
        running.close()


def states(caller: Caller, name: str = "tiny") -> dict[int, int]:
    """State by version, as GetModelStatus tells them."""
    found = caller.status(wire.GetModelStatusRequest(model_spec={"name": name}), timeout=30)
    return {status.version: status.state for status in found.model_version_status}


def answering(caller: Caller, **spec: Any) -> int:
    """The version that answers; its answer is checked, row by row."""
    pictures = images(2, seed=1)
    response = caller.detect(pictures, **spec)
    check(response, pictures)
    version: int = response.model_spec.version.value
    return version


def refusal(caller: Caller, **spec: Any) -> tuple[grpc.StatusCode, str]:
    """What a request that cannot be answered gets."""
    with pytest.raises(grpc.RpcError) as error:
        caller.detect(images(1, seed=1), **spec)
    return error.value.code(), str(error.value.details())


def reload(caller: Caller, *entries: str) -> Any:
    """HandleReloadConfigRequest with these models."""
    config = wire.ModelServerConfig()
    text_format.Parse(f"model_config_list {{ {' '.join(entries)} }}", config)
    return caller.reload(wire.ReloadConfigRequest(config=config), timeout=60)


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        ("", [3]),
        ("model_version_policy { latest { num_versions: 2 } }", [2, 3]),
        ("model_version_policy { all { } }", [1, 2, 3]),
        ("model_version_policy { specific { versions: 1 versions: 3 } }", [1, 3]),
    ],
)
def test_a_policy_chooses_the_versions(base_path: Path, tmp_path: Path, policy: str, served: list[int]) -> None:
    """The newest, the newest few, all or named ones; without a number the newest of them answers."""
    with serve(write(tmp_path / "models.config", entry("tiny", base_path, policy))) as (_, caller):
        assert [version for version, state in sorted(states(caller).items()) if state == 30] == served
        assert answering(caller) == max(served)
        assert {answering(caller, version={"value": version}) for version in served} == set(served)
        for version in {1, 2, 3} - set(served):
            missing = f"Servable not found for request: Specific(tiny, {version})"
            assert refusal(caller, version={"value": version}) == (grpc.StatusCode.NOT_FOUND, missing)


def test_models_do_not_share_a_batch(base_path: Path, saved: Path, tmp_path: Path) -> None:
    """Two models on one scheduler, asked at once, each answer with their own weights."""
    shutil.copytree(saved / "1", tmp_path / "other" / "1")
    config = write(tmp_path / "models.config", entry("tiny", base_path), entry("other", tmp_path / "other"))
    with serve(config) as (_, caller), ThreadPoolExecutor(8) as threads:

        def call(seed: int) -> None:
            pictures = images(1 + seed % 3, seed)
            response = caller.detect(pictures, name=("tiny", "other")[seed % 2])
            check(response, pictures)
            assert response.model_spec.version.value == (3, 1)[seed % 2]

        list(threads.map(call, range(300)))


def test_labels_follow_the_list(base_path: Path, tmp_path: Path) -> None:
    """A label is given to a version that serves, moved by a reload, and refused for one that does not serve."""
    both = "model_version_policy { specific { versions: 1 versions: 2 } }"
    label = "version_labels {{ key: '{}' value: {} }}"
    with serve(write(tmp_path / "models.config", entry("tiny", base_path, both))) as (_, caller):
        unknown = (grpc.StatusCode.INVALID_ARGUMENT, "Unrecognized servable version label: canary")
        assert refusal(caller, version_label="canary") == unknown
        reload(caller, entry("tiny", base_path, both + label.format("stable", 1) + label.format("canary", 2)))
        assert (answering(caller, version_label="stable"), answering(caller, version_label="canary")) == (1, 2)
        with pytest.raises(grpc.RpcError) as error:
            reload(caller, entry("tiny", base_path, both + label.format("stable", 3)))
        assert (error.value.code(), error.value.details()) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "Request to assign label to version 3 of model tiny, which is not currently available for inference",
        )
        assert answering(caller, version_label="stable") == 1
        reload(caller, entry("tiny", base_path, both + label.format("stable", 2)))
        assert answering(caller, version_label="stable") == 2
        assert refusal(caller, version_label="canary") == unknown


def test_a_label_at_the_start_needs_a_flag(base_path: Path, tmp_path: Path) -> None:
    """Nothing serves before the start, so a label in the file is refused unless --allow_… says otherwise."""
    config = write(tmp_path / "models.config", entry("tiny", base_path, "version_labels { key: 'stable' value: 3 }"))
    with pytest.raises(StartError, match=r"version 3 of model tiny.*--allow_version_labels_for_unavailable_models"):
        server.start(Options.parse(["--port=0", f"--model_config_file={config}"]), lambda _line: None)
    with serve(config, "--allow_version_labels_for_unavailable_models") as (_, caller):
        assert answering(caller, version_label="stable") == 3


def test_a_reload_is_refused_unless_it_is_allowed(base_path: Path, tmp_path: Path) -> None:
    """Whoever reaches the port can change nothing: a list of his is not loaded, and an empty one unloads nothing."""
    with serve(write(tmp_path / "models.config", entry("tiny", base_path)), "--allow_reload=false") as (_, caller):
        for entries in ([entry("evil", base_path), entry("tiny", base_path)], []):
            with pytest.raises(grpc.RpcError) as error:
                reload(caller, *entries)
            assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
            assert str(error.value.details()).startswith("This server was started without --allow_reload")
        assert refusal(caller, name="evil") == (
            grpc.StatusCode.NOT_FOUND,
            "Servable not found for request: Latest(evil)",
        )
        assert answering(caller) == 3


def test_a_reload_serves_exactly_its_list(base_path: Path, saved: Path, tmp_path: Path) -> None:
    """New models are there when the reload is answered, others are gone, and those in both never stopped."""
    shutil.copytree(saved / "1", tmp_path / "kept" / "1")
    config = write(tmp_path / "models.config", entry("tiny", base_path), entry("kept", tmp_path / "kept"))
    with serve(config) as (running, caller):
        kept = running.models._listed.models["kept"]._serving[1]
        reload(caller, entry("new", base_path), entry("kept", tmp_path / "kept"))
        assert answering(caller, name="new") == 3
        assert answering(caller, name="kept") == 1
        assert running.models._listed.models["kept"]._serving[1] is kept
        assert refusal(caller) == (grpc.StatusCode.NOT_FOUND, "Servable not found for request: Latest(tiny)")
        assert states(caller) == {3: 50}


def test_a_model_that_does_not_load_is_told(base_path: Path, tmp_path: Path) -> None:
    """A reload with a damaged new model is answered with why; the other models serve on."""
    (tmp_path / "torn" / "1").mkdir(parents=True)
    (tmp_path / "torn" / "1" / "saved_model.pb").write_bytes(b"torn")
    with serve(write(tmp_path / "models.config", entry("tiny", base_path))) as (_, caller):
        with pytest.raises(grpc.RpcError) as error:
            reload(caller, entry("tiny", base_path), entry("torn", tmp_path / "torn"))
        assert error.value.code() is grpc.StatusCode.UNKNOWN
        words = str(error.value.details())
        assert words.startswith("1 model(s) did not become available: {{name: torn version: 1} due to error: ")
        assert "\n" not in words
        assert answering(caller) == 3


def test_the_file_is_followed(base_path: Path, saved: Path, tmp_path: Path) -> None:
    """A changed file is served; a typo in it is told once, and changes nothing."""
    config = write(tmp_path / "models.config", entry("tiny", base_path))
    said: list[str] = []
    with serve(config, "--model_config_file_poll_wait_seconds=0.02", said=said) as (running, caller):
        write(config, entry("tiny", base_path), "config { nane: 'typo' }")
        wait_until(lambda: any("is not followed" in line for line in said))
        assert answering(caller) == 3
        config.write_text("")  # as an editor that writes in place leaves it for a moment
        threading.Event().wait(0.1)  # five looks, of which nothing must come: that can only be waited for
        assert answering(caller) == 3
        write(config, entry("tiny", base_path, "model_version_policy { specific { versions: 2 } }"))
        wait_until(lambda: running.models.available() == {"tiny": [2]})
        assert answering(caller) == 2
    (complaint,) = [line for line in said if "is not followed" in line]
    assert f"{config}:1:" in complaint
    assert 'no field named "nane"' in complaint


def test_no_request_fails_while_models_change(base_path: Path, tmp_path: Path) -> None:
    """A dozen reloads under load: every request is answered whole, by a version that was asked to serve."""
    one, two = (f"model_version_policy {{ specific {{ versions: {version} }} }}" for version in (1, 2))
    with serve(write(tmp_path / "models.config", entry("tiny", base_path, one))) as (_, caller):
        over = threading.Event()
        versions: set[int] = set()
        failures: list[BaseException] = []

        def call_on() -> None:
            try:
                while not over.is_set():
                    versions.add(answering(caller))
            except BaseException as error:  # noqa: BLE001  raised again by the test
                failures.append(error)

        threads = [threading.Thread(target=call_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        for turn in range(12):
            reload(caller, entry("tiny", base_path, two if turn % 2 == 0 else one))
        over.set()
        for thread in threads:
            thread.join()
        assert not failures, failures[0]
        assert versions == {1, 2}


@pytest.mark.parametrize(
    ("policy", "chosen"),
    [
        (VersionPolicy(), {9}),
        (VersionPolicy(latest=2), {4, 9}),
        (VersionPolicy(latest=10), {1, 4, 9}),
        (VersionPolicy(latest=None), {1, 4, 9}),
        (VersionPolicy(latest=None, specific=frozenset({1, 5})), {1}),
    ],
)
def test_a_policy_never_asks_for_what_is_not_there(policy: VersionPolicy, chosen: set[int]) -> None:
    """Chosen are versions on disk only."""
    assert policy.choose([9, 1, 4]) == chosen


def test_an_unset_number_of_latest_is_one(tmp_path: Path) -> None:
    """`latest { }` and `num_versions: 0` are the default, as proto3 cannot tell them apart."""
    path = tmp_path / "models.config"
    for latest in ("latest { }", "latest { num_versions: 0 }"):
        write(path, entry("m", Path("/m"), f"model_version_policy {{ {latest} }}"))
        assert read_model_configs(path) == [ModelConfig("m", Path("/m"))]


def test_the_shipped_file_is_read() -> None:
    """models.config serves the bundled detector, newest version only, and says of every setting why."""
    path = Path(server.__file__).with_name("models.config")
    assert read_model_configs(path) == [ModelConfig("insulators", Path("/models/insulators"))]
    settings = [line.strip() for line in path.read_text().splitlines()]
    for before, line in itertools.pairwise(settings):
        assert before.startswith("#") or line in ("}", "") or line.startswith(("#", "config {", "model_config_list"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("config { base_path: '/m' model_platform: 'tensorflow' }", "a model in the config list has no name"),
        ("config { name: 'm' base_path: '/m' }", "Illegal setting neither ModelServerConfig::model_type"),
        ("config { name: 'm' base_path: '/m' model_platform: 'jax' }", "Model m requests unsupported platform jax"),
        ("config { name: 'm' base_path: 'm' model_platform: 'tensorflow' }", "to have an absolute path or URI; got"),
        (
            "config { name: 'm' base_path: '/m' model_platform: 'tensorflow' model_version_policy { specific { } } }",
            "No specific versions requested for servable m.",
        ),
    ],
)
def test_a_wrong_list_is_refused(text: str, says: str) -> None:
    """INVALID_ARGUMENT, with the model and what is wrong with it."""
    config = wire.ModelServerConfig()
    text_format.Parse(f"model_config_list {{ {text} }}", config)
    with pytest.raises(ServingError) as error:
        model_configs(config)
    assert error.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert says in str(error.value)
