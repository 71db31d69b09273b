"""What the browser says on its console of a fresh page, on the real service: nothing, where nothing is wrong."""

import socket
from collections.abc import Iterator

import pytest
from playwright.async_api import ConsoleMessage, Page, Response, expect

from tests.peers.clip import make_clip
from tests.peers.model_server import ModelServer
from tests.peers.process import free_port
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.service import Service, run_service, until

pytestmark = pytest.mark.timeout(300)

PATIENCE_MS = 60_000


class Complaints(list[str]):
    """Errors on a page's console, and responses that refuse, in the order they came."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.polls = 0
        """Times the page has read the list of streams."""
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("response", self._answered)

    async def after_polls(self, count: int) -> list[str]:
        """Wait until the page has read the list that many times more; what there is then."""
        wanted = self.polls + count

        async def read() -> bool:
            return self.polls >= wanted

        await until(read, lambda: f"the list was read {self.polls} times, not {wanted}")
        return list(self)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.append(message.text)

    def _answered(self, response: Response) -> None:
        self.polls += response.url.endswith("/api/streams")
        if response.status >= 400:
            self.append(f"{response.request.method} {response.url}: {response.status}")


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """Run a camera that works."""
    with run_rtsp_server({"/road": make_clip(tmp_path_factory.mktemp("clip") / "road.mp4", seconds=2)}) as camera:
        yield camera


@pytest.fixture(scope="module")
def service(camera: RtspServer, model_server: ModelServer) -> Iterator[Service]:
    """Run the service on that camera, one that is not there, one that says nothing, and one that is paused."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        streams = {
            "away": {"url": f"rtsp://127.0.0.1:{free_port()}/road"},
            "live": {"url": camera.url("/road")},
            "paused": {"url": camera.url("/road"), "paused": True},
            "silent": {"url": f"rtsp://127.0.0.1:{silent.getsockname()[1]}/road"},
        }
        serving = {"address": model_server.address, "model": model_server.model}
        with run_service({"serving": serving, "streams": streams}) as service:
            yield service


@pytest.mark.parametrize("view", ["", "?transport=mjpeg", "#away", "#paused", "#silent"])
async def test_a_fresh_page_logs_no_error(page: Page, service: Service, view: str) -> None:
    """Streams that are live, away, paused or without a picture yet are no error of the page's, large or small."""
    expect.set_options(timeout=PATIENCE_MS)
    for name, state in {"away": "offline", "live": "live", "paused": "paused"}.items():
        await service.wait_for_state(name, state)
    complaints = Complaints(page)
    await page.goto(f"{service.url}/{view}")
    await expect(page.locator("[name=away]")).to_have_attribute("data-state", "offline")
    await expect(page.locator("[name=paused]")).to_have_attribute("data-state", "paused")
    if not view.startswith("#"):
        transport = "mjpeg" if view else "webcodecs"
        await expect(page.locator("[name=live]")).to_have_attribute("data-transport", transport)
    assert await complaints.after_polls(3) == []


async def test_a_page_without_streams_logs_no_error(page: Page, model_server: ModelServer) -> None:
    """A service that was only just set up has no streams, and a page that says so."""
    expect.set_options(timeout=PATIENCE_MS)
    complaints = Complaints(page)
    with run_service({"serving": {"address": model_server.address, "model": model_server.model}}) as service:
        await page.goto(service.url)
        await expect(page.locator(".empty")).to_contain_text("No streams yet")
        assert await complaints.after_polls(2) == []


async def test_a_tile_that_goes_logs_no_error(page: Page, service: Service) -> None:
    """A viewer that leaves ends its session before its connection, and so ends one that the server still knows."""
    expect.set_options(timeout=PATIENCE_MS)
    await service.wait_for_state("live", "live")
    complaints = Complaints(page)
    await page.goto(f"{service.url}/?transport=webrtc")
    tile = page.locator("[name=live]")
    await expect(tile).to_have_attribute("data-transport", "webrtc")
    async with page.expect_response(lambda response: response.request.method == "DELETE") as deleted:
        await tile.evaluate("tile => tile.remove()")
    assert (await deleted.value).status == 200
    assert await complaints.after_polls(1) == []
