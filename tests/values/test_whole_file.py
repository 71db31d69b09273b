"""streamer.values.whole_file: a file is the old one or the new one, and belongs to whom it did."""

import os
from pathlib import Path

import pytest

from streamer.values.whole_file import open_own, replace_file


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


def test_a_link_leads_root_nowhere(tmp_path: Path) -> None:
    """What only we make is no link of somebody else's: nothing is made where one leads, and nothing is changed."""
    precious, planted = tmp_path / "precious", tmp_path / "folder" / "a.lock"
    planted.parent.mkdir()
    planted.symlink_to(precious)
    for _ in "it is not there", "it is there":
        with pytest.raises(OSError, match=r"a\.lock is a link, and none is followed there"):
            open_own(planted, os.O_RDWR, planted.parent)
        precious.touch()
    assert precious.stat().st_uid == os.geteuid()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_only_what_root_has_made_is_given_away(tmp_path: Path) -> None:
    """A name of root's own file, put into the service's folder, does not make it the service's."""
    precious, folder = tmp_path / "precious", tmp_path / "folder"
    precious.touch()
    folder.mkdir()
    os.chown(folder, 10001, 10002)
    (folder / "a").hardlink_to(precious)
    for name in "a", "b":
        os.close(open_own(folder / name, os.O_RDWR, folder))
    assert precious.stat().st_uid == 0
    assert ((folder / "b").stat().st_uid, (folder / "b").stat().st_gid) == (10001, 10002)
