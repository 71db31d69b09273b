"""What a stream needs of what delivers its frames, be they pulled from a URL or pushed by WebRTC."""

from collections.abc import Callable, Mapping
from typing import Protocol

from streamer.values.coded import OnCoded, OnSound
from streamer.values.depth import Depth
from streamer.values.errors import SourceErrorKind
from streamer.values.frame import Frame
from streamer.values.state import SourceState


class FrameSource(Protocol):
    """One stream's."""

    @property
    def name(self) -> str:
        """The stream's."""

    @property
    def state(self) -> SourceState:
        """Whether frames come."""

    @property
    def reason(self) -> str | None:
        """Why they do not, as a sentence."""

    @property
    def error(self) -> SourceErrorKind | None:
        """Why the last attempt ended, as a word; None while frames come."""

    @property
    def last_frame_at(self) -> float | None:
        """Monotonic arrival of the newest frame."""

    @property
    def reconnects(self) -> Mapping[SourceErrorKind, int]:
        """Attempts that ended, by reason."""

    @property
    def skipped_late(self) -> int:
        """Encoded pictures dropped because decoding had fallen behind."""

    on_coded: OnCoded | None
    """Told of every encoded picture as it comes, decoded or not, in the source's thread; None, which costs nothing:
    nobody wants them. May be set at any time."""
    on_sound: OnSound | None
    """The same of sound, where the source was told to ask for it."""

    depth: Callable[[], Depth]
    """Asked at each picture that comes how much is to be decoded, in the source's thread; set once, before it runs. A
    source may decode more than that, and counts in `Frame.missed` what it does not."""

    async def run(self, deliver: Callable[[Frame], None]) -> None:
        """Keep frames coming until cancelled. `deliver` is called in the source's thread, and does not wait."""
