"""Somebody who watches all cameras from before the first replica comes, so that none begins anew for whoever comes.

A camera of the tests plays from a key frame when its first client comes. Those of the field have theirs when they have
them, and who comes waits for the next.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Sequence

import av

SILENCE = 10.0
"""Seconds without a packet after which a camera is asked anew."""
PAUSE = 0.2
"""Seconds from one connection's end to the next."""
BLINDLY = {"rtsp_transport": "tcp", "analyzeduration": "1", "probesize": "32"}
"""Without looking into what comes, which would take some seconds."""


def watch(url: str, sees: threading.Event) -> None:
    """Take what one sends, for ever."""
    while True:
        with contextlib.suppress(av.FFmpegError), av.open(url, options=BLINDLY, timeout=SILENCE) as camera:
            for _ in camera.demux():
                sees.set()
        time.sleep(PAUSE)


def watch_all(urls: Sequence[str], key_frames: float) -> None:
    """Say when there is something of each.

    Args:
        urls: of the cameras.
        key_frames: seconds from one key frame to the next: so that cameras have theirs in turn, and not all at once.
    """
    seeing = {url: threading.Event() for url in urls}
    for url, sees in seeing.items():
        threading.Thread(target=watch, args=(url, sees), daemon=True).start()
        time.sleep(key_frames / len(urls))
    for sees in seeing.values():
        sees.wait()
    print("watching", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    watch_all(sys.argv[2:], float(sys.argv[1]))
