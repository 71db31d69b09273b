"""streamer.bench.arrival: what is made of pictures as a source handed them on; and the cameras it has."""

from pathlib import Path

import av
import pytest

from streamer.bench import arrival
from streamer.bench.arrival import KINDS, PICTURES, ages_of, beyond_pace
from streamer.bench.footage import RATE, numbered
from streamer.bench.report import ROWS
from streamer.values.errors import SightlineError
from tests.peers.clip import make_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that say their number."""
    folder = tmp_path_factory.mktemp("numbered")
    return numbered(make_clip(folder / "clip.mp4", seconds=10), folder, (320, 240), PICTURES)


def units(clip: Path) -> list[bytes]:
    """As they are sent."""
    with av.open(str(clip)) as source:
        return [bytes(packet) for packet in source.demux(video=0) if packet.size]


def test_a_picture_is_as_old_as_its_number_says(clip: Path) -> None:
    """From when it was due, in whichever round of the clip."""
    epoch, rounds = 50.0, 3 * PICTURES
    seen = [(epoch + (rounds + number) / RATE + 0.012, unit) for number, unit in enumerate(units(clip)[:40])]
    assert ages_of(seen, b"", epoch) == pytest.approx([0.012] * 40)


def test_a_picture_without_a_number_ends_the_measurement(tmp_path: Path) -> None:
    """In one sentence, and not by another picture's age."""
    with pytest.raises(SightlineError, match="could not be read"):
        ages_of([(1.0, unit) for unit in units(make_clip(tmp_path / "clip.ts"))], b"", 0.0)


def test_a_recording_is_as_late_as_it_is_behind_its_promptest_picture() -> None:
    """Wherever in a round of the clip it began, and on both sides of where that begins anew."""
    length = PICTURES / RATE
    ages = [(length - 0.004 + late) % length for late in (0.002, 0.0, 0.010, 0.001)]
    assert beyond_pace(ages) == pytest.approx([0.002, 0.0, 0.010, 0.001])


def test_every_kind_has_its_rows() -> None:
    """The median and the 95th percentile of each."""
    assert {f"{kind}_ms_{part}" for kind in KINDS for part in ("p50", "p95")} == {
        key for part, key, *_ in ROWS if part == "arrival"
    }


@pytest.mark.parametrize("kind", ["rtsp_pushed", "mpegts", "srt", "whip", "hls", "file"])
def test_a_camera_is_measured(kind: str, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its key frame on every picture comes, and none before it was due: an age is never a clip's length."""
    monkeypatch.setattr(arrival, "OPENING", 0)
    ages = arrival._ages(KINDS[kind], clip, 1.5, None)
    assert len(ages) >= RATE
    assert max(ages) < PICTURES / RATE - 1
