"""The modules of the recordings page that have no DOM, in the browser they are written for."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
import pytest_asyncio

from tests.peers.chromium import connect
from tests.peers.clip import make_clip
from tests.web.kept import ZONE
from tests.web.peers import FakeService, run_fake_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

Call = Callable[..., Awaitable[Any]]

BEGAN = 1_764_417_600.25
"""A segment's beginning, with a part of a second that binary fractions hold."""


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


# ---- what is fetched


def segment(number: int, *, seconds: int = 60, every: int = 1, **given: Any) -> dict[str, Any]:
    """One of a minute, a fragment of a kilobyte each second, each `every`-th of which begins with a keyframe."""
    fragments = [[800 + 1000 * at, 1000, 1000 * at, 1000, int(at % every == 0)] for at in range(seconds)]
    began = BEGAN + 60 * number
    known = {
        "id": f"{number:04}",
        "began_at": began,
        "ended_at": began + seconds,
        "codec": "h264",
        "follows": number > 0,
    }
    return known | {"fragments": fragments} | given


MISSING = """
  const reel = new m.Reel();
  reel.take(a.segments);
  const piece = reel.missing(a.at, a.ahead, a.buffered);
  return piece && [piece.segment.id, piece.offset, piece.size, piece.from, piece.to];
"""


@pytest.mark.parametrize(
    ("at", "buffered", "piece"),
    [
        (10.5, [], ["0000", 10_800, 1000, 10, 11]),  # as little as shows a picture
        (10.5, [[10, 11]], ["0000", 11_800, 4000, 11, 15]),  # what follows, in pieces that are worth a request
        (10.5, [[10, 15], [17, 18]], ["0000", 15_800, 4000, 15, 19]),
        (10.5, [[10, 23]], None),
        (59.5, [[59, 60]], ["0001", 800, 4000, 60, 64]),  # over the end of a file
        (119.5, [[100, 120]], None),  # over the end of what is recorded
        (-5, [], ["0000", 800, 4000, 0, 4]),  # before its beginning, which is near
        (300, [], None),
    ],
)
async def test_what_is_missing_is_fetched(call: Call, at: float, buffered: Any, piece: Any) -> None:
    """The next bytes are those of the picture that is wanted, then what follows it without being there yet."""
    given = {
        "segments": [segment(1), segment(0)],
        "at": BEGAN + at,
        "ahead": 12,
        "buffered": [[BEGAN + begin, BEGAN + end] for begin, end in buffered],
    }
    found = await call("reel.js", MISSING, given)
    assert found == (piece and [*piece[:3], BEGAN + piece[3], BEGAN + piece[4]])


async def test_decoding_begins_with_a_keyframe(call: Call) -> None:
    """Of fragments that begin with none, all from the last that does are fetched, up to the picture that is wanted."""
    given = {"segments": [segment(0, every=10)], "at": BEGAN + 17.5, "ahead": 12, "buffered": []}
    assert await call("reel.js", MISSING, given) == ["0000", 10_800, 8000, BEGAN + 10, BEGAN + 18]


async def test_a_segment_that_grows_is_known_as_it_is_now(call: Call) -> None:
    """What the index says later counts, and what is still written ends with its last fragment."""
    body = """
      const reel = new m.Reel();
      reel.take([a[0]]);
      const before = [m.endOf(a[0]), reel.isGrowing];
      reel.take([a[1]]);
      return [before, [m.endOf(reel.at(a[0].began_at)), reel.isGrowing, reel.at(a[1].ended_at)?.id ?? null]];
    """
    found = await call("reel.js", body, [segment(0, seconds=5, ended_at=None), segment(0, seconds=9)])
    assert found == [[BEGAN + 5, True], [BEGAN + 9, False, None]]


async def test_where_files_meet_there_is_one_picture(call: Call) -> None:
    """The moment at which one file ends and the next begins is the next one's, however it was rounded."""
    body = "const reel = new m.Reel(); reel.take(a[0]); return a[1].map((at) => reel.at(at)?.id ?? null)"
    files = [segment(0), segment(1), segment(3)]
    times = [BEGAN + 60 - 0.01, BEGAN + 60 - 1e-6, BEGAN + 60, BEGAN + 119, BEGAN + 121, BEGAN + 180]
    assert await call("reel.js", body, [files, times]) == ["0000", "0001", "0001", "0001", None, "0003"]


# ---- which picture is shown


def fragmented(path: Path, *, ticks: int) -> tuple[bytes, bytes, list[int]]:
    """A clip in fragments as a recorder writes it: what stands before them, they themselves, its pictures' times."""
    options = {"movflags": "+frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets"}
    written = io.BytesIO()
    times = []
    with av.open(str(path)) as clip, av.open(written, "w", format="mp4", options=options) as container:
        [source] = clip.streams.video
        stream = container.add_stream_from_template(source)
        stream.time_base = Fraction(1, ticks)
        for packet in clip.demux(source):
            if packet.pts is None or packet.time_base is None:
                continue
            times.append(round(packet.pts * packet.time_base * 1_000_000))
            packet.stream = stream
            container.mux(packet)
    data = written.getvalue()
    begin = data.index(b"moof") - 4
    return data[:begin], data[begin:], sorted(times)


@pytest.mark.parametrize(
    ("b_frames", "fps", "ticks"), [(0, 30, 1_000_000), (2, 25, 1_000_000), (2, Fraction(30_000, 1001), 90_000)]
)
async def test_pictures_are_where_the_file_says(
    call: Call, tmp_path: Path, b_frames: int, fps: int | Fraction, ticks: int
) -> None:
    """The times read out of a file's fragments are those of its pictures, in the order they are shown."""
    clip = make_clip(tmp_path / "clip.mp4", fps=fps, seconds=2, gop=20, b_frames=b_frames)
    init, fragments, times = fragmented(clip, ticks=ticks)
    body = """
      const track = m.pictureTrack(new Uint8Array(a[0]));
      return m.pictureTimes(new Uint8Array(a[1]), track).map(([time]) => time);
    """
    found = await call("picture_times.js", body, [[*init], [*fragments]])
    assert found == pytest.approx(times, abs=12)  # half a tick of 90 kHz


async def test_bytes_that_are_no_film_have_no_pictures(call: Call) -> None:
    """What is cut off or nonsense gives no times, and no error."""
    body = """
      const track = { track: 1, timescale: 1000 };
      return [m.pictureTrack(new Uint8Array(a)), m.pictureTimes(new Uint8Array(a), track)];
    """
    for nonsense in ([], [0, 0, 0, 7], [0, 0, 0, 1, *b"moof"], [0, 0, 9, 9, *b"moof", 0, 0], [0, 0, 0, 0, *b"moov"]):
        assert await call("picture_times.js", body, nonsense) == [None, []]


# ---- its boxes


def columns(samples: dict[int, list[tuple[int, float]]]) -> dict[str, Any]:
    """Samples by microsecond, each a list of (tracker, left edge) of boxes of a hundred pixels."""
    boxes = [box for sample in samples.values() for box in sample]
    return {
        "width": 1280,
        "height": 720,
        "classes": [{"label": "insulator", "class_id": 1}],
        "times_us": list(samples),
        "counts": [len(sample) for sample in samples.values()],
        "class_index": [0 for _ in boxes],
        "scores": [0.9 for _ in boxes],
        "boxes": [edge for _, left in boxes for edge in (left, 0, left + 100, 100)],
        "tracker_ids": [tracker for tracker, _ in boxes],
    }


AT = """
  const boxes = new m.RecordedBoxes();
  for (const [id, columns] of Object.entries(a.columns)) boxes.take(id, columns);
  const lefts = (us) => boxes.at(a.segment, us, a.around ?? {}).map(({ edges, tracker_id }) => [tracker_id, edges[0]]);
  return a.times.map(lefts);
"""


async def test_a_picture_that_the_model_saw_has_its_own_boxes(call: Call) -> None:
    """Where a sample has the picture's time there are exactly its boxes; in between things are on their way."""
    given = {
        "columns": {"0000": columns({0: [(1, 0), (2, 500)], 200_000: [(1, 100)], 400_000: [], 600_000: [(3, 7)]})},
        "segment": segment(0),
        "times": [0, 300, 50_000, 199_700, 200_000, 300_000, 400_000, 500_000, 600_001],
    }
    assert await call("recorded_boxes.js", AT, given) == [
        [[1, 0], [2, 500]],
        [[1, 0], [2, 500]],  # rounded
        [[1, 25], [2, 500]],  # halfway between two answers; what is not in the next stays until that
        [[1, 100]],
        [[1, 100]],
        [[1, 100]],
        [],
        [],
        [[3, 7]],
    ]


async def test_without_a_new_answer_boxes_do_not_stay(call: Call) -> None:
    """Where the model was away its last boxes end as they do live: after one and a half intervals and 0.3 s."""
    given = {
        "columns": {"0000": columns({0: [(1, 0)], 200_000: [(1, 0)], 400_000: [(1, 0)], 5_000_000: [(1, 90)]})},
        "segment": segment(0),
        "times": [1_000_000, 1_001_000, 4_999_500, 5_600_000, 5_601_000],
    }
    assert await call("recorded_boxes.js", AT, given) == [[[1, 0]], [], [[1, 90]], [[1, 90]], []]


async def test_boxes_go_on_from_file_to_file(call: Call) -> None:
    """A picture between the last sample of one file and the first of the next has boxes on their way too."""
    given = {
        "columns": {
            "0000": columns({0: [], 59_900_000: [(1, 0)]}),
            "0001": columns({100_000: [(1, 100)], 300_000: []}),
        },
        "segment": segment(1),
        "around": {"last": segment(0)},
        "times": [0, 50_000, 100_000],
    }
    assert await call("recorded_boxes.js", AT, given) == [[[1, 50]], [[1, 75]], [[1, 100]]]
    given |= {"segment": segment(0), "around": {"next": segment(1)}, "times": [59_950_000]}
    assert await call("recorded_boxes.js", AT, given) == [[[1, 25]]]
    given |= {"segment": segment(1, follows=False), "around": {"last": segment(0)}, "times": [50_000]}
    assert await call("recorded_boxes.js", AT, given) == [[]]


async def test_measures_are_those_of_live_boxes(call: Call) -> None:
    """Lines and words are as thick as streamer/view/annotator.py draws them on live pictures."""
    body = "return a.map((height) => { const { line, text, row } = m.measuresOf(height); return [line, text, row]; })"
    found = await call("box_paint.js", body, [240, 480, 720, 1080, 2160])
    assert found == [[2, 12, 18], [2, 12, 18], [4, 18, 27], [4, 28, 42], [10, 56, 84]]


# ---- a day's line


WHOLE = [1_764_342_000, 1_764_428_400]
"""A day of the viewer's."""


async def test_zooming_holds_what_is_pointed_at(call: Call) -> None:
    """The moment under the pointer stays under it, and neither more than the day nor less than seconds is shown."""
    body = """
      const share = m.shareOf(m.zoomed(a, 4, a[0] + 30_000, a), a[0] + 30_000);
      const out = m.zoomed(m.zoomed(a, 4, a[0] + 30_000, a), 0.1, a[0] + 40_000, a);
      const [from, to] = m.zoomed(a, 1e9, a[0] + 30_000, a);
      return [share, out, to - from, m.moved([a[0], a[0] + 100], -5, a), m.moved([a[1] - 100, a[1]], 50, a)];
    """
    first, last = WHOLE
    share, out, least, earlier, later = await call("time_axis.js", body, WHOLE)
    assert share == pytest.approx(30_000 / 86_400)
    assert out == WHOLE
    assert least == pytest.approx(10)
    assert (earlier, later) == ([first, first + 100], [last - 100, last])


async def test_a_day_opens_with_what_there_is(call: Call) -> None:
    """Of a day with minutes of video these are shown, with some around them; of one with much of it the whole."""
    body = "return a.map((spans) => m.worth(spans.map(([from, to]) => ({ from, to })), [0, 86400]))"
    found = await call("time_axis.js", body, [[], [[0, 50_000]], [[36_000, 36_060]], [[3600, 3700], [10_800, 13_600]]])
    assert found == [[0, 86_400], [0, 86_400], [35_880, 36_180], [2800, 14_400]]


async def test_two_fingers_keep_what_they_hold(call: Call) -> None:
    """What each finger came down on is under it wherever it goes, as far as the day goes."""
    body = """
      const next = m.pinched(a, [0.4, 0.6], [0.2, 0.7], a);
      const held = [0.4, 0.6].map((share) => m.shareOf(next, m.momentAt(a, share)));
      return [held, m.pinched(a, [0.5, 0.5], [0.5, 0.5], a)];
    """
    held, still = await call("time_axis.js", body, WHOLE)
    assert held == pytest.approx([0.2, 0.7])
    assert still == WHOLE


@pytest.mark.parametrize(
    ("seconds", "texts"),
    [
        (86_400, ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "00:00"]),
        (3600, ["00:00", "00:10", "00:20", "00:30", "00:40", "00:50", "01:00"]),
        (
            40,
            [
                "00:00:00",
                "00:00:05",
                "00:00:10",
                "00:00:15",
                "00:00:20",
                "00:00:25",
                "00:00:30",
                "00:00:35",
                "00:00:40",
            ],
        ),
    ],
)
async def test_ticks_are_even_times_of_the_clock_on_the_wall(call: Call, seconds: int, texts: list[str]) -> None:
    """Whatever is zoomed to, moments that are named are round ones of the viewer's clock, and do not crowd."""
    body = "return m.ticks(a, 700).filter(({ isMain }) => isMain).map(({ text }) => text)"
    assert await call("time_axis.js", body, [WHOLE[0], WHOLE[0] + seconds]) == texts


async def test_a_moment_has_an_address(call: Call) -> None:
    """The address of a stream and a moment means the same when it is opened; one beside itself is not shown twice."""
    body = """
      const place = { stream: "a & b", beside: "gate", at: 1764417600.125, playing: true };
      const twice = m.readRecorded("+recordings?stream=gate&beside=gate&at=yesterday");
      const back = m.readRecorded(m.recordedAddress(place).slice(1));
      return [back, twice, m.isRecordings("+recordings?x"), m.isRecordings("+r")];
    """
    back, twice, here, elsewhere = await call("recorded_place.js", body)
    assert back == {"stream": "a & b", "beside": "gate", "at": 1764417600.125, "playing": True}
    assert twice == {"stream": "gate", "beside": "", "at": None, "playing": False}
    assert (here, elsewhere) == (True, False)
