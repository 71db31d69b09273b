"""streamer.source.relay: ffmpeg as a peer of ours, and what it does not do."""

import signal
import sys
from pathlib import Path

import pytest

from streamer.source.relay import COMMAND, PROGRAM
from streamer.source.target import Target
from tests.peers.clip import make_clip
from tests.peers.process import Process, free_port, run_process
from tests.peers.required import requires
from tests.peers.until import until
from tests.peers.watch import run_watch


async def test_a_program_that_complains_without_end_is_not_held_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ffmpeg complains about is read as it comes: a full pipe would stop a stream with many errors."""
    clip = make_clip(tmp_path / "clip.ts", seconds=2, gop=15)
    program = tmp_path / "bin" / PROGRAM
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nhead -c 1000000 /dev/zero >&2\ncat {clip}\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    async with run_watch(Target("srt://127.0.0.1:9000")) as watch:
        await watch.more(20)


async def test_a_program_that_ends_its_output_alone_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ffmpeg that hands nothing over any more, and does not end, is not waited for."""
    program = tmp_path / "bin" / PROGRAM
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec >&-\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    async with run_watch(Target("srt://127.0.0.1:9000")) as watch:
        assert await watch.ended("timeout") == "the camera did not answer"


async def test_what_comes_by_srt_is_mpeg_ts_alone(tmp_path: Path) -> None:
    """ffmpeg is told to take no list or playlist that a peer might send, which would have it open other things."""
    requires("ffmpeg")
    assert "-format_whitelist concat,mpegts " in " ".join(COMMAND)


LISTENS = """
import sys, time
from streamer.source.relay import Relay
from streamer.source.stop import Stop
relay = Relay([sys.argv[1]], Stop(), listen=True)
print("listening", flush=True)
time.sleep(600)
"""


def children(process: Process) -> list[Path]:
    """The folders in /proc of what a program has started."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [Path("/proc") / pid for pid in listed]


async def test_an_ffmpeg_that_waits_for_a_camera_ends_with_us() -> None:
    """Whatever kills the service, no ffmpeg keeps the port that the next one will listen at."""
    requires("ffmpeg")
    with run_process([sys.executable, "-c", LISTENS, f"srt://127.0.0.1:{free_port()}"], ready="listening") as us:
        [ffmpeg] = children(us)
        await until(lambda: b"concat" in (ffmpeg / "cmdline").read_bytes().split(b"\0"))
        us.signal(signal.SIGKILL)
        us.wait()
        await until(lambda: not ffmpeg.exists())
