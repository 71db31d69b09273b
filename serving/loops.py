"""`python -m serving.loops KIND SERVING_PORT SAMPLES BEGIN END URL…`: what people write first, to be measured beside.

KIND `plain`: OpenCV's VideoCapture, each picture resized and asked about by itself, one after the other. KIND
`streamvision`: its InferencePipeline over all URLs, as it is, with one call for the pictures that it gives at once.
SAMPLES a second of each camera; more than it sends: all. From BEGIN to END, in monotonic seconds, each answer is noted
with the number that the model read (`serving.numbered`). Prints {"seen": [[monotonic, camera, number], …], "cpu": …}.
"""

import importlib
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import cv2
import grpc
import numpy as np
from numpy.typing import NDArray

from serving.signature import DETECTION_BOXES, INPUT_TENSOR
from serving.wire import PREDICT, PredictRequest, PredictResponse, to_array, uint8_tensor

MODEL, SIDE, NUMBERS = "numbered", 300, 512
"""Of serving.numbered, which needs TensorFlow."""


class Loop:
    """Asks the model and notes what it says."""

    def __init__(self, port: int, begin: float, end: float) -> None:
        self._predict = grpc.insecure_channel(f"127.0.0.1:{port}").unary_unary(
            PREDICT,
            request_serializer=PredictRequest.SerializeToString,
            response_deserializer=PredictResponse.FromString,
        )
        self._begin, self._end = begin, end
        self._cpu: float | None = None
        self.seen: list[tuple[float, int, int]] = []

    def ask(self, cameras: Sequence[int], pictures: Sequence[NDArray[np.uint8]]) -> bool:
        """Ask about pictures as OpenCV has them, BGR, in one call; False: the time is over."""
        small = [cv2.cvtColor(cv2.resize(each, (SIDE, SIDE)), cv2.COLOR_BGR2RGB) for each in pictures]
        request = PredictRequest()
        request.model_spec.name = MODEL
        request.inputs[INPUT_TENSOR].CopyFrom(uint8_tensor((len(small), SIDE, SIDE, 3), np.stack(small).tobytes()))
        request.output_filter.append(DETECTION_BOXES)
        boxes = to_array(self._predict(request, timeout=30).outputs[DETECTION_BOXES])
        now = time.monotonic()
        if now >= self._begin:
            self._cpu = time.process_time() if self._cpu is None else self._cpu
            numbers = [round(float(left) * 2 * NUMBERS) % NUMBERS for left in boxes[:, 0, 1]]
            self.seen += [(now, camera, number) for camera, number in zip(cameras, numbers, strict=True)]
        return now < self._end

    def told(self) -> dict[str, Any]:
        """What is printed."""
        return {"seen": self.seen, "cpu": time.process_time() - (self._cpu or time.process_time())}


def plain(loop: Loop, url: str, samples: float) -> None:
    """A loop over one camera."""
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp"
    camera, due = cv2.VideoCapture(url), 0.0
    while camera.grab():
        now = time.monotonic()
        if now < due:
            continue
        due = max(due + 1 / samples, now - 1 / samples)
        found, picture = camera.retrieve()
        if found and not loop.ask([_camera_of(url)], [np.asarray(picture, np.uint8)]):
            return


def streamvision(loop: Loop, urls: Sequence[str], samples: float) -> None:
    """Its pipeline over all cameras."""
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "rtsp_transport;tcp"
    pipelines = importlib.import_module("streamvision.stream.pipeline")  # of whoever has it, and no dependency of ours
    over = threading.Event()

    def ask(frames: list[Any]) -> list[dict[str, Any]]:
        if frames and not loop.ask(
            [_camera_of(urls[each.source_id or 0]) for each in frames], [f.image for f in frames]
        ):
            over.set()
        return [{} for _ in frames]

    pipeline = pipelines.InferencePipeline.init_with_custom_logic(
        video_reference=list(urls),
        on_video_frame=ask,
        on_prediction=lambda *_: None,
        sink_mode=pipelines.SinkMode.BATCH,
        max_fps=samples if samples < 25 else None,
    )
    pipeline.start(use_main_thread=False)
    over.wait()
    pipeline.terminate()


def _camera_of(url: str) -> int:
    return int(url.rpartition("/")[2])


def main() -> None:
    """Run it to its end."""
    kind, port, samples, begin, end, *urls = sys.argv[1:]
    loop = Loop(int(port), float(begin), float(end))
    if kind == "plain":
        plain(loop, urls[0], float(samples))
    else:
        streamvision(loop, urls, float(samples))
    print(json.dumps(loop.told()), flush=True)
    os._exit(0)  # whatever threads are still reading


if __name__ == "__main__":
    main()
