"""The modules of the page of alerts that have no DOM, in the browser they are written for."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from streamer.config.alerts import AlertSettings
from streamer.values.name import NAME
from tests.peers.chromium import connect
from tests.web.peers import FakeService, run_fake_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

Call = Callable[..., Awaitable[Any]]
T = TypeVar("T")

ANY: dict[str, Any] = AlertSettings().model_dump(mode="json")
TEXT = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20)
SECONDS = st.sampled_from([0, 0.5, 10, 60, 300, 86_400, 86_401, -1])
RULES = st.fixed_dictionaries(
    {
        "streams": st.lists(st.sampled_from(["*", "gate", "line-*"]), max_size=2),
        "min_score": st.sampled_from([0, 0.705, 1, 1.01, -0.2]),
        "dwell": SECONDS,
        "cooldown": SECONDS,
        "rule_cooldown": SECONDS,
        "hours": st.lists(st.sampled_from(["22:00-06:00", "-06:00", "24:00-06:00", "22:00-"]), max_size=2),
    }
).map(lambda asked: ANY | asked)


def some(strategy: st.SearchStrategy[T], count: int = 200) -> list[T]:
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


# ---- in words


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "Tells nobody, but notes anything."),
        ({"outlets": ["phone"]}, "Tells phone of anything."),
        (
            {"outlets": ["phone", "mqtt"], "labels": ["insulator", "nest"], "min_score": 0.705, "streams": ["gate"]},
            "Tells phone and mqtt of insulator or nest scored 70.5 % or more on gate.",
        ),
        (
            {"outlets": ["phone"], "zones": ["yard"], "lines": ["fence"], "dwell": 90, "hours": ["22:00-06:00"]},
            "Tells phone of anything that has been in yard for 1 min 30 s or has crossed fence, from 22:00 to 06:00.",
        ),
        (
            {"outlets": ["phone"], "dwell": 3600, "streams": ["a", "b", "line-*"]},
            "Tells phone of anything on a, b or line-* that has been in view for 1 h.",
        ),
        ({"outlets": ["phone"], "lines": ["fence"], "dwell": 10}, "Tells phone of anything that has crossed fence."),
    ],
)
async def test_a_rule_is_said_in_words(call: Call, asked: dict[str, Any], words: str) -> None:
    """All that a rule asks for is in its sentence, and nothing that goes without saying."""
    assert await call("alert_words.js", "return m.ruleInWords(a)", ANY | asked) == words


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "Of the same thing once a minute at most."),
        ({"cooldown": 0}, ""),
        (
            {"cooldown": 0, "rule_cooldown": 300, "tell_end": True},
            "Of anything once in 5 min at most. Tells of its end, too.",
        ),
    ],
)
async def test_how_often_a_rule_speaks_is_said(call: Call, asked: dict[str, Any], words: str) -> None:
    """Cool-downs are said as what comes of them, and not at all where there are none."""
    assert await call("alert_words.js", "return m.cooldownInWords(a)", ANY | asked) == words


# ---- what is written


async def test_what_the_page_takes_is_what_the_configuration_takes(call: Call) -> None:
    """A rule that nothing is said to be wrong with is one that the service takes, and the other way round."""
    examples = some(RULES)
    found = await call("rule_draft.js", "return a.map((rule) => m.amiss('night', rule, []))", examples)
    for rule, amiss in zip(examples, found, strict=True):
        assert set(amiss) == _refused(rule), rule


def _refused(rule: dict[str, Any]) -> set[str]:
    try:
        AlertSettings.model_validate(rule)
    except ValidationError as error:
        return {str(each["loc"][0]) for each in error.errors()}
    return set()


async def test_a_rules_name_is_proposed(call: Call) -> None:
    """Whatever a rule is about, the name that is proposed is a stream's or a rule's allowed one, and no other's."""
    names = st.lists(TEXT, max_size=2)
    examples = some(st.fixed_dictionaries({"labels": names, "zones": names, "streams": names, "lines": names}), 100)
    body = "return a.map((rule) => { const name = m.proposed(rule, []); return [name, m.proposed(rule, [name])]; })"
    for first, second in await call("rule_draft.js", body, examples):
        assert re.fullmatch(NAME, first), first
        assert re.fullmatch(NAME, second), second
        assert first != second


async def test_patterns_cover_what_the_service_says(call: Call) -> None:
    """A pattern of streams fits the names that it fits on the server: no sign but * and ? means more than itself."""
    letters = st.text("ab.-*?+", max_size=6)
    examples = some(st.tuples(letters, st.text("ab.-+", max_size=6)))
    found = await call("rule_choices.js", "return a.map(([pattern, name]) => m.fits(pattern, name))", examples)
    assert found == [fnmatchcase(name, pattern) for pattern, name in examples]


async def test_an_event_begins_a_rule_that_it_meets(call: Call) -> None:
    """The address of a rule like an event has its stream, class, zones and crossed lines, whatever they are called."""
    where = st.lists(TEXT, max_size=2, unique=True)
    examples = some(st.tuples(TEXT, TEXT, where, where), 100)
    events = [
        {
            "stream": stream,
            "label": label,
            "zones": zones,
            "marks": [{"kind": "enter", "where": "else", "at": 1}]
            + [{"kind": "cross", "where": line} for line in lines],
        }
        for stream, label, zones, lines in examples
    ]
    found = await call("alerts_place.js", "return a.map((event) => m.read(m.ruleLike(event).slice(1)))", events)
    for (stream, label, zones, lines), place in zip(examples, found, strict=True):
        assert place["edit"] == ""
        assert place["about"] == {"streams": [stream], "labels": [label], "zones": zones, "lines": lines}
