"""Zones drawn on the page, in a real browser, by mouse, finger and keys, and kept by a real service."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from playwright.async_api import Browser, Locator, Page, expect

from tests.peers.chromium import connect
from tests.peers.service import Service, run_service, write_config
from tests.web.peers import jpeg

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(200)]

PATIENCE_MS = 30_000
NOWHERE = "127.0.0.1:9"
YARD = {"points": [[0.1, 0.5], [0.5, 0.5], [0.5, 0.9], [0.1, 0.9]]}
KERB = {"points": [[0.2, 0.2], [0.8, 0.2]]}
WAYS = {"forward": 12, "backward": 3}
AWAY = {"url": f"rtsp://{NOWHERE}/x", "paused": True}
CONFIG: dict[str, Any] = {
    "serving": {"address": NOWHERE},
    "streams": {"filed": {**AWAY, "zones": {"yard": YARD}}},
    "api_streams": {"allowed": True, "networks": ["127.0.0.1/32"]},
    "archive": {},
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run a service that nobody signs in to, whose cameras are paused."""
    with run_service(CONFIG, folder=tmp_path_factory.mktemp("zones")) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def driven(chromium: str) -> AsyncIterator[Browser]:
    """Give the session's Chromium once for all these tests."""
    expect.set_options(timeout=PATIENCE_MS)
    async with connect(chromium) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(driven: Browser) -> AsyncIterator[Page]:
    """Give a page in which nothing may fail unforeseen."""
    context = await driven.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await context.close()
    assert errors == []


async def added(service: Service, name: str, **places: Any) -> str:
    """Add a stream by the API, with these places; gives its name."""
    document = {**AWAY, "name": name, **places}
    answer = await service.ask(
        "/api/streams", method="POST", body=json.dumps(document), content_type="application/json"
    )
    assert answer.status == 201, answer.body
    return name


async def kept(service: Service, name: str) -> dict[str, Any]:
    """Its places, as the interface has them."""
    found: dict[str, Any] = (await service.ask(f"/api/streams/{name}/places")).json()
    return found


async def open_zones(page: Page, service: Service, name: str) -> Locator:
    """Look at the zones of a stream; gives the board."""
    await page.goto(f"{service.url}/#+zones?stream={name}")
    await expect(page.locator("zones-page")).to_be_visible()
    board = page.locator("drawing-board svg")
    await expect(page.get_by_role("button", name="Zone", exact=True)).to_be_visible()
    return board


async def press(page: Page, board: Locator, *points: tuple[float, float]) -> None:
    """Press at these shares of the picture, one after the other."""
    for x, y in points:
        await page.mouse.click(*await at(board, x, y))


async def at(board: Locator, x: float, y: float) -> tuple[float, float]:
    """Where that is in the window."""
    box = await board.bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


async def save(page: Page) -> None:
    """Have it kept."""
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("zones-page").get_by_role("status")).to_contain_text("Saved.")


# ---- drawing


async def test_a_zone_is_drawn_by_mouse_and_kept(page: Page, service: Service) -> None:
    """Corners are pressed one by one, the first closes the polygon; what it asks for is kept with it."""
    name = await added(service, "mouse")
    await page.goto(f"{service.url}/#{name}")
    await page.get_by_role("link", name="Draw them").click()
    board = page.locator("drawing-board svg")
    await page.get_by_role("button", name="Zone", exact=True).click()
    await press(page, board, (0.2, 0.2), (0.6, 0.2), (0.6, 0.7), (0.2, 0.7), (0.2, 0.2))
    form = page.locator("place-form")
    await form.get_by_label("Name").fill("yard")
    await form.get_by_label("With commas between").fill("person, car")
    await form.get_by_label("Score at least").fill("55")
    await form.get_by_label("Told after").fill("7.5")
    await form.get_by_text("Size, hours").click()
    await form.get_by_label("Smallest").fill("0.1")
    await form.get_by_role("button", name="Add hours").click()
    await form.get_by_label("A thing is").select_option("center")
    await save(page)
    zone = (await kept(service, name))["zones"]["yard"]
    points = zone.pop("points")
    assert points == [pytest.approx(point, abs=0.003) for point in ([0.2, 0.2], [0.6, 0.2], [0.6, 0.7], [0.2, 0.7])]
    assert zone == {
        "anchor": "center",
        "dwell": 7.5,
        "hours": ["22:00-06:00"],
        "labels": ["person", "car"],
        "max_size": 1.0,
        "min_score": 0.55,
        "min_size": 0.001,
    }


async def test_a_point_is_dragged_inserted_and_a_zone_is_moved(page: Page, service: Service) -> None:
    """A corner goes where it is dragged, the middle of an edge becomes one, and dragging the inside moves all of it."""
    name = await added(service, "drag", zones={"yard": YARD})
    board = await open_zones(page, service, name)
    await press(page, board, (0.3, 0.7))
    for begin, end in (((0.5, 0.5), (0.6, 0.4)), ((0.1, 0.7), (0.05, 0.7)), ((0.3, 0.75), (0.4, 0.75))):
        await page.mouse.move(*await at(board, *begin))
        await page.mouse.down()
        await page.mouse.move(*await at(board, *end), steps=3)
        await page.mouse.up()
    await save(page)
    points = (await kept(service, name))["zones"]["yard"]["points"]
    expected = ([0.2, 0.5], [0.7, 0.4], [0.6, 0.9], [0.2, 0.9], [0.15, 0.7])
    assert points == [pytest.approx(point, abs=0.004) for point in expected]
    await page.keyboard.press("Control+z")
    await expect(page.get_by_role("button", name="Discard")).to_be_visible()


async def test_all_is_done_by_keys(page: Page, service: Service) -> None:
    """Without a pointer a line and a zone are begun, moved, given and deprived of a point, turned, removed and kept."""
    name = await added(service, "keys", masks=[YARD["points"]])
    await open_zones(page, service, name)
    heard = page.locator("zones-page .heard")
    await page.get_by_role("button", name="Line", exact=True).press("Enter")
    await expect(page.get_by_role("button", name="Point 1 of 2")).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Shift+ArrowRight")
    await expect(heard).to_have_text("31 % from the left, 60 % from the top")
    await page.keyboard.press("Delete")
    await expect(heard).to_have_text("A line has at least 2 points.")
    await page.get_by_role("button", name="Turn it round").press("Enter")
    await page.get_by_role("button", name="Zone", exact=True).press("Enter")
    await page.keyboard.press("+")
    await expect(page.get_by_role("button", name="Point 2 of 5")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Delete")
    await expect(page.get_by_role("button", name="Point 3 of 4")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("drawing-board").get_by_role("button", name="Zone zone-1")).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await page.locator("drawing-board").get_by_role("button", name="Mask").focus()
    await page.keyboard.press("Delete")
    await page.keyboard.press("Control+s")
    await expect(page.locator("zones-page").get_by_role("status")).to_contain_text("Saved.")
    found = await kept(service, name)
    assert found["lines"]["line-1"]["points"] == [[0.75, 0.6], [0.305, 0.6]]
    assert [point[0] for point in found["zones"]["zone-1"]["points"]] == [0.35, 0.5, 0.65, 0.35]
    assert found["zones"]["zone-1"]["points"][0][1] < 0.35
    assert found["masks"] == []


async def test_a_finger_draws_on_a_phone(driven: Browser, service: Service) -> None:
    """On a phone held upright a line is tapped, a zone's point added and removed by buttons; nothing is wider."""
    name = await added(service, "phone", zones={"yard": YARD})
    context = await driven.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    board = await open_zones(page, service, name)
    await page.get_by_role("button", name="Line", exact=True).tap()
    for point in ((0.1, 0.3), (0.9, 0.3)):
        await page.touchscreen.tap(*await at(board, *point))
    await expect(page.locator("place-form").get_by_label("Name")).to_have_value("line-1")
    await page.locator("place-list").get_by_role("button", name="yard").first.tap()
    await page.get_by_role("button", name="Add a point").tap()
    await expect(page.locator("drawing-board .point")).to_have_count(5)
    await page.get_by_role("button", name="Remove the point").tap()
    await expect(page.locator("drawing-board .point")).to_have_count(4)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    await save(page)
    found = await kept(service, name)
    assert found["zones"]["yard"]["points"] == YARD["points"]
    assert found["lines"]["line-1"]["points"] == [pytest.approx(point, abs=0.01) for point in ([0.1, 0.3], [0.9, 0.3])]
    await context.close()


async def test_lines_are_shown_over_the_video_with_their_counts(page: Page, service: Service) -> None:
    """A stream that is watched has its zones and lines beside it, with counts, and over its video if that is wanted."""
    name = await added(service, "watched", zones={"yard": YARD}, lines={"kerb": KERB}, masks=[YARD["points"]])
    over = [{"line": "kerb", "direction": way, "label": "car", "count": count} for way, count in WAYS.items()]
    found = {"crossings": over, "occupancy": [{"zone": "yard", "label": "", "count": 0}]}
    await page.route(f"**/{name}/counts", lambda route: route.fulfill(json=found))
    await page.goto(f"{service.url}/#{name}")
    viewer = page.locator(f"stream-viewer[name={name}]")
    await expect(viewer.locator("stream-places li")).to_have_text(["yard0", "kerb→ 12 ← 3"])
    await expect(viewer.locator(".drawn")).to_be_hidden()
    await viewer.get_by_role("button", name="Show them on the video").click()
    await expect(viewer.locator(".drawn .place")).to_have_count(3)
    await expect(viewer.locator(".drawn")).to_contain_text("kerb  → 12  ← 3")
    await viewer.get_by_role("button", name="Hide them on the video").click()
    await expect(viewer.locator(".drawn")).to_be_hidden()


# ---- keeping


async def test_what_is_not_saved_is_not_lost_by_a_press(page: Page, service: Service) -> None:
    """Who leaves is asked first; he may go on drawing, or discard it and be where he wanted to go."""
    name = await added(service, "leaving", lines={"kerb": KERB})
    await open_zones(page, service, name)
    await page.locator("place-list").get_by_role("button", name="kerb").first.click()
    await page.get_by_role("button", name="Turn it round").click()
    await page.get_by_role("link", name="Events").click()
    await page.get_by_role("button", name="Go on drawing").click()
    await expect(page.get_by_role("button", name="Discard", exact=True)).to_be_visible()
    assert page.url.endswith(f"#+zones?stream={name}")
    await page.get_by_role("link", name="Events").click()
    await page.get_by_role("button", name="Discard it").click()
    await expect(page.locator("events-page")).to_be_visible()
    assert (await kept(service, name))["lines"]["kerb"]["points"] == KERB["points"]


async def test_two_who_draw_do_not_write_over_each_other(page: Page, service: Service) -> None:
    """What somebody else has drawn meanwhile is told, and written over only by another press."""
    name = await added(service, "two", lines={"kerb": KERB})
    await open_zones(page, service, name)
    await page.locator("place-list").get_by_role("button", name="kerb").first.click()
    await page.get_by_role("button", name="Turn it round").click()
    theirs = json.dumps({"lines": {"theirs": KERB}})
    path = f"/api/streams/{name}/places"
    assert (await service.ask(path, method="PUT", body=theirs, content_type="application/json")).status == 200
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("zones-page > .side > .problem")).to_contain_text("changed by somebody else")
    assert list((await kept(service, name))["lines"]) == ["theirs"]
    await page.get_by_role("button", name="Save mine over it").click()
    await expect(page.locator("zones-page").get_by_role("status")).to_contain_text("Saved.")
    assert (await kept(service, name))["lines"]["kerb"]["points"] == KERB["points"][::-1]


async def test_what_is_amiss_is_told_where_it_is(page: Page, service: Service) -> None:
    """A name that cannot be is said at its field as it is typed, and saving leads to it; what is HTML is text."""
    name = await added(service, "amiss", zones={"yard": YARD}, lines={"kerb": KERB})
    await open_zones(page, service, name)
    await page.locator("place-list").get_by_role("button", name="yard").first.click()
    field = page.locator("place-form").get_by_label("Name")
    await field.fill("<img src=x onerror='window.hacked=1'>")
    await expect(page.locator("place-form small.problem").first).to_contain_text("1 to 64 letters")
    await page.locator("place-list").get_by_role("button", name="kerb").first.click()
    await page.get_by_role("button", name="Turn it round").click()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(field).to_be_focused()
    assert await page.evaluate("window.hacked") is None
    assert "yard" in (await kept(service, name))["zones"]


async def test_what_the_server_refuses_is_told_at_the_shape(page: Page, service: Service) -> None:
    """The shape that a refusal is about is chosen, the sentence stands below it, and nothing drawn is lost."""
    name = await added(service, "refused", zones={"yard": YARD}, lines={"kerb": KERB})
    await open_zones(page, service, name)
    await page.locator("place-list").get_by_role("button", name="kerb").first.click()
    await page.get_by_role("button", name="Turn it round").click()
    problem = {"title": "No", "status": 422, "detail": "zones.yard.points.0.1: 2 is not allowed"}
    await page.route("**/places", lambda route: route.fulfill(status=422, json=problem))
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("zones-page > .side > .problem")).to_have_text("Zones.yard.points.0.1: 2 is not allowed.")
    await expect(page.locator("place-form").get_by_label("Name")).to_have_value("yard")
    await expect(page.get_by_role("button", name="Discard", exact=True)).to_be_visible()


async def test_the_configuration_files_zones_are_written_down(page: Page, service: Service) -> None:
    """Of a stream of the file comes YAML to be pasted; once that is there the page says so, and nothing is unsaved."""
    board = await open_zones(page, service, "filed")
    await expect(page.locator(".standing")).to_contain_text("It stands in the configuration file.")
    await page.get_by_role("button", name="Line", exact=True).click()
    await press(page, board, (0.25, 0.25), (0.75, 0.25))
    await page.get_by_role("button", name="YAML for the file").click()
    text = await page.locator(".yaml").inner_text()
    await page.get_by_role("button", name="Done").click()
    drawn = yaml.safe_load(f"filed:\n{text}")["filed"]
    assert drawn["zones"] == {"yard": YARD}
    write_config(service.path, {**CONFIG, "streams": {"filed": {**AWAY, **drawn}}})
    await expect(page.locator("zones-page").get_by_role("status")).to_contain_text(
        "It stands in the configuration file"
    )
    await expect(page.get_by_role("button", name="Discard", exact=True)).to_be_hidden()
    assert (await kept(service, "filed"))["lines"]["line-1"]["points"] == drawn["lines"]["line-1"]["points"]


async def test_who_may_only_look_draws_nothing(page: Page, tmp_path: Path) -> None:
    """Without the right to operate zones are shown, with what they ask for, and nothing about them can be changed."""
    with run_service({**CONFIG, "access": {"anonymous": ["view"]}}, folder=tmp_path) as service:
        await page.goto(f"{service.url}/#+zones?stream=filed")
        await page.locator("place-list").get_by_role("button", name="yard").click()
        await expect(page.locator("place-form").get_by_label("Name")).to_be_disabled()
        for name in ("Zone", "Undo", "Delete Zone yard", "Save", "YAML for the file"):
            await expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
        await page.locator("drawing-board").get_by_role("button", name="Zone yard").focus()
        await page.keyboard.press("Delete")
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("place-list li")).to_have_count(1)
        await expect(page.locator("drawing-board .point")).to_have_count(0)


async def test_it_is_drawn_over_a_still_of_its_size(page: Page, service: Service) -> None:
    """The board is as wide as high as the picture is, and a picture that cannot be had is words."""
    await added(service, "still")
    listed = (await service.ask("/api/streams")).json()
    for each in listed:
        each |= {"width": 320, "height": 180}
    await page.route("**/api/streams", lambda route: route.fulfill(json=listed))
    await page.route("**/frame.jpg*", lambda route: route.fulfill(body=jpeg(1), content_type="image/jpeg"))
    board = await open_zones(page, service, "still")
    await expect(page.locator("drawing-board img")).to_be_visible()
    box = await board.bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(320 / 180, abs=0.01)
    await page.unroute("**/frame.jpg*")
    await page.get_by_role("button", name="A newer picture").click()
    await expect(page.locator("drawing-board .nothing")).to_contain_text("No picture of it can be had now")
