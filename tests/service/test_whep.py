"""WHEP, as viewers meet it: the real service, and players made of aiortc and of GStreamer."""

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnection

from streamer.http.ice_server import LIFETIME, credentials
from tests.peers.gst_peer import run_gst_peer
from tests.peers.model_server import ModelServer
from tests.peers.rtc import make_pc, offer_to_watch
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, run_service, until
from tests.peers.turn_server import CREDENTIAL, SECRET, USERNAME, run_turn_server
from tests.peers.whep_viewer import SDP, post_offer, watch_whep

pytestmark = pytest.mark.timeout(300)

FRIEND, STRANGER = "https://friend.example", "https://stranger.example"
TURN = {"url": "turn:turn.example:3478?transport=udp", "username": "u", "credential": 'a "secret"'}
FRAGMENT = "application/trickle-ice-sdpfrag"
LINK = r'<([^>]*)>; rel="ice-server"; username="([^"]*)"; credential="([^"]*)"; credential-type="password"'


@pytest.fixture(scope="module")
def service(model_server: ModelServer, numbered_clip: Path) -> Iterator[Service]:
    """Run the service with two streams of one camera, ICE servers, one foreign origin and few places."""
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        config: dict[str, Any] = {
            "server": {
                "max_viewers": 3,
                "max_viewers_per_stream": 2,
                "origins": [FRIEND],
                "ice_servers": [{"url": "stun:stun.example:3478"}, TURN],
            },
            "serving": model_server.settings,
            "streams": {"road": {"url": camera.url("/road")}, "lane": {"url": camera.url("/road")}},
        }
        with run_service(config) as service:
            yield service


@pytest.fixture
async def live(service: Service) -> Service:
    """The service with both streams live, and nobody watching."""

    async def nobody_watches() -> bool:
        return not any(stream["viewers"] for stream in (await service.ask("/api/streams")).json())

    await service.wait_for_state("road", "live")
    await service.wait_for_state("lane", "live")
    await until(nobody_watches, lambda: "somebody still watches")
    return service


@pytest.mark.parametrize("codec", ["H264", "VP8"])
async def test_gstreamer_plays(live: Service, codec: Any) -> None:
    """A player made of GStreamer's webrtcbin decodes the annotated stream, in either codec, and leaves by DELETE."""
    with run_gst_peer("play", f"{live.url}/whep/road", codec=codec) as player:

        async def played() -> bool:
            return player.frames >= 40

        await until(played, lambda: f"{player.frames} frames:\n{player.process.output}\n{live.process.output}")
        assert player.size == "320 240"
        assert (await live.stream("road"))["viewers"] == 1
        encoders = (await live.metrics()).sum("sightline_encoders", stream="road", codec=codec.lower())
        assert encoders == 1


async def test_one_encoder_a_codec(live: Service) -> None:
    """A viewer that takes VP8 alone gets VP8 beside one that gets H.264; when it leaves, its encoder stops."""
    async with watch_whep(live, "road") as first:
        await first.more(5)
        async with watch_whep(live, "road", "video/vp8") as second:
            await second.more(20)
            await first.more(5)
            metrics = await live.metrics()
            assert metrics.sum("sightline_encoders", stream="road", codec="h264") == 1
            assert metrics.sum("sightline_encoders", stream="road", codec="vp8") == 1
            assert metrics.sum("sightline_sessions", stream="road", transport="whep") == 2
            await live.ask(second.location, method="DELETE")
        await first.more(5)
        assert (await live.metrics()).sum("sightline_encoders", stream="road", codec="vp8") == 0


async def test_places_are_limited_by_stream_and_in_all(live: Service) -> None:
    """One viewer more than a stream's places, or than all places, is 503 with Retry-After and the setting's name."""
    pc = make_pc()
    sdp = await offer_to_watch(pc)
    async with watch_whep(live, "road"), live.open("/streams/road.mjpeg"):
        for refused in (await post_offer(live, "road", sdp), await live.ask("/streams/road.mjpeg")):
            assert (refused.status, int(refused.headers["Retry-After"]) > 0) == (503, True)
            assert "server.max_viewers_per_stream" in refused.problem()
        async with watch_whep(live, "lane"):
            refused = await post_offer(live, "lane", sdp)
            assert refused.status == 503
            assert "(server.max_viewers)" in refused.problem()
    await pc.close()


async def test_ice_servers_are_handed_over(live: Service) -> None:
    """The configured servers stand in Link headers with the answer; OPTIONS names those without a login."""
    expected = [
        '<stun:stun.example:3478>; rel="ice-server"',
        '<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="u"; credential="a \\"secret\\"";'
        ' credential-type="password"',
    ]
    options = await live.ask("/whep/road", method="OPTIONS")
    assert options.status == 204
    assert options.headers["Accept-Post"] == SDP
    assert links(options.headers) == expected[:1]
    preflight = await live.ask("/whep/road", method="OPTIONS", headers={"Access-Control-Request-Method": "POST"})
    assert links(preflight.headers) == []
    pc = make_pc()
    answer = await post_offer(live, "road", await offer_to_watch(pc))
    assert links(answer.headers) == expected
    await live.ask(answer.headers["Location"], method="DELETE")
    await pc.close()


def links(headers: Any) -> list[str]:
    """Every Link header."""
    return list(headers.getall("Link", []))


async def test_a_viewer_behind_a_relay_sees_the_stream(model_server: ModelServer, numbered_clip: Path) -> None:
    """A viewer that reaches nobody but the TURN server it was handed in Link watches through that; no log knows how."""
    with run_turn_server() as relay, run_rtsp_server({"/road": numbered_clip}) as camera:
        handed = {"url": relay.url, "username": USERNAME, "credential": "${RELAY}"}
        config: dict[str, Any] = {
            "server": {"ice_servers": [handed]},
            "serving": model_server.settings,
            "streams": {"road": {"url": camera.url("/road")}},
        }
        with run_service(config, {"RELAY": CREDENTIAL}) as service:
            await service.wait_for_state("road", "live")
            assert links((await service.ask("/whep/road", method="OPTIONS")).headers) == []
            pc = behind(await handed_over(service))
            async with watch_whep(service, "road", pc=pc) as viewer:
                assert set(re.findall(r"typ (\w+)", pc.localDescription.sdp)) == {"relay"}
                await viewer.more(20)
            assert CREDENTIAL not in service.process.output


async def handed_over(service: Service) -> RTCIceServer:
    """The one ICE server that a session is told of."""
    pc = make_pc()
    answer = await post_offer(service, "road", await offer_to_watch(pc))
    await service.ask(answer.headers["Location"], method="DELETE")
    await pc.close()
    [link] = links(answer.headers)
    url, username, credential = re.fullmatch(LINK, link).groups()  # type: ignore[union-attr]
    return RTCIceServer(url, username, credential)


def behind(relay: RTCIceServer) -> RTCPeerConnection:
    """A peer connection that reaches nobody but by that relay."""
    return RTCPeerConnection(RTCConfiguration([relay], iceTransportPolicy=RTCIceTransportPolicy.RELAY))


async def test_each_session_has_a_login_of_its_own(model_server: ModelServer, numbered_clip: Path) -> None:
    """With the relay's secret a session's login opens it, for some minutes; no two are the same, nor is one made up."""
    with run_turn_server(secret=SECRET) as relay, run_rtsp_server({"/road": numbered_clip}) as camera:
        config: dict[str, Any] = {
            "server": {"ice_servers": [{"url": relay.url, "secret": "${RELAY}"}]},
            "serving": model_server.settings,
            "streams": {"road": {"url": camera.url("/road")}},
        }
        with run_service(config, {"RELAY": SECRET}) as service:
            await service.wait_for_state("road", "live")
            assert links((await service.ask("/whep/road", method="OPTIONS")).headers) == []
            one, other = await handed_over(service), await handed_over(service)
            assert one.username != other.username
            assert one.credential != other.credential
            async with watch_whep(service, "road", pc=behind(one)) as viewer:
                await viewer.more(20)
            assert SECRET not in service.process.output
        over = credentials(SECRET, "viewer", time.time() - LIFETIME - 60)
        for username, credential in (over, (other.username, one.credential)):
            pc = behind(RTCIceServer(relay.url, username, credential))
            assert "a=candidate:" not in await offer_to_watch(pc)
            await pc.close()


async def test_places_are_limited_by_address(model_server: ModelServer, numbered_clip: Path) -> None:
    """One viewer more than an address's places is 503 with Retry-After, by WebRTC and MJPEG, until one has left."""
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        config: dict[str, Any] = {
            "server": {"max_viewers_per_address": 1},
            "serving": model_server.settings,
            "streams": {"road": {"url": camera.url("/road")}},
        }
        with run_service(config) as service:
            await service.wait_for_state("road", "live")
            pc = make_pc()
            sdp = await offer_to_watch(pc)
            forwarded = {"X-Forwarded-For": "192.0.2.7"}  # anybody may write that
            async with watch_whep(service, "road") as viewer:
                for refused in (
                    await post_offer(service, "road", sdp),
                    await service.ask("/streams/road.mjpeg", headers=forwarded),
                ):
                    assert refused.status == 503
                    assert int(refused.headers["Retry-After"]) > 0
                    assert "server.max_viewers_per_address" in refused.problem()
                await service.ask(viewer.location, method="DELETE")
                answer = await post_offer(service, "road", sdp)
                assert answer.status == 201
            await pc.close()


async def test_pages_of_listed_origins_may_use_it(live: Service) -> None:
    """A listed origin's preflight is answered with what it may do, and its answers may be read; others get nothing."""
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,if-match"}
    friend = await live.ask("/whep/road", method="OPTIONS", headers=asked | {"Origin": FRIEND})
    assert friend.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "POST" in friend.headers["Access-Control-Allow-Methods"]
    for header in ("Authorization", "Content-Type", "If-Match"):
        assert header in friend.headers["Access-Control-Allow-Headers"]
    session = await live.ask("/whep/road/any", method="OPTIONS", headers=asked | {"Origin": FRIEND})
    assert {"PATCH", "DELETE"} <= set(session.headers["Access-Control-Allow-Methods"].split(", "))
    for path in ("/api/streams", "/whep/nobody"):
        read = await live.ask(path, headers={"Origin": FRIEND})
        assert read.headers["Access-Control-Allow-Origin"] == FRIEND
        assert {"Location", "ETag", "Link"} <= set(read.headers["Access-Control-Expose-Headers"].split(", "))
        assert "Origin" in read.headers["Vary"].split(", ")
    stranger = await live.ask("/whep/road", method="OPTIONS", headers=asked | {"Origin": STRANGER})
    assert not [name for name in stranger.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": FRIEND}, True),
        ({"Origin": FRIEND, "Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": STRANGER}, False),
        ({"Origin": "null"}, False),
        ({"Origin": STRANGER, "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": STRANGER, "Sec-Fetch-Site": "same-origin"}, True),
    ],
)
async def test_foreign_pages_change_nothing(live: Service, headers: dict[str, str], allowed: bool) -> None:
    """A POST or DELETE that a page of an unlisted origin made a browser send is 403, whatever it asks for."""
    for method, path in (("POST", "/whep/nobody"), ("POST", "/whip/x"), ("DELETE", "/whep/road/any")):
        answer = await live.ask(path, method=method, body="v=0", content_type=SDP, headers=headers)
        assert (answer.status != 403) == allowed, answer
        assert answer.problem()


async def test_sessions_take_candidates_and_have_no_content(live: Service) -> None:
    """PATCH with the entity tag is 204, without it 428; GET is 204; HEAD of the endpoint says it takes offers."""
    head = await live.ask("/whep/road", method="HEAD")
    assert (head.status, head.headers["Content-Type"]) == (200, SDP)
    assert (await live.ask("/whep/road")).status == 204
    assert (await live.ask("/whep/nobody")).status == 404
    async with watch_whep(live, "road") as viewer:
        await viewer.more(1)
        candidate = "a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
        for headers, status in (({"If-Match": viewer.etag}, 204), ({}, 428), ({"If-Match": '"x"'}, 412)):
            patched = await live.ask(
                viewer.location, method="PATCH", body=candidate, content_type=FRAGMENT, headers=headers
            )
            assert patched.status == status
        assert (await live.ask(viewer.location)).status == 204


async def test_refusals_say_what_is_allowed(live: Service) -> None:
    """405 lists the methods, 415 the type that is taken; a compressed body is 415, and a broken one no accident."""
    for path, method, allowed in (("road", "DELETE", {"POST", "OPTIONS"}), ("road/any", "POST", {"PATCH", "DELETE"})):
        refused = await live.ask(f"/whep/{path}", method=method)
        assert refused.status == 405
        assert allowed <= set(refused.headers["Allow"].split(","))
        assert refused.problem()
    refused = await post_offer(live, "road", "v=0", "text/plain")
    assert (refused.status, refused.headers["Accept-Post"]) == (415, SDP)
    for encoding in ("gzip", "deflate"):
        headers = {"Content-Encoding": encoding}
        refused = await live.ask("/whep/road", method="POST", body=b"\xff\xff", content_type=SDP, headers=headers)
        assert (refused.status, refused.headers["Accept-Encoding"]) == (415, "identity")
        assert "not compressed" in refused.problem()
    async with watch_whep(live, "road") as viewer:
        await viewer.more(1)
        refused = await live.ask(viewer.location, method="PATCH", body="a=x", content_type=SDP)
        assert (refused.status, refused.headers["Accept-Patch"]) == (415, FRAGMENT)
    assert "Traceback" not in live.process.output


async def test_hostile_datagrams_end_nobodys_session(live: Service) -> None:
    """Junk on the media ports, from an address ICE knows nothing of, leaves a viewer watching."""
    async with watch_whep(live, "road") as viewer:
        await viewer.more(5)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for host, port in viewer.media_ports:
                for data in (b"", b"\x80", b"\x80" * 1501, b"\x16" * 60, b"\x15\xfe\xfd" + bytes(12)):
                    for _ in range(20):
                        stranger.sendto(data, (host, port))
        await viewer.more(30)
        assert not viewer.ended.is_set()


async def test_garbage_is_refused(live: Service) -> None:
    """An offer that is none is answered as such, each time anew; `sightline bench offers` measures how fast."""
    for _ in range(20):
        assert (await post_offer(live, "road", "v=0\r\nm=video 9 x 96\r\n")).status == 400
