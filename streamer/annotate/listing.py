"""What is to be looked at: the files that are given, and those in the folders that are."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PICTURES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp")
VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".flv", ".wmv")


@dataclass(frozen=True, slots=True)
class Given:
    """One file."""

    path: Path
    name: str
    """Its path below the folder that was given, with slashes; its own name where it was given itself."""
    is_video: bool


@dataclass
class Listing:
    """All files, and what is wrong with some."""

    files: list[Given] = field(default_factory=list)
    refused: list[tuple[Path, str]] = field(default_factory=list)
    """Which cannot be had, and why."""
    passed_over: int = 0
    """Files in folders that are neither pictures nor videos by their names."""


def listing_of(given: Sequence[Path], *, recursive: bool, without: Sequence[Path] = ()) -> Listing:
    """Look through what is given, each folder by name. Blocks.

    Args:
        given: files and folders.
        recursive: go into folders' folders; not those that are links.
        without: folders that are left out when they are come upon: what is in them we wrote.
    """
    listing, names = Listing(), dict[str, Path]()
    left_out = {_real(folder) for folder in without}
    for path in given:
        for file, name in _files(path, listing, recursive=recursive, left_out=left_out):
            _take(file, name, listing, names, chosen=file is path)
    return listing


def _take(file: Path, name: str, listing: Listing, names: dict[str, Path], *, chosen: bool) -> None:
    suffix = file.suffix.lower()
    if not chosen and suffix not in (*PICTURES, *VIDEOS):
        listing.passed_over += 1
        return
    is_video = suffix in VIDEOS or (suffix not in PICTURES and not _begins_as_picture(file))
    # Labels are found by what stands before the suffix; a video's frames are in a folder of its whole name.
    called = name if is_video else name.removesuffix(file.suffix)
    other = names.setdefault(called, file)
    if other is file:
        listing.files.append(Given(file, name, is_video))
    elif _real(other) != _real(file):  # else it was given twice
        listing.refused.append((file, f"its labels would be those of {other}; give the folder above both, --recursive"))


def _files(path: Path, listing: Listing, *, recursive: bool, left_out: set[str]) -> Iterator[tuple[Path, str]]:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        listing.refused.append((path, error.strerror or str(error)))
        return
    except ValueError:  # a NUL
        listing.refused.append((path, "no file is called so"))
        return
    if stat.S_ISREG(mode):
        yield path, path.name
    elif stat.S_ISDIR(mode):
        yield from _walk(path, listing, recursive=recursive, left_out=left_out)
    else:
        listing.refused.append((path, "this is neither a file nor a folder"))


def _walk(folder: Path, listing: Listing, *, recursive: bool, left_out: set[str]) -> Iterator[tuple[Path, str]]:
    """Without calling itself: folders may be deeper in each other than calls."""
    levels = [_entries(folder, "", listing)]
    while levels:
        for path, name, is_folder in levels[-1]:
            if not is_folder:
                yield path, name
            elif recursive and _real(path) not in left_out:
                levels.append(_entries(path, f"{name}/", listing))
                break
        else:
            levels.pop()


def _entries(folder: Path, below: str, listing: Listing) -> Iterator[tuple[Path, str, bool]]:
    """Files and folders in one, by name: path, name below what was given, and whether it is a folder."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        listing.refused.append((folder, error.strerror or str(error)))
        return
    for entry in found:
        if entry.name.startswith("."):  # ours, and what systems and editors keep beside files
            continue
        try:
            is_file, is_folder = entry.is_file(), entry.is_dir(follow_symlinks=False)
        except OSError:
            is_file, is_folder = True, False  # whatever is wrong with it is said when it is opened
        if is_file or is_folder:
            yield folder / entry.name, f"{below}{entry.name}", is_folder


def _begins_as_picture(file: Path) -> bool:
    """Whether the first bytes are those of a JPEG, PNG or WebP."""
    try:
        with file.open("rb") as opened:
            head = opened.read(12)
    except OSError:
        return True  # said when it is opened again
    return head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def _real(path: Path) -> str:
    return os.path.realpath(path)
