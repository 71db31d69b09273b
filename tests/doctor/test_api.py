"""`POST /api/doctor`, as a client meets it."""

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest

from streamer.doctor.practice import MOST
from tests.peers.api_document import document_of, mistakes
from tests.peers.clip import make_clip
from tests.peers.front import run_front
from tests.peers.process import free_port
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.service import Answer, Service, run_service
from tests.peers.until import until

pytestmark = pytest.mark.timeout(300)

TOKEN = "a-token-of-tests"
NOBODY = {"serving": {"address": "127.0.0.1:1"}}


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtspServer]:
    """A camera with B-frames, and a large one of ten pictures a second."""
    folder = tmp_path_factory.mktemp("doctor")
    clip = make_clip(folder / "clip.mp4", gop=30, b_frames=2)
    large = make_clip(folder / "large.mp4", width=1920, height=1080, fps=10, gop=10)
    with run_rtsp_server({"/road": clip, "/large": large}, user="watch", password="right-hand") as server:
        yield server


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A service whose API may add streams of this machine, by RTSP, for who has the token."""
    allowed = {"allowed": True, "token": TOKEN, "schemes": ["rtsp"], "networks": ["127.0.0.1/32"]}
    with run_service({**NOBODY, "api_streams": allowed}) as service:
        yield service


async def ask(service: Service, document: Any, *, token: str = TOKEN, content_type: str = "application/json") -> Answer:
    """Ask the doctor."""
    body = document if isinstance(document, str) else json.dumps(document)
    headers = {"Authorization": f"Bearer {token}"}
    return await service.ask("/api/doctor", method="POST", body=body, content_type=content_type, headers=headers)


async def test_a_camera_is_examined(service: Service, camera: RtspServer) -> None:
    """The answer has the verdict, the findings and the numbers, a picture where one was asked for, and no password."""
    answer = await ask(service, {"url": camera.url("/road"), "still": True})
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    document = answer.json()
    assert (document["works"], document["codec"], document["width"], document["height"]) == (True, "h264", 320, 240)
    assert "b_frames" in [finding["kind"] for finding in document["findings"]]
    kind, _, data = document["still"].partition(",")
    assert kind == "data:image/jpeg;base64"
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (240, 320, 3)
    assert b"right-hand" not in answer.body
    assert "right-hand" not in service.process.output


async def test_the_answer_is_what_the_description_says(service: Service, camera: RtspServer) -> None:
    """Of a camera that works and of one that does not, the answer has each key that is described, and no other."""
    described = await document_of(service)
    works = (await ask(service, {"url": camera.url("/road"), "still": True})).json()
    assert (works["works"], works["rtsp"]["tracks"] != [], works["findings"] != []) == (True, True, True)
    refused = (await ask(service, {"url": f"rtsp://watch:wrong-hand@127.0.0.1:{camera.port}/road"})).json()
    assert refused["works"] is False
    assert mistakes(described, "ReportDocument", works) == mistakes(described, "ReportDocument", refused) == []


async def test_a_large_picture_comes_smaller(service: Service, camera: RtspServer) -> None:
    """A picture larger than a page needs is made smaller, in its own proportions; the answer has the camera's size."""
    document = (await ask(service, {"url": camera.url("/large"), "still": True})).json()
    data = base64.b64decode(document["still"].partition(",")[2])
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (720, 1280, 3)
    assert (document["width"], document["height"]) == (1920, 1080)


@pytest.mark.parametrize(("sample_fps", "few"), [(None, False), (2, False), (20, True)])
async def test_pictures_are_few_where_the_stream_wants_more(
    service: Service, camera: RtspServer, sample_fps: int | None, few: bool
) -> None:
    """Whether pictures are few is judged by the stream's `sample_fps`: the one asked for, or the default."""
    wish = {} if sample_fps is None else {"sample_fps": sample_fps}
    document = (await ask(service, {"url": camera.url("/large"), **wish})).json()
    assert ("few_pictures" in [finding["kind"] for finding in document["findings"]]) == few


async def test_a_picture_comes_only_where_it_is_asked_for(service: Service, camera: RtspServer) -> None:
    """Without `still` the answer carries none, and what does not work is an answer all the same."""
    answer = await ask(service, {"url": f"rtsp://watch:wrong-hand@127.0.0.1:{camera.port}/road"})
    document = answer.json()
    assert (answer.status, document["verdict"], document["works"]) == (200, "authentication", False)
    assert "still" not in document
    assert b"wrong-hand" not in answer.body


async def test_the_policy_of_added_streams_holds(service: Service, camera: RtspServer) -> None:
    """What may not be added is not examined either: schemes, networks, files, ports of ours, UDP; nobody connects."""
    async with run_front(camera.port) as victim:
        for settings in (
            {"url": f"http://127.0.0.1:{victim.port}/"},
            {"url": f"rtsp://127.0.0.2:{victim.port}/"},
            {"url": f"rtsp://[::ffff:127.0.0.2]:{victim.port}/"},
            {"url": "rtsp://169.254.169.254/"},
            {"url": "file:///etc/passwd"},
            {"url": "rtsp://127.0.0.1:9/x", "listen": True},
            {"url": f"rtsp://127.0.0.1:{victim.port}/road", "transport": "udp"},
        ):
            answer = await ask(service, settings)
            assert (answer.status, answer.json()["verdict"]) == (200, "forbidden"), settings
            assert "forbidden" not in answer.json()["reason"]
        assert victim.accepted == 0


@pytest.mark.parametrize(
    ("document", "content_type", "status", "says"),
    [
        ({"url": "rtsp://127.0.0.1/x"}, "text/plain", 415, "must be application/json"),
        ("{", "application/json", 400, "not JSON"),
        ("[1]", "application/json", 400, "mapping"),
        ("[" * 5000, "application/json", 400, "not JSON"),
        ({}, "application/json", 422, "url"),
        ({"url": "nonsense"}, "application/json", 422, "allowed are rtsp://"),
        ({"url": "rtsp://h/", "color": 1}, "application/json", 422, "color"),
        ({"url": "rtsp://h/", "still": "yes"}, "application/json", 422, "still"),
        ({"url": "rtsp://h/", "tls": {"ca": {"a": 1}}}, "application/json", 422, "tls.ca"),
        ({"url": "rtsp://h/", "tls": {"ca": {"a": {"b": {"c": {"d": 1}}}}}}, "application/json", 422, "that deep"),
        ({"url": "rtsps://h/", "tls": {"ca": "/etc/passwd"}}, "application/json", 403, "tls.ca"),
    ],
)
async def test_what_cannot_be_read_is_refused(
    service: Service, document: Any, content_type: str, status: int, says: str
) -> None:
    """A body that is not one of a stream's settings gets a status and a sentence."""
    answer = await ask(service, document, content_type=content_type)
    assert answer.status == status
    assert says in answer.problem()


async def test_who_may_not_add_streams_may_not_examine_any(service: Service) -> None:
    """Without the token it is 401; where the configuration does not allow it, 403 for everybody."""
    assert (await ask(service, {"url": "rtsp://127.0.0.1/x"}, token="another-token")).status == 401
    with run_service(NOBODY) as closed:
        answer = await ask(closed, {"url": "rtsp://127.0.0.1/x"})
    assert answer.status == 403
    assert "api_streams.allowed" in answer.problem()


async def test_a_stream_is_examined_by_its_name(camera: RtspServer) -> None:
    """With the password and the limits it runs with, whoever named it, and the answer shows no password."""
    config = {
        **NOBODY,
        "api_streams": {"allowed": True, "networks": ["10.0.0.0/8"]},
        "streams": {"road": {"url": camera.url("/road"), "paused": True, "sample_fps": 50}},
    }
    with run_service(config) as service:
        answer = await ask(service, {"stream": "road", "still": True})
        assert answer.status == 200
        document = answer.json()
        assert (document["works"], document["codec"]) == (True, "h264")
        assert "few_pictures" in [finding["kind"] for finding in document["findings"]]
        assert b"right-hand" not in answer.body


async def test_streams_that_cannot_be_examined_are_refused() -> None:
    """One that is not there, one with settings, and one that waits at a port of its own where only one can."""
    port = free_port()
    config = {
        **NOBODY,
        "api_streams": {"allowed": True},
        "streams": {"drone": {"url": f"rtsp://127.0.0.1:{port}/drone", "listen": True}},
    }
    with run_service(config) as service:
        for settings, status, says in (
            ({"stream": "yard"}, 404, "there are: drone"),
            ({"stream": 7}, 422, "a stream's name"),
            ({"stream": "drone", "url": "rtsp://10.0.0.1/x"}, 422, "no setting but still"),
            ({"stream": "drone"}, 409, "waits for its camera"),
        ):
            answer = await ask(service, settings)
            assert (answer.status, says in answer.problem()) == (status, True), answer.problem()


async def test_few_are_examined_at_a_time(service: Service, camera: RtspServer) -> None:
    """Six cameras that say nothing leave a seventh sent away with Retry-After; two leave room for one that works."""
    async with run_front(camera.port) as silent:
        silent.blocked = True
        url = {"url": f"rtsp://127.0.0.1:{silent.port}/road"}
        waiting = [asyncio.create_task(ask(service, url)) for _ in range(2)]
        await until(lambda: silent.open == 2)
        assert (await ask(service, {"url": camera.url("/nowhere")})).json()["verdict"] == "not_found"
        waiting += [asyncio.create_task(ask(service, url)) for _ in range(MOST - 2)]
        await until(lambda: silent.open == MOST)
        refused = await ask(service, url)
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert {answer.json()["verdict"] for answer in await asyncio.gather(*waiting)} == {"timeout"}
    assert (await ask(service, {"url": camera.url("/nowhere")})).json()["verdict"] == "not_found"


async def test_two_that_deliver_are_enough(service: Service, camera: RtspServer) -> None:
    """While two cameras are decoded nobody else is examined, however few wait."""
    delivering = [asyncio.create_task(ask(service, {"url": camera.url("/road")})) for _ in range(2)]
    while (await ask(service, {"url": camera.url("/nowhere")})).status != 503:
        assert not any(each.done() for each in delivering)
    assert {answer.json()["works"] for answer in await asyncio.gather(*delivering)} == {True}


async def test_no_foreign_page_examines_anything(service: Service) -> None:
    """A request that a browser sends for another page is refused before anything is opened."""
    answer = await service.ask(
        "/api/doctor",
        method="POST",
        body='{"url": "rtsp://127.0.0.1/x"}',
        content_type="application/json",
        headers={"Origin": "https://evil.example", "Authorization": f"Bearer {TOKEN}"},
    )
    assert answer.status == 403
