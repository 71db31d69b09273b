"""A configuration file that is edited while its service runs, with real cameras."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.peers.connections import established
from tests.peers.model_server import ModelServer
from tests.peers.rtc import take_answer
from tests.peers.rtsp_server import RtspServer, run_rtsp_server
from tests.peers.service import PATIENCE_S, Service, run_service, until, write_config
from tests.peers.whep_viewer import watch_whep
from tests.peers.whip_publisher import WhipPublisher

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def camera(numbered_clip: Path) -> Iterator[RtspServer]:
    """Run a camera."""
    with run_rtsp_server({"/road": numbered_clip, "/yard": numbered_clip}) as camera:
        yield camera


@pytest.fixture
def config(model_server: ModelServer, camera: RtspServer) -> dict[str, Any]:
    """A configuration with one camera."""
    return {
        "serving": model_server.settings,
        "streams": {"road": {"url": camera.url("/road")}},
    }


@pytest.fixture
def service(config: dict[str, Any]) -> Iterator[Service]:
    """Run the service with it."""
    with run_service(config) as service:
        yield service


async def told(service: Service) -> dict[str, Any]:
    """What the service says of its file."""
    return dict((await service.ask("/api/config")).json())


async def names(service: Service, *expected: str) -> None:
    """Wait until these streams are listed."""
    listed: list[str] = []

    async def reached() -> bool:
        nonlocal listed
        listed = [row["name"] for row in (await service.ask("/api/streams")).json()]
        return listed == list(expected)

    await until(reached, lambda: f"{listed} is not {expected}:\n{service.process.output}")


async def test_streams_come_go_and_change_with_the_file(
    service: Service, config: dict[str, Any], camera: RtspServer
) -> None:
    """A stream written into the file comes, one taken out goes, and one left alone keeps its connection and viewers."""
    await service.wait_for_state("road", "live")
    ports = established(camera.port)
    async with watch_whep(service, "road") as viewer:
        await viewer.more(5)
        config["streams"]["yard"] = {"url": camera.url("/yard")}
        write_config(service.path, config)
        await names(service, "road", "yard")
        await service.wait_for_state("yard", "live")
        config["streams"]["road"]["sample_fps"] = 10
        del config["streams"]["yard"]
        write_config(service.path, config)
        await names(service, "road")
        async with service.events("road") as feed, asyncio.timeout(PATIENCE_S):
            [(_, last)] = await feed.more(1)
            while True:  # ten a second, and not five any more, wherever a sample was not left out by a busy machine
                before, [(_, last)] = last, await feed.more(1)
                if last["pts"] - before["pts"] == pytest.approx(0.1, abs=0.02):
                    break
        await viewer.more(5)
        assert established(camera.port) == ports
        config["streams"]["road"]["url"] = camera.url("/yard")
        write_config(service.path, config)
        await until(changed(camera, ports), lambda: f"the camera is the old one:\n{service.process.output}")
        await viewer.more(30)


def changed(camera: RtspServer, ports: set[int]) -> Any:
    """A condition: the connections are others."""

    async def reached() -> bool:
        now = established(camera.port)
        return bool(now) and not now & ports

    return reached


async def test_a_mistake_changes_nothing_and_is_said(service: Service, config: dict[str, Any]) -> None:
    """An invalid file leaves what runs, and is told with what is wrong by log, API and metric until it is repaired."""
    await service.wait_for_state("road", "live")
    before = await service.metrics()
    assert before.sum("sightline_config_last_reload_successful") == 1
    for text, mistake in (
        ("streams: {road: {url: 'ftp://u:canary@h/'}}", "sightline.yaml: streams.road.url: 'ftp://u:***@h/': allowed"),
        ("streams: {road: {", "sightline.yaml: line 1, column 18 is not YAML"),
        ("[" * 5000, "sightline.yaml: is not YAML that can be read: it is nested too deeply"),
        ("", "sightline.yaml: is empty; to end every stream write {}"),
    ):
        service.path.write_text(text)

        await until(says(service, mistake), lambda: f"not refused:\n{service.process.output}")
        assert (await told(service))["ok"] is False
        await service.wait_for_output(mistake)
        await until(counts(service, 0), lambda: "the metric does not say that the file is refused")
        assert (await service.ask("/readyz")).status == 200
        await names(service, "road")
    assert str(service.path.parent) not in (await told(service))["error"]
    service.path.unlink()
    await until(says(service, "No such file"), lambda: "a missing file is not said")
    service.path.mkdir()
    await until(says(service, "Is a directory"), lambda: "a folder in its place is not said")
    service.path.rmdir()
    write_config(service.path, config)

    async def repaired() -> bool:
        return bool((await told(service))["ok"])

    await until(repaired, lambda: f"not repaired:\n{service.process.output}")
    await until(counts(service, 1), lambda: "the metric does not say that the file is good again")
    after = await service.metrics()
    when = "sightline_config_last_reload_success_timestamp_seconds"
    assert after.sum(when) > before.sum(when)
    assert after.sum("sightline_source_reconnects_total", stream="road") == 0


def counts(service: Service, value: float) -> Any:
    """A condition: the metric of the last reload has this value, which follows what is said."""

    async def reached() -> bool:
        return (await service.metrics()).sum("sightline_config_last_reload_successful") == value

    return reached


def says(service: Service, what: str) -> Any:
    """A condition: the service says this of its file."""

    async def reached() -> bool:
        return what in ((await told(service))["error"] or "")

    return reached


async def test_a_stream_that_is_renamed_ends_for_its_viewers(
    service: Service, config: dict[str, Any], camera: RtspServer
) -> None:
    """Given another name by the file, a stream's viewers and series end, and its camera sees one client."""
    await service.wait_for_state("road", "live")
    path = "/streams/road.mjpeg"
    async with watch_whep(service, "road") as viewer, service.events("road") as feed, service.open(path) as pictures:
        await viewer.more(5)
        await feed.more(2)
        await pictures.content.readany()
        config["streams"] = {"street": config["streams"]["road"]}
        write_config(service.path, config)
        await names(service, "street")
        async with asyncio.timeout(PATIENCE_S):
            while await pictures.content.readany():
                pass
            while not feed.ended:  # noqa: ASYNC110  what is waited for has no event of its own
                await asyncio.sleep(0.01)
        assert (await service.ask(viewer.location, method="DELETE")).status == 404
    await service.wait_for_state("street", "live")

    async def has_one() -> bool:
        return len(established(camera.port)) == 1

    await until(has_one, lambda: f"the camera's clients: {established(camera.port)}")
    metrics = await service.metrics()
    assert "road" not in metrics.labels("sightline_frames_total", "stream")
    assert metrics.sum("sightline_sessions") == 0
    assert '"road"' not in metrics.text


async def test_what_needs_a_restart_is_named(service: Service, config: dict[str, Any], camera: RtspServer) -> None:
    """Keys that cannot change live are named by log, API and metric, while the rest of the same edit is in force."""
    write_config(service.path, config | {"server": {"port": 8123, "max_viewers": 1}, "streams": {}})
    await names(service)
    assert (await told(service))["restart_needed"] == ["server.port"]
    await service.wait_for_output("server.port: changed, and in force from the next start on")

    async def counted() -> bool:
        return (await service.metrics()).sum("sightline_config_restart_needed") == 1

    await until(counted, lambda: "the metric does not say that a restart is needed")
    write_config(service.path, config)
    await names(service, "road")
    assert (await told(service))["restart_needed"] == []


async def test_sighup_reads_the_file_again(service: Service, config: dict[str, Any]) -> None:
    """SIGHUP has a file read that has not changed, and the service goes on."""
    write_config(service.path, config | {"streams": {}})
    await names(service)
    write_config(service.path, config)
    await names(service, "road")  # what was edited is read; nothing but the signal has it read once more
    before = (await told(service))["read_at"]
    service.process.signal(signal.SIGHUP)

    async def read() -> bool:
        return bool((await told(service))["read_at"] > before)

    await until(read, lambda: f"not read again:\n{service.process.output}")
    await names(service, "road")


async def test_a_config_map_is_followed(config: dict[str, Any], camera: RtspServer, tmp_path: Path) -> None:
    """A link into a folder that is a link, as Kubernetes mounts a file, is followed when the folder turns."""
    more = config | {"streams": config["streams"] | {"yard": {"url": camera.url("/yard")}}}
    for folder, content in (("first", config), ("second", more)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "sightline.yaml").write_text(yaml.safe_dump(content | {"server": {"port": 0}}))
    (tmp_path / "data").symlink_to("first")
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (mounted / "sightline.yaml").symlink_to("../data/sightline.yaml")
    with run_service(config, folder=mounted) as service:
        await names(service, "road")
        (tmp_path / "new").symlink_to("second")
        (tmp_path / "new").replace(tmp_path / "data")
        await names(service, "road", "yard")


async def test_the_file_takes_a_publishers_name(service: Service, config: dict[str, Any], camera: RtspServer) -> None:
    """A stream that is written into the file takes its name from whoever publishes under it."""
    publisher = WhipPublisher()
    answer = await service.ask(
        "/whip/phone", method="POST", body=await publisher.offer(), content_type="application/sdp"
    )
    await take_answer(publisher.pc, answer.body.decode())
    await service.wait_for_state("phone", "live")
    config["streams"]["phone"] = {"url": camera.url("/yard")}
    write_config(service.path, config)

    async def taken() -> bool:
        rows = {row["name"]: row["origin"] for row in (await service.ask("/api/streams")).json()}
        return rows.get("phone") == "file"

    await until(taken, lambda: f"phone is not the file's:\n{service.process.output}")
    await service.wait_for_state("phone", "live")
    assert (await service.ask(answer.headers["Location"], method="DELETE")).status == 404
    await publisher.close()


async def test_another_model_is_asked_under_the_viewers(
    service: Service, config: dict[str, Any], camera: RtspServer
) -> None:
    """A stream's model changes without another connection; a model nobody has is said to be missing, by /readyz too."""
    await service.wait_for_state("road", "live")
    ports = established(camera.port)
    config["streams"]["road"]["model"] = "nobody"
    write_config(service.path, config)
    stale = await service.wait_for_state("road", "stale")
    assert stale["model"] == "nobody"
    assert "nobody" in (await service.ask("/readyz")).problem()
    del config["streams"]["road"]["model"]
    write_config(service.path, config)
    await service.wait_for_state("road", "live")
    assert (await service.ask("/readyz")).json()["models"].keys() == {config["serving"]["model"]}
    assert established(camera.port) == ports
    assert "nobody" not in (await service.metrics()).text
