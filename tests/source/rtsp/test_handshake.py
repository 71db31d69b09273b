"""streamer.source.rtsp.handshake: what a camera says before it pushes, and what it is answered."""

import logging
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from streamer.source.login import Login, challenges_of
from streamer.source.rtsp.arrangement import MOST_SET_UP
from streamer.source.rtsp.handshake import MOST_ANNOUNCED, MOST_WRONG
from streamer.source.rtsp.listeners import Listeners
from streamer.source.rtsp.mount import Mount
from streamer.source.rtsp.place import Place
from streamer.source.rtsp.push import METHODS, Push
from streamer.source.stop import Stop
from streamer.source.target import Target
from streamer.values import url as urls
from streamer.values.errors import SourceError
from tests.peers.process import free_port
from tests.peers.rtsp_pusher import HEAD, SDP, SOUND, VIDEO, RtspPusher, run_pusher

TCP = "RTP/AVP/TCP;unicast;interleaved={}"
UDP = "RTP/AVP/UDP;unicast;client_port=5000-5001"
BEHIND = HEAD + "".join(SOUND.format(codec="PCMU/8000", number=number) for number in range(9)) + VIDEO.format(number=9)
"""Nine tracks of sound, and the video last."""


class Waiting:
    """A stream that waits for a camera at a port of its own."""

    def __init__(self, login: str) -> None:
        self.port = free_port()
        self._place = Place(Listeners())
        self.target = Target(f"rtsp://{login}127.0.0.1:{self.port}/drone", listen=True)
        self.mount: Mount = self._place.mount(self.target)
        self._taken: list[Push] = []

    def close(self) -> None:
        """It waits no longer, and has let go of what it took."""
        self._place.close()
        for push in self._taken:
            push.close()

    def take(self, pusher: RtspPusher) -> Push:
        """The camera that asks to RECORD."""
        pusher.say("RECORD")
        self._taken.append(self.mount.take(Stop(), 10.0))
        return self._taken[-1]


@pytest.fixture
def stream() -> Iterator[Waiting]:
    """One that asks for no password."""
    waiting = Waiting("")
    yield waiting
    waiting.close()


@pytest.fixture
def locked() -> Iterator[Waiting]:
    """One that asks for a user and a password."""
    waiting = Waiting("drone:hunter%402@")
    yield waiting
    waiting.close()


@pytest.fixture
def pusher(stream: Waiting) -> Iterator[RtspPusher]:
    """A camera that has connected to the first."""
    with run_pusher(stream.port) as connected:
        yield connected


@contextmanager
def descriptors(left: int) -> Iterator[None]:
    """The process may open so many more, for as long as the block lasts."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + left, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_each_method_has_its_answer(pusher: RtspPusher) -> None:
    """What encoders ask before they push is answered, what is asked too early is told so, and what is not known too."""
    answers = {
        method: pusher.ask(method)
        for method in (
            "OPTIONS",
            "GET_PARAMETER",
            "SET_PARAMETER",
            "SETUP",
            "RECORD",
            "PAUSE",
            "DESCRIBE",
            "PLAY",
            "FLY",
        )
    }
    assert {method: answered.status for method, answered in answers.items()} == {
        **dict.fromkeys(("OPTIONS", "GET_PARAMETER", "SET_PARAMETER"), 200),
        **dict.fromkeys(("SETUP", "RECORD", "PAUSE"), 455),
        **dict.fromkeys(("DESCRIBE", "PLAY"), 405),
        "FLY": 501,
    }
    assert answers["OPTIONS"].fields["public"] == answers["PLAY"].fields["allow"] == METHODS
    assert answers["FLY"].fields["cseq"] == "9"
    assert pusher.ask("DESCRIBE", pusher.url + "/other").status == 404
    assert pusher.ask("OPTIONS", "*").status == 200
    assert pusher.ask("TEARDOWN").status == 200
    assert pusher.hung_up()


@pytest.mark.parametrize(
    ("sdp", "kind", "status", "word"),
    [
        ("hello", "", 400, "protocol"),
        (HEAD + SOUND.format(codec="opus/48000/2", number=0), "", 415, "codec"),
        (SDP.replace("H264", "AV1"), "", 415, "codec"),
        (SDP.replace("RTP/AVP", "RTP/SAVP"), "", 415, "unsupported"),
        (SDP + SOUND.format(codec="PCMU/8000", number=1) * 32, "", 413, "too_large"),
        (SDP, "text/html", 415, None),
        (SDP, "Application/SDP; charset=utf-8", 200, None),
    ],
    ids=["none", "sound", "codec", "encrypted", "tracks", "type", "right type"],
)
def test_what_cannot_be_played_is_refused_in_words(
    stream: Waiting, pusher: RtspPusher, sdp: str, kind: str, status: int, word: str | None
) -> None:
    """What is announced and cannot be played is refused with its reason, which whoever waits is told too."""
    answered = pusher.ask("ANNOUNCE", body=sdp, kind=kind)
    assert answered.status == status
    if word is not None:
        with pytest.raises(SourceError) as error:
            stream.mount.take(Stop(), 10.0)
        assert (error.value.kind, str(error.value)) == (word, answered.reason)
    assert pusher.announce().status == 200  # it may try again


@pytest.mark.parametrize(("sdp", "status"), [(SDP, 200), ("hello", 400)], ids=["good", "bad"])
def test_who_announces_over_and_over_is_hung_up_on(
    pusher: RtspPusher, caplog: pytest.LogCaptureFixture, sdp: str, status: int
) -> None:
    """After eight ANNOUNCEs in one connection, taken or refused, the next is told so and ends it; the log says it."""
    answers = [pusher.announce(sdp) for _ in range(MOST_ANNOUNCED + 1)]
    assert [answered.status for answered in answers] == [status] * MOST_ANNOUNCED + [400]
    assert answers[-1].reason == "8 announcements are taken in one connection at the most"
    assert pusher.hung_up()
    [said] = caplog.messages
    assert said.endswith(": 127.0.0.1: it announces over and over, and does not push")


def test_a_camera_that_announces_nothing_is_told(pusher: RtspPusher) -> None:
    """An ANNOUNCE without a description is refused."""
    assert pusher.ask("ANNOUNCE").status == 400


@pytest.mark.parametrize("first", ["sound", "video"])
@pytest.mark.parametrize("transport", [TCP, UDP])
@pytest.mark.parametrize("codec", ["MPEG4-GENERIC/44100/2", "PCMU/8000", "opus/48000/2"])
def test_sound_beside_the_video_does_no_harm(
    stream: Waiting, pusher: RtspPusher, codec: str, transport: str, first: str
) -> None:
    """Tracks are set up in any order, sound of any codec among them, and the video is the one that is recorded."""
    sound, video = SOUND.format(codec=codec, number=0), VIDEO.format(number=1)
    assert pusher.announce(HEAD + (sound + video if first == "sound" else video + sound)).status == 200
    for number, channels in (("1", "2-3"), ("0", "0-1")) if first == "video" else (("0", "0-1"), ("1", "2-3")):
        assert pusher.set_up(f"streamid={number}", transport.format(channels)).status == 200
    push = stream.take(pusher)
    assert (push.agreed.video.codec, [track.media for track in push.agreed.tracks].count("audio")) == ("H264", 1)
    assert push.agreed.placement.transport == ("udp" if transport is UDP else "tcp")
    assert transport is UDP or push.agreed.placement.channels == (2, 3)
    push.close()


@pytest.mark.parametrize(
    "track",
    ["streamid=1", "/streamid=1/", "?", "track2", "", "streamid=1?token=1", "trackID=7", "rtsp://h/drone/streamid=1"],
)
def test_a_track_is_found_however_it_is_written(stream: Waiting, pusher: RtspPusher, track: str) -> None:
    """A track is found by the URL of its description, by any name of the host, and otherwise by its turn."""
    sdp = HEAD + SOUND.format(codec="PCMU/8000", number=0) + VIDEO.format(number=1)
    assert pusher.announce(sdp).status == 200
    assert pusher.set_up("streamid=0", TCP.format("0-1")).status == 200
    url = track if "://" in track else f"{pusher.url}/{track}"
    answered = pusher.ask("SETUP", url, f"Transport: {TCP.format('2-3')}")
    assert answered.status == 200
    assert stream.take(pusher).agreed.placement.channels == (2, 3)


def test_a_track_of_another_stream_is_not_found(pusher: RtspPusher) -> None:
    """A SETUP that leads out of what was announced is refused."""
    assert pusher.announce().status == 200
    answered = pusher.ask("SETUP", pusher.url.replace("drone", "other/streamid=0"), f"Transport: {TCP.format('0-1')}")
    assert answered.status == 404


def test_channels_that_are_taken_are_given_others(stream: Waiting, pusher: RtspPusher) -> None:
    """A track that asks for another's channels, or for none, gets some of its own, and is told which."""
    assert pusher.announce(HEAD + SOUND.format(codec="PCMU/8000", number=0) + VIDEO.format(number=1)).status == 200
    first = pusher.set_up("streamid=0", "RTP/AVP/TCP;unicast")
    second = pusher.set_up("streamid=1", TCP.format("1-2"))
    assert "interleaved=0-1" in first.fields["transport"]
    assert "interleaved=2-3" in second.fields["transport"]
    assert stream.take(pusher).agreed.placement.channels == (2, 3)


def test_the_first_way_that_is_taken_here_is_chosen(pusher: RtspPusher) -> None:
    """Of several ways a camera would send, the first that is taken here is agreed on; if there is none it is told."""
    assert pusher.announce().status == 200
    for refused in ("RTP/AVP;multicast", "RTP/SAVP;unicast;client_port=5000-5001", "RAW/RAW/UDP;unicast"):
        assert pusher.set_up(transport=refused).status == 461
    agreed = pusher.set_up(transport=f"RTP/AVP;multicast,{UDP},{TCP.format('0-1')}").fields["transport"]
    assert agreed.startswith("RTP/AVP/UDP;unicast;client_port=5000-5001;server_port=")
    assert pusher.set_up(transport="nonsense").status == 461


def test_a_camera_with_many_tracks_still_has_its_video(stream: Waiting, pusher: RtspPusher) -> None:
    """More tracks than are set up cost the last of them, and never the video."""
    assert pusher.announce(BEHIND).status == 200
    answers = [pusher.set_up(f"streamid={number}", UDP).status for number in range(10)]
    assert answers == [200] * (MOST_SET_UP - 1) + [453, 453, 200]
    assert len(stream.take(pusher).agreed.ports) == 2  # however many tracks there are


def test_a_camera_without_its_video_does_not_record(pusher: RtspPusher) -> None:
    """RECORD with the sound alone set up is refused."""
    assert pusher.announce(HEAD + SOUND.format(codec="PCMU/8000", number=0) + VIDEO.format(number=1)).status == 200
    assert pusher.set_up("streamid=0").status == 200
    assert pusher.ask("RECORD").reason == "the video was not set up"


def test_another_session_is_not_known(pusher: RtspPusher) -> None:
    """A session that was not given is refused."""
    assert pusher.announce().status == 200
    assert pusher.set_up().status == 200
    pusher.session = "4711"
    assert pusher.ask("RECORD").status == 454


def test_a_second_camera_is_told_that_there_is_one(stream: Waiting, pusher: RtspPusher) -> None:
    """A second camera is refused at ANNOUNCE, or at RECORD where both announced; once the first is over it may push."""
    with run_pusher(stream.port) as second, run_pusher(stream.port) as third:
        for camera in (pusher, second):
            assert camera.announce().status == camera.set_up().status == 200
        push = stream.take(pusher)
        for answered in (second.ask("RECORD"), third.announce()):
            assert (answered.status, answered.reason) == (455, "another camera pushes to this stream")
        push.close()
        stream.mount.vacate(push)
        assert stream.take(second).connected.getpeername() == second.socket.getsockname()


def test_ports_are_given_back_with_the_connection(stream: Waiting) -> None:
    """UDP ports of a camera that hangs up before it pushes can be had again."""
    with run_pusher(stream.port) as camera:
        assert camera.announce().status == 200
        agreed = camera.set_up(transport=UDP).fields["transport"]
        assert camera.ask("TEARDOWN").status == 200
        assert camera.hung_up()
    port = int(agreed.partition("server_port=")[2].partition("-")[0])
    with run_pusher(stream.port) as camera:
        assert camera.ask("OPTIONS").status == 200  # by now the other is gone
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", port))


@pytest.mark.parametrize("left", [0, 1])
def test_a_camera_for_which_no_descriptors_are_left_is_told(stream: Waiting, pusher: RtspPusher, left: int) -> None:
    """SETUP by UDP while no two sockets can be had is refused with the system's reason; TCP is still to be had."""
    assert pusher.announce().status == 200
    with descriptors(left):
        for _ in range(2):  # the first try has kept none
            answered = pusher.set_up(transport=UDP)
            assert (answered.status, answered.reason) == (
                453,
                "this machine has no UDP ports to give (Too many open files)",
            )
    assert pusher.set_up().status == 200
    assert stream.take(pusher).agreed.placement.transport == "tcp"


# ---- with a password


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_who_knows_the_password_pushes(locked: Waiting, algorithm: str) -> None:
    """A camera that answers either challenge pushes, and how it logged in is known."""
    with run_pusher(locked.port) as camera:
        asked = [each for each in challenges_of(camera.announce().challenges) if each.algorithm == algorithm]
        login = Login("drone", "hunter@2")
        assert login.take(asked)
        said = f"Authorization: {login.header('ANNOUNCE', camera.url)}"
        assert camera.ask("ANNOUNCE", None, said, body=SDP).status == 200
        assert camera.set_up().status == 200
        assert locked.take(camera).agreed.login == f"Digest {algorithm}"


def test_a_wrong_password_is_told_a_few_times(locked: Waiting, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong password is refused, whoever waits is told, and after the third the connection is over; no log has it."""
    with run_pusher(locked.port) as camera, caplog.at_level(logging.DEBUG):
        for _ in range(MOST_WRONG):
            assert camera.announce(login=("drone", "hunter@3")).status == 401
        assert camera.hung_up()
    with pytest.raises(SourceError) as error:
        locked.mount.take(Stop(), 10.0)
    assert error.value.kind == "authentication"
    assert "hunter" not in caplog.text + str(error.value)
    assert "hunter%402" not in urls.redact(locked.target.url)


def test_a_wrong_password_beside_one_who_pushes_is_nobodys_concern(locked: Waiting) -> None:
    """What is refused while a camera pushes is not the stream's reason once that is over."""
    with run_pusher(locked.port) as camera, run_pusher(locked.port) as other:
        assert camera.announce(login=("drone", "hunter@2")).status == camera.set_up().status == 200
        push = locked.take(camera)
        assert other.announce(login=("drone", "hunter@3")).status == 401
        locked.mount.vacate(push)
    with pytest.raises(SourceError) as error:
        locked.mount.take(Stop(), 0.0)
    assert error.value.kind == "waiting"


def test_nothing_is_known_before_the_password(locked: Waiting) -> None:
    """Without a password nobody sets up or records, and no description is read."""
    with run_pusher(locked.port) as camera:
        assert camera.announce("hello").status == 401
        assert camera.set_up().status == 455
        assert camera.ask("RECORD").status == 455
        assert locked.mount.busy is False
