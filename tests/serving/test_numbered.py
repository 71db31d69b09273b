"""serving.numbered: the stand-in that `sightline bench` measures with."""

import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from serving import numbered
from serving.session import Session, SessionOptions
from streamer.bench import fleet
from streamer.bench.footage import numbered as numbered_clip
from tests.peers.clip import make_clip


def test_its_box_says_which_picture_it_saw(tmp_path: Path) -> None:
    """Of every picture as a camera's encoder left it, whatever else is in it; all else it says is below what counts."""
    clip = numbered_clip(make_clip(tmp_path / "clip.mp4", seconds=1), tmp_path, fleet.SIZE, 30, rate=fleet.FPS)
    with av.open(str(clip)) as source:
        pictures = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
    inputs = np.stack([cv2.resize(picture, (numbered.SIDE, numbered.SIDE)) for picture in pictures])
    subprocess.run([sys.executable, "-m", "serving.numbered", str(tmp_path)], check=True, capture_output=True)
    session = Session(tmp_path / "1", SessionOptions())  # as the model server has it
    detect = session.signature_defs["serving_default"]
    wanted = [detect.outputs[name].name for name in ("detection_boxes", "detection_scores")]
    boxes, scores = session.run({detect.inputs["input_tensor"].name: inputs}, wanted)
    session.close()
    assert list(np.round(boxes[:, 0, 1] * 2 * fleet.NUMBERS)) == list(range(30))
    assert scores[:, 0] == pytest.approx(0.9)
    assert scores[:, 1].max() < numbered.CONTRACT.min_score
    assert numbered.NUMBERS == fleet.NUMBERS
