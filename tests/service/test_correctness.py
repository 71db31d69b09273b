"""The boxes that come out are the model's: held against the SavedModel called directly on the same frames."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest

from tests.peers.direct_predict import Found, predict_directly
from tests.peers.model_server import run_model_server
from tests.peers.required import data_file
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, run_service

pytestmark = pytest.mark.timeout(600)

FRAMES = 75
"""Of each clip: three seconds, looped."""
EVENTS = 25
UNWATCHED = 20
"""Events that are passed over: three seconds, by when a key picture came and decoding is whole."""


@dataclass(frozen=True)
class Case:
    """A model, and footage to run it on."""

    model: str
    source: tuple[str, ...]
    """What `sightline export` is told; names of data files start with @."""
    clip: str
    min_score: float
    least: float
    """Detections a frame that the model must at least make, so that something is compared."""


CASES = [
    Case("insulators", (), "video/drone_pan_val.mp4", 0.3, 0.5),
    Case(
        "voc",
        ("@models/ssd_voc/frozen_inference_graph.pb", "--labels", "@models/ssd_voc/pascal_label_map.pbtxt"),
        "video/car-detection.mp4",
        0.05,
        1,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.model))
async def test_events_carry_the_models_own_boxes(case: Case, tmp_path: Path) -> None:
    """Each event's labels, scores and boxes are those the exported model gives for the frame of the event's pts."""
    clip, fps = shorten(data_file(case.clip), tmp_path / "clip.mp4")
    version_path = export(case, tmp_path / case.model)
    async with asyncio.TaskGroup() as both:
        directly = both.create_task(asyncio.to_thread(predict_directly, version_path, clip))
        served = both.create_task(service_events(case, version_path.parent, clip))
    direct, events = directly.result(), served.result()
    assert len(direct) == FRAMES
    wanted = [[one for one in found if one["score"] >= case.min_score] for found in direct]
    assert sum(map(len, wanted)) >= case.least * FRAMES

    steps = [(event["pts"] - events[0]["pts"]) * fps for event in events]
    numbers = [round(step) for step in steps]
    assert steps == pytest.approx(numbers, abs=0.01), "pts are not whole frames apart"
    explained = {
        shift: sum(
            same(event["detections"], direct[(number + shift) % FRAMES], case.min_score)
            for event, number in zip(events, numbers, strict=True)
        )
        for shift in range(FRAMES)
    }
    best = max(explained, key=lambda shift: explained[shift])
    print(
        f"{case.model}: {sum(len(event['detections']) for event in events)} detections in {EVENTS} events,"
        f" explained at shift {best}: {explained[best]}, at the next best: {sorted(explained.values())[-2]}"
    )
    assert explained[best] == EVENTS
    assert sum(count == EVENTS for count in explained.values()) == 1, "boxes that fit any frame prove nothing"


def same(event: Sequence[dict[str, Any]], direct: Found, min_score: float) -> bool:
    """Whether an event's detections are the model's, one to one, but for those at the very edge of `min_score`."""
    left = list(direct)
    for detection in event:
        match = next((one for one in left if alike(detection, one)), None)
        if match is None:
            return False
        left.remove(match)
    return all(one["score"] < min_score + 0.001 for one in left)


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """The same label, score within 0.01 and IoU at least 0.98."""
    return (
        one["label"] == other["label"]
        and abs(one["score"] - other["score"]) <= 0.01
        and iou(one["box"], other["box"]) >= 0.98
    )


def iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union; a box without area is like itself."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(0.0, width) * max(0.0, height)
    union = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - common
    if union <= 0:
        return float(max(abs(a - b) for a, b in zip(one, other, strict=True)) < 0.5)
    return common / union


async def service_events(case: Case, base_path: Path, clip: Path) -> list[dict[str, Any]]:
    """What the service says of the clip, served over RTSP, with the model behind gRPC."""
    with run_rtsp_server({"/clip": clip}) as camera, run_model_server(base_path, case.model) as server:
        config = {
            "serving": {"address": server.address, "model": case.model, "deadline": 10.0},
            "streams": {"clip": {"url": camera.url("/clip"), "min_score": case.min_score}},
        }
        with run_service(config) as service:
            await service.wait_for_state("clip", "live")
            async with watched(service, "clip"), service.events("clip") as feed:
                await feed.more(UNWATCHED)
                return [event for _, event in await feed.more(EVENTS)]


@asynccontextmanager
async def watched(service: Service, stream: str) -> AsyncIterator[None]:
    """Somebody watches: of what nobody watches pictures are decoded with their seams, which shifts scores a little."""

    async def take() -> None:
        async with service.open(f"/streams/{stream}.mjpeg") as video:
            async for _ in video.content.iter_any():
                pass

    taking = asyncio.create_task(take())
    try:
        yield
    finally:
        taking.cancel()
        await asyncio.wait([taking])


def shorten(clip: Path, path: Path) -> tuple[Path, float]:
    """Copy the first FRAMES pictures as they are; returns the copy and its frames a second."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as sink:
        video = source.streams.video[0]
        out = sink.add_stream_from_template(video)
        packets = [packet for packet in source.demux(video) if packet.dts is not None]
        for packet in packets[:FRAMES]:
            packet.stream = out
            sink.mux(packet)
        assert video.average_rate is not None
        return path, float(video.average_rate)


def export(case: Case, output: Path) -> Path:
    """Run `sightline export`; the version it made."""
    source = [str(data_file(part[1:])) if part.startswith("@") else part for part in case.source]
    command = [sys.executable, "-m", "sightline_export", *source, "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return output / "1"
