"""An RTSP server as tests need one: cameras made of clips, that loop for ever, freeze, die and come back.

Behind it is gst-rtsp-server in a process of its own (gst_camera.py); it sends a clip's own packets at its own pace. A
mount plays from its first frame when its first client comes, and again when everybody has left and somebody returns.
"""

import json
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

from tests.peers.process import Process, free_port
from tests.peers.required import SYSTEM_PYTHON, requires

_CAMERA = Path(__file__).with_name("gst_camera.py")


class RtspServer:
    """A running server; `run_rtsp_server` makes one."""

    def __init__(
        self,
        port: int,
        mounts: Mapping[str, Path],
        user: str | None,
        password: str | None,
        lose_every: int,
        sound: str | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.port = port
        self._login = "" if user is None else f"{user}:{password}@"
        self._settings = json.dumps(
            {
                "host": host,
                "port": port,
                "mounts": {mount: str(index) for mount, index in mounts.items()},
                "user": user,
                "password": password,
                "lose_every": lose_every,
                "sound": sound,
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
    mounts: Mapping[str, Path | Sequence[Path]],
    *,
    port: int | None = None,
    user: str | None = None,
    password: str | None = None,
    lose_every: int = 0,
    sound: str | None = None,
    host: str = "127.0.0.1",
) -> Iterator[RtspServer]:
    """Serve clips over RTSP for as long as the block lasts.

    Args:
        mounts: mount point, such as "/road", to a clip with H.264, H.265 or MJPEG in it (mp4, mkv, ts), or to several
            of one codec that are sent one after the other in one stream.
        port: any free one by default. Kept over `kill` and `restart`.
        user: asks every client for this user and `password`, by digest.
        password: of `user`.
        lose_every: lose every so-manieth packet on the way; 0: none.
        sound: a tone beside every video, "aac", "opus" or "pcm_alaw"; None: nothing.
        host: the address to listen at.
    """
    requires("gst-rtsp-server")
    with tempfile.TemporaryDirectory(prefix="rtsp-server-") as folder:
        indexes = {
            mount: write_access_units([clip] if isinstance(clip, Path) else clip, Path(folder, f"{number}.json"))
            for number, (mount, clip) in enumerate(mounts.items())
        }
        server = RtspServer(port or free_port(), indexes, user, password, lose_every, sound, host)
        try:
            yield server
        finally:
            server.close()


_ANNEX_B = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb", "mjpeg": "null"}
"""The filter that puts start codes where a container had lengths."""


def write_access_units(clips: Sequence[Path], index: Path) -> Path:
    """Take clips apart into access units, without decoding them.

    Args:
        clips: any container PyAV reads; the first video streams are of one codec.
        index: where to write the JSON that gst_camera.py reads; the bytes (Annex B) go beside it.

    Returns:
        `index`.
    """
    data = index.with_suffix(".units")
    units: list[tuple[int, int, int, int]] = []
    duration_ns, document = 0, dict[str, object]()
    with data.open("wb") as out:
        for clip in clips:
            with av.open(str(clip)) as container:
                stream = container.streams.video[0]
                context = stream.codec_context
                assert context.name in _ANNEX_B, f"{clip.name} carries {context.name}"
                assert stream.time_base is not None, f"{clip.name} has no time base"
                fps = stream.average_rate or stream.guessed_rate
                assert fps, f"{clip.name} has no frame rate"
                document = {"codec": context.name, "width": context.width, "height": context.height}
                nanoseconds = stream.time_base * 1_000_000_000
                annex_b = BitStreamFilterContext(_ANNEX_B[context.name], stream)
                found = list[tuple[int, int, int, int]]()
                for packet in container.demux(stream):
                    for unit in annex_b.filter(packet):
                        assert unit.dts is not None, f"{clip.name} has a packet without a time"
                        assert unit.pts is not None, f"{clip.name} has a packet without a time"
                        times = round(unit.dts * nanoseconds), round(unit.pts * nanoseconds)
                        found.append((out.tell(), unit.size, *times))
                        out.write(bytes(unit))
            assert found, f"{clip.name} has no packets"
            start = found[0][2] - duration_ns
            units += [(offset, size, dts - start, pts - start) for offset, size, dts, pts in found]
            duration_ns = units[-1][2] + round(1_000_000_000 / fps)
    document |= {"file": str(data), "units": units, "duration_ns": duration_ns}
    index.write_text(json.dumps(document))
    return index
