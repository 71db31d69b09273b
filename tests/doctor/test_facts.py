"""streamer.doctor.facts: what an RTSP camera told, in a document and in words."""

import json
from dataclasses import replace

import pytest

from streamer.doctor.facts import SHOWN, document, keyframe_kinds, rows
from streamer.doctor.observation import Observation
from streamer.doctor.printout import printout
from streamer.doctor.report import report
from streamer.source.rtsp.description import Track
from streamer.source.rtsp.traits import KeyframeKind, Traits
from streamer.source.target import Target
from streamer.values.errors import SourceError

VIDEO, SOUND = Track("video", "RTP/AVP", "H264", 96), Track("audio", "RTP/AVP", "PCMA", 8)
SECRET = Track("video", "RTP/SAVP", "H265", 97)
ORDINARY = Traits(
    server="Hipcam RealServer/V1.0", login="Digest SHA-256", realm="IP Camera", tracks=(VIDEO, SOUND), played=VIDEO,
    transport="tcp", keepalive="OPTIONS", session_timeout=60.0, packets=3112, lost=0, markers="normal",
    parameter_sets=("described", "in band"), keyframes=("key",),
)  # fmt: skip


def test_an_ordinary_camera_is_a_line_a_fact() -> None:
    """Server, log-in, session, tracks, packets and parameter sets: each is one plain line."""
    assert rows(ORDINARY) == [
        ("server", "Hipcam RealServer/V1.0"),
        ("log-in", 'Digest SHA-256 for "IP Camera"'),
        ("session", "over TCP, kept alive by OPTIONS; lasts 60 s without"),
        ("tracks", "video, H.264: played"),
        ("", "audio, PCMA: sound is not asked for"),
        ("RTP packets", "3112, none lost; the last of each picture is marked"),
        ("parameter sets", "in the description and in band"),
    ]


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"login": None, "realm": None}, ("log-in", "none asked for")),
        (
            {"transport": "udp", "lost": 14},
            ("RTP packets", "3112, 14 lost (0.45 %); the last of each picture is marked"),
        ),
        ({"numbered": False, "lost": None, "markers": None}, ("RTP packets", "3112, numbered without sense")),
        ({"markers": "never", "lost": 0}, ("RTP packets", "3112, none lost; none is marked as a picture's last")),
        ({"tracks": (SECRET,), "played": None}, ("tracks", "video, H.265: encrypted (SRTP), which is not played")),
        ({"parameter_sets": ()}, ("parameter sets", "none")),
        ({"is_bare": True}, ("session", "none: it sends RTP to this port, and does not ask")),
        ({"strangers": 4}, ("others", "4 datagrams of other senders came to this port, and were left alone")),
    ],
)
def test_each_habit_has_its_words(changed: dict[str, object], line: tuple[str, str]) -> None:
    """What is otherwise with a camera is said in the line of its kind."""
    assert line in rows(replace(ORDINARY, **changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (("key",), "IDR"),
        (("key", "recovery point", "refresh"), "IDR and recovery points"),
        (("intra",), "intra pictures that are no IDR"),
        (("refresh",), "none came, perhaps refreshed bit by bit"),
        ((), ""),
    ],
)
def test_keyframes_have_a_kind(kinds: tuple[KeyframeKind, ...], words: str) -> None:
    """A camera's keyframes are those it sends on purpose, where it does; else what had to do."""
    assert keyframe_kinds(replace(ORDINARY, keyframes=kinds)) == words


def test_a_document_is_plain_json() -> None:
    """For a program the same is numbers and words, a track with why it is not played."""
    told = document(ORDINARY)
    assert json.loads(json.dumps(told)) == told
    assert told["tracks"][1] == {
        "media": "audio", "codec": "PCMA", "profile": "RTP/AVP", "encrypted": False, "played": False,
        "why_not": "sound is not asked for",
    }  # fmt: skip
    assert (told["login"], told["lost"], told["keyframe_kinds"]) == ("Digest SHA-256", 0, ["key"])


def test_what_a_camera_writes_is_not_longer_than_a_line() -> None:
    """Neither many tracks nor long words fill a terminal, and no control character reaches it."""
    odd = replace(ORDINARY, tracks=(replace(SOUND, codec="\x1b[2J" + "X" * 60_000),) * 32, played=None)
    lines = rows(odd)
    assert len(lines) < SHOWN + 10
    assert ("", f"and {32 - SHOWN} more") in lines
    assert max(len(value) for _, value in lines) < 100
    assert all(value.isprintable() for _, value in lines)
    assert len(json.dumps(document(odd))) < 10_000


def test_facts_are_told_of_a_camera_that_does_not_work() -> None:
    """What a camera had said before it failed stands below why it did; who said nothing has no such lines."""
    failed = SourceError("unsupported", "the camera's video is encrypted (SRTP), which is not played")
    told = report(Target("rtsp://camera/"), Observation(0.0, error=failed, traits=Traits(tracks=(SECRET,))))
    assert "  tracks         video, H.265: encrypted (SRTP), which is not played" in printout(told)
    assert "switch the encryption of the media" in str(told.remedy)
    bare = report(Target("http://camera/"), Observation(0.0, error=failed))
    assert "tracks" not in printout(bare)
    assert bare.document()["rtsp"] is None
