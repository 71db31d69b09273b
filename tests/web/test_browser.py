"""The page in a real browser on the real service, with a real camera and a real model server."""

import json
import math
import re
import statistics
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Request, expect

from tests.peers.chromium import connect, run_chromium
from tests.peers.clip import INDEX_BITS, make_clip
from tests.peers.model_server import ModelServer
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.service import Service, run_service, until

pytestmark = pytest.mark.timeout(300)

PATIENCE_MS = 60_000
MIN_FPS = 25
"""What the project promises of a 720p30 camera."""
WINDOW_S = 3

BLOCKED = (
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)
"""Chromium's own switch against WebRTC outside a proxy, by its present and its former name."""

WATCH = """
({ selector, bits }) => {
  const picture = document.querySelector(selector);
  const strip = document.createElement("canvas");
  [strip.width, strip.height] = [bits * 4, 1];
  const context = strip.getContext("2d", { willReadFrequently: true });
  window.shown = [];
  let last = null;
  const look = () => {
    const [width, height] = [picture.videoWidth ?? picture.width, picture.videoHeight ?? picture.height];
    if (width > 0) {
      context.drawImage(picture, 0, Math.floor(height / 16), width, 1, 0, 0, strip.width, 1);
      const { data } = context.getImageData(0, 0, strip.width, 1);
      const number = Array.from({ length: bits }, (_, bit) => (data[(bit * 4 + 2) * 4] > 128 ? "1" : "0")).join("");
      if (number !== last) shown.push(performance.now());
      last = number;
    }
    picture.requestVideoFrameCallback ? picture.requestVideoFrameCallback(look) : requestAnimationFrame(look);
  };
  look();
}
"""
"""Notes when the number drawn into the clip's frames changes on the screen: a frame that is shown twice counts once."""

BEST_RATE = """
(seconds) => {
  const past = shown.filter((start) => start + seconds * 1000 <= performance.now());
  const counts = past.map((start) => shown.filter((at) => at >= start && at < start + seconds * 1000).length);
  return Math.max(0, ...counts) / seconds;
}
"""

READINGS = """
(bits) => {
  const video = document.querySelector("video");
  const strip = document.createElement("canvas");
  [strip.width, strip.height] = [bits * 4, 1];
  const context = strip.getContext("2d", { willReadFrequently: true });
  const read = () => {
    context.drawImage(video, 0, Math.floor(video.videoHeight / 16), video.videoWidth, 1, 0, 0, strip.width, 1);
    const { data } = context.getImageData(0, 0, strip.width, 1);
    return parseInt(Array.from({ length: bits }, (_, bit) => (data[(bit * 4 + 2) * 4] > 128 ? "1" : "0")).join(""), 2);
  };
  window.readings = [];
  window.named = {};
  setInterval(() => {
    const number = read();
    if (number !== readings.at(-1)?.[0]) readings.push([number, performance.now()]);
  }, 4);
  const name = (_, { rtpTimestamp }) => {
    named[rtpTimestamp] = read();
    video.requestVideoFrameCallback(name);
  };
  video.requestVideoFrameCallback(name);
}
"""
"""Reads the number drawn into the picture every few milliseconds, without a word from the browser about its frames; and
which frame has which number."""

COLORED = """
(selector) => {
  const picture = document.querySelector(selector);
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [picture.videoWidth ?? picture.width, picture.videoHeight ?? picture.height];
  const context = copy.getContext("2d");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  let colored = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i + 2] - data[i] > 80) colored++;
  return colored;
}
"""
"""Pixels far bluer than red. The clip is grey and the first label's boxes are cyan: every one of them is annotation."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make what the project promises its rates for: 720p30, moving."""
    return make_clip(tmp_path_factory.mktemp("clip") / "hd.mp4", width=1280, height=720, seconds=4)


@pytest.fixture(scope="module")
def camera(clip: Path) -> Iterator[RtspServer]:
    """Run the camera."""
    with run_rtsp_server({"/line": clip}) as camera:
        yield camera


@pytest.fixture(scope="module")
def service(camera: RtspServer, model_server: ModelServer) -> Iterator[Service]:
    """Run the service on that camera."""
    config = {
        "serving": model_server.settings,
        "streams": {"line-1": {"url": camera.url("/line")}},
    }
    with run_service(config) as service:
        yield service


@pytest.fixture
async def viewer(page: Page, service: Service) -> Page:
    """Give a page that has opened the live stream."""
    await service.wait_for_state("line-1", "live")
    await open_viewer(page, service)
    return page


async def open_viewer(page: Page, service: Service) -> None:
    """Go to the page, with patience for a loaded machine."""
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    await page.set_viewport_size({"width": 1000, "height": 640})
    await page.goto(f"{service.url}/?transport=webrtc")


@asynccontextmanager
async def without_webrtc() -> AsyncIterator[Page]:
    """A page in a Chromium whose WebRTC may not send UDP."""
    with run_chromium(*BLOCKED) as devtools:
        async with connect(devtools) as browser:
            yield await browser.new_page()


async def best_rate(page: Page, selector: str) -> float:
    """Different frames a second on the screen, in the best window; waits a while for one that keeps the promise."""
    await page.evaluate(WATCH, {"selector": selector, "bits": INDEX_BITS})
    best = 0.0

    async def kept() -> bool:
        nonlocal best
        best = float(await page.evaluate(BEST_RATE, WINDOW_S))
        return best >= MIN_FPS

    await until(kept, lambda: f"at most {best:.1f} frames a second were shown in any {WINDOW_S} s")
    return best


async def wait_for_frames(page: Page, selector: str) -> None:
    """Wait until the picture has moved for a second's worth of frames."""
    await page.evaluate(WATCH, {"selector": selector, "bits": INDEX_BITS})
    shown = 0

    async def moved() -> bool:
        nonlocal shown
        shown = int(await page.evaluate("shown.length"))
        return shown > 30

    await until(moved, lambda: f"only {shown} different frames were shown")


async def wait_for_boxes(page: Page, selector: str) -> None:
    """Wait until a box as large as the model's is drawn on the picture."""
    colored = 0

    async def drawn() -> bool:
        nonlocal colored
        colored = int(await page.evaluate(COLORED, selector))
        # The box is half a picture wide and high; its outline is at least two pixels thick.
        return colored > 2 * (1280 + 720)

    await until(drawn, lambda: f"only {colored} pixels of annotation are on the picture")


async def test_webrtc_shows_boxes_at_full_rate(viewer: Page) -> None:
    """A 720p30 camera is seen through WHEP with its boxes, at 25 different frames a second or more."""
    await expect(viewer.locator("stream-viewer")).to_have_attribute("data-transport", "webrtc")
    await wait_for_boxes(viewer, "video")
    assert await best_rate(viewer, "video") >= MIN_FPS
    await expect(viewer.locator("stream-viewer")).to_have_attribute("data-transport", "webrtc")


async def test_blocked_webrtc_falls_back_to_mjpeg_at_full_rate(service: Service) -> None:
    """Where UDP is blocked the page goes over to MJPEG by itself, with the same boxes and rate, and says why.

    The camera's own video, which is the first that is tried where nobody chose, needs none.
    """
    await service.wait_for_state("line-1", "live")
    async with without_webrtc() as page:
        await open_viewer(page, service)
        await expect(page.locator("stream-viewer")).to_have_attribute("data-transport", "mjpeg")
        await expect(page.locator(".facts")).to_contain_text("WebRTC brought no frame within 3 seconds.")
        await wait_for_boxes(page, "canvas")
        assert await best_rate(page, "canvas") >= MIN_FPS
        await page.goto(service.url)
        await expect(page.locator("stream-viewer")).to_have_attribute("data-transport", "webcodecs")


async def test_figures_are_shown(viewer: Page) -> None:
    """The line under the picture gives detections a second, age, frame rate, size and transport."""
    number = r"\d+(\.\d+)?"
    for name, pattern in {
        "detections": rf"^{number} det/s$",
        "age": rf"^{number} m?s$",
        "fps": rf"^{number} fps$",
        "size": "^1280×720$",
        "transport": "^WebRTC$",
    }.items():
        await expect(viewer.locator(f".metric-{name}")).to_have_text(re.compile(pattern))
    await expect(viewer.locator(".seen .tag")).to_have_text("insulator")
    for part in ("network", "paint"):
        await expect(viewer.locator(f".delay-parts [data-part={part}]")).to_have_count(1)
    await expect(viewer.locator(".delay-line")).to_have_attribute("aria-label", re.compile(r"^Delay: .* · .* ms$"))


async def test_painted_frames_are_told_as_they_are_seen(viewer: Page) -> None:
    """What the page reports as a frame's painting is when its number appears on a canvas; the ledger believes it."""
    told: list[tuple[int, float]] = []

    def note(request: Request) -> None:
        if request.url.endswith("/painted"):
            told.extend((frame, painted) for frame, _, painted in json.loads(request.post_data or "{}")["frames"])

    viewer.on("request", note)
    await expect(viewer.locator("stream-viewer")).to_have_attribute("data-transport", "webrtc")
    await viewer.evaluate(READINGS, INDEX_BITS)
    apart: list[float] = []

    async def enough() -> bool:
        apart[:] = differences(told, await viewer.evaluate("({ named, readings })"))
        return len(apart) > 50

    await until(enough, lambda: f"of {len(told)} frames that were told only {len(apart)} were read")
    assert statistics.median(apart) <= 100  # three pictures: on an idle machine it is a quarter of one
    await expect(viewer.locator(".delay-parts")).to_contain_text("Decoding and painting here")


def differences(told: list[tuple[int, float]], seen: dict[str, Any]) -> list[float]:
    """Milliseconds from a frame being told as painted to its number being read, which comes again after 4 s."""
    apart = []
    for frame, painted in told:
        number = seen["named"].get(str(frame))
        nearest = min((abs(painted - at) for read, at in seen["readings"] if read == number), default=math.inf)
        if nearest < 2000:
            apart.append(nearest)
    return apart


async def test_killed_camera_is_offline_and_comes_back(viewer: Page, camera: RtspServer) -> None:
    """A camera that dies is shown offline with the reason over its last picture; it plays again without a reload."""
    tile = viewer.locator("stream-viewer")
    await expect(tile).to_have_attribute("data-transport", "webrtc")
    await viewer.evaluate("window.same = document.querySelector('stream-viewer')")
    camera.kill()
    await expect(tile).to_have_attribute("data-state", "offline")
    await expect(viewer.locator(".badge-text")).to_have_text("Offline")
    await expect(viewer.locator("stream-viewer .cover-reason")).to_contain_text("Last picture at")
    assert await viewer.evaluate("document.querySelector('canvas').width") == 1280
    camera.restart()
    await expect(tile).to_have_attribute("data-state", "live")
    await expect(tile).to_have_attribute("data-transport", "webrtc")
    await wait_for_frames(viewer, "video")
    assert await viewer.evaluate("same === document.querySelector('stream-viewer')")
