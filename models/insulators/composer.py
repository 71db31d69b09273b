"""What may have happened to a photo's strings before a drone comes by: caps lost, caps put back, strings added.

Healthy strings are pasted as well as broken ones, and broken ones mended, so that neither a paste's edge nor a mended
place says which is which.
"""

import sys
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.axis import Axis
from sightline_models.insulators.cutout import Cutout
from sightline_models.insulators.gap import SMALLEST, cut_gap, mend_gap
from sightline_models.insulators.picture import CLASSES, Picture, box_of, outline_of

CUT: Final = 0.3
"""Chance of a healthy string with an axis to lose a cap."""
MEND: Final = 0.3
"""Chance of a broken string to be mended."""
PASTE: Final = 0.45
"""Chance of a photo to get a string of another one."""
INSULATOR, DEFECT = CLASSES.index("insulator"), CLASSES.index("defect")


class Composer:
    """Photos whose strings are known well enough to be worked on.

    Args:
        photos: what to work on; their breaks must be labelled.
    """

    def __init__(self, photos: Sequence[Picture]) -> None:
        self._axes: list[dict[int, Axis]] = []
        for number, photo in enumerate(photos, start=1):
            self._axes.append(_axes(photo))
            if number % 50 == 0 or number == len(photos):
                before, after = ("\r", "") if sys.stdout.isatty() and number < len(photos) else ("", "\n")
                print(f"{before}finding strings: {number}/{len(photos)}", end=after, flush=True)
        self._photos = [_tight(photo, axes) for photo, axes in zip(photos, self._axes, strict=True)]
        self._donors = [(number, index) for number, axes in enumerate(self._axes) for index in axes]
        self._cutouts: dict[tuple[int, int], Cutout | None] = {}

    def __len__(self) -> int:
        return len(self._photos)

    def compose(self, number: int, rng: np.random.Generator) -> Picture:
        """Photo `number` as it might have been."""
        photo = self._photos[number]
        image, outlines, classes = photo.image, list(photo.corners), list(photo.classes)
        broken = [index for index, label in enumerate(classes) if label == DEFECT]
        if broken and rng.random() < MEND:
            image, gone = self._mended(number, image, broken, rng)
            outlines = [outline for index, outline in enumerate(outlines) if index not in gone]
            classes = [label for index, label in enumerate(classes) if index not in gone]
        elif not broken:
            for axis in self._axes[number].values():
                cut = cut_gap(image, axis, rng) if axis.pitch >= SMALLEST and rng.random() < CUT else None
                if cut is not None:
                    image = cut[0]
                    outlines.append(cut[1])
                    classes.append(DEFECT)
        if rng.random() < PASTE and self._donors:
            pasted = self._pasted(image, np.array(outlines, np.float32).reshape(-1, 4, 2), rng)
            if pasted is not None:
                image = pasted[0]
                outlines += [pasted[1], *pasted[2]]
                classes += [INSULATOR] + [DEFECT] * len(pasted[2])
        every = np.array(outlines, np.float32).reshape(-1, 4, 2)
        return Picture(
            photo.name, image, box_of(every), np.array(classes, np.int64), outlines=every, turnable=photo.turnable
        )

    def _mended(
        self, number: int, image: NDArray[np.uint8], broken: list[int], rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], set[int]]:
        """The picture with every break mended whose string is known, and which breaks those were."""
        gone = set()
        for index in broken:
            middle = self._photos[number].corners[index].mean(axis=0)
            for axis in self._axes[number].values():
                if axis.contains(middle):
                    mended = mend_gap(image, axis, self._photos[number].boxes[index], rng)
                    if mended is not None:
                        image = mended
                        gone.add(index)
                    break
        return image, gone

    def _pasted(
        self, image: NDArray[np.uint8], outlines: NDArray[np.float32], rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]] | None:
        """The picture with another photo's string in it, its outline and those of its gaps."""
        number, index = self._donors[int(rng.integers(len(self._donors)))]
        cutout = self._cutout(number, index, broken=bool(rng.random() < 0.5))
        if cutout is None:
            return None
        return cutout.paste(image, box_of(outlines), rng)

    def _cutout(self, number: int, index: int, *, broken: bool) -> Cutout | None:
        """A string of photo `number`, healthy or broken; each is cut out once as it is and once `broken`."""
        photo, axis = self._photos[number], self._axes[number][index]
        gaps = [
            outline for outline, label in zip(photo.corners, photo.classes, strict=True)
            if label == DEFECT and axis.contains(outline.mean(axis=0))
        ]  # fmt: skip
        breaks = not gaps and axis.pitch >= SMALLEST and broken
        key = (number, -1 - index if breaks else index)
        if key not in self._cutouts:
            image = photo.image
            # Its own dice: what a cutout looks like must not depend on when a run was interrupted.
            cut = cut_gap(image, axis, np.random.default_rng([number, index])) if breaks else None
            if cut is not None:
                image, gaps = cut[0], [cut[1]]
            self._cutouts[key] = Cutout.of(image, axis, np.array(gaps, np.float32).reshape(-1, 4, 2))
        return self._cutouts[key]


def _axes(photo: Picture) -> dict[int, Axis]:
    """The axes of a photo's strings that have a sure one, by index of the box."""
    found = {
        index: Axis.find(photo.image, photo.boxes[index])
        for index in np.flatnonzero(photo.classes == INSULATOR).tolist()
    }
    return {index: axis for index, axis in found.items() if axis is not None}


def _tight(photo: Picture, axes: dict[int, Axis]) -> Picture:
    """The photo with its strings' outlines where they are known; it may be turned where all are."""
    outlines = outline_of(photo.boxes)
    for index, axis in axes.items():
        outlines[index] = axis.outline
    strings = int((photo.classes == INSULATOR).sum())
    return Picture(
        photo.name, photo.image, photo.boxes, photo.classes, outlines=outlines, turnable=len(axes) == strings
    )
