"""streamer.source.rtsp.opening: from a URL to a session that plays, with cameras of every habit."""

import asyncio
import hashlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from itertools import islice
from pathlib import Path

import pytest

from streamer.source.allowed_destinations import AllowedDestinations
from streamer.source.certificate_trust import CertificateTrust
from streamer.source.rtsp.opening import open_session
from streamer.source.rtsp.session import Session
from streamer.source.stop import Stop
from streamer.source.target import Target, Transport
from streamer.values.clock import Clock, monotonic
from streamer.values.errors import SourceError
from tests.peers.certificates import make_certificate, server_context
from tests.peers.clip import make_clip
from tests.peers.clock import FakeClock
from tests.peers.front import run_front
from tests.peers.process import free_port
from tests.peers.rtsp_camera import SDP, Heard, Parts, RtspCamera, chunk, rtp, run_rtsp_camera
from tests.peers.rtsp_server import RtspServer, run_rtsp_server

AUDIO = "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:sound\r\n"
THERMAL = "m=video 0 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=control:trackID=1\r\n"
VIDEO = SDP[SDP.index("m=") :]


def packets(session: Session, count: int) -> list[bytes]:
    """So many packets of a session."""
    return list(islice((data for data, _ in session.packets() if data), count))


def plays(target: Target | str, count: int = 5, clock: Clock = monotonic) -> None:
    """Packets come from there."""
    with open_session(Target(target) if isinstance(target, str) else target, Stop(), clock) as session:
        assert len(packets(session, count)) == count


def refused(target: Target | str, clock: Clock = monotonic) -> SourceError:
    """Why it does not play."""
    with pytest.raises(SourceError) as error:
        plays(target, clock=clock)
    assert str(error.value).isprintable()
    assert "rtsp://127.0.0.1" not in str(error.value)
    return error.value


def answering(*lines: str, status: str = "200 OK", body: str = "") -> Callable[[Heard], bytes]:
    """An answer that is always this."""
    return lambda request: request.answer(*lines, status=status, body=body)


# ---- against gst-rtsp-server


@pytest.fixture(scope="module")
def server(numbered_clip: Path) -> Iterator[RtspServer]:
    """A camera that wants a password by digest."""
    with run_rtsp_server({"/road": numbered_clip}, user="watch", password="p@ss/w:rd") as running:
        yield running


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("codec", ["libx264", "libx265", "mjpeg"])
def test_a_server_plays(tmp_path: Path, transport: Transport, codec: str) -> None:
    """gst-rtsp-server plays each codec over each transport; the packets are RTP of the track, one after the other."""
    clip = make_clip(tmp_path / "clip.mkv", codec=codec, gop=15)
    with (
        run_rtsp_server({"/road": clip}) as camera,
        open_session(Target(camera.url("/road"), transport=transport), Stop()) as session,
    ):
        got = packets(session, 60)
        assert session.track.codec == {"libx264": "H264", "libx265": "H265", "mjpeg": "JPEG"}[codec]
        assert bool(session.track.parameter_sets) == (codec != "mjpeg")
        said = session.traits
        assert (said.transport, said.login, said.server) == (transport, None, "GStreamer RTSP server")
    assert {(data[0] >> 6, data[1] & 127) for data in got} == {(2, session.track.payload_type)}
    numbers = [int.from_bytes(data[2:4]) for data in got]
    assert numbers == [(numbers[0] + step) & 0xFFFF for step in range(60)]


def test_a_server_lets_in_who_knows_the_password(server: RtspServer) -> None:
    """A password with special characters, percent-encoded in the URL, passes by digest; no other does."""
    there = f"127.0.0.1:{server.port}/road"
    with open_session(Target(f"rtsp://watch:p%40ss%2Fw%3Ard@{there}"), Stop()) as session:
        assert packets(session, 3)
        assert (session.traits.login, session.traits.realm) == ("Digest MD5", "GStreamer RTSP Server")
    for login in ("watch:wrong@", "other:p%40ss%2Fw%3Ard@", ""):
        error = refused(f"rtsp://{login}{there}")
        assert (error.kind, error.realm) == ("authentication", "GStreamer RTSP Server")


async def test_tls_is_spoken(numbered_clip: Path, tmp_path: Path) -> None:
    """Over TLS a trusted camera plays, whatever transport is wished; another is refused in words."""
    certificate = make_certificate("IPC-4711")
    (tmp_path / "camera.pem").write_text(certificate.cert)
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        async with run_front(camera.port, server_context(certificate, tmp_path)) as front:
            url = f"rtsps://127.0.0.1:{front.port}/road"
            trust = CertificateTrust(ca=str(tmp_path / "camera.pem"), name="IPC-4711")
            for transport in ("tcp", "udp"):
                await asyncio.to_thread(
                    plays, Target(url, trust=trust, transport="udp" if transport == "udp" else "tcp")
                )
            error = await asyncio.to_thread(refused, url)
            assert (error.kind, "self-signed" in str(error)) == ("tls", True)
        plain = await asyncio.to_thread(refused, f"rtsps://127.0.0.1:{camera.port}/road")
        assert (plain.kind, "does not speak TLS" in str(plain)) == ("tls", True)


def test_what_cannot_be_reached_has_its_word() -> None:
    """A port nobody listens on, a name nobody knows and an address there is no way to are told apart."""
    assert refused(f"rtsp://127.0.0.1:{free_port()}/x").kind == "refused"
    assert refused("rtsp://nowhere.invalid/x").kind == "dns"
    assert refused("rtsp://255.255.255.255/x").kind == "unreachable"


def test_addresses_are_judged_and_tried_in_turn() -> None:
    """Of a name's addresses the one that answers is found; one that is not allowed spoils the name."""
    found = ["127.0.0.2", "127.0.0.3", "127.0.0.1"]
    with run_rtsp_camera() as camera:
        url = f"rtsp://camera.invalid:{camera.port}/live"
        policy = AllowedDestinations(None, tuple(map(ip_network, found)), lambda host, port: found)
        plays(Target(url, destinations=policy))
        assert camera.heard[0].url == url
        strict = AllowedDestinations(None, (ip_network("127.0.0.1/32"),), lambda host, port: found)
        assert refused(Target(url, destinations=strict)).kind == "forbidden"
        assert refused(Target(url, transport="udp", destinations=policy)).kind == "forbidden"


# ---- what is asked for


def test_an_ordinary_camera_is_asked_in_order() -> None:
    """OPTIONS, DESCRIBE, SETUP of the video alone, PLAY of the whole, and TEARDOWN when the block is left."""
    sdp = SDP[: SDP.index("m=")] + AUDIO + VIDEO + THERMAL
    with run_rtsp_camera(sdp=sdp) as camera:
        plays(camera.url("/live?x=1"))
        assert camera.methods() == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
        url = camera.url("/live?x=1")
        assert [request.url for request in camera.heard] == [url, url, f"{url}/trackID=0", f"{url}/", f"{url}/"]
        assert [request.fields.get("session") for request in camera.heard] == [None, None, None, *["12345678"] * 2]
        assert [request.fields["cseq"] for request in camera.heard] == ["1", "2", "3", "4", "5"]
        assert camera.heard[3].fields["range"] == "npt=0.000-"


@pytest.mark.parametrize("status", ["404 Not Found", "405 Method Not Allowed", "501 Not Implemented", "400"])
def test_options_need_not_be_known(status: str) -> None:
    """A camera that refuses OPTIONS plays all the same."""
    with run_rtsp_camera({"OPTIONS": answering(status=status)}) as camera:
        plays(camera.url())


@pytest.mark.parametrize(
    ("transport", "channel"),
    [
        ("RTP/AVP/TCP;ssrc=22345684;interleaved=0-1", 0),
        ("RTP/AVP/TCP;unicast;interleaved=4-5", 4),
        ("RTP/AVP/TCP;unicast", 0),
        ("RTP/AVP;unicast;interleaved=2-3;mode=play", 2),
        ("rtp/avp/tcp; unicast; interleaved = 6", 6),
        ("RTP/AVP/TCP;unicast;interleaved=0-1;destination=1.2.3.4;source=5.6.7.8", 0),
        ("nonsense", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_packets_come_where_the_camera_says(transport: str | None, channel: int) -> None:
    """Whatever a camera answers to SETUP, its packets are found, and only those of the video's channel."""

    def play() -> Iterator[bytes]:
        for sequence in range(5):
            yield chunk(channel, rtp(sequence)) + chunk(channel + 2, b"other")

    with (
        run_rtsp_camera(transport=transport, play=play) as camera,
        open_session(Target(camera.url()), Stop()) as session,
    ):
        assert [data[2:4] for data in packets(session, 5)] == [bytes((0, number)) for number in range(5)]


def sets_up(status: str, video: str, sound: str) -> Callable[[Heard], Parts]:
    """A camera that places its video so, and answers that to the SETUP of its sound."""

    def answer(request: Heard) -> bytes:
        is_sound = request.url.endswith("/sound")
        lines = (f"Transport: {sound if is_sound else video}", "Session: 12345678")
        return request.answer(*lines, status=status if is_sound else "200 OK")

    return answer


@pytest.mark.parametrize(
    ("video", "asked", "sound"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=0-1", "2-3", "RTP/AVP/TCP;unicast;interleaved=2-3"),
        ("RTP/AVP/TCP;unicast;interleaved=2-3", "4-5", "RTP/AVP/TCP;unicast;interleaved=0-1"),
        ("RTP/AVP/TCP;unicast;interleaved=254-255", "0-1", ""),
    ],
)
def test_sound_comes_where_the_camera_says(video: str, asked: str, sound: str) -> None:
    """It is asked for on channels that the video has not, and none of it is taken for video."""
    there = int(sound.partition("interleaved=")[2].partition("-")[0] or 0)
    first = int(video.partition("interleaved=")[2].partition("-")[0])

    def play() -> Iterator[bytes]:
        for sequence in range(5):
            yield chunk(there, b"sound") + chunk(there + 1, b"report") + chunk(first, rtp(sequence))

    answers = {"SETUP": sets_up("200 OK", video, sound)}
    with (
        run_rtsp_camera(answers, sdp=SDP + AUDIO, play=play) as camera,
        open_session(Target(camera.url(), sound=True), Stop()) as session,
    ):
        assert session.sound is not None
        heard, reports = list[bytes](), list[bytes]()
        session.sound.on_packet = lambda data, _: heard.append(data)
        session.sound.on_report = lambda data, _: reports.append(data)
        assert len(packets(session, 5)) == 5
    assert set(heard) == {b"sound"}
    assert set(reports) == {b"report"}
    assert [f"interleaved={asked}" in each.fields["transport"] for each in camera.all("SETUP")] == [
        asked == "0-1",
        True,
    ]
    assert camera.all("SETUP")[1].fields["session"] == "12345678"


@pytest.mark.parametrize(
    ("status", "sound"),
    [
        ("461 Unsupported Transport", ""),
        ("404 Not Found", ""),
        ("200 OK", "RTP/AVP;multicast;destination=239.1.2.3;port=5000-5001"),
        ("200 OK", "RTP/AVP/UDP;unicast;server_port=9-10"),
        ("200 OK", "RTP/AVP/TCP;unicast;interleaved=0-1"),
    ],
)
def test_a_camera_that_gives_no_sound_is_played_without(status: str, sound: str) -> None:
    """What it refuses, sends to a group, or puts on the video's own channels costs no picture."""
    answers = {"SETUP": sets_up(status, "RTP/AVP/TCP;unicast;interleaved=0-1", sound)}
    with run_rtsp_camera(answers, sdp=SDP + AUDIO) as camera:
        with open_session(Target(camera.url(), sound=True), Stop()) as session:
            assert session.sound is None
            assert len(packets(session, 5)) == 5
        assert len(camera.all("SETUP")) == 2
        plays(camera.url())
        assert len(camera.all("SETUP")) == 3  # it is not asked for unasked


@pytest.mark.parametrize(
    ("transport", "says"),
    [
        ("RTP/AVP;multicast;destination=239.1.2.3;port=5000-5001", "multicast"),
        ("RTP/AVP/UDP;unicast;source=127.0.0.9;server_port=9-10;client_port=1-2", "datagrams"),
    ],
)
def test_what_nobody_asked_for_is_not_taken(transport: str, says: str) -> None:
    """A group, and datagrams where TCP was asked for, are refused by name."""
    with run_rtsp_camera(transport=transport) as camera:
        error = refused(camera.url())
    assert (error.kind, says in str(error)) == ("unsupported", True)


def test_data_before_the_answer_to_play_is_kept() -> None:
    """Packets that come before PLAY is answered are the first ones; a flood of them costs a megabyte."""

    def early(request: Heard) -> Iterator[bytes]:
        for sequence in range(3):
            yield chunk(0, rtp(sequence))
        yield request.answer()

    def flood(request: Heard) -> Iterator[bytes]:
        for sequence in range(200):
            yield chunk(0, rtp(sequence, bytes(50_000)))
        yield request.answer()

    with (
        run_rtsp_camera({"PLAY": early}, play=lambda: iter([chunk(0, rtp(3))])) as camera,
        open_session(Target(camera.url()), Stop()) as session,
    ):
        assert [data[3] for data in packets(session, 4)] == [0, 1, 2, 3]
    with (
        run_rtsp_camera({"PLAY": flood}, play=lambda: iter([])) as camera,
        open_session(Target(camera.url()), Stop()) as session,
    ):
        assert sum(len(data) for (_, data), _ in session._client.early) < 1 << 20
        assert packets(session, 1)[0][3] == 200 - len(session._client.early)


def test_play_is_asked_for_as_the_camera_wants() -> None:
    """A camera that knows no Range is asked without, and one that knows no whole is asked for its track."""

    def play(request: Heard) -> bytes:
        if "range" in request.fields:
            return request.answer(status="457 Invalid Range")
        return request.answer() if request.url.endswith("trackID=0") else request.answer(status="459 No")

    with run_rtsp_camera({"PLAY": play}) as camera:
        plays(camera.url())


def test_a_session_wide_control_is_what_tracks_are_relative_to() -> None:
    """An absolute control of the whole takes Content-Base's place, for PLAY and for the track, on this connection."""
    with run_rtsp_camera(sdp=SDP.replace("a=control:*", "a=control:rtsp://192.168.1.9/whole/")) as camera:
        plays(camera.url())
        assert camera.all("SETUP")[0].url == camera.url("/whole/trackID=0")
        assert camera.all("PLAY")[0].url == camera.url("/whole/")


# ---- UDP


def sends(camera: RtspCamera, address: str = "127.0.0.1") -> None:
    """Datagrams to the port that was asked for, from an address, for as long as somebody has it."""
    ports = re.search(r"client_port=(\d+)-(\d+)", camera.all("SETUP")[-1].fields["transport"])
    assert ports is not None
    assert (int(ports[1]) % 2, int(ports[2])) == (0, int(ports[1]) + 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.bind((address, 0))
        for sequence in range(9):
            sending.sendto(rtp(sequence, address.encode()), ("127.0.0.1", int(ports[1])))


def test_datagrams_of_strangers_are_not_heard() -> None:
    """Over UDP only what comes from the camera's own address is taken."""
    camera_: list[RtspCamera] = []

    def play() -> Iterator[bytes]:
        sends(camera_[0], "127.0.0.2")
        sends(camera_[0])
        yield from ()

    with run_rtsp_camera(transport="RTP/AVP;unicast;source=127.0.0.2", play=play) as camera:
        camera_.append(camera)
        with open_session(Target(camera.url(), transport="udp"), Stop()) as session:
            assert {data[12:] for data in packets(session, 9)} == {b"127.0.0.1"}


def test_the_way_for_datagrams_is_opened() -> None:
    """Before PLAY something is sent from both ports to those the camera names, so that a NAT lets its datagrams in."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp_,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtcp,
    ):
        for bound in (rtp_, rtcp):
            bound.bind(("127.0.0.1", 0))
        server_ports = f"{rtp_.getsockname()[1]}-{rtcp.getsockname()[1]}"
        with (
            run_rtsp_camera(transport=f"RTP/AVP;unicast;server_port={server_ports}") as camera,
            open_session(Target(camera.url(), transport="udp"), Stop()),
        ):
            (first, sender), (second, reporter) = rtp_.recvfrom(2000), rtcp.recvfrom(2000)
    assert (first[0] >> 6, len(first), second[1]) == (2, 12, 201)
    assert f"client_port={sender[1]}-{reporter[1]}" in camera.all("SETUP")[0].fields["transport"]


def test_tcp_stands_in_for_udp_and_not_the_other_way_round() -> None:
    """A camera that refuses datagrams is asked for TCP; one that refuses TCP is not asked for datagrams, but named."""

    def only(word: str) -> Callable[[Heard], bytes]:
        return lambda request: (
            request.answer("Transport: RTP/AVP/TCP;interleaved=0-1", "Session: 1")
            if word in request.fields["transport"]
            else request.answer(status="461 Unsupported Transport")
        )

    with (
        run_rtsp_camera({"SETUP": only("/TCP")}) as camera,
        open_session(Target(camera.url(), transport="udp"), Stop()) as session,
    ):
        assert session.transport == "tcp"
        assert packets(session, 3)
    with run_rtsp_camera({"SETUP": only("client_port")}) as camera:
        error = refused(camera.url())
        assert (error.kind, "`transport: udp`" in str(error), len(camera.all("SETUP"))) == ("unsupported", True, 1)
    with run_rtsp_camera({"SETUP": only("nothing")}) as camera:
        assert refused(Target(camera.url(), transport="udp")).kind == "unsupported"


# ---- the log-in


def locked(
    algorithms: tuple[str, ...], *, qop: bool, nonce: Callable[[], str] = lambda: "n"
) -> Callable[[Heard], Parts]:
    """Answers as an ordinary camera, but only to who logs in by one of these."""
    inner = RtspCamera({})

    def answer(request: Heard) -> Parts:
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', request.fields.get("authorization", "")))
        algorithm = said.get("algorithm", "MD5")
        if said and algorithm in algorithms and said["nonce"] == nonce():

            def digest(*parts: str) -> str:
                name = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}[algorithm]
                return hashlib.new(name, ":".join(parts).encode(), usedforsecurity=False).hexdigest()

            more = (said["nc"], said["cnonce"], "auth") if qop else ()
            secret = digest("admin", "IP Camera", "pä:ss")
            if said["response"] == digest(secret, said["nonce"], *more, digest(request.method, request.url)):
                return inner.usual(request)
        stale = ", stale=true" if said else ""
        fields = [f'realm="IP Camera", nonce="{nonce()}", algorithm={name}' for name in algorithms]
        lines = (f"WWW-Authenticate: Digest {field}{stale}{', qop=auth' if qop else ''}" for field in fields)
        return request.answer(*lines, 'WWW-Authenticate: Basic realm="IP Camera"', status="401 Unauthorized")

    return answer


def behind(lock: Callable[[Heard], Parts]) -> dict[str, Callable[[Heard], Parts]]:
    """Every method but OPTIONS."""
    return dict.fromkeys(("DESCRIBE", "SETUP", "PLAY", "TEARDOWN"), lock)


@pytest.mark.parametrize("qop", [False, True])
@pytest.mark.parametrize(
    "algorithms", [("MD5",), ("SHA-256",), ("SHA-512-256",), ("MD5", "SHA-256"), ("SHA-256", "MD5")]
)
def test_a_camera_is_logged_in_to_as_it_wants(algorithms: tuple[str, ...], qop: bool) -> None:
    """Each digest, alone or beside others, in any order, with qop and without; the strongest is used."""
    with run_rtsp_camera(behind(locked(algorithms, qop=qop))) as camera:
        with open_session(Target(camera.url(login="admin:p%C3%A4%3Ass")), Stop()) as session:
            assert packets(session, 3)
            assert session.traits.login == f"Digest {max(algorithms, key=('MD5', 'SHA-256', 'SHA-512-256').index)}"
        assert [len(camera.all(method)) for method in ("DESCRIBE", "SETUP", "PLAY")] == [2, 1, 1]


def test_a_wrong_password_is_tried_once() -> None:
    """A camera sees one request with a password that is wrong; the realm it names is told, fit to be read."""
    evil = 'WWW-Authenticate: Digest realm="\x1b[31m<b>' + "A" * 5000 + '", nonce="n"'
    with run_rtsp_camera({"DESCRIBE": answering(evil, status="401 Unauthorized")}) as camera:
        error = refused(camera.url(login="admin:wrong"))
        assert (error.kind, len(camera.all("DESCRIBE"))) == ("authentication", 2)
        assert error.realm is not None
        assert error.realm.startswith("[31m<b>AAA")
        assert len(error.realm) <= 80
        assert "authorization" not in camera.all("DESCRIBE")[0].fields
        camera.heard.clear()
        assert refused(camera.url()).kind == "authentication"
        assert len(camera.all("DESCRIBE")) == 1


def test_an_old_nonce_is_renewed() -> None:
    """A camera whose nonce is good for one request only gets each request again with the new one."""
    served = 0

    def nonce() -> str:
        return f"nonce-{served}"

    inner = locked(("MD5",), qop=True, nonce=nonce)

    def answer(request: Heard) -> Parts:
        nonlocal served
        found = inner(request)
        served += b"200 OK" in bytes(found)  # type: ignore[arg-type]
        return found

    with run_rtsp_camera(behind(answer)) as camera:
        plays(camera.url(login="admin:p%C3%A4%3Ass"))
        assert [len(camera.all(method)) for method in ("DESCRIBE", "SETUP", "PLAY")] == [2, 2, 2]


def test_basic_is_used_where_nothing_else_is_offered() -> None:
    """A camera that wants Basic gets it, and a scheme nobody knows is said to be that, without the password."""
    basic = answering('WWW-Authenticate: Basic realm="cam"', status="401 Unauthorized")
    with run_rtsp_camera({"DESCRIBE": basic}) as camera:
        refused(camera.url(login="admin:pw"))
        assert camera.all("DESCRIBE")[1].fields["authorization"] == "Basic YWRtaW46cHc="
    with run_rtsp_camera({"DESCRIBE": answering("WWW-Authenticate: Bearer", status="401 Unauthorized")}) as camera:
        assert "not known" in str(refused(camera.url(login="admin:pw")))
        assert not any("authorization" in request.fields for request in camera.heard)


# ---- redirects


def test_a_redirect_on_the_same_host_is_followed() -> None:
    """A camera that sends us to another of its paths or ports is asked there, with the same password."""
    with run_rtsp_camera(behind(locked(("MD5",), qop=False))) as there:
        moved = answering(f"Location: {there.url('/there')}", status="302 Moved Temporarily")
        with run_rtsp_camera({"DESCRIBE": moved}) as here:
            plays(here.url(login="admin:p%C3%A4%3Ass"))
            assert not any("authorization" in request.fields for request in here.heard)
        assert there.all("DESCRIBE")[0].url == there.url("/there")


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_a_redirect_elsewhere_is_seen_and_not_followed(method: str) -> None:
    """Whichever request is redirected to another host: nobody connects there, and the sentence says where it was."""
    with socket.create_server(("127.0.0.9", 0)) as victim:
        victim.setblocking(False)
        there = f"rtsp://127.0.0.9:{victim.getsockname()[1]}/x"
        with run_rtsp_camera({method: answering(f"Location: {there}", status="301 Moved")}) as camera:
            error = refused(camera.url(login="admin:hunter2"))
            assert error.kind == "redirected"
            assert there in str(error)
            with pytest.raises(BlockingIOError):
                victim.accept()


@pytest.mark.parametrize("location", ["http://127.0.0.1/x", "", "/x", "rtsp://localhost:99999/x", "rtsp://[::1/x"])
def test_a_redirect_to_nowhere_is_refused(location: str) -> None:
    """What is no RTSP URL of the same host is an error in words."""
    with run_rtsp_camera({"DESCRIBE": answering(f"Location: {location}", status="302 Moved")}) as camera:
        assert refused(camera.url()).kind == "redirected"


def test_a_redirect_in_a_circle_ends() -> None:
    """A camera that redirects to itself is given up after three."""
    circle = {"DESCRIBE": lambda request: request.answer(f"Location: {request.url}", status="302 Moved")}
    with run_rtsp_camera(circle) as camera:
        assert "more than 3 times" in str(refused(camera.url()))
        assert len(camera.all("DESCRIBE")) == 4


# ---- refusals and limits


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"DESCRIBE": answering(status="403 Forbidden")}, "authentication"),
        ({"DESCRIBE": answering(status="404 Stream Not Found")}, "not_found"),
        ({"DESCRIBE": answering(status="453 Not Enough Bandwidth\x1b[0m")}, "protocol"),
        ({"DESCRIBE": answering()}, "protocol"),
        ({"DESCRIBE": answering(body="v=0\r\n" + VIDEO * 33)}, "too_large"),
        ({"DESCRIBE": answering(body="v=0\r\n" + AUDIO)}, "codec"),
        ({"DESCRIBE": answering(body="v=0\r\n" + VIDEO.replace("AVP", "SAVP"))}, "unsupported"),
        ({"SETUP": answering(status="404 Not Found")}, "not_found"),
        ({"SETUP": answering(status="500 Internal Server Error")}, "protocol"),
        ({"PLAY": answering(status="455 Method Not Valid In This State")}, "protocol"),
        ({"OPTIONS": lambda request: b"HTTP/1.1 400 Bad Request\r\n\r\n"}, "protocol"),
        ({"OPTIONS": lambda request: b"\x16\x03\x01\x02\x00"}, "protocol"),
        ({"SETUP": lambda request: b"garbage" * 9}, "protocol"),
    ],
)
def test_each_refusal_has_its_word(answers: dict[str, Callable[[Heard], Parts]], kind: str) -> None:
    """What a camera answers that does not lead to pictures is told apart, and nothing of it reaches a terminal."""
    with run_rtsp_camera(answers) as camera:
        assert refused(camera.url()).kind == kind


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_a_camera_that_closes_has_ended(method: str) -> None:
    """Whenever a camera hangs up while it is asked, and in the middle of an answer too, the attempt has ended."""
    half = b"RTSP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    for parts in ((b"",), (half, b"")):
        with run_rtsp_camera({method: lambda request, parts=parts: iter(parts)}) as camera:  # type: ignore[misc]
            assert refused(camera.url()).kind == "ended"


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
@pytest.mark.parametrize("how", ["silent", "head", "body", "packets", "requests"])
def test_an_answer_has_so_long(method: str, how: str) -> None:
    """Silence, and an answer that never ends however its bytes come, is a timeout after eight seconds by the clock."""
    clock = FakeClock()
    heads = {
        "silent": b"",
        "head": b"RTSP/1.0 200 OK\r\nX: " + b"a" * 99,
        "body": b"RTSP/1.0 200 OK\r\nContent-Length: 60000\r\n\r\n" + b"a" * 99,
        "packets": chunk(0, b"x") * 99,
        "requests": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n" * 9,
    }

    def drip(request: Heard) -> Iterator[bytes]:
        data = heads[how]
        step = max(1, len(data) // 99)
        for second in range(9):
            clock.advance(1.0)
            part = data[second * step : (second + 1) * step]
            yield part or b"\r\n"

    with run_rtsp_camera({method: drip}, play=lambda: iter(())) as camera:
        error = refused(camera.url(), clock)
    assert (error.kind, "within 8 s" in str(error)) == ("timeout", True)


@pytest.mark.parametrize("line", [b"X-A: " + b"a" * 1000 + b"\r\n", b"a" * 4096])
@pytest.mark.parametrize("method", ["OPTIONS", "PLAY"])
def test_an_endless_head_is_refused(method: str, line: bytes) -> None:
    """A head that goes on for ever is too large after 16 KiB, whatever it is made of."""

    def endless(request: Heard) -> Iterator[bytes]:
        yield b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nX: "
        while True:
            yield line

    with run_rtsp_camera({method: endless}) as camera:
        assert refused(camera.url()).kind == "too_large"


def test_a_huge_body_is_refused_by_what_is_said_of_it() -> None:
    """Two gigabytes of description are refused before the first byte."""

    def huge(request: Heard) -> Iterator[bytes]:
        yield b"RTSP/1.0 200 OK\r\nContent-Length: 2000000000\r\n\r\n"

    with run_rtsp_camera({"DESCRIBE": huge}) as camera:
        assert refused(camera.url()).kind == "too_large"


# ---- given up from outside


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_an_opening_is_ended_from_outside(method: str) -> None:
    """Whatever is waited for, `stop` ends it, and the camera sees its connection closed."""
    stop = Stop()

    def hang(request: Heard) -> Iterator[bytes]:
        stop.set()
        yield from ()

    with run_rtsp_camera({method: hang}) as camera:
        with pytest.raises(SourceError, match="given up"), open_session(Target(camera.url()), stop, FakeClock()):
            pass
        while camera.open:
            threading.Event().wait(0.005)


def test_a_connecting_is_ended_from_outside() -> None:
    """A host that does not even answer SYN is let go of when `stop` says so."""
    stop = Stop()
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        timer = threading.Timer(0.05, stop.set)
        timer.start()
        with pytest.raises(SourceError, match="given up"):
            plays_until(Target(f"rtsp://127.0.0.1:{full.getsockname()[1]}/x"), stop)
        timer.join()
        for each in waiting:
            each.close()


def plays_until(target: Target, stop: Stop) -> None:
    """Play until stopped."""
    with open_session(target, stop) as session:
        list(session.packets())


def test_it_is_not_begun_where_it_is_over() -> None:
    """Nobody is connected to once `stop` is set."""
    stop = Stop()
    stop.set()
    with run_rtsp_camera() as camera:
        with pytest.raises(SourceError, match="given up"):
            plays_until(Target(camera.url()), stop)
        assert camera.heard == []
