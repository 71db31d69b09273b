"""What a SavedModel says of a clip's frames, without the service: `python -m` it in a process of its own.

Everything the service does between a frame and its boxes is done here again by other means: no serving.resize, no
gRPC, no batching, no decoder of the service's. Arguments: version directory, clip. Prints one JSON list a frame, of
{"label", "score", "box": [x_min, y_min, x_max, y_max] in pixels}, every row the model counts, however low its score.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Found = list[dict[str, Any]]


def predict_directly(version_path: Path, clip: Path) -> list[Found]:
    """Run this module; what was found in each frame of the clip."""
    command = [sys.executable, "-m", __name__, str(version_path), str(clip)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def small(frame: av.VideoFrame, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture of 4:2:0 in that size, (columns, rows), as RGB: what is left of it by BT.601 (ITU-R, 2.5.3)."""
    assert frame.format.name == "yuv420p"
    planes = np.asarray(frame.to_ndarray(), np.uint8).reshape(-1)
    columns, rows = frame.width, frame.height
    at, seen = 0, []
    for share in (1, 2, 2):
        plane = planes[at : at + rows * columns // share**2].reshape(rows // share, columns // share)
        seen.append(cv2.resize(plane, size))
        at += plane.size
    luma, blue, red = 255 / 219, 255 / 112 * 0.886, 255 / 112 * 0.701
    green = np.array([0, -0.114 / 0.587 * blue, -0.299 / 0.587 * red])
    made = np.array([[luma, 0, red], [luma, *green[1:]], [luma, blue, 0]])
    offset = -16 * luma - 128 * made[:, 1:].sum(axis=1)
    # Rounded as OpenCV rounds: of a model's scores the second digit hangs on it.
    return np.asarray(cv2.transform(cv2.merge(seen), np.column_stack([made, offset]).astype(np.float32)), np.uint8)


def to_input(frame: av.VideoFrame, contract: dict[str, Any]) -> tuple[NDArray[np.uint8], tuple[float, ...]]:
    """A picture in the model's size, and where in it the picture lies: (left, top, columns, rows) in input pixels."""
    height, width = contract["height"], contract["width"]
    if contract["resize"] == "stretch":
        return small(frame, (width, height)), (0, 0, width, height)
    rows, columns = frame.height, frame.width
    scale = min(width / columns, height / rows)
    inner = small(frame, (round(columns * scale), round(rows * scale)))
    above, before = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    below, after = height - inner.shape[0] - above, width - inner.shape[1] - before
    grey = (contract["pad_value"],) * 3
    padded = cv2.copyMakeBorder(inner, above, below, before, after, cv2.BORDER_CONSTANT, value=grey)
    return padded.astype(np.uint8), (before, above, inner.shape[1], inner.shape[0])


def main(version_path: Path, clip: Path) -> None:
    """Print what the model finds in each frame."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    contract = json.loads((version_path / "assets.extra" / "contract.json").read_text())
    detect = tf.saved_model.load(str(version_path)).signatures["serving_default"]
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            tensor, (left, top, columns, rows) = to_input(frame, contract)
            outputs = {name: value.numpy()[0] for name, value in detect(input_tensor=tf.constant(tensor[None])).items()}
            found: Found = []
            for row in range(int(outputs["num_detections"])):
                y_min, x_min, y_max, x_max = (float(edge) for edge in outputs["detection_boxes"][row])
                xs = [(x * contract["width"] - left) / columns * frame.width for x in (x_min, x_max)]
                ys = [(y * contract["height"] - top) / rows * frame.height for y in (y_min, y_max)]
                xs = [min(max(x, 0), frame.width) for x in xs]
                ys = [min(max(y, 0), frame.height) for y in ys]
                label = contract["labels"][str(int(outputs["detection_classes"][row]))]
                score = float(outputs["detection_scores"][row])
                found.append({"label": label, "score": score, "box": [xs[0], ys[0], xs[1], ys[1]]})
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
