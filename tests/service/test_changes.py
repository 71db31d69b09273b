"""Streams added, changed, paused and removed through the API of a service that runs, with real cameras."""

import json
import os
import stat
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.peers.connections import established
from tests.peers.model_server import ModelServer
from tests.peers.rtc import take_answer
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.service import Answer, Service, run_service, until
from tests.peers.whep_viewer import watch_whep
from tests.peers.whip_publisher import WhipPublisher

pytestmark = pytest.mark.timeout(300)

JSON = "application/json"
PASSWORD = "canary-pa55"
TOKEN = "let-me-change"
LOOPBACK = ["127.0.0.1/32", "10.0.0.0/8"]


def settings(model_server: ModelServer, **more: Any) -> dict[str, Any]:
    """A configuration that lets streams be added from this machine's cameras."""
    serving = model_server.settings
    return {"serving": serving, "api_streams": {"allowed": True, "networks": LOOPBACK}, **more}


@pytest.fixture(scope="module")
def camera(numbered_clip: Path) -> Iterator[RtspServer]:
    """Run a camera with a password."""
    mounts = {"/road": numbered_clip, "/yard": numbered_clip}
    with run_rtsp_server(mounts, user="watch", password=PASSWORD) as camera:
        yield camera


@pytest.fixture(scope="module")
def service(model_server: ModelServer, camera: RtspServer) -> Iterator[Service]:
    """Run a service with one camera of its own, and room for two more streams."""
    config = settings(model_server, streams={"own": {"url": camera.url("/yard")}})
    config["api_streams"] |= {"max_streams": 2, "schemes": ["rtsp", "http", "srt"]}
    with run_service(config) as service:
        yield service


async def post(service: Service, document: Any, **headers: str) -> Answer:
    """Ask for a stream to be added."""
    body = json.dumps(document)
    return await service.ask("/api/streams", method="POST", body=body, content_type=JSON, headers=headers)


async def patch(service: Service, name: str, document: Any) -> Answer:
    """Ask for a stream to be changed."""
    body = json.dumps(document)
    return await service.ask(f"/api/streams/{name}", method="PATCH", body=body, content_type=JSON)


async def delete(service: Service, name: str, **headers: str) -> Answer:
    """Ask for a stream to be removed."""
    return await service.ask(f"/api/streams/{name}", method="DELETE", headers=headers)


async def names(service: Service) -> list[str]:
    """The streams there are."""
    return [row["name"] for row in (await service.ask("/api/streams")).json()]


async def test_an_added_stream_is_one_like_any_other_until_it_is_removed(service: Service, camera: RtspServer) -> None:
    """POST answers 201 with where the stream is; it is live like any other; DELETE ends it, and its name is free."""
    answer = await post(service, {"name": "road", "url": camera.url("/road"), "sample_fps": 4})
    assert (answer.status, answer.headers["Location"]) == (201, "/api/streams/road")
    assert answer.json()["origin"] == "api"
    shown = camera.url("/road").replace(PASSWORD, "***")
    assert answer.json()["settings"] == {"url": shown, "sample_fps": 4.0, "paused": False}
    await service.wait_for_state("road", "live")

    async def has_its_size() -> bool:
        live = await service.stream("road")
        return (live["width"], live["height"]) == (320, 240)

    await until(has_its_size, lambda: "its pictures are of another size")
    async with service.events("road") as feed:
        await feed.more(3)
    removed = await delete(service, "road")
    assert (removed.status, removed.body) == (204, b"")
    assert await names(service) == ["own"]
    assert (await delete(service, "road")).status == 404
    assert PASSWORD not in service.process.output


@pytest.mark.parametrize(
    ("document", "status", "says"),
    [
        ({"url": "rtsp://10.0.0.7/"}, 422, "name: is missing"),
        ({"name": 7, "url": "rtsp://10.0.0.7/"}, 422, "name: is missing; it must be a text"),
        ({"name": "a b", "url": "rtsp://10.0.0.7/"}, 422, "'a b' is not a name of 1 to 64 letters"),
        ({"name": "a"}, 422, "url: is missing"),
        ({"name": "a", "url": "ftp://10.0.0.7/"}, 422, "url: 'ftp://10.0.0.7/': allowed are rtsp://"),
        ({"name": "a", "url": f"rtsp://u:{PASSWORD}/x@10.0.0.7:port/"}, 422, "is not a URL"),
        (
            {"name": "a", "url": f"rtsp://u:{PASSWORD}@10.0.0.7/", "fps": 5},
            422,
            "fps: unknown key; allowed here are url",
        ),
        ({"name": "a", "url": "rtsp://10.0.0.7/", "sample_fps": 0}, 422, "sample_fps: 0 is not allowed; it must be"),
        ({"name": "a", "url": "rtsp://10.0.0.7/", "sample_fps": "5"}, 422, "sample_fps: '5' is not allowed"),
        ({"name": "a", "url": "rtsp://10.0.0.7/", "paused": 1}, 422, "paused: 1 is not allowed; it must be true or"),
        ({"name": "a", "url": "rtsp://10.0.0.7/", "tls": {"name": "x"}}, 422, "tls: rtsp:// has no certificates"),
        ({"name": "a", "url": "rtsp://10.0.0.7/", "tls": {"name": {"x": []}}}, 422, "tls.name"),
        ({"name": "a", "url": "rtsp://10.0.0.7/", "tls": {"name": {"a": {"b": {"c": {"d": 1}}}}}}, 422, "that deep"),
        ({"name": "a", "url": "\ud800"}, 422, "url"),
        ([], 400, "must be a mapping, not list"),
        ({"name": "a", "url": "file:///etc/passwd"}, 403, "file:// is not allowed"),
        ({"name": "a", "url": "rtmp://10.0.0.7/live"}, 403, "rtmp:// is not allowed for this stream; allowed are http"),
        ({"name": "a", "url": "udp://10.0.0.7:5000"}, 403, "udp:// is not allowed"),
        ({"name": "a", "url": "srt://10.0.0.7:5000", "listen": True}, 403, "may have a stream listen"),
        ({"name": "a", "url": "srt://10.0.0.7:5000?mode=listener"}, 403, "may have a stream listen"),
        ({"name": "a", "url": "rtsp://10.0.0.7/", "transport": "udp"}, 403, "where datagrams go"),
        ({"name": "a", "url": "http://169.254.169.254/latest"}, 403, "169.254.169.254 is a cloud metadata address"),
        ({"name": "a", "url": "http://[::1]/x"}, 403, "::1 is a loopback address"),
        ({"name": "a", "url": "http://2130706434/x"}, 403, "127.0.0.2 is a loopback address"),
        ({"name": "a", "url": "http://192.168.0.1/x"}, 403, "in none of the networks"),
        ({"name": "own", "url": "rtsp://10.0.0.7/"}, 409, "there is a stream 'own' already"),
    ],
)
async def test_what_cannot_be_added_is_refused_in_a_sentence(
    service: Service, document: Any, status: int, says: str
) -> None:
    """A stream that is malformed, forbidden or already there is refused with what is wrong; nothing is added."""
    answer = await post(service, document)
    assert (answer.status, says in answer.problem()) == (status, True), answer.problem()
    assert PASSWORD not in answer.problem()
    assert await names(service) == ["own"]


async def test_only_json_is_taken(service: Service) -> None:
    """Another type of body is 415, however it reads; what claims to be JSON and is not is 400."""
    document = json.dumps({"name": "a", "url": "rtsp://10.0.0.7/"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None):
        answer = await service.ask("/api/streams", method="POST", body=document, content_type=kind)
        assert answer.status == 415
        assert "must be application/json" in answer.problem()
    for body in (b"{", b"\xff", b"[" * 60_000, b'{"a": ' + b"9" * 5000 + b"}", b""):
        answer = await service.ask("/api/streams", method="POST", body=body, content_type=JSON)
        assert (answer.status, answer.problem()) == (400, "the body is not JSON")
    large = await service.ask("/api/streams", method="POST", body=b" " * 100_000, content_type=JSON)
    assert large.status == 413
    for coding in ("gzip", "br", "nonsense"):  # compressed ones are not unpacked, be they broken or bombs
        packed = {"Content-Encoding": coding}
        answer = await service.ask("/api/streams", method="POST", body=b"{}", content_type=JSON, headers=packed)
        assert answer.status in (400, 415, 422)
        assert answer.problem()
    assert "Traceback" not in service.process.output


async def test_a_foreign_page_changes_nothing(service: Service) -> None:
    """A request that another site's page made a browser send is refused, whatever it asks for."""
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for answer in (
        await post(service, {"name": "a", "url": "rtsp://10.0.0.7/"}, **foreign),
        await delete(service, "own", **foreign),
    ):
        assert answer.status == 403
        assert "https://evil.example may not do this" in answer.problem()
    assert await names(service) == ["own"]


async def test_a_full_list_takes_no_more(service: Service) -> None:
    """With api_streams.max_streams added, one more is refused, until one is removed."""
    for name in ("one", "two"):
        assert (await post(service, {"name": name, "url": "rtsp://10.255.255.1/", "paused": True})).status == 201
    refused = await post(service, {"name": "three", "url": "rtsp://10.255.255.1/", "paused": True})
    assert refused.status == 409
    assert "api_streams.max_streams" in refused.problem()
    assert (await delete(service, "two")).status == 204
    assert (await post(service, {"name": "three", "url": "rtsp://10.255.255.1/", "paused": True})).status == 201
    for name in ("one", "three"):
        assert (await delete(service, name)).status == 204


async def test_no_variable_of_ours_is_put_into_a_strangers_url(model_server: ModelServer) -> None:
    """${NAME} in what the API is given stays as it stands: our environment is nobody else's."""
    with run_service(settings(model_server), {"OUR_SECRET": "canary-env"}) as service:
        document = {"name": "a", "url": "rtsp://10.255.255.1/${OUR_SECRET}", "paused": True}
        assert (await post(service, document)).json()["settings"]["url"].endswith("/${OUR_SECRET}")


async def test_pausing_closes_the_cameras_connection(service: Service, camera: RtspServer) -> None:
    """A paused stream keeps its place without a connection; resumed it is live again, and its viewer never left."""
    await service.wait_for_state("own", "live")
    await until(clients(camera, 1), lambda: f"the camera's clients: {established(camera.port)}")
    async with watch_whep(service, "own") as viewer:
        await viewer.more(5)
        answer = await patch(service, "own", {"paused": True})
        assert (answer.status, answer.json()["state"]) == (200, "paused")
        await until(clients(camera, 0), lambda: f"the camera's clients: {established(camera.port)}")
        row = await service.stream("own")
        assert (row["state"], row["error"], row["viewers"]) == ("paused", None, 1)
        assert "paused" in row["reason"]
        metrics = await service.metrics()
        assert metrics.sum("sightline_stream_state", stream="own", state="paused") == 1
        assert (await service.ask("/api/streams/own/frame.jpg")).status == 200
        assert (await patch(service, "own", {"paused": False})).status == 200
        await service.wait_for_state("own", "live")
        await viewer.more(30)
    await until(clients(camera, 1), lambda: f"the camera's clients: {established(camera.port)}")


def clients(camera: RtspServer, count: int) -> Callable[[], Awaitable[bool]]:
    """A condition: so many are connected to the camera."""

    async def are_there() -> bool:
        return len(established(camera.port)) == count

    return are_there


async def costs(service: Service, name: str, pictures: int) -> bool:
    """Whether a stream's newest sample was so many pictures."""
    return bool((await service.ask(f"/api/streams/{name}")).json()["pictures_per_sample"] == pictures)


async def test_what_the_source_does_not_need_changes_under_its_viewers(service: Service, camera: RtspServer) -> None:
    """What is asked of the model changes on the running connection; another URL is another one; viewers stay."""
    await post(service, {"name": "road", "url": camera.url("/road"), "sample_fps": 2})
    await service.wait_for_state("road", "live")
    await service.wait_for_state("own", "live")  # its connection is among those that are compared
    async with watch_whep(service, "road") as viewer, service.events("road") as feed:
        await viewer.more(5)
        await feed.more(3)
        ports = established(camera.port)
        assert (await patch(service, "road", {"sample_fps": 10, "min_score": 0.95})).status == 200
        apart, newest = 1.0, dict[str, Any]()
        while apart > 0.3:  # half a second before, however busy the machine is
            before, newest = (event for _, event in await feed.more(2))
            apart = newest["pts"] - before["pts"]
        assert apart > 0.05
        assert newest["detections"] == []  # the detector's score is 0.9
        assert (await patch(service, "road", {"tiles": "2x2"})).status == 200
        await until(lambda: costs(service, "road", 5), lambda: "no sample was five pictures")
        assert (await patch(service, "road", {"tiles": None, "priority": 3})).json()["priority"] == 3
        assert (await patch(service, "road", {"priority": None})).json()["priority"] == 1
        await until(lambda: costs(service, "road", 1), lambda: "no sample was one picture again")
        assert established(camera.port) == ports
        answer = await patch(service, "road", {"url": camera.url("/yard"), "min_score": None})
        assert answer.json()["settings"].keys() == {"url", "sample_fps", "paused"}
        await service.wait_for_state("road", "live")
        assert established(camera.port) != ports
        assert [event for _, event in await feed.more(12)][-1]["detections"] != []
        await viewer.more(30)
    assert (await service.metrics()).sum("sightline_source_reconnects_total", stream="road") == 0
    assert (await delete(service, "road")).status == 204


@pytest.mark.parametrize(
    ("document", "status", "says"),
    [
        ({"sample_fps": 10}, 409, "'own' stands in the configuration file; sample_fps is changed there"),
        ({"paused": "yes"}, 422, "paused: 'yes' is not allowed; it must be true or false"),
        ({"name": "other"}, 422, "name: is not changed"),
    ],
)
async def test_the_files_streams_are_the_files(service: Service, document: Any, status: int, says: str) -> None:
    """Of a stream that the configuration names the API changes nothing but whether it is paused."""
    answer = await patch(service, "own", document)
    assert (answer.status, says in answer.problem()) == (status, True), answer.problem()
    refused = await delete(service, "own")
    assert refused.status == 409
    assert "stands in the configuration file" in refused.problem()


async def test_a_patch_may_not_lead_where_a_post_may_not(service: Service, camera: RtspServer) -> None:
    """A change is judged as an addition is, and one that is refused leaves the stream as it was."""
    await post(service, {"name": "road", "url": camera.url("/road")})
    for document, status in (
        ({"url": "file:///etc/passwd"}, 403),
        ({"url": "http://169.254.169.254/"}, 403),
        ({"url": "https://10.0.0.7/", "tls": {"ca": "/etc/passwd"}}, 403),
        ({"transport": "udp"}, 403),
        ({"url": None}, 422),
        ({"sample_fps": -1}, 422),
    ):
        assert (await patch(service, "road", document)).status == status, document
    assert (await patch(service, "nobody", {})).status == 404
    answer = await patch(service, "road", {})
    assert answer.json()["settings"] == {"url": camera.url("/road").replace(PASSWORD, "***"), "paused": False}
    assert (await delete(service, "road")).status == 204


async def test_adding_is_off_by_default(model_server: ModelServer) -> None:
    """Without api_streams.allowed nothing is changed, and the sentence names the key that allows it."""
    config = settings(model_server, streams={"own": {"url": "rtsp://127.0.0.1:1/x"}})
    del config["api_streams"]
    with run_service(config) as service:
        for answer in (
            await post(service, {"name": "a", "url": "rtsp://10.0.0.7/"}),
            await patch(service, "own", {"paused": True}),
            await delete(service, "own"),
        ):
            assert answer.status == 403
            assert "api_streams.allowed" in answer.problem()
        assert (await service.ask("/api/config")).json()["api_streams"]["allowed"] is False


async def test_a_token_is_asked_for(model_server: ModelServer) -> None:
    """With api_streams.token set, whoever does not show it is refused with 401 and how to show it."""
    config = settings(model_server)
    config["api_streams"] |= {"token": TOKEN}
    document = {"name": "a", "url": "rtsp://10.255.255.1/", "paused": True}
    with run_service(config) as service:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            for answer in (await post(service, document, **headers), await delete(service, "a", **headers)):
                assert answer.status == 401
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert "api_streams.token" in answer.problem()
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert (await post(service, document, **bearer)).status == 201
        assert (await delete(service, "a", **bearer)).status == 204
        assert (await service.ask("/api/config")).json()["api_streams"]["token"] is True
        assert "there is no token" not in service.process.output


async def test_what_was_changed_survives_a_restart(
    model_server: ModelServer, camera: RtspServer, tmp_path: Path
) -> None:
    """Added streams come back with all their settings, paused ones paused, from a file only its owner reads."""
    config = settings(model_server, streams={"own": {"url": camera.url("/yard")}})
    with run_service(config, folder=tmp_path) as service:
        assert (await post(service, {"name": "road", "url": camera.url("/road"), "sample_fps": 7})).status == 201
        assert (await post(service, {"name": "gone", "url": camera.url("/road")})).status == 201
        assert (await patch(service, "road", {"min_score": 0.3})).status == 200
        await post(service, {"name": "held", "url": camera.url("/road"), "paused": True})
        assert (await patch(service, "own", {"paused": True})).status == 200
        assert (await delete(service, "gone")).status == 204
    file = tmp_path / "sightline.streams.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # And nothing temporary.
    assert listed(tmp_path) == ["sightline.audit.jsonl", "sightline.streams.json", "sightline.yaml"]
    with run_service(config, folder=tmp_path) as service:
        assert await names(service) == ["own", "road", "held"]
        assert (await service.stream("own"))["state"] == (await service.stream("held"))["state"] == "paused"
        await service.wait_for_state("road", "live")
        answer = await patch(service, "road", {})
        shown = camera.url("/road").replace(PASSWORD, "***")
        assert answer.json()["settings"] == {"url": shown, "sample_fps": 7.0, "min_score": 0.3, "paused": False}
        assert PASSWORD not in service.process.output


async def test_what_the_file_names_wins(model_server: ModelServer, camera: RtspServer, tmp_path: Path) -> None:
    """A name that stands in both is the configuration's; the API's stream is kept, and returns with the name."""
    config = settings(model_server)
    with run_service(config, folder=tmp_path) as service:
        await post(service, {"name": "road", "url": camera.url("/road"), "sample_fps": 7})
    both = config | {"streams": {"road": {"url": camera.url("/yard")}}}
    with run_service(both, folder=tmp_path) as service:
        assert (await service.stream("road"))["origin"] == "file"
        assert "takes the place of the one that the API added, which is kept" in service.process.output
        assert (await delete(service, "road")).status == 409
    with run_service(config, folder=tmp_path) as service:
        assert (await service.stream("road"))["origin"] == "api"


async def test_a_broken_state_file_is_put_aside(model_server: ModelServer, tmp_path: Path) -> None:
    """A state file that cannot be understood is said in a line and kept under another name; the service starts."""
    (tmp_path / "sightline.streams.json").write_text('{"version": 1, "str')
    with run_service(settings(model_server), folder=tmp_path) as service:
        assert await names(service) == []
        assert "sightline.streams.json cannot be used: it is not JSON" in service.process.output
        assert (await post(service, {"name": "a", "url": "rtsp://10.255.255.1/", "paused": True})).status == 201
    assert (tmp_path / "sightline.streams.json.broken").read_text() == '{"version": 1, "str'


async def test_what_cannot_be_kept_is_not_done(model_server: ModelServer, tmp_path: Path) -> None:
    """Where the state file cannot be written a change is refused with 503 and the reason, and nothing changes."""
    config = settings(model_server)
    config["api_streams"] |= {"state": str(tmp_path / "nowhere" / "state.json")}
    with run_service(config) as service:
        answer = await post(service, {"name": "a", "url": "rtsp://10.255.255.1/"})
        assert answer.status == 503
        assert "state.json cannot be written: No such file or directory; nothing was changed" in answer.problem()
        assert await names(service) == []


async def test_a_publishers_stream_is_its_publishers(service: Service) -> None:
    """A name that somebody publishes is taken, and nobody else changes or removes what he publishes."""
    publisher = WhipPublisher()
    answer = await service.ask(
        "/whip/phone", method="POST", body=await publisher.offer(), content_type="application/sdp"
    )
    assert answer.status == 201
    await take_answer(publisher.pc, answer.body.decode())
    await service.wait_for_state("phone", "live")
    assert (await service.stream("phone"))["origin"] == "publisher"
    for refused in (
        await post(service, {"name": "phone", "url": "rtsp://10.0.0.7/"}),
        await patch(service, "phone", {"paused": True}),
        await delete(service, "phone"),
    ):
        assert refused.status == 409
    await service.ask(answer.headers["Location"], method="DELETE")
    await publisher.close()
    assert await names(service) == ["own"]


async def test_a_listed_page_may_change_streams(model_server: ModelServer) -> None:
    """A page of an origin that is listed is told by a preflight that it may, and any other is not."""
    config = settings(model_server, server={"origins": ["https://example.org"]})
    asked = {"Access-Control-Request-Method": "PATCH"}
    with run_service(config) as service:
        for path, methods in (("/api/streams", "POST"), ("/api/streams/a", "DELETE, GET, HEAD, OPTIONS, PATCH")):
            ours = await service.ask(path, method="OPTIONS", headers=asked | {"Origin": "https://example.org"})
            assert (ours.status, ours.headers["Access-Control-Allow-Origin"]) == (204, "https://example.org")
            assert methods in ours.headers["Access-Control-Allow-Methods"]
            other = await service.ask(path, method="OPTIONS", headers=asked | {"Origin": "https://evil.example"})
            assert "Access-Control-Allow-Methods" not in other.headers


def listed(folder: Path) -> list[str]:
    """The names of a folder's files."""
    return sorted(path.name for path in folder.iterdir())


def footprint(pid: int) -> tuple[int, int, int]:
    """(threads, descriptors, resident bytes) of a process."""
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return len(list(Path(f"/proc/{pid}/task").iterdir())), len(list(Path(f"/proc/{pid}/fd").iterdir())), resident


async def test_streams_that_come_and_go_leave_nothing(model_server: ModelServer, numbered_clip: Path) -> None:
    """Fifty streams added, watched and removed leave threads, descriptors and memory where they were."""
    with ExitStack() as running:
        camera = running.enter_context(run_rtsp_server({"/road": numbered_clip}))
        service = running.enter_context(run_service(settings(model_server)))
        pid = service.process.pid

        async def cycle(number: int) -> None:
            name = f"road-{number}"
            assert (await post(service, {"name": name, "url": camera.url("/road")})).status == 201
            await service.wait_for_state(name, "live")
            async with service.open(f"/streams/{name}.mjpeg") as response:
                await aiohttp.MultipartReader.from_response(response).next()
                assert (await delete(service, name)).status == 204

        for number in range(10):  # thread pools and caches fill to their bounds
            await cycle(number)
        threads, descriptors, resident = footprint(pid)
        for number in range(10, 60):
            await cycle(number)

        async def settled() -> bool:
            now = footprint(pid)
            return now[0] <= threads + 2 and now[1] <= descriptors + 4

        await until(settled, lambda: f"{(threads, descriptors)} became {footprint(pid)[:2]}")
        after = footprint(pid)
        print(
            f"threads {threads} -> {after[0]}, descriptors {descriptors} -> {after[1]},"
            f" resident {resident / 1e6:.1f} -> {after[2] / 1e6:.1f} MB"
        )
        assert after[2] - resident < 40e6
        assert await names(service) == []
        await until(clients(camera, 0), lambda: f"the camera's clients: {established(camera.port)}")
        assert "road-" not in (await service.metrics()).text
