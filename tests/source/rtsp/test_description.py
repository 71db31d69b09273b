"""streamer.source.rtsp.description: what a camera says it has."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.source.rtsp.description import CLOCK_RATE, MAX_FORMATS, MAX_TRACKS, Description, read
from streamer.source.rtsp.message import MAX_BODY
from streamer.values.errors import SourceError
from tests.peers.rtsp_camera import SDP

HEAD = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n"
VIDEO = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:a\r\n"
BACK_CHANNEL = "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:back\r\na=sendonly\r\n"
METADATA = "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:meta\r\n"
SPS, PPS = b"\x67\x42\xc0\x0d", b"\x68\xce\x0f"


def described(*sections: str) -> Description:
    """Read these sections."""
    return read((HEAD + "".join(sections)).encode())


def test_a_track_is_read() -> None:
    """Codec, payload type, clock, parameters, control, direction and rate are what the camera says."""
    track = described(
        "a=recvonly\r\n",
        "m=video 0 RTP/AVP 98 99\r\nb=AS:5000\r\na=control:rtsp://x/t=1?a=b\r\n"
        "a=rtpmap:98 h264/90000\r\na=fmtp:98 packetization-mode=1; Profile-Level-ID=64;flag\r\na=framerate:12.5\r\n",
    ).video()
    assert (track.codec, track.payload_type, track.clock_rate) == ("H264", 98, 90000)
    assert track.fmtp == {"packetization-mode": "1", "profile-level-id": "64", "flag": ""}
    assert (track.control, track.direction, track.frame_rate) == ("rtsp://x/t=1?a=b", "recvonly", 12.5)


def test_the_first_video_that_can_be_played_is_chosen() -> None:
    """Sound, metadata, a back channel, a codec that is not known and a second lens are passed over."""
    unknown = "m=video 0 RTP/AVP 95\r\na=rtpmap:95 theora/90000\r\na=control:t\r\n"
    thermal = VIDEO.replace("control:a", "control:b")
    towards = VIDEO.replace("control:a", "control:c") + "a=sendonly\r\n"
    for sections in ((VIDEO, thermal), (BACK_CHANNEL, METADATA, VIDEO), (unknown, VIDEO), (towards, VIDEO)):
        assert described(*sections).video().control == "a"
    assert described(towards).video().control == "c"


@pytest.mark.parametrize(
    ("section", "kind", "says"),
    [
        (BACK_CHANNEL, "codec", "no video"),
        ("m=video 0 RTP/SAVP 96\r\na=rtpmap:96 H264/90000\r\n", "unsupported", "encrypted (SRTP), which is not played"),
        ("m=video 0 RTP/SAVPF 96\r\na=rtpmap:96 H264/90000\r\n", "unsupported", "SRTP"),
        ("m=video 0 RTP/AVP 33\r\n", "codec", "MP2T, which is not played; allowed are H264, H265"),
        ("m=video 0 RTP/AVP 96\r\na=rtpmap:96 \x1b[31mEVIL/90000\r\n", "codec", "?[31MEVIL"),
        ("m=video\r\n", "codec", "of a kind it does not name"),
    ],
)
def test_what_cannot_be_played_is_named(section: str, kind: str, says: str) -> None:
    """Why nothing is played is said with what the camera offers, and what is allowed."""
    with pytest.raises(SourceError) as refused:
        described(section).video()
    assert (refused.value.kind, says in str(refused.value)) == (kind, True), str(refused.value)


@pytest.mark.parametrize(
    ("section", "codec"),
    [
        ("m=video 0 RTP/AVP 26\r\n", "JPEG"),
        ("m=video 0 RTP/AVP 35\r\na=rtpmap:35 H265/90000\r\n", "H265"),
        ("m=video 0 RTP/AVP 96\r\na=rtpmap:96 HEVC/90000\r\n", "H265"),
        ("m=video 0 RTP/AVP 96\r\na=fmtp:96 sprop-parameter-sets=Z0LADQ==\r\n", "H264"),
        ("m=video 0 RTP/AVP 96\r\na=fmtp:96 sprop-vps=QAE=;sprop-sps=QgE=\r\n", "H265"),
        ("m=video 0 RTP/AVP 33 96\r\na=rtpmap:96 VP8/90000\r\n", "VP8"),
    ],
)
def test_a_codec_is_known_by_what_there_is(section: str, codec: str) -> None:
    """A payload type that needs no name, another name, or parameters alone tell the codec."""
    assert described(section).video().codec == codec


def test_an_odd_clock_rate_is_not_taken() -> None:
    """A clock rate of nothing, of letters or of gigahertz is the usual one; any other is the camera's."""
    for written, rate in (
        ("0", CLOCK_RATE),
        ("x", CLOCK_RATE),
        ("9" * 30, CLOCK_RATE),
        ("48000", 48000),
        ("1000", 1000),
    ):
        assert described(f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/{written}\r\n").video().clock_rate == rate


def test_parameter_sets_become_annex_b() -> None:
    """What stands in base64 comes with start codes; what is no base64, no parameter set or empty is left out."""
    sps, pps = (base64.b64encode(unit).decode() for unit in (SPS, PPS))
    slices = base64.b64encode(b"\x65slice").decode()
    fmtp = f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sps.rstrip('=')},%%%,,{slices},é,{pps}\r\n"
    assert described(VIDEO + fmtp).video().parameter_sets == b"\0\0\0\1" + SPS + b"\0\0\0\1" + PPS
    assert described(VIDEO + "a=fmtp:96 sprop-parameter-sets=\r\n").video().parameter_sets == b""
    units = {"vps": b"\x40\x01v", "sps": b"\x42\x01s", "pps": b"\x44\x01p"}
    said = ";".join(f"sprop-{name}={base64.b64encode(unit).decode()}" for name, unit in units.items())
    hevc = f"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 {said}\r\n"
    assert described(hevc).video().parameter_sets == b"".join(b"\0\0\0\1" + unit for unit in units.values())
    mpeg4 = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 MP4V-ES/90000\r\na=fmtp:96 profile-level-id=1;config={}\r\n"
    assert described(mpeg4.format("000001b001")).video().parameter_sets == b"\0\0\1\xb0\1"
    assert described(mpeg4.format("000")).video().parameter_sets == b""


def test_lines_end_as_cameras_end_them() -> None:
    """Carriage returns, line feeds, both, blanks and lines that mean nothing change nothing."""
    for end in ("\r\n", "\n", "\r", " \r\n"):
        assert read((SDP + "junk\r\n=\r\n").replace("\r\n", end).encode()).video().control == "trackID=0"


def test_a_description_has_its_limits() -> None:
    """Too many tracks and too many bytes are refused before anything is made of them; as many as allowed are not."""
    assert len(described(*[VIDEO] * MAX_TRACKS).tracks) == MAX_TRACKS
    for body in ((HEAD + VIDEO * (MAX_TRACKS + 1)).encode(), bytes(MAX_BODY + 1)):
        with pytest.raises(SourceError, match="more than") as refused:
            read(body)
        assert refused.value.kind == "too_large"
    with pytest.raises(SourceError, match="no stream"):
        read(b"<html>")


def test_so_many_formats_are_looked_at() -> None:
    """A description of thousands of payload types takes no longer to read than one of so many: the rest is not."""
    for others, codec in ((MAX_FORMATS - 1, "JPEG"), (MAX_FORMATS, "PCMU")):
        [track] = described(f"m=video 0 RTP/AVP{' 0' * others} 26\r\n").tracks
        assert track.codec == codec


lines = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        (HEAD + VIDEO + BACK_CHANNEL + METADATA + "a=fmtp:96 sprop-parameter-sets=Z0LADQ==,!").split("\r\n")
    ),
    st.builds("{}={}".format, st.sampled_from("vomatsc"), st.text(max_size=30)),
    st.builds(
        "a={}:{} {}".format, st.sampled_from(["rtpmap", "fmtp", "framerate"]), st.integers(), st.text(max_size=30)
    ),
    st.builds("m=video {}".format, st.text(max_size=30)),
)


@given(st.one_of(st.binary(max_size=400), st.lists(lines, max_size=40).map(lambda all_: "\r\n".join(all_).encode())))
def test_whatever_is_described_is_read_or_refused(body: bytes) -> None:
    """Of any bytes come tracks with sound values, or one declared error."""
    with suppress(SourceError):
        found = read(body)
        assert len(found.tracks) <= MAX_TRACKS
        for track in found.tracks:
            assert 0 < track.clock_rate <= 1_000_000
            assert track.frame_rate is None or 0 < track.frame_rate < 10_000
            assert len(track.parameter_sets) <= 2 * len(body)
        assert found.video().playable


@pytest.mark.parametrize("line", ["a=x-dimensions:2592,1944", "a=framesize:26 2592-1944"])
def test_the_size_of_jpeg_is_read(line: str) -> None:
    """What RTP has no room for, as either of two attributes says it."""
    track = described(f"m=video 0 RTP/AVP 26\r\n{line}\r\n").video()
    assert track.fmtp == {"x-dimensions": "2592,1944"}
