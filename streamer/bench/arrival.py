"""How late a camera's picture is whole and handed on, by the kind of camera: from when it was due, and sent."""

import base64
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import numpy as np
from av.codec.context import Flags
from numpy.typing import NDArray

from streamer.bench.footage import RATE, numbered
from streamer.bench.numbers import read
from streamer.tools.child import Child, Say
from streamer.tools.processes import free_port, running
from streamer.values.errors import SightlineError

SIZE, PICTURES = (640, 480), 300
"""Of the clip; its numbers begin again after as many."""
SMALL = 96, 80
"""Width and height of pictures that arriving.py gives, where they are decoded."""
OPENING = 2 * RATE
"""Pictures that are not counted: FFmpeg looks at a second of a container, and they come in a heap."""


@dataclass(frozen=True)
class Kind:
    """One kind of camera."""

    form: str
    """FFmpeg's muxer; "": a module of its own sends, or nobody."""
    sends_to: str
    """With {port} in it; of a file {file}."""
    options: dict[str, str] = field(default_factory=dict)
    read_at: str = ""
    """What to write into `url:`; "": the same."""
    listen: bool = False
    how: str = "units"
    """How it is read: arriving.py."""


HLS = {"hls_time": "1", "hls_list_size": "6", "hls_flags": "delete_segments"}

KINDS = {
    "rtsp": Kind("", "rtsp://127.0.0.1:{port}/0"),
    "rtsp_pushed": Kind("rtsp", "rtsp://127.0.0.1:{port}/cam", {"rtsp_transport": "tcp"}, listen=True),
    "rtmp_pushed": Kind("flv", "rtmp://127.0.0.1:{port}/live/cam", listen=True),
    "flv": Kind("flv", "http://127.0.0.1:{port}/live.flv"),
    "mpegts": Kind("mpegts", "http://127.0.0.1:{port}/live.ts"),
    "mpegts_udp": Kind("mpegts", "udp://127.0.0.1:{port}?pkt_size=1316", read_at="udp://127.0.0.1:{port}"),
    "rtp": Kind("rtp", "rtp://127.0.0.1:{port}", read_at="udp://127.0.0.1:{port}"),
    "srt": Kind("mpegts", "srt://127.0.0.1:{port}"),
    "whip": Kind("", "http://127.0.0.1:{port}/whip/cam", how="published"),
    "hls": Kind("hls", "http://127.0.0.1:{port}/live.m3u8", HLS, how="pictures"),
    "file": Kind("", "file://{file}", how="pictures"),
}
"""By HLS and of a file pictures come in heaps and wait for their time: of these what counts is when that has come."""


def measure_arrival(
    state: Path, footage: Path, seconds: float, say: Say, checkout: Path | None = None
) -> dict[str, Any]:
    """Each kind in turn, read by the sources of a checkout; None: this one's."""
    clip = numbered(footage, state, SIZE, PICTURES, megabits=1.5)
    figures: dict[str, Any] = {}
    for name, kind in KINDS.items():
        if kind.sends_to.startswith("srt:") and shutil.which("ffmpeg") is None:
            say("arrival: srt is left out, as there is no ffmpeg here")
            continue
        say(f"arrival: {name}{', the other' if checkout else ''}")
        ages = _ages(kind, clip, seconds, checkout)
        figures |= {
            f"{name}_ms_p50": round(1000 * statistics.median(ages), 1),
            f"{name}_ms_p95": round(1000 * statistics.quantiles(ages, n=20)[18], 1),
        }
    return figures


def _ages(kind: Kind, clip: Path, seconds: float, checkout: Path | None) -> list[float]:
    port, epoch = free_port(), time.monotonic()
    url = kind.sends_to.format(port=port, file=_movie(clip))
    module = {"rtsp": "numbered_camera", "http": "whip_camera"}.get(urlsplit(url).scheme, "")
    if kind.form:
        command = ["sending", kind.form, url, json.dumps(kind.options)]
    else:
        command = [module, str(port) if module == "numbered_camera" else url]
    command[0] = f"streamer.bench.{command[0]}"
    is_file = kind.sends_to.startswith("file:")
    pictures = OPENING + round(seconds * RATE)
    with ExitStack() as stack:
        if not is_file:
            stack.enter_context(running(Child("camera", "-m", *command, str(clip), repr(epoch), quiet=True)))
        read_at = kind.read_at.format(port=port) or url
        lines = _arriving(kind, read_at, min(pictures, PICTURES) if is_file else pictures, checkout)
    described, *units = map(json.loads, lines)
    seen = [(at, base64.b64decode(data)) for at, data in units]
    if kind.how == "pictures":
        ages = [_age(at, np.frombuffer(luma, np.uint8).reshape(SMALL[::-1]), epoch) for at, luma in seen]
    else:
        ages = ages_of(seen, base64.b64decode(described), epoch)
    if is_file:
        ages = beyond_pace(ages)
    if len(ages[OPENING:]) < RATE:
        raise SightlineError(f"of {url} too few pictures came whose number could be read")
    return ages[OPENING:]


def _movie(clip: Path) -> Path:
    """The clip as a file that says when each picture is to be seen."""
    movie = clip.with_suffix(".mp4")
    if not movie.exists():
        draft = clip.with_suffix(".part.mp4")
        with av.open(str(clip)) as source, av.open(str(draft), "w") as sink:
            out = sink.add_stream_from_template(source.streams.video[0])
            packets = (packet for packet in source.demux(video=0) if packet.size)
            for number, packet in enumerate(packets):
                packet.pts = packet.dts = number
                packet.time_base, packet.stream = Fraction(1, RATE), out
                sink.mux(packet)
        draft.rename(movie)
    return movie


def beyond_pace(ages: Sequence[float]) -> list[float]:
    """Of a recording, which is due at no time but its own: how much later each picture came than the promptest."""
    length = PICTURES / RATE
    apart = [(age - ages[0] + length / 2) % length for age in ages]
    return [each - min(apart) for each in apart]


def _arriving(kind: Kind, url: str, pictures: int, checkout: Path | None) -> list[str]:
    """What arriving.py prints, with the sources of a checkout."""
    script = str(Path(__file__).with_name("arriving.py"))
    command = [sys.executable, "-P", script, kind.how, url, str(kind.listen), str(pictures)]
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
        frames = decoder.decode(av.Packet(data))
        found += [_age(at, np.asarray(frame.to_ndarray(format="gray"), np.uint8), epoch) for frame in frames]
    return found


def _age(at: float, luma: NDArray[np.uint8], epoch: float) -> float:
    number = read(luma)
    if number is None:
        raise SightlineError("a picture came whose number could not be read")
    return (at - epoch - number / RATE) % (PICTURES / RATE)
