"""streamer.cluster.rebalancing: which stream moves where some own too many."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from streamer.cluster.member import Member
from streamer.cluster.rebalancing import next_move
from streamer.cluster.shared import SharedStream
from tests.cluster.crowd import by_id, crowds, many_streams, member, streams


@given(many_streams(), crowds(), st.data())
def test_moving_comes_to_an_end(shared: list[SharedStream], members: dict[str, Member], data: st.DataObject) -> None:
    """From wherever it begins; no stream moves farther from its labels, and none moves twice between the same two."""
    keys = st.sampled_from(sorted(members))
    owners = {stream.name: data.draw(keys) for stream in shared}
    by_name, seen = {stream.name: stream for stream in shared}, set()
    while (move := next_move(shared, members, owners)) is not None:
        stream = by_name[move.stream]
        assert owners[move.stream] == move.giver
        assert stream.nearness(members[move.taker]) >= stream.nearness(members[move.giver])
        owners[move.stream] = move.taker
        state = tuple(sorted(owners.items()))
        assert state not in seen
        seen.add(state)


@given(st.integers(0, 60), st.integers(1, 5))
def test_without_labels_it_ends_in_balance(count: int, others: int) -> None:
    """Members of one capacity are a fifth above their share at the most, or one stream above another."""
    members = by_id(*(member(f"m{n}") for n in range(others + 1)))
    owners = dict.fromkeys((stream.name for stream in streams(count)), "m0-00000000")
    while (move := next_move(streams(count), members, owners)) is not None:
        owners[move.stream] = move.taker
    counts = [Counter(owners.values())[key] for key in members]
    assert max(counts) <= 1.2 * count / len(members) or max(counts) - min(counts) <= 1


def test_a_fifth_too_many_is_borne() -> None:
    """Six of ten is a fifth above the share, seven is more."""
    members = by_id(member("a"), member("b"))
    a, b = members
    assert next_move(streams(10), members, {f"cam{n}": a if n < 6 else b for n in range(10)}) is None
    move = next_move(streams(10), members, {f"cam{n}": a if n < 7 else b for n in range(10)})
    assert move is not None
    assert (move.giver, move.taker) == (a, b)


def test_nothing_moves_while_a_stream_has_no_owner() -> None:
    """First everything has pictures again."""
    members = by_id(member("a"), member("b"))
    a, _ = members
    owners = {f"cam{n}": a for n in range(10)}
    assert next_move(streams(10), members, owners) is not None
    assert next_move(streams(11), members, owners) is None
    assert next_move(streams(10), members, owners | {"cam3": "dead-00000000"}) is None
