"""Version directories appear whole, under the next free number, or not at all."""

from pathlib import Path

import pytest

from sightline_export.errors import Unusable
from sightline_export.versions import publish, staging, versions


def test_the_next_version_follows_the_highest_number(tmp_path: Path) -> None:
    """Numbers count as numbers; files, and directories with other names, are no versions."""
    for name in ("2", "10", "latest", ".export-x"):
        (tmp_path / name).mkdir()
    (tmp_path / "11").write_text("a file")
    assert versions(tmp_path) == [2, 10]
    with staging(tmp_path) as staged:
        (staged / "saved_model.pb").write_text("whole")
        assert publish(staged, tmp_path) == tmp_path / "12"
    assert (tmp_path / "12" / "saved_model.pb").read_text() == "whole"


def test_a_number_taken_meanwhile_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When another export takes the number between the look and the rename, the next one is taken."""
    taken = tmp_path / "1"
    taken.mkdir()
    (taken / "saved_model.pb").write_text("theirs")
    monkeypatch.setattr("sightline_export.versions.versions", lambda _: [])
    with staging(tmp_path) as staged:
        (staged / "saved_model.pb").write_text("ours")
        assert publish(staged, tmp_path) == tmp_path / "2"
    assert (taken / "saved_model.pb").read_text() == "theirs"


def test_a_failure_leaves_no_directory_behind(tmp_path: Path) -> None:
    """The staging directory goes, and so do the directories made on the way to it."""

    def stop_half_way(output: Path) -> None:
        with staging(output) as staged:
            (staged / "half").write_text("")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_staging_is_hidden_from_a_polling_server_and_readable_by_it(tmp_path: Path) -> None:
    """The staging directory's name starts with a dot, so that it is no version, and others may read it."""
    with staging(tmp_path) as staged:
        assert staged.parent == tmp_path
        assert staged.name.startswith(".")
        assert staged.stat().st_mode & 0o777 == 0o755


def test_an_output_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """An output below a file is refused in a sentence that names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Unusable, match=r"cannot write to .*file/model"), staging(tmp_path / "file" / "model"):
        pass
