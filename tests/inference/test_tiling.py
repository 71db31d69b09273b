"""streamer.inference.tiling: how a frame is cut into overlapping tiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.signature import Contract
from streamer.inference.pixels import Pixels
from streamer.inference.tiling import OVERLAP, Cut, cut_of, regions, sample_of_pixels
from streamer.values.tiles import Region, Tiles
from tests.peers.frames import make_frame, make_picture

CONTRACT = Contract("m", height=384, width=512, labels={})

SIZES = st.tuples(st.integers(1, 5000), st.integers(1, 5000))
CUTS = st.sampled_from(["2x2", "3x2"])


@given(SIZES, CUTS)
def test_tiles_cover_the_frame(size: tuple[int, int], cut: Cut) -> None:
    """However large a frame is, its tiles lie in it, none is empty, and every pixel is in one."""
    covered = np.zeros((2, max(size)), bool)
    for tile in regions(size, cut):
        assert 0 <= tile.left < tile.right <= size[0]
        assert 0 <= tile.top < tile.bottom <= size[1]
        covered[0, tile.left : tile.right] = covered[1, tile.top : tile.bottom] = True
    assert covered[0, : size[0]].all()
    assert covered[1, : size[1]].all()


@given(SIZES, CUTS, st.data())
def test_what_is_no_larger_than_the_overlap_lies_whole_in_a_tile(
    size: tuple[int, int], cut: Cut, data: st.DataObject
) -> None:
    """Wherever a thing is, if it is as large as two tiles share, some tile shows all of it."""
    tiles = regions(size, cut)
    sides = [int(OVERLAP * min(side) - 1) for side in zip(*((tile.width, tile.height) for tile in tiles), strict=True)]
    width, height = (max(1, side) for side in sides)
    left, top = (data.draw(st.integers(0, whole - part)) for whole, part in zip(size, (width, height), strict=True))
    assert any(
        tile.left <= left and left + width <= tile.right and tile.top <= top and top + height <= tile.bottom
        for tile in tiles
    )


def test_three_tiles_lie_along_the_longer_side() -> None:
    """A picture taken upright is cut into three rows of two."""
    across, upright = regions((900, 600), "3x2"), regions((600, 900), "3x2")
    assert len({tile.left for tile in across}) == len({tile.top for tile in upright}) == 3
    assert regions((900, 600), "off") == []


@pytest.mark.parametrize(
    ("size", "tiles", "cut"),
    [
        ((512, 384), "auto", "off"),
        ((768, 576), "auto", "off"),
        ((769, 576), "auto", "2x2"),
        ((400, 600), "auto", "2x2"),
        ((1280, 720), "auto", "2x2"),
        ((1920, 1080), "auto", "3x2"),
        ((3840, 2160), "auto", "3x2"),
        ((512, 384), "2x2", "2x2"),
        ((3840, 2160), "off", "off"),
    ],
)
def test_auto_cuts_what_is_larger_than_the_models_input(size: tuple[int, int], tiles: Tiles, cut: Cut) -> None:
    """A picture of up to 1.5 times the input stays whole; a larger one is cut into four, or six for smaller tiles."""
    assert cut_of(tiles, size, CONTRACT) == cut


def test_a_sample_holds_each_tiles_own_pixels() -> None:
    """Every picture of a sample has the model's size, and shows the part of the frame that it says."""
    frame = make_frame(picture=make_picture(1024, 768))
    pixels = np.zeros((768, 1024, 3), np.uint8)
    pixels[:384, 512:] = 200  # the upper right quarter
    contract = Contract("m", height=96, width=128, labels={})
    sample = sample_of_pixels(frame, Pixels((pixels,)), contract, 0.4, "2x2")
    assert [look.tensor.shape for look in sample.looks()] == [(96, 128, 3)] * 5
    assert [look.region for look in sample.looks()] == [None, *regions((1024, 768), "2x2")]
    assert {look.min_score for look in sample.looks()} == {0.4}
    shares = [round(float((look.tensor > 100).mean()), 2) for look in sample.looks()]
    assert shares == [0.25, 0.09, 0.8, 0.01, 0.09]
    assert (sample.pictures, sample_of_pixels(frame, Pixels((pixels,)), contract, 0.4).looks()[0].region) == (5, None)
    assert Region(10, 20, 30, 40).right == Region(20, 10, 30, 30).bottom == 40
