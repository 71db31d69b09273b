"""streamer.rtp.mpeg4: what a packet says of its picture, with pictures of a real encoder."""

from fractions import Fraction

import av
import numpy as np

from streamer.rtp.assembler import Assembler
from streamer.rtp.mpeg4 import read_mpeg4
from streamer.rtp.packet import read_packet
from streamer.rtp.payload import Entry
from tests.peers.rtp_packetizer import Sender


def pictures() -> list[bytes]:
    """Ten, a key picture every five, headers in band."""
    context = av.CodecContext.create("mpeg4", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt, context.gop_size = 160, 128, "yuv420p", 5
    context.framerate = Fraction(25)
    noise = np.random.default_rng(1).integers(0, 99, (192, 160), np.uint8)
    frames = [av.VideoFrame.from_ndarray(noise + np.uint8(index), "yuv420p") for index in range(10)]
    return [bytes(packet) for frame in (*frames, None) for packet in context.encode(frame)]


def test_pictures_come_out_whole_and_keys_are_known() -> None:
    """The payload is the stream itself; a VOP of type I begins a key picture."""
    sent = pictures()
    cut = [[picture[at : at + 700] for at in range(0, len(picture), 700)] for picture in sent]
    assembler, found = Assembler(patience=0), []
    for datagram in Sender().send(cut):
        packet = read_packet(datagram)
        found += assembler.put(packet, read_mpeg4(packet.payload), 0.0)
    assert [picture.data for picture in found] == sent
    assert [picture.is_keyframe for picture in found] == [index % 5 == 0 for index in range(10)]


def test_headers_alone_are_no_picture() -> None:
    """A sequence's header opens the picture behind it."""
    header = read_mpeg4(b"\0\0\1\xb0\1\0\0\1\xb5\x89")
    assert (header.opens, header.has_picture, header.parameter_sets, header.entry) == (True, False, True, Entry.NONE)
    assert not read_mpeg4(b"\x12\x34").opens
    assert not read_mpeg4(b"").has_picture
