"""streamer.webrtc.loading: what WebRTC is made of comes with the first offer, for all who offer meanwhile."""

import subprocess
import sys

from tests.peers.required import REPOSITORY

TWO_OFFERS = """\
import asyncio, sys
from streamer.webrtc.loading import ENDS, loaded

async def offer():
    await loaded()
    return [bool(vars(sys.modules[name]).get(kind)) for name, kind in zip(ENDS, ("Viewer", "Publisher"))]

async def main():
    assert not any(name in sys.modules for name in ENDS)
    first = asyncio.create_task(offer())
    while ENDS[0] not in sys.modules:
        await asyncio.sleep(0)
    print(await asyncio.gather(first, offer()), await offer())

asyncio.run(main())
"""


def test_who_comes_while_it_is_loaded_waits_for_its_end() -> None:
    """A second offer does not take half a module for the whole: it would load the rest on the event loop."""
    done = subprocess.run(
        [sys.executable, "-c", TWO_OFFERS], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.stdout == "[[True, True], [True, True]] [True, True]\n", done.stderr
