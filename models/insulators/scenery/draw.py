"""Bars, wires and hoops of any width at sub-pixel places, so that nothing jumps when the drone drifts.

Everything straight in a scene is one of these bars: thousands are projected at once, and only what shows is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.scenery.camera import Camera, Points
from sightline_models.insulators.scenery.light import Colour, Light
from sightline_models.insulators.scenery.sight import SOLID, Sight

NEAREST: Final = 0.4
"""Metres; what is nearer than this to the lens is not drawn."""
_SHIFT: Final = 4


class Stroke(Protocol):
    """Something to paint, once everything behind it is painted."""

    depth: float
    """Metres."""

    def paint(self, frame: NDArray[np.uint8], sight: Sight) -> None:
        """Paint it on `frame` and mark in `sight` what it hides or shows."""


@dataclass(frozen=True)
class Bars:
    """Straight pieces of steel and wire in the light they stand in; every array's first axis is K."""

    ends: Points
    """[K, 2, 3] metres."""
    widths: NDArray[np.float64]
    """[K] metres."""
    body: Points
    """[K, 3] RGB of the whole bar."""
    shine: Points
    """[K, 3] RGB of its lit edge, and of all of it where it is too thin to have one."""
    lift: Points
    """[K, 2] where the lit edge lies, in widths right and down of the middle."""
    edge: NDArray[np.float64]
    """[K] the lit edge's width as a part of the bar's."""

    @classmethod
    def steel(cls, ends: Points, widths: NDArray[np.float64], colour: Colour, bright: NDArray[np.float64]) -> "Bars":
        """Angles of lattice: a dark flange, and a lit one where it shows."""
        count = len(ends)
        lit = np.asarray(colour)[None] * np.reshape(bright, (-1, 1))
        lift = np.tile([-0.16, -0.16], (count, 1))
        return cls(
            ends,
            np.broadcast_to(widths, count),
            lit * 0.62,
            np.broadcast_to(lit, (count, 3)),
            lift,
            np.full(count, 0.55),
        )

    @classmethod
    def wire(cls, points: Points, width: float, colour: Colour, shine: Colour) -> "Bars":
        """A curve [K + 1, 3], with the sky's shine on its upper side."""
        ends = np.stack([points[:-1], points[1:]], axis=1)
        count = len(ends)
        return cls(
            ends, np.full(count, width), np.tile(colour, (count, 1)), np.tile(shine, (count, 1)),
            np.tile([0.0, -0.22], (count, 1)), np.full(count, 0.36),
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: list["Bars"]) -> "Bars":
        """All of them as one."""
        names = ("ends", "widths", "body", "shine", "lift", "edge")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def strokes(self, camera: Camera, light: Light) -> Sequence[Stroke]:
        """What of it shows, ready to paint."""
        pixels, depths = camera.project(self.ends)
        shown = (depths.min(axis=1) > NEAREST) & (pixels.max(axis=1) > -30).all(axis=1)
        shown &= (pixels.min(axis=1) < (camera.width + 30, camera.height + 30)).all(axis=1)
        pixels, depths = pixels[shown], depths[shown]
        wide = self.widths[shown, None] * camera.focal / depths  # [K, 2] pixels
        far = depths.mean(axis=1)
        widest = wide.max(axis=1)
        clear = np.exp(-far / light.visibility)[:, None]
        # A bar narrower than a pixel covers a part of it: it fades into the air instead of getting thinner.
        thin = np.minimum(1, widest)[:, None] ** 0.8
        edged = widest > 2.4
        body = np.where(edged[:, None], self.body[shown], self.shine[shown] * 0.6 + self.body[shown] * 0.4)
        body = (body * clear + light.haze * (1 - clear)) * thin + light.haze * 0.75 * (1 - thin)
        shine = self.shine[shown] * clear + light.haze * (1 - clear)
        outlines = _outlines(pixels, np.maximum(1.0, wide))
        lifted = pixels + (self.lift[shown] * widest[:, None])[:, None]
        edges = _outlines(lifted, wide * self.edge[shown, None])
        body_bytes, shine_bytes = (np.clip(colour * 255, 0, 255).astype(int).tolist() for colour in (body, shine))
        return [
            _Piece(float(far[index]), outlines[index], body_bytes[index], edges[index] if edged[index] else None,
                   shine_bytes[index], bool(widest[index] >= SOLID))
            for index in range(len(far))
        ]  # fmt: skip


@dataclass
class _Piece:
    """One bar as polygons: int32 [4, 2] in OpenCV's fixed point."""

    depth: float
    outline: NDArray[np.int32]
    body: list[int]
    edge: NDArray[np.int32] | None
    shine: list[int]
    solid: bool

    def paint(self, frame: NDArray[np.uint8], sight: Sight) -> None:
        cv2.fillConvexPoly(frame, self.outline, self.body, cv2.LINE_AA, _SHIFT)
        if self.edge is not None:
            cv2.fillConvexPoly(frame, self.edge, self.shine, cv2.LINE_AA, _SHIFT)
        if self.solid:
            sight.hide(self.outline, _SHIFT)


def _outlines(pixels: Points, wide: Points) -> NDArray[np.int32]:
    """Four corners of each bar [K, 2, 2], `wide` [K, 2] pixels at its ends: int32 [K, 4, 2] in OpenCV's fixed point."""
    along = pixels[:, 1] - pixels[:, 0]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / (np.hypot(along[:, 0], along[:, 1])[:, None] + 1e-9) / 2
    first, last = across * wide[:, :1], across * wide[:, 1:]
    corners = np.stack([pixels[:, 0] + first, pixels[:, 1] + last, pixels[:, 1] - last, pixels[:, 0] - first], axis=1)
    return np.round(np.clip(corners, -4000, 6000) * (1 << _SHIFT)).astype(np.int32)
