"""streamer.cluster.registry: which streams there are, by what stands in the bucket."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streamer.cluster.registry import KINDS, Kind, RecordHeard, Registry, Writing

ROAD, YARD = {"url": "rtsp://${HOST}/road"}, {"url": "rtsp://h/yard"}


class Bucket:
    """The records of one, each as often as it was written; the last counts."""

    def __init__(self) -> None:
        self.records: dict[tuple[Kind, str], RecordHeard] = {}
        self.revision = 0

    def write(self, writing: Writing) -> RecordHeard | None:
        """Write, where the newest revision is still the one to be replaced."""
        key = (writing.kind, writing.stream)
        last = self.records[key].revision if key in self.records else 0
        if last != writing.last:
            return None
        self.revision += 1
        self.records[key] = RecordHeard(*key, writing.record, self.revision)
        return self.records[key]

    def tell(self, registry: Registry, born: str = "first") -> None:
        """All of it, as to who has just connected."""
        registry.opens(born)
        for record in self.records.values():
            registry.heard(record)
        registry.caught_up()


def catch_up(bucket: Bucket, registry: Registry, mine: dict[str, Any], me: str, alive: tuple[str, ...] = ()) -> None:
    """Have one write what its file says."""
    for writing in registry.due(mine, me, alive):
        if (heard := bucket.write(writing)) is not None:
            registry.heard(heard)


def one(bucket: Bucket, born: str = "first") -> Registry:
    """One that has heard a bucket."""
    registry = Registry()
    bucket.tell(registry, born)
    return registry


def test_a_file_has_its_streams_written_changed_and_taken_away() -> None:
    """By whose file they are, and as they are written there; then there is nothing to do."""
    bucket = Bucket()
    a = one(bucket)
    catch_up(bucket, a, {"road": ROAD, "yard": YARD}, "a")
    assert {name: (each.settings, each.replica) for name, each in one(bucket).of("file").items()} == {
        "road": (ROAD, "a"),
        "yard": (YARD, "a"),
    }
    catch_up(bucket, a, {"road": YARD}, "a")
    assert {name: each.settings for name, each in one(bucket).of("file").items()} == {"road": YARD}
    assert a.due({"road": YARD}, "a", ()) == []
    catch_up(bucket, a, {"road": YARD, "yard": ROAD}, "a")
    assert one(bucket).of("file").keys() == {"road", "yard"}


def test_of_two_files_the_first_holds_until_its_replica_is_gone() -> None:
    """The other is told of the conflict, and takes its place then; the same of both is none."""
    bucket = Bucket()
    catch_up(bucket, one(bucket), {"road": ROAD, "yard": YARD}, "a")
    b = one(bucket)
    mine = {"road": YARD, "yard": YARD}
    assert b.due(mine, "b", ("a", "b")) == []
    assert b.conflicts(mine, "b") == {"road": "a"}
    catch_up(bucket, b, mine, "b", alive=("b",))
    assert (b.conflicts(mine, "b"), b.of("file")["road"].settings) == ({}, YARD)
    assert {each.replica for each in b.of("file").values()} == {"b"}


def test_of_two_that_write_one_is_first() -> None:
    """The other has written nothing, and hears what there is."""
    bucket = Bucket()
    a, b = one(bucket), one(bucket)
    [first], [second] = a.due({"road": ROAD}, "a", ()), b.due({"road": YARD}, "b", ())
    heard = bucket.write(first)
    assert heard is not None
    assert bucket.write(second) is None
    b.heard(heard)
    assert b.of("file")["road"].replica == "a"


def test_what_a_lost_bucket_held_is_written_again_by_whoever_knows_it() -> None:
    """Until then it counts as before; in the same bucket what is not told any more is gone."""
    bucket = Bucket()
    a = one(bucket)
    for writing in (a.writing("added", "road", ROAD), a.writing("paused", "road", {})):
        heard = bucket.write(writing)
        assert heard is not None
        a.heard(heard)
    catch_up(bucket, a, {"yard": YARD}, "b")
    another = Bucket()
    another.tell(a, born="second")
    assert (a.has("road"), a.has("yard"), set(a.of("paused"))) == (True, True, {"road"})
    catch_up(another, a, {}, "a", alive=("a",))
    again = one(another)
    assert (set(again.of("added")), again.of("file")["yard"].replica) == ({"road"}, "b")
    Bucket().tell(a, born="second")
    assert not a.has("road")


def test_a_connection_that_ends_while_a_lost_bucket_is_written_again_loses_nothing() -> None:
    """What is not written yet counts as before, until it is heard, or heard to be no more."""
    bucket, another = Bucket(), Bucket()
    a = one(bucket)
    for name in ("road", "yard", "gate"):
        heard = bucket.write(a.writing("added", name, ROAD))
        assert heard is not None
        a.heard(heard)
    another.tell(a, born="second")
    first, *_ = a.due({}, "a", ("a",))
    assert another.write(first) is not None
    another.tell(a, born="second")
    assert (set(a.of("added")), len(a.due({}, "a", ("a",)))) == ({"road", "yard", "gate"}, 2)
    removed = another.write(a.writing("added", "gate", None))
    assert removed is not None
    a.heard(removed)
    another.tell(a, born="second")
    catch_up(another, a, {}, "a", alive=("a",))
    assert set(a.of("added")) == set(one(another).of("added")) == {"road", "yard"}


_records = st.one_of(
    st.binary(max_size=40),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["settings", "replica", "x"]), inner),
        max_leaves=8,
    ).map(lambda said: json.dumps(said).encode()),
)


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.text(max_size=4), _records)))
def test_a_record_that_is_none_of_ours_stops_nobody(records: list[tuple[Kind, str, bytes]]) -> None:
    """Whatever it says; what is ours is known beside it."""
    registry = one(Bucket())
    registry.heard(RecordHeard("added", "mine", json.dumps({"settings": YARD}).encode(), 1))
    for number, (kind, name, record) in enumerate(records):
        registry.heard(RecordHeard(kind, name, record, number + 2))
    assert registry.of("added")["mine"].settings == YARD
    for kind in ("file", "added", "paused"):
        assert all(isinstance(each.settings, dict) for each in registry.of(kind).values())
    registry.due({"road": ROAD}, "a", ("a",))


def test_who_knows_more_records_than_may_be_takes_in_no_more() -> None:
    """What was known is known; those that are left out are counted."""
    registry = one(Bucket())
    for number in range(10_001):
        registry.heard(RecordHeard("paused", f"s{number}", b'{"settings": {}}', number + 1))
    assert (len(registry.of("paused")), registry.unreadable) == (10_000, 1)


def test_streams_that_were_removed_leave_their_room_to_others() -> None:
    """However many came and went; of those that did the newest can be written again."""
    bucket = Bucket()
    registry = one(bucket)
    for number in range(10_500):
        registry.heard(RecordHeard("added", f"s{number}", b"null", number + 1))
    registry.heard(RecordHeard("added", "road", json.dumps({"settings": ROAD}).encode(), 20_000))
    assert (registry.has("road"), registry.unreadable) == (True, 0)
    assert registry.writing("added", "s10499", ROAD).last == 10_500
    registry.opens("first")
    for number in range(10_500):
        registry.heard(RecordHeard("added", f"s{number}", b"null", number + 1))
    registry.heard(RecordHeard("added", "road", json.dumps({"settings": ROAD}).encode(), 20_000))
    registry.caught_up()
    assert registry.has("road")
