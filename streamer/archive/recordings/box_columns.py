"""The boxes of one segment's samples, column by column: what a row keeps and what a page paints. Pure."""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from streamer.archive.recordings.box_sample import WHOLE, BoxSample, pixels
from streamer.values.track import TrackedBox

_FORM = 1
"""The first byte of what is packed, so that there can be another form."""
_HEAD = struct.Struct("<BI")


@dataclass(frozen=True, slots=True, eq=False)
class BoxColumns:
    """All samples of a segment, in time order; those that found nothing too, for what was there is gone then."""

    width: int
    """Of the frames, in pixels, turned upright."""
    height: int
    times: NDArray[np.int64]
    """[N]: media time in microseconds, rising."""
    counts: NDArray[np.int64]
    """[N]: how many of the rows below are each sample's, in order."""
    classes: tuple[tuple[str, int], ...]
    """(label, class id) of each class there is."""
    class_index: NDArray[np.int64]
    """[M]: places in `classes`."""
    edges: NDArray[np.uint16]
    """[M, 4], as BoxSample has them; so are the next two."""
    scores: NDArray[np.uint16]
    tracker_ids: NDArray[np.int64]

    @classmethod
    def of(cls, samples: Mapping[int, BoxSample]) -> "BoxColumns":
        """Those of these samples, by media time; one of another size has its boxes where they are in the picture."""
        times = sorted(samples)
        ordered = [samples[time] for time in times]
        names = [name for sample in ordered for name in sample.names]
        places = {name: place for place, name in enumerate(dict.fromkeys(names))}
        return cls(
            ordered[-1].width if ordered else 0,
            ordered[-1].height if ordered else 0,
            np.array(times, np.int64),
            np.array([len(sample) for sample in ordered], np.int64),
            tuple(places),
            np.array([places[name] for name in names], np.int64),
            np.concatenate([np.zeros((0, 4), np.uint16), *(sample.edges for sample in ordered)]),
            np.concatenate([np.zeros(0, np.uint16), *(sample.scores for sample in ordered)]),
            np.concatenate([np.zeros(0, np.int64), *(sample.tracker_ids for sample in ordered)]),
        )

    @classmethod
    def unpacked(cls, data: bytes) -> "BoxColumns":
        """The reverse of `packed`.

        Raises:
            ValueError: that is no such thing.
        """
        try:
            form, size = _HEAD.unpack_from(data)
            if form != _FORM:
                raise ValueError(f"boxes are kept in form {form}, which is not known here: it is newer")
            columns = _Columns(zlib.decompress(data[_HEAD.size :]))
            head = json.loads(columns.take(size))
            samples, rows = head["samples"], head["rows"]
            return cls(
                head["width"],
                head["height"],
                np.cumsum(columns.numbers(samples, np.int64)),
                columns.numbers(samples, np.int64),
                tuple((label, class_id) for label, class_id in head["classes"]),
                columns.numbers(rows, np.int64),
                np.stack([columns.numbers(rows, np.uint16) for _ in range(4)], axis=1),
                columns.numbers(rows, np.uint16),
                columns.numbers(rows, np.int64),
            )
        except (struct.error, zlib.error, KeyError, TypeError) as error:
            raise ValueError(f"these are no boxes: {error}") from None

    def packed(self) -> bytes:
        """As a row keeps them: each column by itself, its bytes by their weight, compressed (RFC 1950)."""
        head = json.dumps(
            {
                "width": self.width,
                "height": self.height,
                "samples": len(self.times),
                "rows": len(self.scores),
                "classes": self.classes,
            }
        ).encode()
        columns = (
            np.diff(self.times, prepend=0),
            self.counts,
            self.class_index,
            *self.edges.T,
            self.scores,
            self.tracker_ids,
        )
        packed = zlib.compress(head + b"".join(map(_by_weight, columns)))
        return _HEAD.pack(_FORM, len(head)) + packed

    def __len__(self) -> int:
        return len(self.times)

    def between(self, began: int, ended: int) -> Iterator[tuple[int, Sequence[TrackedBox]]]:
        """(media time, its boxes) of each sample at began <= media time < ended, in microseconds, in order."""
        first, last = np.searchsorted(self.times, (began, ended)).tolist()
        ends = np.cumsum(self.counts)
        for place in range(first, last):
            rows = slice(int(ends[place] - self.counts[place]), int(ends[place]))
            yield int(self.times[place]), self._boxes(rows)

    def _boxes(self, rows: slice) -> list[TrackedBox]:
        found = zip(
            self.tracker_ids[rows].tolist(),
            pixels(self.edges[rows], self.width, self.height).tolist(),
            self.class_index[rows].tolist(),
            (self.scores[rows] / WHOLE).tolist(),
            strict=True,
        )
        return [
            TrackedBox(tracker_id, (x_min, y_min, x_max, y_max), label, class_id, score)
            for tracker_id, (x_min, y_min, x_max, y_max), index, score in found
            for label, class_id in (self.classes[index],)
        ]

    def document(self) -> dict[str, Any]:
        """Ready for JSON: flat lists, boxes in pixels, scores 0..1."""
        return {
            "width": self.width,
            "height": self.height,
            "classes": [{"label": label, "class_id": class_id} for label, class_id in self.classes],
            "times_us": self.times.tolist(),
            "counts": self.counts.tolist(),
            "class_index": self.class_index.tolist(),
            "scores": np.round(self.scores / WHOLE, 4).tolist(),
            "boxes": np.round(pixels(self.edges, self.width, self.height), 2).ravel().tolist(),
            "tracker_ids": self.tracker_ids.tolist(),
        }


def _by_weight(column: NDArray[Any]) -> bytes:
    """All lowest bytes, then all that weigh more: long runs of the same, which compress."""
    little = column.astype(column.dtype.newbyteorder("<"))
    return np.frombuffer(little.tobytes(), np.uint8).reshape(-1, column.dtype.itemsize).T.tobytes()


class _Columns:
    """Read one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def take(self, size: int) -> bytes:
        taken = self._data[self._place : self._place + size]
        if len(taken) != size:
            raise ValueError("these are no boxes: they end too early")
        self._place += size
        return taken

    def numbers(self, count: int, dtype: DTypeLike) -> NDArray[Any]:
        kind = np.dtype(dtype)
        weighed = np.frombuffer(self.take(count * kind.itemsize), np.uint8).reshape(kind.itemsize, count)
        return np.frombuffer(weighed.T.tobytes(), kind.newbyteorder("<")).astype(kind)
