"""What WebRTC is made of, aiortc and what comes with it, loaded with the first offer: by a service that runs already.

It is a tenth of the time that a service takes to start, and of the memory it holds until somebody watches this way.
"""

import importlib
import threading

from streamer.values.errands import Errands

ENDS = ("streamer.webrtc.viewer", "streamer.webrtc.publisher")
"""Whose modules bring everything else."""

_loading, _done = Errands(1, "webrtc-loading"), threading.Event()


async def loaded() -> None:
    """Return once it is; in a thread, for as long as it takes, which is some 0.1 s the first time."""
    if not _done.is_set():  # a module that is being loaded is among sys.modules already
        await _loading.run(_load)


def _load() -> None:
    for name in ENDS:
        importlib.import_module(name)
    _done.set()
