"""Which moments are a bookmarked event's, whose video stays for as long as its mark. Pure, but for reading them."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping

from streamer.archive.database import Cursor
from streamer.archive.recordings.rules import RecordingRules
from streamer.archive.recordings.segment import Segment


class Bookmarks:
    """Those of all streams, as of one moment."""

    def __init__(self, spans: Mapping[str, Iterable[tuple[float, float]]]) -> None:
        """Take them in.

        Args:
            spans: (from, to) by stream, in any order: UTC, seconds since 1970.
        """
        self._spans = {stream: _joined(sorted(those)) for stream, those in spans.items()}

    def hold(self, segment: Segment) -> bool:
        """Whether some of it is a bookmarked event's, or of the seconds before and after."""
        spans = self._spans.get(segment.stream)
        if not spans:
            return False
        ended = segment.began_at if segment.ended_at is None else segment.ended_at
        place = bisect_right(spans, (ended, float("inf"))) - 1
        return place >= 0 and spans[place][1] >= segment.began_at


def bookmarks(cursor: Cursor, rules: RecordingRules) -> Bookmarks:
    """Those there are now; one that goes on ends when it was seen last."""
    spans: dict[str, list[tuple[float, float]]] = {}
    sql = "SELECT stream, began_ms, COALESCE(ended_ms, last_ms) FROM event WHERE bookmarked = 1"
    for stream, began_ms, ended_ms in cursor.all(sql):
        before, after = rules.margins(stream)
        spans.setdefault(stream, []).append((began_ms / 1000 - before, ended_ms / 1000 + after))
    return Bookmarks(spans)


def _joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Without overlaps."""
    found: list[tuple[float, float]] = []
    for began, ended in spans:
        if found and began <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], ended)
        else:
            found.append((began, ended))
    return found
