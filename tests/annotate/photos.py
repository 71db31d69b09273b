"""Pictures that the session's detector reads a number out of, as files of all kinds."""

from pathlib import Path

from PIL import Image

from tests.peers.clip import draw_frame

WIDTH, HEIGHT = 320, 240
ORIENTATION = 0x0112
"""EXIF's tag."""


def write_photo(path: Path, number: int, *, orientation: int = 1, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """A photo of a number, to be held as `orientation` says: its pixels lie the other way round.

    Args:
        path: whose suffix says what kind it is.
        number: 0..63.
        orientation: 1, 3 (upside down), 6 or 8 (on its side), as EXIF has it.
        size: width and height as one sees it.
    """
    upright = Image.fromarray(draw_frame(number, *size))
    turns = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    turn = turns[orientation]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    (upright if turn is None else upright.transpose(turn)).save(path, exif=exif)
    return path


def write_photos(folder: Path, count: int) -> Path:
    """The numbers from 0, each as a photo."""
    for number in range(count):
        write_photo(folder / f"{number:03d}.jpg", number)
    return folder
