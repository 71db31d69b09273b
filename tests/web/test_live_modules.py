"""The pure modules of live video, in the browser they are written for."""

import base64
import io
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import pytest
import pytest_asyncio
from av.bitstream import BitStreamFilterContext

from tests.peers.chromium import connect
from tests.peers.clip import make_clip, read_index
from tests.web.peers import run_fake_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

Call = Callable[..., Awaitable[Any]]
Area = dict[str, float]


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


WRITE = """
  const avc = await import("/web/avc.js");
  const { FragmentTimeline } = await import("/web/fragment_timeline.js");
  const timeline = new FragmentTimeline(a.rate, a.reorder);
  const parts = [];
  a.units.forEach(([time, key, data], at) => {
    const nals = avc.nalUnits(Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)));
    if (at === 0) parts.push(m.head(avc.parameterSets(nals)));
    parts.push(m.fragment(at + 1, { ...timeline.next(time, at), key }, avc.lengthPrefixed(nals)));
  });
  const described = avc.described(avc.parameterSets(avc.nalUnits(Uint8Array.from(atob(a.units[0][2]), (c) => c.charCodeAt(0)))).sps);
  const text = parts.flatMap((part) => [...part]).map((byte) => String.fromCharCode(byte)).join("");
  return [btoa(text), described];
"""  # noqa: E501  JavaScript


def units(clip: Path) -> list[tuple[float, bool, str]]:
    """A clip's pictures as a camera sends them: time in microseconds, whether key, Annex B."""
    with av.open(str(clip)) as container:
        [stream] = container.streams.video
        annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
        packets = [out for packet in container.demux(stream) for out in annex_b.filter(packet if packet.size else None)]
    return [
        (
            round(float(packet.pts * packet.time_base) * 1e6),
            packet.is_keyframe,
            base64.b64encode(bytes(packet)).decode(),
        )
        for packet in packets
        if packet.pts is not None and packet.time_base is not None
    ]


@pytest.mark.parametrize(("b_frames", "width", "height"), [(0, 320, 180), (2, 322, 242)])
async def test_a_fragment_a_picture_is_what_other_players_read(
    call: Call, tmp_path: Path, b_frames: int, width: int, height: int
) -> None:
    """FFmpeg reads every picture of what the page writes, in the order they are shown, B-frames too, and its size."""
    clip = make_clip(tmp_path / "clip.mp4", width=width, height=height, seconds=1, gop=10, b_frames=b_frames)
    body = {"rate": 30, "reorder": b_frames, "units": units(clip)}
    written, described = await call("fragment.js", WRITE, body)
    with av.open(io.BytesIO(base64.b64decode(written)), mode="r", format="mp4") as container:
        [stream] = container.streams.video
        frames = list(container.decode(stream))
        assert [read_index(frame.to_ndarray(format="gray")) for frame in frames] == list(range(30))
        assert (stream.codec_context.width, stream.codec_context.height) == (width, height)
    times = [float(frame.time or 0) for frame in frames]
    assert all(0.03 < after - before < 0.037 for before, after in itertools.pairwise(times))
    assert (described["width"], described["height"]) == (width, height)
    assert described["codec"].startswith("avc1.")


TIMELINE = """
  const timeline = new m.FragmentTimeline(a.rate, a.reorder);
  const told = a.times.map((time, at) => timeline.next(time, at));
  return [told, told.map(({ shown }) => timeline.at(shown / 90000 + 4e-6))];
"""


async def test_a_timeline_has_no_gaps(call: Call) -> None:
    """Whatever a camera's clock does, pictures are decoded one after the other, and none is shown far from the last."""
    rng = random.Random(19)
    steps = [rng.choice([0, 1, 33_333, 40_000, 2_000_000, -5_000_000, 1e15, -1e15]) for _ in range(200)]
    times = [sum(steps[:count]) for count in range(1, len(steps) + 1)]
    told, found = await call("fragment_timeline.js", TIMELINE, {"rate": 30, "reorder": 0, "times": times})
    decoded = [each["decode"] for each in told]
    assert all(after > before for before, after in itertools.pairwise(decoded))
    shown = [each["shown"] for each in told]
    assert all(0 < after - before < 90_000 * 2 for before, after in itertools.pairwise(shown))
    assert found == list(range(200))


async def test_start_codes_and_zeros_are_no_part_of_units(call: Call) -> None:
    """Units of three and of four bytes of start code are found whole, and nothing is found in rubbish."""
    body = "return a.map((bytes) => m.nalUnits(Uint8Array.from(bytes)).map((nal) => [...nal]))"
    found = await call(
        "avc.js",
        body,
        [
            [0, 0, 0, 1, 9, 16, 0, 0, 1, 103, 0, 0, 3, 1, 0, 0, 0, 1, 104, 2],
            [],
            [0, 0],
            [1, 2, 3],
            [0, 0, 1],
            [0, 0, 1, 0, 0],
        ],
    )
    assert found == [[[9, 16], [103, 0, 0, 3, 1], [104, 2]], [], [], [], [], []]


def covers(a: Area, b: Area) -> bool:
    """Whether two areas have pixels in common."""
    return min(a["x"] + a["width"], b["x"] + b["width"]) > max(a["x"], b["x"]) and min(
        a["y"] + a["height"], b["y"] + b["height"]
    ) > max(a["y"], b["y"])


PLACES = "const places = new m.LabelPlaces(); return a.map(([all, room]) => places.of(all, room))"
ROOM = {"x": 0, "y": 0, "width": 1000, "height": 600}


def labelled(x: float, y: float, width: float, height: float, tracker_id: int = 0) -> dict[str, Any]:
    """A box with words of 80 by 16."""
    size = {"width": 80, "height": 16}
    return {"box": {"x": x, "y": y, "width": width, "height": height}, "size": size, "id": tracker_id}


async def test_labels_cover_nothing_where_there_is_room(call: Call) -> None:
    """Words of things that stand apart cover no thing and no other words, and stand in the picture."""
    rng = random.Random(4)
    scenes = []
    for _ in range(40):
        cells = rng.sample([(column, row) for column in range(5) for row in range(5)], rng.randint(1, 8))
        scenes.append([labelled(column * 200 + 60, row * 120 + 40, 60, 50) for column, row in cells])
    for scene, found in zip(
        scenes, await call("label_places.js", PLACES, [[scene, ROOM] for scene in scenes]), strict=True
    ):
        assert None not in found
        for at, place in enumerate(found):
            assert 0 <= place["x"] <= 1000 - 80
            assert 0 <= place["y"] <= 600 - 16
            assert not any(covers(place, each["box"]) for each in scene)
            assert not any(covers(place, other) for other in found[:at])


async def test_labels_stay_where_they_are(call: Call) -> None:
    """Words of a thing that moves a little keep their side, and of a heap only those that can be read are drawn."""
    still, after = await call(
        "label_places.js",
        PLACES,
        [[[labelled(300, 8, 60, 50, 7)], ROOM], [[labelled(300, 20, 60, 50, 7)], ROOM]],
    )
    assert (still[0]["y"] > 8, after[0]["y"] > 20) == (True, True)  # above there was no room, and now there is
    [heap] = await call("label_places.js", PLACES, [[[labelled(1, 1, 2, 2)] * 40, {**ROOM, "width": 90, "height": 60}]])
    drawn = [place for place in heap if place]
    assert 1 <= len(drawn) < 10


HURRY = """
  const frames = [];
  const failures = [];
  const decoder = new m.CleanDecoder(
    (frame, picture) => { frames.push(picture.time); frame.close(); },
    (reason) => failures.push(reason),
  );
  const { codec } = a;
  const pictures = a.units.map(([time, key, data]) => (
    { type: "picture", key, time, data: Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)) }
  ));
  await decoder.open({ codec, reorder: 0 });
  decoder.decode(pictures[1]); // others are needed for it
  const taken = pictures.filter((picture) => decoder.decode(picture)).map(({ time }) => time);
  while (frames.at(-1) !== taken.at(-1) && failures.length === 0) await new Promise((done) => setTimeout(done, 10));
  return [taken, frames, decoder.dropped, failures];
"""


async def test_what_comes_too_fast_is_left_out_up_to_a_key_picture(call: Call, tmp_path: Path) -> None:
    """A decoder that is behind gets nothing until a key picture comes, for which it gives up what it has not begun."""
    pictures = units(make_clip(tmp_path / "clip.mp4", width=320, height=180, seconds=4, gop=25))
    taken, frames, dropped, failures = await call(
        "clean_decoder.js", HURRY, {"codec": "avc1.42c01e", "units": pictures}
    )
    assert failures == []
    assert dropped + len(frames) == len(pictures) + 1
    assert frames[-1] == taken[-1]
    times = [time for time, _, _ in pictures]
    keys = {time for time, key, _ in pictures if key}
    assert all(time in keys or times[times.index(time) - 1] in frames for time in frames)
    assert 0 < len(frames) < len(taken) < len(pictures)


FRAME_BOXES = """
  const kept = new m.FrameBoxes();
  const one = (time, exact, label, opening = 1) =>
    kept.take({ type: "boxes", opening, time, exact, boxes: [{ label, class_id: 1, score: 1, edges: [0, 0, 1, 1], tracker_id: 0 }] });
  const told = (time, opening = 1) => {
    const { boxes, known, exact, awaited } = kept.of(opening, time);
    return [boxes.map(({ label }) => label).join(), known, exact, awaited];
  };
  one(10, false, "predicted");
  kept.sampled(1, 10);
  const awaited = told(10);
  one(10, true, "found");
  one(10, false, "late prediction");
  const found = told(10);
  one(20, false, "predicted");
  const others = [told(20), told(15)];
  for (let time = 100; time < 1100; time++) one(time, true, "more");
  const forgotten = told(10);
  one(1100, true, "new", 2);
  return [awaited, found, others, forgotten, told(1099), told(1100, 2)];
"""  # noqa: E501  JavaScript


async def test_boxes_are_those_of_one_picture(call: Call) -> None:
    """What the model found replaces what was foreseen and not the other way round; no other picture has it."""
    awaited, found, others, forgotten, before, now = await call("frame_boxes.js", FRAME_BOXES)
    assert awaited == ["predicted", True, False, True]
    assert found == ["found", True, True, False]
    assert others == [["predicted", True, False, False], ["", False, False, False]]
    assert forgotten[1] is False
    assert before == ["", False, False, False]
    assert now == ["new", True, True, False]


TIMING = """
  const timing = new m.CleanTiming();
  const due = [];
  for (let at = 0; at < 600; at++) {
    const [received, came] = [at * 33, 5000 + at * 33 + (at % 7)];
    timing.came(at, received, came);
    due.push(timing.due(received, came) - came);
    if (at % 6 === 5) timing.answered(at - 2, 5000 + (at - 2) * 33 + a.takes);
  }
  const held = timing.hold;
  timing.exact = false;
  const soonest = timing.due(600 * 33, 5000 + 600 * 33 + 50) - (5000 + 600 * 33 + 50);
  for (let times = 0; times < 20; times++) timing.shown(true);
  const told = timing.late;
  timing.exact = true;
  return [due.at(0), Math.max(...due), due.at(-1), soonest, [told, timing.late], held];
"""


LAGS = """
  const timing = new m.CleanTiming();
  timing.began(1000, 5000);
  return [0, 10, 900, 4000, 90000].map((late, at) => timing.came(at, 1000 + at * 60000, 5000 + at * 60000 + late));
"""


async def test_what_lay_in_buffers_is_known_as_old(call: Call) -> None:
    """How late a picture is counts from the quickest ever, however long all are late, but for what clocks drift."""
    lags = await call("clean_timing.js", LAGS)
    assert lags == [pytest.approx(late, abs=40) for late in (0, 10, 900, 4000, 90000)]


@pytest.mark.parametrize(("takes", "hold"), [(60, 68), (900, 500)])
async def test_pictures_wait_as_long_as_their_answers_take(call: Call, takes: float, hold: float) -> None:
    """The hold follows the answers and has an end; who wants pictures at once gets them; late boxes are told."""
    first, longest, last, soonest, late, held = await call("clean_timing.js", TIMING, {"takes": takes})
    assert first == 0
    assert held == pytest.approx(hold, abs=1)
    assert hold - 7 <= last <= longest <= hold + 1
    assert soonest == 0
    assert late == [False, True]


ZOOM = """
  const [place, room] = [{ x: 0, y: 52, width: 940, height: 529 }, { width: 940, height: 633 }];
  let look = m.WHOLE;
  const kept = [];
  for (const [factor, x, y] of a) {
    const before = m.placed(look, place, room);
    look = m.closer(look, factor, { x, y }, place, room);
    const now = m.placed(look, place, room);
    const under = ({ x: left, y: top, width, height }) => [(x - left) / width, (y - top) / height];
    kept.push([under(before), under(now), now, look.scale]);
    look = m.moved(look, { x: 37, y: -21 }, place, room);
  }
  return kept;
"""


async def test_what_is_looked_at_stays_under_the_pointer(call: Call) -> None:
    """Closer and away, the picture covers its room as far as it is large enough, and is never smaller than whole."""
    rng = random.Random(3)
    steps = [(rng.choice([1.25, 0.8, 2.5, 0.2]), rng.uniform(0, 940), rng.uniform(60, 570)) for _ in range(200)]
    for before, now, place, scale in await call("zoom.js", ZOOM, steps):
        assert 1 <= scale <= 12
        for at, (length, room) in enumerate([(place["width"], 940), (place["height"], 633)]):
            begin = place["xy"[at]]
            assert length <= room or (begin <= 1e-6 and begin + length >= room - 1e-6)
            at_edge = length <= room or abs(begin) < 1e-6 or abs(begin + length - room) < 1e-6
            assert at_edge or now[at] == pytest.approx(before[at], abs=1e-6)


@pytest.mark.parametrize(
    "kept",
    [None, {}, {"way": "carrier pigeon"}, {"least": "high", "hidden": [1], "boxes": 3}, {"least": 7, "hidden": "all"}],
)
async def test_choices_of_another_time_do_no_harm(call: Call, kept: Any) -> None:
    """What a browser kept counts where it can: the rest is as usual."""
    found = await call("watching.js", "return m.sound(a)", kept)
    usual = await call("watching.js", "return m.sound({})")
    assert found == {**usual, "least": found["least"]}
    assert found["least"] in (0, 0.95)


WIRE = """
  const picture = new ArrayBuffer(28);
  const view = new DataView(picture);
  view.setUint8(0, 1);
  view.setUint8(1, 1);
  view.setUint32(4, 3, true);
  view.setFloat64(8, 123456789, true);
  view.setFloat64(16, 5.25, true);
  const read = m.read(picture);
  const rows = '{"type":"boxes","opening":3,"time":5,"exact":true,"boxes":[[17,"insulator",1,0.9,0.1,0.2,0.3,0.4]],"new":1}';
  const broken = ["", "{", '{"type":"boxes"}', "null"].map((text) => {
    try {
      return m.read(text);
    } catch (error) {
      return error.name;
    }
  });
  view.setUint8(0, 7);
  const other = [m.read(picture), m.read(picture.slice(0, 20)), m.read('{"type":"new"}')];
  return [{ ...read, data: read.data.length }, m.read(rows).boxes, broken, other];
"""  # noqa: E501  JavaScript


async def test_the_wire_is_read_to_the_letter(call: Call) -> None:
    """A picture's head and a row of boxes are what docs/api.md says; the new is left out, rubbish is an error."""
    picture, boxes, broken, other = await call("clean_wire.js", WIRE)
    assert picture == {"type": "picture", "key": True, "opening": 3, "time": 123456789, "received": 5250, "data": 4}
    assert boxes == [
        {"tracker_id": 17, "label": "insulator", "class_id": 1, "score": 0.9, "edges": [0.1, 0.2, 0.3, 0.4]}
    ]
    assert broken == ["SyntaxError", "SyntaxError", "TypeError", "TypeError"]
    assert other == [None, None, None]
