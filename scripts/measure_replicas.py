"""One embedded model server against two, on this machine: `.venv/bin/python scripts/measure_replicas.py MODELS/NAME`.

Starts one server with two batch threads, two with one each, and two with two each, and drives them by the service's own
channel. Each is asked in turn, in both orders, so that a slow moment of a shared machine meets all of them; the figures
are medians over the rounds.
"""

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio
import numpy as np

from serving import signature, wire
from streamer.inference.channel import open_channel
from streamer.inference.predictor import Predictor
from streamer.tools.processes import free_port
from streamer.values.clock import monotonic

BATCHING = """
max_batch_size {{ value: 8 }}
batch_timeout_micros {{ value: 0 }}
max_enqueued_batches {{ value: 4 }}
num_batch_threads {{ value: {threads} }}
"""
MONITORING = 'prometheus_config { enable: true, path: "/metrics" }'
LOADS = ((1, 8), (4, 4))
"""Frames in a call, and callers that each ask one call after the other."""
SHAPES = ((1, 2), (2, 1), (2, 2))
"""Servers, and batch threads of each; TensorFlow gets as many threads."""
RUNS, ROWS = (
    ":tensorflow:serving:batching_session:wrapped_run_count",
    ":tensorflow:serving:batching_session:processed_batch_size_sum",
)


@dataclass
class Fleet:
    """Some servers behind one address."""

    address: str
    metrics: list[str]
    """Where each server's metrics are."""


@dataclass
class Figures:
    """What the rounds gave, a number a round."""

    images_per_second: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p95_ms: list[float] = field(default_factory=list)
    mean_batch: list[float] = field(default_factory=list)
    refused: int = 0

    def row(self) -> str:
        """The medians as cells of a table."""
        columns = (self.images_per_second, self.p50_ms, self.p95_ms, self.mean_batch)
        return " | ".join(f"{statistics.median(column):.1f}" if column else "–" for column in columns)


@contextmanager
def fleet(models: Path, servers: int, threads: int, folder: Path) -> Iterator[Fleet]:
    """Run servers on free ports for as long as the block lasts."""
    batching, monitoring = folder / f"batching_{threads}.config", folder / "monitoring.config"
    batching.write_text(BATCHING.format(threads=threads))
    monitoring.write_text(MONITORING)
    ports = [(free_port(), free_port()) for _ in range(servers)]
    with ExitStack() as stack:
        for grpc_port, http_port in ports:
            command = [
                sys.executable,
                "-P",
                "-m",
                "serving",
                "--port",
                str(grpc_port),
                "--rest_api_port",
                str(http_port),
            ]
            command += ["--model_name", models.name, "--model_base_path", str(models.absolute())]
            command += ["--batching_parameters_file", str(batching), "--monitoring_config_file", str(monitoring)]
            command += ["--tensorflow_intra_op_parallelism=1", f"--tensorflow_inter_op_parallelism={threads}"]
            process = stack.enter_context(
                subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
            stack.callback(process.terminate)
        yield Fleet(
            "ipv4:" + ",".join(f"127.0.0.1:{port}" for port, _ in ports),
            [f"http://127.0.0.1:{port}/metrics" for _, port in ports],
        )


async def contract_of(where: Fleet, model: str) -> signature.Contract:
    """Wait until every server answers, and give the model's contract."""
    contracts = []
    for address in where.address.removeprefix("ipv4:").split(","):
        predictor = Predictor(address, model, clock=monotonic)
        looking = asyncio.create_task(predictor.run())
        while (contract := predictor.contract) is None:  # noqa: ASYNC110  the predictor has no event for it
            await asyncio.sleep(0.1)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await predictor.close()
        contracts.append(contract)
    return contracts[0]


def request(model: str, contract: signature.Contract, rows: int) -> bytes:
    """One Predict request, as it goes over the wire."""
    shape = (rows, contract.height, contract.width, 3)
    found = wire.PredictRequest(output_filter=signature.DETECTION_OUTPUTS)
    found.model_spec.name = model
    found.model_spec.signature_name = signature.SERVING_DEFAULT
    tensor = found.inputs[signature.INPUT_TENSOR]
    tensor.dtype = wire.DT_UINT8
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8).tobytes()
    return bytes(found.SerializeToString())


async def drive(where: Fleet, body: bytes, rows: int, callers: int, seconds: float, figures: Figures) -> None:
    """One window: callers that ask one call after the other; what is refused is counted and asked again."""
    channel = open_channel(where.address)
    predict: Any = channel.unary_unary(wire.PREDICT)
    await asyncio.gather(*(predict(body, timeout=30) for _ in range(2 * len(where.metrics))))
    before = await asyncio.to_thread(counted, where)
    took: list[float] = []
    started = time.perf_counter()

    async def caller() -> None:
        while time.perf_counter() < started + seconds:
            asked = time.perf_counter()
            try:
                await predict(body, timeout=30)
            except grpc.aio.AioRpcError:
                figures.refused += 1
                await asyncio.sleep(0.001)
            else:
                took.append(time.perf_counter() - asked)

    await asyncio.gather(*(caller() for _ in range(callers)))
    elapsed = time.perf_counter() - started
    after = await asyncio.to_thread(counted, where)
    await channel.close()
    figures.images_per_second.append(rows * len(took) / elapsed)
    figures.p50_ms.append(1000 * float(np.percentile(took, 50)))
    figures.p95_ms.append(1000 * float(np.percentile(took, 95)))
    if runs := after[RUNS] - before[RUNS]:
        figures.mean_batch.append((after[ROWS] - before[ROWS]) / runs)


def counted(where: Fleet) -> dict[str, float]:
    """The servers' counts of batches and of the frames in them, together."""
    totals = dict.fromkeys((RUNS, ROWS), 0.0)
    for url in where.metrics:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310  one of our own, on this machine
                text = answer.read().decode()
        except OSError:
            continue
        for name in totals:
            totals[name] += sum(
                float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)", text, re.MULTILINE)
            )
    return totals


async def measure(models: Path, fleets: dict[tuple[int, int], Fleet], seconds: float, rounds: int) -> None:
    """Measure every fleet under every load, and print the table."""
    contracts = [await contract_of(found, models.name) for found in fleets.values()]
    figures = {(shape, load): Figures() for load in LOADS for shape in fleets}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for rows, callers in LOADS:
            body = request(models.name, contracts[0], rows)
            for shape in list(fleets)[:: 1 if number % 2 == 0 else -1]:
                await drive(fleets[shape], body, rows, callers, seconds, figures[shape, (rows, callers)])
    print("| frames a call × callers | servers × threads | images/s | p50 ms | p95 ms | mean batch |")
    print("|---|---|---|---|---|---|")
    for (shape, load), found in figures.items():
        print(f"| {load[0]} × {load[1]} | {shape[0]} × {shape[1]} | {found.row()} |")
    print(f"refused: {sum(found.refused for found in figures.values())}", file=sys.stderr)


def main() -> int:
    """Start the servers, measure, stop them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", type=Path, metavar="MODELS/NAME", help="a model's directory, with versions in it")
    parser.add_argument("--seconds", type=float, default=5, help="length of each window (default 5)")
    parser.add_argument("--rounds", type=int, default=6, help="windows of each (default 6)")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        fleets = {shape: stack.enter_context(fleet(flags.models, *shape, Path(folder))) for shape in SHAPES}
        asyncio.run(measure(flags.models, fleets, flags.seconds, flags.rounds))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
