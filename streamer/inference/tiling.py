"""How a frame is cut into overlapping tiles, each a picture in the model's own size. Pure.

What is as large as the overlap lies whole in some tile; what is larger, the whole frame shows, which is always looked
at too. The answers are made one by `merging.py`.
"""

from typing import Final, Literal

import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from serving.resize import Resize
from serving.signature import Contract
from streamer.inference.pixels import Pixels
from streamer.values.frame import Frame, Sample
from streamer.values.tiles import Region, Tiles

OVERLAP: Final = 0.2
"""Of a tile's side, that it shares with the next."""
ENOUGH: Final = 1.5
"""Of the model's input: a picture that is no larger than so many times it keeps what is small in it, near enough."""

Cut = Literal["off", "2x2", "3x2"]


def cut_of(tiles: Tiles, frame_size: tuple[int, int], contract: Contract) -> Cut:
    """How a frame of (width, height) is cut; with `auto` into as few as have no tile beyond ENOUGH, or into six."""
    if tiles != "auto":
        return tiles
    larger = max(frame_size[0] / contract.width, frame_size[1] / contract.height)
    if larger <= ENOUGH:
        return "off"
    first = regions(frame_size, "2x2")[0]
    return "2x2" if max(first.width / contract.width, first.height / contract.height) <= ENOUGH else "3x2"


def regions(frame_size: tuple[int, int], cut: Cut) -> list[Region]:
    """The tiles of a frame of (width, height), row by row; all of its pixels are in one of them."""
    if cut == "off":
        return []
    width, height = frame_size
    columns, rows = (2, 2) if cut == "2x2" else (3, 2) if width >= height else (2, 3)
    return [
        Region(left, top, right - left, bottom - top)
        for top, bottom in _spans(height, rows)
        for left, right in _spans(width, columns)
    ]


def count_pictures(tiles: Tiles, frame_size: tuple[int, int], contract: Contract) -> int:
    """How many the model looks at for a frame of (width, height), where it has the time."""
    return 1 + len(regions(frame_size, cut_of(tiles, frame_size, contract)))


def _spans(length: int, count: int) -> list[tuple[int, int]]:
    """So many equal parts of a side, each sharing OVERLAP of it with the next: first pixel, and first beyond."""
    side = length / (count - (count - 1) * OVERLAP)
    starts = [number * side * (1 - OVERLAP) for number in range(count)]
    return [(int(start), min(length, int(np.ceil(start + side)))) for start in starts]


def make_sample(
    frame: Frame,
    contract: Contract,
    min_score: float,
    tiles: Tiles = "off",
    *,
    has_room: bool = True,
    reformatter: VideoReformatter | None = None,
) -> Sample:
    """A frame as the model is asked about it.

    Args:
        frame: whose picture is resized, here and now.
        contract: the model's.
        min_score: detections below it are of no interest, 0..1.
        tiles: how the frame is cut.
        has_room: whether the model has the time for it where `auto` would cut.
        reformatter: the calling thread's, for formats that cannot be resized as they are; None: one for this call.
    """
    return sample_of_pixels(frame, Pixels.of(frame, reformatter), contract, min_score, tiles, has_room=has_room)


def sample_of_pixels(
    frame: Frame, pixels: Pixels, contract: Contract, min_score: float, tiles: Tiles = "off", *, has_room: bool = True
) -> Sample:
    """The same of pixels that lie elsewhere than in the frame, whose size and time alone count then."""
    size = frame.width, frame.height
    wished = regions(size, cut_of(tiles, size, contract))
    parts = [
        Sample(frame, _resized(pixels, region, contract), min_score, region)
        for region in (wished if has_room or tiles != "auto" else [])
    ]
    whole = _resized(pixels, Region(0, 0, *size), contract)
    return Sample(frame, whole, min_score, tiles=tuple(parts), wished=1 + len(wished))


def _resized(pixels: Pixels, region: Region, contract: Contract) -> NDArray[np.uint8]:
    input_size = contract.width, contract.height
    resize = Resize.fit((region.width, region.height), input_size, contract.resize, contract.pad_value)
    return pixels.fitted(region, resize)
