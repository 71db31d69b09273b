"""streamer.source.rtsp.traits: what a camera says of itself and shows of its ways, learnt while it plays."""

import base64
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from streamer.source.kinds import open_target
from streamer.source.rtsp.playing import play
from streamer.source.rtsp.traits import Traits
from streamer.source.stop import Stop
from streamer.source.target import Limits, Target
from streamer.values.errors import SourceError
from tests.peers.clock import FakeClock
from tests.peers.rtp_packetizer import Markers, Sender, encoded, h264_payloads, units_of
from tests.peers.rtsp_camera import SDP, Heard, Parts, RtspCamera, chunk, run_rtsp_camera

RATE = 25
LOCK = 'WWW-Authenticate: Digest realm="IP Camera", nonce="n", algorithm=SHA-256'
AUDIO = "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:trackID=1\r\n"
SECRET = "m=video 0 RTP/SAVP 97\r\na=rtpmap:97 H264/90000\r\na=control:trackID=2\r\n"


def packets(
    units: Sequence[bytes], *, markers: Markers = "normal", ticks: int = 3600, first: int = 0
) -> Iterator[bytes]:
    """Pictures as their packets, over RTSP's own connection; then the camera hangs up."""
    sender = Sender(markers=markers, ticks=ticks, first=first)
    for packet in sender.send(h264_payloads(units_of(unit), "fragments", 400) for unit in units):
        yield chunk(0, packet)
    yield b""


def learnt(target: Target) -> tuple[list[Traits], SourceError | None]:
    """All that is learnt of a camera, until it ends; and why it does not play."""
    found: list[Traits] = []
    try:
        with open_target(target, Stop(), learn=found.append) as opened:
            opened.video(Limits())
            list(opened.units())
    except SourceError as error:
        return found, error
    return found, None


def shown(play: Callable[[], Iterator[bytes]], sdp: str = SDP) -> Traits:
    """What is known of a camera that has played this, in the end."""
    with run_rtsp_camera(play=play, sdp=sdp) as camera:
        found, _ = learnt(Target(camera.url()))
    return found[-1]


def without(units: Sequence[bytes], *kinds: int) -> list[bytes]:
    """H.264 access units without NAL units of these types."""
    left = ([unit for unit in units_of(data) if unit[0] & 31 not in kinds] for data in units)
    return [b"".join(b"\0\0\0\1" + unit for unit in data) for data in left if data]


# ---- what it says


def test_what_a_camera_says_is_learnt_as_it_is_said() -> None:
    """First its name; with its description the log-in and the tracks; and once it has played, how."""

    def locked(request: Heard) -> Parts:
        if "authorization" in request.fields:
            return camera.usual(request)
        return request.answer(LOCK, status="401 Unauthorized")

    named: dict[str, Callable[[Heard], Parts]] = {
        "OPTIONS": lambda request: request.answer("Server: Hipcam", "Public: OPTIONS, GET_PARAMETER"),
        "DESCRIBE": locked,
    }
    camera: RtspCamera
    played = encoded("libx264")
    with run_rtsp_camera(named, session="7;timeout=40", play=lambda: packets(played), sdp=SDP + AUDIO) as camera:
        (asked, described, ended), error = learnt(Target(camera.url(login="u:p")))
    assert error is None
    assert asked == Traits(server="Hipcam")
    assert (described.server, described.login, described.realm) == ("Hipcam", "Digest SHA-256", "IP Camera")
    assert [track.codec for track in described.tracks] == ["H264", "PCMA"]
    assert described.played is None
    assert ended.played is ended.tracks[0]
    assert (ended.transport, ended.keepalive, ended.session_timeout) == ("tcp", "GET_PARAMETER", 40.0)
    assert (ended.server, ended.realm) == ("Hipcam", "IP Camera")


def test_what_a_camera_said_before_it_failed_is_known() -> None:
    """Of a camera without video that can be played its tracks are known, and why each is not."""
    sound = SDP.partition("m=video")[0] + AUDIO + SECRET
    with run_rtsp_camera(sdp=sound) as camera:
        found, error = learnt(Target(camera.url()))
    assert error is not None
    assert (error.kind, "SRTP" in str(error)) == ("unsupported", True)
    assert [found[-1].why_not(track) for track in found[-1].tracks] == [
        "sound is not asked for",
        "encrypted (SRTP), which is not played",
    ]


def test_a_user_who_may_not_watch_is_told_of_which_place() -> None:
    """A camera that takes the password and forbids to watch has named its realm before."""

    def lock(request: Heard) -> Parts:
        if "authorization" in request.fields:
            return request.answer(status="403 Forbidden")
        return request.answer(LOCK, status="401 Unauthorized")

    with run_rtsp_camera({"DESCRIBE": lock}) as camera:
        _, error = learnt(Target(camera.url(login="u:p")))
    assert error is not None
    assert (error.kind, error.realm) == ("authentication", "IP Camera")


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ("", None),
        ("m=application 0 RTP/AVP 107\r\na=rtpmap:107 VND.ONVIF.METADATA/90000\r\n", "no video"),
        ("m=video 0 RTP/AVP 33\r\na=rtpmap:33 MP2T/90000\r\n", "not played here"),
        ("m=video 0 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=sendonly\r\n", "it is sendonly"),
        ("m=video 0 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n", "another comes first"),
    ],
)
def test_each_track_has_its_reason(section: str, why: str | None) -> None:
    """Of each track that is not played it is known why; of the one that is, nothing."""
    said = shown(lambda: packets(encoded("libx264")), SDP + section)
    assert said.why_not(said.tracks[-1]) == why


# ---- what it shows


def test_an_ordinary_camera_shows_nothing_odd() -> None:
    """Its packets are counted; its markers, numbers and clock are what they should be; each keyframe is an IDR."""
    said = shown(lambda: packets(encoded("libx264")))
    assert said.packets > 12
    assert (said.lost, said.numbered, said.markers, said.clock_pace) == (0, True, "normal", 1.0)
    assert (said.parameter_sets, said.keyframes) == (("in band",), ("key",))


def test_losses_are_counted() -> None:
    """Packets whose numbers are missing are lost, of those that were sent."""

    def play() -> Iterator[bytes]:
        sent = list(packets(encoded("libx264")))
        del sent[3], sent[7]
        yield from sent

    whole = shown(lambda: packets(encoded("libx264")))
    said = shown(play)
    assert (said.packets, said.lost) == (whole.packets, 2)


@pytest.mark.parametrize("markers", ["never", "always"])
def test_a_marker_habit_is_known(markers: Markers) -> None:
    """A camera that marks no packet, or each, is known to."""
    assert shown(lambda: packets(encoded("libx264"), markers=markers)).markers == markers


def test_packets_that_are_numbered_without_sense_have_no_losses() -> None:
    """Where the number never changes no loss can be told, and what came is counted."""

    def play() -> Iterator[bytes]:
        for part in packets(encoded("libx264", count=40)):
            yield part[:6] + b"\0\7" + part[8:] if part else b""  # behind the four bytes of the interleaving

    said = shown(play)
    assert (said.numbered, said.lost) == (False, None)
    assert said.packets > 40


@pytest.mark.parametrize(
    ("in_sdp", "removed", "places"),
    [
        (True, (), ("described", "in band")),
        (True, (7, 8), ("described",)),
        (False, (), ("in band",)),
        (False, (7, 8), ()),
    ],
)
def test_where_parameter_sets_come_from_is_known(
    in_sdp: bool, removed: tuple[int, ...], places: tuple[str, ...]
) -> None:
    """In the description, in band, both or neither."""
    units = encoded("libx264")
    sets = [unit for unit in units_of(units[0]) if unit[0] & 31 in (7, 8)]
    sprop = ";sprop-parameter-sets=" + ",".join(base64.b64encode(unit).decode() for unit in sets)
    sdp = SDP.replace("packetization-mode=1", "packetization-mode=1" + sprop) if in_sdp else SDP
    assert shown(lambda: packets(without(units, *removed)), sdp).parameter_sets == places


def test_a_clock_that_counts_otherwise_is_known() -> None:
    """A camera that counts milliseconds for ticks is known to once its times have parted from arrival by enough."""
    clock, go, found = FakeClock(), threading.Semaphore(3), list[Traits]()

    def sent() -> Iterator[bytes]:
        for part in packets(encoded("libx264", count=100), ticks=1000 // RATE):
            yield part
            if part and part[5] & 0x80:  # marked: a picture's last
                go.acquire()

    with (
        run_rtsp_camera(play=sent) as camera,
        play(Target(camera.url()), Stop(), learn=found.append, clock=clock) as playing,
    ):
        for unit in playing.units():
            if unit.packet is not None:
                clock.advance(1 / RATE)
                go.release()
    assert found[-1].clock_pace == pytest.approx(90, rel=0.1)


def test_the_kind_of_keyframes_is_known() -> None:
    """Recovery points, where a camera refreshes its pictures bit by bit and says so."""
    refresh = encoded("libx264", ":intra-refresh=1", count=30)
    assert shown(lambda: packets(without(refresh[1:], 5))).keyframes == ("recovery point",)


def test_what_is_known_is_a_value() -> None:
    """It can be kept and compared: what was learnt does not change behind anybody's back."""
    said = shown(lambda: packets(encoded("libx264")))
    assert replace(said) == said
