"""The rendered scenes and the demo footage made from them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from sightline_models.insulators.footage import FPS, demo_scene, write_clip, write_footage
from sightline_models.insulators.scenes import HEIGHT, LEAST_SIDES, WIDTH, Frame, Scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(1001)


@pytest.fixture(scope="module")
def demo() -> Scene:
    return demo_scene()


def test_a_seed_is_one_scene(scene: Scene) -> None:
    """Two scenes of one seed show the same picture and the same boxes at the same time; another seed shows another."""
    first, second = scene.frame(2.5), Scene(1001).frame(2.5)
    assert np.array_equal(first.image, second.image)
    assert first.boxes == second.boxes
    assert not np.array_equal(first.image, Scene(1002).frame(2.5).image)


def test_boxes_lie_inside_the_frame(scene: Scene) -> None:
    """Every box is of a known class, inside the frame, and no thinner than its class allows."""
    rng = np.random.default_rng(0)
    boxes = [box for _ in range(6) for box in scene.render(scene.inspection(rng)).boxes]
    assert {box[0] for box in boxes} == {"insulator", "defect"}
    for label, x_min, y_min, x_max, y_max in boxes:
        assert 0 <= x_min < x_max <= WIDTH
        assert 0 <= y_min < y_max <= HEIGHT
        assert min(x_max - x_min, y_max - y_min) >= LEAST_SIDES[label] - 0.1


def test_a_frame_is_a_720p_rgb_picture(scene: Scene) -> None:
    """A frame is uint8 RGB of 1280x720 and neither blank nor burnt out."""
    image = scene.frame(0.0).image
    assert image.shape == (720, 1280, 3)
    assert image.dtype == np.uint8
    assert image.std() > 15
    assert 40 < image.mean() < 220


def test_strings_are_where_the_boxes_say(demo: Scene) -> None:
    """Taking the strings out of a scene changes the picture inside their boxes, and hardly anywhere else."""
    bare = demo_scene()
    bare.line.strings.clear()
    frame, without = demo.frame(0.0), bare.frame(0.0)
    changed = np.abs(frame.image.astype(int) - without.image).max(axis=2) > 25
    inside = np.zeros_like(changed)
    for label, x_min, y_min, x_max, y_max in frame.boxes:
        if label == "insulator":
            box = np.s_[int(y_min) : int(y_max) + 1, int(x_min) : int(x_max) + 1]
            inside[box] = True
            assert changed[box].mean() > 0.12
    assert changed[inside].sum() > 0.6 * changed.sum()


def test_the_demo_flight_closes_and_moves_smoothly(demo: Scene) -> None:
    """The flight ends where it began, and between two frames the camera moves by centimetres."""
    flight = demo.flight
    start, end = flight.camera(0.0), flight.camera(flight.period)
    assert np.allclose(start.position, end.position, atol=1e-9)
    assert start.yaw == pytest.approx(end.yaw)
    assert start.pitch == pytest.approx(end.pitch)
    ways = np.array([flight.camera(number / FPS).position for number in range(int(flight.period * FPS) + 1)])
    steps = np.linalg.norm(np.diff(ways, axis=0), axis=1)
    assert 0.0 < steps.max() < 0.12
    assert np.abs(np.diff(steps)).max() < 0.002


def test_the_demo_flight_shows_strings_all_the_time_and_defects_often(demo: Scene) -> None:
    """A viewer who joins at any moment sees an insulator, and within a few seconds a missing cap."""
    seen = [{box[0] for box in demo.frame(second).boxes} for second in range(0, 20, 2)]
    assert all("insulator" in labels for labels in seen)
    assert sum("defect" in labels for labels in seen) >= 5


def test_footage_plays_at_30_fps_and_has_the_truth_of_each_frame(tmp_path: Path) -> None:
    """The clip is 720p30 H.264 with a keyframe a second and no B-frames, and the .gt.json has one row a frame."""
    path = tmp_path / "drone.mp4"
    write_footage(path, seconds=1.5)
    truth = json.loads(path.with_suffix(".gt.json").read_text())
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 1280, 720)
        assert stream.average_rate == FPS
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert [packet.is_keyframe for packet in packets] == [number % FPS == 0 for number in range(45)]
        assert all(packet.pts == packet.dts for packet in packets)
    assert [row["frame"] for row in truth] == list(range(45))
    assert all(len(box) == 6 and isinstance(box[0], str) for row in truth for box in row["boxes"])
    things = [[(box[0], box[5]) for box in row["boxes"]] for row in truth]
    assert all(len(frame) == len(set(frame)) for frame in things)
    # In a second and a half of flight what is in view stays in view, mostly.
    assert len(set(things[0]) & set(things[5])) >= len(things[0]) - 2
    assert sorted(file.name for file in tmp_path.iterdir()) == ["drone.gt.json", "drone.mp4"]


def test_headers_are_repeated_in_band(demo: Scene, tmp_path: Path) -> None:
    """Every keyframe carries its own SPS and PPS, so that a viewer can join in the middle of the stream."""
    path = tmp_path / "drone.mp4"
    write_clip(path, iter([demo.frame(0.0)] * 31), 31)
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.size and packet.is_keyframe:
                assert {7, 8} <= set(_nal_types(bytes(packet)))


def _nal_types(sample: bytes) -> list[int]:
    """The NAL unit types of an AVCC sample (ISO/IEC 14496-15: 4-byte lengths)."""
    types, at = [], 0
    while at + 4 < len(sample):
        length = int.from_bytes(sample[at : at + 4])
        types.append(sample[at + 4] & 0x1F)
        at += 4 + length
    return types


def test_a_clip_that_fails_leaves_no_file(demo: Scene, tmp_path: Path) -> None:
    """A writer interrupted half-way leaves neither the clip nor its temporary name."""

    def frames() -> Iterator[Frame]:
        yield demo.frame(0.0)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_clip(tmp_path / "drone.mp4", frames(), 2)
    assert list(tmp_path.iterdir()) == []


def test_footage_refuses_bad_arguments_in_a_sentence(tmp_path: Path) -> None:
    """A name that is no .mp4 and a length out of range each end with exit code 2 and one line on stderr."""
    for arguments, says in (
        (["--output", str(tmp_path / "drone.avi")], "must end in .mp4"),
        (["--output", str(tmp_path / "drone.mp4"), "--seconds", "0"], "0.5 to 600"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "sightline_models.insulators.footage", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert says in done.stderr
        assert done.stderr.count("\n") == 1


def test_footage_needs_no_tensorflow() -> None:
    """Importing the footage does not import tensorflow: the demo camera starts in a second."""
    check = "import sys, sightline_models.insulators.footage; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
