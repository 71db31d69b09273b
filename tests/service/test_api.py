"""The interface: every route, as a client meets it."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest

from tests.peers.api_document import document_of, mistakes, mistakes_of_each
from tests.peers.index_detector import number_of
from tests.peers.model_server import ModelServer
from tests.peers.prometheus import run_prometheus
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, run_service, until
from tests.peers.whep_viewer import SDP, post_offer, watch_whep

pytestmark = pytest.mark.timeout(300)

ABSENT = "rtsp://127.0.0.1:1/nobody"
FRAMES, FPS = 60, 30
"""Of the numbered clip."""


@pytest.fixture(scope="module")
def service(model_server: ModelServer, numbered_clip: Path) -> Iterator[Service]:
    """Run the service with a camera, one that is not there, and room for two viewers."""
    with run_rtsp_server({"/road": numbered_clip}) as camera:
        config = {
            "server": {"max_viewers": 2},
            "serving": model_server.settings,
            "streams": {"road": {"url": camera.url("/road")}, "absent": {"url": ABSENT, "min_score": 0.1}},
        }
        with run_service(config) as service:
            yield service


@pytest.fixture
async def live(service: Service) -> Service:
    """The service with its camera live, answered at its rate, past the burst it begins with, and nobody watching."""
    await service.wait_for_state("road", "live")
    await service.wait_for_state("absent", "offline")

    async def settled() -> bool:
        now = await service.stream("road")
        return now["viewers"] == 0 and 3 < (now["detections_per_second"] or 0) < 7

    await until(settled, lambda: f"not settled:\n{service.process.output}")
    return service


async def test_streams_are_listed_with_their_numbers(live: Service) -> None:
    """/api/streams gives each stream's name, state, reason, size and rates, null while unknown."""
    absent, road = await live.stream("absent"), dict[str, Any]()

    async def is_at_its_rate() -> bool:
        road.update(await live.stream("road"))
        wanted = pytest.approx([FPS, 5], rel=0.4)
        return bool([road["fps"] or 0, road["detections_per_second"] or 0] == wanted)

    await until(is_at_its_rate, lambda: f"it has other rates: {road}")
    assert (road["state"], road["reason"], road["width"], road["height"]) == ("live", None, 320, 240)
    assert road["age_ms"] > 0
    assert road["findings"] == absent["findings"] == ["defect"]
    assert absent["state"] == "offline"
    assert "refuses the connection" in absent["reason"]
    assert {absent[key] for key in ("width", "height", "fps", "detections_per_second", "age_ms")} == {None}
    assert (await live.ask("/api/streams/road")).json().keys() == road.keys() | {"labels", "makes_events"}


async def test_what_comes_is_what_the_description_says(live: Service) -> None:
    """Streams that are live and offline, and events with something in them, have each key described, and no other."""
    described = await document_of(live)
    streams = (await live.ask("/api/streams")).json()
    assert {stream["state"] for stream in streams} == {"live", "offline"}
    assert mistakes_of_each(described, "StreamDescription", streams) == []
    async with live.events("road") as feed:
        events = [event for _, event in await feed.more(3)]
    assert all(event["detections"] for event in events)
    assert mistakes_of_each(described, "Event", events) == []
    for shape, path in (("Ready", "/readyz"), ("ConfigurationState", "/api/config"), ("Ingress", "/api/ingress")):
        assert mistakes(described, shape, (await live.ask(path)).json()) == []


async def test_events_tell_what_is_in_which_frame(live: Service) -> None:
    """Every event carries the boxes of the very frame its pts names: the number in the box runs as pts does."""
    async with live.events("road") as feed:
        events = [event for _, event in await feed.more(12)]
    for event in events:
        times = {"pts", "frame_time", "opening", "age_ms"}
        assert event.keys() == {"stream", *times, "model", "version", "width", "height", "detections"}
        assert (event["stream"], event["model"], event["version"]) == ("road", "numbers", 1)
        assert (event["width"], event["height"]) == (320, 240)
        assert event["age_ms"] > 0
        [detection] = event["detections"]
        assert (detection["label"], detection["class_id"], detection["score"]) == ("insulator", 1, pytest.approx(0.9))
        x_min, y_min, x_max, y_max = detection["box"]
        assert (y_min, y_max, x_max - x_min) == (60, 180, pytest.approx(160, abs=0.02))
    for before, after in pairwise(events):
        frames = (after["pts"] - before["pts"]) * FPS
        assert frames == pytest.approx(round(frames), abs=0.01)
        assert round(frames) >= 1
        assert (number_of(after) - number_of(before)) % FRAMES == round(frames) % FRAMES
    assert feed.lines[0] == "retry: 1000"
    data = [at for at, line in enumerate(feed.lines) if line.startswith("data: ")]
    assert all(feed.lines[at - 1] == "" for at in data)


async def test_all_streams_come_in_one_connection(live: Service) -> None:
    """/api/detections carries the same events as the streams' own connections."""
    async with live.events() as every, live.events("road") as road:
        ours = [event for _, event in await road.more(5)]

        async def came_there_too() -> bool:
            theirs = [event for _, event in every.arrived]
            return all(event in theirs for event in ours)

        await until(came_there_too, lambda: f"of {ours} not all came, but {every.arrived}")


async def test_a_still_is_the_annotated_picture(live: Service) -> None:
    """frame.jpg is a JPEG of the stream's own size with a box drawn on it."""
    answer = await live.ask("/api/streams/road/frame.jpg")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.headers["Cache-Control"] == "no-store"
    picture = cv2.imdecode(np.frombuffer(answer.body, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (240, 320, 3)
    assert has_box(picture)


def has_box(bgr: np.ndarray) -> bool:
    """Whether anything coloured is in the picture: the clip itself is grey."""
    return int((bgr.max(axis=2).astype(int) - bgr.min(axis=2) > 60).sum()) > 200


async def test_mjpeg_is_read_part_by_part(live: Service) -> None:
    """The MJPEG stream is a multipart body whose every part is a JPEG, with boxes."""
    async with live.open("/streams/road.mjpeg") as response:
        assert response.status == 200
        assert response.content_type == "multipart/x-mixed-replace"
        reader = aiohttp.MultipartReader.from_response(response)
        pictures = list[np.ndarray]()
        while len(pictures) < 10 or not has_box(pictures[-1]):  # the first may be older than any answer
            part = await reader.next()
            assert isinstance(part, aiohttp.BodyPartReader)
            assert part.headers["Content-Type"] == "image/jpeg"
            body = bytes(await part.read())
            assert len(body) == int(part.headers["Content-Length"])
            picture = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            pictures.append(picture)
    assert {picture.shape for picture in pictures} == {(240, 320, 3)}


async def test_whep_sends_video_until_it_is_deleted(live: Service) -> None:
    """A viewer's offer is answered with 201 and a Location; video comes; DELETE there ends it, once."""
    async with watch_whep(live, "road") as viewer:
        await viewer.more(30)
        assert viewer.newest is not None
        assert has_box(viewer.newest.to_ndarray(format="bgr24"))
        assert (viewer.newest.width, viewer.newest.height) == (320, 240)
        assert re.fullmatch(r"/whep/road/[\w-]{24}", viewer.location)
        wrong = viewer.location.replace("/road/", "/absent/")
        assert (await live.ask(wrong, method="DELETE")).status == 404
        assert (await live.ask(viewer.location, method="DELETE")).status == 200
        assert (await live.stream("road"))["viewers"] == 0
        gone = await live.ask(viewer.location, method="DELETE")
        assert gone.status == 404
        assert "no such session" in gone.problem()


async def test_a_full_service_sends_viewers_away(live: Service) -> None:
    """With max_viewers watching, one more gets 503 and a Retry-After by WHEP, MJPEG and events, until one leaves."""
    async with live.events(), watch_whep(live, "road") as viewer:
        await viewer.more(1)
        for refused in (
            await post_offer(live, "road", SDP_OFFER),
            await live.ask("/streams/road.mjpeg"),
            await live.ask("/api/streams/road/events"),
            await live.ask("/api/detections"),
        ):
            assert refused.status == 503
            assert "server.max_viewers" in refused.problem()
            assert int(refused.headers["Retry-After"]) > 0
        await live.ask(viewer.location, method="DELETE")
    async with live.open("/streams/road.mjpeg") as response:
        assert response.status == 200


SDP_OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\n"
    f"a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=fingerprint:sha-256 {':'.join(['00'] * 32)}\r\n"
    "a=setup:actpass\r\na=rtcp-mux\r\na=rtpmap:96 H264/90000\r\n"
    "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n"
)


@pytest.mark.parametrize(
    ("sdp", "content_type", "status", "says"),
    [
        (b"v=0 but not an offer", SDP, 400, "not an SDP offer with a video section"),
        (b"v=0\r\n\xff\xfe\r\nm=video 9", SDP, 400, "not UTF-8"),
        (SDP_OFFER.replace("m=video 9", "m=video x"), SDP, 400, "cannot be read"),
        (SDP_OFFER.replace("a=ice-pwd", "a=x"), SDP, 400, "no a=ice-pwd:"),
        (SDP_OFFER + "a=candidate:1 1 UDP 1 127.0.0.1 9 typ host\r\n" * 129, SDP, 400, "more than 128 candidates"),
        (SDP_OFFER.replace("H264", "H265"), SDP, 406, "no video codec known here: H.264"),
        (SDP_OFFER.replace("recvonly", "sendonly"), SDP, 422, "recvonly"),
        (SDP_OFFER + "a=x\r\n" * 14_000, SDP, 413, "larger than 64 KiB"),
        (SDP_OFFER + "a=x\r\n" * 100_000, SDP, 413, "larger than 64 KiB"),
        (SDP_OFFER, "text/plain", 415, "must be application/sdp, not text/plain"),
    ],
)
async def test_a_wrong_offer_is_refused(
    live: Service, sdp: str | bytes, content_type: str, status: int, says: str
) -> None:
    """What is no offer that can be answered gets a status and a sentence that say why, and takes no viewer's place."""
    answer = await post_offer(live, "road", sdp, content_type)
    assert answer.status == status
    assert says in answer.problem()
    assert (await live.stream("road"))["viewers"] == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/streams/nobody"),
        ("GET", "/api/streams/nobody/events"),
        ("GET", "/api/streams/nobody/frame.jpg"),
        ("GET", "/streams/nobody.mjpeg"),
        ("POST", "/whep/nobody"),
    ],
)
async def test_an_unknown_stream_is_not_found(service: Service, method: str, path: str) -> None:
    """A stream that is not configured is 404 on every route, with the names there are."""
    answer = await service.ask(path, method=method, body=SDP_OFFER if method == "POST" else None, content_type=SDP)
    assert answer.status == 404
    assert "there are: road, absent" in answer.problem()


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/nothing/here", 404, "there is nothing at this path"),
        ("GET", "/web/../signature.py", 404, "there is nothing at this path"),
        ("GET", "/web/%2e%2e/pyproject.toml", 404, "there is nothing at this path"),
        ("PUT", "/api/streams", 405, "PUT is not possible here; allowed are GET, HEAD, OPTIONS, POST"),
    ],
)
async def test_a_wrong_request_is_a_sentence(service: Service, method: str, path: str, status: int, says: str) -> None:
    """A route that is not there, or not with this method, is refused in the same form as everything else."""
    answer = await service.ask(path, method=method)
    assert (answer.status, answer.problem()) == (status, says)
    assert (status != 405) or answer.headers["Allow"]


REBOUND = "rebound.example:8000"


@pytest.mark.parametrize("path", ["/", "/web/app.js", "/api/streams", "/metrics", "/healthz", "/nothing/here"])
async def test_who_takes_us_for_somebody_else_gets_nothing(service: Service, path: str) -> None:
    """A page whose own name was made to mean our address may neither read nor change anything (DNS rebinding)."""
    asked = {"Host": REBOUND, "Origin": f"http://{REBOUND}"}
    for method in ("GET", "POST", "OPTIONS"):
        answer = await service.ask(path, method=method, headers=asked)
        assert answer.status == 421
        assert answer.problem() == f"this service does not go by the name {REBOUND!r}; server.names lists its names"
    for host in ("localhost:8000", "10.1.2.3", "[::1]"):
        assert (await service.ask(path, headers={"Host": host})).status != 421


async def test_a_picture_that_never_came_is_unavailable(service: Service) -> None:
    """frame.jpg of a stream without a frame is 503 with a Retry-After."""
    answer = await service.ask("/api/streams/absent/frame.jpg")
    assert answer.status == 503
    assert "has not had a picture yet" in answer.problem()
    assert int(answer.headers["Retry-After"]) > 0


async def test_the_page_and_its_modules_are_served(service: Service) -> None:
    """/ is the page, what it loads is there, and every response says what a browser may do with it."""
    page = await service.ask("/")
    assert (page.status, page.headers["Content-Type"].split(";")[0]) == (200, "text/html")
    loaded = re.findall(r'(?:src|href)="(web/[^"]+)"', page.body.decode())
    loaded = [f"/{path}" for path in loaded]
    assert any(path.endswith(".js") for path in loaded)
    for path in ("/", *loaded, "/api/streams", "/metrics", "/nothing/here"):
        answer = await service.ask(path)
        assert answer.status == (404 if path == "/nothing/here" else 200), path
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Server" not in answer.headers
        assert "Cache-Control" in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_health_and_readiness_are_told_apart(live: Service) -> None:
    """/healthz says that the process answers, /readyz that the model server does, with the version it serves."""
    assert (await live.ask("/healthz")).json() == {"status": "ok"}
    assert (await live.ask("/readyz")).json() == {"status": "ready", "models": {"numbers": 1}}


async def test_metrics_are_prometheus_text(live: Service) -> None:
    """/metrics is parsed without a complaint, every name is ours, and each family has its help."""
    async with live.open("/streams/road.mjpeg") as response:
        await aiohttp.MultipartReader.from_response(response).next()
        metrics = await live.metrics()
    assert all(name.startswith("sightline_") for name in metrics.families)
    assert all(family.documentation for family in metrics.families.values())
    assert metrics.labels("sightline_frames_total", "stage") == {
        "source", "sampler", "predictor", "annotator", "encoder",
    }  # fmt: skip
    assert metrics.sum("sightline_frames_total", stream="road", stage="encoder") >= 1
    assert metrics.sum("sightline_detections_total", stream="road", label="insulator") >= 1
    assert metrics.sum("sightline_batch_size_count", model="numbers") >= 1
    assert metrics.sum("sightline_predict_seconds_count", model="numbers") >= 1
    assert metrics.sum("sightline_frame_latency_seconds_count", stream="road") >= 1
    assert metrics.sum("sightline_source_reconnects_total", stream="absent", reason="refused") >= 1
    assert metrics.sum("sightline_sessions", stream="road", transport="mjpeg") == 1
    assert metrics.sum("sightline_model_up", model="numbers") == 1
    assert metrics.sum("sightline_stream_state", stream="road", state="live") == 1
    assert metrics.sum("sightline_stream_state", stream="road") == 1


async def test_prometheus_scrapes_the_service(live: Service, tmp_path: Path) -> None:
    """A real Prometheus takes what /metrics says, and finds the frames' counter rising."""
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "scrape_configs: [{job_name: sightline, scrape_interval: 1s,"
        f" static_configs: [{{targets: ['{live.url.removeprefix('http://')}']}}]}}]"
    )
    async with run_prometheus(config) as prometheus:
        found = await prometheus.wait_for("rate(sightline_frames_total{stream='road', stage='source'}[30s]) > 0")
        assert [labels["stage"] for labels, _ in found] == ["source"]
        [(_, up)] = await prometheus.wait_for("up{job='sightline'}")
        assert up == 1
