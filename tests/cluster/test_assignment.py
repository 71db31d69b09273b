"""streamer.cluster.assignment: to whom streams belong that nobody owns."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from streamer.cluster.assignment import assign, bound
from streamer.cluster.member import Member
from streamer.cluster.shared import SharedStream
from tests.cluster.crowd import by_id, crowds, many_streams, member, streams


@given(many_streams(), crowds())
def test_every_stream_has_one_owner_within_its_bound(shared: list[SharedStream], members: dict[str, Member]) -> None:
    """Nobody is given more than a quarter above its share by capacity, rounded up."""
    placed = assign(shared, members, {})
    assert set(placed) == {stream.name for stream in shared}
    for owner, count in Counter(placed.values()).items():
        assert count <= bound(members[owner], members.values(), len(shared))


@given(many_streams(), crowds(), st.randoms(use_true_random=False))
def test_every_replica_computes_the_same(shared: list[SharedStream], members: dict[str, Member], dice: Random) -> None:
    """In whatever order it has heard of streams and members."""
    mixed, crowd = dice.sample(shared, len(shared)), dice.sample(sorted(members), len(members))
    assert assign(mixed, {key: members[key] for key in crowd}, {}) == assign(shared, members, {})


@given(many_streams(), crowds(least=2), st.data())
def test_when_a_member_leaves_only_its_own_streams_move(
    shared: list[SharedStream], members: dict[str, Member], data: st.DataObject
) -> None:
    """And nobody who takes them goes above its bound."""
    before = assign(shared, members, {})
    left = data.draw(st.sampled_from(sorted(members)))
    rest = {key: each for key, each in members.items() if key != left}
    after = assign(shared, rest, before)
    assert {name: owner for name, owner in before.items() if owner != left}.items() <= after.items()
    for owner, count in Counter(after.values()).items():
        assert count <= bound(rest[owner], rest.values(), len(shared))


@given(many_streams(), crowds(), st.data())
def test_who_owns_too_many_is_given_no_more(
    shared: list[SharedStream], members: dict[str, Member], data: st.DataObject
) -> None:
    """Whatever was owned before: each stream has an owner, and only those below their bound were given any."""
    keys = st.sampled_from([*sorted(members), "dead-00000000"])
    owners = {stream.name: data.draw(keys) for stream in shared if data.draw(st.booleans())}
    placed = assign(shared, members, owners)
    assert set(placed) == {stream.name for stream in shared}
    kept = Counter(owner for owner in owners.values() if owner in members)
    for owner, count in Counter(placed.values()).items():
        assert count <= max(kept[owner], bound(members[owner], members.values(), len(shared)))


def test_capacity_weighs() -> None:
    """Who carries three times as many is given about three times as many."""
    placed = Counter(assign(streams(400), by_id(member("a", 10), member("b", 30)), {}).values())
    assert 260 <= placed[member("b").id] <= 340


def test_streams_stay_near() -> None:
    """Where labels say so and there is room, whatever the dice say."""
    members = by_id(member("a", site="north"), member("b", site="south"))
    shared = [SharedStream(f"cam{n}", {"site": ("north", "south")[n % 2]}) for n in range(40)]
    placed = assign(shared, members, {})
    assert all(members[placed[stream.name]].labels == stream.labels for stream in shared)


def test_a_restart_changes_no_preference() -> None:
    """The dice know a member's name, and not which life of it this is."""
    before = assign(streams(40), by_id(member("a"), member("b")), {})
    after = assign(streams(40), by_id(member("a", life="11111111"), member("b")), {})
    assert [owner.partition("-")[0] for owner in before.values()] == [o.partition("-")[0] for o in after.values()]


def test_without_members_nothing_is_anybodys() -> None:
    """Nobody lives: nobody is given anything."""
    assert assign(streams(3), {}, {"cam0": "a-00000000"}) == {}
