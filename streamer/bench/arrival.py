"""How late a camera's picture is whole and handed on, by the kind of camera: from when it was due, and sent."""

import base64
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import Flags

from streamer.bench.footage import RATE, numbered
from streamer.bench.numbers import read
from streamer.tools.child import Child, Say
from streamer.tools.processes import free_port, running
from streamer.values.errors import SightlineError

SIZE, PICTURES = (640, 480), 300
"""Of the clip; its numbers begin again after as many."""
OPENING = 2 * RATE
"""Pictures that are not counted: FFmpeg looks at a second of a container, and they come in a heap."""


@dataclass(frozen=True)
class Kind:
    """One kind of camera."""

    form: str
    """FFmpeg's muxer; "": the RTSP camera of numbered_camera.py."""
    sends_to: str
    """With {port} in it."""
    options: dict[str, str] = field(default_factory=dict)
    read_at: str = ""
    """What to write into `url:`; "": the same."""
    listen: bool = False


KINDS = {
    "rtsp": Kind("", "rtsp://127.0.0.1:{port}/0"),
    "rtsp_pushed": Kind("rtsp", "rtsp://127.0.0.1:{port}/cam", {"rtsp_transport": "tcp"}, listen=True),
    "rtmp_pushed": Kind("flv", "rtmp://127.0.0.1:{port}/live/cam", listen=True),
    "flv": Kind("flv", "http://127.0.0.1:{port}/live.flv"),
    "mpegts": Kind("mpegts", "http://127.0.0.1:{port}/live.ts"),
    "mpegts_udp": Kind("mpegts", "udp://127.0.0.1:{port}?pkt_size=1316", read_at="udp://127.0.0.1:{port}"),
    "rtp": Kind("rtp", "rtp://127.0.0.1:{port}", read_at="udp://127.0.0.1:{port}"),
}


def measure_arrival(
    state: Path, footage: Path, seconds: float, say: Say, checkout: Path | None = None
) -> dict[str, Any]:
    """Each kind in turn, read by the sources of a checkout; None: this one's."""
    clip = numbered(footage, state, SIZE, PICTURES, megabits=1.5)
    figures: dict[str, Any] = {}
    for name, kind in KINDS.items():
        say(f"arrival: {name}{', the other' if checkout else ''}")
        ages = _ages(kind, clip, seconds, checkout)
        figures |= {
            f"{name}_ms_p50": round(1000 * statistics.median(ages), 1),
            f"{name}_ms_p95": round(1000 * statistics.quantiles(ages, n=20)[18], 1),
        }
    return figures


def _ages(kind: Kind, clip: Path, seconds: float, checkout: Path | None) -> list[float]:
    port, epoch = free_port(), time.monotonic()
    url = kind.sends_to.format(port=port)
    if kind.form:
        command = ["-m", "streamer.bench.sending", kind.form, url, json.dumps(kind.options)]
    else:
        command = ["-m", "streamer.bench.numbered_camera", str(port)]
    with running(Child("camera", *command, str(clip), repr(epoch), quiet=True)):
        lines = _arriving((kind.read_at or kind.sends_to).format(port=port), kind.listen, seconds, checkout)
    described, *units = map(json.loads, lines)
    seen = [(at, base64.b64decode(data)) for at, data in units]
    ages = ages_of(seen, base64.b64decode(described), epoch)[OPENING:]
    if len(ages) < RATE:
        raise SightlineError(f"of {url} too few pictures came whose number could be read")
    return ages


def _arriving(url: str, listen: bool, seconds: float, checkout: Path | None) -> list[str]:
    """What arriving.py prints, with the sources of a checkout."""
    script = str(Path(__file__).with_name("arriving.py"))
    command = [sys.executable, "-P", script, url, str(listen), str(OPENING + round(seconds * RATE))]
    path = {} if checkout is None else {"PYTHONPATH": f"{checkout}/site:{checkout}"}
    done = subprocess.run(command, env=os.environ | path, capture_output=True, text=True, check=False, timeout=90)
    if done.returncode != 0:
        raise SightlineError(f"nothing came of {url}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    return done.stdout.splitlines()


def ages_of(units: Iterable[tuple[float, bytes]], described: bytes, epoch: float) -> list[float]:
    """Seconds from each picture's being due to its being handed on, by the number in it.

    Args:
        units: monotonic seconds, and H.264 as it came.
        described: the decoder's extradata.
        epoch: when picture 0 was due.
    """
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_type, decoder.thread_count = "NONE", 1
    decoder.flags |= Flags.low_delay
    if described:
        decoder.extradata = described
    found: list[float] = []
    for at, data in units:
        found += [_age(at, frame, epoch) for frame in decoder.decode(av.Packet(data))]
    return found


def _age(at: float, frame: av.VideoFrame, epoch: float) -> float:
    number = read(np.asarray(frame.to_ndarray(format="gray"), np.uint8))
    if number is None:
        raise SightlineError("a picture came whose number could not be read")
    return (at - epoch - number / RATE) % (PICTURES / RATE)
