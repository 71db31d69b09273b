"""streamer.control.shared_roster: what a replica reads of the registry, and what of it can run here."""

import json
from typing import Any

import pytest

from streamer.cluster.bucket import Outrun
from streamer.cluster.registry import Kind, RecordHeard, Registry
from streamer.control.shared_roster import SharedRoster
from streamer.control.statefile import Kept
from streamer.values.recording import Recording

CAMERA = {"url": "rtsp://h/"}


def known(*records: tuple[Kind, str, dict[str, Any]]) -> Registry:
    """A registry with these records; files are those of the replica a."""
    registry = Registry()
    for number, (kind, name, settings) in enumerate(records):
        said = {"settings": settings} | ({"replica": "a"} if kind == "file" else {})
        registry.heard(RecordHeard(kind, name, json.dumps(said).encode(), number + 1))
    return registry


def test_variables_are_replaced_in_what_a_file_says_and_in_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the API was given carries nobody's environment to a stranger's camera."""
    monkeypatch.setenv("HOST", "camera.example.org")
    said = {"url": "rtsp://${HOST}/"}
    roster = SharedRoster(known(("file", "road", said), ("added", "yard", said))).roster()
    assert roster.file["road"].url == "rtsp://camera.example.org/"
    assert roster.added["yard"].url == "rtsp://${HOST}/"


def test_what_cannot_run_here_is_left_to_others_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set, or settings that cannot be: the streams beside it run."""
    monkeypatch.delenv("NOT_SET_HERE", raising=False)
    unset = {"url": "rtsp://u:${NOT_SET_HERE}@h/"}
    shared = SharedRoster(known(("file", "road", unset), ("added", "odd", {"url": 3}), ("added", "b", CAMERA)))
    assert shared.roster().entries().keys() == {"b"}
    assert shared.sharing("a").not_here == {"road", "odd"}
    assert {each.name for each in shared.sharing("a").shared} == {"road", "odd", "b"}
    assert "NOT_SET_HERE is not set" in (shared.reason("road") or "")
    assert (shared.reason("b"), shared.reason("nobody")) == (None, None)
    assert len(shared.warnings()) == 2


def test_what_a_stream_says_of_its_recording_is_known_though_it_cannot_run_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or nobody's: then nobody may go by what the others are kept for."""
    monkeypatch.delenv("NOT_SET_HERE", raising=False)
    unset = {"url": "rtsp://u:${NOT_SET_HERE}@h/"}
    shared = SharedRoster(
        known(
            ("file", "road", unset | {"record": {"keep_days": 365}}),
            ("file", "plain", unset),
            ("file", "odd", CAMERA | {"record": {"keep_days": "${NOT_SET_HERE}"}}),
            ("added", "yard", CAMERA | {"record": {"keep_days": 90}}),
            ("added", "road", CAMERA),
        )
    )
    mine: dict[str, dict[str, Any]] = {"new": {**CAMERA, "record": {"keep_days": 30}}, "road": CAMERA}
    added: dict[str, dict[str, Any]] = {name: CAMERA | {"record": {"keep_days": 7}} for name in ("old", "new", "yard")}
    found = shared.recordings(mine, added)
    assert found.pop("odd", Recording()) is None
    days = {name: None if said is None else said.keep_days for name, said in found.items()}
    assert days == {"road": 365, "plain": None, "yard": 90, "new": 30, "old": 7}


def test_what_is_listened_for_runs_where_its_file_is() -> None:
    """Its camera pushes there, and to nobody else."""
    shared = SharedRoster(known(("file", "drone", {"url": "rtsp://0.0.0.0:8554/drone", "listen": True})))
    assert (shared.sharing("a").listening, shared.sharing("a").shared) == ({"drone"}, [])
    assert shared.sharing("b").listening == set()
    assert shared.roster().entries().keys() == {"drone"}


def test_a_change_is_written_where_it_is_still_what_its_maker_knew() -> None:
    """Another's that came between is not undone; done half, it connects to no camera that is to be paused."""
    shared = SharedRoster(known(("added", "road", CAMERA), ("paused", "road", {})))
    before = shared.roster().kept
    after = Kept({"road": {"url": "rtsp://other/"}})
    written = shared.writings(before, after)
    assert [(each.kind, each.stream, each.last) for each in written] == [("added", "road", 1), ("paused", "road", 2)]
    both = shared.writings(before, Kept({**before.streams, "yard": CAMERA}, frozenset({"road", "yard"})))
    assert [(each.kind, each.stream) for each in both] == [("paused", "yard"), ("added", "yard")]
    with pytest.raises(Outrun):
        shared.writings(Kept({"road": {"url": "rtsp://older/"}}), after)
    with pytest.raises(Outrun):
        shared.writings(Kept(before.streams), Kept(before.streams, frozenset({"road"})))


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "rtsp://${\ud800}/"},
        {"url": "rtsp://${a\0b}/"},
        {"url": "rtsp://h/\ud800"},
        {"url": "rtsp://h/", "labels": {"\ud800": "a"}},
    ],
)
@pytest.mark.parametrize("kind", ["file", "added"])
def test_no_record_stops_those_who_read_it(kind: Kind, settings: dict[str, Any]) -> None:
    """Whatever anybody wrote into the bucket: it is left out, and the streams beside it run."""
    shared = SharedRoster(known((kind, "odd", settings), ("added", "road", CAMERA)))
    assert "road" in shared.roster().entries()
    shared.sharing("a")
    assert "\n".join(shared.warnings()).encode()  # no log would take it otherwise


def test_a_record_of_another_bucket_is_read_though_it_has_the_same_revision() -> None:
    """Each bucket counts from 1."""
    registry = Registry()
    shared = SharedRoster(registry)
    for bucket, url in (("first", "rtsp://old/"), ("second", "rtsp://new/")):
        registry.opens(bucket)
        registry.heard(RecordHeard("added", "road", json.dumps({"settings": {"url": url}}).encode(), 3))
        registry.caught_up()
        assert shared.roster().added["road"].url == url
