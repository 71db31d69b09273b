"""Which frames go to the model. Pure."""


class Sampler:
    """Chooses frames at `fps`, evenly by presentation time, so that arrival jitter does not bunch them."""

    def __init__(self, fps: float) -> None:
        self._interval = 1 / fps
        self._next: float | None = None

    def until(self, pts: float) -> float:
        """Seconds from `pts` to the next slot; negative where it is past."""
        return 0.0 if self._next is None else self._next - pts

    def take(self, pts: float) -> bool:
        """Whether the frame at `pts` (seconds, rising) is a sample.

        A frame that falls a hair before its slot is taken rather than the one after it: at 30 frames a second and 5
        samples, rounding would otherwise turn every sixth frame into sixth or seventh.
        """
        if self._next is not None and pts < self._next - 0.1 * self._interval:
            return False
        on_time = self._next is not None and pts < self._next + self._interval
        self._next = (self._next if on_time and self._next is not None else pts) + self._interval
        return True
