"""Signing in on the page, and users and tokens, in a real browser with the real service."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.peers.chromium import connect
from tests.peers.model_server import ModelServer
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, run_service

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

PATIENCE_MS = 60_000
PASSWORD = "canary-pa55word"
CAMERAS = ("gate", "line-1", "line-2")


@pytest.fixture(scope="module")
def service(
    model_server: ModelServer, numbered_clip: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Run a service of three cameras for these tests, with an admin, and a viewer of two of them."""
    folder = tmp_path_factory.mktemp("access")
    with run_rtsp_server({f"/{name}": numbered_clip for name in CAMERAS}) as camera:
        config = {
            "serving": model_server.settings,
            "streams": {name: {"url": camera.url(f"/{name}")} for name in CAMERAS},
            "api_streams": {"allowed": True, "networks": ["127.0.0.1/32"]},
            "access": {},
        }
        (folder / "sightline.yaml").write_text(json.dumps(config))
        add_user(folder, "anna", "--role", "admin")
        add_user(folder, "ben", "--role", "viewer", "--streams", "line-*")
        with run_service(config, folder=folder) as service:
            yield service


def add_user(folder: Path, *arguments: str) -> None:
    """Add one by the command, as whoever sets a service up does."""
    config: list[str | Path] = ["--password-stdin", "--config", folder / "sightline.yaml"]
    command = [sys.executable, "-m", "streamer", "user", "add", *arguments, *config]
    done = subprocess.run(command, input=f"{PASSWORD}\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def driven(chromium: str) -> AsyncIterator[Browser]:
    """Give the session's Chromium once for all these tests."""
    expect.set_options(timeout=PATIENCE_MS)
    async with connect(chromium) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(driven: Browser) -> AsyncIterator[Page]:
    """Give a page of somebody who was never here."""
    context = await driven.new_context()
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    await context.close()


async def sign_in(page: Page, name: str, typed: str = PASSWORD) -> None:
    """Fill in the form and send it."""
    form = page.locator("sign-in form")
    await form.get_by_label("Name", exact=True).fill(name)
    await form.get_by_label("Password", exact=True).fill(typed)
    await form.get_by_role("button", name="Sign in", exact=True).click()


def dialog(page: Page) -> Locator:
    """The one that is open."""
    return page.locator("dialog[open]")


async def test_a_viewer_signs_in_sees_his_streams_and_signs_out(page: Page, service: Service) -> None:
    """Two of three cameras are his; a change is offered to him nowhere and refused; signed out, he sees nothing."""
    await page.goto(service.url)
    await sign_in(page, "ben", "another password")
    await expect(page.locator("sign-in").get_by_role("alert")).to_contain_text("password")
    await expect(page.locator("stream-viewer")).to_have_count(0)
    await sign_in(page, "ben")
    await expect(page.locator("stream-viewer .name")).to_have_text(["line-1", "line-2"])
    await expect(page.locator("stream-viewer[data-transport=webcodecs]")).to_have_count(2)
    await expect(page.get_by_role("button", name="Add a camera")).to_be_hidden()
    pause = "fetch('api/streams/line-1', {method: 'PATCH', headers: {'Content-Type': 'application/json'}, body: '{}'})"
    assert await page.evaluate(f"{pause}.then(({{ status }}) => status)") == 403
    assert await page.evaluate("fetch('api/streams/gate/frame.jpg').then(({ status }) => status)") == 404
    await page.get_by_role("button", name="ben: your account").click()
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page.locator("sign-in form")).to_be_visible()
    await expect(page.locator("stream-viewer")).to_have_count(0)
    assert await page.evaluate("fetch('api/streams').then(({ status }) => status)") == 401
    assert PASSWORD not in await page.content()


async def test_sessions_end_where_they_were_begun_elsewhere(page: Page, driven: Browser, service: Service) -> None:
    """What is signed out everywhere shows nothing any more at the other browser, and says why."""
    elsewhere = await driven.new_context()
    other = await elsewhere.new_page()
    for each in (page, other):
        await each.goto(service.url)
        await sign_in(each, "ben")
        await expect(each.locator("stream-viewer")).to_have_count(2)
    await page.get_by_role("button", name="ben: your account").click()
    await page.get_by_role("button", name="Where you are signed in…").click()
    await expect(dialog(page).locator(".sessions .word")).to_have_text(["here"])
    await dialog(page).get_by_role("button", name="Sign out everywhere").click()
    await expect(other.locator("sign-in")).to_contain_text("Your session has ended.")
    await expect(page.locator("sign-in form")).to_be_visible()
    await expect(page.locator("sign-in")).not_to_contain_text("Your session has ended.")
    await elsewhere.close()


async def test_a_password_is_changed_by_who_knows_it(page: Page, service: Service) -> None:
    """A wrong one is said, and ready to be typed over; a change under way is seen, and leaves one signed in."""
    await page.goto(service.url)
    await sign_in(page, "ben")
    await page.get_by_role("button", name="ben: your account").click()
    await page.get_by_role("button", name="Change password…").click()
    old = dialog(page).get_by_label("Old password", exact=True)
    await old.fill("another password")
    await dialog(page).get_by_label("New password", exact=True).fill(PASSWORD)
    await dialog(page).get_by_role("button", name="Change", exact=True).click()
    await expect(dialog(page).get_by_role("alert")).to_have_text("The old password is wrong.")
    await expect(old).to_be_focused()
    answered = asyncio.Event()

    async def late(route: Route) -> None:
        await answered.wait()
        await route.continue_()

    await page.route("**/api/session/password", late)
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(dialog(page).get_by_role("button", name="Change", exact=True)).to_have_css("opacity", "0.5")
    answered.set()
    await expect(dialog(page).get_by_role("status")).to_have_text("Your password is changed.")
    await dialog(page).get_by_role("button", name="Close").click()
    await expect(page.locator("stream-viewer")).to_have_count(2)


async def test_an_admin_adds_a_user_and_a_token(page: Page, driven: Browser, service: Service) -> None:
    """The password and the secret are shown once and work; both deeds are in the audit; removed, he is signed out."""
    await page.goto(service.url)
    await sign_in(page, "anna")
    await page.get_by_role("button", name="anna: your account").click()
    await page.get_by_role("link", name="Users and tokens").click()
    await expect(page.locator("user-list tbody th")).to_have_text([r"annayou", "ben"])

    await page.get_by_role("button", name="Add a user").click()
    await dialog(page).get_by_label("Name", exact=True).fill("Dora")
    await dialog(page).get_by_label("Only some").check()
    await dialog(page).get_by_role("checkbox", name="gate").check()
    await dialog(page).get_by_role("button", name="Add", exact=True).click()
    password = await dialog(page).locator("code").inner_text()
    for key in ("Enter", "Escape"):  # one too many takes nothing away unread
        await page.keyboard.press(key)
    assert await page.evaluate("String(getSelection())") == password
    await dialog(page).get_by_role("button", name="Done").click()
    await expect(page.locator("user-list tbody tr", has_text="Dora")).to_contain_text("gate")
    elsewhere = await driven.new_context()
    other = await elsewhere.new_page()
    await other.goto(service.url)
    await sign_in(other, "Dora", password)
    await expect(other.locator("stream-viewer .name")).to_have_text(["gate"])

    await page.get_by_role("link", name="Tokens", exact=True).click()
    await expect(page.locator("token-list")).to_contain_text("No tokens yet.")
    await page.get_by_role("button", name="Add a token").click()
    await dialog(page).get_by_label("Name", exact=True).fill("grafana")
    await dialog(page).get_by_role("checkbox", name="View").uncheck()
    await dialog(page).get_by_role("checkbox", name="Metrics").check()
    await dialog(page).get_by_role("button", name="Add", exact=True).click()
    secret = await dialog(page).locator("code").inner_text()
    await dialog(page).get_by_role("button", name="Done").click()
    await expect(page.locator("token-list tbody tr")).to_contain_text("grafana")
    shown = {"Authorization": f"Bearer {secret}"}
    assert (await service.ask("/metrics", headers=shown)).status == 200
    assert (await service.ask("/api/streams", headers=shown)).status == 403

    await page.get_by_role("link", name="Users", exact=True).click()
    await page.get_by_role("button", name="Edit Dora").click()
    await dialog(page).get_by_role("button", name="Remove…").click()
    await dialog(page).get_by_role("button", name="Remove Dora").click()
    await expect(page.locator("user-list tbody th")).to_have_text(["annayou", "ben"])
    await expect(other.locator("sign-in")).to_contain_text("Your session has ended.")
    await elsewhere.close()

    await page.get_by_role("link", name="Audit").click()
    deeds = page.locator("audit-list tbody tr")
    for deed in ("user remove", "token add", "user add"):
        await expect(deeds.filter(has_text=deed).filter(has_text="anna").first).to_be_visible()
    await page.locator("audit-list").get_by_label("What").select_option("token")
    await expect(deeds).to_have_count(1)
    await expect(deeds).to_contain_text("grafana")
    await page.set_viewport_size({"width": 390, "height": 844})
    for part in ("Users", "Tokens", "Audit"):
        await page.get_by_role("link", name=part, exact=True).click()
        await expect(page.locator("tbody tr >> visible=true").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert secret not in await page.content()
    assert password not in await page.content()


async def test_the_last_admin_stays_one(page: Page, service: Service) -> None:
    """The server's refusal is said in the form, which keeps what was chosen."""
    await page.goto(f"{service.url}#+users")
    await sign_in(page, "anna")
    await page.get_by_role("button", name="Edit anna").click()
    await dialog(page).get_by_role("radio", name="Viewer").check()
    await dialog(page).get_by_role("button", name="Save").click()
    await expect(dialog(page).get_by_role("alert")).to_contain_text("administrator")
    await expect(dialog(page).get_by_role("radio", name="Viewer")).to_be_checked()
