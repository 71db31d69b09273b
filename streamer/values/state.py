"""What state a stream is in, declared once for the API and the metrics. docs/glossary.md says what each means."""

from dataclasses import dataclass
from typing import Literal, get_args

SourceState = Literal["connecting", "live", "offline"]
"""Whether a source's frames come."""
StreamStateWord = Literal["connecting", "live", "stale", "offline", "paused"]
STREAM_STATES: tuple[StreamStateWord, ...] = get_args(StreamStateWord)


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream's state and why it is in it."""

    word: StreamStateWord
    reason: str | None = None
    """Why it is not live, as a sentence."""
