"""What may be done about streams on the page, and how it is said; the service's answers are chosen by each test."""

import asyncio
import math
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Locator, Page, ViewportSize, expect

from tests.peers.chromium import connect, run_chromium
from tests.peers.service import until
from tests.web.peers import FakeService, jpeg, report, run_fake_service, stream

PATIENCE_MS = 30_000
TOKEN = "let-me-change"
URL = "rtsp://u:canary-pa55@10.0.0.7/stream"
PHONE: ViewportSize = {"width": 390, "height": 844}
PAUSED = "paused: its camera is not connected"


@pytest.fixture
async def service() -> AsyncIterator[FakeService]:
    """Give a service that lets streams be changed, without a token."""
    expect.set_options(timeout=PATIENCE_MS)
    async with run_fake_service() as service:
        service.may = {"allowed": True, "token": False, "schemes": ["rtsp", "http"]}
        yield service


def added(name: str, state: str = "live", reason: str | None = None) -> dict[str, Any]:
    """A stream that the API added."""
    return stream(name, state, reason) | {"origin": "api"}


async def large(page: Page, service: FakeService, name: str) -> Locator:
    """Open the large view of a stream."""
    await page.goto(f"{service.url}#{name}")
    tile = page.locator(f"[name={name}].focused")
    await expect(tile).to_be_visible()
    return tile


# ---- pausing and removing


async def test_a_stream_is_paused_and_resumed(page: Page, service: FakeService) -> None:
    """Pause is beside the stream's figures; a paused tile looks it, and has Resume on its picture."""
    service.streams = [added("a"), added("b")]
    tile = await large(page, service, "a")
    await tile.get_by_role("button", name="Pause").click()
    await expect(tile.locator(".badge-text")).to_have_text("Paused")
    await expect(tile.locator(".cover-icon")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.locator("[name=a] .cover").get_by_role("button", name="Resume").click()
    await expect(page.locator("[name=a] .badge-text")).to_have_text("Connecting")
    assert service.changes == [
        ("PATCH", "/api/streams/a", {"paused": True}),
        ("PATCH", "/api/streams/a", {"paused": False}),
    ]


async def test_removing_asks_once_more(page: Page, service: FakeService) -> None:
    """The first press removes nothing and Escape keeps the stream; the second removes it, and all streams are shown."""
    service.streams = [added("a"), added("b")]
    tile = await large(page, service, "a")
    await tile.get_by_role("button", name="Remove…").click()
    await expect(tile.get_by_role("button", name="Keep it")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(tile.get_by_role("button", name="Remove…")).to_be_focused()
    assert service.changes == []
    await tile.get_by_role("button", name="Remove…").click()
    await tile.get_by_role("button", name="Remove", exact=True).click()
    await expect(page.locator("[name=a]")).to_have_count(0)
    await expect(page.locator("[name=b] .name")).to_be_focused()
    await expect(page.locator(".announcer")).to_contain_text("a: gone.")
    assert service.changes == [("DELETE", "/api/streams/a", None)]


@pytest.mark.parametrize(
    ("allowed", "origin", "offered"),
    [
        (True, "api", ["Pause", "Remove…"]),
        (True, "file", ["Pause"]),
        (True, "publisher", []),
        (False, "api", []),
        (False, "file", []),
    ],
)
async def test_only_what_may_be_done_is_offered(
    page: Page, service: FakeService, allowed: bool, origin: str, offered: list[str]
) -> None:
    """The configuration file's streams are not removed here, a publisher's not changed, and none where none may be."""
    service.may["allowed"] = allowed
    service.streams = [stream("a") | {"origin": origin}, stream("b", "paused", PAUSED) | {"origin": origin}]
    async with page.expect_response("**/api/config") as told:
        tile = await large(page, service, "a")
    await (await told.value).finished()
    await expect(tile.locator("stream-controls button:visible")).to_have_text(offered)
    await page.keyboard.press("Escape")
    await expect(page.locator("[name=b] .resume:visible")).to_have_count(1 if "Pause" in offered else 0)


async def test_a_refusal_stands_at_the_tile(page: Page, service: FakeService) -> None:
    """What the server does not do is said in its own sentence, where it was asked for, as text."""
    service.streams = [added("a"), added("b")]
    service.refusal = (409, "<img src=x onerror='window.hacked=1'> says so")
    tile = await large(page, service, "a")
    await tile.get_by_role("button", name="Pause").click()
    await expect(tile.get_by_role("alert")).to_have_text("<img src=x onerror='window.hacked=1'> says so.")
    await expect(page.locator("[name=b] .refused")).to_have_text("")
    service.refusal = None
    await tile.get_by_role("button", name="Pause").click()
    await expect(tile.locator(".refused")).to_have_text("")
    assert await page.evaluate("window.hacked") is None


async def test_the_token_is_asked_for_once(page: Page, service: FakeService) -> None:
    """A dialog asks until the token is right; it is not asked for again, and stands nowhere in the page."""
    service.may["token"], service.token = True, TOKEN
    service.streams = [added("a", "paused", PAUSED), added("b", "paused", PAUSED)]
    await page.goto(service.url)
    await page.locator("[name=a] .resume").click()
    asked = page.get_by_role("dialog", name="The server asks for a token")
    await asked.get_by_label("Token").fill("wrong-token")
    await page.keyboard.press("Enter")
    await expect(asked.get_by_role("alert")).to_have_text("That is not the server’s token.")
    await asked.get_by_label("Token").fill(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.locator("[name=a] .badge-text")).to_have_text("Connecting")
    await page.locator("[name=b] .resume").click()
    await expect(page.locator("[name=b] .badge-text")).to_have_text("Connecting")
    await expect(page.locator("dialog")).to_have_count(1)  # the one for adding
    assert TOKEN not in await page.content()


async def test_who_has_no_token_changes_nothing(page: Page, service: FakeService) -> None:
    """Escape leaves the dialog and the stream as it is, without an error."""
    service.may["token"], service.token = True, TOKEN
    service.streams = [added("a", "paused", PAUSED), added("b")]
    await page.goto(service.url)
    await page.locator("[name=a] .resume").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.locator("[name=a] .refused")).to_have_text("")
    assert service.changes == []


# ---- the doctor


async def test_a_camera_is_examined_before_it_is_added(page: Page, service: FakeService) -> None:
    """Check shows that it works on it, then verdict, figures, advice and the picture; all of it is text."""
    evil = "<img src=x onerror='window.hacked=1'>"
    finding = {"kind": "long_gop", "weight": "advice", "sentence": evil, "advice": "set it to two seconds"}
    still = f"data:image/jpeg;base64,{b64encode(jpeg(1)).decode()}"
    service.diagnosis = report(verdict="advice", findings=[finding], profile=evil, still=still)
    service.examining.clear()
    await page.goto(service.url)
    await page.get_by_role("button", name="Add a camera").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("URL").fill(URL)
    await form.get_by_role("button", name="Check").click()
    await expect(form.get_by_role("progressbar", name="Watching the camera")).to_be_visible()
    service.examining.set()
    await expect(form.get_by_role("status")).to_have_text("Works; one thing would be better")
    await expect(form.get_by_role("progressbar")).to_be_hidden()
    await expect(form.locator(".findings .advice")).to_have_text(f"{evil}. Set it to two seconds.")
    await expect(form.locator("dd", has_text="1280×720")).to_be_visible()
    assert await form.locator("img").evaluate_all("images => images.map(({ naturalWidth }) => naturalWidth)") == [320]
    assert await page.evaluate("window.hacked") is None
    assert service.changes == [("POST", "/api/doctor", {"url": URL, "still": True})]


async def test_a_camera_that_does_not_work_is_said_so(page: Page, service: FakeService) -> None:
    """The word, the reason and what to do next stand together, and the camera can be added all the same."""
    service.diagnosis = report(
        works=False,
        verdict="authentication",
        reason="the camera refuses user or password",
        remedy="compare them",
        codec=None,
    )
    await page.goto(service.url)
    await page.get_by_role("button", name="Add a camera").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("Name").fill("yard")
    await form.get_by_label("URL").fill(URL)
    await form.get_by_role("button", name="Check").click()
    await expect(form.get_by_role("status")).to_have_text("Does not workauthentication")
    await expect(form.locator(".cause")).to_have_text("The camera refuses user or password. Compare them.")
    await form.get_by_role("button", name="Add").click()
    await expect(form).to_be_hidden()
    await expect(page.locator("stream-viewer[name=yard]")).to_be_visible()
    assert "canary-pa55" not in await page.content()


async def test_what_was_found_belongs_to_its_url(page: Page, service: FakeService) -> None:
    """Another URL takes the answer about the one before away, even one that is still to come."""
    await page.goto(service.url)
    await page.get_by_role("button", name="Add a camera").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("URL").fill(URL)
    await form.get_by_role("button", name="Check").click()
    await expect(form.get_by_role("status")).to_contain_text("Works")
    await form.get_by_label("URL").press("End")
    await form.get_by_label("URL").press("2")
    await expect(form.get_by_role("status")).to_have_text("")
    service.examining.clear()
    await form.get_by_role("button", name="Check").click()
    await expect(form.get_by_role("progressbar")).to_be_visible()
    async with page.expect_event("requestfailed"):
        await form.get_by_label("URL").press("3")
    await expect(form.get_by_role("progressbar")).to_be_hidden()
    await expect(form.locator(".problem")).to_have_text("")


async def test_a_stream_that_is_away_has_a_doctor(page: Page, service: FakeService) -> None:
    """An offline tile's camera is examined by the stream's name at once, and again when asked to."""
    service.streams = [stream("yard", "offline", "the camera refuses the connection"), stream("b")]
    await page.goto(service.url)
    await page.locator("[name=yard]").get_by_role("button", name="Ask the doctor").click()
    asked = page.get_by_role("dialog", name="What is wrong with yard?")
    await expect(asked.get_by_role("status")).to_have_text("Works, and nothing is wrong with it")
    await asked.get_by_role("button", name="Check again").click()
    await until(lambda: asyncio.sleep(0, len(service.changes) == 2), lambda: f"asked: {service.changes}")
    assert service.changes == 2 * [("POST", "/api/doctor", {"stream": "yard", "still": True})]
    await page.keyboard.press("Escape")
    await expect(asked).to_have_count(0)
    assert await page.evaluate("location.hash") == ""


async def test_a_stream_that_cannot_be_examined_is_said_so(page: Page, service: FakeService) -> None:
    """The server's sentence stands in the dialog."""
    service.refusal = (409, "'yard' waits for its camera")
    service.streams = [stream("yard", "offline", "nobody pushes"), stream("b")]
    await page.goto(service.url)
    await page.locator("[name=yard]").get_by_role("button", name="Ask the doctor").click()
    await expect(page.get_by_role("dialog").locator(".problem")).to_have_text("'yard' waits for its camera.")


async def test_where_nothing_may_be_changed_the_doctor_is_a_command(page: Page, service: FakeService) -> None:
    """Without api_streams the page cannot examine a camera, and does not offer to."""
    service.may["allowed"] = False
    service.streams = [stream("yard", "offline", "the camera refuses the connection"), stream("b")]
    await page.goto(service.url)
    await page.locator("[name=yard]").get_by_role("button", name="Ask the doctor").click()
    command = page.locator("dialog[open] .command")
    await expect(command).to_have_text("sightline doctor yard --config sightline.yaml")
    await expect(page.locator("dialog[open]").get_by_role("button", name="Check")).to_have_count(0)


# ---- hands, eyes and ears


async def test_the_picture_opens_the_stream(page: Page, service: FakeService) -> None:
    """A click anywhere on a tile's picture opens it, on what covers an absent one too; a button there does its own."""
    service.streams = [stream("a"), stream("b", "offline", "away")]
    await page.goto(service.url)
    for name in ("a", "b"):
        await page.locator(f"[name={name}] .screen").click(position={"x": 30, "y": 100})
        await expect(page.locator(f"[name={name}].focused")).to_be_visible()
        await page.keyboard.press("Escape")


async def test_what_is_typed_into_a_form_is_not_for_the_page(page: Page, service: FakeService) -> None:
    """The large view's keys (f, arrows, Escape) do nothing behind a dialog: Escape closes that alone."""
    service.streams = [stream("a"), stream("b")]
    await large(page, service, "a")
    await page.get_by_role("button", name="Add a camera").click()
    for key in ("f", "ArrowRight", "f"):
        await page.keyboard.press(key)
    await expect(page.get_by_role("dialog").get_by_label("Name")).to_have_value("ff")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    assert await page.evaluate("[location.hash, document.fullscreenElement]") == ["#a", None]


async def test_a_tile_tells_its_state_to_who_cannot_see_it(page: Page, service: FakeService) -> None:
    """The link of a tile carries name and state; what changes is spoken, and much at once is counted."""
    service.streams = [stream(name) for name in "abcde"]
    await page.goto(service.url)
    await expect(page.get_by_role("link", name="a, Live")).to_be_visible()
    service.streams[0] |= {"state": "offline", "reason": "the camera is away"}
    await expect(page.locator(".announcer")).to_have_text("a: offline. the camera is away")
    await expect(page.get_by_role("link", name="a, Offline")).to_be_visible()
    for each in service.streams[1:]:
        each |= {"state": "offline", "reason": "the camera is away"}
    await expect(page.locator(".announcer")).to_have_text("4 streams offline.")


async def test_without_streams_the_page_says_what_to_do(page: Page, service: FakeService) -> None:
    """What this server allows is offered in the middle, once, with what to write in the configuration file."""
    service.publishable = ["*"]
    await page.goto(service.url)
    hint = page.locator(".empty")
    await expect(hint).to_contain_text("No streams yet")
    await expect(hint).to_contain_text("sightline.yaml")
    await expect(page.get_by_role("link", name="Use this device’s camera")).to_have_count(1)
    await expect(page.get_by_role("button", name="Add a camera")).to_have_count(1)
    await hint.get_by_role("button", name="Add a camera").click()
    await expect(page.get_by_role("dialog", name="Add a camera")).to_be_visible()


@pytest.mark.parametrize("count", [0, 1, 4, 16, 40])
async def test_a_phone_never_scrolls_sideways(page: Page, service: FakeService, count: int) -> None:
    """All states, both buttons and the longest names fit a phone held upright, in every view."""
    service.publishable = ["*"]
    states = ["live", "offline", "paused", "connecting", "stale"]
    longest = "warehouse-north-east.loading-dock_17-facing-the-street-and-"
    service.streams = [
        added(f"{longest}{number:05}", states[number % 5], "the camera refuses user or password; asked again in 60 s")
        for number in range(count)
    ]
    await page.set_viewport_size(PHONE)
    await page.goto(service.url)
    await expect(page.locator("stream-viewer")).to_have_count(count)
    await expect(page.locator(".use-camera:visible, .empty-camera:visible")).to_be_visible()
    views = ["", "#+camera", "#none"] + [f"#{each['name']}" for each in service.streams[1:3]]
    for view in views:
        await page.evaluate("view => (location.hash = view)", view)
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], view


# ---- a page that is open for days


async def test_a_dead_event_connection_is_replaced(page: Page, service: FakeService) -> None:
    """Where detections are made and none arrive, as after a laptop's sleep, the page opens another connection."""
    await page.clock.install()
    service.streams = [stream("a")]
    await page.goto(service.url)
    await until(lambda: asyncio.sleep(0, service.listeners == 1), lambda: f"{service.listeners} connections")
    await page.clock.run_for(5000)
    assert service.listeners == 1
    await page.clock.run_for(8000)
    await until(lambda: asyncio.sleep(0, service.listeners == 2), lambda: f"{service.listeners} connections")


async def test_a_quiet_service_keeps_its_event_connection(page: Page, service: FakeService) -> None:
    """Where nothing is detected, silence is no sign of anything."""
    await page.clock.install()
    service.streams = [stream("a", "offline", "away") | {"detections_per_second": None}]
    await page.goto(service.url)
    await until(lambda: asyncio.sleep(0, service.listeners == 1), lambda: f"{service.listeners} connections")
    polls = 0
    for _ in range(30):
        async with page.expect_response("**/api/streams"):
            await page.clock.run_for(1000)
        polls += 1
    assert (polls, service.listeners) == (30, 1)


async def test_a_server_that_comes_back_is_asked_what_it_allows(page: Page, service: FakeService) -> None:
    """A restart with another configuration is noticed by an open page."""
    service.may["allowed"] = False
    service.streams = [stream("a"), stream("b")]
    await page.goto(service.url)
    await expect(page.locator("stream-viewer")).to_have_count(2)
    await expect(page.get_by_role("button", name="Add a camera")).to_be_hidden()
    await service.stop()
    await expect(page.locator(".banner")).to_be_visible()
    service.may["allowed"], service.publishable = True, ["*"]
    await service.start()
    await expect(page.get_by_role("button", name="Add a camera")).to_be_visible()
    await expect(page.get_by_role("link", name="Use this device’s camera")).to_be_visible()


async def test_tiles_that_come_and_go_leave_nothing(page: Page, service: FakeService) -> None:
    """However many streams and dialogs there have been, listeners and pictures are those of what is shown."""
    away = added("x", "offline", "away")
    await page.goto(service.url)
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Performance.enable")

    async def come_and_go(times: int) -> None:
        for number in range(times):
            service.streams = [added("a"), *(added(f"{number}-{each}") for each in "bcde"), away]
            await refresh(page, 6)
            await page.locator("[name=x] .doctor").click()
            await page.keyboard.press("Escape")
            service.streams = [added("a"), away]
            await refresh(page, 2)

    async def listeners() -> float:
        await devtools.send("HeapProfiler.collectGarbage")
        found = await devtools.send("Performance.getMetrics")
        return next(float(each["value"]) for each in found["metrics"] if each["name"] == "JSEventListeners")

    await come_and_go(1)
    several = 1.5 * await least(listeners)
    await come_and_go(8)
    left = 0.0

    async def collected() -> bool:
        nonlocal left
        left = await listeners()
        return left < several

    await until(collected, lambda: f"{left} listeners are left, {several} would be some more than one round leaves")
    await until(lambda: asyncio.sleep(0, service.endless == 1), lambda: f"{service.endless} pictures are sent")


REFUSED = """async () => {
  const { WhepSession } = await import("/web/whep.js");
  const made = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    addTransceiver(...of) {
      const transceiver = super.addTransceiver(...of);
      [this.track, made[0]] = [transceiver.receiver.track, this];
      return transceiver;
    }
  };
  await new WhepSession("/whep/a", () => {}).open().catch(() => {});
  return made[0];
}"""
"""A session that the server has no place for; gives its connection."""


async def test_a_session_that_has_ended_listens_to_nothing(page: Page, service: FakeService) -> None:
    """Chromium keeps some of the connections that are closed for good: no tile may hang on one by a listener."""
    await page.goto(service.url)
    devtools = await page.context.new_cdp_session(page)
    for of in ("pc", "pc.track"):
        expression = f"({REFUSED})().then((pc) => {of})"
        kept = await devtools.send("Runtime.evaluate", {"expression": expression, "awaitPromise": True})
        left = await devtools.send("DOMDebugger.getEventListeners", {"objectId": kept["result"]["objectId"]})
        assert [each["type"] for each in left["listeners"]] == []


async def least(read: Callable[[], Awaitable[float]]) -> float:
    """A reading that collecting garbage no longer lowers."""
    before, now = math.inf, await read()
    while now < before:
        await asyncio.sleep(0.5)
        before, now = now, await read()
    return now


async def refresh(page: Page, count: int) -> None:
    """Have the page ask for the list at once, as it does when its network is back, and wait for that many tiles."""
    await page.evaluate("window.dispatchEvent(new Event('online'))")
    await expect(page.locator("stream-viewer")).to_have_count(count)


# ---- cameras that cannot be had


async def test_a_camera_that_is_denied_is_a_sentence(service: FakeService) -> None:
    """Where the browser does not let the page have a camera, it says what to do, and Start is there again."""
    service.publishable = ["*"]
    with run_chromium("--use-fake-device-for-media-stream") as devtools:
        async with connect(devtools) as browser:
            page = await (await browser.new_context()).new_page()
            await page.goto(f"{service.url}#+camera")
            await page.get_by_role("button", name="Start").click()
            await expect(page.locator("camera-panel").get_by_role("alert")).to_contain_text("address bar")
            await expect(page.get_by_role("button", name="Start")).to_be_enabled()


async def test_a_device_without_a_camera_is_a_sentence(page: Page, service: FakeService) -> None:
    """A page that may have a camera, on a machine that has none."""
    service.publishable = ["*"]
    await page.context.grant_permissions(["camera"])
    await page.goto(f"{service.url}#+camera")
    await page.get_by_role("button", name="Start").click()
    await expect(page.locator("camera-panel").get_by_role("alert")).to_have_text("This device has no camera.")
