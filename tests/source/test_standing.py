"""streamer.source.standing: which keyframes of a container stand by themselves."""

import io
from typing import Literal, cast

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.source.container import Contained
from streamer.source.protocol import FILE
from streamer.source.standing import Standing
from tests.peers.rtp_packetizer import encoded

Codec = Literal["libx264", "libx265"]
COUNT = 30


def contained(codec: Codec, container: str, more: str = "") -> list[tuple[bool, bool]]:
    """Of each packet out of a container: whether it is called a keyframe, and whether it stands by itself."""
    made, kind = io.BytesIO(), {"libx264": "h264", "libx265": "hevc"}[codec]
    plain = io.BytesIO(b"".join(encoded(codec, more, count=COUNT)))
    with av.open(plain, "r", format=kind) as source, av.open(made, "w", format=container) as written:
        stream = written.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                packet.pts = packet.dts = round(number / 25 / packet.time_base)
                packet.stream = stream
                written.mux(packet)
    made.seek(0)
    with av.open(made, "r", format=container) as read:
        units = Contained(read, FILE).units()
        return [(unit.packet.is_keyframe, unit.stands) for unit in units if unit.packet is not None]


@pytest.mark.parametrize("container", ["mpegts", "mp4", "flv"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_keyframes_stand(codec: Codec, container: str) -> None:
    """Each that needs no other, however its units are written; and nothing between them."""
    found = contained(codec, container)
    assert sum(is_key for is_key, _ in found) == COUNT // 5
    assert all(is_key == stands for is_key, stands in found)


@pytest.mark.parametrize("container", ["mpegts", "mp4"])
def test_points_from_which_pictures_are_refreshed_do_not(container: str) -> None:
    """Whatever the container calls them: only the first picture, which was coded by itself."""
    assert [stands for _, stands in contained("libx264", container, ":intra-refresh=1")].count(True) == 1


def test_some_points_are_called_keyframes() -> None:
    """By MPEG-TS, which is read by FFmpeg's parser: what stands is less than what is called so."""
    found = contained("libx264", "mpegts", ":intra-refresh=1")
    assert sum(is_key for is_key, _ in found) > 1


def key(data: bytes) -> "av.Packet[av.VideoStream]":
    """A packet that is called a keyframe."""
    packet = cast("av.Packet[av.VideoStream]", av.Packet(data))
    packet.is_keyframe = True
    return packet


def standing(codec: str = "h264", described: bytes = b"") -> Standing:
    """Of a container that describes its video so."""
    context = cast(av.VideoCodecContext, av.CodecContext.create(codec, "r"))
    context.extradata = described
    return Standing(context)


def test_other_codecs_keyframes_are_believed() -> None:
    """Of what has no such points."""
    assert standing("vp8").has(key(b"anything"))


@given(st.binary(max_size=60), st.integers(0, 4))
def test_nothing_is_made_of_rubbish(data: bytes, size: int) -> None:
    """Whatever comes, and however long lengths are, that is told; where there is no slice it is no keyframe."""
    told = standing(described=bytes((1, 0, 0, 0, size - 1, 0, 0)) if size else b"")
    told.has(key(data))
    assert not told.has(key(b"\0" * len(data)))
