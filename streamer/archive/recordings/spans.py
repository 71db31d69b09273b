"""What segments are to who looks at a day: spans without a gap. Pure."""

from collections.abc import Iterable

from streamer.archive.recordings.found import Span

SEAM = 1.0
"""Seconds between two segments that are no gap to anybody."""


def joined(segments: Iterable[tuple[float, float, bool]]) -> list[Span]:
    """Spans of segments, without the seams between those that go on from each other.

    Args:
        segments: (began, ended, has_event) of each, in the order they begin in: a day of them is more than a thousand,
            therefore no objects.
    """
    found: list[Span] = []
    since = until = float("-inf")
    had_event = False
    for began, ended, has_event in segments:
        if began - until > SEAM or has_event != had_event:
            if until > since:
                found.append(Span(since, until, had_event))
            since, until, had_event = began, ended, has_event
        elif ended > until:
            until = ended
    if until > since:
        found.append(Span(since, until, had_event))
    return found
