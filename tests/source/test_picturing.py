"""streamer.source.picturing and seams: packets become the pictures that are wanted, by decoders that fit."""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import cast

import av
import numpy as np
import pytest

from streamer.rtp.assembler import Assembler
from streamer.rtp.h264 import read_h264
from streamer.rtp.packet import read_packet
from streamer.rtp.picture import Picture
from streamer.source.opened import Unit, Video, limit
from streamer.source.picturing import Picturing
from streamer.source.seams import FURTHEST, OPTION, Seams
from streamer.source.target import Limits
from streamer.values.depth import WHOLE, Depth
from tests.peers.frames import make_picture
from tests.peers.rtp_packetizer import Sender, encoded, h264_payloads, units_of

FPS, GOP, COUNT = 30, 10, 60
FAR = Depth(is_whole=False, wanted_at=1e9)
LIMITS = Limits()


@lru_cache
def coded(encoder: str = "libx264", *, b_pictures: int = 0) -> tuple["av.Packet[av.VideoStream]", ...]:
    """Moving pictures, a keyframe every GOP, parameter sets in front of each; times are numbers of pictures."""
    context = cast(av.VideoCodecContext, av.CodecContext.create(encoder, "w"))
    context.width, context.height, context.pix_fmt, context.time_base = 320, 240, "yuv420p", Fraction(1, FPS)
    if encoder == "mjpeg":
        context.pix_fmt, context.options = "yuvj420p", {}
    else:
        x265 = {"x265-params": f"keyint={GOP}:min-keyint={GOP}:scenecut=0:bframes=0:log-level=none"}
        x264 = {"g": str(GOP), "bf": str(b_pictures), "sc_threshold": "0", "crf": "30"}
        context.options = {"preset": "ultrafast"} | (x264 if encoder == "libx264" else x265)
        if encoder == "libx264":
            context.options |= {"preset": "veryfast"}
    packets = list["av.Packet[av.VideoStream]"]()
    wide = make_picture(640, 240, seed=7).to_ndarray(format="rgb24")
    for number in range(COUNT):
        picture = av.VideoFrame.from_ndarray(np.array(wide[:, 4 * number :][:, :320], np.uint8), "rgb24")
        frame = picture.reformat(format=context.pix_fmt)
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        packets += context.encode(frame)
    return (*packets, *context.encode(None))


def video_of(decoder: str = "h264", stream: av.VideoStream | None = None) -> Video:
    """Of a camera that sends that."""
    context = cast(av.VideoCodecContext, av.CodecContext.create(decoder, "r"))
    limit(context, LIMITS)
    return Video(context, 1 / FPS, stream=stream)


def pictured(
    depths: Sequence[Depth], packets: Sequence["av.Packet[av.VideoStream]"], decoder: str = "h264"
) -> dict[int, av.VideoFrame]:
    """What is shown of these packets, by time, each asked for that deep."""
    return shown_of(depths, [Unit(packet, number / FPS) for number, packet in enumerate(packets)], decoder)


def shown_of(depths: Sequence[Depth], units: Sequence[Unit], decoder: str = "h264") -> dict[int, av.VideoFrame]:
    """The same of units."""
    picturing = Picturing(video_of(decoder), LIMITS, clocked=True, independent=decoder == "mjpeg")
    shown = dict[int, av.VideoFrame]()
    for depth, unit in zip(depths, units, strict=True):
        assert unit.packet is not None
        for each in picturing.take(unit, unit.packet, depth) or ():
            assert each.of.packet is not None
            assert each.picture.pts == each.of.packet.pts
            shown[round((each.own or 0) * FPS)] = each.picture
    return shown


def packet_of(picture: Picture, number: int) -> "av.Packet[av.VideoStream]":
    """One picture out of RTP for the decoder."""
    packet = cast("av.Packet[av.VideoStream]", av.Packet(picture.data))
    packet.pts, packet.time_base, packet.is_keyframe = number, Fraction(1, FPS), picture.is_keyframe
    return packet


def apart(one: av.VideoFrame, other: av.VideoFrame) -> float:
    """Mean difference of two pictures' pixels, of 255."""
    a, b = (each.to_ndarray(format="gray").astype(np.int16) for each in (one, other))
    return float(np.abs(a - b).mean())


@pytest.mark.parametrize(("encoder", "decoder"), [("libx264", "h264"), ("libx265", "hevc")])
def test_while_nobody_looks_keyframes_do_where_they_suffice(encoder: str, decoder: str) -> None:
    """From when keyframes are known to come steadily, and all again as soon as somebody looks, undamaged."""
    packets = coded(encoder)
    whole = pictured([WHOLE] * COUNT, packets, decoder)
    depths = [WHOLE] * 30 + [FAR] * 15 + [WHOLE] * 15
    shown = pictured(depths, packets, decoder)
    assert list(whole) == list(range(COUNT))
    assert list(shown) == [*range(30), 30, 40, *range(45, 60)]
    assert max(apart(shown[number], whole[number]) for number in (*range(30), *range(50, 60))) == 0
    assert max(apart(shown[number], whole[number]) for number in range(30, 50) if number in shown) < 2.5


def test_with_b_pictures_everything_is_decoded() -> None:
    """A keyframe's picture waits for those behind it, which therefore count."""
    packets = coded(b_pictures=2)
    assert list(pictured([FAR] * COUNT, packets)) == list(pictured([WHOLE] * COUNT, packets))


def test_of_mjpeg_what_is_not_wanted_is_not_decoded() -> None:
    """Pictures that need no other are decoded when their turn comes."""
    packets = coded("mjpeg")
    depths = [Depth(is_whole=False, wanted_at=(number + 5) // 6 * 6 / FPS, slack=0.001) for number in range(COUNT)]
    assert list(pictured(depths, packets, "mjpeg")) == [number for number in range(COUNT) if number % 6 == 0]


@pytest.mark.parametrize("way", ["asked for nothing", "asked at times"])
def test_what_is_refreshed_strip_by_strip_is_all_decoded(way: str) -> None:
    """A point from which a camera refreshes its pictures needs what was before: nothing is left out, nor damaged."""
    assembler, sender, units = Assembler(), Sender(), list[Unit]()
    payloads = (h264_payloads(units_of(data), "fragments", 400) for data in encoded("libx264", ":intra-refresh=1", 60))
    for datagram in sender.send(payloads):
        packet = read_packet(datagram)
        for each in assembler.put(packet, read_h264(packet.payload), len(units) / FPS):
            units.append(Unit(packet_of(each, len(units)), len(units) / FPS, None, each.is_whole, stands=each.stands))
    often = [Depth(is_whole=False, wanted_at=(number + 5) // 6 * 6 / FPS, slack=0.05) for number in range(len(units))]
    whole = shown_of([WHOLE] * len(units), units)
    shown = shown_of([FAR] * len(units) if way == "asked for nothing" else often, units)
    assert sum(unit.packet is not None and unit.packet.is_keyframe for unit in units) > 5
    assert list(shown) == list(whole) == list(range(len(units)))
    assert max(apart(shown[number], whole[number]) for number in whole) == 0


def turned(video: Video, packet: "av.Packet[av.VideoStream]", **asked: bool | float | None) -> bool:
    """Whether a keyframe is given to a decoder that leaves seams."""
    wanted, distance = bool(asked.get("wanted", False)), asked.get("distance", 1.0)
    return Seams(video, LIMITS).turn(packet, wanted=wanted, distance=distance)


def test_seams_are_left_while_nobody_looks() -> None:
    """Another decoder takes over at a keyframe, with the same limits, and gives way when somebody looks."""
    video, key = video_of(), coded()[0]
    seams, before = Seams(video, LIMITS), video.context
    assert seams.turn(key, wanted=False, distance=1.0)
    assert seams.are_left
    assert video.context.options == before.options | OPTION
    assert not seams.turn(key, wanted=False, distance=1.0)  # they are already
    assert seams.turn(key, wanted=True, distance=1.0)
    assert video.context.options == before.options


def test_seams_are_smoothed_where_it_is_not_certain_that_they_may_be_left() -> None:
    """Keyframes far apart or unsteady, or that another decoder could not begin with; and after trouble with it."""
    key = coded()[0]
    assert not turned(video_of(), key, distance=None)
    assert not turned(video_of(), key, distance=FURTHEST + 0.1)
    assert not turned(video_of(), key, wanted=True)
    bare = cast("av.Packet[av.VideoStream]", av.Packet(bytes(key)[bytes(key).rfind(b"\0\0\1") :]))
    assert not turned(video_of(), bare)
    assert not turned(video_of("mjpeg"), coded("mjpeg")[0])
    video = video_of()
    seams = Seams(video, LIMITS)
    assert seams.turn(key, wanted=False, distance=1.0)
    seams.spoiled()
    assert seams.turn(key, wanted=False, distance=1.0)  # back
    assert not seams.turn(key, wanted=False, distance=1.0)
    assert not seams.are_left
