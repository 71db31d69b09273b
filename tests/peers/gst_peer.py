"""GStreamer's webrtcbin as a process: somebody else's WHIP publisher and WHEP player."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.peers.process import Process, run_process
from tests.peers.required import SYSTEM_PYTHON, requires

PROGRAM = Path(__file__).parent / "gst_webrtc.py"


class GstPeer:
    """A running webrtcbin."""

    def __init__(self, process: Process) -> None:
        self.process = process

    @property
    def frames(self) -> int:
        """Frames a player has decoded, in tens."""
        return max((int(found) for found in re.findall(r"^frames (\d+)", self.process.output, re.MULTILINE)), default=0)

    @property
    def size(self) -> str | None:
        """Width and height of what a player decoded."""
        found = re.findall(r"^frames \d+ (\d+ \d+)$", self.process.output, re.MULTILINE)
        return found[-1] if found else None


@contextmanager
def run_gst_peer(
    role: Literal["publish", "play"],
    url: str,
    *,
    codec: Literal["H264", "VP8"] = "H264",
    token: str | None = None,
    file: Path | None = None,
    answered: int = 201,
) -> Iterator[GstPeer]:
    """Publish or play at an endpoint for as long as the block lasts; it has been answered when the block begins.

    Args:
        role: which of the two.
        url: of the endpoint.
        codec: the only one offered.
        token: to be shown.
        file: the clip that is published in H.264; in VP8 it is a test picture.
        answered: the status that is waited for.
    """
    requires("gst-webrtc")
    given = {"role": role, "url": url, "codec": codec, "token": token, "file": str(file) if file else None}
    with run_process([SYSTEM_PYTHON, PROGRAM, json.dumps(given)], ready=f"answered {answered}") as process:
        yield GstPeer(process)
