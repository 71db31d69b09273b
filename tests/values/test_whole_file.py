"""streamer.values.whole_file: a file is the old one or the new one, and belongs to whom it did."""

import os
from pathlib import Path

import pytest

from streamer.values.whole_file import replace_file


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """What is given up when all is written leaves the old file, and nothing beside it."""
    path = tmp_path / "a"
    replace_file(path, b"old")
    with pytest.raises(TimeoutError, match="the disk answered too late"):
        replace_file(path, b"new", lambda: True)
    assert [each.name for each in tmp_path.iterdir()] == ["a"]
    assert path.read_bytes() == b"old"
    replace_file(path, b"new", lambda: False)
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_replaces_stays_its_owners(tmp_path: Path) -> None:
    """A command that root runs leaves the service its file; a new one belongs to whom its folder does."""
    path = tmp_path / "a"
    os.chown(tmp_path, 10001, 10002)
    replace_file(path, b"1")
    assert (path.stat().st_uid, path.stat().st_gid) == (10001, 10002)
    os.chown(path, 10003, 10004)
    replace_file(path, b"2")
    assert (path.stat().st_uid, path.stat().st_gid) == (10003, 10004)
