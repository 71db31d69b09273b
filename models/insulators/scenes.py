"""Rendered power-line scenes with known boxes: the demo camera's footage, and part of the training pictures.

A scene is a number: `Scene(seed)` is the same world, the same light and the same flight on every machine. numpy and
OpenCV only.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sightline_models.insulators.scenery.camera import Camera, Points
from sightline_models.insulators.scenery.draw import Bars
from sightline_models.insulators.scenery.flight import Flight
from sightline_models.insulators.scenery.ground import Ground
from sightline_models.insulators.scenery.light import Light
from sightline_models.insulators.scenery.line import Line
from sightline_models.insulators.scenery.sight import Sight
from sightline_models.insulators.scenery.sky import Sky
from sightline_models.insulators.scenery.strings import Box
from sightline_models.insulators.scenery.towers import shadows, steelwork
from sightline_models.insulators.scenery.trees import Trees

WIDTH: Final = 1280
HEIGHT: Final = 720
LEAST_VISIBLE: Final = 0.3
"""A string cut by the frame to less than this part of its box is not labelled; a gap must show whole."""
LEAST_SIDES: Final = {"insulator": 16.0, "defect": 24.0}
"""Pixels of the shorter side, below which a box is not labelled."""
LEAST_SEEN: Final = {"insulator": 0.3, "defect": 0.5}
"""What steel and other strings hide more of is not labelled."""
MOSTLY_SEEN: Final = 0.85
"""Of a string hidden more than that, only the part that shows is labelled."""
FARTHEST_LABEL: Final = 30.0
"""Metres beyond which a string is scenery."""

Label = tuple[str, float, float, float, float]
"""Class name, x_min, y_min, x_max, y_max in pixels."""


@dataclass(frozen=True)
class Frame:
    """One picture of a scene and what is in it."""

    image: NDArray[np.uint8]
    """uint8 [720, 1280, 3] RGB."""
    boxes: list[Label]
    doubtful: list[Label]
    """What is there but too small, too cut or too hidden to be asked for: neither right nor wrong to find."""
    ids: list[str]
    """Which thing each of `boxes` is, the same in every picture: a string's number, a gap's string and number."""


class Scene:
    """A line over a landscape, and a drone's closed flight along it.

    Args:
        seed: the world, and whatever of the following is not given.
        light: the hour.
        line: towers and strings.
        flight: the drone's way.
    """

    def __init__(
        self, seed: int, *, light: Light | None = None, line: Line | None = None, flight: Flight | None = None
    ) -> None:
        rng = np.random.default_rng(seed)
        self.light = light or Light.at_random(rng)
        self.line = line or Line.at_random(rng)
        self.flight = flight or Flight.at_random(rng, self.line)
        steel = [steelwork(tower, self.light, rng) for tower in self.line.towers]
        feet = np.array([(tower.x, tower.y) for tower in self.line.towers])
        self._trees = Trees(self.light, rng, feet)
        dark: list[Points] = [shadow for bars in steel for shadow in shadows(bars, self.light)]
        self._ground = Ground(self.light, rng, dark + self._trees.shadows())
        wires = [self.line.wire(points, self.light) for points in self.line.wires]
        fittings = [string.fittings(self.light) for string in self.line.strings]
        self._bars = Bars.joined(steel + wires + fittings)
        self._sky = Sky(self.light, rng)

    def frame(self, time: float) -> Frame:
        """The picture `time` seconds into the flight, which closes after `flight.period` seconds."""
        return self.render(self.flight.camera(time))

    def inspection(self, rng: np.random.Generator) -> Camera:
        """A camera somewhere around a string picked at random, as an inspector would fly: the views to train on."""
        string = self.line.strings[int(rng.integers(len(self.line.strings)))]
        middle = (string.start + string.end) / 2
        focal = float(np.exp(rng.uniform(np.log(800), np.log(1500))))
        shown = np.exp(rng.uniform(np.log(170), np.log(950)))
        away = max(3.5, focal * float(np.linalg.norm(string.end - string.start)) / shown)
        heading = rng.uniform(-np.pi, np.pi) if rng.random() < 0.4 else rng.normal(0, 0.5)
        above = rng.uniform(-0.1, 0.75)
        ahead = np.array([np.sin(heading) * np.cos(above), np.cos(heading) * np.cos(above), -np.sin(above)])
        aside, aslant = rng.uniform(-0.36, 0.36) * WIDTH / focal, rng.uniform(-0.36, 0.36) * HEIGHT / focal
        position = middle - ahead * away
        position[2] = max(position[2], 3.0)
        return Camera(position, yaw=heading + aside, pitch=max(above + aslant, -0.15), focal=focal)

    def render(self, camera: Camera) -> Frame:
        """The picture from anywhere."""
        image = np.empty((camera.height, camera.width, 3), np.uint8)
        self._sky.paint(image, camera)
        self._ground.paint(image, camera)
        self._trees.draw(image, camera)
        sight = Sight(camera)
        strokes = list(self._bars.strokes(camera, self.light))
        for number, string in enumerate(self.line.strings):
            strokes += string.strokes(camera, self.light, number)
        for stroke in sorted(strokes, key=lambda stroke: -stroke.depth):  # the far ones first
            stroke.paint(image, sight)
        sure, doubtful = self._boxes(camera, sight)
        return Frame(image, list(sure.values()), doubtful, list(sure))

    def _boxes(self, camera: Camera, sight: Sight) -> tuple[dict[str, Label], list[Label]]:
        """What a labeller would mark, by id, and what one might or might not: near strings and their gaps."""
        sure: dict[str, Label] = {}
        doubtful: list[Label] = []
        for number, string in enumerate(self.line.strings):
            box, share = string.box(camera), sight.share(number)
            if box is None or share == 0:
                continue
            shown = box if share >= MOSTLY_SEEN else _common(box, sight.extent(number))
            label = _cut(shown, camera, "insulator")
            if label is None:
                continue
            asked = string.depth(camera) < FARTHEST_LABEL and share >= LEAST_SEEN["insulator"]
            asked = asked and _area(label) >= LEAST_VISIBLE * _whole(shown) and _wide_enough(label)
            if asked:
                sure[f"{number}"] = label
            else:
                doubtful.append(label)
            for place, gap in enumerate(string.gaps(camera)):
                mark = _cut(gap, camera, "defect")
                if gap is None or mark is None:
                    continue
                seen = sight.share_inside(number, mark[1:])
                clear = asked and seen >= LEAST_SEEN["defect"] and _area(mark) >= 0.95 * _whole(gap)
                if clear and _wide_enough(mark):
                    sure[f"{number}.{place}"] = mark
                else:
                    doubtful.append(mark)
        return sure, doubtful


def _area(label: Label) -> float:
    return (label[3] - label[1]) * (label[4] - label[2])


def _whole(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _wide_enough(label: Label) -> bool:
    return min(label[3] - label[1], label[4] - label[2]) >= LEAST_SIDES[label[0]]


def _common(one: Box, two: Box) -> Box:
    return max(one[0], two[0]), max(one[1], two[1]), min(one[2], two[2]), min(one[3], two[3])


def _cut(box: Box | None, camera: Camera, label: str) -> Label | None:
    """`box` cut to the picture; None where nothing is left of it."""
    if box is None:
        return None
    x_min, x_max = (round(min(max(x, 0.0), float(camera.width)), 1) for x in (box[0], box[2]))
    y_min, y_max = (round(min(max(y, 0.0), float(camera.height)), 1) for y in (box[1], box[3]))
    return (label, x_min, y_min, x_max, y_max) if x_max > x_min and y_max > y_min else None
