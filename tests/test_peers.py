"""The peers themselves: a test that leans on one must not be the first to find it broken."""

import asyncio
import gc
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import islice, pairwise
from pathlib import Path

import av
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page

from tests.peers import required
from tests.peers.clip import draw_frame, make_clip, read_index
from tests.peers.front import SETTLE, run_front
from tests.peers.process import Process, free_port, run_process
from tests.peers.prometheus import run_prometheus
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.until import wait_until

TCP = {"rtsp_transport": "tcp", "timeout": "1000000"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a clip of ten frames, with frames sent out of order, so that a second of reading crosses several loops."""
    return make_clip(tmp_path_factory.mktemp("clip") / "ten.mp4", seconds=1 / 3, gop=5, b_frames=2)


def read(container: av.container.InputContainer) -> Iterator[tuple[float | None, int]]:
    """Decode (time in seconds, number drawn into the frame)."""
    for frame in container.decode(video=0):
        yield frame.time, read_index(frame.to_ndarray(format="rgb24"))


def test_clip_frames_carry_their_number(clip: Path) -> None:
    """Every frame of a clip can be told by its picture after encoding and decoding."""
    with av.open(str(clip)) as container:
        assert [index for _, index in read(container)] == list(range(10))


@pytest.mark.parametrize("index", [0, 1, 255, 21845, 65535])
def test_index_is_read_at_any_size(index: int) -> None:
    """A frame's number is read back from the drawing at any width of at least 64 pixels."""
    assert [read_index(draw_frame(index, width, 48)) for width in (64, 100, 1280)] == [index] * 3


def test_rtsp_server_loops_with_rising_time(clip: Path) -> None:
    """A mount repeats its clip's frames in order while their time keeps rising, one frame's length at a time."""
    with run_rtsp_server({"/a": clip}) as server, av.open(server.url("/a"), format="rtsp", options=TCP) as container:
        frames = list(islice(read(container), 31))
    assert [index for _, index in frames] == [number % 10 for number in range(31)]
    # FFmpeg knows no time for what it read before the answer to PLAY.
    times = [at for at, _ in frames if at is not None]
    assert len(times) >= 25
    assert [after - before for before, after in pairwise(times)] == pytest.approx([1 / 30] * (len(times) - 1), abs=2e-4)


def test_rtsp_server_freezes(clip: Path) -> None:
    """A frozen server sends nothing to a connected client, whose read then times out."""
    with run_rtsp_server({"/a": clip}) as server, av.open(server.url("/a"), format="rtsp", options=TCP) as container:
        server.freeze()
        with pytest.raises(av.FFmpegError):
            list(read(container))


def test_rtsp_server_goes_on_where_it_froze(clip: Path) -> None:
    """An unfrozen server sends the next frame of its clip, with the time that has passed meanwhile."""
    with run_rtsp_server({"/a": clip}) as server, av.open(server.url("/a"), format="rtsp", options=TCP) as container:
        server.freeze()
        time.sleep(0.5)
        server.unfreeze()
        frames = list(islice(read(container), 60))
    assert [index for _, index in frames] == [number % 10 for number in range(60)]
    times = [at for at, _ in frames if at is not None]
    assert max(after - before for before, after in pairwise(times)) >= 0.5


def test_rtsp_server_dies_and_returns(clip: Path) -> None:
    """A killed server refuses connections, and is reached at the same URLs after its restart."""
    with run_rtsp_server({"/a": clip, "/b": clip}) as server:
        server.kill()
        with pytest.raises(av.FFmpegError):
            av.open(server.url("/b"), format="rtsp", options=TCP)
        server.restart()
        with av.open(server.url("/b"), format="rtsp", options=TCP) as container:
            assert next(read(container))[1] == 0


def test_rtsp_server_asks_for_its_password(clip: Path) -> None:
    """A server with a password answers "unauthorized" to a client that does not know it."""
    with run_rtsp_server({"/a": clip}, user="watch", password="s3cret") as server:
        with pytest.raises(av.HTTPUnauthorizedError):
            av.open(server.url("/a", login=False), format="rtsp", options=TCP)
        with av.open(server.url("/a"), format="rtsp", options=TCP) as container:
            assert next(read(container))[1] == 0


async def answer(_request: web.Request) -> web.Response:
    """Answer with one metric, whatever was asked."""
    return web.Response(text='sightline_frames_total{stream="a"} 7\n')


async def test_chromium_renders_a_page(page: Page) -> None:
    """A page runs its scripts and shows what they wrote."""
    await page.set_content("<p></p><script>document.querySelector('p').textContent = 6 * 7</script>")
    assert await page.inner_text("p") == "42"


async def test_chromium_contexts_share_nothing(browser: Browser) -> None:
    """What one context stores is not seen in the next."""
    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as server:
        seen = []
        for _ in range(2):
            context = await browser.new_context()
            page = await context.new_page()
            await page.goto(str(server.make_url("/")))
            seen.append(await page.evaluate("localStorage.length"))
            await page.evaluate("localStorage.setItem('left', 'behind')")
            await context.close()
    assert seen == [0, 0]


async def test_prometheus_scrapes_and_answers(tmp_path: Path) -> None:
    """Prometheus scrapes a page of metrics and answers a query about it."""
    app = web.Application()
    app.router.add_get("/metrics", answer)
    async with TestServer(app) as server:
        config = tmp_path / "prometheus.yml"
        config.write_text(
            "scrape_configs: [{job_name: it, scrape_interval: 1s,"
            f" static_configs: [{{targets: ['{server.host}:{server.port}']}}]}}]"
        )
        async with run_prometheus(config) as prometheus:
            [(labels, value)] = await prometheus.wait_for("sightline_frames_total")
    assert (labels["stream"], value) == ("a", 7.0)


def test_process_output_is_kept() -> None:
    """What a program prints can be waited for and read."""
    with run_process([sys.executable, "-c", "print('here I am')"], ready="here I am") as process:
        assert process.wait() == 0


def test_process_that_ends_early_is_reported() -> None:
    """Waiting for what a program never printed fails with its exit status and its output."""
    with (
        run_process([sys.executable, "-c", "print('no'); raise SystemExit(3)"]) as process,
        pytest.raises(AssertionError, match=r"(?s)status 3.*no"),
    ):
        process.wait_for_output("yes")


def test_process_leaves_no_children() -> None:
    """Stopping a program stops what it started, even where it ignores being asked."""
    script = "import signal, subprocess; signal.signal(15, signal.SIG_IGN); child = subprocess.Popen(['sleep', '99']); "
    process = Process([sys.executable, "-c", script + "print('pid', child.pid, 'child', flush=True); child.wait()"])
    process.wait_for_output("child")
    child = int(process.output.split()[1])
    process.stop(timeout=0.1)
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: is_gone(child))  # it is told to end, and takes its turn to


def is_gone(pid: int) -> bool:
    """Whether a process has ended, be it that nobody has asked with what."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_missing_tool_skips_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a tool a test is skipped, and the reason names the tool."""
    monkeypatch.setitem(required._TOOLS, "anvil", lambda: False)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="anvil"):
        required.requires("anvil")


def test_missing_tool_fails_on_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under CI=true a missing tool is a failure."""
    monkeypatch.setitem(required._TOOLS, "anvil", lambda: False)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="anvil"):
        required.requires("anvil")


def test_data_file_is_found_by_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGHTLINE_DATA names the data folder; a file it lacks is a failure that names it: somebody said it is there."""
    monkeypatch.setenv("SIGHTLINE_DATA", str(tmp_path))
    (tmp_path / "here.mp4").touch()
    assert required.data_file("here.mp4") == tmp_path / "here.mp4"
    with pytest.raises(pytest.fail.Exception, match=r"gone\.mp4"):
        required.data_file("gone.mp4")
    monkeypatch.delenv("SIGHTLINE_DATA")
    with pytest.raises(pytest.skip.Exception, match=r"gone\.mp4"):
        required.data_file("gone.mp4")


def test_processes_of_tests_are_given_other_ports() -> None:
    """What one test run was given no other is, however much later it is bound: each goes round a share of its own."""
    ours = {free_port() for _ in range(300)}
    script = "from tests.peers.process import free_port; print(*(free_port() for _ in range(300)))"
    command = [sys.executable, "-c", script]
    with ExitStack() as running:
        others = [running.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) for _ in "ab"]
        theirs = [set(map(int, other.communicate()[0].split())) for other in others]
    assert all(theirs)
    assert not ours & set[int]().union(*theirs)


async def test_a_front_lets_go_of_who_has_only_just_come() -> None:
    """However far a connection has got when its block ends, the front has closed its end before the loop does."""
    for turns in range(2 * SETTLE):
        async with run_front(free_port()) as front:
            reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
            for _ in range(turns):
                await asyncio.sleep(0)
        async with asyncio.timeout(10):  # or for ever
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.close()
        with suppress(ConnectionResetError):
            await writer.wait_closed()
        gc.collect()  # what is left open is a warning here, and an error by that
