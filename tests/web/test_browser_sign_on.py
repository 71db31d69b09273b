"""Signing in at a real OpenID Connect provider, in a real browser, to which it is another site."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.peers.oidc_provider import OidcProvider, run_oidc_provider
from tests.peers.process import free_port
from tests.peers.service import Service, run_service

pytestmark = pytest.mark.timeout(300)

USERS = {"anna": ["staff", "cameras"], "otto": ["staff"]}


@contextmanager
def joined(clip: Path, **oidc: object) -> Iterator[tuple[Service, OidcProvider]]:
    """A service with two videos, of which the group `cameras` may see one, and the provider it sends people to."""
    port = free_port()
    back = f"http://127.0.0.1:{port}/api/sign-in/oidc/callback"
    with run_oidc_provider(back, USERS) as provider:
        config = {
            "server": {"port": port},
            "serving": {"address": f"127.0.0.1:{free_port()}"},
            "streams": {name: {"url": f"file://{clip}"} for name in ("road", "yard")},
            "access": {
                "groups": {"cameras": {"role": "viewer", "streams": ["road"]}},
                "oidc": {**provider.settings, **oidc},
            },
        }
        with run_service(config) as service:
            yield service, provider


@pytest.fixture(scope="module")
def service(numbered_clip: Path) -> Iterator[Service]:
    """Run both."""
    with joined(numbered_clip) as (service, _):
        yield service


async def sign_in(page: Page, service: Service, name: str, return_to: str = "/") -> None:
    """Go to the provider, say who one is, and agree to be told of; ends where the provider sends the browser back."""
    await page.goto(f"{service.url}/api/sign-in/oidc?return_to={return_to}")
    assert page.url.startswith("http://localhost:")
    await page.fill("input[name=login]", name)
    await page.fill("input[name=password]", "whatever")
    await page.click("button[type=submit]")
    await page.wait_for_selector("text=Authorize")
    async with page.expect_response(lambda response: "/callback?" in response.url):
        await page.click("button[type=submit]")


async def current(page: Page) -> Any:
    """What the service says to this browser of who asks."""
    return await page.evaluate("async () => (await fetch('/api/session')).json()")


async def test_a_viewer_by_its_group_sees_its_streams(browser: Browser, service: Service) -> None:
    """Back on the page the cookie for our own pages alone is sent: he is known, with what his group gives him."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(service.url)
    before = await current(page)
    assert before["principal"]["kind"] == "nobody"
    assert before["sign_in"]["oidc"] == {"name": "Campus", "path": "/api/sign-in/oidc"}

    await sign_in(page, service, "anna", "/?from=there")
    await page.wait_for_url(f"{service.url}/?from=there")
    assert (await current(page))["principal"] == {
        "kind": "user",
        "name": "Campus/anna",
        "role": None,
        "actions": ["view"],
        "streams": ["road"],
    }
    await page.wait_for_selector("stream-viewer")
    assert await page.locator("stream-viewer").count() == 1

    kept = {each["name"]: each for each in await context.cookies(service.url)}
    assert (kept["sightline"]["sameSite"], kept["sightline"]["httpOnly"]) == ("Strict", True)
    assert (kept["sightline-sign-in"]["sameSite"], kept["sightline-sign-in"]["httpOnly"]) == ("Lax", True)

    answer = await page.evaluate("async () => (await fetch('/api/session', {method: 'DELETE'})).status")
    assert answer == 204
    assert (await current(page))["principal"]["kind"] == "nobody"
    await context.close()


async def test_the_first_page_after_it_is_already_his(browser: Browser, service: Service) -> None:
    """The navigation that our answer begins shows who he is, not only what the page asks for later."""
    context = await browser.new_context()
    page = await context.new_page()
    await sign_in(page, service, "anna", "/api/streams")
    await page.wait_for_url(f"{service.url}/api/streams")
    assert '"road"' in await page.inner_text("body")
    assert '"yard"' not in await page.inner_text("body")
    await context.close()


async def test_who_is_in_no_group_is_told_so_on_a_page(browser: Browser, service: Service) -> None:
    """Known there and nobody here: a sentence with a way back, and no session."""
    context = await browser.new_context()
    page = await context.new_page()
    await sign_in(page, service, "otto")
    await page.wait_for_selector("text=Not signed in")
    assert "Campus/otto is in none of the groups" in await page.inner_text("main")
    assert {each["name"] for each in await context.cookies(service.url)} == {"sightline-sign-in"}
    again = page.url
    await page.goto(again)
    assert "was ended already" in await page.inner_text("main")
    await page.click("text=Back to the page")
    await page.wait_for_url(f"{service.url}/")
    await context.close()


async def test_a_way_back_leads_nobody_else_in(browser: Browser, service: Service) -> None:
    """What one browser was sent back with is of no use in another, also before it is used."""
    context, other = await browser.new_context(), await browser.new_context()
    page, stranger = await context.new_page(), await other.new_page()
    await page.goto(f"{service.url}/api/sign-in/oidc")
    await page.fill("input[name=login]", "anna")
    await page.fill("input[name=password]", "whatever")
    await page.click("button[type=submit]")
    await page.wait_for_selector("text=Authorize")
    await context.clear_cookies(domain="127.0.0.1")
    await page.click("button[type=submit]")
    await page.wait_for_selector("text=begun in another browser")
    await stranger.goto(f"{service.url}/api/sign-in/oidc")  # has a cookie of its own
    await stranger.goto(page.url)
    assert "begun in another browser" in await stranger.inner_text("main")
    await stranger.goto(service.url)
    assert (await current(stranger))["principal"]["kind"] == "nobody"
    for each in (context, other):
        await each.close()


async def test_a_provider_that_is_away_is_told_on_a_page_and_keeps_nobody(
    browser: Browser, numbered_clip: Path
) -> None:
    """Who goes there gets a sentence with a way back; the service and its other ways in go on."""
    context = await browser.new_context()
    page = await context.new_page()
    with joined(numbered_clip) as (service, provider):
        provider.process.kill()
        response = await page.goto(f"{service.url}/api/sign-in/oidc")
        assert response is not None
        assert response.status == 503
        assert "The provider does not answer at http://localhost" in await page.inner_text("main")
        assert "Connection refused." in await page.inner_text("main")
        assert (await service.ask("/api/session")).status == 200
        program = await service.ask("/api/sign-in/oidc")
        assert "does not answer" in program.problem()
    await context.close()
