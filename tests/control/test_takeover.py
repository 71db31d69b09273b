"""streamer.control.takeover: what the API added before there was a cluster goes there once."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.cluster.bucket import Outrun
from streamer.cluster.registry import Kind, RecordHeard, Registry, Writing
from streamer.control.statefile import Kept, StateFile
from streamer.control.takeover import Takeover
from tests.peers.until import until

CAMERA = {"url": "rtsp://u:pass-of-it@h/"}


class Bucket:
    """What was written, in order; of two who would replace the same the second is outrun."""

    def __init__(self) -> None:
        self.log: list[RecordHeard] = []

    def write(self, writing: Writing) -> RecordHeard:
        """Take a record."""
        last = [each.revision for each in self.log if (each.kind, each.stream) == (writing.kind, writing.stream)]
        if writing.last != (last[-1] if last else 0):
            raise Outrun
        self.log.append(RecordHeard(writing.kind, writing.stream, writing.record, len(self.log) + 1))
        return self.log[-1]

    def said(self, kind: Kind) -> dict[str, Any]:
        """The settings of what there is of a kind, by name."""
        newest = {each.stream: json.loads(each.record) for each in self.log if each.kind == kind}
        return {name: record["settings"] for name, record in newest.items() if record is not None}


class One:
    """A replica with a state file: what it has heard, and what it is taking over."""

    def __init__(self, bucket: Bucket, state: Any, mine: Mapping[str, Any] | None = None) -> None:
        self.bucket, self.mine = bucket, mine or {}
        self.registry = Registry()
        self.registry.opens("first")
        self.registry.caught_up()
        self.takeover = Takeover(state, self.registry)
        self.hear()

    def hear(self) -> None:
        """All that was written."""
        for heard in self.bucket.log:
            self.registry.heard(heard)

    def turn(self, most: int = 100) -> int:
        """Write what is due, but no more than that; gives how much there was."""
        due = self.takeover.due(self.mine)
        for writing in due[:most]:
            try:
                self.registry.heard(self.bucket.write(writing))
            except Outrun:
                continue
        return len(due)

    def finish(self) -> None:
        """Hear and write until nothing is due."""
        self.hear()
        while self.turn():
            self.hear()


def kept(path: Path, *paused: str, **streams: Any) -> StateFile:
    """A state file that says so."""
    StateFile(path).write(Kept(streams, frozenset(paused)))
    return StateFile(path)


def names_in(folder: Path) -> list[str]:
    """The names of the files there."""
    return sorted(each.name for each in folder.iterdir())


async def test_what_the_api_had_added_is_in_the_registry_and_the_file_has_another_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A stream that was paused is paused before it is there; after a restart nothing is left to be taken over."""
    caplog.set_level("INFO")
    path, bucket = tmp_path / "state.json", Bucket()
    one = One(bucket, kept(path, "road", "own", road=CAMERA, yard=CAMERA), {"own": CAMERA})
    before = path.read_bytes()
    assert one.takeover.streams.keys() == {"road", "yard"}
    one.finish()
    assert [(each.kind, each.stream) for each in bucket.log] == [
        ("paused", "own"),
        ("paused", "road"),
        ("added", "road"),
        ("added", "yard"),
    ]
    assert bucket.said("added") == {"road": CAMERA, "yard": CAMERA}
    assert one.takeover.streams == {}
    running = asyncio.create_task(one.takeover.run())
    await until(lambda: "kept as" in caplog.text)
    assert (
        "taken over into the cluster: that own is paused, road, yard; state.json is kept as state.json.taken-over"
        in (caplog.text)
    )
    assert "pass-of-it" not in caplog.text
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert names_in(tmp_path) == ["state.json.taken-over"]
    assert (tmp_path / "state.json.taken-over").read_bytes() == before
    assert not One(bucket, StateFile(path)).takeover.is_due


async def test_a_file_that_is_renamed_back_is_taken_over_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where NATS lost what it held: by a cluster that knows nothing of it."""
    caplog.set_level("INFO")
    path = tmp_path / "state.json"
    kept(path, "road", road=CAMERA)
    for _ in range(2):
        bucket = Bucket()
        one = One(bucket, StateFile(path))
        one.finish()
        assert (bucket.said("added"), bucket.said("paused")) == ({"road": CAMERA}, {"road": {}})
        running = asyncio.create_task(one.takeover.run())
        await until(lambda: "is kept as state.json.taken-over" in caplog.text)
        caplog.clear()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert names_in(tmp_path) == ["state.json.taken-over"]
        (tmp_path / "state.json.taken-over").rename(path)


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ([("added", {"url": "rtsp://other/"})], "another stream of that name was added to the cluster, which holds"),
        ([("file", {"url": "rtsp://other/"})], "the configuration file of b has a stream of that name, which holds"),
        ([("added", {"url": "rtsp://other/"}), ("added", None)], "it was removed from the cluster"),
    ],
)
def test_what_the_replicas_have_of_a_name_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, records: list[tuple[Kind, Any]], sentence: str
) -> None:
    """Also that it was removed; one line says so, and the file is done with all the same."""
    bucket, known = Bucket(), Registry()
    for kind, settings in records:
        known.heard(bucket.write(known.writing(kind, "road", settings, "b" if kind == "file" else None)))
    one = One(bucket, kept(tmp_path / "state.json", "road", road=CAMERA))
    one.finish()
    assert len(bucket.log) == len(records)
    assert [record.getMessage() for record in caplog.records] == [
        f"road: was added through the API before the cluster, and is not taken over: {sentence}"
    ]
    assert one.takeover._done.is_set()


def test_our_own_file_s_name_holds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Also before the other replicas know what our file says."""
    one = One(Bucket(), kept(tmp_path / "state.json", road=CAMERA), {"road": CAMERA})
    one.finish()
    assert one.bucket.log == []
    assert "the configuration file has a stream of that name, which holds" in caplog.text


def test_what_the_replicas_resumed_is_not_paused_again(tmp_path: Path) -> None:
    """Of a stream of the file."""
    bucket, known = Bucket(), Registry()
    known.heard(bucket.write(known.writing("paused", "own", {})))
    known.heard(bucket.write(known.writing("paused", "own", None)))
    one = One(bucket, kept(tmp_path / "state.json", "own"), {"own": CAMERA})
    one.finish()
    assert len(bucket.log) == 2


@pytest.mark.parametrize("kind", ["file", "added"])
def test_a_stream_that_others_have_stays_paused(tmp_path: Path, kind: Kind) -> None:
    """Of all that the replicas share, what was paused here is; be it that our own file has it no more."""
    bucket, known = Bucket(), Registry()
    known.heard(bucket.write(known.writing(kind, "road", CAMERA, "b" if kind == "file" else None)))
    one = One(bucket, kept(tmp_path / "state.json", "road"))
    one.finish()
    assert bucket.said("paused") == {"road": {}}
    assert one.takeover._taken == ["that road is paused"]


def test_that_a_stream_is_paused_which_nobody_has_is_left_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In one line: the file that said it is read no more."""
    one = One(Bucket(), kept(tmp_path / "state.json", "nobody"), {"own": CAMERA})
    one.finish()
    assert one.bucket.log == []
    assert [record.getMessage() for record in caplog.records] == [
        "nobody: was paused through the API before the cluster, and that is not taken over: "
        "there is no stream of that name"
    ]
    assert one.takeover._done.is_set()


def test_nothing_is_written_before_all_was_heard(tmp_path: Path) -> None:
    """What holds is not known by then."""
    takeover = Takeover(kept(tmp_path / "state.json", road=CAMERA), Registry())
    assert (takeover.due(()), takeover.is_due) == ([], True)


def test_what_is_too_large_is_left_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NATS would refuse it for ever; what is beside it is taken over."""
    monkeypatch.setattr("streamer.control.takeover.LARGEST", 80)
    large = CAMERA | {"labels": {"site": "n" * 80}}
    one = One(Bucket(), kept(tmp_path / "state.json", large=large, road=CAMERA))
    one.finish()
    assert list(one.bucket.said("added")) == ["road"]
    assert "large: was added through the API before the cluster, and is not taken over: its settings are" in caplog.text


def test_a_file_that_says_what_no_stream_can_be_is_put_aside(tmp_path: Path) -> None:
    """As by a service alone."""
    takeover = Takeover(kept(tmp_path / "state.json", road={"url": 3}), Registry())
    assert not takeover.is_due
    assert names_in(tmp_path) == ["state.json.broken"]


async def test_a_file_that_cannot_be_renamed_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it holds is in the cluster all the same, and is not taken over anew."""

    def refused(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "state.json"
    one = One(Bucket(), kept(path, road=CAMERA))
    monkeypatch.setattr(Path, "rename", refused)
    one.finish()
    running = asyncio.create_task(one.takeover.run())
    await until(lambda: "state.json cannot be renamed: Permission denied; remove it" in caplog.text)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    again = One(one.bucket, StateFile(path))
    again.finish()
    assert len(one.bucket.log) == 1


class Said:
    """A state file in memory."""

    def __init__(self, said: Kept) -> None:
        self.said = said

    def read(self) -> Kept:
        """As it is."""
        return self.said


NAMES = st.sampled_from(["road", "yard", "gate"])
STEPS = st.one_of(
    st.tuples(st.just("turn"), st.integers(0, 1), st.integers(0, 3)),
    st.tuples(st.just("hear"), st.integers(0, 1)),
    st.tuples(st.just("restart"), st.integers(0, 1)),
    st.tuples(st.just("remove"), NAMES),
)


@given(st.lists(st.dictionaries(NAMES, st.booleans()), min_size=2, max_size=2), st.lists(STEPS, max_size=20))
def test_however_two_with_such_files_come_and_go_each_name_is_taken_over_once(
    files: list[dict[str, bool]], steps: list[tuple[Any, ...]]
) -> None:
    """Nothing comes back that was removed, nobody's word is written over, and what is paused is never seen to run."""
    bucket, removed = Bucket(), set[str]()
    states = [
        Said(
            Kept(
                {name: {"url": f"rtsp://{number}/{name}"} for name in said},
                frozenset(name for name, is_paused in said.items() if is_paused),
            )
        )
        for number, said in enumerate(files)
    ]
    ones = [One(bucket, state) for state in states]
    for step, *more in steps:
        if step == "turn":
            ones[more[0]].turn(more[1])
        elif step == "hear":
            ones[more[0]].hear()
        elif step == "restart":
            ones[more[0]] = One(bucket, states[more[0]])
        elif more[0] in bucket.said("added"):
            removed.add(more[0])
            api = One(bucket, None).registry
            bucket.write(api.writing("added", more[0], None))
    for one in ones:
        one.finish()
    assert bucket.said("added").keys() == {name for said in files for name in said} - removed
    written = [each for each in bucket.log if each.kind == "added" and each.record != b"null"]
    assert len({each.stream for each in written}) == len(written)
    for each in written:
        owner = int(json.loads(each.record)["settings"]["url"].split("/")[2])
        if files[owner][each.stream]:
            assert any(
                (other.kind, other.stream) == ("paused", each.stream) and other.revision < each.revision
                for other in bucket.log
            )
