"""What a training run learns from."""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.insulators.data import DataError
from models.insulators.train import chosen_photos


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
