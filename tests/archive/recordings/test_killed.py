"""A service that is killed while it records: what was on disk plays, and the index and the disk say the same."""

import random
import sys
from pathlib import Path

import pytest

from streamer.archive.archive import Archive
from streamer.archive.recordings.recovery import Recovery
from streamer.archive.retention import RetentionRules
from streamer.archive.sqlite import Sqlite
from streamer.values.clock import monotonic
from tests.archive.recordings.coded import FPS, numbers_in
from tests.peers.clip import make_clip
from tests.peers.process import Process, run_process
from tests.peers.required import REPOSITORY
from tests.peers.until import wait_until

KILLS = 20
ENVIRONMENT = {"PYTHONPATH": f"{REPOSITORY / 'site'}:{REPOSITORY}"}


@pytest.mark.timeout(240)
async def test_twenty_kills_lose_nothing_that_was_on_disk(tmp_path: Path) -> None:
    """Killed at random, again and again: every second it said was on disk is there, and the index knows each file."""
    dice = random.Random(16)
    clip = make_clip(tmp_path / "clip.mkv", width=160, height=120, fps=FPS, seconds=4, gop=FPS)
    folder = tmp_path / "archive"
    folder.mkdir()
    announced: dict[str, int] = {}
    for _ in range(KILLS):
        with run_process([sys.executable, "-m", "tests.archive.recordings.filming", clip, folder], ENVIRONMENT) as life:
            _wait_for_words(life, dice.randint(1, 12))
            life.kill()
            output = life.output
        whole, _, _ = output.rpartition("\n")
        assert "Traceback" not in whole, whole
        announced |= {id_: int(pictures) for id_, pictures in (line.split() for line in whole.splitlines())}
    archive = Archive(Sqlite(folder / "sightline.db"), folder / "pictures", RetentionRules(), clock=monotonic)
    await archive.open()
    Recovery(archive.recordings, lambda _: False).run()
    kept = await archive.recordings.segments("gate", 0, 1e11, 10_000)
    await archive.close()
    for segment in kept:
        numbers = numbers_in(archive.recordings.path(segment))
        assert numbers == [(numbers[0] + number) % (4 * FPS) for number in range(len(numbers))]
        assert len(numbers) == segment.pictures >= announced.get(segment.id, 0)
        assert segment.ended_at is not None
    assert announced.keys() <= {segment.id for segment in kept}
    assert {segment.id for segment in kept} == {path.stem for path in (folder / "recordings").rglob("*.mp4")}


def _wait_for_words(process: Process, count: int) -> None:
    wait_until(lambda: len(process.output.splitlines()) >= count or process.returncode is not None)
