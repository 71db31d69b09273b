"""A camera's own video on the page, in a real browser on the real service: which way it comes, whose boxes it has."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, WebSocket, expect

from tests.peers.clip import make_clip
from tests.peers.model_server import ModelServer
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, run_service, until
from tests.peers.udp_relay import relayed
from tests.web.exactness import IS_EXACT, LOOK, compare, hear_answers

pytestmark = pytest.mark.timeout(300)

PATIENCE_MS = 60_000
OF_ONE_TEST = ("bridge", "gate")
"""Streams that rest in all other tests: a page shows all that there are."""
FRAMES, RATE = 60, 30
"""Of the clip, which begins anew after its last: fewer than the detector can tell apart."""


@pytest.fixture(scope="module")
def service(model_server: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run the service on a camera that sends what browsers play, and on one that does not."""
    clips = tmp_path_factory.mktemp("clips")
    plain = make_clip(clips / "plain.mp4", seconds=FRAMES / RATE, gop=30)
    hevc = make_clip(clips / "hevc.mp4", seconds=FRAMES / RATE, codec="libx265")
    small = make_clip(clips / "small.mp4", width=160, height=120, seconds=FRAMES / RATE, gop=30)
    wide = make_clip(clips / "wide.mp4", width=480, height=270, seconds=FRAMES / RATE, gop=30, first=1000)
    mounts: dict[str, Path | list[Path]] = {"/plain": plain, "/hevc": hevc, "/small": small}
    mounts["/changing"] = [plain, wide]
    with run_rtsp_server(mounts) as camera:
        streams = {
            "road": {"url": camera.url("/plain"), "sample_fps": 10},
            "tower": {"url": camera.url("/hevc")},
            "yard": {"url": camera.url("/plain"), "sub": {"url": camera.url("/small")}},
            "bridge": {"url": camera.url("/changing"), "sample_fps": 1},
            "gate": {"url": camera.url("/plain"), "sub": {"url": camera.url("/hevc")}, "sample_fps": 1},
        }
        api = {"allowed": True}
        with run_service({"serving": model_server.settings, "streams": streams, "api_streams": api}) as service:
            for name in OF_ONE_TEST:
                asyncio.run(set_paused(service, name, paused=True))
            yield service


async def set_paused(service: Service, name: str, *, paused: bool) -> None:
    """Have a stream rest, or run."""
    body = json.dumps({"paused": paused})
    answer = await service.ask(f"/api/streams/{name}", method="PATCH", body=body, content_type="application/json")
    assert answer.status == 200, answer.problem


@asynccontextmanager
async def resumed(service: Service, name: str) -> AsyncIterator[None]:
    """Have one run for as long as the block lasts."""
    await set_paused(service, name, paused=False)
    try:
        await service.wait_for_state(name, "live")
        yield
    finally:
        await set_paused(service, name, paused=True)


@pytest.fixture
async def road(page: Page, service: Service) -> Locator:
    """Give the tile of the first, large."""
    expect.set_options(timeout=PATIENCE_MS)
    page.set_default_timeout(PATIENCE_MS)
    await service.wait_for_state("road", "live")
    await page.set_viewport_size({"width": 1000, "height": 640})
    await page.goto(f"{service.url}/#road")
    return page.locator("stream-viewer[name=road]")


async def frames_move(tile: Locator, more: int = 20) -> None:
    """Wait until that many more pictures were shown."""
    before = shown = int(await tile.evaluate("(tile) => tile.player.frames"))

    async def moved() -> bool:
        nonlocal shown
        shown = int(await tile.evaluate("(tile) => tile.player.frames"))
        return shown >= before + more

    await until(moved, lambda: f"only {shown - before} pictures were shown")


async def test_a_picture_has_the_boxes_that_were_found_in_it(page: Page, road: Locator, service: Service) -> None:
    """By WebCodecs, what the model found in a picture lies on that very picture: the box says its number."""
    await expect(road).to_have_attribute("data-transport", "webcodecs")
    async with hear_answers(service, "road") as answers:
        await page.evaluate(LOOK, 4 / 3)

        async def enough() -> bool:
            return bool(await page.evaluate(f"painted.filter({IS_EXACT}).length > 40"))

        await until(enough, lambda: "hardly a picture was shown with its own boxes")
        painted, seen = await page.evaluate("[painted, seen]")
    compared, wrong = compare(painted, seen, answers)
    assert compared > 20
    assert wrong == 0


async def test_what_the_page_has_painted_is_in_the_ledger(road: Locator, service: Service) -> None:
    """Pictures that came as the camera sent them are told of as they are seen, and believed."""
    await expect(road).to_have_attribute("data-transport", "webcodecs")

    latency: dict[str, Any] = {}

    async def told() -> bool:
        latency.update((await service.ask("/api/streams/road")).json()["latency"] or {})
        return bool(latency.get("paint"))

    await until(told, lambda: f"the ledger believes nothing that the page says: {latency}")
    assert (await service.metrics()).sum("sightline_painted_total", stream="road", outcome="taken") > 0
    assert latency["total"] >= latency["paint"]


async def test_a_page_without_webcodecs_plays_by_media_source(browser: Browser, service: Service) -> None:
    """Where the browser has no decoder for pages, as on plain http, the same pictures come through its player."""
    page = await (await browser.new_context()).new_page()
    await page.add_init_script("delete window.VideoDecoder")
    await page.goto(f"{service.url}/#road")
    tile = page.locator("stream-viewer[name=road]")
    await expect(tile).to_have_attribute("data-transport", "mse", timeout=PATIENCE_MS)
    await frames_move(tile)
    await expect(tile.locator(".facts")).to_contain_text("This browser has no WebCodecs.")
    await page.context.close()


SIZES = """
(name) => {
  window.sizes = [];
  window.ways = new Set();
  const tile = document.querySelector(`stream-viewer[name=${name}]`);
  tile.player.onpainted = (time, came, at) => {
    const { videoWidth, videoHeight } = tile.querySelector("video.clean");
    sizes.push([at, `${videoWidth}x${videoHeight}`]);
  };
  new MutationObserver(() => ways.add(tile.dataset.transport)).observe(tile, { attributes: true });
}
"""
"""Notes which size each painted picture has, and by which ways they came."""


def turns(sizes: list[tuple[float, str]]) -> list[str]:
    """Each size once for each time that it came."""
    return [size for size, _ in itertools.groupby(size for _, size in sizes)]


async def test_another_size_of_pictures_is_played_on_by_media_source(browser: Browser, service: Service) -> None:
    """A camera that goes on in another size, and another that is opened and shown small again: by the same way."""
    page = await (await browser.new_context(viewport={"width": 1000, "height": 640})).new_page()
    await page.add_init_script("delete window.VideoDecoder")
    seen: list[str] = []

    async def begin(name: str, path: str) -> None:
        await page.goto(f"{service.url}/{path}")
        tile = page.locator(f"stream-viewer[name={name}]")
        await expect(tile).to_have_attribute("data-transport", "mse", timeout=PATIENCE_MS)
        await page.evaluate(SIZES, name)

    async def shown(*wanted: str) -> None:
        async def came() -> bool:
            seen[:] = turns(await page.evaluate("sizes"))
            return " ".join(wanted) in " ".join(seen)

        await until(came, lambda: f"not {wanted} were shown, but {seen}")
        assert await page.evaluate("[...ways]") in ([], ["mse"])

    async with resumed(service, "bridge"):
        await begin("bridge", "#bridge")
        await shown("320x240", "480x270", "320x240", "480x270")
    await service.wait_for_state("yard", "live")
    await begin("yard", "?small")
    await shown("160x120")
    await page.evaluate("location.hash = 'yard'")
    await shown("160x120", "320x240")
    await page.evaluate("location.hash = ''")
    await shown("160x120", "320x240", "160x120")
    await page.context.close()


async def test_what_browsers_do_not_play_comes_with_its_boxes_drawn(page: Page, service: Service) -> None:
    """H.265 is shown by WebRTC without anybody's doing, and why is said."""
    await service.wait_for_state("tower", "live")
    await page.goto(f"{service.url}/#tower")
    tile = page.locator("stream-viewer[name=tower]")
    await expect(tile).to_have_attribute("data-transport", "webrtc", timeout=PATIENCE_MS)
    await expect(tile.locator(".facts")).to_contain_text("hevc")


async def test_who_loses_udp_alone_has_the_pictures_by_http(page: Page, browser: Browser, service: Service) -> None:
    """A firewall that drops one viewer's datagrams: he is shown JPEG, told why, and leaves; the others play on.

    Once they pass again he has WebRTC again.
    """
    await service.wait_for_state("tower", "live")
    other = await (await browser.new_context()).new_page()
    async with relayed(page) as relay:
        tiles = []
        for each in (page, other):
            await each.goto(f"{service.url}/#tower")
            tiles.append(each.locator("stream-viewer[name=tower]"))
            await expect(tiles[-1]).to_have_attribute("data-transport", "webrtc", timeout=PATIENCE_MS)
        tile, of_other = tiles
        assert relay.passed > 0

        async def sessions(wanted: int) -> None:
            async def are_there() -> bool:
                return (await service.metrics()).sum("sightline_sessions", stream="tower", transport="whep") == wanted

            await until(are_there, lambda: f"there are not {wanted} sessions")

        await sessions(2)
        relay.is_blocked = True
        await expect(tile).to_have_attribute("data-transport", "mjpeg", timeout=PATIENCE_MS)
        await expect(tile.locator(".facts")).to_contain_text(
            re.compile("WebRTC (stopped bringing frames|connection broke)")
        )
        await frames_move(tile)
        await sessions(1)
        await frames_move(of_other)
        await expect(of_other).to_have_attribute("data-transport", "webrtc")
        relay.is_blocked = False
        await tile.evaluate("(tile) => tile.player.retry()")
        await expect(tile).to_have_attribute("data-transport", "webrtc", timeout=PATIENCE_MS)
        await sessions(2)
    await other.context.close()


async def test_the_way_is_chosen_by_hand_without_a_reload(page: Page, road: Locator) -> None:
    """Each way that is chosen plays, one after the other, and the choice is there when the page comes again."""
    await expect(road).to_have_attribute("data-transport", "webcodecs")
    await road.locator("view-choice summary").click()
    for way in ("webrtc", "mse", "mjpeg", "webcodecs", "mse"):
        await road.get_by_label("Video by").select_option(way)
        await expect(road).to_have_attribute("data-transport", way)
        await frames_move(road, 3)
    await page.reload()
    await expect(road).to_have_attribute("data-transport", "mse")


async def test_nobody_sends_to_a_tile_that_is_not_seen(page: Page, road: Locator) -> None:
    """A tile that is out of sight has its video paused on the connection it has, and plays on by it when it is back."""
    sent = list[Any]()
    opened = list[WebSocket]()

    def note(socket: WebSocket) -> None:
        opened.append(socket)
        socket.on("framesent", lambda payload: sent.append(json.loads(payload)))

    page.on("websocket", note)
    await page.reload()
    await expect(road).to_have_attribute("data-transport", "webcodecs")
    await page.evaluate("location.hash = '+events'")

    async def paused() -> bool:
        return sent == [{"pause": True}]

    await until(paused, lambda: f"sent were {sent}")
    await page.evaluate("location.hash = 'road'")
    await frames_move(road)
    assert sent == [{"pause": True}, {"pause": False}]
    assert len(opened) == 1


async def test_a_small_tile_has_the_cameras_smaller_video(page: Page, service: Service) -> None:
    """The large one as soon as it is opened, by the connection it has, and the small one again among the others."""
    opened, sent = list[str](), list[Any]()

    def note(socket: WebSocket) -> None:
        if "/yard/" in socket.url:
            opened.append(socket.url)
            socket.on("framesent", lambda payload: sent.append(json.loads(payload)))

    async def seen_small(viewers: int) -> None:
        async def are_there() -> bool:
            return bool((await service.stream("yard"))["sub"]["viewers"] == viewers)

        await until(are_there, lambda: f"not {viewers} have the small video; the page said {sent}")

    await service.wait_for_state("yard", "live")
    await page.set_viewport_size({"width": 1000, "height": 640})
    page.on("websocket", note)
    await page.goto(service.url)
    tile = page.locator("stream-viewer[name=yard]")
    await expect(tile).to_have_attribute("data-transport", "webcodecs", timeout=PATIENCE_MS)
    for hash_of, viewers in (("", 1), ("yard", 0), ("", 1)):
        await page.evaluate("(hash) => (location.hash = hash)", hash_of)
        await seen_small(viewers)
        await frames_move(tile)
    assert [url.partition("?")[2] for url in opened] == ["size=small"]
    assert [said for said in sent if "size" in said] == [{"size": "large"}, {"size": "small"}]


async def test_a_small_tile_says_why_it_has_the_large_video(page: Page, service: Service) -> None:
    """Where the smaller one is nothing that browsers play; opened, where the large one is due, it says nothing."""
    await page.set_viewport_size({"width": 1000, "height": 640})
    async with resumed(service, "gate"):
        await page.goto(service.url)
        tile = page.locator("stream-viewer[name=gate]")
        notice = tile.locator(".notice")
        why = "Large video, not the small one: the camera sends hevc, which browsers do not play as it comes."
        await expect(notice).to_have_text(why, timeout=PATIENCE_MS)
        await expect(page.locator("stream-viewer[name=road] .notice")).to_have_text("")
        await page.evaluate("location.hash = 'gate'")
        await expect(notice).to_have_text("", timeout=PATIENCE_MS)


async def test_what_is_chosen_is_drawn_and_saved(page: Page, road: Locator) -> None:
    """A class that is switched off is drawn no more; what is saved is the picture as it is seen."""
    await expect(road).to_have_attribute("data-transport", "webcodecs")
    await page.evaluate(LOOK, 4 / 3)
    edge = "seen.at(-1)?.[2]"

    async def is_drawn(drawn: bool) -> None:
        async def right() -> bool:
            return (await page.evaluate(f"{edge} < 1")) is drawn

        await until(right, lambda: f"that boxes are drawn is not {drawn}")

    await is_drawn(True)
    await road.locator("view-choice summary").click()
    await road.locator(".classes").get_by_text("insulator").click()
    await is_drawn(False)
    await road.locator(".classes").get_by_text("insulator").click()
    await is_drawn(True)
    async with page.expect_download() as downloading:
        await road.get_by_role("button", name="Save picture").click()
    download = await downloading.value
    assert re.fullmatch(r"road [\d-]+T[\d-]+\.png", download.suggested_filename)
    head = (await asyncio.to_thread(Path(await download.path()).read_bytes))[:24]
    size = [int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")]
    assert size == await road.evaluate(
        "(tile) => [tile.querySelector('canvas.clean').width, tile.querySelector('canvas.clean').height]"
    )
