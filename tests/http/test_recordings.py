"""streamer.http.recordings: when there is video, in which files, what was seen in it; told to whoever may know."""

from pathlib import Path

import pytest

from streamer.archive.recordings.segment import Segment
from streamer.values.track import TrackedBox
from tests.http.archived import asked
from tests.http.guests import cookie, everybody, run_door
from tests.http.recorded import NOON, folder_of, found_in, keep, run_recorded
from tests.peers.recorded import record

LIST = "/api/streams/a/recordings"


def two(folder: Path) -> list[Segment]:
    """Two segments of the stream a, one behind the other, and one of b."""
    return [
        record(folder_of(folder), NOON),
        record(folder_of(folder), NOON + 4, follows=True, has_event=True),
        record(folder_of(folder), NOON, stream="b", seconds=1),
    ]


async def test_a_span_lists_its_files_and_where_each_second_is_in_them(tmp_path: Path) -> None:
    """Segments that overlap it, oldest first; with fragments, when these are asked for, and spans cut to it."""
    first, second, _ = segments = two(tmp_path)
    async with run_recorded(tmp_path, *segments) as (door, _):
        told = await asked(door, f"{LIST}?from={NOON + 1}&to={NOON + 5}&detail=fragments")
        assert [each["id"] for each in told["segments"]] == [first.id, second.id]
        assert told["segments"][1]["fragments"][1] == [
            second.fragments[1].offset, second.fragments[1].size, 500, 500, 1,
        ]  # fmt: skip
        assert told["spans"] == [
            {"from": NOON + 1, "to": NOON + 4, "has_event": False},
            {"from": NOON + 4, "to": NOON + 5, "has_event": True},
        ]
        told = await asked(door, f"{LIST}?from={NOON + 1}&to={NOON + 3}")
        assert [(each["id"], each["fragments"]) for each in told["segments"]] == [(first.id, None)]
        assert (await asked(door, f"{LIST}?from={NOON}&to={NOON + 9}&detail=spans"))["segments"] == []


async def test_pages_lead_through_all(tmp_path: Path) -> None:
    """`more` asks for what there was no room for."""
    first, second, _ = segments = two(tmp_path)
    async with run_recorded(tmp_path, *segments) as (door, _):
        told = await asked(door, f"{LIST}?from={NOON}&to={NOON + 9}&limit=1")
        assert ([each["id"] for each in told["segments"]], told["more"]) == ([first.id], NOON + 4)
        told = await asked(door, f"{LIST}?from={told['more']}&to={NOON + 9}&limit=1")
        assert ([each["id"] for each in told["segments"]], told["more"]) == ([second.id], None)


async def test_times_are_written_as_people_and_programs_do(tmp_path: Path) -> None:
    """Seconds since 1970, or ISO 8601 with a zone or in UTC, mean the same; without an end it is now."""
    async with run_recorded(tmp_path, *two(tmp_path)) as (door, _):
        for since in ("2025-11-29T12:00:04Z", "2025-11-29T13:00:04%2B01:00", "2025-11-29 12:00:04", f"{NOON + 4:.0f}"):
            told = await asked(door, f"{LIST}?from={since}&to=2025-11-29T13:00")
            assert (told["from"], len(told["segments"])) == (NOON + 4, 1), since
        assert (await asked(door, f"{LIST}?from={NOON}&to={NOON + 9}&detail=spans"))["to"] == NOON + 9
        wide = await asked(door, "/api/streams/a/recordings/days?from=2025-11-01")
        assert wide["days"][0]["day"] == "2025-11-29"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "from: is missing"),
        ("?from=yesterday", "from: 'yesterday' is no time; it must be seconds since 1970 or like 2026-11-29T18:05:00Z"),
        ("?from=nan", "from: "),
        ("?from=-1", "from: "),
        (f"?from={NOON}&to={NOON}", "to: it must be later than `from`"),
        (f"?from={NOON}&to={NOON + 32 * 86400}", "to: it must be within 31 days of `from`"),
        (f"?from={NOON}&detail=all", "detail: "),
        (f"?from={NOON}&until=5", "until: unknown key"),
    ],
)
async def test_what_is_no_question_is_refused_in_a_sentence(tmp_path: Path, query: str, words: str) -> None:
    """400, says which word and what is allowed."""
    async with run_recorded(tmp_path) as (door, _):
        status, sentence = await door.sentence("GET", LIST + query, cookie("admin"))
        assert (status, words in sentence) == (400, True), sentence


async def test_everybody_finds_what_is_of_streams_he_sees(tmp_path: Path) -> None:
    """Nothing is told of another's stream; of one that is gone its recordings stay."""
    segments = [*two(tmp_path), record(folder_of(tmp_path), NOON, stream="gone", seconds=1)]
    other = segments[2]
    span = f"?from={NOON}&to={NOON + 9}"
    async with run_recorded(tmp_path, *segments) as (door, _):
        for path in (
            span, f"/days{span}", f"/timeline{span}", f"/playlist.m3u8{span}", f"/{other.id}.mp4",
            f"/{other.id}/init.mp4", f"/{other.id}/boxes",
        ):  # fmt: skip
            assert await door.status("GET", f"/api/streams/b/recordings{path}", cookie("viewer")) == 404, path
            assert await door.status("GET", f"/api/streams/b/recordings{path}", cookie("other")) == 200, path
        for path in ("", "/init.mp4", "/boxes"):
            asked_of_mine = f"{LIST}/{other.id}{path or '.mp4'}"
            assert await door.status("GET", asked_of_mine, cookie("viewer")) == 404
        assert len((await asked(door, f"/api/streams/gone/recordings{span}"))["segments"]) == 1
        status, sentence = await door.sentence("GET", f"/api/streams/never/recordings{span}", cookie("admin"))
        assert (status, sentence) == (404, "there is no stream of that name; there are: a, b")


async def test_a_timeline_tells_what_was_seen_when(tmp_path: Path) -> None:
    """By class and step; too many steps are refused."""
    first, second, _ = segments = two(tmp_path)
    async with run_recorded(tmp_path, *segments) as (door, recordings):
        found_in(recordings, first, {0: [a_box("person", 0.9)], 200_000: [a_box("person", 0.5), a_box("car", 0.75)]})
        found_in(recordings, second, {0: []})
        await recordings.settle()
        told = await asked(door, f"{LIST}/timeline?from={NOON}&to={NOON + 120}")
        assert (told["labels"], told["step"]) == (["car", "person"], 60)
        assert told["seen"] == [[NOON, 0, 1, pytest.approx(0.75, abs=1e-4)], [NOON, 1, 2, pytest.approx(0.9, abs=1e-4)]]
        path = f"{LIST}/timeline?from={NOON}&to={NOON + 30 * 86400}"
        assert (await door.sentence("GET", path, cookie("admin")))[0] == 400


def a_box(label: str, score: float) -> TrackedBox:
    """Of something."""
    return TrackedBox(1, (1.0, 2.0, 30.0, 40.0), label, 1, score)


async def test_an_answer_that_is_the_same_is_not_sent_again(tmp_path: Path) -> None:
    """By its tag, until something in it changes."""
    path = f"{LIST}?from={NOON}&to={NOON + 99}"
    async with run_recorded(tmp_path, *two(tmp_path)) as (door, _):
        async with door.ask("GET", path, cookie("admin")) as response:
            tagged = {**cookie("admin"), "If-None-Match": response.headers["ETag"]}
        assert await door.status("GET", path, tagged) == 304
        keep(door, tmp_path, record(folder_of(tmp_path), NOON + 50, seconds=1))
        assert await door.status("GET", path, tagged) == 200


async def test_who_may_operate_lets_recordings_go(tmp_path: Path) -> None:
    """What lies wholly in the span, with its file; it is told, and in the audit; a viewer may not."""
    first, second, other = segments = two(tmp_path)
    path = f"{LIST}?from={NOON - 1}&to={NOON + 5}"
    async with run_recorded(tmp_path, *segments) as (door, recordings):
        assert await door.status("DELETE", path, cookie("viewer")) == 403
        assert await asked(door, path, "operator", "DELETE") == {"segments": 1, "bytes": first.size}
        assert recordings.known(each.id for each in segments) == {second.id, other.id}
        assert not recordings.path(first).exists()
        deeds = (await asked(door, "/api/audit"))["deeds"]
        assert [(deed["who"], deed["target"]) for deed in deeds if deed["what"] == "recording remove"] == [
            ("operator", "a")
        ]


async def test_where_nothing_is_kept_that_is_said() -> None:
    """In a sentence that names the section."""
    async with run_door(everybody()) as door:
        said = await door.sentence("GET", f"{LIST}?from=0", cookie("viewer"))
    assert said == (404, "nothing is recorded here: the configuration has no section `archive`")
