"""`python -m tests.soak`: one run, its figures as they come, and a verdict; exit code 1 where something grew."""

import argparse
import asyncio
import contextlib
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.peers.clip import make_clip
from tests.peers.process import PATIENCE_S, Process, free_port, run_process
from tests.peers.rtsp_server import run_rtsp_server
from tests.peers.service import Service, write_config
from tests.soak.churn import Churn
from tests.soak.trend import Footprint, Verdict, judge

LOOK = 2.0
"""Seconds between two looks."""
WARM_UP = 20.0
"""Seconds of churn that come before everything."""
QUIET = 30.0
"""Seconds after the last one left: sessions nobody said goodbye to, and connections kept alive, are over by then."""


async def footprint(service: Service) -> Footprint:
    """What the service holds now."""
    process = Path(f"/proc/{service.process.pid}")
    tasks = (await service.metrics()).sum("sightline_event_loop_tasks")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return Footprint(
        at=time.monotonic(),
        megabytes=int(status["VmRSS"].split()[0]) / 1024,
        descriptors=len(list((process / "fd").iterdir())),
        threads=int(status["Threads"]),
        tasks=int(tasks),
    )


def line(moment: str, seen: Footprint) -> str:
    """One line of the table."""
    return (
        f"{moment:>10}  {seen.megabytes:7.1f} MB  {seen.descriptors:4} descriptors  {seen.threads:4} threads"
        f"  {seen.tasks:4} tasks"
    )


async def soak(service: Service, churn: Churn, *, seconds: float, settled: float) -> Verdict:
    """Run it, print what is seen, and judge it."""
    for name in ("a", "b", "c"):
        await service.wait_for_state(name, "live")
    print("first everybody comes once: pools grow to their size, libraries are loaded", flush=True)
    await churn.run(WARM_UP)
    await asyncio.sleep(QUIET)
    churn.did.clear()
    before = await footprint(service)
    print(line("before", before), flush=True)
    began, during, told = time.monotonic(), list[Footprint](), 0.0
    churning = asyncio.create_task(churn.run(seconds))
    while not churning.done():
        during.append(await footprint(service))
        if time.monotonic() - told >= 30.0:
            told = time.monotonic()
            print(line(f"{told - began:.0f} s", during[-1]), flush=True)
        await asyncio.wait([churning], timeout=LOOK)
    await churning
    await asyncio.sleep(QUIET)
    after = await footprint(service)
    print(line("after", after))
    print("\n".join(f"{times:>6} x {what}" for what, times in sorted(churn.did.items())))
    return judge(before, during, after, settled=settled)


@contextlib.contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield listening.getsockname()[1]


def start_model(port: int) -> Process:
    """The model server, when it serves."""
    process = Process([sys.executable, "-m", "tests.peers.fake_model_server", str(port)])
    process.wait_for_output("serving")
    return process


def run(*, seconds: float, settled: float, leak: bool) -> Verdict:
    """Set everything up, and soak it."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sightline-soak-")))
        clip = make_clip(folder / "road.mp4", seconds=10, gop=30)
        steady = stack.enter_context(run_rtsp_server({"/road": clip}))
        freezing = stack.enter_context(run_rtsp_server({"/road": clip}))
        model_port, path = free_port(), folder / "sightline.yaml"
        config = {
            "serving": {"address": f"127.0.0.1:{model_port}", "model": "insulators"},
            "streams": {
                "a": {"url": steady.url("/road")},
                "b": {"url": steady.url("/road")},
                "c": {"url": freezing.url("/road")},
            },
            "api_streams": {"allowed": True, "networks": ["127.0.0.0/8"]},
        }
        write_config(path, config)
        program = "tests.soak.leaking" if leak else "streamer"
        process = stack.enter_context(run_process([sys.executable, "-m", program, "serve", "--config", path]))
        process.wait_for_output("sightline: serving ", timeout=PATIENCE_S)
        url = process.output.partition("sightline: serving ")[2].split()[0]
        service, silent = Service(process, url, path), stack.enter_context(silent_port())
        churn = Churn(service, steady, freezing, silent, lambda: start_model(model_port))

        async def everything() -> Verdict:
            try:
                return await soak(service, churn, seconds=seconds, settled=settled)
            finally:
                await churn.close()

        verdict = asyncio.run(everything())
        if "Traceback" in process.output:
            verdict.complaints.append(f"the log holds a traceback:\n{process.output}")
        return verdict


def main() -> int:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--seconds", type=float, default=600.0, help="of churn (default 600)")
    parser.add_argument("--settled", type=float, default=180.0, help="seconds from which memory counts (default 180)")
    parser.add_argument("--leak", action="store_true", help="the control: plant a leak, and fail if it is not found")
    given = parser.parse_args()
    verdict = run(seconds=given.seconds, settled=given.settled, leak=given.leak)
    print(f"memory: {verdict.memory_slope:+.2f} MB a minute", *verdict.complaints, sep="\n")
    if given.leak:
        found = {"memory", "descriptors", "tasks"} <= {word for each in verdict.complaints for word in each.split()}
        print("the planted leak was " + ("found" if found else "NOT found"))
        return 0 if found else 1
    print("nothing grows" if not verdict.complaints else "something grows")
    return 1 if verdict.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
