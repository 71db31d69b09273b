"""When each picture is to be decoded, where only is known when it is shown: MP4 wants both. Pure."""

import heapq

SLACK = 1000
"""Of the times' unit, microseconds: by less than that, a picture's time may be another's too."""


class DecodeTimes:
    """Those of one file.

    With `reorder` pictures of delay, the n-th to be decoded is due when the n-th to be shown is, so many pictures ago:
    by then it has come. So they rise strictly, and none is after its own picture's time.
    """

    def __init__(self, reorder: int, first: int, step: int) -> None:
        """Have had no picture.

        Args:
            reorder: pictures that may come before one that is shown earlier.
            first: when the first picture is shown.
            step: from one picture to the next, about. All in one unit.
        """
        self._reorder = reorder
        self._early = [first - number * max(1, step) for number in range(1, reorder + 1)]
        self._waiting: list[int] = []
        self._last: int | None = None

    def of(self, time: int) -> int | None:
        """Of the picture shown then, the next to be decoded; None: it comes later than `reorder` allows.

        That one must be left out: what is told after it is as if it had not been. Two of one time are decoded one after
        the other, the second less than SLACK after it should be shown.
        """
        due = self._early[-1] if self._early else heapq.heappushpop(self._waiting, time)
        late = self._last is not None and due <= self._last
        if late and self._last is not None:
            if self._last + 1 - time >= SLACK:
                if due != time and not self._early:
                    self._waiting.remove(time)
                    heapq.heapify(self._waiting)
                    heapq.heappush(self._waiting, due)
                return None
            due = self._last + 1
        elif self._early:
            self._early.pop()
            heapq.heappush(self._waiting, time)
        self._last = due
        return due
