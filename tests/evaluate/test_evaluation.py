"""`sightline evaluate` as a person meets it: a clip through the whole service, judged by what is known of it."""

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from serving import signature
from serving.signature import Contract
from streamer import cli
from tests.peers import index_detector
from tests.peers.clip import draw_frame, make_clip
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.model_server import ModelServer
from tests.peers.process import Process, run_process
from tests.peers.required import data_file

PATIENCE_S = 90.0
"""How long a run of a few seconds may take on a loaded machine. No test passes by it."""

pytestmark = pytest.mark.timeout(300)

WIDTH, HEIGHT, FRAMES = 320, 240, 45
CONTRACT = Contract(
    "numbers", height=32, width=32, labels={1: "insulator", 2: "defect"}, min_score=0.4, resize="stretch"
)
FOUND = [80.0, 60.0, 160.0, 120.0]
"""What the fake detector finds in every picture: an insulator here, a defect there, and a doubtful insulator."""
DEFECT = [200.0, 60.0, 280.0, 180.0]
DOUBTFUL = [0.0, 180.0, 80.0, 240.0]
ELSEWHERE = [10.0, 10.0, 50.0, 50.0]
SELDOM = ("--model", "numbers", "--sample-fps", "2")
"""A box is drawn for three quarters of a second after its sample: no loaded machine is that late with the next."""


def answer_always(server: FakeModelServer) -> None:
    """Let every picture have the same answer, of scores 0.9, 0.6 and 0.3. One stream's batch is one picture."""
    boxes = [[box[1] / HEIGHT, box[0] / WIDTH, box[3] / HEIGHT, box[2] / WIDTH] for box in (FOUND, DEFECT, DOUBTFUL)]
    server.outputs = {
        signature.DETECTION_BOXES: np.array([boxes], np.float32),
        signature.DETECTION_SCORES: np.array([[0.9, 0.6, 0.3]], np.float32),
        signature.DETECTION_CLASSES: np.array([[1, 2, 1]], np.float32),
        signature.NUM_DETECTIONS: np.array([3], np.float32),
    }


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second and a half at 30 frames a second."""
    return make_clip(tmp_path_factory.mktemp("evaluate") / "clip.mp4", seconds=FRAMES / 30)


def write_truth(folder: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """A truth file."""
    path = folder / "truth.json"
    path.write_text(json.dumps(rows))
    return path


def command(clip: Path, truth: Path, *more: str) -> list[str | Path]:
    """The command line."""
    return [sys.executable, "-m", "streamer", "evaluate", "--clip", clip, "--truth", truth, *more]


async def evaluate(clip: Path, truth: Path, *more: str) -> str:
    """Run the command beside this test's event loop, which may be its model server's; what it printed to stdout."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command(clip, truth, *more)), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 0, err.decode()
    assert b"Traceback" not in err, err.decode()
    return out.decode()


async def figures(clip: Path, truth: Path, *more: str) -> dict[str, Any]:
    """What it measured."""
    found: dict[str, Any] = json.loads(await evaluate(clip, truth, *more, "--json"))
    return found


async def test_the_figures_are_those_of_the_boxes_drawn(tmp_path: Path, clip: Path) -> None:
    """Of two insulators in every frame one is found, and a defect where there is none: exactly that is said.

    AP50 of one found and never a false one is precision 1 at the 51 of COCO's 101 recalls up to a half. The doubtful
    box is below the model's own score, is not drawn, and is no mistake.
    """
    boxes = [["insulator", *FOUND, "here"], ["insulator", *ELSEWHERE, "nowhere"]]
    truth = write_truth(tmp_path, [{"frame": number, "boxes": boxes} for number in range(FRAMES)])
    async with run_fake_model_server(CONTRACT) as server:
        answer_always(server)
        found = await figures(clip, truth, "--serving", server.address, *SELDOM)
    assert found["setting"] == {
        "clip": "clip.mp4",
        "seconds": 1.5,
        "fps": 30.0,
        "model": "numbers",
        "version": 1,
        "sample_fps": 2.0,
        "min_score": 0.4,
    }
    judged, samples = found["frames"]["judged"], found["samples"]["judged"]
    assert 0 < judged == found["frames"]["shown"] <= FRAMES
    assert 0 < samples == found["samples"]["answered"] <= 4
    for seen, pictures in (("shown", judged), ("sampled", samples)):
        insulator, defect = (found["classes"][name][seen] for name in ("insulator", "defect"))
        assert insulator == {
            "ap50": pytest.approx(51 / 101, abs=1e-4),
            "precision": 1.0,
            "recall": 0.5,
            "labelled": 2 * pictures,
            "found": pictures,
        }
        assert defect == {"ap50": None, "precision": 0.0, "recall": None, "labelled": 0, "found": pictures}
    # Of two things and two boxes in each frame one is the other, always by one id.
    assert found["ids"] == {
        "idf1": 0.5,
        "switches": 0,
        "switches_per_minute": 0.0,
        "things": 1,
        "ids": 1,
        "ids_per_thing": 1.0,
    }
    assert found["boxes_per_frame"] == 2.0
    assert found["frames"]["dropped"] == FRAMES - found["frames"]["shown"]
    assert found["frames"]["unknown"] == found["frames"]["without_truth"] == found["frames"]["without_result"] == 0
    assert 0 < found["result_age_ms"]["p50"] <= found["result_age_ms"]["p95"]


async def test_a_lower_score_draws_more_and_unlabelled_frames_are_not_judged(tmp_path: Path, clip: Path) -> None:
    """With --min-score the doubtful box is drawn too, and wrong; where it is to be ignored it is not.

    The first ten frames are not labelled and not judged; in the ten after them the doubtful box is to be ignored.
    """
    doubtful = [["insulator", *DOUBTFUL]]
    rows = [{"frame": number, "boxes": [["insulator", *FOUND]], "ignored": doubtful} for number in range(10, 20)]
    truth = write_truth(tmp_path, rows)
    async with run_fake_model_server(CONTRACT) as server:
        answer_always(server)
        options = ("--serving", server.address, *SELDOM, "--min-score", "0.25")
        ignored = await figures(clip, truth, *options)
        write_truth(tmp_path, [{**row, "ignored": []} for row in rows])
        wrong = await figures(clip, truth, *options)
    for found, right in ((ignored, 1.0), (wrong, 0.5)):
        assert found["setting"]["min_score"] == 0.25
        assert found["boxes_per_frame"] == 3.0
        assert 0 < found["frames"]["judged"] <= 10
        assert found["frames"]["judged"] + found["frames"]["without_truth"] == found["frames"]["shown"]
        shown = found["classes"]["insulator"]["shown"]
        assert (shown["ap50"], shown["precision"], shown["recall"]) == (1.0, right, 1.0)
        assert shown["labelled"] == found["frames"]["judged"]


async def test_what_moves_between_samples_costs_the_viewer_and_not_the_model(
    tmp_path: Path, model_server: ModelServer
) -> None:
    """A model that is always right is judged so on its samples; of the frames between them most boxes are wrong here.

    The box of the index detector moves by 20 pixels a frame and begins anew at the left with every eighth. It is 160
    wide: after three frames it has lost half its overlap, and there are five from one sample to the next.
    """
    numbers = [8 * frame for frame in range(FRAMES)]
    clip = make_numbered(tmp_path / "fast.mp4", numbers)
    boxes = [[2.5 * (number % 64), 60, 2.5 * (number % 64) + 160, 180] for number in numbers]
    truth = write_truth(tmp_path, [{"frame": n, "boxes": [["insulator", *box]]} for n, box in enumerate(boxes)])
    found = await figures(clip, truth, "--serving", model_server.address, "--model", index_detector.CONTRACT.name)
    insulator = found["classes"]["insulator"]
    assert (insulator["sampled"]["ap50"], insulator["sampled"]["precision"]) == (1.0, 1.0)
    assert insulator["sampled"]["labelled"] == found["samples"]["answered"] > 0
    assert insulator["shown"]["labelled"] == found["frames"]["judged"] > 0
    assert insulator["shown"]["ap50"] < 0.8


def make_numbered(path: Path, numbers: Sequence[int]) -> Path:
    """Encode pictures with these numbers on them, 30 a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for position, number in enumerate(numbers):
            frame = av.VideoFrame.from_ndarray(draw_frame(number, WIDTH, HEIGHT), format="rgb24")
            frame.pts = position
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


async def test_a_part_of_the_clip_is_played_and_told_as_a_table(tmp_path: Path, clip: Path) -> None:
    """With --seconds the rest is neither played nor judged; without --json the figures come as a table."""
    truth = write_truth(tmp_path, [{"frame": n, "boxes": [["insulator", *FOUND]]} for n in range(FRAMES)])
    async with run_fake_model_server(CONTRACT) as server:
        answer_always(server)
        table = await evaluate(clip, truth, "--serving", server.address, *SELDOM, "--seconds", "1")
    lines = table.splitlines()
    assert lines[0].startswith("clip.mp4, 1.0 s at 30 frames/s; numbers version 1, 2 samples/s")
    rows = {line.split("  ")[0]: line.split() for line in lines}
    assert rows["insulator"][1:4] == ["1.000", "1.000", "1.000"]
    assert rows["defect"][1:4] == ["–", "0.000", "–"]
    assert rows["frames shown"][-1] == "30"


async def test_a_model_of_ones_own_is_served_for_as_long_as_it_takes(tmp_path: Path, index_model: Path) -> None:
    """With --model-path the model exported there is served and asked: every frame of a clip is its own sample.

    The detector's box begins anew at the left with frame 64, so that an answer to any other frame's picture is wrong.
    """
    clip = make_clip(tmp_path / "numbers.mp4", seconds=2.5)
    boxes = [[2.5 * (number % 64), 60, 2.5 * (number % 64) + 160, 180] for number in range(75)]
    truth = write_truth(tmp_path, [{"frame": n, "boxes": [["insulator", *box]]} for n, box in enumerate(boxes)])
    found = await figures(clip, truth, "--model-path", str(index_model), "--sample-fps", "30")
    assert (found["setting"]["model"], found["setting"]["min_score"]) == ("numbers", 0.4)
    sampled = found["classes"]["insulator"]["sampled"]
    assert (sampled["ap50"], sampled["precision"], sampled["recall"]) == (1.0, 1.0, 1.0)
    assert sampled["labelled"] == found["samples"]["answered"] > 8
    assert found["classes"]["insulator"]["shown"]["recall"] > 0.8


async def test_a_real_clip_is_judged_by_its_own_truth(tmp_path: Path) -> None:
    """The bundled detector, exported and served for as long as it takes, finds what is in a real clip."""
    clip, truth = data_file("video/drone_pan_val.mp4"), data_file("video/drone_pan_val.gt.json")
    found = await figures(clip, truth, "--state", str(tmp_path), "--seconds", "6")
    assert (found["setting"]["model"], found["setting"]["fps"]) == ("insulators", 25.0)
    assert (found["setting"]["sample_fps"], found["setting"]["min_score"]) == (5.0, 0.5)
    assert found["classes"].keys() == {"insulator", "defect"}
    assert found["frames"]["unknown"] == 0
    assert found["frames"]["judged"] > 0.5 * found["frames"]["played"] == 75
    # Far below the model card's, so that this notices a broken way and not a loaded machine.
    assert found["classes"]["insulator"]["shown"]["ap50"] > 0.3
    assert found["classes"]["insulator"]["sampled"]["precision"] > 0.6


# ---- what cannot be used


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The sentence that the command ends with, exit code 2, after its lines of progress."""
    assert cli.main(["evaluate", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    *progress, sentence = captured.err.splitlines()
    assert all(line.startswith("[") for line in progress)
    assert sentence.startswith("sightline: ")
    return sentence


def test_what_cannot_be_used_is_one_sentence(tmp_path: Path, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clip, a truth, an address or a model that is none is named, before any process is started."""
    truth = write_truth(tmp_path, [{"frame": 0, "boxes": []}])
    beyond = tmp_path / "beyond.json"
    beyond.write_text(json.dumps([{"frame": FRAMES, "boxes": []}]))
    missing = tmp_path / "missing"
    for arguments, says in (
        (("--clip", missing, "--truth", truth), f"{missing}: cannot be read as a video: No such file or directory"),
        (("--clip", beyond, "--truth", truth), f"{beyond}: "),
        (("--clip", clip, "--truth", missing), f"{missing}: cannot be read: No such file or directory"),
        (("--clip", clip, "--truth", clip), f"{clip}: cannot be read: not UTF-8 text"),
        (("--clip", clip, "--truth", beyond), f"{beyond}: [0].frame: the clip has no frame 45; it has 0 to 44"),
        (
            ("--clip", clip, "--truth", truth, "--serving", "nowhere"),
            "serving.address: 'nowhere' is not a gRPC address",
        ),
        (("--clip", clip, "--truth", truth, "--model", "mine"), "--model names a model of a server that runs"),
        (("--clip", clip, "--truth", truth, "--model-path", tmp_path), f"--model-path {tmp_path}: holds no version"),
    ):
        assert says in refused(capsys, *arguments)


def test_a_missing_pycocotools_is_one_sentence(
    tmp_path: Path, clip: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pycocotools is not installed the sentence says how to install it."""
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    truth = write_truth(tmp_path, [{"frame": 0, "boxes": []}])
    sentence = refused(capsys, "--clip", clip, "--truth", truth)
    assert sentence == (
        "sightline: evaluate needs pycocotools, which is not installed: `pip install 'sightline[evaluate]'`"
    )


async def test_a_class_the_model_does_not_know_is_one_sentence(tmp_path: Path, clip: Path) -> None:
    """A truth in other classes than the model's is refused with those it has, and no process is left."""
    truth = write_truth(tmp_path, [{"frame": 7, "boxes": [["car", *FOUND]]}])
    async with run_fake_model_server(CONTRACT) as server:
        process = Process(command(clip, truth, "--serving", server.address, "--model", "numbers"))
        try:
            assert await asyncio.to_thread(process.wait, PATIENCE_S) == 2
            sentence = process.output.splitlines()[-1]
        finally:
            process.stop()
    assert sentence == (f"sightline: {truth}: frame 7: the model knows no 'car'; its classes are insulator, defect")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_ends_it(tmp_path: Path, clip: Path, number: signal.Signals) -> None:
    """SIGINT and SIGTERM end it with 130, without a traceback and without a figure."""
    truth = write_truth(tmp_path, [{"frame": 0, "boxes": []}])
    async with run_fake_model_server(CONTRACT) as server:
        answer_always(server)
        with run_process(command(clip, truth, "--serving", server.address, "--model", "numbers")) as process:
            while not server.batches:  # the first sample says that the camera plays
                assert process.returncode is None, process.output
                await asyncio.sleep(0.05)
            process.signal(number)
            assert await asyncio.to_thread(process.wait) == 130
            assert "Traceback" not in process.output, process.output
            assert "frames shown" not in process.output
            assert process.output.splitlines()[-1].endswith("stopped")
