"""WHIP, as publishers meet it: the real service, and publishers made of aiortc and of GStreamer."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.peers.clip import make_clip
from tests.peers.gst_peer import run_gst_peer
from tests.peers.index_detector import NUMBERS, number_of
from tests.peers.model_server import ModelServer
from tests.peers.rtc import take_answer
from tests.peers.service import Answer, Service, run_service, until
from tests.peers.whep_viewer import SDP, watch_whep
from tests.peers.whip_publisher import WhipPublisher

pytestmark = pytest.mark.timeout(300)

TOKEN = "let-me-publish"
COMINGS = 10
BEARER = {"Authorization": f"Bearer {TOKEN}"}
FRAGMENT = "application/trickle-ice-sdpfrag"


def settings(model_server: ModelServer, **more: Any) -> dict[str, Any]:
    """A configuration without cameras."""
    return {"serving": model_server.settings, **more}


@pytest.fixture(scope="module")
def service(model_server: ModelServer) -> Iterator[Service]:
    """Run the service as it comes, on loopback: any new name may be published."""
    absent = {"absent": {"url": "rtsp://127.0.0.1:1/nobody"}}
    with run_service(settings(model_server, streams=absent, ingress={"max_publishers": 2})) as service:
        yield service


@pytest.fixture(scope="module")
def guarded(model_server: ModelServer) -> Iterator[Service]:
    """Run a service that asks for a token, and lets some names be published."""
    with run_service(settings(model_server, ingress={"names": ["drone-*", "phone"], "token": TOKEN})) as service:
        yield service


async def post(service: Service, name: str, sdp: str | bytes, **headers: str) -> Answer:
    """Ask to publish."""
    return await service.ask(f"/whip/{name}", method="POST", body=sdp, content_type=SDP, headers=headers)


@asynccontextmanager
async def publishing(service: Service, name: str, **headers: str) -> AsyncIterator[tuple[WhipPublisher, Answer]]:
    """Publish numbered pictures for as long as the block lasts; then the name is free again."""
    publisher = WhipPublisher()
    answer = await post(service, name, await publisher.offer(), **headers)
    try:
        assert answer.status == 201, answer
        await take_answer(publisher.pc, answer.body.decode())
        yield publisher, answer
    finally:
        if "Location" in answer.headers:
            await service.ask(answer.headers["Location"], method="DELETE", headers=headers)
        await publisher.close()


async def gone(service: Service, name: str) -> None:
    """Wait until a stream is not listed any more."""

    async def unlisted() -> bool:
        return (await service.ask(f"/api/streams/{name}")).status == 404

    await until(unlisted, lambda: f"{name} is still there:\n{service.process.output}")


async def test_what_is_published_is_a_stream_like_any_other(service: Service) -> None:
    """A published stream is listed, answered by the model frame by frame, shown annotated, and goes with DELETE."""
    async with publishing(service, "phone") as (_, answer):
        assert re.fullmatch(r"/whip/phone/[\w-]{24}", answer.headers["Location"])
        assert re.fullmatch(r'"[^"]+"', answer.headers["ETag"])
        assert answer.headers["Content-Type"].startswith(SDP)
        sdp = answer.body.decode()
        assert "a=recvonly" in sdp
        assert "a=candidate:" in sdp
        live = await service.wait_for_state("phone", "live")
        assert (live["width"], live["height"]) == (320, 240)
        async with service.events("phone") as feed:
            events = [event for _, event in await feed.more(8)]
        for before, after in pairwise(events):
            frames = round((after["pts"] - before["pts"]) * 30)
            assert frames >= 1
            assert (number_of(after) - number_of(before)) % NUMBERS == frames % NUMBERS
        async with watch_whep(service, "phone") as viewer:
            await viewer.more(20)
        assert (await service.ask(answer.headers["Location"], method="DELETE")).status == 200
        assert (await service.ask("/api/streams/phone")).status == 404
        again = await service.ask(answer.headers["Location"], method="DELETE")
        assert again.status == 404
        assert "no such session" in again.problem()


async def test_gstreamer_publishes_vp8(service: Service) -> None:
    """A publisher made of GStreamer's webrtcbin is seen with detections, and leaves by DELETE."""
    with run_gst_peer("publish", f"{service.url}/whip/gst", codec="VP8"):
        live = await service.wait_for_state("gst", "live")
        assert (live["width"], live["height"]) == (320, 240)
        async with service.events("gst") as feed:
            await feed.more(5)
    await gone(service, "gst")


async def test_gstreamer_publishes_h264(service: Service, tmp_path: Path) -> None:
    """Frames of a clip that webrtcbin publishes as it is have their own boxes: the number in the box runs as pts."""
    clip = make_clip(tmp_path / "long.mp4", seconds=60, gop=30)
    with run_gst_peer("publish", f"{service.url}/whip/clip", file=clip):
        await service.wait_for_state("clip", "live")
        async with service.events("clip") as feed:
            events = [event for _, event in await feed.more(10)]
    assert len({number_of(event) for event in events}) > 5
    for before, after in pairwise(events):
        frames = round((after["pts"] - before["pts"]) * 30)
        assert (number_of(after) - number_of(before)) % NUMBERS == frames % NUMBERS
    await gone(service, "clip")


PUBLISH_FROM_A_PAGE = """async ({ url, codecs, layers, sound, data }) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
    const context = canvas.getContext("2d");
    setInterval(() => context.fillRect(640 * Math.random(), 480 * Math.random(), 9, 9), 30);
    const pc = (window.pc = new RTCPeerConnection());
    const silence = new AudioContext().createMediaStreamDestination().stream.getTracks()[0];
    if (sound) pc.addTransceiver(silence, { direction: "sendonly" });
    const layer = (_, at) => ({ rid: `r${at}`, scaleResolutionDownBy: 2 ** at });
    const sending = { direction: "sendonly", sendEncodings: Array.from({ length: layers }, layer) };
    const video = pc.addTransceiver(canvas.captureStream(30).getTracks()[0], sending);
    const known = RTCRtpSender.getCapabilities("video").codecs;
    if (codecs.length) video.setCodecPreferences(known.filter((codec) => codecs.includes(codec.mimeType)));
    if (data) pc.createDataChannel("data");
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== "complete") await new Promise((done) => (pc.onicegatheringstatechange = done));
    const body = pc.localDescription.sdp;
    const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/sdp" }, body });
    const said = await answer.text();
    if (answer.status === 201) await pc.setRemoteDescription({ type: "answer", sdp: said });
    return [answer.status, said];
}"""


@pytest.mark.parametrize(
    "offered", [{"layers": 3}, {"sound": True}, {"codecs": ["video/VP8"]}], ids=["simulcast", "sound", "vp8"]
)
async def test_what_browsers_can_offer_is_published(service: Service, page: Page, offered: dict[str, Any]) -> None:
    """Several layers, of which one comes, sound beside the video, or VP8 alone: a browser's offer becomes a stream."""
    asked = {"url": "/whip/page", "codecs": [], "layers": 1, "sound": False, "data": False} | offered
    await page.goto(f"{service.url}/healthz")
    status, said = await page.evaluate(PUBLISH_FROM_A_PAGE, asked)
    assert status == 201, said
    live = await service.wait_for_state("page", "live")
    assert (live["width"] * 480, live["reason"]) == (live["height"] * 640, None)
    await page.evaluate("window.pc.close()")
    await gone(service, "page")


@pytest.mark.parametrize(
    ("offered", "status", "says"),
    [
        ({"codecs": ["video/VP9"]}, 406, "H.264 Baseline in mode 1, VP8"),
        ({"codecs": ["video/AV1"]}, 406, "H.264 Baseline in mode 1, VP8"),
        ({"data": True}, 422, "allowed are audio and video"),
    ],
    ids=["vp9", "av1", "data"],
)
async def test_what_is_not_taken_is_said(
    service: Service, page: Page, offered: dict[str, Any], status: int, says: str
) -> None:
    """A browser that offers no codec known here, or data beside the video, learns what is taken."""
    asked = {"url": "/whip/page", "codecs": [], "layers": 1, "sound": False, "data": False} | offered
    await page.goto(f"{service.url}/healthz")
    found, said = await page.evaluate(PUBLISH_FROM_A_PAGE, asked)
    assert found == status
    assert says in said


async def test_a_publisher_that_vanishes_is_noticed(service: Service) -> None:
    """A publisher that falls silent without a word loses its stream, and nobody has to tell.

    After how long is held by a clock in tests/webrtc/test_peer.py.
    """
    async with publishing(service, "drone") as (publisher, _):
        await service.wait_for_state("drone", "live")
        publisher.fall_silent()
        await gone(service, "drone")


async def test_a_silent_publisher_gives_way(service: Service) -> None:
    """A name is taken while its publisher is heard, and free for another as soon as it has fallen silent."""
    async with publishing(service, "phone") as (first, _):
        await service.wait_for_state("phone", "live")
        other = WhipPublisher()
        refused = await post(service, "phone", await other.offer())
        assert refused.status == 409
        assert "somebody publishes 'phone' already" in refused.problem()
        first.fall_silent()

        locations: list[str] = []

        async def taken_over() -> bool:
            answer = await post(service, "phone", other.pc.localDescription.sdp)
            locations.extend([answer.headers["Location"]] if answer.status == 201 else [])
            return bool(locations)

        await until(taken_over, lambda: "the name was never free")
        await service.ask(locations[0], method="DELETE")
        await other.close()


async def test_places_for_publishers_are_limited(service: Service) -> None:
    """With max_publishers publishing one more is 503 with a Retry-After."""
    async with publishing(service, "a"), publishing(service, "b"):
        third = WhipPublisher()
        refused = await post(service, "c", await third.offer())
        await third.close()
        assert refused.status == 503
        assert "ingress.max_publishers" in refused.problem()
        assert int(refused.headers["Retry-After"]) > 0


async def test_a_configured_camera_cannot_be_replaced(service: Service) -> None:
    """A name that a configured stream has is 409, whether its camera is there or not."""
    publisher = WhipPublisher()
    refused = await post(service, "absent", await publisher.offer())
    await publisher.close()
    assert refused.status == 409
    assert "there is a stream 'absent' already" in refused.problem()


@pytest.mark.parametrize(
    ("name", "body", "content_type", "status", "says"),
    [
        ("x", "v=0", "text/plain", 415, "application/sdp"),
        ("x", "nonsense", SDP, 400, "not an SDP offer"),
        ("x", b"\xff", SDP, 400, "not UTF-8"),
        ("x", "v=0\r\n" * 20_000, SDP, 413, "64 KiB"),
        ("a%20b", "v=0", SDP, 400, "1 to 64 letters"),
        ("-x", "v=0", SDP, 400, "1 to 64 letters"),
    ],
)
async def test_a_wrong_offer_is_refused(
    service: Service, name: str, body: str | bytes, content_type: str, status: int, says: str
) -> None:
    """What is no offer, or no name, gets a status and a sentence, and leaves no stream behind."""
    answer = await service.ask(f"/whip/{name}", method="POST", body=body, content_type=content_type)
    assert answer.status == status
    assert says in answer.problem()
    assert [stream["name"] for stream in (await service.ask("/api/streams")).json()] == ["absent"]


async def test_only_the_token_publishes(guarded: Service) -> None:
    """Without the token everything but a preflight is 401 and says how it is shown; with it the name decides."""
    publisher = WhipPublisher()
    sdp = await publisher.offer()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": ""}):
        answer = await post(guarded, "phone", sdp, **headers)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert TOKEN not in answer.problem()
    for name, status in (("phone", 201), ("drone-7", 201), ("elsewhere", 403)):
        answer = await post(guarded, name, sdp, **BEARER)
        assert answer.status == status, answer
        if status == 403:
            assert "ingress.names allows drone-*, phone" in answer.problem()
            continue
        location = answer.headers["Location"]
        assert (await guarded.ask(location, method="DELETE")).status == 401
        assert (await guarded.ask(location, method="DELETE", headers=BEARER)).status == 200
    assert TOKEN not in guarded.process.output
    await publisher.close()


async def test_a_page_learns_who_may_publish(service: Service, guarded: Service) -> None:
    """/api/ingress gives the names that may be published and whether a token is asked, never the token."""
    assert (await service.ask("/api/ingress")).json() == {"names": ["*"], "token": False}
    assert (await guarded.ask("/api/ingress")).json() == {"names": ["drone-*", "phone"], "token": True}


async def test_nobody_publishes_where_others_can_ask(model_server: ModelServer) -> None:
    """On an address that others reach, nothing may be published unless the configuration says what."""
    with run_service(
        settings(model_server, server={"host": "0.0.0.0"}, access={"anonymous": ["view", "publish"]})
    ) as service:
        answer = await post(service, "phone", "v=0")
        assert answer.status == 403
        assert "ingress.names" in answer.problem()
        assert (await service.ask("/api/ingress")).json()["names"] == []


async def test_candidates_trickle_by_patch(service: Service) -> None:
    """PATCH takes candidates with the entity tag: 204; and refuses what RFC 9725 refuses, the session going on."""
    async with publishing(service, "phone") as (_, answer):
        await service.wait_for_state("phone", "live")
        location, etag = answer.headers["Location"], answer.headers["ETag"]
        assert answer.headers["Accept-Patch"] == FRAGMENT
        candidate = "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
        restart = "a=ice-ufrag:otherufrag\r\na=ice-pwd:otherotherotherotherother\r\n"
        for body, content_type, headers, status in (
            (candidate, FRAGMENT, {"If-Match": etag}, 204),
            (candidate, FRAGMENT, {}, 428),
            (candidate, FRAGMENT, {"If-Match": '"another"'}, 412),
            (restart, FRAGMENT, {"If-Match": "*"}, 422),
            ("<html>", FRAGMENT, {"If-Match": etag}, 400),
            (candidate, SDP, {"If-Match": etag}, 415),
        ):
            patched = await service.ask(location, method="PATCH", body=body, content_type=content_type, headers=headers)
            assert patched.status == status, patched
            assert "ETag" not in patched.headers
            assert patched.body == b"" if status == 204 else patched.problem()
        assert (await service.stream("phone"))["state"] == "live"


async def test_endpoints_and_sessions_have_no_content(service: Service) -> None:
    """GET is 204 on an endpoint and on a session that is there; PUT is 405 on both."""
    assert (await service.ask("/whip/phone")).status == 204
    assert (await service.ask("/whip/phone", method="PUT")).status == 405
    assert (await service.ask("/whip/phone/nobody")).status == 404
    async with publishing(service, "phone") as (_, answer):
        assert (await service.ask(answer.headers["Location"])).status == 204
        assert (await service.ask(answer.headers["Location"], method="POST")).status == 405


async def test_streams_that_come_and_go_leave_nothing(service: Service) -> None:
    """Publishers that come one after the other leave no stream, no metric of one, no thread and no socket behind."""
    async with publishing(service, "warm"):
        await service.wait_for_state("warm", "live")
        most = held(service)

    async def ended() -> bool:
        return all(now < then for now, then in zip(held(service), most, strict=True))

    await until(ended, lambda: f"threads and descriptors were {most}, and are {held(service)}")
    before = held(service)
    for number in range(COMINGS):
        async with publishing(service, f"p{number}"):
            await service.wait_for_state(f"p{number}", "live")
            async with service.events(f"p{number}") as feed:
                await feed.more(1)

    async def settled() -> bool:
        # Less than one for each; a pool may have grown by a thread that was wanted at no other time.
        return all(now < then + COMINGS for now, then in zip(held(service), before, strict=True))

    await until(settled, lambda: f"threads and descriptors were {before}, and are {held(service)}")
    assert (await service.metrics()).labels("sightline_frame_latency_seconds_count", "stream") <= {"absent"}


def held(service: Service) -> tuple[int, int]:
    """Threads and file descriptors of the service."""
    process = Path("/proc", str(service.process.pid))
    return len(list((process / "task").iterdir())), len(list((process / "fd").iterdir()))
