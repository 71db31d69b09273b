"""Missing caps made and mended: a healthy string loses one, a broken one gets its neighbour's.

The photographed breaks are eight, each pasted dozens of times. Hundreds of healthy strings of the same photos become
breaks nobody pasted when a cap is painted over with what is beside the string and the rod drawn that held it. Mended,
the pasted strings keep everything but the break, so that a break is the only thing that tells them apart.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.axis import Axis

FLANK: Final = 1.7
"""Thicknesses to each side of the axis that a strip shows: the background to paint with."""
SOFT_STUMP: Final = 0.2
"""Of a string's thickness, over which a stump fades into what is behind."""
CAP: Final = 0.6
"""Of a pitch, what a cap fills of it: one missing cap leaves 2 pitches less that."""
LABEL: Final = 1.4
"""Pitches that a label is longer than its gap, as in the photos' labels: half a cap at each end."""
LEAST_CHANGE: Final = 16.0
"""Of 255, by which a missing cap must differ from the cap."""
PATCH: Final = 1.9
"""Pitches to each side of a gap's middle that a patch covers."""
SMALLEST: Final = 8.0
"""Pixels of pitch below which a gap would not be seen."""


def cut_gap(
    image: NDArray[np.uint8], axis: Axis, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
    """Take one cap, sometimes two, out of a healthy string.

    Args:
        image: uint8 [H, W, 3] RGB; left as it is.
        axis: the string's, with a pitch of at least SMALLEST.
        rng: which cap, and how it went.

    Returns:
        The picture with the gap, and the corners float32 [4, 2] of what a labeller would mark; None where the
        string is too short, or taking the cap away changes too little: it looks like its background.
    """
    strip = axis.strip(image, FLANK).astype(np.float32)
    thick = axis.thickness / 2 if axis.double else axis.thickness
    side = float(rng.choice((-1.0, 1.0)))
    middle = side * thick / 2 if axis.double else 0.0
    gap = axis.pitch * (int(rng.random() < 0.12) + 2 - CAP + rng.uniform(-0.2, 0.25))
    reach = axis.length / 2 - gap
    if reach < 0:
        return None
    at = float(rng.uniform(-reach, reach))
    rows, columns = np.mgrid[: strip.shape[0], : strip.shape[1]].astype(np.float32)
    down = (rows - strip.shape[0] / 2 - middle) / thick  # -0.5 to 0.5 across the string
    right = columns - strip.shape[1] / 2 - at
    # A cap is round: seen from aside its rim bulges one way, or leans.
    right = right + axis.pitch * (rng.uniform(-0.9, 0.9) * down**2 + rng.uniform(-0.3, 0.3) * down)
    soft = rng.uniform(0.7, 1.6)
    mask = np.clip((gap / 2 - np.abs(right)) / soft + 0.5, 0, 1) * np.clip((0.58 - np.abs(down)) * thick / soft, 0, 1)
    filled = _beside(strip, side if axis.double else float(rng.choice((-1.0, 1.0))), thick, rng)
    if (np.abs(filled - strip).mean(axis=2) * mask).sum() < LEAST_CHANGE * mask.sum():
        return None
    filled = _rod(filled, strip, down, right / gap, rng)
    broken = _put(image, axis, filled, mask)
    half = (gap + LABEL * axis.pitch * rng.uniform(0.85, 1.15)) / 2
    return broken, axis.corners(at - half, at + half, middle - 0.55 * thick, middle + 0.55 * thick)


def _beside(strip: NDArray[np.float32], side: float, thick: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """The strip moved over, so that background lies where the string was."""
    shift = side * thick * rng.uniform(1.12, 1.3)
    move = np.array([[1, 0, rng.uniform(-2, 2)], [0, 1, -shift]])
    return cv2.warpAffine(strip, move, strip.shape[1::-1], borderMode=cv2.BORDER_REFLECT).astype(np.float32)


def _rod(
    filled: NDArray[np.float32],
    strip: NDArray[np.float32],
    down: NDArray[np.float32],
    along: NDArray[np.float32],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """What stays when a cap breaks: pin and fitting, bright or dark, and sometimes a stump of the cap itself."""
    string = strip[np.abs(down) < 0.4]
    if rng.random() < 0.35:  # the stump: the string itself, squeezed towards its axis
        squeeze = rng.uniform(2.0, 3.2)
        rows = np.argmin(np.abs(down[:, :1]), axis=0)[0]
        squeezed = cv2.warpAffine(
            strip, np.array([[1, 0, 0], [0, 1 / squeeze, rows * (1 - 1 / squeeze)]]), strip.shape[1::-1],
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT,
        )  # fmt: skip
        stump = np.clip((0.5 / squeeze - np.abs(down)) / SOFT_STUMP, 0, 1)[..., None]
        filled = (filled * (1 - stump) + squeezed * stump).astype(np.float32)
    dark, light = np.percentile(string, (rng.uniform(3, 20), rng.uniform(75, 95)), axis=0)
    colour = dark if rng.random() < 0.5 else light if rng.random() < 0.5 else np.full(3, rng.uniform(110, 215))
    width = rng.uniform(0.06, 0.13) * np.ones_like(along)
    bulge = rng.uniform(-0.4, 0.4)
    width = np.where(np.abs(along - bulge) < rng.uniform(0.08, 0.25), width * rng.uniform(1.2, 2.2), width)
    shade = 1 + rng.uniform(-0.35, 0.35) * down / np.maximum(width, 1e-3)
    rod = np.clip((width - np.abs(down)) / 0.04, 0, 1)[..., None]
    return np.asarray(filled * (1 - rod) + np.clip(colour * shade[..., None], 0, 255) * rod, np.float32)


def mend_gap(
    image: NDArray[np.uint8], axis: Axis, box: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8] | None:
    """Cover the gap in `box` with a healthy piece of the same string, a few pitches farther on.

    Returns:
        The picture with the string whole; None where the string is too short to have such a piece.
    """
    strip = axis.strip(image, FLANK).astype(np.float32)
    offset = (box[:2] + box[2:]) / 2 - np.array(axis.center, np.float32)
    cos, sin = np.cos(axis.angle), np.sin(axis.angle)
    x, y = np.array(strip.shape[1::-1]) / 2 + (offset @ (cos, sin), offset @ (-sin, cos))
    thick = axis.thickness / 2 if axis.double else axis.thickness
    half = PATCH * axis.pitch
    band = strip[max(0, int(y - 0.55 * thick)) : int(y + 0.55 * thick)]
    towards = -1.0 if x > strip.shape[1] / 2 else 1.0
    far = towards * axis.pitch * float(rng.integers(4, 7))
    moves = np.arange(round(far - axis.pitch / 2), round(far + axis.pitch / 2))
    misfits = [_misfit(band, int(x - half), int(x + half), int(move), round(axis.pitch)) for move in moves]
    if not np.isfinite(misfits).any():
        return None
    move = int(moves[np.argmin(misfits)])
    shift = np.array([[1.0, 0, -move], [0, 1, 0]])
    moved = cv2.warpAffine(strip, shift, strip.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
    rows, columns = np.mgrid[: strip.shape[0], : strip.shape[1]].astype(np.float32)
    inside = np.clip((half - np.abs(columns - x)) / 3 + 0.5, 0, 1)
    inside *= np.clip((thick * 0.62 - np.abs(rows - y)) / 2 + 0.5, 0, 1)
    return _put(image, axis, moved.astype(np.float32), inside)


def _misfit(band: NDArray[np.float32], left: int, right: int, move: int, width: int) -> float:
    """How little the ends of a patch, taken `move` columns away, agree with what lies beside the gap between `left` and
    `right`: the mean difference over `width` columns at each end. Infinite where the patch is not all on the string.
    """
    low, high = left - width, right + width
    if min(left, left + move) < 0 or max(right, right + move) > band.shape[1]:
        return np.inf
    wrong = [
        float(np.abs(band[:, start : start + width] - band[:, start + move : start + move + width]).mean())
        for start in (low, high - width)
        if min(start, start + move) >= 0 and max(start, start + move) + width <= band.shape[1]
    ]
    return float(np.mean(wrong)) if wrong else np.inf


def _put(
    image: NDArray[np.uint8], axis: Axis, strip: NDArray[np.float32], mask: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Lay a strip back where `Axis.strip` took it from, where the mask says."""
    corners = axis.corners(-axis.length / 2, axis.length / 2, -FLANK * axis.thickness, FLANK * axis.thickness)
    low = np.clip(np.floor(corners.min(axis=0)), 0, None).astype(int)
    high = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, image.shape[1::-1])
    matrix = axis.matrix(FLANK, 0.5)
    matrix[:, 2] -= low
    size = tuple(int(side) for side in high - low)
    layer = cv2.warpAffine(np.dstack([strip, mask.astype(np.float32)]), matrix, size, flags=cv2.INTER_LINEAR)
    changed = image.copy()
    window = changed[low[1] : high[1], low[0] : high[0]]
    share = layer[..., 3:]
    window[:] = np.clip(window * (1 - share) + layer[..., :3] * share + 0.5, 0, 255).astype(np.uint8)
    return changed
