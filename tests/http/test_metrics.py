"""streamer.http.metrics: what /metrics says is what happened to the frames."""

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import grpc
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from serving.signature import Contract
from streamer import config
from streamer.service import Service
from streamer.stream.pipeline import Pipeline
from streamer.values.clock import monotonic
from streamer.values.state import STREAM_STATES
from streamer.webrtc.publisher import Publisher
from tests.peers.fake_model_server import FakeModelServer, run_fake_model_server
from tests.peers.frames import make_frame, make_picture
from tests.peers.process import free_port
from tests.peers.rtc import make_pc, offer_to_watch
from tests.peers.until import until

CONTRACT = Contract("insulators", height=32, width=32, labels={1: "insulator", 2: "defect"})


class Running:
    """A service with one stream, its model server, and no camera: the test is the source's thread."""

    def __init__(self, service: Service, server: FakeModelServer, pipeline: Pipeline) -> None:
        self.service, self.server, self.pipeline = service, server, pipeline
        self.url = service.config.streams["line-1"].url
        self._index = 0

    async def feed(self, count: int, *, age: float = 0.0, pause: float = 0.0) -> None:
        """Let frames of 30 a second arrive, from a thread as a source does, each `age` seconds old."""

        def receive() -> None:
            wait = threading.Event()
            for _ in range(count):
                frame = make_frame(self._index / 30, monotonic() - age, index=self._index, picture=make_picture())
                self._index += 1
                self.pipeline.receive(frame)
                wait.wait(pause)

        await asyncio.to_thread(receive)

    def accounted(self) -> bool:
        """Whether every sampled frame has come to its end."""
        counts = self.pipeline.counts
        return counts.sampled == counts.results + sum(counts.dropped.values())

    def scrape(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every sample of the exposition as Prometheus reads it: (name, sorted labels) to value."""
        text = generate_latest(self.service.metrics.registry).decode()
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """One metric of the stream, or of the model where that is its label."""
        if "model" not in labels:
            labels = {"stream": "line-1", **labels}
        return self.scrape()[name, tuple(sorted(labels.items()))]

    def total(self, name: str) -> float:
        """The sum over all labels."""
        return sum(value for (found, _), value in self.scrape().items() if found == name)


@asynccontextmanager
async def run_service(*, deadline: float = 20.0, model_up: bool = True) -> AsyncIterator[Running]:
    """A real service before a real gRPC server; nobody listens at the camera's address."""
    async with run_fake_model_server(CONTRACT) as server:
        settings = config.parse(
            {
                "serving": {"address": server.address, "deadline": deadline},
                "streams": {"line-1": {"url": f"rtsp://127.0.0.1:{free_port()}/x", "sample_fps": 10}},
            }
        )
        if not model_up:
            await server.stop()
        service = Service(settings)
        async with service.run():
            pipeline = service.streams.get("line-1")
            assert pipeline is not None
            await until(lambda: pipeline.arrivals.is_open)
            if model_up:
                await until(lambda: pipeline.model.up)
            yield Running(service, server, pipeline)


async def test_every_frame_is_accounted_for() -> None:
    """Decoded is sampled and skipped, sampled is results and drops, and the exposition says the same numbers."""
    async with run_service() as running:
        await running.feed(150, pause=0.002)
        await running.feed(30, age=60)
        running.server.fail = (grpc.StatusCode.INTERNAL, "no")
        await until(running.accounted)
        await running.feed(30, pause=0.005)
        await until(running.accounted)
        counts = running.pipeline.counts
        assert counts.decoded == 210 == counts.sampled + counts.skipped
        assert counts.sampled == 70
        assert counts.results > 0
        reasons = {reason for _, reason in counts.dropped}
        assert {"late", "predict_failed"} <= reasons
        assert running.value("sightline_frames_total", stage="source") == 210
        assert running.value("sightline_frames_total", stage="sampler") == 70
        assert running.value("sightline_frames_skipped_total") == 140
        assert running.value("sightline_frames_total", stage="predictor") == counts.results
        in_model = sum(counts.dropped.values())
        assert running.total("sightline_frames_dropped_total") == sum(running.pipeline.drops().values())
        assert counts.results + in_model == 70


async def test_a_model_that_is_away_costs_counted_drops() -> None:
    """While the model is away every sample is dropped as "model_unavailable"."""
    async with run_service(model_up=False) as running:
        await running.feed(30, pause=0.005)
        await until(running.accounted)
        assert running.value("sightline_frames_dropped_total", stage="sampler", reason="model_unavailable") == 10
        assert running.value("sightline_model_up", model="insulators") == 0
        assert running.value("sightline_model_version", model="insulators") == 0


async def test_a_busy_loop_costs_counted_drops() -> None:
    """Frames that the event loop was too busy to take are counted, and samples among them as samples lost."""
    async with run_service() as running:
        running.pipeline.view.h264.subscribe()  # of a stream nobody watches the loop is told of few frames
        feeding = threading.Thread(target=asyncio.run, args=(running.feed(300),))
        feeding.start()
        feeding.join()  # keeps the loop busy until all have arrived
        await until(running.accounted)
        lost = running.value("sightline_frames_dropped_total", stage="pipeline", reason="loop_busy")
        counts = running.pipeline.counts
        assert lost + counts.dropped["sampler", "loop_busy"] == 300 - 8  # each frame is lost once
        assert counts.decoded == 300 == counts.sampled + counts.skipped
        assert counts.dropped["sampler", "loop_busy"] >= 95


async def test_results_are_counted_where_they_are_made() -> None:
    """Batches, latencies, detections by label and the model's version are told as the model server answered."""
    async with run_service() as running:
        running.server.version = 3
        running.server.contracts[3] = replace(CONTRACT, min_score=0.5)
        await running.feed(60, pause=0.01)
        await until(running.accounted)
        results = running.pipeline.counts.results
        assert running.value("sightline_predict_pictures_total") == results
        assert running.value("sightline_batch_size_sum", model="insulators") == results
        assert running.value("sightline_batch_size_count", model="insulators") == len(running.server.batches)
        assert running.value("sightline_predict_seconds_count", model="insulators") == len(running.server.batches)
        assert running.value("sightline_frame_latency_seconds_count") == results
        assert running.value("sightline_detections_total", label="insulator") == results
        assert running.value("sightline_detections_total", label="defect") == results
        assert running.value("sightline_model_version", model="insulators") == 3
        assert running.value("sightline_model_up", model="insulators") == 1
        last = running.pipeline.last
        assert last is not None
        assert running.value("sightline_frame_age_seconds") == pytest.approx(last.age)


async def test_failed_calls_are_counted_by_code() -> None:
    """Every Predict that fails is counted once, by its gRPC status."""
    async with run_service() as running:
        running.server.fail = (grpc.StatusCode.INVALID_ARGUMENT, "no")
        await running.feed(30, pause=0.01)
        await until(running.accounted)
        failed = running.value("sightline_predict_errors_total", model="insulators", code="INVALID_ARGUMENT")
        dropped = running.pipeline.counts.dropped["predictor", "predict_failed"]
        assert failed == dropped > 0


async def test_viewers_are_counted_by_transport() -> None:
    """Viewers are told by stream and transport while they are there."""
    async with run_service() as running:
        view, events = running.pipeline.view, running.service.events
        whep, mjpeg = [view.h264.subscribe() for _ in range(3)], view.jpeg.subscribe()
        with events.subscribe("line-1"), events.subscribe(None), events.subscribe(None):
            assert running.value("sightline_sessions", transport="whep") == 3
            assert running.value("sightline_sessions", transport="mjpeg") == 1
            assert running.value("sightline_sessions", transport="events") == 1
            assert running.value("sightline_sessions", stream="*", transport="events") == 2
            assert running.value("sightline_events_dropped_total") == 0
            assert running.value("sightline_events_dropped_total", stream="*") == 0
        for subscription in whep:
            view.h264.unsubscribe(subscription)
        view.jpeg.unsubscribe(mjpeg)
        assert running.total("sightline_sessions") == 0


async def test_encoders_are_told_of_while_they_work() -> None:
    """Who watches a stream without pictures has no encoder at work; with them each codec that is taken has one."""
    async with run_service() as running:
        view = running.pipeline.view
        takers = {fan_out: fan_out.subscribe() for fan_out in (view.h264, view.jpeg)}

        def at_work() -> set[str]:
            return {codec for codec in ("h264", "vp8", "jpeg") if running.value("sightline_encoders", codec=codec)}

        assert at_work() == set()
        await running.feed(1)
        await until(lambda: view.annotated)
        assert at_work() == {"h264", "jpeg"}
        view.h264.unsubscribe(takers[view.h264])
        await running.feed(1)
        await until(lambda: view.annotated == 2)
        assert at_work() == {"jpeg"}
        view.jpeg.unsubscribe(takers[view.jpeg])
        await running.feed(30)  # a second: nobody watches, so the loop is told of a frame now and then
        await until(lambda: not at_work())


async def test_a_stream_is_in_one_state() -> None:
    """Of all states a stream is in exactly one, and attempts that failed are counted by reason."""
    async with run_service() as running:
        await until(lambda: running.pipeline.source.reconnects != {})
        states = {state: running.value("sightline_stream_state", state=state) for state in STREAM_STATES}
        assert states == {"connecting": 0, "live": 0, "stale": 0, "offline": 1, "paused": 0}
        assert running.value("sightline_source_reconnects_total", reason="refused") >= 1


async def test_what_strangers_send_and_lines_lose_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Datagrams that no session lets through, and packets given up for lost, are told by stream until its end."""
    async with run_service() as running:
        streams = running.service.streams
        viewer, phone = make_pc(), make_pc()
        session, answer = await streams.open_session(running.pipeline, await offer_to_watch(viewer), "192.0.2.1")
        phone.addTransceiver("video", direction="sendonly")
        await phone.setLocalDescription(await phone.createOffer())
        publisher, other = await streams.open_publisher("phone", str(phone.localDescription.sdp))
        assert running.value("sightline_publisher_losses_total", stream="phone") == 0
        monkeypatch.setattr(Publisher, "losses", 2)
        send_to_media_ports(answer, b"\xff")
        send_to_media_ports(other, b"\xff")
        name = "sightline_datagrams_dropped_total"
        await until(lambda: running.value(name, transport="whep") > 0)
        await until(lambda: running.value(name, stream="phone", transport="whip") > 0)
        await session.close()
        assert running.value(name, transport="whep") > 0
        assert running.value("sightline_publisher_losses_total", stream="phone") == 2
        await streams.close_publisher(publisher)
        assert {("stream", "phone")}.isdisjoint(label for _, labels in running.scrape() for label in labels)
        await viewer.close()
        await phone.close()


def send_to_media_ports(answer: str, data: bytes) -> None:
    """Send from a socket ICE knows nothing of, to every IPv4 candidate of an answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for host, port in re.findall(r"^a=candidate:\S+ 1 udp \d+ ([\d.]+) (\d+) ", answer, re.MULTILINE):
            stranger.sendto(data, (host, int(port)))


async def test_a_model_that_is_changed_loses_no_count() -> None:
    """What the old model was being asked about, or was to be, when a stream got a new one is counted as dropped."""
    async with run_service() as running:
        running.server.silent = True
        await running.feed(30, pause=0.01)
        assert not running.accounted()
        document = {"streams": {"line-1": {"url": running.url, "sample_fps": 10, "model": "other"}}}
        await running.service._reconfigure(config.parse({"serving": {"model": "another"}} | document))
        assert "insulators" not in running.service.models
        running.server.silent = False
        await until(running.accounted)
        assert running.value("sightline_frames_dropped_total", stage="scheduler", reason="model_ended") >= 1


async def test_a_late_answer_is_nobodys() -> None:
    """An answer that comes after its stream's end is shown and counted for nobody, not for the next of that name."""
    async with run_service() as running:
        service, document = running.service, {"name": "road", "url": "rtsp://10.255.255.1/", "paused": True}

        async def add() -> Pipeline:
            await service.stream_changes.add(document, taken=service.streams.is_taken)
            pipeline = service.streams.get("road")
            assert pipeline is not None
            await until(lambda: pipeline.arrivals.is_open)
            return pipeline

        first = await add()
        running.server.silent = True
        await asyncio.to_thread(first.receive, make_frame(0, monotonic(), stream="road", picture=make_picture()))
        await until(lambda: first.model._dispatcher._tasks)  # type: ignore[attr-defined]
        await service.stream_changes.remove("road")
        await add()
        with service.events.subscribe("road") as buffer:
            running.server.silent = False
            await until(lambda: first.counts.results > 0)
            assert len(buffer) == 0
        assert "sightline_frame_latency_seconds_count" not in {name for name, _ in running.scrape()}
