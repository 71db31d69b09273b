"""Streams of other replicas, as who tells a broker knows them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.outlets.news import StreamNews
from streamer.outlets.news_elsewhere import NOBODY, PAUSED, SETTLING, STALE, NewsElsewhere, document_of, news_from
from streamer.values.state import STREAM_STATES, StreamState
from tests.peers.clock import FakeClock

COUNTS = st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=3)
NEWS = st.builds(
    StreamNews,
    st.text(min_size=1, max_size=5),
    st.builds(StreamState, st.sampled_from(STREAM_STATES), st.none() | st.text(max_size=5)),
    COUNTS,
    st.dictionaries(st.text(max_size=5), COUNTS, max_size=3),
    st.lists(st.text(max_size=5), max_size=3).map(tuple),
)


@given(NEWS)
def test_what_is_said_comes_back_as_it_was(news: StreamNews) -> None:
    """Through JSON."""
    assert news_from(json.loads(json.dumps(document_of(news)))) == news


@pytest.mark.parametrize(
    "wrong",
    [{"state": "dancing"}, {"stream": 1}, {"things": {"a": "b"}}, {"things": None}, {"zones": []}, {"labels": "abc"}],
)
def test_what_is_no_news_is_none(wrong: dict[str, Any]) -> None:
    """Of another version, or of somebody else."""
    document = document_of(StreamNews("road", StreamState("live")))
    assert news_from(document) is not None
    assert news_from(document | wrong) is None


def live(name: str) -> StreamNews:
    return StreamNews(name, StreamState("live"), {"bird": 1}, labels=("bird",))


def test_all_streams_are_there_once_all_replicas_have_spoken() -> None:
    """Before that nobody can say: a broker would take those that are not there for gone."""
    clock = FakeClock()
    elsewhere = NewsElsewhere(lambda: ["here", "there", "none"], clock)
    assert elsewhere.streams([live("here")]) is None
    elsewhere.heard(document_of(live("there")))
    assert elsewhere.streams([live("here")]) is None
    clock.advance(PAUSED)
    assert elsewhere.streams([live("here")]) is None
    clock.advance(PAUSED)
    assert clock() - 1000 >= SETTLING
    gone = StreamNews("there", NOBODY, labels=("bird",))
    assert elsewhere.streams([live("here")]) == [live("here"), StreamNews("none", NOBODY), gone]
    elsewhere.heard(document_of(live("there")))
    assert elsewhere.streams([live("here")]) == [live("here"), live("there"), StreamNews("none", NOBODY)]


def test_a_stream_that_nobody_runs_for_a_while_is_offline_and_not_gone() -> None:
    """And gone once the replicas share it no more; who begins to ask anew waits for all again."""
    clock, names = FakeClock(), ["road"]
    elsewhere = NewsElsewhere(lambda: names, clock)
    elsewhere.heard(document_of(live("road")))
    assert elsewhere.streams([]) == [live("road")]
    found: object = None
    for _ in range(round(STALE)):
        clock.advance(1)
        found = elsewhere.streams([])
    assert found == [StreamNews("road", NOBODY, labels=("bird",))]
    names.clear()
    assert elsewhere.streams([]) == []
    names.append("road")
    clock.advance(PAUSED + 1)
    assert elsewhere.streams([]) is None
