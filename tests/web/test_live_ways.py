"""What becomes of live pictures that come late, and of a chosen way: modules in the browser, its time made up."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.peers.chromium import connect
from tests.web.peers import run_fake_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

Call = Callable[..., Awaitable[Any]]
Event = tuple[float, str, Any]
FRAME_MS = 33
LAST = 90
"""Of a hundred pictures it is told by then that they were painted."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def call(chromium: str) -> AsyncIterator[Call]:
    """Give a function that runs a body, of the module `m` and an argument `a`, in one page for all these tests."""
    async with run_fake_service() as service, connect(chromium) as browser:
        page = await browser.new_page()
        await page.goto(service.url)

        async def call(module: str, body: str, argument: Any = None) -> Any:
            code = f"async (a) => {{ const m = await import('/web/{module}'); {body} }}"
            return await page.evaluate(code, argument)

        yield call


MADE_UP = """
  const [made, timers, ticks] = [{}, new Map(), []];
  const began = (globalThis.madeUpUntil ?? 0) + 1e6; // later than a test before: modules stay
  let [clock, timer] = [began, 0];
  const makeUp = (name, value) => {
    made[name] = globalThis[name];
    globalThis[name] = value;
  };
  const end = () => {
    for (const [name, value] of Object.entries(made)) globalThis[name] = value;
    delete performance.now;
    globalThis.madeUpUntil = clock;
  };
  performance.now = () => clock;
  makeUp("setTimeout", (act, ms = 0) => (timers.set(++timer, [clock + ms, act]), timer));
  makeUp("clearTimeout", (id) => timers.delete(id));
  makeUp("setInterval", (act) => ticks.push(act));
  makeUp("clearInterval", () => {});
  const until = (at) => {
    for (;;) {
      const [next] = [...timers].sort(([, [a]], [, [b]]) => a - b);
      if (!next || next[1][0] > at) break;
      timers.delete(next[0]);
      clock = Math.max(clock, next[1][0]);
      next[1][1]();
    }
    clock = at;
  };
"""
"""The page's clock and timers, which move when they are told; all that is done until `end` is one go for the page."""

WORKER = (
    MADE_UP
    + """
  const [said, order] = [[], (data) => self.onmessage({ data })];
  let socket = null;
  makeUp("postMessage", (news) => said.push(news));
  makeUp("WebSocket", class {
    constructor() { socket = this; }
    close() {}
  });
  makeUp("EncodedVideoChunk", class {
    constructor(chunk) { Object.assign(this, chunk); }
  });
  makeUp("VideoDecoder", class {
    static isConfigSupported = async () => ({ supported: true });
    state = "unconfigured";
    decodeQueueSize = 0;
    #kept = [];
    constructor({ output }) { this.output = output; }
    configure() { this.state = "configured"; }
    close() { this.state = "closed"; }
    decode({ timestamp }) {
      this.decodeQueueSize++;
      this.#kept = [...this.#kept, timestamp].sort((a, b) => a - b);
      const size = { displayWidth: 16, displayHeight: 9, close() {} };
      const taken = () => {
        this.decodeQueueSize--;
        if (this.#kept.length <= a.reorder) return;
        this.output(Object.assign(new OffscreenCanvas(16, 9), { timestamp: this.#kept.shift(), ...size }));
      };
      setTimeout(taken, 2);
    }
  });
  try {
    order({ do: "canvas", canvas: new OffscreenCanvas(160, 90) });
    order({ do: "open", url: "ws://camera", exact: a.exact });
    const tell = (data) => socket.onmessage({ data });
    tell(JSON.stringify({ type: "hello", now: clock / 1000, viewer: "" }));
    tell(JSON.stringify({ type: "form", offered: true, codec: "avc1.42c01e", reorder: a.reorder, opening: 1 }));
    for (const [at, kind, of] of a.events) {
      until(began + at);
      if (kind === "picture") {
        const picture = new DataView(new ArrayBuffer(25));
        [1, of.key ? 1 : 0].forEach((byte, place) => picture.setUint8(place, byte));
        picture.setUint32(4, 1, true);
        picture.setFloat64(8, of.time, true);
        picture.setFloat64(16, (began + of.received) / 1000, true);
        tell(picture.buffer);
      } else tell(JSON.stringify({ type: kind, opening: 1, time: of, exact: true, boxes: [] }));
    }
    until(clock + 2000);
    order({ do: "close" });
  } finally {
    end();
  }
  const news = said.filter(({ say }) => say === "painted");
  return {
    painted: news.flatMap(({ painted }) => painted.map(({ time, exact }) => [time, exact])),
    late: news.some(({ state }) => state.late),
    dropped: news.at(-1).state.dropped,
    failures: said.filter(({ say }) => say === "failed"),
  };
"""
)
"""Gives what the worker painted of what a server sent, [when in ms, kind, of what]; decoding takes 2 ms."""


def picture(came: float, number: int, *, received: float | None = None, key: bool = False) -> Event:
    """One that is shown at its number's turn."""
    received = came if received is None else received
    return came, "picture", {"time": number * FRAME_MS * 1000, "received": received, "key": key}


def in_order(events: list[Event]) -> list[Event]:
    """As they come."""
    return sorted(events, key=lambda event: event[0])


async def test_a_picture_whose_boxes_are_late_is_shown(call: Call) -> None:
    """It waits a moment for them and never so long that it is left out for the next; that boxes are late is told."""
    events = [picture(number * FRAME_MS, number, key=number == 0) for number in range(100)]
    for number in range(0, 100, 2):
        at, time = number * FRAME_MS, number * FRAME_MS * 1000
        takes = 75 if number < 30 else 75 + FRAME_MS * 2.2
        events += [(at + 1, "sampled", time), (at + takes, "boxes", time)]
    found = await call("clean_worker.js", WORKER, {"exact": True, "reorder": 0, "events": in_order(events)})
    times = [time // (FRAME_MS * 1000) for time, _ in found["painted"]]
    assert sorted(set(range(4, LAST)) - set(times)) == []
    assert times == sorted(times)
    assert found["late"] is True
    assert found["failures"] == []


@pytest.mark.parametrize("exact", [True, False])
async def test_a_network_that_stops_for_a_moment_freezes_nothing_after_it(call: Call, exact: bool) -> None:
    """Old pictures of a heap are decoded and not shown; none that comes after it waits for a key picture."""
    first, last = 30, 54
    events = [
        picture(last * FRAME_MS if first <= number < last else number * FRAME_MS, number, received=number * FRAME_MS)
        for number in range(100)
    ]
    events[0][2]["key"] = True
    found = await call("clean_worker.js", WORKER, {"exact": exact, "reorder": 0, "events": in_order(events)})
    times = {time // (FRAME_MS * 1000) for time, _ in found["painted"]}
    assert sorted(set(range(last + 1, LAST)) - times) == []
    assert not times & set(range(first, first + 3))
    assert found["dropped"] == 0
    assert found["failures"] == []


async def test_no_picture_is_lost_that_comes_before_those_shown_earlier(call: Call) -> None:
    """Of a stream with B-frames every picture has its turn where pictures wait for their boxes."""
    order = [0] + [number + step for number in range(1, 91, 3) for step in (2, 0, 1)]
    events = [picture(place * FRAME_MS, number, key=place == 0) for place, number in enumerate(order)]
    for place, number in enumerate(order):
        time = number * FRAME_MS * 1000
        events += [(place * FRAME_MS + 1, "sampled", time), (place * FRAME_MS + 130, "boxes", time)]
    found = await call("clean_worker.js", WORKER, {"exact": True, "reorder": 1, "events": in_order(events)})
    times = [time // (FRAME_MS * 1000) for time, _ in found["painted"]]
    assert sorted(set(range(10, LAST - 10)) - set(times)) == []
    assert times == sorted(times)


PLAYER = (
    """
  const { MseWay } = await import("/web/mse_way.js");
  const { PictureWay } = await import("/web/picture_way.js");
  const { WebRtcWay } = await import("/web/webrtc_way.js");
"""
    + MADE_UP
    + """
  const log = [];
  const patched = [["mse", MseWay], ["webrtc", WebRtcWay], ["mjpeg", PictureWay]].map(([name, { prototype }]) => {
    const { open, close } = prototype;
    prototype.open = () => void log.push(`open ${name}`);
    prototype.close = () => {};
    return () => Object.assign(prototype, { open, close });
  });
  let worker = null;
  makeUp("Worker", class {
    constructor() { worker = this; }
    terminate() {}
    postMessage(order) { if (["open", "close", "still"].includes(order.do)) log.push(`${order.do} webcodecs`); }
  });
  const room = document.body.appendChild(document.createElement("div"));
  const [video, canvas] = [document.createElement("video"), document.createElement("canvas")];
  room.append(canvas, video);
  canvas.dataset.painted = ""; // so that it asks for no first picture
  const sight = Object.assign(new EventTarget(), { watching: { exact: true }, drawn: {}, look: {} });
  const urls = { clean: "c", whep: "w", mjpeg: "m", still: "s" };
  const player = new m.Player({ video, canvas, sight, urls, onchange() {} });
  const painted = [{ time: 0, came: 0, at: 0, exact: true, live: false }];
  const plays = () => worker.onmessage({ data: { say: "painted", painted, state: { late: false } } });
  const told = (act) => {
    log.length = 0;
    act();
    return [...log];
  };
  const pass = (ms) => {
    until(clock + ms);
    plays();
    ticks.at(-1)();
  };
  try {
    player.expecting = true;
    player.start();
    plays();
    return a.steps.map(([what, of]) =>
      told(() => {
        if (what === "choose") player.choice = of;
        else if (what === "pass") pass(of);
        else if (what === "silence") (until(clock + of), ticks.at(-1)());
        else if (what === "still") player.still();
        else player[what]();
      }),
    );
  } finally {
    player.end();
    for (const restore of patched) restore();
    room.remove();
    end();
  }
"""
)
"""Gives which ways were opened at each step, of a player that plays by WebCodecs, whose other ways bring nothing."""


async def test_a_way_that_was_chosen_while_nobody_looked_is_taken_after(call: Call) -> None:
    """A tile that rests goes on by the way that was chosen meanwhile."""
    body = {"steps": [["rest", None], ["choose", "webrtc"], ["start", None]]}
    assert await call("player.js", PLAYER, body) == [[], [], ["open webrtc"]]


async def test_a_chosen_way_is_tried_again_and_then_what_is_below_it(call: Call) -> None:
    """Where it brings nothing, the one below it is taken and not the one above, and it has its turn again."""
    steps = [["choose", "webrtc"], ["pass", 3500], ["pass", 20_000], ["pass", 12_000]]
    found = await call("player.js", PLAYER, {"steps": steps})
    assert found == [["open webrtc"], ["close webcodecs", "open mjpeg"], [], ["open webrtc"]]


async def test_the_cameras_own_video_may_wait_for_its_key_picture(call: Call) -> None:
    """Longer than others while something else plays beside it; where nothing does, the next way is tried soon."""
    steps = [
        *[["choose", "mjpeg"], ["choose", "webcodecs"], ["silence", 10_000], ["silence", 11_000]],
        *[["stop", None], ["start", None], ["silence", 3500]],
    ]
    found = await call("player.js", PLAYER, {"steps": steps})
    assert found == [
        *[["close webcodecs", "open mjpeg"], ["open webcodecs"], [], ["close webcodecs"]],
        *[[], ["open webcodecs"], ["close webcodecs", "open mse"]],
    ]


async def test_what_is_saved_of_a_camera_that_is_away_is_its_last_picture(call: Call) -> None:
    """Once the video has ended, a still is still asked of the way that painted what is seen."""
    body = {"steps": [["stop", None], ["still", None]]}
    assert await call("player.js", PLAYER, body) == [["close webcodecs"], ["still webcodecs"]]
