"""This device's camera, published from the page in a real browser whose camera is a file, to the real service."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pytest
from playwright.async_api import Page, expect

from tests.peers.certificates import make_certificate
from tests.peers.chromium import connect, run_chromium
from tests.peers.clip import draw_frame
from tests.peers.index_detector import NUMBERS, number_of
from tests.peers.model_server import ModelServer
from tests.peers.process import free_port
from tests.peers.service import Service, run_service, until

pytestmark = pytest.mark.timeout(300)

PATIENCE_MS = 60_000
TOKEN = "let-me-publish"
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make what the camera sees: numbered pictures, uncompressed, as Chromium wants them."""
    path = tmp_path_factory.mktemp("camera") / "camera.y4m"
    with av.open(str(path), "w", format="yuv4mpegpipe") as container:
        stream = container.add_stream("wrapped_avframe", rate=30)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for index in range(NUMBERS):
            frame = av.VideoFrame.from_ndarray(draw_frame(index, 640, 480), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def service(model_server: ModelServer) -> Iterator[Service]:
    """Run the service on loopback, as it comes, under a name beside."""
    with run_service({"serving": model_server.settings, "server": {"names": ["plain.example"]}}) as service:
        yield service


@asynccontextmanager
async def page_with_camera(*flags: str) -> AsyncIterator[Page]:
    """A page in a Chromium that has a camera and lets pages use it."""
    with run_chromium(*CAMERA, *flags) as devtools:
        async with connect(devtools) as browser:
            context = await browser.new_context(ignore_https_errors=True)
            page = await context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            expect.set_options(timeout=PATIENCE_MS)
            yield page


async def test_a_camera_is_published_and_its_boxes_come_back(service: Service, footage: Path) -> None:
    """Start sends the camera's pictures as a stream; beside them it is shown annotated; Stop ends the stream."""
    async with page_with_camera(f"--use-file-for-fake-video-capture={footage}") as page:
        await page.goto(service.url)
        await page.get_by_role("link", name="Use this device’s camera").click()
        await expect(page.locator("camera-panel").get_by_label("Name")).to_have_value("computer")
        await page.locator("camera-panel").get_by_role("button", name="Start").click()
        await expect(page.locator("camera-panel")).to_have_attribute("data-state", "publishing")
        result = page.locator(".result stream-viewer")
        await expect(result).to_have_attribute("data-state", "live")
        await expect(result).to_have_attribute("data-transport", "webcodecs")
        await expect(result.locator(".chips .tag")).to_contain_text("insulator")
        async with service.events("computer") as feed:
            events = [event for _, event in await feed.more(10)]
        assert len({number_of(event) for event in events}) > 5, "the pictures do not move"
        assert {(event["width"], event["height"]) for event in events} <= {(640, 480), (480, 360), (320, 240)}
        await page.locator("camera-panel").get_by_role("button", name="Stop").click()
        await expect(result).to_have_count(0)
        await gone(service, "computer")


async def test_a_page_that_is_closed_takes_its_stream_along(service: Service) -> None:
    """Leaving the page ends the stream, and its silence need not be waited for."""
    async with page_with_camera() as page:
        await page.goto(f"{service.url}#+camera")
        await page.locator("camera-panel").get_by_label("Name").fill("tab")
        await page.locator("camera-panel").get_by_role("button", name="Start").click()
        await service.wait_for_state("tab", "live")
        await page.goto("about:blank")
        await gone(service, "tab")
    assert "vanished" not in service.process.output


RECORD_CONNECTIONS = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); connections.push(this); }
  close() { this.closedWhile ??= this.connectionState; super.close(); }
};
"""


async def test_a_server_that_dies_is_published_to_again(model_server: ModelServer) -> None:
    """A page whose server is killed publishes to the next one, before the browser calls the connection broken."""
    serving = model_server.settings
    config = {"server": {"port": free_port()}, "serving": serving}
    async with page_with_camera() as page:
        await page.add_init_script(RECORD_CONNECTIONS)
        panel, result = page.locator("camera-panel"), page.locator(".result stream-viewer")
        with run_service(config) as service:
            await page.goto(f"{service.url}#+camera")
            await panel.get_by_role("button", name="Start").click()
            await expect(result).to_have_attribute("data-transport", "webcodecs")
            service.process.kill()
        await expect(panel).to_have_attribute("data-state", "retrying")
        assert await page.evaluate("connections[0].closedWhile") == "disconnected"
        with run_service(config):
            await expect(panel).to_have_attribute("data-state", "publishing")
            await expect(result).to_have_attribute("data-state", "live")
            await expect(panel.locator(".own > .problem")).to_have_text("")
            open_ones = "connections.filter(({ signalingState }) => signalingState !== 'closed').length"
            assert await page.evaluate(open_ones) == 1  # its own: what it sends comes back by another way
            await panel.get_by_role("button", name="Stop").click()


async def test_a_name_that_is_taken_is_a_sentence(service: Service) -> None:
    """A refusal is shown in the server's own words, and the form is there to try again."""
    async with page_with_camera() as page, page_with_camera() as other:
        for each in (page, other):
            await each.goto(f"{service.url}#+camera")
            await each.locator("camera-panel").get_by_label("Name").fill("same")
        await page.locator("camera-panel").get_by_role("button", name="Start").click()
        await expect(page.locator("camera-panel")).to_have_attribute("data-state", "publishing")
        await other.locator("camera-panel").get_by_role("button", name="Start").click()
        await expect(other.locator("camera-panel .own > .problem")).to_contain_text("Somebody publishes 'same' already")
        await expect(other.locator("camera-panel").get_by_role("button", name="Start")).to_be_visible()
        await page.locator("camera-panel").get_by_role("button", name="Stop").click()
    await gone(service, "same")


async def test_over_https_with_a_token(model_server: ModelServer, tmp_path: Path) -> None:
    """With server.tls the page is served over https and may use a camera; the token is asked for, and shown nowhere."""
    certificate = make_certificate("localhost")
    (cert := tmp_path / "cert.pem").write_text(certificate.cert)
    (key := tmp_path / "key.pem").write_text(certificate.key)
    config = {
        "server": {"host": "0.0.0.0", "tls": {"cert": str(cert), "key": str(key)}},
        "serving": model_server.settings,
        "ingress": {"names": ["phone-*"], "token": TOKEN},
        "access": {"anonymous": ["view"]},
    }
    with run_service(config) as service:
        assert service.url.startswith("https://")
        async with page_with_camera() as page:
            await page.goto(f"{service.url}#+camera")
            await expect(page.locator("camera-panel").get_by_label("Name")).to_have_value("phone-computer")
            await page.locator("camera-panel").get_by_role("button", name="Start").click()
            await expect(page.locator("camera-panel .problem")).to_contain_text("needs the token")
            await page.locator("camera-panel").get_by_label("Token").fill(TOKEN)
            await page.locator("camera-panel").get_by_role("button", name="Start").click()
            await service.wait_for_state("phone-computer", "live")
            await page.locator("camera-panel").get_by_role("button", name="Stop").click()
        assert TOKEN not in service.process.output


async def test_a_page_that_is_not_secure_says_so(service: Service) -> None:
    """Where the browser gives no camera, the page says why and what helps, in the place of the form."""
    port = service.url.rpartition(":")[2]
    async with page_with_camera(f"--host-resolver-rules=MAP plain.example 127.0.0.1:{port}") as page:
        await page.goto(f"http://plain.example:{port}/#+camera")
        await expect(page.locator(".insecure")).to_contain_text("server.tls")
        await expect(page.locator("camera-panel").get_by_role("button", name="Start")).to_be_hidden()


async def test_where_nobody_may_publish_nothing_is_offered(model_server: ModelServer) -> None:
    """A page of a server that takes no publishers has no button for it."""
    serving = model_server.settings
    with run_service({"serving": serving, "ingress": {"names": []}}) as service:
        async with page_with_camera() as page:
            await page.goto(service.url)
            await expect(page.locator(".empty")).to_contain_text("No streams yet")
            await expect(page.locator(".use-camera")).to_be_hidden()


async def gone(service: Service, name: str) -> None:
    """Wait until a stream is not listed any more."""

    async def unlisted() -> bool:
        return (await service.ask(f"/api/streams/{name}")).status == 404

    await until(unlisted, lambda: f"{name} is still there:\n{re.sub('.*cygrpc.*', '', service.process.output)}")
