"""A camera added on the page, in a real browser, to the real service."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.peers.model_server import ModelServer
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import run_service

pytestmark = pytest.mark.timeout(300)

PATIENCE_MS = 60_000
PASSWORD, TOKEN = "canary-pa55", "let-me-change"


async def test_a_camera_is_added_on_the_page(page: Page, model_server: ModelServer, numbered_clip: Path) -> None:
    """The form says what the server refuses, and adds what it takes: a tile that is live, and no password left."""
    expect.set_options(timeout=PATIENCE_MS)
    policy = {"allowed": True, "networks": ["127.0.0.1/32"], "token": TOKEN}
    config = {"serving": model_server.settings, "api_streams": policy}
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    with (
        run_rtsp_server({"/road": numbered_clip}, user="u", password=PASSWORD) as camera,
        run_service(config) as service,
    ):
        await page.goto(service.url)
        await page.get_by_role("button", name="Add a camera").click()
        form = page.locator(".adding")
        await form.get_by_label("Name").fill("road")
        await form.get_by_label("URL").fill("http://169.254.9.9/latest")
        await form.get_by_label("Token").fill("wrong-token")
        await form.get_by_role("button", name="Add").click()
        await expect(form.locator(".problem")).to_contain_text("needs the token of api_streams.token")
        await form.get_by_label("Token").fill(TOKEN)
        await form.get_by_role("button", name="Add").click()
        await expect(form.locator(".problem")).to_contain_text("is a link-local address")
        await form.get_by_label("URL").fill(camera.url("/road"))
        await form.get_by_role("button", name="Add").click()
        await expect(form).to_be_hidden()
        await expect(page.locator("stream-viewer[name=road]")).to_have_attribute("data-state", "live")
        assert PASSWORD not in await page.content()
        assert await form.get_by_label("URL").input_value() == ""
    assert errors == []


async def test_a_camera_is_examined_added_paused_and_removed(
    page: Page, model_server: ModelServer, numbered_clip: Path
) -> None:
    """The doctor says that it works, with a picture; its tile is live, paused, live again, and gone."""
    expect.set_options(timeout=PATIENCE_MS)
    policy = {"allowed": True, "networks": ["127.0.0.1/32"]}
    config = {"serving": model_server.settings, "api_streams": policy}
    with run_rtsp_server({"/road": numbered_clip}) as camera, run_service(config) as service:
        await page.goto(service.url)
        await page.get_by_role("button", name="Add a camera").click()
        form = page.locator(".adding")
        await form.get_by_label("Name").fill("road")
        await form.get_by_label("URL").fill(camera.url("/nowhere"))
        await form.get_by_role("button", name="Check").click()
        await expect(form.get_by_role("status")).to_have_text("Does not worknot_found")
        await form.get_by_label("URL").fill(camera.url("/road"))
        await form.get_by_role("button", name="Check").click()
        await expect(form.get_by_role("status")).to_contain_text("Works")
        await expect(form.locator("dd", has_text="320×240")).to_be_visible()
        await expect(form.get_by_role("img")).to_be_visible()
        assert await form.get_by_role("img").evaluate("image => image.naturalWidth") == 320
        await form.get_by_role("button", name="Add", exact=True).click()
        tile = page.locator("stream-viewer[name=road]")
        await expect(tile).to_have_attribute("data-state", "live")
        await tile.get_by_role("button", name="Pause").click()
        await expect(tile).to_have_attribute("data-state", "paused")
        await tile.locator(".cover").get_by_role("button", name="Resume").click()
        await expect(tile).to_have_attribute("data-state", "live")
        await tile.get_by_role("button", name="Remove…").click()
        await tile.get_by_role("button", name="Remove", exact=True).click()
        await expect(
            page.locator(".empty")
        ).to_be_visible()  # it said so before, out of sight, when there were none yet
        await expect(page.locator(".empty")).to_contain_text("No streams yet")
        assert (await service.ask("/api/streams")).json() == []


async def test_nothing_is_offered_where_nothing_may_be_added(page: Page, model_server: ModelServer) -> None:
    """Without api_streams.allowed the page has no such button."""
    config = {"serving": model_server.settings}
    with run_service(config) as service:
        async with page.expect_response("**/api/config") as told:
            await page.goto(service.url)
        await (await told.value).finished()
        await expect(page.locator(".empty")).to_contain_text("No streams yet")
        await expect(page.get_by_role("button", name="Add a camera")).to_be_hidden()
