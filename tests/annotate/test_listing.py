"""streamer.annotate.listing: which files are looked at, and by which names."""

import inspect
import os
import sys
from pathlib import Path

from streamer.annotate.listing import listing_of


def touch(folder: Path, *names: str) -> None:
    """Empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_folders_are_gone_through_by_name(tmp_path: Path) -> None:
    """Pictures and videos are taken in the order of their names, hidden files not, others are counted."""
    touch(tmp_path, "b.JPG", "a.png", "c.mp4", ".d.jpg", "e.txt", "below/f.webp")
    listing = listing_of([tmp_path], recursive=False)
    assert [each.name for each in listing.files if not each.is_video] == ["a.png", "b.JPG"]
    assert [each.name for each in listing.files if each.is_video] == ["c.mp4"]
    assert listing.passed_over == 1
    assert [each.name for each in listing_of([tmp_path], recursive=True).files] == [
        "a.png",
        "b.JPG",
        "below/f.webp",
        "c.mp4",
    ]


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    """A folder that is a link is not gone into, so that none leads round; a file that is one is a file."""
    touch(tmp_path, "a/b.jpg")
    (tmp_path / "a" / "round").symlink_to(tmp_path)
    (tmp_path / "a" / "c.jpg").symlink_to(tmp_path / "a" / "b.jpg")
    (tmp_path / "a" / "gone.jpg").symlink_to(tmp_path / "nowhere")
    listing = listing_of([tmp_path], recursive=True)
    assert [each.name for each in listing.files] == ["a/b.jpg", "a/c.jpg"]
    assert listing.refused == []


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A pipe is not opened, which would wait for ever, and what is missing is said."""
    os.mkfifo(tmp_path / "pipe.jpg")
    listing = listing_of([tmp_path / "pipe.jpg", tmp_path / "missing.jpg"], recursive=False)
    assert [why for _, why in listing.refused] == ["this is neither a file nor a folder", "No such file or directory"]
    assert listing_of([tmp_path], recursive=False).files == []


def test_two_pictures_do_not_share_a_name(tmp_path: Path) -> None:
    """Of two whose labels would be one file the second is refused; one that is given twice is taken once."""
    touch(tmp_path, "a.jpg", "a.png")
    listing = listing_of([tmp_path, tmp_path / "a.jpg"], recursive=False)
    assert [each.name for each in listing.files] == ["a.jpg"]
    [(path, why)] = listing.refused
    assert path == tmp_path / "a.png"
    assert "its labels would be those of" in why


def test_a_file_that_is_named_is_judged_by_what_is_in_it(tmp_path: Path) -> None:
    """A file that somebody names is taken whatever it is called: as a picture where it begins as one."""
    (tmp_path / "photo").write_bytes(b"\xff\xd8\xff\xe0 and so on")
    (tmp_path / "film.xyz").write_bytes(b"\0\0\0\x20ftypisom")
    listing = listing_of([tmp_path / "photo", tmp_path / "film.xyz"], recursive=False)
    assert [each.is_video for each in listing.files] == [False, True]


def test_our_own_folders_are_left_out(tmp_path: Path) -> None:
    """What an earlier run drew is not looked at again."""
    touch(tmp_path, "a.jpg", "drawn/a.jpg")
    listing = listing_of([tmp_path], recursive=True, without=[tmp_path / "drawn"])
    assert [each.name for each in listing.files] == ["a.jpg"]


def test_folders_may_be_deeper_in_each_other_than_calls(tmp_path: Path) -> None:
    """What somebody unpacked says nothing of Python's own limits."""
    deepest = tmp_path.joinpath(*["a"] * 200)
    deepest.mkdir(parents=True)
    (deepest / "1.jpg").touch()
    (tmp_path / "b.jpg").touch()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        listing = listing_of([tmp_path], recursive=True)
    finally:
        sys.setrecursionlimit(limit)
    assert [given.name for given in listing.files] == [f"{'a/' * 200}1.jpg", "b.jpg"]
