"""The embedded server under load, as a process: no wrong row, no wrong code, no lost request, no growth."""

import asyncio
import random
import re
import shutil
import threading
import time
import urllib.request
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest

from serving import wire
from tests.peers.model_server import ModelServer, run_model_server
from tests.peers.process import free_port
from tests.serving.peers import Caller, check, float_tensor, images, predict, request

CALLS = 10_000
THREADS = 32
GROWTH = 32 << 20
"""Bytes the server may still grow by in the second half of the calls, in which it is sent 300 MB of pictures."""


TORN = wire.TensorProto(dtype=wire.DT_UINT8, tensor_shape={"dim": [{"size": 9}]}, tensor_content=b"short")
WRONG: dict[str, tuple[Any, grpc.StatusCode]] = {
    "another model": (request(images(1, 1), name="who"), grpc.StatusCode.NOT_FOUND),
    "another version": (request(images(1, 1), version={"value": 9}), grpc.StatusCode.NOT_FOUND),
    "no such output": (request(images(1, 1), output_filter=("z",)), grpc.StatusCode.INVALID_ARGUMENT),
    "no such signature": (request(images(1, 1), signature_name="z"), grpc.StatusCode.FAILED_PRECONDITION),
    "another dtype": (predict({"input_tensor": float_tensor(1, 8, 8, 3)}), grpc.StatusCode.INVALID_ARGUMENT),
    "too many rows": (request(images(9, 1)), grpc.StatusCode.INVALID_ARGUMENT),
    "torn": (predict({"input_tensor": TORN}), grpc.StatusCode.INVALID_ARGUMENT),
    "refused by the graph": (
        predict({"x": float_tensor(2, 4)}, "product", signature_name="odd"),
        grpc.StatusCode.INVALID_ARGUMENT,
    ),
}
BUSY = grpc.StatusCode.UNAVAILABLE
"""What a good request may get instead of its answer: the queue is bounded."""


def resident(server: ModelServer) -> int:
    """The server's resident memory, in bytes."""
    assert server.pid is not None
    status = Path(f"/proc/{server.pid}/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


def page(url: str) -> str:
    """What an HTTP server shows."""
    with urllib.request.urlopen(url, timeout=30) as response:
        shown: str = response.read().decode()
        return shown


def large(caller: Caller, chance: random.Random) -> str:
    """A call with pictures that would be missed: up to 200 kB, each row with a sum of its own."""
    rows = np.array([chance.randint(0, 255) for _ in range(chance.randint(1, 4))], np.uint8)
    pictures = np.broadcast_to(rows[:, None, None, None], (len(rows), 128, 128, 3))
    tensor = wire.uint8_tensor(pictures.shape, pictures.tobytes())
    answer = caller.predict.future(predict({"image": tensor}, signature_name="anysize"), timeout=60)
    if answer.exception():
        assert answer.code() is BUSY, answer
        return "busy"
    totals = rows.astype(np.float32) * 128 * 128 * 3
    np.testing.assert_array_equal(wire.to_array(answer.result().outputs["total"]), totals)
    return "answered"


@pytest.mark.timeout(300)
def test_ten_thousand_calls_from_32_threads(saved: Path, tmp_path: Path) -> None:
    """Valid and invalid calls mixed: every row is its caller's, every code the right one, and memory stays flat."""
    shutil.copytree(saved / "1", tmp_path / "tiny" / "1")
    with run_model_server(tmp_path / "tiny", "tiny", flags=("--grpc_max_threads=64",)) as server:
        callers = [Caller(server.port) for _ in range(4)]
        outcomes: Counter[str] = Counter()

        def call(number: int) -> None:
            chance = random.Random(number)
            caller = callers[number % len(callers)]
            if chance.random() < 0.3:
                kind = chance.choice(sorted(WRONG))
                asked, code = WRONG[kind]
                found = caller.predict.future(asked, timeout=60).code()
                assert found in (code, BUSY), kind  # what is wrong is seen when the queue was entered, or before
                outcomes["busy" if found is BUSY else kind] += 1
                return
            if chance.random() < 0.4:
                outcomes[large(caller, chance)] += 1
                return
            pictures = images(chance.randint(1, 8), number)
            outputs = chance.choice(((), ("num_detections",), ("detection_boxes", "detection_scores")))
            answer = caller.predict.future(request(pictures, output_filter=outputs), timeout=60)
            if answer.exception():
                assert answer.code() is BUSY, answer
                outcomes["busy"] += 1
                return
            response = answer.result()
            assert set(response.outputs) == set(outputs or response.outputs)
            check(response, pictures)
            outcomes["answered"] += 1

        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(call, range(CALLS // 2)))
            half = resident(server)
            list(threads.map(call, range(CALLS // 2, CALLS)))
        grown = resident(server) - half
    assert sum(outcomes.values()) == CALLS
    assert outcomes["answered"] > CALLS / 10
    assert set(WRONG) <= set(outcomes)
    assert grown < GROWTH, f"grew by {grown / 1e6:.1f} MB over the second {CALLS // 2} calls"


@pytest.mark.timeout(120)
async def test_two_thousand_callers_at_once(saved: Path, tmp_path: Path) -> None:
    """As many requests in flight as there are threads for them: they meet in batches, and each gets its own rows."""
    shutil.copytree(saved / "1", tmp_path / "tiny" / "1")
    batching, monitoring = tmp_path / "batching.config", tmp_path / "monitoring.config"
    batching.write_text("max_batch_size { value: 64 } max_enqueued_batches { value: 999 }")
    monitoring.write_text("prometheus_config { enable: true }")
    rest = free_port()
    flags = ["--grpc_max_threads=2000", f"--batching_parameters_file={batching}"]
    flags += [f"--rest_api_port={rest}", f"--monitoring_config_file={monitoring}"]
    with run_model_server(tmp_path / "tiny", "tiny", flags=flags) as server:
        async with grpc.aio.insecure_channel(server.address) as channel:
            method: Any = channel.unary_unary(
                wire.PREDICT,
                request_serializer=wire.PredictRequest.SerializeToString,
                response_deserializer=wire.PredictResponse.FromString,
            )
            pictures = [images(1 + seed % 4, seed) for seed in range(2000)]
            responses = await asyncio.gather(*(method(request(rows), timeout=60) for rows in pictures))
        counted = await asyncio.to_thread(page, f"http://127.0.0.1:{rest}/monitoring/prometheus/metrics")
    for rows, response in zip(pictures, responses, strict=True):
        check(response, rows)
    (runs,) = re.findall(r"batching_session:wrapped_run_count\{\} (\d+)", counted)
    assert int(runs) < len(responses), "no batch held more than one request"


@pytest.mark.timeout(120)
def test_a_swap_under_load_fails_nothing(saved: Path, tmp_path: Path) -> None:
    """At fifty requests a second a new version takes over: none fails, each reply is of the version it names."""
    shutil.copytree(saved / "1", tmp_path / "tiny" / "1")
    with run_model_server(tmp_path / "tiny", "tiny", flags=("--file_system_poll_wait_seconds=0.1",)) as server:
        caller = Caller(server.port)
        versions: list[int] = []

        def call(number: int) -> None:
            pictures = images(1 + number % 4, number)
            response = caller.detect(pictures)
            check(response, pictures)  # against the version the reply names
            versions.append(response.model_spec.version.value)

        with ThreadPoolExecutor(8) as threads:
            calls: list[Future[None]] = []
            started = time.monotonic()
            while len(calls) < 100 or (2 not in versions and len(calls) < 2000):
                if len(calls) == 50:
                    shutil.copytree(saved / "2", tmp_path / "tiny" / ".2")
                    (tmp_path / "tiny" / ".2").rename(tmp_path / "tiny" / "2")
                calls.append(threads.submit(call, len(calls)))
                threading.Event().wait(max(0.0, started + len(calls) / 50 - time.monotonic()))
            for done in calls:
                done.result(30)
    assert set(versions) == {1, 2}
    assert len(versions) == len(calls)
