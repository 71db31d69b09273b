"""Recordings on the page, in a real browser, with a real service and what it finds recorded when it starts."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.archive.recordings.coded import numbers_in
from tests.peers.chromium import connect
from tests.peers.clip import INDEX_BITS
from tests.peers.service import Service, run_service, until
from tests.web import kept
from tests.web.kept import ZONE, yesterday
from tests.web.recorded import FPS, STRIDE, keep, left_of, numbered

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(200)]

PATIENCE_MS = 30_000
NOWHERE = "127.0.0.1:9"
STREAMS = ("gate", "line-1")
CONFIG: dict[str, Any] = {
    "serving": {"address": NOWHERE},
    "streams": {name: {"url": f"rtsp://{NOWHERE}/{name}", "paused": True} for name in STREAMS},
    "archive": {},
    "api_streams": {"allowed": True, "networks": ["127.0.0.1/32"]},
}
DAY = yesterday().timestamp()
BEGAN = DAY + 9 * 3600
"""When line-1 was recorded, for a minute and a quarter; once more an hour later. And gate, two seconds later."""
LATER = 3600
LENGTH = 75
EVENT_AFTER = 24
"""Seconds from there to the first event; the second is where nothing was recorded."""
EVENTS = [
    replace(event, stream="line-1", began_at=at, last_at=at + 5, ended_at=at + 7)
    for at in (BEGAN + EVENT_AFTER, BEGAN + 1800)
    for event in kept.some_events(1, yesterday() + timedelta(seconds=at - yesterday().timestamp()))
]

READ = """(place) => {
  const canvas = document.querySelectorAll("recorded-stage canvas[data-painted]")[place];
  if (!canvas) return [-1, null];
  const context = canvas.getContext("2d");
  const scale = Math.min(canvas.width / 640, canvas.height / 360);
  const [width, height] = [Math.round(640 * scale), Math.round(360 * scale)];
  const [begin, top] = [Math.round((canvas.width - width) / 2), Math.round((canvas.height - height) / 2)];
  const line = (y) => context.getImageData(begin, top + Math.floor(y * scale), width, 1).data;
  const bits = line(22);
  const lit = (bit) => bits[Math.floor(((2 * bit + 1) * width) / (2 * BITS)) * 4] > 128;
  const number = Array.from({ length: BITS }, (_, bit) => (lit(bit) ? 1 : 0)).reduce((sum, bit) => 2 * sum + bit, 0);
  const across = line(250);
  const isBox = (_, x) => across[4 * x] < 110 && across[4 * x + 1] > 160 && across[4 * x + 2] > 170;
  const left = Array.from({ length: width }, isBox).indexOf(true);
  return [number, left < 0 ? null : left / scale];
}""".replace("BITS", str(INDEX_BITS))
"""The number of the picture that is painted, and where its box begins, in the picture's own pixels."""

WATCH = f"""() => {{
  const read = {READ};
  window.painted = [];
  let last = null;
  const look = () => {{
    const now = read(0);
    if (now[0] !== last) painted.push(now);
    last = now[0];
    requestAnimationFrame(look);
  }};
  look();
}}"""
"""Notes every picture that is on the canvas when the browser is about to show it, once each."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a service of two cameras that are paused, and were recorded yesterday."""
    folder = tmp_path_factory.mktemp("recordings")
    pictures = numbered(folder, LENGTH, b_frames=2)
    keep(folder / "archive", "line-1", pictures, BEGAN)
    keep(folder / "archive", "line-1", pictures[:250], BEGAN + LATER, every=5)
    keep(folder / "archive", "gate", numbered(folder, 30), BEGAN + 2)
    kept.keep(folder / "archive", EVENTS)
    with run_service(CONFIG, folder=folder) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def driven(chromium: str) -> AsyncIterator[Browser]:
    """Give the session's Chromium once for all these tests."""
    expect.set_options(timeout=PATIENCE_MS)
    async with connect(chromium) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(driven: Browser) -> AsyncIterator[Page]:
    """Give a page of somebody in another zone than this machine."""
    context = await driven.new_context(timezone_id=ZONE.key, locale="en-GB", viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    await context.close()


async def open_moment(page: Page, service: Service, at: float, *, more: str = "") -> None:
    """Look at a moment, on its picture."""
    await page.goto(f"{service.url}/#+recordings?stream=line-1&at={at:.3f}{more}")
    await expect(page.locator("recorded-stage canvas[data-painted]").first).to_be_visible()


async def painted_now(page: Page, place: int = 0) -> tuple[int, float | None]:
    """The number of the picture on a stage, and where its box begins."""
    number, left = await page.evaluate(READ, place)
    return number, left


async def wait_for_number(page: Page, wanted: int, place: int = 0) -> None:
    """Wait until that picture is painted with its own box."""

    async def is_there() -> bool:
        number, left = await painted_now(page, place)
        return number == wanted and is_own(number, left)

    await until(is_there, lambda: f"picture {wanted} is not painted with its box")


async def watch(page: Page, count: int) -> list[tuple[int, float | None]]:
    """Play, and give what was painted until so many pictures were."""
    await page.evaluate(WATCH)
    await page.get_by_role("button", name="Play", exact=True).click()

    async def were() -> bool:
        return int(await page.evaluate("painted.length")) >= count

    await until(were, lambda: f"fewer than {count} pictures were painted")
    return [(number, left) for number, left in await page.evaluate("painted")]


def is_own(number: int, left: float | None) -> bool:
    """Whether a box that begins there is that picture's, and not its neighbours'."""
    return left is not None and abs(left - left_of(number)) < STRIDE / 2


def strangers(painted: list[tuple[int, float | None]]) -> list[tuple[int, float | None]]:
    """Those pictures that have not their own box."""
    return [(number, left) for number, left in painted if not is_own(number, left)]


# ---- which picture, and its boxes


async def test_every_painted_picture_has_its_own_boxes(page: Page, service: Service) -> None:
    """Of yesterday's video as it plays, B-frames and all, at least 99 of 100 painted pictures have their own box."""
    await open_moment(page, service, BEGAN + 55)
    await wait_for_number(page, 55 * FPS)
    painted = await watch(page, 220)
    assert len(strangers(painted)) <= 0.01 * len(painted), strangers(painted)
    numbers = [number for number, _ in painted]
    assert numbers == sorted(numbers)
    assert numbers[-1] > 60 * FPS  # into the next file


@pytest.mark.parametrize(("speed", "count"), [("¼×", 25), ("16×", 40)])
async def test_boxes_keep_to_their_pictures_at_any_speed(page: Page, service: Service, speed: str, count: int) -> None:
    """In slow motion and sixteen times as fast, too, what is painted has its own box."""
    await open_moment(page, service, BEGAN + 3)
    await wait_for_number(page, 3 * FPS)
    await page.get_by_label("Speed").select_option(speed)
    painted = await watch(page, count)
    assert len(strangers(painted)) <= 0.01 * len(painted), strangers(painted)


async def test_between_two_samples_boxes_are_on_their_way(page: Page, service: Service) -> None:
    """Where the model saw every fifth picture, the four between have the box where it is on its way."""
    await open_moment(page, service, BEGAN + LATER + 1)
    await wait_for_number(page, FPS)
    for number in range(FPS + 1, FPS + 12):
        await page.keyboard.press(".")
        await wait_for_number(page, number)


async def test_a_step_is_one_picture(page: Page, service: Service) -> None:
    """One key goes one picture on or back, over the end of a file too, and the clock says when it came."""
    await open_moment(page, service, BEGAN + 59.92)
    for number in (1498, 1499, 1500, 1501):
        await wait_for_number(page, number)
        await page.keyboard.press(".")
    await wait_for_number(page, 1502)
    await expect(page.locator(".under .time")).to_have_text("09:01:00.0")
    for number in (1501, 1500, 1499, 1498, 1497):
        await page.keyboard.press(",")
        await wait_for_number(page, number)
    await page.get_by_role("button", name="One picture back").click()
    await wait_for_number(page, 1496)


async def test_boxes_are_chosen_by_class_and_score(page: Page, service: Service) -> None:
    """Boxes of a class, those below a score, or all of them are not shown; the picture stays."""
    await open_moment(page, service, BEGAN + 20)
    await wait_for_number(page, 500)
    choice = page.locator("box-choice")
    hides: tuple[Callable[[], Awaitable[None]], ...] = (
        lambda: choice.get_by_label("insulator").click(),
        lambda: choice.get_by_label("Score").fill("95"),
        lambda: choice.get_by_label("Show boxes").click(),
    )
    for hide in hides:
        await page.locator("box-choice summary").click()
        await hide()
        await until(lambda: _shows(page, (500, None)), lambda: "there is a box")
        await page.reload()
        await wait_for_number(page, 500)
    await page.keyboard.press("b")
    await until(lambda: _shows(page, (500, None)), lambda: "there is a box")


async def _shows(page: Page, wanted: tuple[int, float | None]) -> bool:
    return await painted_now(page) == wanted


# ---- when


async def test_gaps_stay_gaps(page: Page, service: Service) -> None:
    """What plays to the end of what is recorded goes on with what was recorded next; in between there are words."""
    await open_moment(page, service, BEGAN + LENGTH - 1)
    await page.get_by_role("button", name="Play", exact=True).click()
    await expect(page.locator(".under .time")).to_contain_text("10:00:0")
    await page.get_by_role("button", name="Pause", exact=True).click()
    await page.goto(f"{service.url}/#+recordings?stream=line-1&at={BEGAN + 600}")
    await expect(page.locator("recorded-stage .instead")).to_have_text("Nothing was recorded at this time.")
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator(".under .time")).to_have_text("09:09:55.0")


async def test_a_day_without_recordings_leads_to_the_newest(page: Page, service: Service) -> None:
    """Of a day of which nothing is recorded there are words, and a way to what was recorded last."""
    await page.goto(f"{service.url}/#+recordings?stream=line-1&at={BEGAN - 5 * 86_400}")
    await expect(page.locator("nothing-recorded")).to_contain_text("Nothing was recorded on")
    await page.get_by_role("button", name="Show the newest").click()
    await wait_for_number(page, (10 - 4) * FPS)
    await page.get_by_role("button", name="The day before").click()
    await expect(page.locator("nothing-recorded")).to_contain_text("Nothing was recorded on")
    await page.get_by_role("button", name="The day after").click()
    await expect(page.locator(".under .time")).to_contain_text("10:00:0")


async def test_the_address_is_the_picture(page: Page, service: Service) -> None:
    """The address names the picture that one stays at, and shows it again; without a time it is the newest."""
    await open_moment(page, service, BEGAN + 20)
    await wait_for_number(page, 500)
    await page.keyboard.press(".")
    await wait_for_number(page, 501)
    await expect(page).to_have_url(f"{service.url}/#+recordings?stream=line-1&at={BEGAN + 20.04:.3f}")
    await page.reload()
    await wait_for_number(page, 501)
    await page.goto(f"{service.url}/#gate")
    await page.get_by_role("link", name="Recordings", exact=True).click()
    recordings = page.get_by_role("region", name="Recordings")
    await recordings.get_by_label("Stream").select_option("line-1")
    await recordings.get_by_label("Day", exact=True).fill(f"{yesterday():%Y-%m-%d}")
    await expect(page.locator("recorded-stage canvas[data-painted]")).to_be_visible()


async def test_the_line_goes_where_one_points(page: Page, service: Service) -> None:
    """The wheel zooms around what it is over, a press goes there, the scale is dragged, keys move."""
    await open_moment(page, service, BEGAN + 20)
    line = page.get_by_role("slider", name="Time")
    await expect(line).to_have_attribute("aria-valuetext", "09:00:20")
    box = await line.bounding_box()
    assert box is not None
    before = await line.evaluate("line => line.seen")
    assert before[0] < BEGAN < BEGAN + LATER < before[1] < BEGAN + 2 * LATER  # what there is, and not all of the day
    x = round(box["x"] + box["width"] * (BEGAN + 30 - before[0]) / (before[1] - before[0]))
    pointed = before[0] + (before[1] - before[0]) * (x - box["x"]) / box["width"]
    await page.mouse.move(x, box["y"] + 50)
    for _ in range(40):
        await page.mouse.wheel(0, -200)
    seen = await line.evaluate("line => line.seen")
    assert seen[1] - seen[0] < 60
    assert seen[0] + (seen[1] - seen[0]) * (x - box["x"]) / box["width"] == pytest.approx(pointed, abs=0.01)
    await page.mouse.click(x + 50, box["y"] + 50)
    at = pointed + (seen[1] - seen[0]) * 50 / box["width"]
    await expect(line).to_have_attribute("aria-valuenow", str(round(at)))
    await page.mouse.move(box["x"] + 300, box["y"] + 8)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 400, box["y"] + 8)
    await page.mouse.up()
    moved = await line.evaluate("line => line.seen")
    assert moved[0] == pytest.approx(seen[0] - 100 / box["width"] * (seen[1] - seen[0]))
    await page.keyboard.press("Home")
    await expect(line).to_have_attribute("aria-valuetext", "09:00:00")
    await wait_for_number(page, 0)


async def test_two_streams_run_in_step(page: Page, service: Service) -> None:
    """Of two streams, one of which began two seconds later, both show the same moment: playing, paused and stepping."""
    await open_moment(page, service, BEGAN + 10, more="&beside=gate")
    await wait_for_number(page, 250)
    await wait_for_number(page, 200, place=1)
    await page.keyboard.press(" ")
    await expect(page.locator(".under .time")).to_contain_text("09:00:12")
    await page.keyboard.press(" ")
    await until(lambda: _is_in_step(page), lambda: "they are not in step")
    number, _ = await painted_now(page)
    assert number > 290
    await page.keyboard.press(".")
    await wait_for_number(page, number + 1)
    await wait_for_number(page, number - 49, place=1)


async def _is_in_step(page: Page) -> bool:
    (first, _), (second, left) = await painted_now(page), await painted_now(page, 1)
    return first - second == 50 and is_own(second, left)


# ---- from where, and who


async def test_an_event_leads_to_its_recording(page: Page, service: Service) -> None:
    """The large view of an event plays its recording from shortly before it, or where there is none offers none."""
    seen, unseen = EVENTS
    await page.goto(f"{service.url}/#+events?event={seen.id}")
    await page.get_by_role("link", name="Play the recording").click()
    await expect(page.locator("recorded-stage canvas[data-painted]")).to_be_visible()
    await expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    await expect(page.locator(".under .time")).to_contain_text(re.compile("09:00:[23]"))
    await page.goto(f"{service.url}/#+events?event={unseen.id}")
    await expect(page.get_by_role("dialog")).to_contain_text(unseen.label)
    await expect(page.get_by_role("link", name="Play the recording")).to_be_hidden()


async def test_events_are_gone_to(page: Page, service: Service) -> None:
    """One key goes to the next event, from shortly before it, and another back."""
    await open_moment(page, service, BEGAN + 3)
    await page.keyboard.press("n")
    await wait_for_number(page, (EVENT_AFTER - 2) * FPS)
    await expect(page.get_by_role("button", name="Event before")).to_be_disabled()
    await page.keyboard.press("n")
    await expect(page.locator(".under .time")).to_contain_text("09:29:58")
    await page.keyboard.press("p")
    await wait_for_number(page, (EVENT_AFTER - 2) * FPS)


async def test_what_is_recorded_is_set_where_the_stream_is(page: Page, service: Service) -> None:
    """A stream's details set whether it is recorded while it runs, or say where that is set, and lead to what is."""
    body = json.dumps({"name": "porch", "url": f"rtsp://{NOWHERE}/porch"})
    await service.ask("/api/streams", method="POST", body=body, content_type="application/json")
    await page.goto(f"{service.url}/#porch")
    details = page.locator(".focused record-mode")
    await expect(details).to_contain_text("Not recorded")
    await details.get_by_label("Events").check()
    await expect(details).to_contain_text("Waiting for")
    assert (await service.ask("/api/streams/porch")).json()["recording"]["mode"] == "events"
    await details.get_by_label("Off").check()
    await expect(details).to_contain_text("Not recorded")
    await page.goto(f"{service.url}/#gate")
    await expect(details).to_contain_text("It stands in the configuration file")
    await details.get_by_role("link", name="Watch recordings").click()
    await expect(page.get_by_role("region", name="Recordings").get_by_label("Stream")).to_have_value("gate")
    await expect(page.locator(".under .time")).to_contain_text("09:00:28")  # the newest, some seconds before its end


async def test_a_marked_span_is_a_file(page: Page, service: Service, tmp_path: Path) -> None:
    """What is marked by keys is saved as it came: a file of exactly these pictures, and their boxes beside it."""
    await open_moment(page, service, BEGAN + 20)
    await wait_for_number(page, 500)
    await page.keyboard.press("i")
    await page.keyboard.press("ArrowRight")
    await wait_for_number(page, 625)
    await page.keyboard.press("o")
    await expect(page.locator("clip-maker .length")).to_have_text("5 s")
    saved = {}
    for name in ("Save video", "Boxes as JSON"):
        async with page.expect_download() as download:
            await page.get_by_role("link", name=name).click()
        saved[name] = tmp_path / (await download.value).suggested_filename
        await (await download.value).save_as(saved[name])
    assert re.fullmatch(r"line-1-\d{8}T\d{6}Z\.mp4", saved["Save video"].name)
    assert numbers_in(saved["Save video"])[-125:] == list(range(500, 625))
    assert b"insulator" in saved["Boxes as JSON"].read_bytes()
    await page.get_by_role("button", name="Done").click()
    await expect(page.locator("clip-maker")).to_be_hidden()


async def test_boxes_are_drawn_in_where_that_is_asked(page: Page, service: Service, tmp_path: Path) -> None:
    """A marked span is made with its boxes drawn in, says how far it is, and is saved; a longer one is cancelled."""
    await open_moment(page, service, BEGAN + 20)
    await wait_for_number(page, 500)
    await page.keyboard.press("i")
    maker = page.locator("clip-maker")
    await expect(maker.locator(".length")).to_have_text("1 s")
    await maker.get_by_role("button", name="Draw boxes in").click()
    await expect(maker.get_by_role("status")).to_contain_text("With boxes, ")
    async with page.expect_download() as download:
        await maker.get_by_role("link", name="Save it").click()
    await (await download.value).save_as(tmp_path / "drawn.mp4")
    assert numbers_in(tmp_path / "drawn.mp4")[0] == 500
    await maker.get_by_role("button", name="Dismiss").click()
    await expect(maker.get_by_role("status")).to_be_hidden()
    assert (await service.ask("/api/streams/line-1/recordings/renders")).json() == {"renders": []}


async def test_thumbnails_are_under_the_pointer(page: Page, service: Service) -> None:
    """Over what is recorded stands a picture of the moment that is pointed at; over a gap a word."""
    await open_moment(page, service, BEGAN + 20)
    line = page.get_by_role("slider", name="Time")
    box = await line.bounding_box()
    assert box is not None
    for key in "++++++++":
        await line.press(key)
    [from_, to] = await line.evaluate("line => line.seen")
    await page.mouse.move(box["x"] + box["width"] * (BEGAN + 40 - from_) / (to - from_), box["y"] + 50)
    picture = page.locator("scrub-picture img")
    await expect(picture).to_be_visible()
    await until(lambda: picture.evaluate("image => image.naturalWidth > 0"), lambda: "there is no thumbnail")
    await page.mouse.move(box["x"] + box["width"] - 10, box["y"] + 50)
    await expect(page.locator("scrub-picture")).to_contain_text("not recorded")


async def test_the_live_button_leads_to_the_stream(page: Page, service: Service) -> None:
    """From a recording one key leads to its stream as it is now."""
    await open_moment(page, service, BEGAN + 3)
    await page.keyboard.press("l")
    await expect(page.locator("stream-viewer.focused")).to_have_attribute("name", "line-1")
    await expect(page.locator("recordings-page")).to_be_hidden()


async def test_without_an_archive_the_page_says_what_to_write(page: Page) -> None:
    """A service that keeps nothing shows what its configuration lacks, and no player."""
    with run_service({key: value for key, value in CONFIG.items() if key != "archive"}) as service:
        await page.goto(service.url)
        await page.get_by_role("link", name="Recordings").click()
        await expect(page.locator("nothing-recorded")).to_contain_text("Nothing is recorded here")
        await expect(page.locator("nothing-recorded pre")).to_contain_text("record: continuous")
        await expect(page.locator("play-bar")).to_be_hidden()


async def test_a_phone_never_scrolls_sideways(driven: Browser, service: Service) -> None:
    """One stream, two, and the making of a clip fit a phone held upright."""
    context = await driven.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, timezone_id=ZONE.key
    )
    page = await context.new_page()
    await open_moment(page, service, BEGAN + 20, more="&beside=gate")
    wide = "document.documentElement.scrollWidth"
    assert await page.evaluate(wide) <= 390
    await page.get_by_role("button", name="Save").tap()
    await expect(page.get_by_role("link", name="Save video")).to_be_visible()
    await page.locator("box-choice summary").tap()
    assert await page.evaluate(wide) <= 390
    await context.close()
