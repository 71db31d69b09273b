"""streamer.webrtc.decoder: pictures in, frames out, in a thread that never has more waiting than it can be late."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import av
import numpy as np
import pytest

from streamer.rtp.picture import Picture
from streamer.view.encoder import Encoder, H264Encoder, Vp8Encoder
from streamer.webrtc.decoder import MAX_WAITING, Decoder, VideoCodec
from tests.peers.clip import draw_frame, read_index
from tests.peers.rtp_packetizer import encoded
from tests.peers.until import wait_until

WIDTH, HEIGHT = 320, 240
PATIENCE_S = 30


def encode(count: int, codec: VideoCodec = "H264", *, width: int = WIDTH, every: int = 1000) -> list[Picture]:
    """Numbered pictures, a keyframe `every` so many."""
    encoder: Encoder = H264Encoder(width, HEIGHT) if codec == "H264" else Vp8Encoder(width, HEIGHT)
    pictures = []
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(draw_frame(index, width, HEIGHT), format="rgb24")
        planes = np.asarray(frame.reformat(format="yuv420p").to_ndarray(), np.uint8)
        [packet] = encoder.encode(planes, index / 30, keyframe=index % every == 0)
        pictures.append(Picture(packet.data, index / 30, packet.is_keyframe, float(index), float(index)))
    return pictures


class Taken:
    """What a decoder delivers; it can be held up."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.threads: set[str] = set()
        self.go = threading.Event()
        self.go.set()
        self._news = threading.Condition()

    def __call__(self, frame: av.VideoFrame, _: Picture) -> None:
        self.go.wait()
        with self._news:
            self.threads.add(threading.current_thread().name)
            self.numbers.append(read_index(frame.to_ndarray(format="rgb24")))
            self._news.notify()

    def wait_for(self, number: int) -> None:
        """Wait until a picture of that number was delivered."""
        with self._news:
            assert self._news.wait_for(lambda: number in self.numbers, PATIENCE_S), self.numbers


@contextmanager
def run_decoder(codec: VideoCodec = "H264", max_pixels: int = WIDTH * HEIGHT) -> Iterator[tuple[Decoder, Taken]]:
    """A decoder that is closed afterwards."""
    taken = Taken()
    decoder = Decoder("phone", codec, taken, max_pixels=max_pixels)
    try:
        yield decoder, taken
    finally:
        taken.go.set()
        decoder.close()


def test_every_picture_comes_out_at_once() -> None:
    """Each picture of either codec is delivered without waiting for the next, in order, in the decoder's thread."""
    codecs: tuple[VideoCodec, ...] = ("H264", "VP8")
    for codec in codecs:
        with run_decoder(codec) as (decoder, taken):
            for index, picture in enumerate(encode(5, codec)):
                decoder.put(picture)
                taken.wait_for(index)
            assert taken.numbers == [0, 1, 2, 3, 4]
            assert taken.threads == {"decoder-phone"}
            assert decoder.dropped == 0


def test_a_frame_keeps_the_times_of_its_own_picture() -> None:
    """After B-frames, which no browser sends and others may, each frame comes with the picture it was, in order."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, 30)
    encoder.max_b_frames, encoder.options = 2, {"b_adapt": "0"}
    found: list[tuple[int, float]] = []
    everything = threading.Event()

    def deliver(frame: av.VideoFrame, picture: Picture) -> None:
        found.append((read_index(frame.to_ndarray(format="rgb24")), picture.pts))
        if len(found) == 10:
            everything.set()

    decoder = Decoder("drone", "H264", deliver, max_pixels=WIDTH * HEIGHT)
    for index in range(15):
        frame = av.VideoFrame.from_ndarray(draw_frame(index, WIDTH, HEIGHT), format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, 30)
        for packet in [*encoder.encode(frame), *(encoder.encode(None) if index == 14 else [])]:
            decoder.put(Picture(bytes(packet), float(packet.pts or 0), packet.is_keyframe, 0.0, 0.0))
    assert everything.wait(PATIENCE_S), found
    decoder.close()
    assert found[:10] == [(index, float(index)) for index in range(10)]


def test_a_backlog_is_dropped_up_to_a_keyframe() -> None:
    """When more waits than may, all of it goes, and nothing comes before the next keyframe; it is all counted."""
    pictures = encode(3 * MAX_WAITING, every=2 * MAX_WAITING)
    with run_decoder() as (decoder, taken):
        taken.go.clear()
        decoder.put(pictures[0])
        while decoder._waiting:  # the thread has it, and is held up
            pass
        for picture in pictures[1 : 2 * MAX_WAITING]:
            decoder.put(picture)
        assert len(decoder._waiting) == 0
        assert decoder.dropped == 2 * MAX_WAITING - 1
        for picture in pictures[2 * MAX_WAITING : 2 * MAX_WAITING + 3]:
            decoder.put(picture)
        assert len(decoder._waiting) == 3
        taken.go.set()
        taken.wait_for(2 * MAX_WAITING + 2)
        assert taken.numbers == [0, *range(2 * MAX_WAITING, 2 * MAX_WAITING + 3)]
        assert decoder.dropped == 2 * MAX_WAITING - 1


def test_what_cannot_be_decoded_wants_a_keyframe() -> None:
    """Garbage is dropped and counted, and the next keyframe decodes."""
    pictures = encode(2, "VP8", every=1)
    with run_decoder("VP8") as (decoder, taken):
        decoder.put(pictures[0])
        taken.wait_for(0)
        decoder.put(Picture(b"\x01" * 3, 0.1, False, 0.0, 0.0))
        while not decoder.wants_keyframe:
            pass
        decoder.put(pictures[1])
        taken.wait_for(1)
        assert decoder.dropped == 1


def test_a_picture_too_large_is_never_allocated() -> None:
    """A picture beyond max_pixels is refused by the decoder itself."""
    [large] = encode(1, width=4 * WIDTH)
    with run_decoder() as (decoder, taken):
        decoder.put(large)
        while not decoder.wants_keyframe:
            pass
        assert taken.numbers == []


def test_a_picture_cut_down_is_judged_by_what_is_decoded() -> None:
    """Of 192 x 160 pixels, 64 x 64 of which are shown, none is decoded where those are the most."""
    delivered = list[tuple[int, int]]()
    decoder = Decoder(
        "phone", "H264", lambda frame, _: delivered.append((frame.width, frame.height)), max_pixels=64 * 64
    )
    decoder.put(Picture(encoded("libx264", ":crop-rect=0,0,128,96")[0], 0.0, True, 0.0, 0.0))
    wait_until(lambda: decoder.wants_keyframe or delivered)
    decoder.close()
    assert delivered == []


def test_a_closed_decoder_ends_its_thread() -> None:
    """Closing twice is fine, and no thread stays."""
    with run_decoder() as (decoder, _):
        decoder.close()
        decoder.close()
    for thread in threading.enumerate():
        if thread.name == "decoder-phone":
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def test_pictures_that_cannot_be_delivered_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Each picture whose taker raises is dropped, which is said once by the stream's name; the thread goes on."""
    pictures, delivered = encode(3), list[int]()

    def deliver(*_: object) -> None:
        delivered.append(1)
        raise ZeroDivisionError

    decoder = Decoder("phone", "H264", deliver, max_pixels=WIDTH * HEIGHT)
    for picture in pictures:
        decoder.put(picture)
    wait_until(lambda: decoder.dropped == 3)
    decoder.close()
    assert len(delivered) == 3
    [record] = caplog.records
    assert record.getMessage() == "phone: the publisher's pictures cannot be delivered"
