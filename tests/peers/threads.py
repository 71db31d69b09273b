"""The threads of this process that somebody must end."""

import threading


def own_threads() -> set[threading.Thread]:
    """All but those that asyncio and gRPC keep for as long as the process lives."""
    return {
        thread
        for thread in threading.enumerate()
        if not thread.name.startswith("asyncio_") and "_poll_wrapper" not in thread.name
    }
