"""A path is recognised without TensorFlow: what lies there, and what is missing."""

from pathlib import Path

import pytest

from sightline_export.errors import Unusable
from sightline_export.source import Kind, recognise


def files(directory: Path, *names: str) -> Path:
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return directory


SHARDS = ("ckpt-3.data-00000-of-00002", "ckpt-3.data-00001-of-00002")


@pytest.mark.parametrize("given", ["ckpt-3", "ckpt-3.index", SHARDS[1], "."])
def test_a_checkpoint_is_recognised_by_any_of_its_names(tmp_path: Path, given: str) -> None:
    """The prefix, the index, a shard and the directory all mean the same checkpoint, with all its shards."""
    files(tmp_path, "ckpt-3.index", *SHARDS)
    source = recognise(tmp_path / given)
    assert source.kind is Kind.CHECKPOINT
    assert source.path == tmp_path / "ckpt-3"
    assert sorted(source.files) == [*SHARDS, "ckpt-3.index"]


def test_a_directory_means_its_latest_checkpoint(tmp_path: Path) -> None:
    """The file `checkpoint` names the latest one, also after the directory has been moved."""
    files(tmp_path, *(f"ckpt-{n}.{part}" for n in (2, 10) for part in ("index", "data-00000-of-00001")))
    for named in ("ckpt-10", "/somewhere/else/ckpt-10"):
        (tmp_path / "checkpoint").write_text(
            f'model_checkpoint_path: "{named}"\nall_model_checkpoint_paths: "ckpt-2"\n'
        )
        assert recognise(tmp_path).path == tmp_path / "ckpt-10"


def test_a_named_checkpoint_that_is_gone_is_refused_with_those_that_are_there(tmp_path: Path) -> None:
    """A `checkpoint` file that names a missing step is not guessed around: what is there is listed."""
    files(tmp_path, "ckpt-2.index", "ckpt-2.data-00000-of-00001")
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "ckpt-9"\n')
    with pytest.raises(Unusable, match="names ckpt-9, which is not there; there: ckpt-2"):
        recognise(tmp_path)


def test_graphs_and_saved_models_are_recognised(tmp_path: Path) -> None:
    """A .pb is a frozen graph; saved_model.pb, its directory and a directory of versions are a SavedModel."""
    assert recognise(files(tmp_path / "a", "graph.pb") / "graph.pb").kind is Kind.FROZEN_GRAPH
    assert recognise(tmp_path / "a").path == tmp_path / "a" / "graph.pb"
    served = files(tmp_path / "b", "9/saved_model.pb", "10/saved_model.pb", "10/variables/variables.index")
    newest = recognise(served)
    assert (newest.kind, newest.path) == (Kind.SAVED_MODEL, served / "10")
    assert sorted(newest.files) == ["saved_model.pb", "variables/variables.index"]
    assert recognise(served / "9" / "saved_model.pb").path == served / "9"


@pytest.mark.parametrize("given", ["m-7", "m-7.meta", "m-7.index", "."])
def test_a_meta_makes_it_a_checkpoint_of_tf1(tmp_path: Path, given: str) -> None:
    """TensorFlow 1 keeps the graph beside index and weights, and any of the three names them all."""
    source = recognise(files(tmp_path, "m-7.index", "m-7.data-00000-of-00001", "m-7.meta") / given)
    assert (source.kind, source.path) == (Kind.TF1_CHECKPOINT, tmp_path / "m-7")
    assert sorted(source.files) == ["m-7.data-00000-of-00001", "m-7.index", "m-7.meta"]


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.hdf5"])
def test_keras_files_are_recognised(tmp_path: Path, name: str) -> None:
    """A Keras model is known by its suffix, also as the only file of a directory."""
    files(tmp_path, name)
    for given in (tmp_path / name, tmp_path):
        source = recognise(given)
        assert (source.kind, source.path) == (Kind.KERAS, tmp_path / name)


def test_an_export_of_the_object_detection_api_means_its_saved_model(tmp_path: Path) -> None:
    """That library writes its SavedModel beside the checkpoint and config it was made from."""
    files(tmp_path, "pipeline.config", "checkpoint/ckpt-0.index", "saved_model/saved_model.pb")
    assert recognise(tmp_path).path == tmp_path / "saved_model"


def test_a_pipeline_config_comes_with_its_newest_checkpoint(tmp_path: Path) -> None:
    """The checkpoint lies beside the config, in `checkpoint`, or where --checkpoint_dir says."""
    for place in ("beside", "zoo/checkpoint", "elsewhere"):
        files(tmp_path / place, "ckpt-5.index", "ckpt-5.data-00000-of-00001", "checkpoint")
        (tmp_path / place / "checkpoint").write_text('model_checkpoint_path: "ckpt-5"\n')
    for place, directory in (("beside", None), ("zoo", None), ("other", tmp_path / "elsewhere")):
        config = files(tmp_path / place, "pipeline.config") / "pipeline.config"
        source = recognise(config, directory)
        assert (source.kind, source.path) == (Kind.PIPELINE, config)
        assert sorted(source.files) == ["ckpt-5.data-00000-of-00001", "ckpt-5.index", "pipeline.config"]
        assert source.checkpoint is not None
    files(tmp_path / "beside", "ckpt-5.meta")
    with pytest.raises(Unusable, match=r"whose graph is in its \.meta: name it in place of"):
        recognise(tmp_path / "beside" / "pipeline.config")


@pytest.mark.parametrize(
    ("there", "given", "said"),
    [
        ([], "ckpt-1", "does not exist"),
        (["ckpt-1.index"], "ckpt-1", "lacks its weights: ckpt-1.data-00000-of-00001 is missing"),
        (["ckpt-1.data-00000-of-00001"], "ckpt-1", "lacks its index: ckpt-1.index is missing"),
        (["ckpt-3.index", SHARDS[0]], "ckpt-3", f"{SHARDS[1]} is missing"),
        (["m.meta"], "m.meta", "lacks its index and weights: m.index and m.data-… are missing beside m.meta"),
        (["m.index", "m.meta"], "m", "lacks its weights: m.data-00000-of-00001 is missing"),
        (["m.data-00000-of-00001", "m.meta"], "m", "lacks its index: m.index is missing"),
        (["model.onnx"], "model.onnx", "is a .onnx file"),
        (["a.keras", "b.h5"], ".", "holds no model (a.keras, b.h5 found there)"),
        (["pipeline.config"], "pipeline.config", "holds no checkpoint for"),
        (["notes.md"], ".", "holds no model (notes.md found there)"),
        ([], ".", "holds no model (nothing found there)"),
        (["a.index", "b.index"], ".", "holds several checkpoints (a, b)"),
        (["checkpoint"], ".", "names no checkpoint"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, there: list[str], given: str, said: str) -> None:
    """What is no source is refused with what was found, or what is missing."""
    files(tmp_path, *there)
    with pytest.raises(Unusable) as caught:
        recognise(tmp_path / given)
    assert said in str(caught.value)
