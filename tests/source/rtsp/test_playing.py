"""streamer.source.rtsp.playing: packets as they come become pictures, with what they say of themselves."""

import struct
import threading
import time
from collections.abc import Iterator
from itertools import islice

import pytest

from streamer.source.decoding import Decoding
from streamer.source.kinds import open_target
from streamer.source.opened import Unit
from streamer.source.rtsp.playing import MOST_MALFORMED, TICKS
from streamer.source.stop import Stop
from streamer.source.target import Limits, Target
from streamer.values.errors import SourceError
from tests.peers.rtp_packetizer import Sender, encoded, h264_payloads, jpeg_payloads, jpegs, rtp, units_of
from tests.peers.rtsp_camera import SDP, chunk, run_rtsp_camera

MTU = 400
RATE = 25
JUST_SOUND = "v=0\r\no=- 0 0 IN IP4 0\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:a\r\n"


def datagrams(count: int = 12) -> list[list[bytes]]:
    """Pictures of a moving scene, each as its datagrams: the last of each has the marker."""
    sent = Sender().send(h264_payloads(units_of(unit), "fragments", MTU) for unit in encoded("libx264", count=count))
    pictures: list[list[bytes]] = [[]]
    for datagram in sent:
        pictures[-1].append(datagram)
        if datagram[1] & 0x80:
            pictures.append([])
    return pictures[:-1]


def interleaved(packets: list[bytes]) -> bytes:
    """As they go over RTSP's own connection."""
    return b"".join(chunk(0, packet) for packet in packets)


def pictures_of(units: Iterator[Unit], count: int) -> list[Unit]:
    """The next so many that are pictures."""
    return list(islice((unit for unit in units if unit.packet), count))


def test_a_picture_comes_with_its_last_packet() -> None:
    """Once a camera's marker is known to end its pictures, each is handed on before anything of the next was sent."""
    sent, go = datagrams(), threading.Semaphore(3)

    def play() -> Iterator[bytes]:
        for picture in sent:
            go.acquire()
            yield interleaved(picture)

    with run_rtsp_camera(play=play) as camera, open_target(Target(camera.url()), Stop()) as opened:
        units = opened.units()
        got = pictures_of(units, 3)
        for _ in range(5):
            go.release()  # the next is sent, and none behind it
            got += pictures_of(units, 1)
        go.release()
    assert len(got) == 8
    keys = [unit.packet is not None and unit.packet.is_keyframe for unit in got]
    assert keys == [index % 5 == 0 for index in range(8)]


def test_pictures_decode_with_their_own_times() -> None:
    """What comes decodes without an error, and says its time on the camera's clock, in ticks of the video."""
    sent = datagrams()
    with (
        run_rtsp_camera(play=lambda: iter((b"".join(map(interleaved, sent)), b""))) as camera,
        open_target(Target(camera.url()), Stop()) as opened,
    ):
        video = opened.video(Limits())
        decoding = Decoding(video.context, Limits())
        got = [unit.packet for unit in opened.units() if unit.packet is not None and unit.packet.size]
        decoded = [picture for packet in got for picture in decoding.pictures(packet)]
    assert video.time_base == 1 / TICKS
    assert len(decoded) == len(sent)
    times = [(packet.pts or 0) * video.time_base for packet in got]
    assert [time - times[0] for time in times] == pytest.approx([index / RATE for index in range(len(sent))], abs=1e-4)


def test_the_end_is_an_empty_packet() -> None:
    """Where the camera ends its stream the decoder is told, as it is of a file's end."""
    with (
        run_rtsp_camera(play=lambda: iter((interleaved(datagrams()[0]), b""))) as camera,
        open_target(Target(camera.url()), Stop()) as opened,
    ):
        *_, last = opened.units()
    assert last.packet is not None
    assert last.packet.size == 0


def test_something_that_comes_is_told_before_a_picture_is_whole() -> None:
    """A camera whose first picture takes its time is no silent one."""
    first, *rest = datagrams()[0]

    def play() -> Iterator[bytes]:
        yield interleaved([first])
        for packet in rest:
            time.sleep(0.3)  # longer than the time from one word to the next: what is tested
            yield interleaved([packet])
            return

    with run_rtsp_camera(play=play) as camera, open_target(Target(camera.url()), Stop()) as opened:
        assert next(opened.units()).packet is None


def test_the_cameras_wall_clock_is_told_with_its_pictures() -> None:
    """A sender report says what a camera's clock shows at a timestamp; pictures behind it say when they were taken."""
    now = int(time.time())
    report = struct.pack("!BBHIIIIII", 0x80, 200, 6, 7, now + 2_208_988_800, 0, 0, 0, 0)
    sent = b"".join(map(interleaved, datagrams()))
    with (
        run_rtsp_camera(play=lambda: iter((chunk(1, report) + sent, b""))) as camera,
        open_target(Target(camera.url()), Stop()) as opened,
    ):
        told = [unit.camera_time for unit in opened.units() if unit.packet is not None and unit.packet.size]
    assert told[-1] == pytest.approx(now + (len(told) - 1) / RATE, abs=0.01)


def test_packets_that_cannot_be_read_end_in_a_sentence() -> None:
    """A form of packets that nobody here understands is named, and not waited out."""
    fragments = [rtp(bytes((29, 0x85, 0, 0, 1)), number, 0) for number in range(MOST_MALFORMED + 1)]  # FU-B
    with (
        run_rtsp_camera(play=lambda: iter((interleaved(fragments), b""))) as camera,
        open_target(Target(camera.url()), Stop()) as opened,
        pytest.raises(SourceError, match="FU-B") as refused,
    ):
        list(opened.units())
    assert refused.value.kind == "unsupported"


def test_a_picture_beyond_the_limit_ends_the_stream() -> None:
    """A picture larger than is allowed is refused while it grows."""
    target = Limits(max_packet_bytes=1000)
    huge = [rtp(bytes((0x7C, 0x05 if number else 0x85, 0x88)) + bytes(300), number, 0) for number in range(8)]
    with (
        run_rtsp_camera(play=lambda: iter((interleaved(huge), b""))) as camera,
        open_target(Target(camera.url(), limits=target), Stop()) as opened,
        pytest.raises(SourceError) as refused,
    ):
        list(opened.units())
    assert refused.value.kind == "too_large"


JPEG = SDP.replace("96", "26").replace("H264", "JPEG")


def jpeg(count: int = 4, *, sized: bool = True) -> bytes:
    """Pictures of JPEG, 192 x 160, interleaved."""
    sent = Sender().send(jpeg_payloads(picture, MTU, q=80, sized=sized) for picture in jpegs(80, count=count))
    return interleaved([packet[:1] + bytes((packet[1] & 0x80 | 26,)) + packet[2:] for packet in sent])


def test_jpeg_beyond_the_limit_ends_the_stream() -> None:
    """A first picture of more pixels than are allowed is too large, and nothing else."""
    limits = Limits(max_pixels=192 * 160 - 1)
    with (
        run_rtsp_camera(sdp=JPEG, play=lambda: iter((jpeg(), b""))) as camera,
        open_target(Target(camera.url(), limits=limits), Stop()) as opened,
        pytest.raises(SourceError, match="192 x 160") as refused,
    ):
        list(opened.units())
    assert refused.value.kind == "too_large"


def test_jpeg_that_does_not_say_its_size_is_told_so() -> None:
    """Beyond 2040 pixels the first picture shows that no other will be better: it is said at once."""
    with (
        run_rtsp_camera(sdp=JPEG, play=lambda: iter((jpeg(sized=False), b""))) as camera,
        open_target(Target(camera.url()), Stop()) as opened,
        pytest.raises(SourceError, match="beyond 2040 pixels") as refused,
    ):
        list(opened.units())
    assert refused.value.kind == "unsupported"


def test_a_camera_without_video_is_told_so() -> None:
    """A description of sound alone is no stream."""
    with (
        run_rtsp_camera(sdp=JUST_SOUND) as camera,
        pytest.raises(SourceError) as refused,
        open_target(Target(camera.url()), Stop()),
    ):
        pass
    assert refused.value.kind == "codec"


def test_losses_are_the_cameras_numbers() -> None:
    """Packets that never came are counted by the numbers that are missing, wherever in a stream they are."""
    sent = [packet for picture in datagrams() for packet in picture]
    del sent[5], sent[20], sent[21]
    with (
        run_rtsp_camera(play=lambda: iter((interleaved(sent), b""))) as camera,
        open_target(Target(camera.url()), Stop()) as opened,
    ):
        list(opened.units())
        assert opened.lost == 3


def test_the_sound_beside_it_is_named_and_not_set_up() -> None:
    """What else a camera describes is known to the doctor; SETUP asks for the video alone."""
    sound = "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:trackID=1\r\n"
    with run_rtsp_camera(sdp=SDP + sound) as camera, open_target(Target(camera.url()), Stop()) as opened:
        assert opened.audio == ("pcma",)
        assert len(camera.all("SETUP")) == 1


def test_packets_of_another_type_than_described_are_told_of() -> None:
    """A camera that describes one payload type and sends another is told so, and not waited for."""
    others = [rtp(b"\x65picture", number, 0, kind=97) for number in range(MOST_MALFORMED + 1)]
    with (
        run_rtsp_camera(play=lambda: iter((interleaved(others), b""))) as camera,
        open_target(Target(camera.url()), Stop()) as opened,
        pytest.raises(SourceError, match="describes payload type 96 and sends 97"),
    ):
        list(opened.units())


def test_points_from_which_pictures_are_refreshed_do_not_stand_by_themselves() -> None:
    """Decoding may begin with them, as it may with the first picture, which needs no other."""
    sent = Sender().send(
        h264_payloads(units_of(unit), "fragments", MTU) for unit in encoded("libx264", ":intra-refresh=1", 12)
    )

    def play() -> Iterator[bytes]:
        yield interleaved(sent)

    with run_rtsp_camera(play=play) as camera, open_target(Target(camera.url()), Stop()) as opened:
        units = pictures_of(opened.units(), 11)
    keys = [unit for unit in units if unit.packet is not None and unit.packet.is_keyframe]
    assert [unit.stands for unit in keys] == [True] + [False] * (len(keys) - 1)
    assert len(keys) > 2
