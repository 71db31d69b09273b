"""When the newest pictures of a stream were where, and what follows: how long each stage took. Pure.

A picture that the model is asked about is followed on up to three ways, each a part of the next: to its answer, to the
first viewer it is sent to, and to each screen whose page says when it was painted. On each way its stages add up to the
whole (`stages.durations`). A picture whose answer came after it was drawn did not wait for that: on its way to a viewer
and a screen, queue and model end where drawing begins, and there is no hold. One that goes to a screen as it came is
drawn on there: what is behind its answer is all paint.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from statistics import median

from streamer.stream.camera_age import CameraAge
from streamer.values.detections import Detections
from streamer.values.distribution import WHOLE, Distribution
from streamer.values.frame import Frame
from streamer.values.receipts import DISBELIEFS, Disbelief, Receipt
from streamer.values.showing import Showing
from streamer.values.stages import LENGTH, STAGES, WAYS, Stage, Stamps, Way, durations

MOST = 600
"""Pictures that are followed at any time, the newest."""
KEPT = 20.0
"""Seconds for which one is, after its arrival: what may be seen of it later is no view of something live."""
RECENT = 32
"""Ways whose medians are the latest."""
LATELY = 10.0
"""Seconds after which they are not any more."""


@dataclass(slots=True)
class _Passage:
    """One picture's stamps, monotonic. Not frozen: they come one by one."""

    received_at: float
    decoded_at: float | None
    asked_at: float | None = None
    answered_at: float | None = None
    drawn_at: float | None = None
    encoded_at: float | None = None
    sent_at: float | None = None
    """To the first viewer."""

    def to_answer(self) -> Stamps:
        return (self.received_at, self.decoded_at, self.asked_at, self.answered_at)

    def to_encoded(self) -> tuple[float | None, ...]:
        """As far as a viewer's connection; what the picture did not wait for ends where it was drawn."""
        drawn_at = self.drawn_at
        asked_at, answered_at = self.asked_at, self.answered_at
        if drawn_at is not None:
            asked_at = None if asked_at is None else min(asked_at, drawn_at)
            answered_at = None if answered_at is None else min(answered_at, drawn_at)
        return (self.received_at, self.decoded_at, asked_at, answered_at, drawn_at, self.encoded_at)


class Ledger:
    """Of one stream. On the event loop."""

    def __init__(self) -> None:
        self.stages: dict[tuple[Way, Stage], Distribution] = {}
        """Seconds of each stage on each way, of those that were ever gone."""
        self._counted: dict[Way, list[Distribution]] = {}
        """The same by way, in the order of its stages."""
        self.glass = Distribution(WHOLE)
        """Seconds from arrival to a screen."""
        self.camera = Distribution()
        """Seconds from the camera's picture to its arrival, by the camera's clock where that is believed."""
        self.receipts: Counter[Disbelief | str] = Counter(dict.fromkeys(("taken", *DISBELIEFS), 0))
        """What pages said of pictures: those that count, and why others are not believed."""
        self._passages: OrderedDict[int, _Passage] = OrderedDict()
        """By Frame.index."""
        self._known: OrderedDict[Hashable, int] = OrderedDict()
        """Frame.index by what viewers are sent: `Receipt.picture`."""
        self._recent: dict[Way, deque[tuple[float, float, list[float | None]]]] = {
            way: deque(maxlen=RECENT) for way in WAYS
        }
        """When a way ended, how long it was, and its stages."""
        self._ages: deque[tuple[float, float]] = deque(maxlen=RECENT)
        self._camera_age = CameraAge()

    def __len__(self) -> int:
        """Pictures that are followed."""
        return len(self._passages)

    # ---- what happens to a picture, in any order

    def answered(self, frame: Frame, answer: Detections) -> None:
        """The model has said what is in it."""
        passage = self._passage(frame)
        if passage.answered_at is not None:
            return
        passage.asked_at, passage.answered_at = answer.sent_at or None, answer.answered_at
        self._know((frame.opening, frame.coded_at), frame)
        self._ended("answer", answer.answered_at, passage.to_answer())
        if frame.camera_age is not None and (age := self._camera_age.take(frame.camera_age)) is not None:
            self.camera.observe(age)
            self._ages.append((answer.answered_at, age))
        if passage.sent_at is not None:
            self._reached(passage)

    def shown(self, showing: Showing) -> None:
        """It was drawn on, encoded, and is about to be sent."""
        passage = self._passage(showing.frame)
        passage.drawn_at, passage.encoded_at = showing.drawn_at, showing.encoded_at
        self._know(showing.pts, showing.frame)

    def sent(self, pts: int, at: float) -> None:
        """A viewer's connection has taken it."""
        passage = self._of(pts)
        if passage is not None and passage.sent_at is None:
            passage.sent_at = at
            if passage.answered_at is not None:
                self._reached(passage)

    def painted(self, receipt: Receipt) -> bool:
        """It was on somebody's screen; gives whether that counts, as of pictures that were answered."""
        passage = self._of(receipt.picture)
        if passage is None or passage.answered_at is None:
            return False
        stamps: Stamps
        if isinstance(receipt.picture, tuple):
            # It went before it was decoded, and waited for its boxes on the page.
            stamps = (*passage.to_answer(), None, None, None, None, receipt.painted_at)
        else:
            stamps = (*passage.to_encoded(), receipt.sent_at, receipt.received_at, receipt.painted_at)
        self._ended("glass", receipt.painted_at, stamps)
        self.glass.observe(max(0.0, receipt.painted_at - passage.received_at))
        self.receipts["taken"] += 1
        return True

    def disbelieved(self, why: Disbelief, count: int = 1) -> None:
        """A page said of so many pictures what cannot be."""
        self.receipts[why] += count

    # ---- what is known

    def latest(self, now: float) -> "dict[str, float | None] | None":
        """Medians of the last seconds: of each stage, of the `camera` before them, and of their `total`, in seconds.

        Of the longest way that was gone lately; None: none was.
        """
        for way in reversed(WAYS):
            rows = [(total, row) for at, total, row in self._recent[way] if now - at <= LATELY]
            if rows:
                break
        else:
            return None
        columns = zip(*(row for _, row in rows), strict=True)
        medians = dict(zip(STAGES, map(_median, columns), strict=False))
        ages = [age for at, age in self._ages if now - at <= LATELY]
        return {
            "camera": _median(ages),
            **{stage: medians.get(stage) for stage in STAGES},
            "total": _median([total for total, _ in rows]),
        }

    def _reached(self, passage: _Passage) -> None:
        """An answered picture was sent to its first viewer."""
        if passage.sent_at is not None:
            self._ended("viewer", passage.sent_at, (*passage.to_encoded(), passage.sent_at))

    def _ended(self, way: Way, at: float, stamps: Stamps) -> None:
        row = durations(stamps)
        counted = self._counted.get(way)
        if counted is None:
            self._counted[way] = counted = [Distribution() for _ in range(LENGTH[way])]
            self.stages.update(zip(((way, stage) for stage in STAGES), counted, strict=False))
        for distribution, seconds in zip(counted, row, strict=True):
            if seconds is not None:
                distribution.observe(seconds)
        self._recent[way].append((at, sum(each for each in row if each is not None), row))

    def _passage(self, frame: Frame) -> _Passage:
        found = self._passages.get(frame.index)
        if found is None:
            self._passages[frame.index] = found = _Passage(frame.received_at, frame.decoded_at or None)
            while len(self._passages) > MOST or self._is_past(frame.received_at - KEPT):
                self._passages.popitem(last=False)
        return found

    def _is_past(self, before: float) -> bool:
        """Whether the oldest came before that."""
        return next(iter(self._passages.values())).received_at < before

    def _know(self, picture: Hashable, frame: Frame) -> None:
        """Viewers are sent it as that."""
        self._known[picture] = frame.index
        if len(self._known) > 2 * MOST:
            self._known.popitem(last=False)

    def _of(self, picture: Hashable) -> _Passage | None:
        """The one that viewers are sent as that."""
        index = self._known.get(picture)
        return None if index is None else self._passages.get(index)


def _median(values: "tuple[float | None, ...] | list[float]") -> float | None:
    known = [each for each in values if each is not None]
    return median(known) if known else None
