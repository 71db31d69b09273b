"""A span of a stream's video as parts of segments, one behind the other: what a clip is made of. Pure.

What is not recorded takes no time in a clip: `Part.at` says where each part stands in it, and its segment when it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from streamer.archive.recordings.footage import needed
from streamer.archive.recordings.segment import Segment
from streamer.values.coded import MICROSECONDS
from streamer.values.errors import Refused


@dataclass(frozen=True, slots=True)
class Part:
    """Of one segment. Microseconds."""

    segment: Segment
    begin: int
    """Media time of what is shown first."""
    end: int
    at: int
    """Where it stands in the clip."""

    @property
    def duration(self) -> int:
        """How long it is."""
        return self.end - self.begin

    @property
    def began_at(self) -> float:
        """When its first picture was: UTC, seconds since 1970."""
        return self.segment.began_at + self.begin / MICROSECONDS

    @property
    def size(self) -> int:
        """Bytes that are read for it."""
        return sum(each.size for each in needed(self.segment, self.begin, self.end))


def cut(segments: Sequence[Segment], began: float, ended: float) -> list[Part]:
    """The parts of a span.

    Args:
        segments: those in it, in order, with their fragments.
        began: UTC, seconds since 1970.
        ended: the same.

    Raises:
        Refused: 404 nothing of it is recorded; 409 it is not all in one form, and no file can hold it.
    """
    parts, at = list[Part](), 0
    for segment in segments:
        if not segment.fragments:
            continue
        begin = max(0, round((began - segment.began_at) * MICROSECONDS))
        end = min(length_of(segment), round((ended - segment.began_at) * MICROSECONDS))
        if end > begin:
            parts.append(Part(segment, begin, end, at))
            at += end - begin
    if not parts:
        raise Refused(404, "nothing of this span is recorded")
    first = parts[0].segment
    for part in parts:
        if _form(part.segment) != _form(first):
            raise Refused(
                409,
                f"the camera's video changes from {_form(first)} to {_form(part.segment)} at {_words(part.began_at)}; "
                "ask for what comes before and for what comes after on its own",
            )
    return parts


def length_of(segment: Segment) -> int:
    """Of what is in it, in microseconds, as far as the index knows."""
    if not segment.fragments:
        return 0
    last = segment.fragments[-1]
    known = (last.time_ms + last.duration_ms) * 1000
    if segment.ended_at is None:
        return known
    return max(known, round((segment.ended_at - segment.began_at) * MICROSECONDS))


def _form(segment: Segment) -> str:
    return f"{segment.codec} {segment.width}x{segment.height}"


def _words(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
