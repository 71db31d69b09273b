"""streamer.webrtc.retransmissions: what is sent again to one viewer."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.webrtc.retransmissions import MAX_AGAIN, MAX_SAVED, Retransmissions

NUMBERS = st.lists(st.integers(0, 40) | st.integers(0, 65535), max_size=300)


@given(reports=st.lists(st.lists(NUMBERS, max_size=4), max_size=4))
def test_a_report_is_obeyed_once_and_so_far(reports: list[list[list[int]]]) -> None:
    """Of all NACKs in one report each number counts once, the first ones first, up to a limit; the next begins anew."""
    account = Retransmissions()
    for nacks in reports:
        account.begin_report()
        taken = [number for nack in nacks for number in account.read(nack)]
        wanted = dict.fromkeys(number for nack in nacks for number in nack)
        assert taken == list(wanted)[:MAX_AGAIN]
    asked = sum(len(nack) for nacks in reports for nack in nacks)
    obeyed = sum(min(MAX_AGAIN, len({number for nack in nacks for number in nack})) for nacks in reports)
    assert account.refused == asked - obeyed


@given(steps=st.lists(st.tuples(st.integers(0, 60_000), st.integers(1, 1300)), max_size=60))
def test_no_more_goes_again_than_went(steps: list[tuple[int, int]]) -> None:
    """Over any time, bytes sent again are at most those sent for the first time and what had been saved before."""
    account, outcomes = Retransmissions(), list[tuple[int, int]]()
    for earned, size in steps:
        account.earn(earned)
        outcomes.append((earned, size if account.pay(size) else 0))
    for begin in range(len(outcomes)):
        window = outcomes[begin:]
        assert sum(paid for _, paid in window) <= MAX_SAVED + sum(earned for earned, _ in window)
    assert sum(paid for _, paid in outcomes) <= sum(earned for earned, _ in outcomes)
    assert account.sent == sum(paid > 0 for _, paid in outcomes)
    assert account.refused == len(steps) - account.sent
