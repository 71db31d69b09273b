"""streamer.view.encoder: annotated pictures become H.264 packets or JPEG images."""

from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.frame import PictureType
from numpy.typing import NDArray

from streamer.values.packet import TIME_BASE, EncodedPacket
from streamer.view.encoder import H264Encoder, encode_jpeg
from tests.peers.clip import draw_frame, read_index
from tests.peers.frames import make_frame, make_picture

SPS, PPS, IDR, SLICE = 7, 8, 5, 1
"""NAL unit types (H.264, table 7-1)."""


def planes_of(index: int, width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """A numbered picture as I420."""
    picture = av.VideoFrame.from_ndarray(draw_frame(index, width, height), format="rgb24")
    return np.asarray(picture.reformat(format="yuv420p").to_ndarray(), np.uint8)


def decode(packets: list[EncodedPacket]) -> list[av.VideoFrame]:
    """What an independent decoder makes of packets, in order."""
    decoder = av.CodecContext.create("h264", "r")
    pictures: list[av.VideoFrame] = []
    for encoded in packets:
        packet = av.Packet(encoded.data)
        packet.pts, packet.time_base = encoded.pts, TIME_BASE
        pictures += decoder.decode(packet)
    return [*pictures, *decoder.decode(None)]


def nal_units(data: bytes) -> list[bytes]:
    """The NAL units of Annex B bytes."""
    return [unit.rstrip(b"\0") for unit in data.split(b"\0\0\1")[1:]]


def nal_types(packet: EncodedPacket) -> list[int]:
    """Their types."""
    return [unit[0] & 0x1F for unit in nal_units(packet.data)]


def psnr(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Likeness in decibels; the same picture is infinite."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def test_decoding_gives_the_pictures_back() -> None:
    """Every picture comes out once, in order, at its own time, and looks like what went in."""
    encoder = H264Encoder(320, 240)
    pictures = [planes_of(index) for index in range(60)]
    times = [index * 1001 / 30_000 for index in range(60)]
    packets = [packet for planes, pts in zip(pictures, times, strict=True) for packet in encoder.encode(planes, pts)]
    found = decode(packets)
    assert [read_index(picture.to_ndarray(format="rgb24")) for picture in found] == list(range(60))
    assert [picture.pts for picture in found] == [round(pts / TIME_BASE) for pts in times]
    assert min(psnr(planes, picture.to_ndarray()) for planes, picture in zip(pictures, found, strict=True)) > 32


def test_every_picture_leaves_at_once() -> None:
    """No picture is held back: each call gives exactly the packet of its own picture, without reordering."""
    encoder = H264Encoder(320, 240)
    for index in range(40):
        (packet,) = encoder.encode(planes_of(index), index / 30)
        assert packet.pts == index * 3000
        assert packet.is_keyframe == (index == 0)
        assert not {2, 3, 4} & set(nal_types(packet))
        assert set(nal_types(packet)) <= {SPS, PPS, IDR, SLICE, 6}


def test_the_stream_is_baseline_without_b_frames() -> None:
    """The parameter sets say Baseline, which every browser decodes, and no decoded picture is a B-frame."""
    encoder = H264Encoder(320, 240)
    packets = [packet for index in range(30) for packet in encoder.encode(planes_of(index), index / 30)]
    sps = next(unit for unit in nal_units(packets[0].data) if unit[0] & 0x1F == SPS)
    assert sps[1] == 66
    assert {PictureType(picture.pict_type) for picture in decode(packets)} == {PictureType.I, PictureType.P}


def test_a_keyframe_on_request_stands_alone() -> None:
    """A requested keyframe is an IDR with its parameter sets in band: a decoder that begins there misses nothing."""
    encoder = H264Encoder(320, 240)
    packets = []
    for index in range(30):
        packets += encoder.encode(planes_of(index), index / 30, keyframe=index in (7, 8, 20))
    assert [index for index, packet in enumerate(packets) if packet.is_keyframe] == [0, 7, 8, 20]
    for packet in packets:
        types = nal_types(packet)
        assert (IDR in types) == packet.is_keyframe
        assert ({SPS, PPS} <= set(types)) == packet.is_keyframe
    for start in (7, 20):
        found = decode(packets[start:])
        assert [read_index(picture.to_ndarray(format="rgb24")) for picture in found] == list(range(start, 30))


def test_pts_that_stand_still_are_moved_on() -> None:
    """Pictures of one time, or of an earlier one, are a tick later each, so that packets always rise."""
    encoder = H264Encoder(64, 48)
    planes = make_frame().planes()
    found = [packet.pts for pts in (1.0, 1.0, 0.5, 1.1) for packet in encoder.encode(planes, pts)]
    assert found == [90_000, 90_001, 90_002, 99_000]


def test_a_long_stream_keeps_its_ticks() -> None:
    """After days a picture's time is as exact as at first."""
    encoder = H264Encoder(64, 48)
    planes = make_frame().planes()
    start = 30 * 86_400.0
    ticks = [packet.pts for index in range(30) for packet in encoder.encode(planes, start + index / 30)]
    assert ticks == [round(Fraction(start) / TIME_BASE) + 3000 * index for index in range(30)]


def test_keyframes_come_by_themselves_in_the_end() -> None:
    """Without any request a keyframe comes every ten seconds."""
    encoder = H264Encoder(64, 48, fps=5)
    planes = make_frame().planes()
    found = [encoder.encode(planes, index / 5)[0].is_keyframe for index in range(101)]
    assert [index for index, is_keyframe in enumerate(found) if is_keyframe] == [0, 50, 100]


@pytest.mark.parametrize("size", [(2, 2), (16, 16), (18, 34), (638, 358), (1920, 1080)])
@pytest.mark.parametrize("fps", [0.1, 30.0, 1e6])
def test_any_even_size_and_rate_can_be_encoded(size: tuple[int, int], fps: float) -> None:
    """Small, odd-shaped and large pictures at any measured rate come back in their own size."""
    encoder = H264Encoder(*size, fps=fps)
    planes = make_frame(picture=make_picture(*size, seed=2)).planes()
    packets = [packet for index in range(3) for packet in encoder.encode(planes, index / 30)]
    found = decode(packets)
    assert [(picture.width, picture.height) for picture in found] == [size] * 3
    assert psnr(planes, found[0].to_ndarray()) > 28


def test_bits_stay_below_the_ceiling() -> None:
    """Pictures of pure noise, which nothing compresses, stay near the ceiling of their size."""
    dice = np.random.default_rng(0)
    encoder = H264Encoder(640, 360)
    ceiling = 640 * 360 * 2.4
    sizes = []
    for index in range(90):
        noise = dice.integers(16, 236, (540, 640), dtype=np.uint8)
        sizes += [len(packet.data) * 8 for packet in encoder.encode(noise, index / 30)]
    assert sum(sizes[30:]) / 2 < 1.5 * ceiling


@pytest.mark.parametrize("size", [(62, 34), (638, 358), (1280, 720)])
def test_a_jpeg_decodes_to_its_picture(size: tuple[int, int]) -> None:
    """A JPEG is one whole picture, with the colours of the planes."""
    picture = make_picture(*size, seed=5)
    packet = encode_jpeg(make_frame(picture=picture).planes(), pts=2.0)
    assert (packet.pts, packet.is_keyframe) == (180_000, True)
    found = cv2.imdecode(np.frombuffer(packet.data, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    assert found.shape == (size[1], size[0], 3)
    assert psnr(found[:, :, ::-1], picture.to_ndarray(format="rgb24")) > 28
