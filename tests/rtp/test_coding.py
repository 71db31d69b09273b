"""streamer.rtp.coding: what pictures are coded in, and key pictures with all that is needed to begin."""

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.rtp.coding import Coding, brings_sets, jpeg_size, vp8_size
from streamer.values.coded import CodedForm
from tests.peers.rtp_packetizer import START, annex_b, encoded, units_of

SPS, PPS, SEI, IDR = units_of(encoded("libx264")[0])
[P] = units_of(encoded("libx264")[1])
WHOLE = annex_b([SPS, PPS, IDR])
"""A key picture with its sets."""


def jpeg(width: int, height: int) -> bytes:
    """A grey JPEG of that size."""
    done, data = cv2.imencode(".jpg", np.full((height, width, 3), 128, np.uint8))
    assert done
    return bytes(data)


def form_of(coding: Coding) -> CodedForm:
    """What is known by now."""
    assert coding.form is not None
    return coding.form


def test_nothing_comes_before_a_key_picture_that_says_what_it_is() -> None:
    """A picture that needs others, or a key picture without sets, is nothing to begin a file with."""
    coding = Coding("h264")
    assert coding.complete(annex_b([P]), 0, is_key=False) is None
    assert coding.complete(annex_b([IDR]), 1, is_key=True) is None
    assert coding.complete(WHOLE, 2, is_key=True) == WHOLE
    assert coding.complete(annex_b([P]), 3, is_key=False) == annex_b([P])


@pytest.mark.parametrize("heard", [False, True])
def test_sets_that_are_said_once_stand_before_every_key_picture(heard: bool) -> None:
    """Also where they were said in a picture that nobody wanted."""
    coding = Coding("h264")
    if heard:
        coding.hear(WHOLE)
    else:
        coding.complete(WHOLE, 0, is_key=True)
    assert coding.complete(annex_b([SEI, IDR]), 1, is_key=True) == annex_b([SPS, PPS, SEI, IDR])
    assert coding.complete(annex_b([SPS, IDR]), 2, is_key=True) == annex_b([PPS, SPS, IDR])


def test_sets_that_are_described_stand_before_the_first() -> None:
    """So they do where a description beside the video has them."""
    coding = Coding("h264", described=annex_b([SPS, PPS]), frame_rate=25)
    assert coding.complete(annex_b([IDR]), 0, is_key=True) == WHOLE
    assert form_of(coding).frame_rate == 25


def test_h265_has_a_set_more() -> None:
    """VPS, SPS and PPS stand before a key picture that has none of them."""
    first = units_of(encoded("libx265")[0])
    sets = [unit for unit in first if unit[0] >> 1 in (32, 33, 34)]
    slices = [unit for unit in first if unit[0] >> 1 < 32]
    coding = Coding("hevc")
    coding.hear(annex_b(first))
    assert len(sets) == 3
    assert coding.complete(annex_b(slices), 0, is_key=True) == annex_b([*sets, *slices])
    assert form_of(coding).codec == "hevc"


def test_another_size_is_another_form() -> None:
    """From the key picture on that says so, and only then."""
    coding = Coding("mjpeg")
    coding.complete(jpeg(64, 48), 0, is_key=True)
    small = form_of(coding)
    coding.complete(jpeg(64, 48), 1, is_key=True)
    assert coding.form is small
    coding.complete(jpeg(80, 48), 2, is_key=True)
    assert (form_of(coding).width, form_of(coding).height) == (80, 48)


def test_codecs_that_do_not_say_are_as_large_as_they_decode() -> None:
    """Before anything was decoded nobody can tell."""
    coding = Coding("mpeg4")
    assert coding.complete(b"picture", 0, is_key=True) is None
    assert coding.complete(b"picture", 1, is_key=True, decoded=(320, 240)) == b"picture"
    assert form_of(coding) == CodedForm("mpeg4", 320, 240)


def test_an_order_that_is_not_said_is_seen() -> None:
    """Pictures that come before one shown earlier are counted, and told from the next key picture on; a clock that
    was set back is none of them."""
    coding = Coding("mpeg4")
    for time, is_key in ((0, True), (3, False), (1, False), (2, False), (6, True), (-9_000_000, False), (7, True)):
        coding.complete(b"picture", time * 40_000, is_key=is_key, decoded=(64, 64))
        assert form_of(coding).reorder == (1 if time in (6, -9_000_000, 7) else 0)


def test_a_key_frame_of_vp8_says_its_size() -> None:
    """Without its scaling; what is no key frame says nothing."""
    assert vp8_size(b"\x10\0\0\x9d\x01\x2a" + bytes((0x40, 0x41, 0xF0, 0x00)) + b"rest") == (320, 240)
    assert vp8_size(b"\x11\0\0rest of it") == (0, 0)


@given(st.binary(max_size=60))
def test_whatever_comes_is_kept_or_not(data: bytes) -> None:
    """No bytes are too strange to be looked at."""
    for codec, is_key in itertools.product(("h264", "hevc", "mjpeg", "vp8", "mpeg4"), (True, False)):
        coding = Coding(codec, described=data)
        coding.hear(data)
        coding.complete(START + data, 0, is_key=is_key)
    assert len(jpeg_size(b"\xff\xd8" + data)) == 2


def test_a_key_picture_with_all_sets_brings_them() -> None:
    """Of H.264 two kinds, of H.265 three, before the picture; other codecs have none."""
    for codec, sets in (("h264", b"\0\0\1\x67a\0\0\1\x68b"), ("hevc", b"\0\0\1\x40\1\0\0\1\x42\1\0\0\1\x44\1")):
        picture = b"\0\0\1\x65c" if codec == "h264" else b"\0\0\1\x26\1"
        assert brings_sets(codec, sets + picture)
        assert not brings_sets(codec, sets[sets.find(b"\0\0\1", 1) :] + picture)
        assert not brings_sets(codec, picture + sets)
        assert not brings_sets("mjpeg", sets + picture)
