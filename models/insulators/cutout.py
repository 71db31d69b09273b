"""Strings cut out of one photo and pasted into another, healthy or broken.

The photographed breaks are all pasted, so a network that sees no other pastes learns to find pastes. Edges are as rough
as those of the photos' own pastes: a pixel too much, a pixel too little, hard or soft.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.axis import Axis

REACH: Final = 0.9
"""Thicknesses to each side of the axis that a cutout holds."""
LEAST_FILLED: Final = 0.35
"""Of the strip, what must have been told apart from the background for a cutout to be believed."""
CLEAR: Final = 0.08
"""Of a string, what a paste may cover of it."""
TRIES: Final = 6


@dataclass(frozen=True)
class Cutout:
    """One string, lying along the x axis."""

    image: NDArray[np.uint8]
    """uint8 [h, w, 3] RGB."""
    alpha: NDArray[np.uint8]
    """uint8 [h, w]: 255 where the string is."""
    gaps: NDArray[np.float32]
    """float32 [G, 4, 2]: corners of its gaps, in its own pixels."""

    @classmethod
    def of(cls, image: NDArray[np.uint8], axis: Axis, gaps: NDArray[np.float32]) -> Self | None:
        """Cut the string along `axis` out of an RGB picture, with its gaps float32 [G, 4, 2]; None where it blends in.

        Rother et al. 2004, GrabCut, as OpenCV has it.
        """
        strip = np.asarray(axis.strip(image, REACH, 0.52), np.uint8)
        mask = np.full(strip.shape[:2], cv2.GC_BGD, np.uint8)
        middle, half = strip.shape[0] / 2, axis.thickness / 2
        mask[round(middle - 1.15 * half) : round(middle + 1.15 * half)] = cv2.GC_PR_BGD
        mask[round(middle - 0.9 * half) : round(middle + 0.9 * half)] = cv2.GC_PR_FGD
        try:
            cv2.grabCut(strip, mask, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
        except cv2.error:  # everything of one kind: nothing to tell apart
            return None
        alpha = np.where((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
        inside = alpha[round(middle - half) : round(middle + half)]
        if inside.mean() < 255 * LEAST_FILLED or inside.mean() > 255 * 0.97:
            return None
        back = cv2.invertAffineTransform(axis.matrix(REACH, 0.52))
        return cls(strip, alpha, moved(gaps, np.asarray(back, np.float64)))

    def paste(
        self, image: NDArray[np.uint8], boxes: NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]] | None:
        """Paste it somewhere where it covers none of `boxes` [B, 4].

        Returns:
            The new picture, the corners [4, 2] of the string and those of its gaps [G, 4, 2]; None where no place
            was found.
        """
        height, width = image.shape[:2]
        for _ in range(TRIES):
            matrix = self._somewhere((width, height), rng)
            layer = cv2.warpAffine(self._rough(rng), matrix, (width, height), flags=cv2.INTER_LINEAR)
            here = layer > 127
            if (
                here.any(axis=0).sum() < 24
                or here.sum() < 0.6 * abs(np.linalg.det(matrix[:, :2])) * (self.alpha > 127).sum()
            ):
                continue
            if any(_covered(here, box) > CLEAR for box in boxes):
                continue
            pixels = cv2.warpAffine(self.image, matrix, (width, height), flags=cv2.INTER_LINEAR)
            lit = _in_the_light_of(np.asarray(pixels, np.uint8), here, image, rng)
            share = layer[..., None].astype(np.float32) / 255
            pasted = np.clip(image * (1 - share) + lit * share + 0.5, 0, 255).astype(np.uint8)
            return pasted, moved(self._corners(), matrix), moved(self.gaps, matrix)
        return None

    def _somewhere(self, size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
        """Lying, leaning or hanging, anywhere in a picture of that size; [2, 3] from cutout to picture."""
        length = self.alpha.shape[1]
        scale = float(np.exp(rng.uniform(np.log(0.25), np.log(0.8)))) * size[0] / length
        scale = min(scale, 1.4)
        angle = rng.normal(0, 20) + (90 if rng.random() < 0.15 else 0)
        middle = (length / 2, self.alpha.shape[0] / 2)
        matrix = np.asarray(cv2.getRotationMatrix2D(middle, angle, scale), np.float64)
        matrix[:, 2] += rng.uniform((0.1, 0.1), (0.9, 0.9)) * size - middle
        if rng.random() < 0.5:
            mirror = np.array([[-1, 0, length], [0, 1, 0], [0, 0, 1.0]])
            matrix = matrix @ mirror
        return matrix

    def _corners(self) -> NDArray[np.float32]:
        """The corners [4, 2] of what alpha holds, lying along the axes: tight when turned."""
        rows, columns = np.nonzero(self.alpha > 127)
        left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)

    def _rough(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        alpha: Any = self.alpha
        grow = int(rng.integers(-1, 3))
        if grow:
            change = cv2.dilate if grow > 0 else cv2.erode
            alpha = change(alpha, np.ones((3, 3), np.uint8), iterations=abs(grow))
        blur = rng.uniform(0, 1.2)
        return np.asarray(cv2.GaussianBlur(alpha, (0, 0), blur) if blur > 0.3 else alpha, np.uint8)


def moved(corners: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Points [..., 2] under an affine [2, 3]."""
    return np.asarray(corners @ matrix[:, :2].T + matrix[:, 2], np.float32)


def _covered(here: NDArray[np.bool_], box: NDArray[np.float32]) -> float:
    left, top, right, bottom = np.round(box).astype(int)
    window = here[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    return float(window.mean()) if window.size else 0.0


def _in_the_light_of(
    pixels: NDArray[np.uint8], here: NDArray[np.bool_], image: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.float32]:
    """The string somewhat nearer to the picture's brightness, and of its own tint."""
    own, around = float(pixels[here].mean()), float(image.mean())
    gain = (max(around, 20) * 0.85 / max(own, 20)) ** rng.uniform(0, 0.7)
    return np.asarray(np.clip(pixels * (gain * rng.uniform(0.93, 1.07, 3)), 0, 255), np.float32)
