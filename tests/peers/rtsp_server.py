"""An RTSP server as tests need one: cameras made of clips, that loop for ever, freeze, die and come back.

Behind it is gst-rtsp-server in a process of its own (gst_camera.py); it sends a clip's own H.264 at its own pace. A
mount plays from its first frame when its first client comes, and again when everybody has left and somebody returns.
"""

import json
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

from tests.peers.process import Process, free_port
from tests.peers.required import SYSTEM_PYTHON, requires

_CAMERA = Path(__file__).with_name("gst_camera.py")


class RtspServer:
    """A running server; `run_rtsp_server` makes one."""

    def __init__(self, port: int, mounts: Mapping[str, Path], user: str | None, password: str | None) -> None:
        self.port = port
        self._login = "" if user is None else f"{user}:{password}@"
        self._settings = json.dumps(
            {
                "port": port,
                "mounts": {mount: str(index) for mount, index in mounts.items()},
                "user": user,
                "password": password,
            }
        )
        self._frozen = False
        self._start()

    def _start(self) -> None:
        self._switched = 0
        self._process = Process([SYSTEM_PYTHON, _CAMERA, self._settings])
        self._process.wait_for_output("listening")

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def url(self, mount: str, *, login: bool = True) -> str:
        """The URL of a mount, with user and password where the server asks for them and `login` is true."""
        return f"rtsp://{self._login if login else ''}127.0.0.1:{self.port}{mount}"

    def freeze(self) -> None:
        """Stop sending on every mount; connections stay open, as with a camera that hangs. Survives `restart`."""
        if not self._frozen:
            self._switch()

    def unfreeze(self) -> None:
        """Go on where `freeze` stopped; the timestamps have moved on with the clock."""
        if self._frozen:
            self._switch()

    def _switch(self) -> None:
        self._frozen = not self._frozen
        self._switched += 1
        self._process.signal(signal.SIGUSR1)
        self._process.wait_for_output("frozen" if self._frozen else "moving", times=(self._switched + 1) // 2)

    def kill(self) -> None:
        """Take the server away at once, without a word to its clients."""
        self._process.kill()

    def restart(self) -> None:
        """Bring the server up again on the same port, every clip from its first frame and moving."""
        self._process.stop()
        self._frozen = False
        self._start()

    def close(self) -> None:
        """End the server. May be called twice."""
        self._process.stop()


@contextmanager
def run_rtsp_server(
    mounts: Mapping[str, Path],
    *,
    port: int | None = None,
    user: str | None = None,
    password: str | None = None,
) -> Iterator[RtspServer]:
    """Serve H.264 clips over RTSP for as long as the block lasts.

    Args:
        mounts: mount point, such as "/road", to a clip with H.264 in it (mp4, mkv, ts).
        port: on 127.0.0.1; any free one by default. Kept over `kill` and `restart`.
        user: asks every client for this user and `password`, by digest.
        password: of `user`.
    """
    requires("gst-rtsp-server")
    with tempfile.TemporaryDirectory(prefix="rtsp-server-") as folder:
        indexes = {
            mount: write_access_units(clip, Path(folder, f"{number}.json"))
            for number, (mount, clip) in enumerate(mounts.items())
        }
        server = RtspServer(port or free_port(), indexes, user, password)
        try:
            yield server
        finally:
            server.close()


def write_access_units(clip: Path, index: Path) -> Path:
    """Take a clip's H.264 apart into access units, without decoding it.

    Args:
        clip: any container PyAV reads; its first video stream is H.264.
        index: where to write the JSON that gst_camera.py reads; the bytes (Annex B) go beside it.

    Returns:
        `index`.
    """
    data = index.with_suffix(".h264")
    units: list[tuple[int, int, int, int]] = []
    with av.open(str(clip)) as container, data.open("wb") as out:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264", f"{clip.name} carries {stream.codec_context.name}, not h264"
        assert stream.time_base is not None, f"{clip.name} has no time base"
        nanoseconds = stream.time_base * 1_000_000_000
        annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
        for packet in container.demux(stream):
            for unit in annex_b.filter(packet):
                assert unit.dts is not None, f"{clip.name} has a packet without a time"
                assert unit.pts is not None, f"{clip.name} has a packet without a time"
                units.append((out.tell(), unit.size, round(unit.dts * nanoseconds), round(unit.pts * nanoseconds)))
                out.write(bytes(unit))
        fps = stream.average_rate or stream.guessed_rate
    assert units, f"{clip.name} has no packets"
    assert fps, f"{clip.name} has no frame rate"
    start = units[0][2]
    document = {
        "file": str(data),
        "units": [(offset, size, dts - start, pts - start) for offset, size, dts, pts in units],
        "duration_ns": units[-1][2] - start + round(1_000_000_000 / fps),
    }
    index.write_text(json.dumps(document))
    return index
