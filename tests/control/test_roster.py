"""streamer.control.roster: which streams there are to be."""

from typing import Any

import pytest

from streamer import config
from streamer.config import StreamSettings
from streamer.control.roster import Roster
from streamer.control.statefile import Kept
from streamer.values.errors import ConfigError, Refused


def stream(url: str = "rtsp://h/", **more: Any) -> StreamSettings:
    """The settings of one stream."""
    return config.parse_stream("x", {"url": url, **more})


def running(roster: Roster) -> dict[str, tuple[str, str, bool]]:
    """(url, origin, paused) of every stream that is to run."""
    return {name: (entry.settings.url, entry.origin, entry.paused) for name, entry in roster.entries().items()}


def test_the_files_streams_come_first_and_win() -> None:
    """A name in both is the file's, and the API's stream is there again when the file lets go of it."""
    roster = Roster({"a": stream("rtsp://file/")}).add("b", stream("rtsp://api/b")).add("a", stream("rtsp://api/a"))
    assert running(roster) == {"a": ("rtsp://file/", "file", False), "b": ("rtsp://api/b", "api", False)}
    assert roster.hidden == ["a"]
    let_go = Roster({}, roster.added, roster.paused)
    assert running(let_go)["a"] == ("rtsp://api/a", "api", False)
    assert let_go.hidden == []


def test_the_api_pauses_both_kinds() -> None:
    """A stream of the file and one of the API are paused and resumed by their names."""
    roster = Roster({"a": stream()}).add("b", stream(paused=True)).change("a", {"paused": True})
    assert {name: paused for name, (_, _, paused) in running(roster).items()} == {"a": True, "b": True}
    roster = roster.change("a", {"paused": None}).change("b", {"paused": False})
    assert {name: paused for name, (_, _, paused) in running(roster).items()} == {"a": False, "b": False}


@pytest.mark.parametrize("paused", [True, False])
def test_what_the_file_says_of_pausing_wins(paused: bool) -> None:
    """Where the file names `paused`, the API can neither pause nor resume, and an earlier pause does not count."""
    roster = Roster({"a": stream(paused=paused)}, paused=frozenset({"a"}))
    assert roster.entries()["a"].paused is paused
    with pytest.raises(Refused, match="the configuration file says whether 'a' is paused") as refused:
        roster.change("a", {"paused": not paused})
    assert refused.value.status == 409


@pytest.mark.parametrize(
    ("patch", "after"),
    [
        ({}, {"url": "rtsps://h/", "sample_fps": 2.0, "tls": {"name": "n", "verify": True}}),
        ({"sample_fps": None}, {"url": "rtsps://h/", "tls": {"name": "n", "verify": True}}),
        ({"tls": {"name": None}}, {"url": "rtsps://h/", "sample_fps": 2.0, "tls": {"verify": True}}),
        ({"tls": None, "url": "rtsp://i/"}, {"url": "rtsp://i/", "sample_fps": 2.0}),
        (
            {"min_score": 1},
            {"url": "rtsps://h/", "sample_fps": 2.0, "tls": {"name": "n", "verify": True}, "min_score": 1.0},
        ),
    ],
)
def test_a_patch_is_merged(patch: dict[str, Any], after: dict[str, Any]) -> None:
    """A change is merged as RFC 7396 says: null is the default again, mappings key by key, all else replaced."""
    roster = Roster({}).add("a", stream("rtsps://h/", sample_fps=2, tls={"name": "n", "verify": True}))
    assert roster.change("a", patch).kept.streams == {"a": after}


def test_a_patch_of_other_settings_leaves_a_pause() -> None:
    """Settings change while a stream is paused, and it stays so."""
    roster = Roster({}).add("a", stream(paused=True)).change("a", {"sample_fps": 3})
    assert roster.entries()["a"].paused


def test_what_is_kept_makes_the_same_roster() -> None:
    """A roster that is kept and read again is the same."""
    roster = Roster({"a": stream()}).add("b", stream(paused=True, min_score=0.25)).change("a", {"paused": True})
    again = Roster.of(roster.file, roster.kept)
    assert running(again) == running(roster)
    assert again.kept == roster.kept


def test_what_cannot_be_a_stream_is_not_read() -> None:
    """What was kept is checked like anything else that comes in."""
    with pytest.raises(ConfigError, match="sample_fps: 0 is not allowed"):
        Roster.of({}, Kept({"a": {"url": "rtsp://h/", "sample_fps": 0}}))


def test_removing_forgets_the_pause() -> None:
    """A removed stream leaves nothing behind, so that the next of its name runs."""
    roster = Roster({}).add("a", stream(paused=True)).remove("a")
    assert roster == Roster({})
    with pytest.raises(Refused, match="there is no stream of that name") as refused:
        roster.remove("a")
    assert refused.value.status == 404


@pytest.mark.parametrize("paused", [True, False])
def test_an_empty_patch_changes_nothing(paused: bool) -> None:
    """A patch that asks for nothing leaves a stream as it is, whoever named it, and is never refused."""
    roster = Roster({"a": stream(), "b": stream(paused=paused)}).add("c", stream(paused=paused))
    roster = roster.with_paused("a", paused)
    for name in "abc":
        assert roster.change(name, {}) == roster


def test_a_refused_key_is_told_without_its_password() -> None:
    """Where a key is a URL by mistake, the sentence that refuses it holds no password, nor a word without end."""
    roster = Roster({"a": stream()})
    with pytest.raises(Refused, match=r"rtsp://u:\*\*\*@h/, xxx.*x… is changed there") as refused:
        roster.change("a", {"rtsp://u:canary-key@h/": 1, "x" * 5000: 2})
    assert refused.value.status == 409
    assert len(str(refused.value)) < 300
