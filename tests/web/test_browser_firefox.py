"""The page in Firefox, a browser of another make. Debian's comes without H.264, so it is one that takes VP8 alone."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.peers.clip import make_clip
from tests.peers.firefox import FirefoxPage, run_firefox
from tests.peers.model_server import ModelServer
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, run_service
from tests.web.exactness import IS_EXACT, SAVE, compare, hear_answers

pytestmark = pytest.mark.timeout(300)

CAMERA = {"media.navigator.streams.fake": True, "media.navigator.permission.disabled": True}
"""A camera that shows a colour changing, and no question about it."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, model_server: ModelServer) -> Iterator[Service]:
    """Run the service on one camera."""
    clip = make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", width=640, height=480)
    with run_rtsp_server({"/road": clip}) as camera:
        config = {
            "serving": model_server.settings,
            "streams": {"road": {"url": camera.url("/road")}},
        }
        with run_service(config) as service:
            yield service


@pytest.fixture
async def page() -> AsyncIterator[FirefoxPage]:
    """Give a Firefox that has a camera."""
    async with run_firefox(CAMERA) as page:
        yield page


async def test_firefox_plays_the_annotated_video(service: Service, page: FirefoxPage) -> None:
    """WebRTC's own video moves, in VP8."""
    await page.goto(f"{service.url}/?transport=webrtc")
    await page.until("document.querySelector('stream-viewer')?.dataset.transport === 'webrtc'")
    await page.until("document.querySelector('stream-viewer video').currentTime > 2")
    assert await page.evaluate("document.querySelector('stream-viewer video').videoWidth") == 640
    metrics = await service.metrics()
    assert metrics.sum("sightline_sessions", stream="road", transport="whep") == 1


async def test_firefox_decodes_the_cameras_own_video(service: Service, page: FirefoxPage) -> None:
    """Left to itself it takes the camera's own H.264, which it decodes for pages and not for WebRTC."""
    await page.goto(service.url)
    await page.until("document.querySelector('stream-viewer')?.dataset.transport === 'webcodecs'")
    await page.until("document.querySelector('stream-viewer').player.frames > 30")


async def test_a_picture_in_firefox_has_the_boxes_that_were_found_in_it(service: Service, page: FirefoxPage) -> None:
    """What the model found in a picture lies on that very picture there too: the box says its number."""
    await page.goto(f"{service.url}/#road")
    await page.until("document.querySelector('stream-viewer')?.dataset.transport === 'webcodecs'")
    async with hear_answers(service, "road") as answers:
        await page.evaluate(f"({SAVE})(4 / 3)")
        await page.until(f"painted.filter({IS_EXACT}).length > 40")
        painted, seen = await page.evaluate("[painted, seen]")
    compared, wrong = compare(painted, seen, answers)
    assert compared > 20
    assert wrong == 0


async def test_firefox_publishes_its_camera(service: Service, page: FirefoxPage) -> None:
    """What it films is a stream like any other, and comes back annotated; Stop ends it."""
    await page.goto(f"{service.url}#+camera")
    await page.until("document.querySelector('camera-panel form .start')?.checkVisibility()")
    await page.evaluate("document.querySelector('camera-panel [name=stream]').value = 'firefox'")
    await page.evaluate("document.querySelector('camera-panel .start').click()")
    await service.wait_for_state("firefox", "live")
    await page.until("document.querySelector('.result stream-viewer')?.dataset.state === 'live'")
    await page.until("document.querySelector('.result stream-viewer video').currentTime > 1")
    await page.evaluate("document.querySelector('camera-panel .start').click()")
    await page.until("fetch('/api/streams').then((r) => r.json()).then((all) => all.length === 1)")
