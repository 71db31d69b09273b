"""streamer.http.painted: a page says when it had pictures on the screen; a real viewer is sent them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import aiohttp.test_utils
import pytest
from aiortc import RTCPeerConnection, RTCRtpReceiver
from aiortc.rtp import RtpPacket

from serving.signature import Contract
from streamer import config
from streamer.http.bodies.painted import MOST
from streamer.service import Service
from streamer.stream.pipeline import Pipeline
from streamer.values.clock import monotonic
from streamer.values.coded import CodedForm, CodedPicture
from streamer.values.receipts import AT_ONCE
from streamer.values.stages import STAGES
from streamer.webrtc.viewer import Viewer
from tests.http.guests import Door
from tests.peers.fake_model_server import run_fake_model_server
from tests.peers.frames import make_frame
from tests.peers.process import free_port
from tests.peers.rtc import make_pc, offer_to_watch, take_answer
from tests.peers.service import Metrics
from tests.peers.until import until

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator"})


class Page:
    """A viewer, and what its page reports; its clock is the service's, some seconds behind."""

    BEHIND = 500.0

    def __init__(self, door: Door, pipeline: Pipeline) -> None:
        self.door, self.pipeline = door, pipeline
        self.path = ""
        """Of the session."""
        self.painted: dict[int, float] = {}
        """When each picture's first packet came, by RTP timestamp; of the page's clock, in milliseconds."""

    @property
    def session(self) -> Viewer:
        """Its session, in the service."""
        return self.door.service.streams.sessions[self.path.rpartition("/")[2]]

    def now(self) -> float:
        """Of its own clock, in milliseconds."""
        return (monotonic() - self.BEHIND) * 1000

    async def watch(self, pc: RTCPeerConnection) -> None:
        """Become a viewer, and be connected."""
        offer = await offer_to_watch(pc, "video/h264")
        headers = {"Content-Type": "application/sdp"}
        async with (
            aiohttp.ClientSession() as client,
            client.post(f"{self.door.url}/whep/a", data=offer, headers=headers) as response,
        ):
            assert response.status == 201
            self.path = response.headers["Location"].removeprefix(self.door.url)
            self._note(pc.getReceivers()[0])
            await take_answer(pc, await response.text())
        await until(lambda: self.session.arrived)

    def _note(self, receiver: RTCRtpReceiver) -> None:
        """Note when pictures come: aiortc gives decoded ones times of its own."""
        take = receiver._handle_rtp_packet

        async def noted(packet: RtpPacket, arrival_time_ms: int) -> None:
            self.painted.setdefault(packet.timestamp, self.now())
            await take(packet, arrival_time_ms=arrival_time_ms)

        receiver._handle_rtp_packet = noted  # type: ignore[method-assign]

    async def report(self, **body: Any) -> tuple[int, Any]:
        """Say this; gives the status and what was answered."""
        async with self.door.ask("POST", f"{self.path}/painted", json={"sent": self.now(), **body}) as response:
            return response.status, await response.json()

    async def compare(self) -> dict[str, float]:
        """What is to be said of the clocks, after one exchange."""
        before = self.now()
        status, told = await self.report()
        after = self.now()
        assert status == 200
        assert told["received"] <= told["answered"]
        offset = ((told["received"] - before) + (told["answered"] - after)) / 2
        return {"offset": offset, "round_trip": after - before - (told["answered"] - told["received"])}

    async def feed(self, count: int) -> None:
        """Let so many frames come, each after the answer to the one before, and wait until the viewer has them all."""
        for _ in range(count):
            index, results = self.pipeline.counts.decoded, self.pipeline.counts.results
            frame = replace(make_frame(float(index), monotonic(), stream="a", index=index), decoded_at=monotonic())
            await asyncio.to_thread(self.pipeline.receive, frame)
            await until(lambda: self.pipeline.counts.results > results)  # noqa: B023
            await until(lambda: len(self.painted) > index)  # noqa: B023


class Told:
    """The way to a viewer of the clean video, who takes everything."""

    is_full = False

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.written.append(data)


@asynccontextmanager
async def run_page() -> AsyncIterator[Page]:
    """A viewer of a stream whose every frame is looked at."""
    async with run_fake_model_server(CONTRACT) as server:
        document = {
            "serving": {"address": server.address},
            "streams": {"a": {"url": f"rtsp://127.0.0.1:{free_port()}/x", "sample_fps": 10}},
        }
        service = Service(config.parse(document))
        async with service.run() as application, aiohttp.test_utils.TestServer(application) as http:
            pipeline = service.streams.get("a")
            assert pipeline is not None
            await until(lambda: pipeline.arrivals.is_open and pipeline.model.up)
            pc = make_pc()
            page = Page(Door(service, application, str(http.make_url("")).rstrip("/")), pipeline)
            await page.watch(pc)
            yield page
            await pc.close()


async def test_what_a_viewer_saw_is_in_the_ledger_and_its_stages_add_up() -> None:
    """Real frames to a real viewer whose page tells: histograms of stages that add up to the one to the glass."""
    async with run_page() as page:
        clocks = await page.compare()
        apart = (page.BEHIND - page.session.receipts.began_at) * 1000
        assert clocks["offset"] == pytest.approx(apart, abs=clocks["round_trip"] / 2 + 1)
        await page.feed(5)
        frames: list[list[float | None]] = [[timestamp, at, at + 5] for timestamp, at in page.painted.items()]
        frames[-1][1] = None
        status, told = await page.report(**clocks, frames=frames)
        assert (status, told["taken"], told["ignored"]) == (200, 5, 0)
        async with page.door.ask("GET", "/metrics") as response:
            found = Metrics(await response.text())
        assert found.sum("sightline_glass_seconds_count", stream="a") == 5
        assert found.sum("sightline_painted_total", stream="a", outcome="taken") == 5
        glass = found.sum("sightline_glass_seconds_sum", stream="a")
        assert glass > 0
        for way, whole in (("glass", glass), ("answer", found.sum("sightline_frame_latency_seconds_sum", stream="a"))):
            assert found.sum("sightline_stage_seconds_sum", stream="a", way=way) == pytest.approx(whole, rel=0.05)
        counts = {
            stage: found.sum("sightline_stage_seconds_count", stream="a", way="glass", stage=stage) for stage in STAGES
        }
        assert counts == {**dict.fromkeys(STAGES, 5), "network": 4}
        async with page.door.ask("GET", "/api/streams/a") as response:
            latency = (await response.json())["latency"]
        assert latency.pop("camera") is None
        assert all(milliseconds >= 0 for milliseconds in latency.values())


async def test_who_lies_changes_nothing() -> None:
    """What he was not sent, was seen before it was sent or after now, or twice: ignored, and counted by reason."""
    async with run_page() as page:
        clocks = await page.compare()
        await page.feed(4)
        (one, at), (two, _), (three, _), (four, _) = page.painted.items()
        frames = [
            [one, None, at + 1],
            [one, None, at + 1],
            [two, None, at - 3000],
            [three, None, at + 60_000],
            [four, None, page.now() + 5000],
            [(one + 1) % 2**32, None, at],
        ]
        status, told = await page.report(**clocks, frames=frames)
        assert (status, told["taken"], told["ignored"]) == (200, 1, 5)
        ledger = page.pipeline.ledger
        assert ledger.receipts == {"taken": 1, "unknown": 2, "early": 1, "late": 1, "future": 1, "clock": 0}
        assert ledger.glass.count == 1


@pytest.mark.parametrize(("key", "by"), [("offset", 60_000.0), ("offset", -60_000.0), ("round_trip", 1500.0)])
async def test_a_clock_that_was_not_compared_well_is_not_believed(key: str, by: float) -> None:
    """An offset by which the report was sent after it came, or long before, or a very long round trip."""
    async with run_page() as page:
        clocks = await page.compare()
        clocks[key] += by
        status, told = await page.report(**clocks, frames=[[1, None, page.now()]] * 3)
        assert (status, told["taken"], told["ignored"]) == (200, 0, 3)
        assert page.pipeline.ledger.receipts["clock"] == 3


async def test_a_report_that_is_none_is_refused() -> None:
    """Times that are no numbers, too many pictures, numbers no RTP timestamp has, and times without a clock: one
    sentence each."""
    async with run_page() as page:
        headers = {"Content-Type": "application/json"}
        clock = '"sent": 1, "offset": 0, "round_trip": 1'
        for body, word in [
            ("{}", "sent"),
            ('{"sent": NaN}', "sent"),
            ('{"sent": 1e999}', "sent"),
            (f'{{{clock}, "frames": [[1, null, NaN]]}}', "frames"),
            (f'{{{clock}, "frames": [[-9007199254740993, null, 1]]}}', "frames"),
            (f'{{{clock}, "frames": [[1.5, null, 1]]}}', "frames"),
            (f'{{{clock}, "frames": [{",".join(["[1,null,1]"] * (MOST + 1))}]}}', "frames"),
            ('{"sent": 1, "frames": [[1, null, 1]]}', "offset and round_trip"),
        ]:
            page.session.receipts._left = AT_ONCE
            async with (
                aiohttp.ClientSession() as client,
                client.post(f"{page.door.url}{page.path}/painted", data=body, headers=headers) as response,
            ):
                assert response.status == 422, body
                assert word in (await response.json())["detail"]
        assert not any(page.pipeline.ledger.receipts.values())


async def test_a_page_reports_so_often_and_no_more() -> None:
    """Some reports at once, to compare clocks; then it is told to wait."""
    async with run_page() as page:
        statuses = [(await page.report())[0] for _ in range(int(AT_ONCE) + 3)]
        assert statuses[: int(AT_ONCE)] == [200] * int(AT_ONCE)
        assert 429 in statuses
        async with page.door.ask("POST", f"{page.path}/painted", json={"sent": 1}) as response:
            assert response.status == 429
            assert response.headers["Retry-After"] == "1"


async def test_a_session_that_has_ended_takes_no_report() -> None:
    """Nor does one of another stream, or none at all."""
    async with run_page() as page:
        await page.session.close()
        assert (await page.report())[0] == 404


async def test_pictures_that_go_as_they_came_are_reported_too() -> None:
    """A viewer of the clean video is told his name; reports under it are of what he was sent, and of nobody else's."""
    form = CodedForm("h264", 64, 48, name="avc1.42c00a")
    async with run_page() as page:
        pipeline, told = page.pipeline, Told()
        viewer = pipeline.clean.join(told, pipeline.state())
        hello = json.loads(told.written[0][told.written[0].index(b"{") :])
        assert hello["viewer"] == viewer.id
        page.path = f"/api/streams/a/video/{hello['viewer']}"
        clocks = await page.compare()
        times = [1000, 2000, 3000]
        for index, time in enumerate(times):
            now = monotonic()
            frame = replace(make_frame(float(index), now, stream="a", index=index), coded_at=time, opening=2)
            picture = CodedPicture(b"\0\0\0\1\x65", time, now, is_key=True, form=form, opening=2)
            await asyncio.to_thread(pipeline.clean.put, picture)
            await asyncio.to_thread(pipeline.receive, frame)
            await until(lambda: pipeline.counts.results > index)  # noqa: B023
        frames = [[time, None, page.now()] for time in (*times, 4000)]
        status, answer = await page.report(**clocks, frames=frames)
        assert (status, answer["taken"], answer["ignored"]) == (200, 3, 1)
        assert (await page.report(**clocks, frames=frames))[1]["taken"] == 0
        glass = {stage: d.count for (of, stage), d in pipeline.ledger.stages.items() if of == "glass" and d.count}
        assert glass["paint"] == pipeline.ledger.glass.count == 3
        assert not {"hold", "encode", "send", "network"} & glass.keys()
        pipeline.clean.leave(viewer)
        assert (await page.report())[0] == 404


async def test_pictures_of_the_smaller_video_are_not_taken_for_the_large_ones() -> None:
    """Who sees a camera small tells of pictures that the model never saw, whatever their times: they move nothing."""
    form = CodedForm("h264", 64, 48, name="avc1.42c00a")
    async with run_page() as page:
        pipeline, told = page.pipeline, Told()
        put_small = pipeline.sizes.renew()

        async def large(index: int, time: int) -> None:
            now = monotonic()
            frame = replace(make_frame(float(index), now, stream="a", index=index), coded_at=time, opening=1)
            pipeline.clean.put(CodedPicture(b"\0\0\0\1\x65", time, now, is_key=True, form=form, opening=1))
            await asyncio.to_thread(pipeline.receive, frame)
            await until(lambda: pipeline.counts.results > index)

        async def small(*times: int) -> None:
            for time in times:
                put_small(CodedPicture(b"\0\0\0\1\x65", time, monotonic(), is_key=True, form=form, opening=1))
            await until(lambda: len(pipeline.sizes.small.group) > 0)

        viewer = pipeline.sizes.join(told, pipeline.state(), small=True)
        page.path = f"/api/streams/a/video/{viewer.id}"
        clocks = await page.compare()
        await large(0, 1000)
        await small(500)
        pipeline.sizes.serve(is_there=True, is_hoped=True)
        await small(1000, 2000)
        await until(lambda: len(viewer.receipts) == 2)
        await large(1, 2000)
        await large(2, 3000)
        pipeline.sizes.wish(viewer, small=False)
        await large(3, 4000)
        frames = [[time, None, page.now()] for time in (1000, 2000, 3000, 4000)]
        status, answer = await page.report(**clocks, frames=frames)
        assert (status, answer["taken"]) == (200, 1)
        assert pipeline.ledger.glass.count == 1
        assert pipeline.ledger.receipts["unknown"] == answer["ignored"] == 2  # what two have, and what he was not sent
