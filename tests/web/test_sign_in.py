"""Who looks at the page: signing in, what each may do there, sessions that end; each test chooses the answers."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from tests.peers.chromium import connect
from tests.web.peers import FakeService, run_fake_service, session, stream

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE_MS = 30_000
PHONE: ViewportSize = {"width": 390, "height": 844}
NOBODY = session("nobody")
WATCHER = session("nobody", "nobody", None, "view")
ANNA = session("user", "anna", "admin", "view", "publish", "operate", "administer", "metrics")
BEN = session("user", "ben", "viewer", "view")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def driven(chromium: str) -> AsyncIterator[Browser]:
    """Give the session's Chromium once for all these tests."""
    expect.set_options(timeout=PATIENCE_MS)
    async with connect(chromium) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def service() -> AsyncIterator[FakeService]:
    """Give a service of two streams that asks who one is, and lets streams be changed and phones publish."""
    async with run_fake_service() as service:
        service.session, service.streams = NOBODY, [stream("a"), stream("b", "offline", "it is away")]
        service.streams[1]["origin"] = "api"
        service.may = {"allowed": True, "token": False, "schemes": ["rtsp"]}
        service.publishable = ["phone-*"]
        yield service


@pytest_asyncio.fixture(loop_scope="module")
async def page(driven: Browser) -> AsyncIterator[Page]:
    """Give a page that must break neither a policy nor a script."""
    context = await driven.new_context()
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.add_init_script(
        "window.refused = []; document.addEventListener('securitypolicyviolation', e => refused.push(e.blockedURI))"
    )
    yield page
    assert errors == []
    assert await page.evaluate("refused") == []
    await context.close()


def door(page: Page) -> Locator:
    """What stands before the page."""
    return page.locator("sign-in dialog")


async def fill(page: Page, name: str = "anna", typed: str = "correct horse") -> None:
    """Sign in, or try to."""
    await door(page).get_by_label("Name", exact=True).fill(name)
    await door(page).get_by_label("Password", exact=True).fill(typed)
    await door(page).get_by_role("button", name="Sign in", exact=True).click()


# ---- signing in


async def test_signing_in_shows_the_place_that_was_asked_for(page: Page, service: FakeService) -> None:
    """By the keyboard alone, from the field that has the focus to the stream that the address names."""
    service.signed_in = ANNA
    await page.goto(f"{service.url}#a")
    name = door(page).get_by_label("Name", exact=True)
    await expect(name).to_be_focused()
    await expect(name).to_have_attribute("autocomplete", "username")
    await page.keyboard.type("anna")
    await page.keyboard.press("Tab")
    await expect(door(page).get_by_label("Password", exact=True)).to_have_attribute("autocomplete", "current-password")
    await page.keyboard.type("correct horse")
    await page.keyboard.press("Enter")
    await expect(page.locator("[name=a].focused")).to_be_visible()
    await expect(door(page)).to_be_hidden()
    assert page.url.endswith("#a")
    await expect(page.locator("[autocomplete=current-password]")).to_have_count(0)


async def test_nothing_is_asked_for_before_signing_in(page: Page, service: FakeService) -> None:
    """Who may see nothing is refused nothing: the console of his browser stays empty, and Escape opens no page."""
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    await page.goto(service.url)
    await expect(door(page)).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(door(page)).to_be_visible()
    await expect(door(page).get_by_role("button", name="Not now")).to_be_hidden()
    await expect(page.locator("stream-viewer")).to_have_count(0)
    assert service.listeners == 0
    assert told == []


async def test_a_wrong_password_is_said_in_one_sentence(page: Page, service: FakeService) -> None:
    """The server's; the name stays, and the password is ready to be typed over."""
    await page.goto(service.url)
    await fill(page, "anna", "wrong")
    await expect(door(page).get_by_role("alert")).to_have_text("The name or the password is wrong.")
    password = door(page).get_by_label("Password", exact=True)
    await expect(password).to_be_focused()
    assert await password.evaluate("field => field.selectionEnd - field.selectionStart") == len("wrong")
    assert await door(page).get_by_label("Name", exact=True).input_value() == "anna"
    service.signed_in = ANNA
    await page.keyboard.type("correct horse")
    await page.keyboard.press("Enter")
    await expect(page.locator("stream-viewer")).to_have_count(2)


async def test_a_password_can_be_looked_at(page: Page, service: FakeService) -> None:
    """While its button is pressed; what is sent was hidden again."""
    await page.goto(service.url)
    password = door(page).get_by_label("Password", exact=True)
    await door(page).get_by_label("Name", exact=True).fill("anna")
    await password.fill("correct horse")
    show = door(page).get_by_role("button", name="Show the password")
    await show.click()
    await expect(password).to_have_attribute("type", "text")
    await expect(show).to_have_attribute("aria-pressed", "true")
    await password.press("Enter")
    await expect(password).to_have_attribute("type", "password")


async def test_too_many_attempts_are_counted_down(page: Page, service: FakeService) -> None:
    """The page says how long to wait, lets nobody try before, and says it once to who listens."""
    service.refused_sign_in = (429, "too many attempts to sign in", {"Retry-After": "1"})
    await page.goto(service.url)
    await fill(page)
    go = door(page).get_by_role("button", name="Sign in", exact=True)
    await expect(door(page).get_by_role("alert")).to_have_text("Too many attempts.")
    await expect(door(page).get_by_role("timer")).to_have_text("You can try again in 1 second.")
    await expect(go).to_be_disabled()
    service.signed_in = ANNA
    await expect(go).to_be_enabled()
    await expect(door(page).get_by_role("alert")).to_be_hidden()
    await go.click()
    await expect(page.locator("stream-viewer")).to_have_count(2)


async def test_a_busy_server_is_said_in_its_words(page: Page, service: FakeService) -> None:
    """503 is nobody's fault: it may be tried again at once where the server says no more."""
    service.refused_sign_in = (503, "more passwords wait than can be compared", {})
    await page.goto(service.url)
    await fill(page)
    await expect(door(page).get_by_role("alert")).to_have_text("More passwords wait than can be compared.")
    await expect(door(page).get_by_role("button", name="Sign in", exact=True)).to_be_enabled()
    await expect(door(page).get_by_label("Password", exact=True)).to_be_focused()


async def test_another_server_signs_in_and_brings_back(page: Page, service: FakeService) -> None:
    """The button says whose it is; who comes back to the page is where he was."""
    await page.goto(f"{service.url}#a")
    link = door(page).get_by_role("link", name="Sign in with Keycloak")
    await expect(link).to_have_attribute("href", "/api/sign-in/oidc")
    await page.route("**/api/sign-in/oidc", lambda route: route.fulfill(status=303, headers={"Location": "/"}))
    await link.click()
    await expect(door(page)).to_be_visible()
    assert page.url.endswith("/#a")


async def test_only_the_ways_that_there_are_are_shown(page: Page, service: FakeService) -> None:
    """Without users no password is asked for; without any way it is said how the first user is made."""
    service.session = {**NOBODY, "sign_in": {"password": False, "oidc": None}}
    await page.goto(service.url)
    await expect(door(page)).to_contain_text("sightline user add NAME --role admin")
    await expect(door(page).get_by_label("Name", exact=True)).to_be_hidden()
    await expect(door(page).get_by_role("link")).to_be_hidden()


# ---- what each may


async def test_the_page_offers_what_the_role_allows(page: Page, service: FakeService) -> None:
    """A viewer is offered no change, no camera of his, no users, though the configuration allows them; an admin all."""
    offers = ["Add a camera", "Use this device’s camera", "b: ask the doctor", "Users and tokens"]
    service.session = BEN
    await page.goto(f"{service.url}#+users")
    await expect(page.locator(".empty")).to_have_text(re.compile("shown to administrators alone"))
    await page.goto(service.url)
    await expect(page.locator("stream-viewer")).to_have_count(2)
    await page.get_by_role("button", name="ben: your account").click()
    await expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
    for offer in offers:
        await expect(page.locator(f"text={offer} >> visible=true")).to_have_count(0)
    await expect(page.locator("[name=b] .doctor")).to_be_hidden()
    service.session = ANNA
    await page.reload()
    await page.get_by_role("button", name="anna: your account").click()
    await expect(page.get_by_role("link", name="Users and tokens")).to_be_visible()
    await expect(page.get_by_role("button", name="Add a camera")).to_be_visible()
    await expect(page.get_by_role("link", name="Use this device’s camera")).to_be_visible()
    await expect(page.locator("[name=b] .doctor")).to_be_visible()


async def test_who_signs_in_later_is_offered_more(page: Page, service: FakeService) -> None:
    """Anybody may look: then signing in is a question of the bar, which may be left unanswered."""
    service.session, service.signed_in = WATCHER, ANNA
    await page.goto(service.url)
    await expect(page.locator("stream-viewer")).to_have_count(2)
    await expect(page.get_by_role("button", name="Add a camera")).to_be_hidden()
    await page.get_by_role("button", name="Sign in").click()
    await door(page).get_by_role("button", name="Not now").click()
    await expect(door(page)).to_be_hidden()
    await page.get_by_role("button", name="Sign in").click()
    await fill(page)
    await expect(page.get_by_role("button", name="Add a camera")).to_be_visible()
    await expect(page.get_by_role("button", name="anna: your account")).to_be_visible()


async def test_a_token_is_asked_for_where_nobody_is_asked_who_he_is(page: Page, service: FakeService) -> None:
    """Then api_streams.token is the key, and its box is where it was; who may by himself shows none."""
    service.may = {"allowed": True, "token": True, "schemes": ["rtsp"]}
    service.session = session("open", "nobody", None, "view", "publish", "metrics")
    await page.goto(service.url)
    await page.get_by_role("button", name="Add a camera").click()
    await expect(page.locator(".adding").get_by_label("Token")).to_be_visible()
    service.session = ANNA
    await page.reload()
    await page.get_by_role("button", name="Add a camera").click()
    await expect(page.locator(".adding").get_by_label("Name")).to_be_visible()
    await expect(page.locator(".adding").get_by_label("Token")).to_be_hidden()


async def test_somebody_with_nothing_to_see_is_told_so(page: Page, service: FakeService) -> None:
    """Whom a proxy or another server names, and no group of his means anything here."""
    service.session = session("user", "<b>carl</b>", None)
    await page.goto(service.url)
    await expect(door(page)).to_contain_text("You are signed in as <b>carl</b>, and no stream is yours to see")
    await expect(door(page).get_by_role("button", name="Sign out")).to_be_visible()
    await expect(door(page).get_by_label("Name", exact=True)).to_be_hidden()


# ---- sessions that end


async def test_a_session_that_ends_loses_nothing(page: Page, service: FakeService) -> None:
    """The door stands before the page; behind it, what was typed waits for who comes back, at the same place."""
    service.session = ANNA
    await page.goto(f"{service.url}#a")
    await page.get_by_role("button", name="Add a camera").click()
    form = page.locator(".adding")
    await form.get_by_label("Name").fill("half-typed")
    service.session = NOBODY
    await expect(door(page)).to_contain_text("Your session has ended.")
    await expect(page.locator("stream-viewer >> visible=true")).to_have_count(0)
    service.signed_in = ANNA
    await fill(page)
    await expect(door(page)).to_be_hidden()
    await expect(page.locator("[name=a].focused")).to_be_visible()
    assert await form.get_by_label("Name").input_value() == "half-typed"
    assert page.url.endswith("#a")
    assert service.questions < 10  # nobody asks in circles


async def test_what_one_leaves_is_not_the_next_ones(page: Page, service: FakeService) -> None:
    """Somebody else who signs in finds no form of who was there before."""
    service.session = ANNA
    await page.goto(service.url)
    await page.get_by_role("button", name="Add a camera").click()
    await page.locator(".adding").get_by_label("URL").fill("rtsp://u:secret@10.0.0.7/")
    service.session = NOBODY
    await expect(door(page)).to_be_visible()
    service.signed_in = BEN
    await fill(page, "ben")
    await expect(page.get_by_role("button", name="ben: your account")).to_be_visible()
    await expect(page.locator(".adding")).to_be_hidden()
    assert await page.locator(".adding [name=url]").input_value() == ""


async def test_fewer_rights_are_noticed(page: Page, service: FakeService) -> None:
    """The events end with a change of rights; the page asks, and offers no more than what is left."""
    service.session = ANNA
    await page.goto(service.url)
    await expect(page.get_by_role("button", name="Add a camera")).to_be_visible()
    service.session = BEN
    service.drop_listeners()
    await expect(page.get_by_role("button", name="Add a camera")).to_be_hidden()
    await expect(page.locator("stream-viewer")).to_have_count(2)


async def test_a_list_that_does_not_come_is_said(page: Page, service: FakeService) -> None:
    """Users that cannot be asked for are a sentence and a button to try again, and the page goes on."""
    service.session = ANNA
    await page.goto(f"{service.url}#+users")
    await expect(page.locator("user-list").get_by_role("status")).to_have_text("The server answered 404.")
    await expect(page.locator("user-list").get_by_role("button", name="Try again")).to_be_visible()
    await page.get_by_role("link", name="All streams").click()
    await expect(page.locator("stream-viewer >> visible=true")).to_have_count(2)


# ---- at phone width


@pytest.mark.parametrize("who", [NOBODY, WATCHER, ANNA], ids=["nobody", "watcher", "anna"])
async def test_nothing_is_wider_than_a_phone(page: Page, service: FakeService, who: dict[str, Any]) -> None:
    """Neither the door, nor the bar with all there is in it, nor the menu."""
    service.session = who
    await page.set_viewport_size(PHONE)
    await page.goto(service.url)
    if "view" in who["principal"]["actions"]:
        await expect(page.locator("stream-viewer")).to_have_count(2)
        await page.locator("account-menu >> button >> visible=true").first.click()
    else:
        await expect(door(page)).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    menu = page.locator(".account-items, sign-in dialog").locator("visible=true").first
    box = await menu.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
