"""`sightline detect` as a person meets it: pictures in, labels out, by a model server that is there."""

import csv
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import supervision
from PIL import Image
from pycocotools.coco import COCO

from sightline_models.insulators.data import load_split
from streamer import cli
from streamer.annotate.journal import NAME
from tests.annotate.photos import HEIGHT, WIDTH, write_photo, write_photos
from tests.peers.clip import make_clip
from tests.peers.index_detector import number_of
from tests.peers.model_server import ModelServer
from tests.peers.process import run_process
from tests.peers.until import wait_until

Detect = Callable[..., int]


@pytest.fixture
def detect(model_server: ModelServer) -> Detect:
    """The command, at the session's model server; gives its exit code."""

    def run(*arguments: str | Path) -> int:
        asked = ("--server", model_server.address, "--model", model_server.model)
        return cli.main(["detect", *map(str, arguments), *asked])

    return run


def journal_of(output: Path) -> list[dict[str, Any]]:
    """What a folder's journal says, without its settings."""
    return [json.loads(line) for line in (output / NAME).read_text().splitlines()[1:]]


def files_of(folder: Path) -> dict[str, bytes]:
    """All files but the journal."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != NAME
    }


def test_pictures_are_told_on_stdout(detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --output a line of JSON a picture comes, in the order of their names, in the form of the API's answer."""
    write_photos(tmp_path / "photos", 11)
    assert detect(tmp_path / "photos") == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["name"] for answer in answers] == [f"{number:03d}.jpg" for number in range(11)]
    assert [number_of(answer) for answer in answers] == list(range(11))
    assert answers[0].keys() == {"name", "width", "height", "detections"}
    assert answers[0]["detections"][0].keys() == {"label", "class_id", "score", "box"}


def test_the_csv_is_a_training_set(detect: Detect, tmp_path: Path) -> None:
    """What --format csv writes is read by the bundled detector's own training, pictures and boxes."""
    photos = write_photos(tmp_path / "train", 5)
    assert detect(photos, "--output", tmp_path / "out", "--format", "csv", "--min-score", "0.2") == 0
    (tmp_path / "out" / "labels.csv").rename(tmp_path / "train.csv")
    pictures = load_split(tmp_path, "train")
    assert [picture.name for picture in pictures] == [f"{number:03d}.jpg" for number in range(5)]
    for number, picture in enumerate(pictures):
        assert picture.classes.tolist() == [0, 1]
        left = number / 128 * WIDTH
        expected = [[left, HEIGHT / 4, left + WIDTH / 2, HEIGHT * 3 / 4], [0, 0, WIDTH, HEIGHT]]
        assert abs(picture.boxes - np.array(expected)).max() <= 1.5


def test_the_xml_is_what_scripts_make_the_csv_of(detect: Detect, tmp_path: Path) -> None:
    """What --format voc writes holds the very rows of --format csv, where the usual script looks for them: by place."""
    photos = write_photos(tmp_path / "photos", 3)
    for form in ("voc", "csv"):
        assert detect(photos, "--output", tmp_path / "out", "--format", form, "--min-score", "0.2") == 0
    rows = []
    for path in sorted((tmp_path / "out" / "labels").iterdir()):
        root = ET.parse(path).getroot()  # noqa: S314  it is ours
        size = root.find("size")
        assert size is not None
        for member in root.findall("object"):
            about = (root.findtext("filename"), size[0].text, size[1].text)
            rows.append([*about, member[0].text, *(member[4][edge].text for edge in range(4))])
    with (tmp_path / "out" / "labels.csv").open(newline="") as file:
        assert rows == list(csv.reader(file))[1:]


@pytest.mark.parametrize("form", ["voc", "yolo", "coco"])
def test_others_read_it(detect: Detect, tmp_path: Path, form: str) -> None:
    """A library that many train with reads pictures, classes and boxes out of each form."""
    photos = write_photos(tmp_path / "set" / "images", 4)
    out = tmp_path / "set"
    assert detect(photos, "--output", out, "--format", form, "--min-score", "0.2") == 0
    read = supervision.DetectionDataset
    if form == "voc":
        found = read.from_pascal_voc(str(photos), str(out / "labels"))
    elif form == "yolo":
        found = read.from_yolo(str(photos), str(out / "labels"), str(out / "data.yaml"))
    else:
        found = read.from_coco(str(photos), str(out / "coco.json"))
    assert sorted(found.classes) == ["defect", "insulator"]
    assert len(found) == 4
    for path, _, boxes in found:
        left = int(Path(path).stem) / 128 * WIDTH
        assert boxes.class_id is not None
        [insulator] = boxes.xyxy[[found.classes[number] == "insulator" for number in boxes.class_id]]
        assert abs(insulator - [left, HEIGHT / 4, left + WIDTH / 2, HEIGHT * 3 / 4]).max() <= 1.5


def test_coco_is_read_by_cocos_own_library(detect: Detect, tmp_path: Path) -> None:
    """Pycocotools finds each picture's boxes, by the model's own class ids."""
    photos = write_photos(tmp_path / "photos", 2)
    assert detect(photos, "--output", tmp_path / "out", "--format", "coco", "--min-score", "0.2") == 0
    coco = COCO(str(tmp_path / "out" / "coco.json"))
    assert [category["name"] for category in coco.loadCats([1, 2])] == ["insulator", "defect"]
    assert [len(coco.getAnnIds(imgIds=[image])) for image in coco.getImgIds()] == [2, 2]
    assert (tmp_path / "out" / "classes.txt").read_text().split() == ["insulator", "defect"]


def test_each_class_has_its_threshold(detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A box counts from its class's own score on, and from the general one where it has none."""
    photo = write_photo(tmp_path / "a.jpg", 1)
    said = {
        (): ["insulator"],  # the model's own 0.4
        ("--min-score", "0.2"): ["insulator", "defect"],
        ("--min-score", "0.2", "--min-score", "insulator=0.95"): ["defect"],
        ("--min-score", "defect=0.25"): ["insulator", "defect"],
    }
    for options, labels in said.items():
        assert detect(photo, *options) == 0
        answer = json.loads(capsys.readouterr().out)
        assert [found["label"] for found in answer["detections"]] == labels


def test_a_class_the_model_has_not_is_refused(
    detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A threshold of an unknown class is a mistake, said with the classes there are."""
    assert detect(write_photo(tmp_path / "a.jpg", 1), "--min-score", "crack=0.3") == 2
    assert "no such class, only insulator, defect" in capsys.readouterr().err


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_photos_are_seen_as_they_are_held(
    detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str], orientation: int
) -> None:
    """A photo is turned as its EXIF says before it is looked at, and its boxes are those of the turned one."""
    assert detect(write_photo(tmp_path / "a.jpg", 37, orientation=orientation)) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["width"], answer["height"], number_of(answer)) == (WIDTH, HEIGHT, 37)


def test_large_photos_are_read_and_too_large_ones_refused(
    detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Photos of 4K's width and of 50 megapixels are looked at; more is refused by its header, in one sentence."""
    write_photo(tmp_path / "4k.jpg", 5, size=(3840, 2880))
    write_photo(tmp_path / "50.jpg", 6, size=(8160, 6120))
    Image.new("1", (8000, 6251)).save(tmp_path / "more.png")
    assert detect(tmp_path) == 1
    captured = capsys.readouterr()
    answers = [json.loads(line) for line in captured.out.splitlines()]
    assert [(answer["width"], number_of(answer)) for answer in answers] == [(3840, 5), (8160, 6)]
    assert "more.png: a picture of 8000 x 6251 is more than 50 megapixels" in captured.err


def test_broken_files_cost_a_sentence_each(detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be read is said in one sentence a file, all else is done, and the exit code is 1."""
    write_photo(tmp_path / "a.jpg", 1)
    whole = write_photo(tmp_path / "z.png", 2).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 64)
    # A playlist would lead elsewhere.
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n")
    (tmp_path / "notes.txt").write_text("not a picture, and not meant to be one")
    assert detect(tmp_path, tmp_path / "missing.jpg") == 1
    captured = capsys.readouterr()
    assert [number_of(json.loads(line)) for line in captured.out.splitlines()] == [1, 2]
    sentences = {
        "cut.png: the picture cannot be decoded",
        "empty.jpg: this is no picture",
        "noise.mp4: it cannot be read as a video",
        "list.mp4: it cannot be read as a video",
        "missing.jpg: No such file or directory",
        "5 could not be read, 1 of other kinds passed over",
    }
    assert {said for said in sentences if sum(said in line for line in captured.err.splitlines()) != 1} == set()
    assert "Traceback" not in captured.err


def test_nothing_that_can_be_read_is_a_mistake(
    detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing at all could be read, or nothing is there, the exit code is 2."""
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    assert detect(tmp_path / "a.jpg") == 2
    assert detect(tmp_path / "missing") == 2
    (tmp_path / "empty").mkdir()
    assert detect(tmp_path / "empty") == 2
    assert "there is no picture and no video in what is given" in capsys.readouterr().err


def test_a_second_run_does_what_is_missing(detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was done stays, also where a person has corrected it; new and changed pictures are looked at."""
    photos, out = write_photos(tmp_path / "photos", 4), tmp_path / "out"
    command = (photos, "--output", out, "--format", "yolo")
    assert detect(*command) == 0
    (out / "labels" / "001.txt").write_text("corrected")
    (out / "labels" / "002.txt").unlink()
    write_photo(photos / "003.jpg", 33)
    write_photo(photos / "004.jpg", 4)
    capsys.readouterr()
    assert detect(*command) == 0
    assert "2 pictures: 2 insulator" in (said := capsys.readouterr().err)
    assert "3 done before" in said
    assert (out / "labels" / "001.txt").read_text() == "corrected"
    assert (out / "labels" / "002.txt").read_text() == f"0 {2 / 128 + 0.25:.6f} 0.500000 0.500000 0.500000\n"
    assert [number_of(line["answer"]) for line in journal_of(out)] == [0, 1, 2, 3, 33, 4]


def test_another_form_needs_no_second_look(detect: Detect, tmp_path: Path) -> None:
    """Answers that are there are written in another form without the model being asked about them again."""
    photos, out = write_photos(tmp_path / "photos", 3), tmp_path / "out"
    for form in ("json", "voc", "csv"):
        assert detect(photos, "--output", out, "--format", form) == 0
    assert len(journal_of(out)) == 3
    assert Counter(path.suffix for path in out.rglob("*.*") if path.name != NAME) == {".json": 3, ".xml": 3, ".csv": 1}


def test_other_settings_are_noticed(detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Answers by two thresholds are not mixed in one folder; --anew does all of it by the new one."""
    photos, out = write_photos(tmp_path / "photos", 2), tmp_path / "out"
    assert detect(photos, "--output", out) == 0
    assert detect(photos, "--output", out, "--min-score", "0.2") == 2
    assert "was made with min_score" in capsys.readouterr().err
    assert detect(photos, "--output", out, "--min-score", "0.2", "--anew") == 0
    assert [len(line["answer"]["detections"]) for line in journal_of(out)] == [2, 2]
    assert len(json.loads((out / "labels" / "000.json").read_text())["detections"]) == 2


def test_two_folders_do_not_share_labels(detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A picture of another folder that would take one's labels is refused, in the same run and in the next."""
    for day in ("monday", "tuesday"):
        write_photo(tmp_path / day / "a.jpg", 1)
    assert detect(tmp_path / "monday", tmp_path / "tuesday", "--output", tmp_path / "out") == 1
    assert detect(tmp_path / "tuesday", "--output", tmp_path / "out") == 2
    assert capsys.readouterr().err.count("its labels would be those of") == 2
    assert detect(tmp_path, "-r", "--output", tmp_path / "other") == 0
    assert [line["answer"]["name"] for line in journal_of(tmp_path / "other")] == ["monday/a.jpg", "tuesday/a.jpg"]


def test_every_frame_of_a_video(detect: Detect, tmp_path: Path) -> None:
    """A video's frames are answered one by one, each there as a picture where labels are to be learned from."""
    make_clip(tmp_path / "clip.mp4", seconds=0.5)
    out = tmp_path / "out"
    assert detect(tmp_path / "clip.mp4", "--output", out, "--format", "voc") == 0
    *frames, end = journal_of(out)
    assert [number_of(line["answer"]) for line in frames] == list(range(15))
    assert frames[3]["answer"]["seconds"] == pytest.approx(0.1)
    assert end["video"] == "clip.mp4"
    found = supervision.DetectionDataset.from_pascal_voc(
        str(out / "images" / "clip.mp4"), str(out / "labels" / "clip.mp4")
    )
    assert len(found) == 15


def test_frames_now_and_then(detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --every a frame is answered each time so many seconds have passed, with its own number and time."""
    make_clip(tmp_path / "clip.mkv", seconds=1, b_frames=2)
    assert detect(tmp_path / "clip.mkv", "--every", "0.3") == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(answer["name"], number_of(answer)) for answer in answers] == [
        (f"clip.mkv/{number:06d}.jpg", number) for number in (0, 9, 18, 27)
    ]


def test_pictures_are_drawn_and_copied(detect: Detect, tmp_path: Path) -> None:
    """With --draw each picture is there with its boxes, upright, and with --copy as it came, byte by byte."""
    photo = write_photo(tmp_path / "photos" / "a.jpg", 1, orientation=6)
    make_clip(tmp_path / "photos" / "clip.mp4", seconds=0.1)
    out = tmp_path / "out"
    assert detect(tmp_path / "photos", "--output", out, "--draw", "--copy") == 0
    with Image.open(out / "drawn" / "a.jpg") as drawn:
        assert drawn.size == (WIDTH, HEIGHT)
        edge = drawn.getpixel((round(WIDTH / 128), HEIGHT // 2))
    assert isinstance(edge, tuple)
    assert max(edge) - min(edge) > 40  # a colour, where the photo is grey
    assert (out / "images" / "a.jpg").read_bytes() == photo.read_bytes()
    assert len(list((out / "drawn" / "clip.mp4").iterdir())) == 3
    assert (out / "labels" / "a.json").stat().st_mode & 0o777 == 0o666 & ~umask()


def test_what_a_run_wrote_is_not_looked_at_by_the_next(detect: Detect, tmp_path: Path) -> None:
    """In a folder that is its own output, frames, copies and drawn pictures of ours are no pictures to be labelled."""
    write_photo(tmp_path / "photos" / "a.jpg", 1)
    make_clip(tmp_path / "clip.mp4", seconds=0.1)
    for _ in range(2):
        assert detect(tmp_path, "-r", "--output", tmp_path, "--format", "csv", "--copy", "--draw") == 0
    names = [line["answer"]["name"] for line in journal_of(tmp_path) if "answer" in line]
    assert names == [*(f"clip.mp4/{number:06d}.jpg" for number in range(3)), "photos/a.jpg"]


def umask() -> int:
    """The process's."""
    os.umask(mask := os.umask(0))
    return mask


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_ended_run_is_gone_on_with(
    model_server: ModelServer, detect: Detect, tmp_path: Path, number: signal.Signals
) -> None:
    """However a run ends, the next does what is missing and nothing twice, and all is as if nothing had happened."""
    photos = write_photos(tmp_path / "photos", 64)
    make_clip(photos / "clip.mp4", seconds=8)
    out, whole = tmp_path / "out", tmp_path / "whole"
    options = ("--output", str(out), "--format", "yolo", "--server", model_server.address)
    command = [sys.executable, "-m", "streamer", "detect", str(photos), *options, "--model", model_server.model]
    with run_process(command) as process:
        wait_until(lambda: (out / NAME).exists() and len(journal_of_now(out)) > 20)
        process.signal(number)
        assert process.wait() == (-signal.SIGKILL if number == signal.SIGKILL else 130)
        assert "Traceback" not in process.output
        assert ("the same command goes on from there" in process.output) == (number != signal.SIGKILL)
    done = len(journal_of_now(out))
    assert done < 64 + 240
    assert detect(photos, "--output", out, "--format", "yolo") == 0
    names = Counter(line["answer"]["name"] for line in journal_of(out) if "answer" in line)
    assert set(names.values()) == {1}
    assert len(names) == 64 + 240
    assert detect(photos, "--output", whole, "--format", "yolo") == 0
    assert files_of(out) == files_of(whole)


def journal_of_now(output: Path) -> list[bytes]:
    """The whole lines of a journal that is being written."""
    return (output / NAME).read_bytes().split(b"\n")[1:-1]


def test_a_name_too_long_for_its_labels_costs_a_sentence(
    detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While it is written a file has a longer name; the others go on, and a second run says the same."""
    photos = write_photos(tmp_path / "photos", 2)
    (photos / "001.jpg").rename(photos / f"{'x' * 251}.jpg")
    assert detect(photos, "--output", tmp_path / "out", "--format", "csv") == 0
    for form in ("json", "json", "voc"):
        capsys.readouterr()
        assert detect(photos, "--output", tmp_path / "out", "--format", form) == 1
        assert "would have a longer name than the disk takes" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out" / "labels").iterdir()) == ["000.json", "000.xml"]


def test_names_may_hold_anything(detect: Detect, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names that are no UTF-8, or hold control characters, go through every form, and none reaches the terminal raw."""
    raw = os.fsdecode(b"caf\xe9 \x1b[31m.jpg")
    write_photo(tmp_path / "photos" / "a.jpg", 1).rename(tmp_path / "photos" / raw)
    (tmp_path / "photos" / os.fsdecode(b"\x1b[2J\xff.png")).touch()
    for form in ("json", "voc", "yolo", "coco", "csv"):
        assert detect(tmp_path / "photos", "--output", tmp_path / "out", "--format", form) == 1
    assert "\x1b" not in capsys.readouterr().err
    assert b"caf\xe9" in (tmp_path / "out" / "labels.csv").read_bytes()
    [xml] = (tmp_path / "out" / "labels").glob("*.xml")
    ET.fromstring(xml.read_text())  # noqa: S314  it is ours


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--format", "voc"], "say where with --output DIR"),
        (["--draw"], "--draw is about a folder"),
        (["--model", "other"], "--model names a model of a server that runs"),
        (["--server", "nowhere"], "is not a gRPC address"),
        (["--config", "missing.yaml"], "missing.yaml"),
    ],
)
def test_what_cannot_be_had_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str], sentence: str
) -> None:
    """Options that make no sense together are a mistake, said in one sentence before anything is started."""
    assert cli.main(["detect", str(tmp_path), *options]) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("score", ["high", "insulator=1.5", "=", "nan"])
def test_a_score_is_a_number_from_0_to_1(capsys: pytest.CaptureFixture[str], score: str) -> None:
    """Whatever is no score is refused, with what is allowed."""
    with pytest.raises(SystemExit, match="2"):
        cli.main(["detect", "a.jpg", "--min-score", score])
    assert "is no score from 0 to 1, alone or as CLASS=S" in capsys.readouterr().err


def test_the_configurations_server_is_asked(
    model_server: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --config the model server and the model are those of that file."""
    (tmp_path / "sightline.yaml").write_text(f"serving: {json.dumps(model_server.settings)}\n")
    photo = write_photo(tmp_path / "a.jpg", 9)
    assert cli.main(["detect", str(photo), "--config", str(tmp_path / "sightline.yaml")]) == 0
    assert number_of(json.loads(capsys.readouterr().out)) == 9
