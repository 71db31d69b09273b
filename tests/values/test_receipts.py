"""streamer.values.receipts: what a viewer may say he has seen."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.values.receipts import AT_ONCE, DISBELIEFS, LATEST, MOST, REPORTS, SLACK, Receipt, Receipts

SENT_AT = 100.0
NOW = 130.0


def sent(*identities: int) -> Receipts:
    """A viewer's who was sent these, each at SENT_AT."""
    receipts = Receipts()
    for identity in identities:
        receipts.sent(identity, identity * 10, SENT_AT)
    return receipts


def test_what_was_seen_is_believed_once() -> None:
    """A picture that was sent may be reported, with its own pts; a second time it is unknown."""
    receipts = sent(7)
    assert receipts.take(7, 100.1, 100.2, now=NOW) == Receipt(70, SENT_AT, 100.1, 100.2)
    assert receipts.take(7, 100.1, 100.2, now=NOW) == "unknown"
    assert receipts.take(8, 100.1, 100.2, now=NOW) == "unknown"


def test_a_name_of_two_pictures_names_none() -> None:
    """As of a camera's two videos, whose clocks are alike by chance: one is not taken for the other."""
    receipts = sent(7)
    receipts.sent(7, 71, SENT_AT + 1)
    receipts.sent(7, 70, SENT_AT + 2)
    assert receipts.take(7, None, SENT_AT + 3, now=NOW) == "unknown"
    receipts.sent(7, 71, SENT_AT + 4)
    assert receipts.take(7, None, SENT_AT + 5, now=NOW) == Receipt(71, SENT_AT + 4, None, SENT_AT + 5)


@pytest.mark.parametrize(
    ("painted_at", "now", "why"),
    [
        (SENT_AT - SLACK - 0.01, NOW, "early"),
        (SENT_AT + LATEST + 0.01, NOW, "late"),
        (SENT_AT + 1 + SLACK + 0.01, SENT_AT + 1, "future"),
        (math.nan, NOW, "early"),
        (math.inf, NOW, "late"),
        (-math.inf, NOW, "early"),
    ],
)
def test_what_cannot_be_is_not_believed(painted_at: float, now: float, why: str) -> None:
    """Seen before it was sent, long after, or after now: said why, and said for good."""
    receipts = sent(7)
    assert receipts.take(7, None, painted_at, now=now) == why
    assert receipts.take(7, None, SENT_AT + 0.1, now=now) == "unknown"


def test_clocks_may_disagree_by_what_is_known_of_them() -> None:
    """A little before it was sent counts as then: by so much the clocks may differ."""
    found = sent(7).take(7, SENT_AT - 1, SENT_AT - 0.04, now=NOW, slack=0.03)
    assert found == Receipt(70, SENT_AT, SENT_AT, SENT_AT)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 20),
            st.none() | st.floats(),
            st.floats() | st.floats(min_value=SENT_AT - 1, max_value=NOW),
            st.floats(min_value=0, max_value=0.5),
        ),
        max_size=60,
    )
)
def test_no_report_says_what_cannot_be(reports: list[tuple[int, Any, float, float]]) -> None:
    """Whatever is reported: at most one receipt a picture, its times in order and within bounds, or why not."""
    receipts, seen = sent(*range(10)), set[object]()
    for identity, received_at, painted_at, slack in reports:
        found = receipts.take(identity, received_at, painted_at, now=NOW, slack=slack)
        if not isinstance(found, Receipt):
            assert found in DISBELIEFS
            continue
        assert found.picture not in seen
        seen.add(found.picture)
        assert SENT_AT <= found.painted_at <= SENT_AT + LATEST
        assert found.received_at is None or found.sent_at <= found.received_at <= found.painted_at


def test_a_viewer_who_reports_nothing_costs_no_more_than_the_newest() -> None:
    """The oldest are forgotten."""
    receipts = sent(*range(MOST + 50))
    assert len(receipts) == MOST
    assert receipts.take(49, None, SENT_AT, now=NOW) == "unknown"
    assert isinstance(receipts.take(50, None, SENT_AT, now=NOW), Receipt)


def test_reports_are_as_many_as_may_be() -> None:
    """So many at once, and one a second; a clock that stands still gives none."""
    receipts = Receipts(SENT_AT)
    assert sum(receipts.may_report(SENT_AT) for _ in range(50)) == AT_ONCE
    assert receipts.may_report(SENT_AT + 1 / REPORTS)
    assert not receipts.may_report(SENT_AT + 1 / REPORTS)
    assert sum(receipts.may_report(SENT_AT + 1000) for _ in range(50)) == AT_ONCE
