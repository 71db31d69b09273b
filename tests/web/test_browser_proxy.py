"""The page behind nginx as people set it up, in a real browser: in a folder, or under a name of its own."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Response

from tests.peers.chromium import connect, run_chromium
from tests.peers.nginx import run_nginx
from tests.peers.process import free_port
from tests.peers.service import Service, run_service, until
from tests.peers.whep_viewer import watch_whep

pytestmark = pytest.mark.timeout(300)

NAME = "cameras.example"
TAKES_AWAY = "location /sightline/ {{ proxy_pass http://{host}/; }}"
SAYS_SO = "location /sightline/ {{ proxy_pass http://{host}/; proxy_set_header X-Forwarded-Prefix /sightline; }}"
KEEPS = "location /sightline {{ proxy_pass http://{host}; }}"
ITS_OWN = "location / {{ proxy_pass http://{host}; }}"
HOST_KEPT = "location / {{ proxy_pass http://{host}; proxy_set_header Host $host; }}"


@contextmanager
def behind(clip: Path, location: str, **server: object) -> Iterator[tuple[Service, int]]:
    """A service with one video, and the port of the nginx before it."""
    config = {
        "server": server,
        "serving": {"address": f"127.0.0.1:{free_port()}"},
        "streams": {"road": {"url": f"file://{clip}"}},
    }
    with ExitStack() as running:
        service = running.enter_context(run_service(config))
        host = service.url.removeprefix("http://")
        yield service, running.enter_context(run_nginx(location.format(host=host)))


@pytest.fixture(scope="module")
def devtools() -> Iterator[str]:
    """Run a Chromium that knows the name."""
    with run_chromium(f"--host-resolver-rules=MAP {NAME} 127.0.0.1") as devtools:
        yield devtools


@pytest.fixture
async def named(devtools: str) -> AsyncIterator[Browser]:
    """Give it."""
    async with connect(devtools) as browser:
        yield browser


async def open_page(browser: Browser, url: str) -> tuple[Page, list[str]]:
    """Open the page; what it was refused is in the list."""
    page, refused = await browser.new_page(), list[str]()

    def note(response: Response) -> None:
        if response.status >= 400:
            refused.append(f"{response.status} {response.request.method} {response.url}")

    page.on("response", note)
    await page.goto(url)
    return page, refused


async def plays_by(page: Page, transport: str) -> None:
    """Wait until the video comes, and comes that way."""
    seen = ""

    async def comes() -> bool:
        nonlocal seen
        viewer = page.locator("stream-viewer")
        seen = await viewer.get_attribute("data-transport") or "" if await viewer.count() else "no viewer"
        return seen == transport

    await until(comes, lambda: f"the video comes by {seen!r}, not {transport!r}")


async def has_sessions(service: Service, transport: str, count: int) -> None:
    """Wait until the service counts so many viewers of a kind."""

    async def counted() -> bool:
        return (await service.metrics()).sum("sightline_sessions", transport=transport) == count

    await until(counted, lambda: f"there are not {count} viewers by {transport}")


STOP = """() => {
  const { player } = document.querySelector("stream-viewer");
  player.start = () => {};  // as the tile would with the next news of its stream
  player.stop();
}"""


@pytest.mark.parametrize(
    ("location", "server"),
    [
        (TAKES_AWAY, {}),
        (TAKES_AWAY, {"base_path": "/sightline"}),
        (SAYS_SO, {"trusted_proxies": ["127.0.0.1"]}),
        (KEEPS, {"base_path": "/sightline"}),
    ],
)
async def test_the_page_works_in_a_folder(
    named: Browser, numbered_clip: Path, location: str, server: dict[str, object]
) -> None:
    """Whether the proxy takes the folder away, says so, or keeps it: video, events, pictures, and the session's end."""
    with behind(numbered_clip, location, **server) as (service, port):
        await service.wait_for_state("road", "live", "stale")
        page, refused = await open_page(named, f"http://localhost:{port}/sightline/?transport=webrtc")
        await plays_by(page, "webrtc")
        await has_sessions(service, "events", 1)
        await page.evaluate(STOP)
        await has_sessions(service, "whep", 0)
        await page.goto(f"http://localhost:{port}/sightline/?transport=mjpeg")
        await plays_by(page, "mjpeg")
        assert refused == []
        await page.close()


async def test_a_session_is_where_the_proxy_has_it(numbered_clip: Path) -> None:
    """What a client is told of where its session is can be asked for, and a path without the slash finds the page."""
    with behind(numbered_clip, KEEPS, base_path="/sightline") as (service, port):
        await service.wait_for_state("road", "live", "stale")
        through = Service(service.process, f"http://localhost:{port}", service.path)
        page = await through.ask("/sightline")
        assert (page.status, b"<title>" in page.body) == (200, True)
        async with watch_whep(Service(service.process, f"{through.url}/sightline", service.path), "road") as viewer:
            assert viewer.location.startswith("/sightline/whep/road/")
        assert (await service.ask("/healthz")).status == 200


@pytest.mark.parametrize("location", [ITS_OWN, HOST_KEPT])
async def test_the_page_works_under_a_name_over_plain_http(named: Browser, numbered_clip: Path, location: str) -> None:
    """Where browsers do not say which page asks, and whichever Host the proxy sends, a configured name is enough."""
    with behind(numbered_clip, location, names=[NAME]) as (service, port):
        await service.wait_for_state("road", "live", "stale")
        page, refused = await open_page(named, f"http://{NAME}:{port}/?transport=webrtc")
        await plays_by(page, "webrtc")
        assert refused == []
        await page.close()


async def test_a_page_that_may_not_have_webrtc_says_why(named: Browser, numbered_clip: Path) -> None:
    """Under a name that is not configured the pictures come another way, and what to set stands on the page."""
    with behind(numbered_clip, ITS_OWN) as (service, port):
        await service.wait_for_state("road", "live", "stale")
        page, _ = await open_page(named, f"http://{NAME}:{port}/")
        await plays_by(page, "mjpeg")
        notice = await page.locator("stream-viewer .notice").inner_text()
        assert "Not by WebRTC" in notice
        assert "server.names" in notice
        await page.close()
