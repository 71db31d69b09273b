"""What was found in a clip's pictures, beside it: as JSON and as WebVTT, a part at a time. Times are the clip's."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from streamer.archive.recordings.box_columns import BoxColumns
from streamer.archive.recordings.boxes_at import FOLLOWED, USUAL, Sample
from streamer.archive.recordings.cut import Part
from streamer.values.coded import MICROSECONDS
from streamer.values.track import TrackedBox

BoxesOf = Callable[[Sequence[str]], Awaitable[Mapping[str, BoxColumns]]]
"""Gives the boxes of segments."""

VTT_HEAD = b"WEBVTT\n\nNOTE Metadata: the text of each cue is JSON.\n\n"


async def samples_of(part: Part, boxes_of: BoxesOf) -> list[Sample]:
    """Those in a part, in the clip's time."""
    boxes = (await boxes_of([part.segment.id])).get(part.segment.id)
    if boxes is None:
        return []
    found = await asyncio.to_thread(lambda: list(boxes.between(part.begin, part.end)))
    return [(time - part.begin + part.at, some) for time, some in found]


async def json_of(stream: str, parts: Sequence[Part], boxes_of: BoxesOf) -> AsyncIterator[bytes]:
    """The clip's parts, and samples, each `{"at", "time", "boxes"}`; one without boxes found nothing."""
    told = {
        "stream": stream,
        "width": parts[0].segment.width,
        "height": parts[0].segment.height,
        "parts": [
            {"at": _seconds(part.at), "from": round(part.began_at, 6), "seconds": _seconds(part.duration)}
            for part in parts
        ],
    }
    before = json.dumps(told)[:-1] + ', "samples": [\n'
    for part in parts:
        rows = await asyncio.to_thread(_rows, part, await samples_of(part, boxes_of))
        if rows:
            yield (before + rows).encode()
            before = ",\n"
    yield b"]}\n" if before == ",\n" else f"{before}]}}\n".encode()


async def vtt_of(parts: Sequence[Part], boxes_of: BoxesOf) -> AsyncIterator[bytes]:
    """Cues (https://www.w3.org/TR/webvtt1/), of each sample with boxes one, up to the next sample."""
    yield VTT_HEAD
    for part in parts:
        cues = await asyncio.to_thread(_cues, part, await samples_of(part, boxes_of))
        if cues:
            yield cues.encode()


def _rows(part: Part, samples: Sequence[Sample]) -> str:
    return ",\n".join(
        json.dumps(
            {
                "at": _seconds(time),
                "time": round(part.began_at + (time - part.at) / MICROSECONDS, 6),
                "boxes": _boxes(found),
            }
        )
        for time, found in samples
    )


def _cues(part: Part, samples: Sequence[Sample]) -> str:
    return "".join(_each_cue(part, samples))


def _each_cue(part: Part, samples: Sequence[Sample]) -> Iterator[str]:
    end = part.at + part.duration
    longest = round(FOLLOWED * USUAL)
    for (time, found), (later, _) in pairwise([*samples, (end, ())]):
        until = min(later, time + longest, end)
        if found and until > time:
            text = json.dumps({"boxes": _boxes(found)})
            for (
                sign
            ) in "<>&":  # an arrow would end the cue, an ampersand begin an escape; JSON may write them otherwise
                text = text.replace(sign, f"\\u{ord(sign):04x}")
            yield f"{_clock(time)} --> {_clock(until)}\n{text}\n\n"


def _boxes(found: Sequence[TrackedBox]) -> list[dict[str, Any]]:
    return [
        {
            "label": box.label,
            "class_id": box.class_id,
            "score": round(box.score, 4),
            "box": [round(edge, 2) for edge in box.box],
            "tracker_id": box.tracker_id or None,
        }
        for box in found
    ]


def _seconds(time: int) -> float:
    return round(time / MICROSECONDS, 6)


def _clock(time: int) -> str:
    milliseconds = time // 1000
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"
