"""The page's pure modules, in the browser they are written for."""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

from tests.peers.chromium import connect
from tests.web.peers import FakeService, jpeg, run_fake_service, seen
from tests.web.peers import report as doctors_report

pytestmark = pytest.mark.asyncio(loop_scope="module")

Call = Callable[..., Awaitable[Any]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service() -> AsyncIterator[FakeService]:
    """Give a service without cameras."""
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


def report(seconds: float, frames: int, **fields: Any) -> list[tuple[str, dict[str, Any]]]:
    """A getStats() report as Chromium gives it, `seconds` after some start."""
    inbound = {
        "id": "in",
        "type": "inbound-rtp",
        "kind": "video",
        "ssrc": 1,
        "timestamp": 1e12 + seconds * 1000,
        "framesDecoded": frames,
        "bytesReceived": 1000 * frames,
        "jitterBufferDelay": 0.02 * frames,
        "jitterBufferEmittedCount": frames,
        "totalDecodeTime": 0.004 * frames,
    } | fields
    transport = {"id": "t", "type": "transport", "selectedCandidatePairId": "p"}
    pair = {"id": "p", "type": "candidate-pair", "currentRoundTripTime": 0.03}
    return [("t", transport), ("p", pair), ("in", inbound)]


MEASURE = "return m.measure(a[0] && new Map(a[0]), new Map(a[1]))"


async def test_measures_between_two_reports(call: Call) -> None:
    """Rates are growth over the reports' own time; delays are means over the frames of that time."""
    found = await call("stats.js", MEASURE, [report(10, 100), report(12, 160)])
    assert found == pytest.approx(
        {"framesDecoded": 160, "fps": 30, "bitrate": 240_000, "jitterBufferMs": 20, "decodeMs": 4, "rttMs": 30}
    )


async def test_first_report_has_no_rates(call: Call) -> None:
    """What needs two reports is null with one."""
    found = await call("stats.js", MEASURE, [None, report(12, 160)])
    assert found["fps"] is found["bitrate"] is found["jitterBufferMs"] is None
    assert found["framesDecoded"] == 160


@pytest.mark.parametrize("change", [{"ssrc": 2}, {"framesDecoded": 5}])
async def test_a_new_session_is_not_compared(call: Call, change: dict[str, Any]) -> None:
    """Counters of another session give no rates: they started again from nothing."""
    found = await call("stats.js", MEASURE, [report(10, 100), report(12, 160, **change)])
    assert found["fps"] is None


async def test_delay_is_half_a_round_trip_and_the_browsers_own(call: Call) -> None:
    """What the browser adds to a picture's age is half the round trip, the jitter buffer and decoding."""
    body = "return m.browserDelay(m.measure(new Map(a[0]), new Map(a[1])))"
    found = await call("stats.js", body, [report(10, 100), report(12, 160)])
    assert found == pytest.approx({"network": 15, "jitterBuffer": 20, "decode": 4, "total": 39})


@pytest.mark.parametrize("chunk", [1, 7, 4096])
@pytest.mark.parametrize("length", [True, False])
async def test_multipart_is_split_wherever_it_is_cut(call: Call, chunk: int, length: bool) -> None:
    """The parts of a stream come out whole, however the network cut it, with Content-Length or without."""
    parts = [jpeg(0)[:900], b"--fram\r\n\r\n--", jpeg(1)[:900]]
    body = b"".join(
        b"--frame\r\nContent-Type: image/jpeg\r\n"
        + (b"Content-Length: %d\r\n" % len(part) if length else b"")
        + b"\r\n"
        + part
        + b"\r\n"
        for part in parts
    )
    split = """
      const parser = new m.MultipartParser("multipart/x-mixed-replace; boundary=frame");
      const parts = [];
      for (let at = 0; at < a.body.length; at += a.chunk)
        parts.push(...parser.push(new Uint8Array(a.body.slice(at, at + a.chunk))));
      return parts.map((part) => [...part]);
    """
    found = await call("multipart.js", split, {"body": [*body, *b"--frame"], "chunk": chunk})
    assert [bytes(part) for part in found] == parts


async def test_sightings_bridge_a_blink(call: Call) -> None:
    """A label that is gone for a moment is one sighting; one that comes back after two seconds is another."""
    frames = [(0, [seen("insulator", 0.5)]), (200, []), (400, [seen("insulator"), seen("insulator")]), (900, [])]
    body = """
      const sightings = new m.Sightings();
      for (const [at, detections] of a) sightings.add(detections, at);
      return sightings.list;
    """
    found = await call("sightings.js", body, frames)
    assert [(s["since"], s["until"], s["most"], s["best"], s["over"]) for s in found] == [(0, 400, 2, 0.9, False)]
    found = await call("sightings.js", body, [*frames, (2500, [seen("insulator")])])
    assert [(s["since"], s["over"]) for s in found] == [(2500, False), (0, True)]


async def test_findings_come_first(call: Call) -> None:
    """What the model was made to find is listed before what is merely there, however few there are."""
    detections = [seen("insulator"), seen("insulator"), seen("nest"), seen("car")]
    found = await call("sightings.js", "return m.countByLabel(a[0], a[1])", [detections, ["nest", "flashover"]])
    assert [(entry["label"], entry["count"], entry["finding"]) for entry in found] == [
        ("nest", 1, True),
        ("insulator", 2, False),
        ("car", 1, False),
    ]


async def test_a_label_is_no_finding_by_its_name(call: Call) -> None:
    """Whatever a label is called, it is a finding only where the model's contract says so."""
    named = [seen(label) for label in ("defect", "Broken cap", "fire truck", "rust-coloured bird")]
    assert not [
        entry for entry in await call("sightings.js", "return m.countByLabel(a, [])", named) if entry["finding"]
    ]


async def test_findings_follow_the_model_in_use(call: Call) -> None:
    """Another model judges what is in view from the next frame on; what is over stays as it was."""
    body = """
      const sightings = new m.Sightings();
      const judged = () => [...sightings.now, ...sightings.list].map(({ label, finding }) => [label, finding]);
      sightings.add(a, 0);
      sightings.add(a, 5000);
      const before = judged();
      sightings.findings = ["nest"];
      sightings.add(a, 5100);
      return [before, judged()];
    """
    before, after = await call("sightings.js", body, [seen("nest")])
    assert before == [["nest", False], ["nest", False], ["nest", False]]
    assert after == [["nest", True], ["nest", True], ["nest", False]]


@pytest.mark.parametrize(
    ("count", "width", "height", "columns"),
    [(1, 1440, 850, 1), (4, 1440, 850, 2), (6, 1440, 850, 3), (9, 1440, 850, 3), (4, 390, 790, 1), (40, 1440, 850, 4)],
)
async def test_grid_shows_tiles_largest(call: Call, count: int, width: int, height: int, columns: int) -> None:
    """The grid has the number of columns that makes its tiles largest, and scrolls before they are too small to see."""
    space = {"count": count, "width": width, "height": height, "gap": 8, "extra": 40}
    found = await call("grid.js", "return m.fitGrid(a)", space)
    assert found["columns"] == columns
    assert found["tileWidth"] * columns + 8 * (columns - 1) <= width


@pytest.mark.parametrize(
    ("header", "servers"),
    [
        ("", []),
        ('<stun:s.example:3478>; rel="ice-server"', [{"urls": "stun:s.example:3478"}]),
        (
            '<stun:s>; rel="ice-server", <turn:t?transport=udp>; rel="ice-server"; username="u, v"; '
            'credential="a \\"b\\""; credential-type="password"',
            [{"urls": "stun:s"}, {"urls": "turn:t?transport=udp", "username": "u, v", "credential": 'a "b"'}],
        ),
        ("<stun:s>; rel=ice-server, </style.css>; rel=preload", [{"urls": "stun:s"}]),
    ],
)
async def test_ice_servers_are_read_from_links(call: Call, header: str, servers: list[dict[str, str]]) -> None:
    """Every ICE server of a Link header is found with its login, quotes and commas in it included, and nothing else."""
    found = await call("signalling.js", "return m.parseLinks(a)", header)
    assert [{name: value for name, value in server.items() if value is not None} for server in found] == servers


@pytest.mark.parametrize(
    ("patterns", "taken", "name"),
    [
        (["*"], [], "phone"),
        (["*"], ["phone", "phone-2"], "phone-3"),
        (["drone-*"], [], "drone-phone"),
        (["cam-?"], [], "cam-?"),
        (["a", "b"], ["a"], "b"),
        (["a"], ["a"], "a"),
        (["a", "b-*"], ["a"], "b-phone"),
    ],
)
async def test_a_free_name_is_proposed(call: Call, patterns: list[str], taken: list[str], name: str) -> None:
    """The name proposed is allowed by the server's patterns and, where one is left, taken by no stream."""
    assert await call("device.js", "return m.freeName(a[0], new Set(a[1]), 'phone')", [patterns, taken]) == name


async def test_chromium_is_told_where_to_begin(call: Call) -> None:
    """The start bitrate stands with every H.264 format of an answer, and changes nothing else in it."""
    answer = "v=0\r\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\na=fmtp:97 apt=96\r\n"
    found = await call("whip.js", "return m.startFast(a)", answer)
    assert found == answer.replace("42e01f\r", "42e01f;x-google-start-bitrate=1500\r")


async def test_names_that_mean_something_here_alone_are_not_sent(call: Call) -> None:
    """A fragment holds the user name, the sections and the candidates but for .local ones; without any it is empty."""
    sdp = (
        "v=0\r\na=ice-options:trickle\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:ab\r\na=ice-pwd:secret\r\n"
        "a=candidate:1 1 udp 1 12345678-0000-4000-8000-000000000000.local 9 typ host\r\n"
        "a=candidate:2 1 udp 1 192.0.2.7 9 typ srflx raddr 0.0.0.0 rport 0\r\na=mid:0\r\na=rtcp-mux\r\n"
    )
    found = await call("signalling.js", "return [m.fragment(a), m.fragment(a.replace('192.0.2.7', 'b.local'))]", sdp)
    assert found == [
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:ab\r\n"
        "a=candidate:2 1 udp 1 192.0.2.7 9 typ srflx raddr 0.0.0.0 rport 0\r\na=mid:0\r\n",
        "",
    ]


async def test_a_relay_is_known_before_candidates_are_gathered(call: Call, service: FakeService) -> None:
    """The servers that came with the answer, logins and all, are asked for the session's own candidates."""
    service.room = True
    service.link = (
        '<stun:127.0.0.1:9>; rel="ice-server", <turn:127.0.0.1:9>; rel="ice-server"; username="u"; credential="c"'
    )
    body = """
      let pc = null;
      let before = null;
      const Real = RTCPeerConnection;
      window.RTCPeerConnection = function (...given) {
        pc = new Real(...given);
        const set = pc.setLocalDescription.bind(pc);
        pc.setLocalDescription = (...described) => {
          before = pc.getConfiguration().iceServers;
          return set(...described);
        };
        return pc;
      };
      const session = new m.WhepSession("/whep/a", () => {});
      await session.open();
      window.RTCPeerConnection = Real;
      session.close();
      return before.map(({ urls, username, credential }) => [[urls].flat()[0], username || null, credential || null]);
    """
    found = await call("whep.js", body)
    service.link = ""
    assert found == [["stun:127.0.0.1:9", None, None], ["turn:127.0.0.1:9", "u", "c"]]


async def test_a_session_that_is_refused_leaves_no_connection(call: Call) -> None:
    """A publisher that tries every few seconds while its server is away would come to the browser's limit of 500."""
    body = """
      const made = [];
      const Real = RTCPeerConnection;
      window.RTCPeerConnection = function (...given) { made.push(new Real(...given)); return made.at(-1); };
      const [track] = Object.assign(document.createElement("canvas"), { width: 2 }).captureStream().getVideoTracks();
      const lost = [];
      const session = new m.WhipSession("/whip/a", (why) => lost.push(why));
      const refused = await session.publish(track).catch((error) => error);
      window.RTCPeerConnection = Real;
      return [refused.status, made.map((pc) => pc.signalingState), lost];
    """
    assert await call("whip.js", body) == [404, ["closed"], []]


@pytest.mark.parametrize(
    ("name", "message", "words"),
    [
        ("NotAllowedError", "Permission denied", "address bar"),
        ("NotAllowedError", "Permission denied by system", "This device’s settings"),
        ("NotFoundError", "Requested device not found", "no camera"),
        ("NotReadableError", "Could not start video source", "another program"),
        ("AbortError", "Starting videoinput failed", "another program"),
    ],
)
async def test_why_a_camera_cannot_be_had_is_a_sentence(call: Call, name: str, message: str, words: str) -> None:
    """What a browser says of a camera becomes what a person can do about it."""
    assert words in await call("device.js", "return m.explain(new DOMException(a[1], a[0]))", [name, message])


ADVICE = {"kind": "long_gop", "weight": "advice", "sentence": "keyframes are rare", "advice": "set two seconds"}
NOTE = {"kind": "h265", "weight": "note", "sentence": "H.265", "advice": None}


@pytest.mark.parametrize(
    ("fields", "title", "state"),
    [
        ({}, "Works, and nothing is wrong with it", "live"),
        ({"findings": [NOTE]}, "Works, and nothing is wrong with it", "live"),
        ({"verdict": "advice", "findings": [ADVICE]}, "Works; one thing would be better", "stale"),
        ({"verdict": "advice", "findings": [ADVICE, ADVICE, NOTE]}, "Works; 2 things would be better", "stale"),
        ({"verdict": "dns", "works": False, "findings": [ADVICE]}, "Does not work", "offline"),
    ],
)
async def test_a_verdict_is_a_few_words(call: Call, fields: dict[str, Any], title: str, state: str) -> None:
    """The headline counts advice, not notes, and a camera that does not work has no other."""
    assert await call("report.js", "return m.headline(a)", doctors_report(**fields)) == {"title": title, "state": state}


async def test_what_was_not_measured_is_not_shown(call: Call) -> None:
    """Figures that are null have no value, and a lower bound is called one."""
    nothing = {"fps": None, "bits_per_second": None, "first_picture_seconds": None, "decode_ms": None}
    found = dict(await call("report.js", "return m.measurements(a)", doctors_report(gop_is_at_least=True, **nothing)))
    assert {name for name, value in found.items() if value is not None} == {
        "Picture",
        "Codec",
        "Keyframes",
        "Watched for",
    }
    assert found["Keyframes"] == "2.0 s apart or more"
    assert await call("report.js", "return m.measurements(a)", doctors_report(codec=None)) == []


TOLD = {
    "server": "Hipcam", "login": "Digest MD5", "transport": "tcp", "keepalive": "OPTIONS", "session_timeout": 60,
    "tracks": [
        {"media": "video", "codec": "H264", "why_not": None},
        {"media": "audio", "codec": None, "why_not": "sound is not asked for"},
    ],
    "packets": 800, "lost": 3, "markers": "never", "parameter_sets": ["described", "in band"],
}  # fmt: skip


async def test_what_a_camera_told_is_shown(call: Call) -> None:
    """What an RTSP camera told of itself is a line each; of any other camera there is none."""
    assert dict(await call("report.js", "return m.told(a)", doctors_report(rtsp=TOLD, realm="Lobby"))) == {
        "Server": "Hipcam",
        "Log-in": "Digest MD5 for “Lobby”",
        "Session": "over TCP, kept alive by OPTIONS; lasts 60 s without",
        "Tracks": "video H.264: played; audio not named: sound is not asked for",
        "RTP packets": "800, 3 lost (0.38 %); none is marked as a picture’s last",
        "Parameter sets": "described and in band",
    }
    assert await call("report.js", "return m.told(a)", doctors_report()) == []


async def test_what_a_camera_told_before_it_failed_is_shown(call: Call) -> None:
    """Of a camera that said its name and nothing else the name is shown, and what is not known is left out."""
    nothing = dict.fromkeys(TOLD) | {"server": "Hipcam", "tracks": [], "packets": 0}
    shown = await call("report.js", "return m.told(a)", doctors_report(codec=None, rtsp=nothing))
    assert {name: value for name, value in shown if value is not None} == {"Server": "Hipcam"}


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/x.jpg", "data:image/svg+xml;base64,PHN2Zz4=", "javascript:alert(1)", None]
)
async def test_a_still_is_a_jpeg_of_the_answer(call: Call, url: str | None) -> None:
    """Nothing else is ever loaded as the camera's picture."""
    assert await call("report.js", "return m.still(a)", doctors_report(still=url)) is None


REFUSED = """
  let now = 0, refusing = true, made = [];
  const real = { EventSource, fetch, setTimeout, now: performance.now };
  class Source {
    static CLOSED = 2;
    readyState = 0;
    constructor() {
      made.push(now / 1000);
      queueMicrotask(() => {
        this.readyState = refusing ? 2 : 1;
        refusing ? this.onerror() : this.onopen();
      });
    }
    close() { this.readyState = 2; }
  }
  Object.assign(window, { EventSource: Source, fetch: async () => Response.json([]), setTimeout: () => 0 });
  performance.now = () => now;
  const polls = [];
  const feed = new m.Feed({ onstreams: () => polls.push(now), ondetections() {}, onlost() {} });
  const times = [];
  feed.start();
  for (const [seconds, refuses] of a) {
    refusing = refuses;
    for (const until = now + seconds * 1000; now < until; now += 1000) {
      const before = polls.length;
      feed.refresh();
      while (polls.length === before) await new Promise((done) => real.setTimeout.call(window, done));
    }
    times.push(made);
    made = [];
    if (!refuses) feed.stop(), feed.start();
  }
  feed.stop();
  Object.assign(window, { EventSource: real.EventSource, fetch: real.fetch, setTimeout: real.setTimeout });
  delete performance.now;
  return times;
"""


async def test_events_that_are_refused_are_asked_for_ever_less_often(call: Call) -> None:
    """With no place free the page waits five seconds, then twice as long each time, up to a minute; once let in, anew.

    Each try is an error on the console, which no page can keep from there.
    """
    refused, granted, again = await call("feed.js", REFUSED, [[300, True], [60, False], [20, True]])
    assert [after - before for before, after in pairwise(refused)] == [5, 10, 20, 40, 60, 60, 60]
    assert len(granted) == 1
    assert [after - before for before, after in pairwise(again)] == [5, 10]


LIKE_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
AGENTS = {
    f"Mozilla/5.0 (X11; Linux x86_64) {LIKE_CHROME}": "Chrome on Linux",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {LIKE_CHROME} Edg/130.0.0.0": "Edge on Windows",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1": (
        "Safari on iPhone"
    ),
    "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0": "Firefox on Android",
    "curl/8.5.0": "curl/8.5.0",
    "": "A browser that does not say which",
}


async def test_a_browser_is_called_in_a_few_words(call: Call) -> None:
    """By what it calls itself, though most call themselves others as well; what nobody knows stays as it is."""
    assert await call("device.js", "return a.map(m.browserOf)", list(AGENTS)) == list(AGENTS.values())


async def test_a_day_is_the_viewers(call: Call) -> None:
    """From midnight to midnight in the zone of the browser, whatever that is; also where a month ends."""
    body = """return a.map((day) => m.bounds(day).map((at) => {
      const date = new Date(at * 1000);
      return [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes()];
    }))"""
    found = await call("clock.js", body, ["2026-11-29", "2026-12-31"])
    assert found == [[[11, 29, 0, 0], [11, 30, 0, 0]], [[12, 31, 0, 0], [1, 1, 0, 0]]]


async def test_passwords_are_made_up_of_what_can_be_read_out(call: Call) -> None:
    """Four groups of four letters and digits that are not taken for one another, never the same."""
    made = await call("password.js", "return Array.from({ length: 200 }, () => m.generated())")
    assert len(set(made)) == 200
    assert set("".join(made)) - set("abcdefghjkmnpqrstuvwxyz23456789-") == set()
    assert {tuple(map(len, each.split("-"))) for each in made} == {(4, 4, 4, 4)}


async def test_a_stream_that_moves_is_said_to(call: Call) -> None:
    """Its tile says why, and of when its last picture is; it is counted; and the table says who runs one that runs."""
    moving = {"name": "a", "state": "moving", "replica": None, "reason": "its replica b is away; another takes it"}
    known = {"state": "moving", "stream": moving, "silent": True, "painted": True, "failure": None}
    found = await call("cover.js", "return m.cover(a)", {**known, "lastPictureAt": 0})
    assert found == {"title": "Moving", "text": "Its replica b is away; another takes it.", "word": ""}
    found = await call("cover.js", "return m.cover(a)", {**known, "lastPictureAt": 1})
    assert "Last picture at" in found["text"]
    assert await call("news.js", "return m.countStates(a)", [moving]) == [["moving", 1]]
    known = {"stream": {**moving, "replica": "c"}, "measurement": None, "transport": "none", "fallbackReason": None}
    facts = await call("readout.js", "return m.facts(a)", {**known, "fps": None, "version": None})
    assert ["Replica", "c"] in facts
