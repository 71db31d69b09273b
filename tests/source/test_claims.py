"""streamer.source.claims: what is beyond the limits is refused before a decoder sees it, wherever it is said."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import av
import pytest
from aiohttp import web

from streamer.rtp.sequence import MOST
from streamer.source.claims import MOST_UNITS, Claims
from streamer.source.target import Limits
from streamer.values.errors import SourceError
from tests.peers.appetite import appetite_for
from tests.peers.crafted import contained, h264_pictures, h264_sets, h265_sps
from tests.peers.rtp_packetizer import Sender, annex_b, h264_payloads
from tests.peers.rtsp_camera import chunk, run_rtsp_camera
from tests.peers.web_camera import run_web_camera

LIMITS = Limits(max_pixels=1920 * 1080, max_held=8)
API = Limits(max_pixels=3840 * 2160, max_held=8)
MOST_MEGABYTES = 64
BOMBS = {
    "large": h264_sets(4096, 2304, kept=16),
    "cut down": h264_sets(14080, 14080, kept=16, shown=(320, 240)),
    "many": h264_sets(3840, 2160, kept=16),
}
SMALL, _ = h264_sets(640, 480)
LARGE, _ = h264_sets(4096, 2304)


def context(codec: str = "h264", described: bytes | None = None) -> av.VideoCodecContext:
    """A decoder of whatever is described."""
    made = av.CodecContext.create(codec, "r")
    assert isinstance(made, av.VideoCodecContext)
    made.extradata = described
    return made


def packet(data: bytes) -> "av.Packet[av.VideoStream]":
    """As a container gives it."""
    return av.Packet(data)  # type: ignore[return-value]


def lengths(units: Iterable[bytes], size: int = 4) -> bytes:
    """Units, each behind its length."""
    return b"".join(len(unit).to_bytes(size) + unit for unit in units)


def avc(sps: bytes, size: int = 4) -> bytes:
    """An AVCDecoderConfigurationRecord (ISO/IEC 14496-15 clause 5.3.3.1)."""
    return b"\1" + sps[1:4] + bytes((0xFC | size - 1, 0xE1)) + lengths([sps], 2) + b"\0"


def hevc(sps: bytes) -> bytes:
    """An HEVCDecoderConfigurationRecord (clause 8.3.3.1), with a VPS before the SPS."""
    arrays = [(32, b"\x40\1vps"), (33, sps)]
    return b"\1" + bytes(20) + b"\3\2" + b"".join(bytes((kind, 0, 1)) + lengths([unit], 2) for kind, unit in arrays)


@contextmanager
def refused() -> Iterator[None]:
    """What is done is refused, with both sizes."""
    with pytest.raises(SourceError, match="4096 x 2304, more than 2073600 pixels") as caught:
        yield
    assert caught.value.kind == "too_large"


@pytest.mark.parametrize("before", [[], [SMALL], [SMALL, b"\x65" + bytes(range(1, 200)) * 100]])
def test_a_set_is_found_wherever_it_stands(before: list[bytes]) -> None:
    """Behind another set, and behind a picture's slices, too: decoders take it from there."""
    claims = Claims(context(), LIMITS)
    claims.require(packet(annex_b([SMALL, b"\x65picture"])))
    with refused():
        claims.require(packet(annex_b([*before, LARGE])))


@pytest.mark.parametrize("size", [1, 2, 4])
def test_units_behind_lengths_are_gone_through(size: int) -> None:
    """MP4's and FLV's units are found by their lengths, of the size that was described; so is what begins otherwise."""
    claims = Claims(context(described=avc(SMALL, size)), LIMITS)
    claims.require(packet(lengths([SMALL, b"\x65picture", b"\x41" + b"p" * 0x66], size)))
    with refused():
        claims.require(packet(lengths([b"\x65picture", LARGE], size)))
    with refused():
        claims.require(packet(annex_b([SMALL, LARGE])))


def test_a_length_is_no_start_code() -> None:
    """A length of 0x0167 looks like a set's beginning, and is none."""
    claims = Claims(context(described=avc(SMALL)), LIMITS)
    claims.require(packet(lengths([b"\x41" + LARGE[1:].ljust(0x166, b"p")])))


@pytest.mark.parametrize(
    ("codec", "description"),
    [
        ("h264", avc(LARGE)),
        ("h264", annex_b([LARGE])),
        ("hevc", hevc(h265_sps(4096, 2304))),
        ("hevc", annex_b([h265_sps(4096, 2304)])),
    ],
)
def test_what_the_container_says_counts(codec: str, description: bytes) -> None:
    """A description of either kind is judged before there is a packet."""
    with refused():
        Claims(context(codec, description), LIMITS)


def test_what_is_coded_may_be_larger_than_what_is_shown() -> None:
    """1080 lines are coded as 1088: where 1920 x 1080 is the most, that is allowed."""
    Claims(context(described=annex_b(h264_sets(1920, 1088, kept=4))), LIMITS)


@pytest.mark.parametrize(
    ("width", "height", "held", "allowed"), [(1920, 1088, 8, True), (1920, 1088, 9, False), (960, 544, 16, True)]
)
def test_pictures_to_be_held_are_counted_by_their_size(width: int, height: int, held: int, allowed: bool) -> None:
    """As many pictures of the largest size may be held as the limits say, and more of smaller ones."""
    described = annex_b([h265_sps(width, height, held=held)])
    if allowed:
        Claims(context("hevc", described), LIMITS)
    else:
        with pytest.raises(SourceError, match="9 pictures of 1920 x 1088 held at once, more than 8"):
            Claims(context("hevc", described), LIMITS)


def test_claims_without_end_are_refused() -> None:
    """A packet of more sets, or of more units, than any picture has is refused without going through them all."""
    with pytest.raises(SourceError, match=f"more than {MOST} sequence parameter sets"):
        Claims(context(), LIMITS).require(packet(annex_b([SMALL] * (MOST + 1))))
    with pytest.raises(SourceError, match=f"more than {MOST_UNITS} units"):
        Claims(context(described=avc(SMALL, 1)), LIMITS).require(packet(bytes(MOST_UNITS + 1)))


# ---- before memory is taken


@pytest.mark.parametrize("bomb", BOMBS)
async def test_rtsp_takes_no_memory_on_a_cameras_word(bomb: str) -> None:
    """Pictures that claim more than the limits are refused for it, and nothing is taken for them."""
    pictures = (h264_payloads(units, "single", 1400) for units in h264_pictures(BOMBS[bomb]))
    data = b"".join(chunk(0, datagram) for datagram in Sender().send(pictures))
    with run_rtsp_camera(play=lambda: iter((data,))) as camera:
        found = await appetite_for(camera.url(), API)
    assert (found.kind, found.megabytes < MOST_MEGABYTES) == ("too_large", True), found


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("container", ["mpegts", "flv", "mp4", "hls"])
async def test_ffmpeg_takes_no_memory_on_a_cameras_word(container: str, bomb: str) -> None:
    """Nor does FFmpeg to find out what a container holds."""
    data = contained(h264_pictures(BOMBS[bomb]), "mpegts" if container == "hls" else container)
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.6,\nmpegts\n#EXT-X-ENDLIST\n"

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=playlist if request.path == "/hls" else data)

    async with run_web_camera(("/{path}", answer)) as url:
        found = await appetite_for(f"{url}/{container}", API)
    assert (found.kind, found.megabytes < MOST_MEGABYTES) == ("too_large", True), found
