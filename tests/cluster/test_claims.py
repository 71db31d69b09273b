"""streamer.cluster.claims: who owns what, by the newest epoch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.cluster.claims import Claim, Claims, owner_of, record_of
from streamer.cluster.member import Unreadable


@given(st.permutations([Claim("cam", owner, epoch) for epoch, owner in enumerate(("a", "b", None, "a", "c"), 1)]))
def test_the_newest_epoch_is_right_in_whatever_order_it_is_heard(told: list[Claim]) -> None:
    """What an older epoch says later is not listened to."""
    claims, newest = Claims(), 0
    for claim in told:
        assert claims.heard(claim) == (claim.epoch > newest)
        newest = max(newest, claim.epoch)
    assert claims.of("cam") == Claim("cam", "c", 5)


def test_what_was_given_up_has_no_owner_and_an_epoch() -> None:
    """Whoever claims it next replaces that revision."""
    claims = Claims()
    claims.heard(Claim("cam", "a", 3))
    claims.heard(Claim("cam", None, 4))
    assert claims.owners() == {}
    assert claims.of("cam") == Claim("cam", None, 4)


@given(st.text(min_size=1))
def test_a_record_is_read_as_it_was_written(owner: str) -> None:
    """Whatever the owner is called."""
    assert owner_of(record_of(owner)) == owner


@given(
    st.one_of(
        st.binary(max_size=60), st.sampled_from([b"[" * 9999, b'{"owner":3}', b'{"owner":""}', b"[]", b'"owner"'])
    )
)
def test_what_is_no_record_is_unreadable(record: bytes) -> None:
    """And nothing else happens."""
    with pytest.raises(Unreadable):
        owner_of(record)
