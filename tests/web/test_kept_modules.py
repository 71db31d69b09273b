"""The modules of the events page that have no DOM, in the browser they are written for."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.peers.chromium import connect
from tests.web.kept import ZONE
from tests.web.peers import FakeService, run_fake_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

Call = Callable[..., Awaitable[Any]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service() -> AsyncIterator[FakeService]:
    """Give a service that serves the modules."""
    async with run_fake_service() as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def call(chromium: str, service: FakeService) -> AsyncIterator[Call]:
    """Give a function that runs a body, of the module `m` and an argument `a`, in one page for all these tests."""
    async with connect(chromium) as browser:
        page = await (await browser.new_context(timezone_id=ZONE.key)).new_page()
        await page.goto(service.url)

        async def call(module: str, body: str, argument: Any = None) -> Any:
            code = f"async (a) => {{ const m = await import('/web/{module}'); {body} }}"
            return await page.evaluate(code, argument)

        yield call


def an_event(number: int, **given: Any) -> dict[str, Any]:
    """As far as the list looks at it."""
    event = {
        "id": f"{number:04}",
        "changed": number,
        "began_at": 1_764_417_600 + number,
        "stream": "gate",
        "label": "bird",
    }
    return event | {"zones": [], "marks": [], "score": 0.8, "reviewed": None, "bookmarked": False} | given


PLACE = {"stream": "", "zone": "yard", "line": "kerb"}
SEARCH = {**PLACE, "label": "a & b=c", "day": "2025-11-29", "score": "0.7", "reviewed": "none"}


async def test_an_address_is_read_as_it_was_written(call: Call) -> None:
    """Whatever a class is called, the address of a search and an event means the same when it is opened."""
    body = "return m.read(m.address(a, 'id-1').slice(1))"
    found = await call("search.js", body, SEARCH | {"bookmarked": ""})
    assert found == {"search": SEARCH | {"bookmarked": ""}, "event": "id-1"}


async def test_the_server_is_asked_for_the_viewers_day(call: Call) -> None:
    """A day goes from the viewer's midnight to the next, in seconds of UTC, and has no name for the server."""
    found = await call(
        "search.js", "return Object.fromEntries(m.query({ ...m.EVERYTHING, day: a }, null, 5))", "2025-11-29"
    )
    assert found == {"from": "1764342000", "to": "1764428400", "limit": "5"}


@pytest.mark.parametrize(
    ("search", "event", "fits"),
    [
        ({}, {}, True),
        ({"stream": "gate"}, {}, True),
        ({"stream": "gate"}, {"stream": "yard"}, False),
        ({"label": "car"}, {}, False),
        ({"zone": "yard"}, {}, False),
        ({"zone": "yard"}, {"zones": ["door", "yard"]}, True),
        ({"line": "kerb"}, {"marks": [{"kind": "cross", "where": "kerb"}]}, True),
        ({"line": "kerb"}, {"marks": [{"kind": "enter", "where": "kerb"}]}, False),
        ({"day": "2025-11-29"}, {}, True),
        ({"day": "2025-11-29"}, {"began_at": 1764428400}, False),
        ({"score": "0.8"}, {}, True),
        ({"score": "0.9"}, {}, False),
        ({"reviewed": "none"}, {}, True),
        ({"reviewed": "any"}, {}, False),
        ({"reviewed": "any"}, {"reviewed": "false"}, True),
        ({"reviewed": "confirmed"}, {"reviewed": "false"}, False),
        ({"bookmarked": "true"}, {}, False),
    ],
)
async def test_what_is_told_fits_as_what_is_found(
    call: Call, search: dict[str, str], event: dict[str, Any], fits: bool
) -> None:
    """An event that is told of stands in the list where the server would have found it."""
    body = "return m.fits({ ...m.EVERYTHING, ...a[0] }, a[1])"
    assert await call("search.js", body, [search, an_event(1, **event)]) is fits


FOUND = """
  const real = window.fetch;
  window.fetch = async (path) => {
    if (!String(path).startsWith("api/events")) return real(path);
    return new Response(JSON.stringify(a.pages[new URLSearchParams(path.split("?")[1]).get("cursor") ?? ""]));
  };
  const found = new m.Found();
  const ids = () => found.events.map(({ id }) => Number(id));
  try {
    await found.search((await import("/web/search.js")).EVERYTHING);
    %s
  } finally {
    window.fetch = real;
  }
"""
PAGES = {
    "": {"events": [an_event(9), an_event(7)], "cursor": "0007"},
    "0007": {"events": [an_event(7), an_event(5)], "cursor": None},
}


async def test_pages_follow_each_other(call: Call) -> None:
    """The next page comes after the last event, an event is there once, and after the last page nothing is asked."""
    body = FOUND % "await found.more(); await found.more(); return [ids(), found.complete];"
    assert await call("found.js", body, {"pages": PAGES}) == [[9, 7, 5], True]


async def test_what_is_told_has_its_place(call: Call) -> None:
    """A new event stands by its time; one from before the last that was fetched comes with its page, and not twice."""
    told = [
        an_event(12),
        an_event(8),
        an_event(6),
        an_event(9, changed=20, reviewed="false"),
        an_event(7, changed=1, label="old"),
    ]
    body = (
        FOUND
        % """a.told.forEach((event) => found.take(event));
    return [ids(), found.events.find(({ id }) => id === "0009").reviewed, found.events.map(({ label }) => label)];"""
    )
    ids, reviewed, labels = await call("found.js", body, {"pages": PAGES, "told": told})
    assert (ids, reviewed, set(labels)) == ([12, 9, 8, 7], "false", {"bird"})


async def test_what_is_held_back_moves_nothing(call: Call) -> None:
    """While somebody looks further down new events are counted, and stand in the list once they are let in."""
    body = (
        FOUND
        % """found.holding = true;
    found.take(a.told);
    const before = [ids(), found.held];
    found.release();
    return [before, [ids(), found.held]];"""
    )
    assert await call("found.js", body, {"pages": PAGES, "told": an_event(11)}) == [[[9, 7], 1], [[11, 9, 7], 0]]


async def test_an_answer_that_was_overtaken_is_not_shown(call: Call) -> None:
    """Of two searches the later one counts, whichever is answered first."""
    body = """
      const real = window.fetch;
      const waiting = [];
      window.fetch = (path) => new Promise((resolve) => waiting.push([path, resolve]));
      const found = new m.Found();
      const { EVERYTHING } = await import("/web/search.js");
      const first = found.search({ ...EVERYTHING, label: "one" });
      const second = found.search({ ...EVERYTHING, label: "two" });
      window.fetch = real;
      for (const [path, answer] of waiting.filter(([path]) => path.startsWith("api/events")).reverse())
        answer(new Response(JSON.stringify({ events: [{ id: path.includes("one") ? "1" : "2" }], cursor: null })));
      await Promise.all([first, second]);
      return found.events.map(({ id }) => id);
    """
    assert await call("found.js", body) == ["2"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min"), (70, "1 min 10 s"), (3720, "1 h 2 min")]
)
async def test_how_long_something_lasted_is_words(call: Call, seconds: float, words: str) -> None:
    """The two largest units that are not nothing."""
    assert await call("clock.js", "return m.lasted(a)", seconds) == words


async def test_days_follow_each_other(call: Call) -> None:
    """The day after, and the one before, are those of the calendar."""
    body = "return [m.daysLater('2025-12-31', 1), m.daysLater('2025-03-01', -1), m.dayOf(1764342000)]"
    assert await call("clock.js", body) == ["2026-01-01", "2025-02-28", "2025-11-29"]
