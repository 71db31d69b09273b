"""Alerts on the page, in a real browser, with a real service, its archive, and somebody who is told."""

import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Request, Route, expect

from streamer.values.alert import AlertRule, Silence, Telling
from streamer.values.uuid7 import uuid7
from tests.peers.chromium import connect
from tests.peers.service import Service, run_service, until
from tests.web.alerted import Receiver, keep
from tests.web.kept import STREAMS, ZONE, some_events

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(200)]

PATIENCE_MS = 30_000
NOWHERE = "127.0.0.1:9"
NOW = datetime.now(ZONE)
OF_DAY = some_events(48, NOW - timedelta(hours=22), seconds=20 * 3600, seed=5)
"""All within the last 24 hours, and further from each other than a minute's cool-down."""
BIRDS = AlertRule("birds", labels=frozenset({"bird"}), rule_cooldown=3600, outlets=("phone",))
FENCE = AlertRule("fence", lines=frozenset({"fence"}), outlets=("siren",))
EARLY = Silence(uuid7(OF_DAY[0].began_at), OF_DAY[12].began_at, rule="birds", made_at=OF_DAY[0].began_at)
"""It ended long ago."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    """Listen to what is told."""
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """Run a service that nobody signs in to, with alerts of a day; what the siren was to be told is given up."""
    folder = tmp_path_factory.mktemp("alerts")
    outlets, silences = ("phone", "siren"), (EARLY,)
    keep(folder / "archive", OF_DAY, Telling((BIRDS, FENCE)), outlets=outlets, given_up="siren", silences=silences)
    rules = {rule.name: rule.document() for rule in (BIRDS, FENCE)}
    webhooks = {name: {"url": receiver.url(f"/{name}"), "networks": ["127.0.0.1/32"]} for name in outlets}
    config: dict[str, Any] = {
        "serving": {"address": NOWHERE},
        "streams": {name: {"url": f"rtsp://{NOWHERE}/{name}", "paused": True} for name in STREAMS},
        "archive": {},
        "alerts": rules,
        "webhooks": webhooks,
    }
    with run_service(config, folder=folder) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def driven(chromium: str) -> AsyncIterator[Browser]:
    """Give the session's Chromium once for all these tests."""
    expect.set_options(timeout=PATIENCE_MS)
    async with connect(chromium) as browser:
        yield browser


async def _open(driven: Browser) -> Page:
    context = await driven.new_context(timezone_id=ZONE.key, locale="en-GB", viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(driven: Browser) -> AsyncIterator[Page]:
    """Give a page of somebody in another zone than this machine, one for all: it goes from place to place."""
    page = await _open(driven)
    yield page
    await page.context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def own(driven: Browser) -> AsyncIterator[Page]:
    """Give a page that a test has for itself."""
    page = await _open(driven)
    yield page
    await page.context.close()


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def alone(service: Service) -> AsyncIterator[None]:
    """Leave no silence and no rule of one test to the next."""
    yield
    for silence in (await service.ask("/api/silences")).json()["silences"]:
        await service.ask(f"/api/silences/{silence['id']}", method="DELETE")
    for rule in await rules(service):
        if rule["origin"] == "here":
            await service.ask(f"/api/alerts/{rule['name']}", method="DELETE")


async def rules(service: Service) -> list[dict[str, Any]]:
    """As the interface has them."""
    found: list[dict[str, Any]] = (await service.ask("/api/alerts")).json()["rules"]
    return found


async def make(service: Service, name: str, **rule: Any) -> None:
    """Put a rule there."""
    body = json.dumps(rule)
    answer = await service.ask(f"/api/alerts/{name}", method="PUT", body=body, content_type="application/json")
    assert answer.status == 201, answer.body


async def go(page: Page, service: Service, place: str) -> None:
    """To a place on the page, by way of the streams: where it is already it would stay as it is."""
    for hash_ in ("", place):
        await page.goto(f"{service.url}/#{hash_}")


def row(page: Page, name: str) -> Locator:
    """The rule of that name in the list."""
    return page.locator("rule-list").get_by_role("row", name=re.compile(f"^{name} "))


def met(**asked: Any) -> int:
    """How many of the day's events meet such a rule."""
    rule = AlertRule("any", **asked)
    return sum(rule.met_at(event) is not None for event in OF_DAY)


# ---- rules


async def test_a_rule_is_tried_before_it_is_saved(page: Page, service: Service) -> None:
    """What is written is said in words, and how often it would have told, with pictures; saved, it is listed."""
    await go(page, service, "+alerts")
    await page.get_by_role("link", name="New rule").click()
    editor = page.locator("rule-editor")
    told = editor.get_by_role("status")
    await expect(told).to_have_text(f"Would have been noted {met()} times")
    await editor.get_by_role("checkbox", name="insulator").check()
    await editor.get_by_role("checkbox", name="yard").check()
    await editor.get_by_role("checkbox", name="phone").check()
    count = met(labels=frozenset({"insulator"}), zones=frozenset({"yard"}))
    await expect(told).to_have_text(f"Would have told you {count} times")
    await expect(editor.locator(".tried-one")).to_have_count(count)
    assert await editor.locator(".tried-one img").first.evaluate(
        "image => image.decode().then(() => image.naturalWidth)"
    )
    await expect(editor.locator(".in-words")).to_have_text("Tells phone of insulator that has been in yard.")
    assert not any(rule["origin"] == "here" for rule in await rules(service))
    await expect(editor.get_by_label("Name", exact=True)).to_have_value("insulator-yard")
    await editor.get_by_label("Name", exact=True).fill("yard")
    await editor.get_by_role("button", name="Save").click()
    await expect(row(page, "yard")).to_contain_text("Tells phone of insulator that has been in yard.")
    [made] = [rule for rule in await rules(service) if rule["name"] == "yard"]
    assert (made["rule"]["labels"], made["rule"]["zones"], made["rule"]["outlets"]) == (
        ["insulator"],
        ["yard"],
        ["phone"],
    )


async def test_who_types_is_not_asked_about_at_each_key(page: Page, service: Service) -> None:
    """A score that is typed key by key is tried once, when it is there."""
    await go(page, service, "+alerts?rule=")
    told = page.locator("rule-editor").get_by_role("status")
    await expect(told).to_contain_text("Would have been noted")
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if request.url.endswith("/api/alerts/try") else None)
    typed = """input => {
      for (const text of ["8", "80", "80.5"]) {
        input.value = text;
        input.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }"""
    await page.get_by_label("Score at least, %").evaluate(typed)
    await expect(told).to_have_text(f"Would have been noted {met(min_score=0.805)} times")
    assert [json.loads(request.post_data or "")["min_score"] for request in asked] == [0.805]
    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Discard it").click()
    await expect(page.locator("rule-editor")).to_be_hidden()


async def test_what_is_wrong_stands_at_its_field(page: Page, service: Service) -> None:
    """A name that is taken and hours without an end are said where they are written, and nothing is saved."""
    await make(service, "night", outlets=["phone"])
    await go(page, service, "+alerts?rule=")
    editor = page.locator("rule-editor")
    await editor.get_by_label("Name", exact=True).fill("night")
    await editor.get_by_role("button", name="Save").click()
    await expect(editor.get_by_label("Name", exact=True)).to_be_focused()
    await expect(editor.get_by_label("Name", exact=True)).to_have_accessible_description(
        "There is another rule of this name."
    )
    await editor.get_by_label("Name", exact=True).fill("late")
    await editor.get_by_role("button", name="Add hours").click()
    await editor.get_by_label("Until").fill("")
    await editor.get_by_role("button", name="Save").click()
    await expect(editor).to_contain_text("Each needs a beginning and an end")
    await editor.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Discard it").click()
    await expect(editor).to_be_hidden()
    assert {rule["name"] for rule in await rules(service)} == {"birds", "fence", "night"}


async def test_what_was_changed_is_not_lost_unasked(page: Page, service: Service) -> None:
    """Who leaves a rule that is not saved is asked, and is where he was or where he wanted to be."""
    await make(service, "night", outlets=["phone"])
    await go(page, service, "+alerts")
    await page.get_by_role("link", name="Edit night").click()
    await page.get_by_label("Tell of its end, too").check()
    await page.get_by_role("link", name="Events", exact=True).click()
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_label("Tell of its end, too")).to_be_checked()
    await page.get_by_role("button", name="Cancel").click()
    await page.get_by_role("button", name="Discard it").click()
    await expect(row(page, "night")).not_to_contain_text("Tells of its end, too.")
    await page.get_by_role("link", name="Edit night").click()
    await page.get_by_role("button", name="Remove…").click()
    await page.get_by_role("button", name="Remove the rule").click()
    await expect(row(page, "birds")).to_be_visible()
    await expect(row(page, "night")).to_have_count(0)


async def test_the_files_rules_are_shown_alone(page: Page, service: Service) -> None:
    """A rule of the configuration file is said in words and tried, and nothing of it can be changed here."""
    await go(page, service, "+alerts")
    await expect(row(page, "fence")).to_contain_text("of the file")
    await row(page, "fence").get_by_role("link", name="Show fence").click()
    editor = page.locator("rule-editor")
    await expect(editor).to_contain_text("It stands in the configuration file, and is changed there.")
    await expect(editor.get_by_role("status")).to_have_text(f"Would have told you {met(lines=FENCE.lines)} times")
    await expect(editor.get_by_role("checkbox", name="fence")).to_be_checked()
    await expect(editor.get_by_role("checkbox", name="fence")).to_be_disabled()
    await expect(editor.get_by_role("button", name="Save")).to_be_hidden()


async def test_an_event_leads_to_a_rule_like_it(page: Page, service: Service) -> None:
    """Below an event stands what begins a rule with its stream, class, zones and lines; the rule meets the event."""
    event = next(event for event in reversed(OF_DAY) if event.zones)
    await go(page, service, f"+events?event={event.id}")
    await page.get_by_role("link", name="Tell me of such things").click()
    editor = page.locator("rule-editor")
    for name in (event.stream, event.label, "yard", "fence"):
        await expect(editor.get_by_role("checkbox", name=name, exact=True)).to_be_checked()
    await expect(editor.locator(f'.tried a[href$="event={event.id}"]')).to_be_visible()
    await expect(page.get_by_role("dialog")).to_have_count(0)


# ---- silences


async def test_a_stream_is_silenced_and_that_is_seen(own: Page, driven: Browser, service: Service) -> None:
    """Its tile and the bar say until when, on another's page too; there it is ended, and no page says so any more."""
    await own.clock.install()
    await own.goto(f"{service.url}/#gate")
    await own.get_by_role("button", name="Silence it…").click()
    await own.get_by_role("button", name="1 h", exact=True).click()
    await expect(own.locator(".bar .silenced")).to_have_text("1 silence")
    [silence] = (await service.ask("/api/silences")).json()["silences"]
    assert (silence["stream"], silence["rule"]) == ("gate", None)
    assert silence["until"] - silence["made_at"] == pytest.approx(3600, abs=1)
    other = await (await driven.new_context()).new_page()
    await other.goto(service.url)
    await expect(other.locator(".silenced:visible")).to_have_count(2)
    await other.locator('stream-viewer[name="gate"] .silenced').click()
    await other.get_by_role("button", name="End silence of gate").click()
    await expect(other.locator(".silenced:visible")).to_have_count(0)
    await own.clock.fast_forward("00:10")
    await expect(own.locator(".bar .silenced")).to_be_hidden()
    await other.context.close()


async def test_all_is_silent_until_a_time(own: Page, service: Service) -> None:
    """Everything is silenced until a time that somebody names; the page lists it, and says so no longer than that."""
    await own.clock.install(time=datetime.now(ZONE))
    await own.goto(f"{service.url}/#+alerts")
    await own.get_by_role("button", name="Silence all…").click()
    end = (datetime.now(ZONE) + timedelta(minutes=40)).replace(second=0, microsecond=0)
    await own.get_by_label("or until").fill(f"{end:%Y-%m-%dT%H:%M}")
    await own.get_by_role("button", name="Silence", exact=True).click()
    said = f"everything until {end:%H:%M}" if end.date() == datetime.now(ZONE).date() else "everything until"
    await expect(own.locator("alerts-page .silences")).to_contain_text(said)
    await expect(row(own, "fence")).to_contain_text("silent until")
    [silence] = (await service.ask("/api/silences")).json()["silences"]
    assert silence["until"] == pytest.approx(end.timestamp(), abs=2)
    await own.clock.fast_forward("41:00")
    await expect(own.locator("alerts-page .silences")).to_have_count(0)
    await expect(own.locator(".bar .silenced")).to_be_hidden()


async def test_who_may_only_look_sees_silences_and_changes_nothing(own: Page, service: Service) -> None:
    """A viewer is shown rules and what is silenced; nothing is offered that he may not."""
    await service.ask("/api/silences", method="POST", body='{"seconds": 900}', content_type="application/json")

    async def looks_alone(route: Route) -> None:
        answer = await route.fetch()
        session = await answer.json()
        session["principal"] |= {"kind": "user", "name": "ben", "role": "viewer", "actions": ["view"]}
        await route.fulfill(response=answer, json=session | {"open": False})

    async def cannot_end(route: Route) -> None:
        answer = await route.fetch()
        silences = [each | {"may_end": False} for each in (await answer.json())["silences"]]
        await route.fulfill(response=answer, json={"silences": silences})

    await own.route("**/api/session", looks_alone)
    await own.route("**/api/silences", cannot_end)
    await own.goto(f"{service.url}/#+alerts")
    await expect(own.locator("alerts-page .silences")).to_contain_text("everything until")
    await expect(row(own, "birds")).to_be_visible()
    for name in ("New rule", "Outlets"):
        await expect(own.get_by_role("link", name=name)).to_be_hidden()
    for name in ("End silence", "Silence all…", "Silence birds…"):
        await expect(own.get_by_role("button", name=name)).to_be_hidden()


# ---- what came of it, and who is told


async def test_history_says_what_came_of_each(page: Page, service: Service) -> None:
    """Alerts stand there newest first with their outcome, as the interface has them, and are found by it."""
    found = (await service.ask("/api/alerts/history?limit=50")).json()["alerts"]
    outcomes = {each["outcome"] for each in found}
    assert outcomes == {"told", "silenced", "cooled"}
    await go(page, service, "+alerts?part=history")
    listed = page.locator("alert-history li")
    words = {"told": r"told (phone|siren)", "silenced": "silenced", "cooled": "held back: too soon after another"}
    for at, alert in enumerate(found[:20]):
        await expect(listed.nth(at)).to_contain_text(re.compile(rf"rule {alert['rule']}.*{words[alert['outcome']]}"))
    for outcome, word in (("silenced", "Silenced"), ("cooled", "Held back")):
        await page.get_by_label("What came of it").select_option(label=word)
        await expect(listed).to_have_count(sum(each["outcome"] == outcome for each in found))
    await page.locator("alert-history").get_by_label(re.compile("^Rule")).select_option("fence")
    await expect(page.locator("alert-history")).to_contain_text("Nothing that fits.")
    for word in ("^Rule", "^What came of it"):
        await page.locator("alert-history").get_by_label(re.compile(word)).select_option("")
    await expect(listed).to_have_count(len(found))


async def test_an_outlet_is_tested(page: Page, service: Service, receiver: Receiver) -> None:
    """Who takes what he is told is said to have got the test; who refuses, with what he answered."""
    receiver.refuses = {"/siren"}
    await go(page, service, "+alerts?part=outlets")
    phone, siren = (page.locator("outlet-card").filter(has_text=name) for name in ("phone", "siren"))
    before = len(receiver.told)
    await phone.get_by_role("button", name="Send a test to phone").click()
    await expect(phone.get_by_role("status")).to_have_text("The test has arrived.")
    assert "/phone" in [path for path, _ in receiver.told[before:]]
    await siren.get_by_role("button", name="Send a test to siren").click()
    await expect(siren.get_by_role("status")).to_contain_text("The test failed: ")
    await expect(siren.get_by_role("status")).to_contain_text("500")
    receiver.refuses = set()


async def test_dead_letters_are_sent_again_or_discarded(page: Page, service: Service, receiver: Receiver) -> None:
    """One that is discarded is no more, one that is sent again arrives, and so do all the others at once."""
    count = met(lines=FENCE.lines)
    await go(page, service, "+alerts?part=outlets")
    siren = page.locator("outlet-card").filter(has_text="siren")
    await siren.get_by_role("button", name=f"{count} dead letters").click()
    letters = siren.locator(".letters li")
    await expect(letters).to_have_count(count)
    await expect(letters.first).to_contain_text("it answered 500 (after 1 attempt)")
    await letters.first.get_by_role("button", name="Discard").click()
    await expect(letters).to_have_count(count - 1)
    before = len(receiver.told)
    await letters.first.get_by_role("button", name="Send again").click()
    await expect(letters).to_have_count(count - 2)
    await siren.get_by_role("button", name="Send all again").click()
    await expect(siren.get_by_text("None.")).to_be_visible()

    async def all_told() -> bool:
        return sum(path == "/siren" for path, _ in receiver.told[before:]) == count - 1

    await until(all_told, lambda: f"{len(receiver.told) - before} of {count - 1} were told")


async def test_nothing_is_wider_than_a_phone(page: Page, service: Service) -> None:
    """On a phone held upright no part of the page is wider than the screen, with a silence in the bar too."""
    await service.ask("/api/silences", method="POST", body='{"seconds": 900}', content_type="application/json")
    await page.set_viewport_size({"width": 390, "height": 844})
    for part, shown in (
        ("", "rule-list tbody tr"),
        ("?rule=birds", ".tried-one"),
        ("?part=history", ".alerts li"),
        ("?part=outlets", "outlet-card"),
    ):
        await go(page, service, f"+alerts{part}")
        await expect(page.locator(shown).first).to_be_visible()
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wider) == 0, part
