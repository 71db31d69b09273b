"""What segments are to who looks at a day: spans without a gap. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from streamer.archive.recordings.found import Span

SEAM = 1.0
"""Seconds between two segments that are no gap to anybody."""


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans of single segments, in order, without the seams between those that go on from each other."""
    found: list[Span] = []
    for span in spans:
        last = found[-1] if found else None
        if last is not None and span.began_at - last.ended_at <= SEAM and span.has_event == last.has_event:
            found[-1] = replace(last, ended_at=max(last.ended_at, span.ended_at))
        else:
            found.append(span)
    return found
