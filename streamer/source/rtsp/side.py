"""What a session needs of the conversation beside its packets."""

from collections import deque
from typing import Protocol

from streamer.source.rtsp.message import Chunk, Request, Response


class Side(Protocol):
    """Our side of the conversation beside the packets: a `Client`, or the `Host` of a camera that pushes."""

    is_over: bool
    """Whether the camera has said that it ends the stream."""

    @property
    def login(self) -> str | None:
        """How the one logged in to the other; None: without."""

    @property
    def early(self) -> deque[tuple[Chunk, float]]:
        """Packets that came before they were waited for, with their monotonic arrival."""

    def serve(self, request: Request) -> None:
        """Answer what the camera asks of us."""

    def tries_again(self, response: Response) -> bool:
        """Take note of a 401."""

    def say(self, method: str, url: str, *, seconds: float) -> int:
        """Send a request and wait for nothing."""

    def leave(self, url: str) -> None:
        """Say that the session is over."""
