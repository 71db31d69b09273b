"""streamer.bench: what is made of the readings, and the command."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import psycopg
import pytest

from streamer.bench import recordings, tracks
from streamer.bench.cameras import gaps_of
from streamer.bench.flight import STEP, boxes_at, film, flown, record
from streamer.bench.offers import HEAD, VIDEO, bad_offers
from streamer.bench.publisher import ticks_of
from streamer.bench.publishing import latencies_of, stall_after
from streamer.bench.readings import Reading
from streamer.bench.recordings import measure_recordings
from streamer.bench.report import PARTS, ROWS, table
from streamer.bench.signing_in import rate_within
from streamer.bench.tracks import measure_tracks
from streamer.cli import main
from streamer.values.errors import SightlineError
from streamer.values.packet import TIME_BASE
from streamer.webrtc.sdp import read_offer
from tests.peers.postgresql import make_postgresql
from tests.peers.process import free_port


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    command = [sys.executable, "-m", "streamer", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def databases(address: str) -> set[str]:
    """The names of all that a server has, and of the tables in this one."""
    with psycopg.connect(address) as connection:
        names = "SELECT datname FROM pg_database UNION SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        return {name for (name,) in connection.execute(names)}


def published(count: int) -> list[tuple[int, float]]:
    """Pictures as a publisher hands them out, from second 100 on."""
    return [(ticks_of(index), 100 + float(ticks_of(index) * TIME_BASE)) for index in range(count)]


def seen(sent: list[tuple[int, float]], *, origin: float, late: float) -> list[Reading]:
    """The events of every third of them, told on another clock, so many seconds after each."""
    return [Reading(at + late, {"pts": round(float(ticks * TIME_BASE) - origin, 6)}) for ticks, at in sent[30::3]]


def test_an_event_finds_the_picture_it_is_of() -> None:
    """Ages are right to the millisecond, although the service counts time from an origin of its own."""
    sent = published(300)
    ages = latencies_of(seen(sent, origin=0.7341, late=0.040), sent)
    assert len(ages) == 90
    assert ages == pytest.approx([40.0] * 90, abs=0.1)


def test_events_of_other_pictures_are_refused() -> None:
    """Events whose times are no picture's give no ages, rather than wrong ones."""
    sent = published(300)
    strangers = [Reading(each.at, {"pts": index / 30}) for index, each in enumerate(seen(sent, origin=0, late=0.04))]
    with pytest.raises(SightlineError, match="not those of the pictures"):
        latencies_of(strangers, sent)


def test_a_stall_is_the_longest_pause_after_a_loss() -> None:
    """A pause elsewhere is not the loss's."""
    times = [0.0, 0.9, 1.0, 1.4, 1.5, 5.0]
    assert stall_after(1.1, [Reading(at, {}) for at in times]) == pytest.approx(0.4)


def test_a_gap_is_where_the_size_changes() -> None:
    """From the last event of the old size to the first of the new."""
    events = [Reading(at, {"width": width}) for at, width in ((0, 640), (3, 640), (4, 320), (5, 320), (7.5, 640))]
    assert gaps_of(events) == [1, 2.5]


def test_frames_count_where_they_come_while_passwords_are_guessed() -> None:
    """A pause in that time lowers the rate, also at its ends; what came before and after says nothing."""
    arrivals = [index / 30 for index in range(300) if not 90 <= index < 120]
    assert rate_within(arrivals, 0, 3) == pytest.approx(30)
    assert rate_within(arrivals, 2, 4) == pytest.approx(15)
    assert rate_within(arrivals, 3, 5) == pytest.approx(15)


def test_only_what_was_measured_is_in_the_table() -> None:
    """A line for each figure of the parts that were asked for."""
    lines = table({"offers": {"answered": 8, "answered_ms_p50": 1.0, "answered_ms_max": 9.5}}).splitlines()
    assert len(lines) == 3
    assert lines[-1].split()[-4:] == ["9.5", "ms", "≤", "50"]


@pytest.mark.parametrize("direction", ["recvonly", "sendonly"])
def test_bad_offers_are_bad_for_one_reason_each(direction: str) -> None:
    """The offer they are made of is one that is taken."""
    read_offer(HEAD + VIDEO.format(direction=direction, codec="H264"))
    assert len(set(bad_offers(direction).values())) == len(bad_offers(direction))


def test_an_unknown_part_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """What can be measured is said, and nothing is."""
    assert main(["bench", "start", "speed"]) == 2
    assert capsys.readouterr().err == f"sightline: bench has no part 'speed'; there are: {', '.join(PARTS)}\n"


def test_databases_are_measured(tmp_path: Path) -> None:
    """Every figure of both, and on the server nothing is left of it."""
    with make_postgresql() as server, server.running():
        address = server.make_database()
        before = databases(address)
        command = ["archive", "--events", "1000", "--seconds", "1", "--database", address]
        done = bench(*command, "--json", "--state", str(tmp_path))
        assert done.returncode == 0, done.stderr
        assert databases(address) == before
    figures = json.loads(done.stdout)["archive"]
    assert figures.keys() == {key for part, key, *_ in ROWS if part == "archive"}
    assert all(figure > 0 for figure in figures.values())
    assert len(table({"archive": figures}).splitlines()) == len(figures)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Before anything is measured, in one sentence that keeps the password to itself."""
    address = f"postgresql://somebody:secret@127.0.0.1:{free_port()}/none"
    done = bench("archive", "--events", "1000", "--seconds", "1", "--database", address, "--state", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("sightline: --database: connection failed")
    assert "secret" not in done.stderr


def test_a_flight_is_followed_and_measured(tmp_path: Path) -> None:
    """Every figure of the tracks is there, of what was followed as it was; nothing is left behind."""
    figures = measure_tracks(tmp_path, lambda _: None, frames=20, samples=6)
    assert figures.keys() == {key for part, key, *_ in ROWS if part == "tracks"}
    assert min(figures.values()) > 0
    assert list(tmp_path.iterdir()) == []


def test_a_flight_goes_where_it_says(tmp_path: Path) -> None:
    """From one picture to the next the ground moves by the step, and things that stand on it with it."""
    record(tmp_path / "flight.mp4", 3)
    one, _, third = (picture.to_ndarray(format="gray").astype(int) for picture in flown(tmp_path / "flight.mp4"))
    right, down = (round(2 * step) for step in STEP)
    assert np.abs(third[:-down, :-right] - one[down:, right:]).mean() < 5
    assert np.abs(third - one).mean() > 15
    assert (boxes_at(0, 20) - boxes_at(2, 20)).mean(axis=0) == pytest.approx([right, down] * 2, abs=2)


def test_what_was_not_followed_is_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that flew elsewhere than is thought ends the measurement, in one sentence."""
    monkeypatch.setattr(tracks, "STEP", (9.0, 2.5))
    with pytest.raises(SightlineError, match="not followed where it flew"):
        measure_tracks(tmp_path, lambda _: None, frames=20, samples=6)


def test_the_service_alone_is_measured(tmp_path: Path) -> None:
    """Parts that need no model run in seconds, and print every figure of theirs."""
    alone = ("start", "offers", "access")
    done = bench(*alone, "--json", "--state", str(tmp_path))
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert {(part, key) for part in figures for key in figures[part]} == {
        (part, key) for part, key, *_ in ROWS if part in alone
    }
    assert figures["offers"]["answered"] > 0


@pytest.mark.timeout(180)
def test_recordings_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure of recordings is there, of some cameras and one kill: none of the pictures is lost."""
    few = {"COSTING": 1, "MANY": 2, "KILLED": 2, "SETTLE": 0.0, "LARGE": (480, 272), "film": partial(film, seconds=2.0)}
    for name, smaller in few.items():
        monkeypatch.setattr(recordings, name, smaller)
    figures = measure_recordings(tmp_path, lambda _: None, seconds=0.5, kills=1, rounds=1)
    assert figures.keys() >= {key for part, key, *_ in ROWS if part == "recordings"}
    assert figures["pictures_in_files"] == figures["pictures_came"] > 0
    assert figures["pictures_dropped"] == 0
    assert len(figures["lost_seconds"]) == 2
    assert list(tmp_path.iterdir()) == []
