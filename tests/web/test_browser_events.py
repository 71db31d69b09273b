"""Events on the page, in a real browser, with a real service and an archive that it finds when it starts."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from streamer.values.event import Event
from tests.peers.chromium import connect
from tests.peers.service import Service, run_service
from tests.web.kept import STREAMS, ZONE, keep, some_events, yesterday

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(200)]

PATIENCE_MS = 30_000
LOOK_MS = 15_000
"""From one look of the page at whether events can be kept to the next."""
NOWHERE = "127.0.0.1:9"
CONFIG: dict[str, Any] = {
    "serving": {"address": NOWHERE},
    "streams": {name: {"url": f"rtsp://{NOWHERE}/{name}", "paused": True} for name in STREAMS},
    "archive": {},
}
DAY = yesterday()
OF_DAY = some_events(300, DAY)
"""What the tests look at, with pictures."""
MANY = some_events(10_000, DAY, seed=2)
QUERY = f"day={DAY:%Y-%m-%d}"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a service that nobody signs in to, of three cameras that are paused."""
    folder = tmp_path_factory.mktemp("events")
    keep(folder / "archive", OF_DAY, pictured=40)
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


async def open_events(page: Page, service: Service, query: str = QUERY) -> None:
    """Look at what fits."""
    await page.goto(f"{service.url}/#+events?{query}")
    await expect(page.locator(".cell").first).to_be_visible()


async def kept(service: Service, event: Event) -> dict[str, Any]:
    """As the interface has it."""
    found: dict[str, Any] = (await service.ask(f"/api/events/{event.id}")).json()
    return found


def newest(**given: Any) -> list[Event]:
    """Those of the day that are so, the newest first."""
    return [event for event in reversed(OF_DAY) if all(getattr(event, name) == value for name, value in given.items())]


# ---- finding


async def test_filters_are_in_the_address(page: Page, service: Service) -> None:
    """What is chosen is what is shown, stands in the address, and is there again when that is opened."""
    await open_events(page, service)
    await expect(page.locator(".day .count")).to_have_text(f"{len(OF_DAY)} events")
    await page.locator("event-filters").get_by_label("Class").select_option("bird")
    await page.locator("event-filters").get_by_label("Zone").select_option("yard")
    birds = [event for event in newest(label="bird") if event.zones]
    await expect(page.locator(".day .count")).to_have_text(f"{len(birds)} events")
    await expect(page.locator(".cell .tag").first).to_have_text("bird")
    assert "class=bird&zone=yard" in page.url
    await page.reload()
    await expect(page.locator(".cell a").first).to_have_attribute(
        "href", f"#+events?{page.url.partition('?')[2]}&event={birds[0].id}"
    )
    await expect(page.locator("event-filters").get_by_label("Class")).to_have_value("bird")
    await page.get_by_role("button", name="Clear", exact=True).click()
    await expect(page.locator("event-filters").get_by_label("Class")).to_have_value("")
    assert page.url.endswith("#+events")


async def test_filters_offer_what_there_is(page: Page, service: Service) -> None:
    """All classes, zones and lines of the stream can be chosen, whatever was fetched, and a line is looked for."""
    await page.goto(f"{service.url}/#+events?class=unicorn")
    filters = page.locator("event-filters")
    await expect(filters.get_by_label("Class").locator("option")).to_have_text(
        ["All", "bird", "defect", "insulator", "unicorn"]
    )
    await expect(filters.get_by_label("Zone").locator("option")).to_have_text(["All", "yard"])
    await filters.get_by_label("Class").select_option("")
    await filters.get_by_label(re.compile("^Line")).select_option("fence")
    crossed = [event for event in newest() if event.marks]
    await expect(page.locator(".cell").first).to_be_visible()
    await expect(page.locator(".cell a").first).to_have_attribute("href", f"#+events?line=fence&event={crossed[0].id}")


async def test_what_fits_nothing_is_words(page: Page, service: Service) -> None:
    """Where no event fits the page says so and offers to clear the filters, which shows them again."""
    await page.goto(f"{service.url}/#+events?class=unicorn")
    await expect(page.locator("nothing-found")).to_contain_text("No events that fit")
    await page.get_by_role("button", name="Clear the filters").click()
    await expect(page.locator(".cell").first).to_be_visible()
    await expect(page.locator("nothing-found")).to_be_hidden()


async def test_a_day_is_the_viewers(page: Page, service: Service) -> None:
    """An event stands in the timeline, and in the list, at the time of the viewer's own clock."""
    await open_events(page, service, f"{QUERY}&stream=gate")
    first = newest(stream="gate")[-1]
    row = page.get_by_role("slider", name="gate")
    await row.focus()
    await row.press("Home")
    await expect(row).to_have_attribute(
        "aria-valuetext", f"{first.label}, {DAY:%-d %b}, 00:00:00, {_stay(first)}; of 100"
    )
    await row.press("ArrowRight")
    await row.press("ArrowLeft")
    await row.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"{DAY:%-d %b %Y}, 00:00:00")
    await expect(dialog).to_contain_text("GMT+9")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="The day before").click()
    await expect(page.locator("nothing-found")).to_contain_text("No events that fit")
    assert f"{DAY:%Y-%m-%d}" not in page.url


async def test_at_midnight_today_is_another_day(page: Page, service: Service) -> None:
    """A timeline that is left open goes on with the new day where none was chosen; a chosen one stays, with a next."""
    await page.clock.install(time=datetime.combine(DAY, time(23, 59, 0), ZONE))
    await page.goto(f"{service.url}/#+events")
    later = page.get_by_role("button", name="The day after")
    await expect(page.locator(".day h2")).to_contain_text(f"{DAY:%a}")
    await expect(page.locator(".day .count")).to_have_text(f"{len(OF_DAY)} events")
    await page.clock.fast_forward(61_000)
    await expect(page.locator(".day h2")).to_contain_text(f"{DAY + timedelta(days=1):%a}")
    await expect(page.locator(".day .count")).to_have_text("0 events")
    await page.clock.set_system_time(datetime.combine(DAY, time(23, 59, 0), ZONE))
    await page.goto(f"{service.url}/#+events?{QUERY}")
    await expect(later).to_be_disabled()
    await expect(page.locator(".day .count")).to_have_text(f"{len(OF_DAY)} events")  # or a minute's patience is over
    await page.clock.fast_forward(61_000)
    await expect(later).to_be_enabled()
    await expect(page.locator(".day .count")).to_have_text(f"{len(OF_DAY)} events")


def _stay(event: Event) -> str:
    seconds = round(event.last_at - event.began_at)
    return {2: "2 s", 9: "9 s", 70: "1 min 10 s", 600: "10 min"}[seconds]


async def test_the_live_page_leads_there(page: Page, service: Service) -> None:
    """A stream's sightings lead to all events of it, and the way back to the streams."""
    await page.goto(f"{service.url}/#line-1")
    await page.get_by_role("link", name="All that is kept").click()
    await expect(page.locator(".cell .where").first).to_have_text("line-1")
    await expect(page.locator("event-filters").get_by_label("Stream")).to_have_value("line-1")
    await page.get_by_role("link", name="All streams").click()
    await expect(page.locator("events-page")).to_be_hidden()


# ---- judging


async def test_events_are_judged_by_keys(page: Page, service: Service) -> None:
    """One confirms, one says false, the arrows go on, Escape leads back to the thumbnail; typing is no key."""
    first, second, third = newest()[:3]
    await open_events(page, service)
    await page.locator(".cell a").first.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog.locator("event-picture img")).to_be_visible()
    await page.keyboard.press("c")
    await expect(dialog.get_by_role("button", name="Confirm")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("ArrowRight")
    await expect(dialog.locator(".place")).to_have_text("2 of 200+")
    await page.keyboard.press("f")
    await expect(dialog.get_by_role("button", name="False")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("ArrowRight")
    await dialog.get_by_label("Note").fill("")
    await dialog.get_by_label("Note").press_sequentially("cufflink")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator(f'.cell a[href*="{third.id}"]')).to_be_focused()
    await expect(page.locator(".cell").first).to_have_attribute("data-reviewed", "confirmed")
    said = [
        (each["reviewed"], each["note"]) for each in [await kept(service, event) for event in (first, second, third)]
    ]
    assert said == [("confirmed", ""), ("false", ""), (None, "cufflink")]


async def test_a_second_press_takes_it_back(page: Page, service: Service) -> None:
    """What was judged by mistake is not judged any more after the same key."""
    event = newest()[10]
    await page.goto(f"{service.url}/#+events?{QUERY}&event={event.id}")
    confirm = page.get_by_role("dialog").get_by_role("button", name="Confirm")
    await expect(confirm).to_be_focused()
    for pressed in ("true", "false"):
        await page.keyboard.press("c")
        await expect(confirm).to_have_attribute("aria-pressed", pressed)
    assert (await kept(service, event))["reviewed"] is None


async def test_neighbours_go_beyond_what_was_fetched(page: Page, service: Service) -> None:
    """There is none newer than the newest; after the last that was fetched comes the next, up to the oldest."""
    await open_events(page, service)
    await page.locator(".cell a").first.click()
    dialog = page.get_by_role("dialog")
    place = dialog.locator(".place")
    await expect(dialog.get_by_role("button", name="Newer")).to_be_disabled()
    await expect(place).to_have_text("1 of 200+")
    for _ in range(199):
        await page.keyboard.press("ArrowRight")
    await expect(place).to_have_text(f"200 of {len(OF_DAY)}")
    for _ in range(len(OF_DAY)):
        await page.keyboard.press("ArrowRight")
    await expect(place).to_have_text(f"{len(OF_DAY)} of {len(OF_DAY)}")
    await expect(dialog.get_by_role("button", name="Older")).to_be_disabled()
    await expect(page).to_have_url(f"{service.url}/#+events?{QUERY}&event={OF_DAY[0].id}")


async def test_what_others_say_is_seen_at_once(page: Page, service: Service) -> None:
    """A verdict that comes from elsewhere is on the thumbnail without a look at the list."""
    event = newest()[5]
    await open_events(page, service)
    async with page.expect_response("**/api/events/stream"):
        await page.reload()
    cell = page.locator(".cell", has=page.locator(f'a[href*="{event.id}"]'))
    await expect(cell).to_have_attribute("data-reviewed", "")
    body = json.dumps({"reviewed": "false", "bookmarked": True})
    await service.ask(f"/api/events/{event.id}", method="PATCH", body=body, content_type="application/json")
    await expect(cell).to_have_attribute("data-reviewed", "false")


async def test_deleting_asks_and_goes_on(page: Page, service: Service) -> None:
    """The first press asks, the second removes the event, and its neighbour is shown."""
    event, after = newest()[20:22]
    await open_events(page, service)
    await page.locator(f'.cell a[href*="{event.id}"]').click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Delete…").click()
    assert (await service.ask(f"/api/events/{event.id}")).status == 200
    await dialog.get_by_role("button", name="Delete for good").click()
    await expect(page).to_have_url(f"{service.url}/#+events?{QUERY}&event={after.id}")
    assert (await service.ask(f"/api/events/{event.id}")).status == 404
    await page.go_back()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator(f'.cell a[href*="{event.id}"]')).to_have_count(0)


async def test_an_event_that_is_gone_is_words(page: Page, service: Service) -> None:
    """An address of an event that was let go leads to the list, which says so."""
    await page.goto(f"{service.url}/#+events?{QUERY}&event=00000000-0000-7000-8000-000000000000")
    await expect(page.locator("events-page").get_by_role("alert")).to_contain_text("There is no such event")
    await expect(page.locator(".cell").first).to_be_visible()


# ---- who, where, and how much


async def test_who_may_only_look_judges_nothing(page: Page, tmp_path: Path) -> None:
    """Without the right to operate there is no Confirm, no Delete and no key for them; what was noted is read."""
    [event] = some_events(1, DAY)
    keep(tmp_path / "archive", [event], pictured=1)
    with run_service(CONFIG | {"access": {"anonymous": ["view"]}}, folder=tmp_path) as service:
        await page.goto(f"{service.url}/#+events?event={event.id}")
        dialog = page.get_by_role("dialog")
        await expect(dialog.locator("event-picture img")).to_be_visible()
        await page.keyboard.press("c")
        await expect(dialog.get_by_role("button", name="Box")).to_be_visible()
        for name in ("Confirm", "False", "Bookmark", "Delete…"):
            await expect(dialog.get_by_role("button", name=name)).to_have_count(0)
        await expect(dialog.get_by_role("textbox")).to_have_count(0)
        assert (await kept(service, event))["reviewed"] is None


async def test_without_an_archive_the_page_says_what_to_write(page: Page) -> None:
    """A service that keeps nothing shows the section that its configuration lacks, and no filters."""
    with run_service({key: value for key, value in CONFIG.items() if key != "archive"}) as service:
        await page.goto(service.url)
        await page.get_by_role("link", name="Events").click()
        await expect(page.locator("nothing-found")).to_contain_text("No events are kept here")
        await expect(page.locator("nothing-found pre")).to_contain_text("archive:")
        await expect(page.locator("event-filters")).to_be_hidden()


async def test_an_archive_that_is_away_is_words(page: Page, service: Service) -> None:
    """The server's sentence stands in the place of the list; once it is back, one press shows the list."""
    away = json.dumps({"title": "No", "status": 503, "detail": "the archive cannot be used now: it is locked"})
    later = {"Retry-After": "3600", "Content-Type": "application/problem+json"}
    pattern = "**/api/events?*"
    await page.route(pattern, lambda route: route.fulfill(status=503, body=away, headers=later))
    await page.goto(f"{service.url}/#+events?{QUERY}")
    await expect(page.locator("nothing-found")).to_contain_text("The archive cannot be used now: it is locked.")
    await page.unroute(pattern)
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".cell").first).to_be_visible()


async def test_a_page_says_while_nothing_can_be_kept(page: Page, service: Service) -> None:
    """Why stands above the list, which is of before, and goes with its cause."""
    failing = "database or disk is full"
    state = {"failing": failing}

    async def fail(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, json={**await answer.json(), **state})

    await page.clock.install()
    await page.route("**/api/events?limit=1", fail)
    await open_events(page, service)
    said = page.locator("keeping-state")
    await expect(said).to_have_text(f"Nothing can be kept for now ({failing}). What is seen waits until it can be.")
    await expect(page.locator(".cell").first).to_be_visible()
    state = {"storage_failing": "it does not answer"}
    await page.clock.run_for(LOOK_MS)
    await expect(said).to_have_text(
        "Nothing can be brought to object storage for now (it does not answer). It waits on this machine."
    )
    await page.unroute("**/api/events?limit=1")
    await page.clock.run_for(LOOK_MS)
    await expect(said).to_have_text("")


async def test_a_phone_never_scrolls_sideways(driven: Browser, service: Service) -> None:
    """List, filters and large view fit a phone held upright; a swipe goes to the neighbour."""
    context = await driven.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, timezone_id=ZONE.key
    )
    page = await context.new_page()
    await open_events(page, service)
    wide = "document.documentElement.scrollWidth"
    assert await page.evaluate(wide) <= 390
    await page.locator("event-filters summary").tap()
    await expect(page.locator("event-filters").get_by_label("Zone")).to_be_visible()
    assert await page.evaluate(wide) <= 390
    await page.locator(".cell a").first.tap()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Confirm")).to_be_in_viewport()
    assert await dialog.evaluate("dialog => dialog.scrollWidth") <= 390
    await page.evaluate(SWIPE_LEFT)
    await expect(dialog.locator(".place")).to_contain_text("2 of")
    await context.close()


SWIPE_LEFT = """() => {
  const target = document.querySelector(".stage");
  const at = (clientX) => [new Touch({ identifier: 1, target, clientX, clientY: 150 })];
  target.dispatchEvent(new TouchEvent("touchstart", { touches: at(300), bubbles: true }));
  target.dispatchEvent(new TouchEvent("touchend", { changedTouches: at(80), bubbles: true }));
}"""

TO_THE_END = """async (count) => {
  let most = 0;
  const last = () => document.querySelector(`.cell[aria-posinset="${count}"]`);
  while (!last()) {
    window.scrollTo(0, document.documentElement.scrollHeight);
    await new Promise(requestAnimationFrame);
    most = Math.max(most, document.querySelectorAll("events-page *").length);
  }
  return [most, last().querySelector("a").hash];
}"""


async def test_ten_thousand_events_are_no_more_elements_than_fit(page: Page, tmp_path: Path) -> None:
    """Scrolled from the newest to the oldest there are at no time more elements than the window has room for."""
    keep(tmp_path / "archive", MANY)
    with run_service(CONFIG, folder=tmp_path) as service:
        await open_events(page, service, "")
        most, oldest = await page.evaluate(TO_THE_END, len(MANY))
        assert oldest.endswith(f"event={MANY[0].id}")
        assert most < 1500
