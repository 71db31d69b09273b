"""A file's track of sound, which FFmpeg wants to be told of before the first packet.

PyAV takes what a decoder must be told from another file's track alone: a head of Matroska (RFC 9559) is made for it.
"""

import io
import struct

import av
from av.container import OutputContainer
from av.stream import Stream

from streamer.values.coded import SoundForm

KEPT = {"aac": b"A_AAC", "opus": b"A_OPUS"}
"""Codecs of sound that browsers play out of MP4, by their names in Matroska (RFC 9559 section 5.1.4.1.21)."""


def sound_track(container: OutputContainer, form: SoundForm) -> Stream:
    """Add a track of sound to a file that has not begun.

    Raises:
        av.FFmpegError: what a decoder is to be told makes no sense.
    """
    with av.open(io.BytesIO(_head(form)), "r", format="matroska") as head:
        return container.add_stream_from_template(head.streams.audio[0], opaque=True)


def _head(form: SoundForm) -> bytes:
    sound = _element("B5", struct.pack(">d", form.sample_rate)) + _number("9F", form.channels)
    track = _number("D7", 1) + _number("73C5", 1) + _number("83", 2) + _element("86", KEPT[form.codec])
    track += _element("63A2", form.setup) + _element("E1", sound)
    info, tracks = _element("1549A966", _number("2AD7B1", 1_000_000)), _element("1654AE6B", _element("AE", track))
    cluster = _element("1F43B675", _number("E7", 0) + _element("A3", b"\x81\0\0\x80\0"))  # of one packet, or it is none
    return _element("1A45DFA3", _element("4282", b"matroska")) + _element("18538067", info + tracks + cluster)


def _element(id_: str, content: bytes) -> bytes:
    """Its size in eight bytes: RFC 8794 section 4."""
    return bytes.fromhex(id_) + struct.pack(">Q", len(content) | 1 << 56) + content


def _number(id_: str, value: int) -> bytes:
    return _element(id_, value.to_bytes(8))
