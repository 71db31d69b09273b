"""streamer.source.multipart: pictures out of what cameras call multipart."""

import contextlib
import re

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.source.multipart import LONGEST_HEAD, Parts
from streamer.source.target import Limits
from streamer.values.errors import SourceError

LIMITS = Limits(max_pixels=640 * 480, max_packet_bytes=1 << 20)


def jpeg(value: int, *, width: int = 64, height: int = 48, progressive: bool = False) -> bytes:
    """A picture with something in it."""
    image = np.random.default_rng(value).integers(0, 256, (height, width, 3), np.uint8)
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)])
    return data.tobytes()


PICTURES = [jpeg(0), jpeg(1, progressive=True), jpeg(2, width=16, height=16)]
THUMBNAIL = b"\xff\xe1" + (len(PICTURES[2]) + 2).to_bytes(2, "big") + PICTURES[2]
WITH_THUMBNAIL = PICTURES[0][:2] + THUMBNAIL + PICTURES[0][2:]
B = b"--frame\r\n"


def part(picture: bytes, *lines: bytes) -> bytes:
    """A part as RFC 2046 has it."""
    return B + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + picture + b"\r\n"


HABITS = {
    "usual": [part(each, b"Content-Type: image/jpeg", b"Content-Length: %d" % len(each)) for each in PICTURES],
    "no boundary first": [each + b"\r\n" + B + b"Content-Type: image/jpeg\r\n\r\n" for each in PICTURES],
    "no type, no length": [part(each) for each in PICTURES],
    "wrong length": [part(each, b"Content-Length: 7") for each in PICTURES],
    "far too long a length": [part(each, b"Content-Length: 1900000000") for each in PICTURES],
    "no line's end": [B + b"\n" + each for each in PICTURES],
    "nothing between": PICTURES,
    "a sensor's buffer filled up": [each + bytes(900) for each in PICTURES],
}


@pytest.mark.parametrize("habit", HABITS)
@given(st.lists(st.integers(1, 3000), max_size=6))
def test_pictures_are_found_however_they_come(habit: str, cuts: list[int]) -> None:
    """Whatever stands between pictures and however the bytes are cut, each is handed on whole, in order, once."""
    data, parts, found = b"".join(HABITS[habit]), Parts(LIMITS), list[bytes]()
    for cut in cuts:
        found += parts.put(data[:cut])
        data = data[cut:]
    found += parts.put(data)
    assert found == PICTURES


@pytest.mark.parametrize("habit", [habit for habit in HABITS if habit != "no boundary first"])
def test_a_picture_waits_for_nothing_behind_it(habit: str) -> None:
    """A picture is handed on with its own last byte."""
    data = HABITS[habit][0]
    end = data.index(PICTURES[0]) + len(PICTURES[0])
    parts = Parts(LIMITS)
    assert parts.put(data[: end - 1]) == []
    assert parts.put(data[end - 1 : end]) == [PICTURES[0]]


def test_a_thumbnail_is_no_picture() -> None:
    """A picture within a picture, as phones write one, stays where it is."""
    assert Parts(LIMITS).put(part(WITH_THUMBNAIL)) == [WITH_THUMBNAIL]


def test_a_picture_that_was_cut_off_ends_where_the_next_begins() -> None:
    """Of a picture without its end what is there is handed on, for the decoder to judge, and the next one is whole."""
    cut = PICTURES[0][:-200]
    cut = cut[: cut.rfind(b"\xff")] if b"\xff" in cut[-2:] else cut
    found = Parts(LIMITS).put(part(cut) + part(PICTURES[1]))
    assert found[-1] == PICTURES[1]


def test_a_size_is_judged_before_the_picture_has_come() -> None:
    """A picture that claims to be larger than may be is refused by its head, before its memory is taken."""
    head = bytearray(PICTURES[0])
    at = head.index(b"\xff\xc0")
    head[at + 5 : at + 9] = (60_000).to_bytes(2, "big") * 2
    with pytest.raises(SourceError, match="60000 x 60000") as refused:
        Parts(LIMITS).put(part(bytes(head[: at + 20])))
    assert refused.value.kind == "too_large"


def test_a_picture_without_end_is_refused() -> None:
    """No more is held of a picture than a packet may have."""
    parts, step = Parts(LIMITS), bytes(1 << 16)
    parts.put(PICTURES[0][:-2])
    for _ in range(LIMITS.max_packet_bytes // len(step) - 1):
        assert parts.put(step) == []
    with pytest.raises(SourceError, match="more than") as refused:
        parts.put(step)
    assert refused.value.kind == "too_large"


@pytest.mark.parametrize(
    ("head", "kind", "said"),
    [
        (b"Content-Type: image/png\r\n", "unsupported", "image/png"),
        (b"Content-Type: text/html\x1b[31m\r\n", "unsupported", "text/html?"),
        (b"X-A: b\r\n", "protocol", "without a JPEG picture"),
    ],
)
def test_what_comes_instead_is_named(head: bytes, kind: str, said: str) -> None:
    """Where no picture comes, the sentence says what does."""
    with pytest.raises(SourceError, match=re.escape(said)) as refused:
        Parts(LIMITS).put(B + head + b"\r\n" + bytes(LONGEST_HEAD))
    assert refused.value.kind == kind


@given(st.binary(max_size=4000), st.integers(1, 500))
def test_whatever_comes_is_pictures_or_refused(noise: bytes, step: int) -> None:
    """Bytes of any kind, with markers among them, are taken apart or refused; none is handed on twice."""
    noise = noise.replace(b"\x01", b"\xff\xd8\xff").replace(b"\x02", b"\xff\xda").replace(b"\x03", b"\xff\xd9")
    parts = Parts(LIMITS)
    found = list[bytes]()
    with contextlib.suppress(SourceError):
        for at in range(0, len(noise), step):
            found += parts.put(noise[at : at + step])
    assert sum(map(len, found)) + len(parts._held) <= len(noise)
