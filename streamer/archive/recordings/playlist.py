"""HLS playlists of recorded segments (RFC 8216), for players other than our own page. Pure.

Each entry is some fragments of one file, from a keyframe up to another, at UTC in their own times (decode_base.py).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from streamer.archive.recordings.segment import Fragment, Segment

LEAST_MS = 6000
"""Of an entry, but for a file's last: RFC 8216's usual six seconds."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Some fragments in a row, which can be played on their own."""

    segment: Segment
    offset: int
    size: int
    time_ms: int
    duration_ms: int

    @property
    def name(self) -> str:
        """What is asked for: its bytes in the file."""
        return f"{self.segment.id}/{self.offset}-{self.offset + self.size}.m4s"

    @property
    def began_at(self) -> float:
        """UTC, seconds since 1970."""
        return self.segment.began_at + self.time_ms / 1000

    @property
    def ended_at(self) -> float:
        """The same of its end."""
        return self.began_at + self.duration_ms / 1000


def entries_of(segment: Segment) -> Iterator[Entry]:
    """A file's, always the same ones: of one that is being written without the last, to which more may come."""
    starts = list(_starts(segment.fragments))
    ends = [*starts[1:], len(segment.fragments)] if segment.ended_at is not None else starts[1:]
    for begin, end in zip(starts, ends, strict=False):
        first, last = segment.fragments[begin], segment.fragments[end - 1]
        over = last.time_ms + last.duration_ms
        size = last.offset + last.size - first.offset
        yield Entry(segment, first.offset, size, first.time_ms, over - first.time_ms)


def _starts(fragments: Sequence[Fragment]) -> Iterator[int]:
    """Where entries begin: at a keyframe, and LEAST_MS after the one before."""
    began_at: int | None = None
    for number, fragment in enumerate(fragments):
        if fragment.is_key and (began_at is None or fragment.time_ms - began_at >= LEAST_MS):
            yield number
            began_at = fragment.time_ms


def playlist(segments: Sequence[Segment], began: float, ended: float | None) -> str | None:
    """The playlist of a span; None: nothing of it can be played.

    Args:
        segments: those in it, in order, with their fragments.
        began: UTC, seconds since 1970; playing begins exactly there, if there is a picture.
        ended: its end; None: it goes on, and who plays it asks again.
    """
    entries = [
        entry
        for segment in segments
        for entry in entries_of(segment)
        if entry.ended_at > began and (ended is None or entry.began_at < ended)
    ]
    if not entries:
        return None
    # 8 where it goes on: the number must not change, and a keyframe every two seconds is what cameras do.
    target = max(math.ceil(max(entry.duration_ms for entry in entries) / 1000), 8 if ended is None else 1)
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target}", "#EXT-X-MEDIA-SEQUENCE:0"]
    lines += [f"#EXT-X-PLAYLIST-TYPE:{'EVENT' if ended is None else 'VOD'}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if began > entries[0].began_at:
        lines.append(f"#EXT-X-START:TIME-OFFSET={began - entries[0].began_at:.3f},PRECISE=YES")
    before: Segment | None = None
    for entry in entries:
        if before is not entry.segment:
            lines += _begun(entry, before)
            before = entry.segment
        lines += [f"#EXTINF:{entry.duration_ms / 1000:.3f},", entry.name]
    if ended is not None:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _begun(entry: Entry, before: Segment | None) -> Iterator[str]:
    """What stands before the first entry of a file."""
    segment = entry.segment
    is_alike = before is not None and before.init == segment.init
    if before is not None and not (segment.follows and is_alike):
        yield "#EXT-X-DISCONTINUITY"
    if not is_alike:
        # With its length: FFmpeg 5.1 waits for more of the second one for good, where none is said.
        yield f'#EXT-X-MAP:URI="{segment.id}/init.mp4",BYTERANGE="{len(segment.init)}@0"'
    at = datetime.fromtimestamp(entry.began_at, UTC).isoformat(timespec="milliseconds")
    yield f"#EXT-X-PROGRAM-DATE-TIME:{at.replace('+00:00', 'Z')}"
