"""What the page tells of painted frames, and how it shows their age: modules in the browser they are written for."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.peers.chromium import connect
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
        page = await browser.new_page()
        await page.goto(service.url)

        async def call(module: str, body: str, argument: Any = None) -> Any:
            code = f"async (a) => {{ const m = await import('/web/{module}'); {body} }}"
            return await page.evaluate(code, argument)

        yield call


EXCHANGES = "const c = new m.ServerClock(); for (const e of a) c.learn(e); return c.best"


def exchange(there: float, back: float, *, sent: float = 1000, offset: float = -300) -> dict[str, float]:
    """A question on its way for `there` ms, answered after 2, and its answer for `back`."""
    received = sent + there + offset
    return {"sent": sent, "received": received, "answered": received + 2, "heard": sent + there + 2 + back}


async def test_the_quickest_exchange_tells_the_clock(call: Call) -> None:
    """A slow one is wrong by half the difference of its two ways; it does not count where a quicker one is known."""
    slow, quick = exchange(90, 10), exchange(3, 3, sent=2000)
    assert await call("server_clock.js", EXCHANGES, [slow]) == pytest.approx({"offset": -260, "roundTrip": 100})
    assert await call("server_clock.js", EXCHANGES, [slow, quick, slow]) == pytest.approx(
        {"offset": -300, "roundTrip": 6}
    )


async def test_the_clock_forgets(call: Call) -> None:
    """Clocks drift: an exchange does not count for ever, however quick it was; and no answer at all tells nothing."""
    old = exchange(1, 1, offset=-290)
    found = await call("server_clock.js", EXCHANGES, [old, *[exchange(5, 5)] * 15])
    assert found == pytest.approx({"offset": -300, "roundTrip": 10})
    assert await call("server_clock.js", EXCHANGES, [{"sent": 1, "heard": 2}]) is None


REPORTS = """
  const said = [];
  const pauses = [];
  const over = new AbortController();
  const answers = [...a.answers];
  const [realFetch, realTimeout] = [window.fetch, window.setTimeout];
  window.fetch = async (url, { body, signal }) => {
    signal.throwIfAborted();
    said.push({ url, ...JSON.parse(body) });
    const at = performance.now() - 5000;
    const [status, headers] = answers.shift() ?? [200, {}];
    const ok = status === 200;
    return { ok, status, headers: new Headers(headers), json: async () => ({ received: at, answered: at }) };
  };
  let tick = () => {};
  window.setTimeout = (then, ms) => { pauses.push(ms); tick = then; return 0; };
  const settled = () => new Promise((resolve) => realTimeout(resolve, 0)); // none of it waits for more than promises
  const reports = new m.PaintedReports("/painted", over.signal);
  let number = 0;
  const paint = async (count) => {
    for (let one = 0; one < count; one++) reports.add(number++, null, 1000.04 + number);
    await settled();
    tick();
    await settled();
  };
  try { %s } finally { [window.fetch, window.setTimeout] = [realFetch, realTimeout]; }
  return { said, pauses };
"""


async def test_frames_are_told_by_the_servers_clock(call: Call) -> None:
    """First the clock is asked for, without frames; then every two seconds those painted since, with its offset."""
    found = await call("painted.js", REPORTS % "await paint(3); await paint(2);", {"answers": []})
    said = found["said"]
    assert [len(report["frames"]) for report in said] == [0, 0, 0, 3, 2]
    assert said[0]["offset"] is said[0]["round_trip"] is None
    assert said[3]["offset"] == pytest.approx(-5000, abs=1000)
    assert said[3]["frames"][1] == [1, None, 1002]
    assert {report["url"] for report in said} == {"/painted"}
    assert set(found["pauses"]) == {2000}


async def test_more_than_the_server_takes_is_given_up(call: Call) -> None:
    """The oldest of them."""
    found = await call("painted.js", REPORTS % "await paint(1); await paint(500);", {"answers": []})
    last = found["said"][-1]["frames"]
    assert [last[0][0], last[-1][0], len(last)] == [373, 500, 128]


@pytest.mark.parametrize("status", [403, 404, 422])
async def test_a_refusal_ends_the_reports(call: Call, status: int) -> None:
    """Nothing is asked again for as long as the session lasts."""
    answers = [[200, {}]] * 3 + [[status, {}]]
    found = await call("painted.js", REPORTS % "for (let i = 0; i < 5; i++) await paint(2);", {"answers": answers})
    assert len(found["said"]) == 4


async def test_a_server_that_is_away_is_not_asked_for_ever(call: Call) -> None:
    """One failure may be of a moment; three in a row are not."""
    answers = [[502, {}], [200, {}], [502, {}], [502, {}], [502, {}]]
    found = await call("painted.js", REPORTS % "for (let i = 0; i < 9; i++) await paint(2);", {"answers": answers})
    assert len(found["said"]) == 5


async def test_reports_wait_as_long_as_the_server_asks(call: Call) -> None:
    """A server that is asked too often says when it may be asked again, and is."""
    answers = [[200, {}]] * 3 + [[429, {"Retry-After": "7"}]]
    found = await call("painted.js", REPORTS % "await paint(1); await paint(1);", {"answers": answers})
    assert found["pauses"][:2] == [2000, 7000]
    assert len(found["said"]) == 5


async def test_nothing_is_told_of_what_is_not_seen(call: Call) -> None:
    """Neither of a hidden page, nor where the video stands still, nor when the session is over."""
    hidden = """
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      try { await paint(3); } finally { delete document.hidden; }
    """
    assert (await call("painted.js", REPORTS % hidden, {"answers": []}))["said"] == []
    still = await call("painted.js", REPORTS % "await paint(1); await paint(0); await paint(0);", {"answers": []})
    assert len(still["said"]) == 4
    ended = await call("painted.js", REPORTS % "await paint(1); over.abort(); await paint(3);", {"answers": []})
    assert len(ended["said"]) == 4


LATENCY = {"camera": 5.2, "decode": 0.3, "queue": 12.4, "model": 41, "hold": 20.1, "encode": 9, "send": 0.2}
GLASS = {"network": 14.4, "paint": 15.8, "total": 113}


async def test_a_delay_in_words_has_what_counts(call: Call) -> None:
    """Stages in the order of the way; those that are not known, or round to nothing, are left out."""
    body = "return m.inWords(m.stages(a))"
    words = "camera 5 · queue 12 · model 41 · hold 20 · encode 9 · network 14 · paint 16 ms"
    assert await call("latency.js", body, LATENCY | GLASS) == words
    assert await call("latency.js", body, {"model": 41, "hold": None, "paint": "x"}) == "model 41 ms"
    assert await call("latency.js", body, None) == ""


async def test_what_the_ledger_lacks_the_browser_adds(call: Call) -> None:
    """Where nobody has reported yet, the way to the screen is as this browser measured; an old server is one part."""
    body = "return m.delayParts({ ...a, transport: 'webrtc' }).map(({ kind }) => kind)"
    measured = {"rttMs": 10, "jitterBufferMs": 20, "decodeMs": 3}
    server = ["camera", "decode", "queue", "model", "hold", "encode", "send"]
    known = {"stream": {"latency": LATENCY | GLASS}, "measurement": measured}
    assert await call("readout.js", body, known) == [*server, "network", "paint"]
    known = {"stream": {"latency": LATENCY}, "measurement": measured}
    assert await call("readout.js", body, known) == [*server, "network", "buffer", "paint"]
    known = {"stream": {"picture_age_ms": 90}, "measurement": measured}
    assert await call("readout.js", body, known) == ["server", "network", "buffer", "paint"]
