"""The modules of the zones' editor that have no DOM, in the browser they are written for."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import pytest
import pytest_asyncio
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streamer import config
from streamer.events import shape
from streamer.values.errors import ConfigError
from streamer.values.hours import Hours
from streamer.values.name import NAME
from tests.peers.chromium import connect
from tests.web.peers import FakeService, run_fake_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

Call = Callable[..., Awaitable[Any]]
T = TypeVar("T")

SHARE = st.integers(0, 10_000).map(lambda value: value / 10_000)
POINT = st.tuples(SHARE, SHARE).map(list)
POLYGON = st.lists(POINT, min_size=3, max_size=8)
LINE = st.lists(POINT, min_size=2, max_size=2, unique_by=tuple)
ASPECT = st.sampled_from([9 / 16, 0.75, 1.0, 16 / 9])
ASKS = {
    "anchor": st.just("center"),
    "labels": st.lists(st.text(st.characters(exclude_categories=["C"]), max_size=12), min_size=1, max_size=3),
    "min_score": SHARE.filter(bool),
    "min_size": SHARE.filter(bool),
    "hours": st.lists(st.sampled_from(["22:00-06:00", "09:30-17:00"]), min_size=1, max_size=2),
}
NAMED = st.from_regex(NAME, fullmatch=True) | st.sampled_from(["on", "No", "null", "12", "1e5", "0x1F", "007", "a-b"])


def named(points: st.SearchStrategy[Any], **asks: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Some places of one kind, by name."""
    place = st.fixed_dictionaries({"points": points}, optional={**ASKS, **asks})
    return st.dictionaries(NAMED, place, max_size=3)


PLACES = st.fixed_dictionaries(
    {
        "zones": named(POLYGON, dwell=st.sampled_from([0.5, 10.0])),
        "lines": named(LINE),
        "masks": st.lists(POLYGON, max_size=2),
    }
)


def some(strategy: st.SearchStrategy[T], count: int = 100) -> list[T]:
    """As many examples, the same in every run: a browser is asked about all of them at once."""
    made: list[T] = []

    @settings(max_examples=count, phases=[Phase.generate], database=None)
    @given(strategy)
    def make(example: T) -> None:
        made.append(example)

    make()
    return made


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


# ---- geometry


def scaled(points: list[list[float]], aspect: float) -> tuple[tuple[float, float], ...]:
    """As the service has them."""
    return shape.scaled([(x, y) for x, y in points], aspect)


async def test_what_is_moved_keeps_its_shape_and_stays_in_the_picture(call: Call) -> None:
    """However far a polygon is pushed, all its points move by the same, as far as the picture reaches."""
    moved = st.tuples(POLYGON, st.floats(-2, 2), st.floats(-2, 2))
    examples = some(moved)
    found = await call("geometry.js", "return a.map(([points, dx, dy]) => m.shifted(points, dx, dy))", examples)
    for (before, dx, dy), after in zip(examples, found, strict=True):
        assert all(0 <= share <= 1 for point in after for share in point)
        for axis, way in ((0, dx), (1, dy)):
            steps = [new[axis] - old[axis] for old, new in zip(before, after, strict=True)]
            assert max(steps) - min(steps) == pytest.approx(0, abs=1e-9)
            assert abs(steps[0]) <= abs(way) + 1e-4


async def test_forward_is_what_the_service_counts_as_forward(call: Call) -> None:
    """Who goes the way that the arrow shows ends up to the right of the line, as streamer.events.shape has it."""
    examples = some(st.tuples(LINE, ASPECT))
    found = await call("geometry.js", "return a.map(([line, aspect]) => m.forward(line, aspect))", examples)
    for (line, aspect), (x, y) in zip(examples, found, strict=True):
        start, end = scaled(line, aspect)
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        assert shape.side(start, end, (middle[0] + x, middle[1] + y)) == pytest.approx(1, abs=1e-6)


async def test_the_nearest_edge_is_the_services(call: Call) -> None:
    """A point's distance from a polygon is that by which the service measures how deep a thing is in it."""
    examples = some(st.tuples(POLYGON, POINT, ASPECT))
    body = "return a.map(([points, at, aspect]) => m.nearest(points, true, at, aspect).distance)"
    found = await call("geometry.js", body, examples)
    for (points, at, aspect), distance in zip(examples, found, strict=True):
        polygon = scaled(points, aspect)
        depth = shape.depth(polygon, scaled([at], aspect)[0])
        assert distance == pytest.approx(abs(depth), abs=1e-6)


@pytest.mark.parametrize(
    ("points", "crosses"),
    [
        ([[0, 0], [1, 0], [1, 1], [0, 1]], False),
        ([[0, 0], [1, 1], [1, 0], [0, 1]], True),
        ([[0, 0], [1, 0], [0.5, 1]], False),
        ([[0, 0], [1, 0], [0.5, 0.2], [1, 1], [0, 1]], False),
        ([[0, 0], [0.6, 0], [0.6, 0.6], [0.3, -0.0], [0.3, 0.6]], False),
        ([[0, 0.5], [1, 0.5], [0.5, 0], [0.5, 1]], True),
    ],
)
async def test_edges_that_cross_are_told(call: Call, points: list[list[float]], crosses: bool) -> None:
    """Edges cross where one leads from one side of the other to its other side; where they touch is no crossing."""
    assert await call("geometry.js", "return m.crossesItself(a)", points) is crosses


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400", "-5"])
async def test_no_point_is_outside_of_the_picture(call: Call, value: str) -> None:
    """Whatever a pointer says, a point is within 0 and 1."""
    x, y = await call("geometry.js", f"return m.within([{value}, 0.5])")
    assert (0 <= x <= 1, y) == (True, 0.5)


# ---- as it is kept


async def test_yaml_is_what_was_drawn(call: Call) -> None:
    """Pasted below a stream's name, what comes out is read as the same zones, lines and masks, whatever their names."""
    examples = some(PLACES)
    found = await call("places_yaml.js", "return a.map(m.yamlOf)", examples)
    for places, text in zip(examples, found, strict=True):
        document = yaml.safe_load(f"streams:\n  gate:\n    url: rtsp://camera/\n{text}")["streams"]["gate"]
        assert document == {"url": "rtsp://camera/"} | {key: value for key, value in places.items() if value}
        config.parse_stream("gate", document)


async def test_what_is_read_and_not_changed_is_the_same(call: Call) -> None:
    """Places that are made shapes and places again say the same, and nothing that goes without saying."""
    examples = some(PLACES)
    whole = [
        config.parse_stream("gate", {"url": "rtsp://camera/", **places}).model_dump(include={"zones", "lines", "masks"})
        for places in examples
    ]
    found = await call("places.js", "return a.map((places) => m.placesOf(m.shapesOf(places)))", whole)
    for places, again in zip(examples, found, strict=True):
        assert {key: _said(places[key]) for key in places} == again


def _said(places: Any) -> Any:
    if not isinstance(places, dict):
        return places
    return {name: {key: value for key, value in place.items() if value != []} for name, place in places.items()}


def zone(name: str = "yard", **asks: Any) -> dict[str, Any]:
    """A shape."""
    anything = {"anchor": "bottom", "labels": [], "min_score": 0, "min_size": 0, "max_size": 1, "hours": []}
    points = [[0, 0], [1, 0], [1, 1]]
    return {"id": 1, "kind": "zone", "name": name, "points": points, "asks": {**anything, "dwell": None, **asks}}


@pytest.mark.parametrize(
    ("shape", "field"),
    [
        (zone(), None),
        (zone(""), "name"),
        (zone("<b>yard</b>"), "name"),
        (zone("a yard"), "name"),
        (zone("x" * 65), "name"),
        (zone(dwell=0), "dwell"),
        (zone(dwell=10), None),
        (zone(dwell=1e9), "dwell"),
        (zone(min_score=1.5), "min_score"),
        (zone(min_size=0.5, max_size=0.1), "max_size"),
        (zone(hours=["22:00-06:00"]), None),
        (zone(hours=["22:00-"]), "hours"),
        (zone(hours=["24:00-06:00"]), "hours"),
        ({**zone("kerb"), "kind": "line", "points": [[0.5, 0.5], [0.5, 0.5]]}, "points"),
        ({**zone(""), "kind": "mask"}, None),
    ],
)
async def test_what_is_amiss_is_told_at_its_field(call: Call, shape: dict[str, Any], field: str | None) -> None:
    """What the server would refuse is told before it is asked, at the field it is about."""
    found = await call("places.js", "return Object.keys(m.amiss(a, [a]))", shape)
    assert found == ([] if field is None else [field])


async def test_two_of_one_name_are_amiss(call: Call) -> None:
    """A zone may be called as a line is, and not as another zone."""
    body = "return a[1].map((other) => Object.keys(m.amiss(a[0], [a[0], other])))"
    others = [{**zone(), "id": 2}, {**zone(), "id": 2, "kind": "line"}]
    assert await call("places.js", body, [zone(), others]) == [["name"], []]


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("Zones.yard.points.2.1: 1.5 is not allowed.", 1),
        ("zones.yard: is too long", 1),
        ("zones.yard.b.hours.0: no", 2),
        ("masks.1.0: no", 4),
        ("lines.yard.points: no", None),
        ("the server is stopping", None),
    ],
)
async def test_a_refusal_is_about_one_shape(call: Call, sentence: str, found: int | None) -> None:
    """The key that a sentence of the server begins with leads to the shape; what names none leads nowhere."""
    masks = [{**zone(""), "kind": "mask", "id": number} for number in (3, 4)]
    shapes = [zone(), {**zone("yard.b"), "id": 2}, *masks]
    assert await call("places.js", "return m.culprit(a[0], a[1])?.id ?? null", [sentence, shapes]) == found


async def test_hours_are_those_of_the_service(call: Call) -> None:
    """A span that the page lets through is one that the service reads."""
    spans = some(st.from_regex(r"[0-9]{1,2}:[0-9]{1,2}-[0-9]{1,2}:[0-9]{2}", fullmatch=True) | st.just("22:00-06:00"))
    shapes = [zone(hours=[span]) for span in spans]
    found = await call("places.js", "return a.map((shape) => !m.amiss(shape, [shape]).hours)", shapes)
    assert True in found
    for span, right in zip(spans, found, strict=True):
        try:
            Hours.parse(span)
        except ConfigError:
            assert not right, span
        else:
            assert right, span


# ---- drawing


DRAWING = """
  const drawing = new m.Drawing();
  drawing.load({ zones: { yard: { points: [[0, 0], [1, 0], [1, 1]] } }, lines: {}, masks: [] });
"""


async def test_every_step_is_taken_back_and_made_again(call: Call) -> None:
    """Undo leads through each change to what was loaded, which is no change, and redo to what was drawn."""
    body = f"""{DRAWING}
    const seen = [JSON.stringify(drawing.places)];
    const steps = [
      () => drawing.add("line", [[0, 0.5], [1, 0.5]]),
      () => drawing.turn(2),
      () => drawing.rename(2, "kerb"),
      () => drawing.movePoint(1, 0, [0.1, 0.1]),
      () => drawing.insertPoint(1, 2),
      () => drawing.ask(1, {{ dwell: 10 }}),
      () => drawing.removePoint(1, 0),
      () => drawing.remove(2),
    ];
    for (const step of steps) {{
      drawing.rest();
      step();
      seen.push(JSON.stringify(drawing.places));
    }}
    const [back, again] = [[], []];
    for (; drawing.canUndo; drawing.undo()) back.unshift(JSON.stringify(drawing.places));
    const clean = !drawing.changed;
    for (; drawing.canRedo; ) drawing.redo(), again.push(JSON.stringify(drawing.places));
    return [new Set(seen).size, String(seen.slice(1)) === String(back), clean, String(again) === String(back)];
    """
    assert await call("drawing.js", body) == [9, True, True, True]


async def test_what_is_dragged_and_typed_is_one_step(call: Call) -> None:
    """A drag is taken back as a whole, and so is a word; what comes after a rest is another step."""
    body = f"""{DRAWING}
    const steps = () => {{ let count = 0; for (; drawing.canUndo; count++) drawing.undo(); return count; }};
    for (const x of [0.1, 0.2, 0.3]) drawing.movePoint(1, 0, [x, 0]);
    for (const name of ["g", "ga", "gat", "gate"]) drawing.rename(1, name);
    const two = steps();
    drawing.movePoint(1, 0, [0.1, 0]);
    drawing.rest();
    drawing.movePoint(1, 0, [0.2, 0]);
    return [two, steps(), drawing.changed];
    """
    assert await call("drawing.js", body) == [2, 2, False]


async def test_shapes_stay_possible(call: Call) -> None:
    """No polygon loses its third point, no line gets a third, and names are given that are free."""
    body = f"""{DRAWING}
    drawing.add("zone", [[0, 0], [1, 0], [1, 1]]);
    drawing.rename(2, "zone-2");
    const names = [3, 4].map(() => drawing.shape(drawing.add("zone", [[0, 0], [1, 0], [1, 1]])).name);
    const line = drawing.add("line", [[0, 0], [1, 1]]);
    let most = 0;
    while (drawing.insertPoint(1, 0) >= 0) most++;
    let zones = 4;
    while (drawing.add("zone", [[0, 0], [1, 0], [1, 1]])) zones++;
    return [names, drawing.removePoint(2, 0), drawing.insertPoint(line, 0), most + 3, zones];
    """
    assert await call("drawing.js", body) == [["zone-1", "zone-3"], False, -1, 100, 50]


@pytest.mark.parametrize(
    ("origin", "may", "expected"),
    [
        ("file", {"operate": True, "change": False}, [True, "file"]),
        ("file", {"operate": False, "change": False}, [False, ""]),
        ("api", {"operate": True, "change": True}, [True, "api"]),
        ("api", {"operate": True, "change": False}, [False, ""]),
        ("api", {"operate": False, "change": False}, [False, ""]),
        ("publisher", {"operate": True, "change": True}, [False, ""]),
    ],
)
async def test_who_may_draw(call: Call, origin: str, may: dict[str, bool], expected: list[Any]) -> None:
    """Who operates draws; it is kept by the API where that may change streams, and else pasted into the file."""
    body = "const { editable, kept } = m.standing({ name: 'a', origin: a[0] }, a[1], true); return [editable, kept]"
    assert await call("zones_standing.js", body, [origin, may]) == expected
