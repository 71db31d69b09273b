"""What a training run learns from."""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import tensorflow as tf

from sightline_models.insulators import folds
from sightline_models.insulators.data import DataError, load_split
from sightline_models.insulators.network import build
from sightline_models.insulators.run import Run
from sightline_models.insulators.train import chosen_photos, main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two families of breaks and one healthy photo."""
    (tmp_path / "train").mkdir()
    rows = ["filename,width,height,class,xmin,ymin,xmax,ymax"]
    for name, label in (("a1", "defect"), ("b1", "defect"), ("whole", "insulator")):
        cv2.imwrite(str(tmp_path / "train" / f"{name}.png"), np.full((32, 32, 3), 90, np.uint8))
        rows.append(f"{name}.png,32,32,{label},2,2,20,20")
    (tmp_path / "train.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "defect_families.json").write_text(json.dumps({"A": ["a1.png"], "B": ["b1.png"]}))
    return tmp_path


def _names(folder: Path, *, leave_out: str | None = None, healthy: bool = False) -> list[str]:
    options = argparse.Namespace(data=folder, leave_out=leave_out, healthy=healthy)
    return [photo.name for photo in chosen_photos(options)]


def test_a_left_out_family_is_not_among_the_photos(folder: Path) -> None:
    """A fold never sees the family it will be judged by."""
    assert _names(folder) == ["a1.png", "b1.png", "whole.png"]
    assert _names(folder, leave_out="A") == ["b1.png", "whole.png"]


def test_a_start_for_folds_sees_no_break(folder: Path) -> None:
    """Every photo with a defect is left out of a healthy run."""
    assert _names(folder, healthy=True) == ["whole.png"]


def test_an_unknown_family_is_named_with_those_there_are(folder: Path) -> None:
    """A typing mistake must not train on everything and call it a fold."""
    with pytest.raises(DataError, match="--leave-out C: no such family; there are A, B"):
        _names(folder, leave_out="C")


def test_another_command_does_not_go_on_with_a_run(tmp_path: Path) -> None:
    """What a run was begun with is kept; the same options go on, others are refused with both values."""
    Run(tmp_path / "run", {"rate": 0.001, "leave_out": None}, ("epoch",))
    Run(tmp_path / "run", {"rate": 0.001, "leave_out": None}, ("epoch",))
    with pytest.raises(DataError, match="was begun with leave_out None, not 'S1'; choose another --output"):
        Run(tmp_path / "run", {"rate": 0.001, "leave_out": "S1"}, ("epoch",))


def test_a_run_goes_on_after_its_last_finished_epoch(tmp_path: Path) -> None:
    """What was kept comes back, and the log has one line an epoch."""
    counter, weights = tf.Variable(0), build()
    for epoch in (1, 2):
        run = Run(tmp_path / "run", {}, ("epoch", "loss"))
        run.restore(counter=counter)
        assert int(run.epoch) == epoch - 1
        assert int(counter) == 10 * (epoch - 1)
        counter.assign(10 * epoch)
        run.keep(epoch, weights, (epoch, 0.5))
        counter.assign(-1)
    assert (tmp_path / "run" / "log.csv").read_text().split() == ["epoch,loss", "1,0.5", "2,0.5"]
    assert (tmp_path / "run" / "last" / "ckpt-2.index").exists()


def test_a_start_that_has_seen_breaks_is_refused(tmp_path: Path, folder: Path) -> None:
    """Folds from weights that know the families they are judged by would say nothing."""
    for options, says in (({"healthy": False}, "was not trained with --healthy"), (None, "is not known")):
        run = tmp_path / says
        run.mkdir()
        if options is not None:
            (run / "options.json").write_text(json.dumps(options))
        asked = argparse.Namespace(data=folder, start=str(run / "last" / "ckpt-1"), output=tmp_path)
        with pytest.raises(DataError, match=says):
            folds.run(asked)


def test_a_family_without_pictures_is_named(folder: Path) -> None:
    """A family nothing can be said of ends the run before anything is trained."""
    with pytest.raises(DataError, match="no picture of C with a defect"):
        folds.pictures_of({"C": ["c1.png"]}, load_split(folder, "train"))


def test_too_few_photos_for_a_batch_are_said(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A data set smaller than one batch is one sentence and exit code 2."""
    (folder / "val").mkdir()
    cv2.imwrite(str(folder / "val" / "v.png"), np.full((32, 32, 3), 90, np.uint8))
    (folder / "val.csv").write_text(
        "filename,width,height,class,xmin,ymin,xmax,ymax\nv.png,32,32,insulator,2,2,20,20\n"
    )
    command = ["train", "--data", str(folder), "--scene-count", "0", "--output", str(tmp_path / "out")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", command)
        assert main() == 2
    assert "3 photos are left, and a batch takes 8" in capsys.readouterr().err
