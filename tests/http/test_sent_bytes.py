"""streamer.http.sent_bytes: what people send has a limit together, and who sends for longest gives way."""

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.http.sent_bytes import SentBytes, Share
from streamer.values.errors import Overloaded


def coming(stack: ExitStack, of: SentBytes, stopped: list[Share] | None = None) -> Share:
    """One of whom there is more to come; `stopped`: is told when he is sent away."""
    share = stack.enter_context(of.share())
    stack.enter_context(share.coming(lambda: None if stopped is None else stopped.append(share)))
    return share


@given(
    st.integers(1, 100),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60), st.booleans()), max_size=40),
)
def test_no_more_is_held_than_may_be(limit: int, steps: list[tuple[int, int, bool]]) -> None:
    """Whoever takes how much in which order: together they hold no more, and who was sent away holds nothing."""
    of = SentBytes(limit)
    with ExitStack() as stack:
        shares = [stack.enter_context(of.share()) for _ in range(6)]
        for number, count, is_coming in steps:
            if is_coming and not shares[number].gave_way:
                stack.enter_context(shares[number].coming(lambda: None))
            before = [share.held for share in shares]
            try:
                shares[number].take(count)
            except Overloaded:
                assert [share.held for share in shares] == before  # in vain nobody is sent away
            assert of.held == sum(share.held for share in shares) <= limit
            assert not any(share.held for share in shares if share.gave_way)
    assert of.held == 0


def test_the_first_gives_way_and_no_more_than_need_to() -> None:
    """Room is made by the one that began first; the next stays where that is enough."""
    of, stopped = SentBytes(100), list[Share]()
    with ExitStack() as stack:
        first, second, third = (coming(stack, of, stopped) for _ in range(3))
        first.take(40)
        second.take(40)
        third.take(50)
        assert stopped == [first]
        assert (first.held, second.held, third.held) == (0, 40, 50)
        with pytest.raises(Overloaded, match="its room is needed"):
            first.take(1)


def test_what_has_come_as_a_whole_and_who_came_later_stay() -> None:
    """Nobody is sent away for one that began before him, nor once all of his has come."""
    of, stopped = SentBytes(100), list[Share]()
    with ExitStack() as stack:
        whole = stack.enter_context(of.share())
        whole.take(60)
        earlier, later = (coming(stack, of, stopped) for _ in range(2))
        later.take(30)
        with pytest.raises(Overloaded, match="as much as may be"):
            earlier.take(30)
        assert (stopped, of.held) == ([], 90)
