"""`sightline archive`, as somebody types it."""

import json
from pathlib import Path

import pytest

from streamer import cli
from streamer.archive.recordings.segment import Segment
from streamer.archive.sqlite import Sqlite
from streamer.archive.terminal.at_rest import AtRest


@pytest.fixture
def config(archive: AtRest, tmp_path: Path) -> Path:
    path = tmp_path / "sightline.yaml"
    path.write_text(
        "archive: {days: 36500, recordings: {keep_days: 36500, keep_event_days: 36500, min_free_gb: 0.5}}\n"
        "streams: {porch: {url: 'rtsp://127.0.0.1/porch', record: continuous}}\n"
    )
    return path


def test_check_says_what_is_kept_and_repairs(
    config: Path, archive: AtRest, segments: list[Segment], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0 where all agrees, 1 where it does not; what is repaired is right the next time."""
    check = ["archive", "check", "--config", str(config)]
    assert cli.main(check) == 0
    said = capsys.readouterr().out
    size = sum(segment.size for segment in segments) / 1e6
    assert f"porch: 3 segments of {size:.2f} MB, 2025-11-29 12:00Z to 2025-11-29 12:00Z" in said
    assert "files and database agree" in said
    archive.files.path(segments[0]).unlink()
    assert cli.main(check) == 1
    assert "1 recordings whose file is gone; --repair forgets them" in capsys.readouterr().out
    assert cli.main([*check, "--repair"]) == 0
    assert cli.main([*check, "--json"]) == 0
    capsys.readouterr()
    cli.main([*check, "--json"])
    assert json.loads(capsys.readouterr().out)["streams"][0]["segments"] == 2


def test_no_repair_without_the_disk(
    config: Path, archive: AtRest, segments: list[Segment], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where none of the files is there, nothing is forgotten."""
    for segment in segments:
        archive.files.path(segment).unlink()
    assert cli.main(["archive", "check", "--repair", "--config", str(config)]) == 1
    assert "is its disk mounted?" in capsys.readouterr().err
    assert cli.main(["archive", "check", "--config", str(config)]) == 1
    assert "3 recordings whose file is gone" in capsys.readouterr().out


def test_prune_says_what_went(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the configuration nothing of this archive, by what is typed all of it."""
    prune = ["archive", "prune", "--config", str(config)]
    assert cli.main(prune) == 0
    assert "removed 0 segments" in capsys.readouterr().out
    assert cli.main([*prune, "--older-than", "1h", "--stream", "porch"]) == 0
    assert "removed 3 segments" in capsys.readouterr().out


def test_export_writes_a_folder(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And says what is in it; a span without anything is a failure."""
    export = ["archive", "export", "--config", str(config), "--stream", "porch"]
    span = ["--from", "2025-11-29T12:00:00Z", "--to", "2025-11-29 13:00:12+01:00"]
    assert cli.main([*export, *span, str(tmp_path / "given")]) == 0
    assert "2 clips of 12.0 s" in capsys.readouterr().out
    span = ["--from", "2025-11-28", "--to", "2025-11-28T01:00"]
    assert cli.main([*export, *span, str(tmp_path / "none")]) == 1
    assert "nothing of porch is kept from that span" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["prune", "--stream", "porch"], "go with --older-than"),
        (["export", "x", "--stream", "a", "--from", "2025-11-29", "--to", "2025-11-29"], "--to must be later"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(
    config: Path, given: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and nothing is touched."""
    assert cli.main(["archive", *given, "--config", str(config)]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("given", [["prune", "--older-than", "3"], ["export", "x", "--from", "noon"]])
def test_what_is_no_time_says_what_is(config: Path, given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped time names an example."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["archive", *given, "--config", str(config)])
    assert ended.value.code == 2
    assert "is no time; allowed are such as" in capsys.readouterr().err


def test_without_an_archive_there_is_nothing_to_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No section, no database yet, or one of before: each is said, and none is made."""
    path = tmp_path / "sightline.yaml"
    check = ["archive", "check", "--config", str(path)]
    path.write_text("{}\n")
    assert cli.main(check) == 2
    assert "has no section archive" in capsys.readouterr().err
    path.write_text("archive: {}\n")
    assert cli.main(check) == 2
    assert "there is no archive in" in capsys.readouterr().err
    (tmp_path / "archive").mkdir()
    database = Sqlite(tmp_path / "archive" / "sightline.db")
    with database.writing() as cursor:
        cursor.run("CREATE TABLE schema_version (version BIGINT NOT NULL)")
        cursor.run("INSERT INTO schema_version VALUES (1)")
    database.close()
    assert cli.main(check) == 2
    assert "start the service once" in capsys.readouterr().err
