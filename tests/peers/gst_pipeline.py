"""GStreamer's own pipelines: somebody else's sender of bare RTP. Runs as a program of Debian's Python."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


def play(description: str) -> None:
    """Run a pipeline until the process is ended."""
    import gi

    gi.require_version("Gst", "1.0")
    from gi.repository import GLib, Gst

    Gst.init(None)
    pipeline = Gst.parse_launch(description)
    pipeline.set_state(Gst.State.PLAYING)
    print("playing", flush=True)
    GLib.MainLoop().run()


@contextmanager
def run_gst_pipeline(description: str) -> Iterator[None]:
    """Run a pipeline, as gst-launch-1.0 writes it, for as long as the block lasts."""
    from tests.peers.process import run_process
    from tests.peers.required import SYSTEM_PYTHON, requires

    requires("gst-rtsp-server", "gst-webrtc")
    with run_process([SYSTEM_PYTHON, __file__, description], ready="playing"):
        yield


if __name__ == "__main__":
    play(sys.argv[1])
