"""Where a photographed string runs inside its box: its axis, its thickness, and the pitch of its caps.

A labelled box says little about a slanted string. Its caps, though, repeat: of all oriented strips that exactly fill
the box, the one along the string is the one whose brightness repeats most along it. No training, numpy and OpenCV only.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

ANGLES: Final = 16
"""Strips tried, each leaning both ways."""
INNER: Final = 0.8
"""Of a strip's thickness, what is looked at: its border is half background."""
PITCHES: Final = (5.0, 30.0)
"""Pixels from cap to cap that are looked for."""
SURE: Final = 0.6
"""Repetition (peak over trough of the autocorrelation) from which an axis is believed: below it the caps are too small,
hidden by steel, or washed out."""
OCTAVE: Final = 0.8
"""Of the highest peak, from which an earlier one is taken for the pitch."""
THINNEST: Final = 8.0
PAIR: Final = 3.2
"""Pitches of thickness from which a strip holds two strings side by side: a cap is two to two and a half wide."""


@dataclass(frozen=True)
class Axis:
    """A string as an oriented strip of a picture, in pixels."""

    center: tuple[float, float]
    angle: float
    """Radians from the x axis towards the y axis."""
    length: float
    thickness: float
    pitch: float
    """From cap to cap along the axis."""
    repetition: float
    """0 where nothing repeats; about 1 on a clear string."""
    double: bool
    """Two strings side by side in one strip."""

    @classmethod
    def find(cls, image: NDArray[np.uint8], box: NDArray[np.float32]) -> Self | None:
        """The axis of the string that fills `box` (x_min, y_min, x_max, y_max) of an RGB picture; None where unsure."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        best: Self | None = None
        for angle, length, thickness in _strips(box):
            center = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
            tried = cls(center, angle, length, thickness, 1.0, 0.0, double=False)
            rows = tried.strip(grey, INNER / 2, 0.48)
            repetition, pitch = _repetition(rows, min(PITCHES[1], thickness))
            # A thicker strip that repeats as well holds more of the string.
            if pitch and (best is None or repetition * thickness**0.25 > best.repetition * best.thickness**0.25):
                double = thickness > PAIR * pitch or _has_two_rows(rows, pitch)
                best = cls(center, angle, length, thickness, pitch, repetition, double=double)
        return best if best is not None and best.repetition >= SURE else None

    def matrix(self, across: float, along: float) -> NDArray[np.float64]:
        """[2, 3]: pixels of `strip(image, across, along)` to pixels of the picture."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        rotation = np.array([[cos, -sin], [sin, cos]])
        origin = np.array(self.center) - rotation @ (self.length * along, self.thickness * across)
        return np.column_stack([rotation, origin])

    def strip(self, image: Any, across: float = 0.5, along: float = 0.5) -> Any:
        """The picture cut out along the axis, unscaled, from `-across` to `across` thicknesses about it and from
        `-along` to `along` lengths about its middle.
        """
        size = (max(2, round(2 * along * self.length)), max(2, round(2 * across * self.thickness)))
        return cv2.warpAffine(
            image, self.matrix(across, along), size,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip

    def corners(self, start: float, end: float, top: float, bottom: float) -> NDArray[np.float32]:
        """The corners [4, 2] of a rectangle along the axis, in pixels of the picture; all counted from the middle."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        along = np.array([start, end, end, start])
        across = np.array([top, top, bottom, bottom])
        points = np.stack([along * cos - across * sin, along * sin + across * cos], axis=1)
        return (points + self.center).astype(np.float32)

    def contains(self, point: NDArray[np.float32]) -> bool:
        """Whether a point [2] of the picture lies on the string, or nearly."""
        x, y = point - self.center
        along, across = x * np.cos(self.angle) + y * np.sin(self.angle), y * np.cos(self.angle) - x * np.sin(self.angle)
        return bool(abs(along) < 0.55 * self.length and abs(across) < 0.7 * self.thickness)

    @property
    def outline(self) -> NDArray[np.float32]:
        """The corners [4, 2] of the whole string."""
        return self.corners(-self.length / 2, self.length / 2, -self.thickness / 2, self.thickness / 2)


def _strips(box: NDArray[np.float32]) -> list[tuple[float, float, float]]:
    """(angle, length, thickness) of oriented strips whose bounding box is `box`."""
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    long, short = max(width, height), min(width, height)
    upright = np.pi / 2 if height > width else 0.0
    strips = []
    for lean in np.linspace(0, np.arctan2(short, long), ANGLES)[:-1]:
        cos, sin = np.cos(lean), np.sin(lean)
        squeeze = cos * cos - sin * sin
        if squeeze < 0.15:  # near 45 degrees a box fixes neither length nor thickness
            continue
        length, thickness = (long * cos - short * sin) / squeeze, (short * cos - long * sin) / squeeze
        if thickness >= max(THINNEST, 0.06 * length):
            strips += [(upright + sign * lean, float(length), float(thickness)) for sign in (1, -1)]
    return strips


def _without_slow_changes(rows: Any) -> NDArray[np.float32]:
    """The rows less their own mean over more than the longest pitch: no light and no background."""
    return np.asarray(rows - cv2.blur(rows, (2 * int(PITCHES[1]) + 1, 1)), np.float32)


def _repetition(rows: NDArray[np.float32], largest: float) -> tuple[float, float]:
    """How much the rows repeat along themselves, and after how many pixels."""
    count = rows.shape[1]
    flat = _without_slow_changes(rows)
    power = (np.abs(np.fft.rfft(flat, 2 * count, axis=1)) ** 2).sum(axis=0)
    correlation = np.fft.irfft(power)[:count] * count / (count - np.arange(count))
    last = min(int(largest) + 1, count // 3)
    if correlation[0] < 1e-3 or last < PITCHES[0] + 3:
        return 0.0, 0.0
    correlation = correlation / correlation[0]
    peaks = [
        (float(correlation[lag] - correlation[1:lag].min()), float(lag))
        for lag in range(int(PITCHES[0]), last)
        if correlation[lag] > correlation[lag - 1] and correlation[lag] >= correlation[lag + 1]
    ]
    if not peaks:
        return 0.0, 0.0
    # What repeats after one pitch repeats after two as well: the first of the high ones is the pitch.
    return next(peak for peak in peaks if peak[0] >= OCTAVE * max(peaks)[0])


def _has_two_rows(rows: NDArray[np.float32], pitch: float) -> bool:
    """Whether the repeating is weaker in the middle than on both sides of it."""
    wave = np.exp(-2j * np.pi * np.arange(rows.shape[1]) / pitch)
    flat = _without_slow_changes(rows)
    # In pieces of four caps: over the whole string a pitch that is a little off would cancel itself out.
    piece = max(4, round(4 * pitch))
    starts = range(0, max(1, rows.shape[1] - piece + 1), piece)
    strength = np.mean([np.abs((flat * wave)[:, start : start + piece].sum(axis=1)) for start in starts], axis=0)
    strength = cv2.blur(strength[:, None].astype(np.float32), (1, 3))[:, 0]
    third = len(strength) // 3
    middle = strength[third : len(strength) - third].min()
    return bool(middle < 0.75 * min(strength[:third].max(), strength[-third:].max()))
