"""A string of insulator caps drawn at a known place, for the tests that look for one."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np


@dataclass(frozen=True)
class DrawnString:
    """One string of dark caps over a rough, bright ground; `degrees` from the x axis towards the y axis."""

    degrees: float
    pitch: float = 14.0
    caps: int = 24
    thickness: float = 34.0
    roughness: float = 12.0
    """Standard deviation of the ground's brightness, of 255."""
    seed: int = 0

    @property
    def length(self) -> float:
        return self.pitch * self.caps

    @property
    def center(self) -> tuple[float, float]:
        return 384.0, 288.0

    def image(self) -> np.ndarray:
        """uint8 [576, 768, 3] RGB."""
        rng = np.random.default_rng(self.seed)
        grass = cv2.GaussianBlur(rng.normal(0, 1, (576, 768)).astype(np.float32), (0, 0), 1.5)
        ground = 165 + self.roughness * grass[..., None] / grass.std() + rng.normal(0, 3, (576, 768, 3))
        image: Any = np.clip(ground, 0, 255).astype(np.uint8)
        along = np.array([np.cos(np.radians(self.degrees)), np.sin(np.radians(self.degrees))])
        ends = [np.array(self.center) + sign * along * self.length / 2 for sign in (-1, 1)]
        start, end = (tuple(map(int, point)) for point in ends)
        cv2.line(image, start, end, (95, 85, 80), 2)
        for cap in range(self.caps):
            middle = ends[0] + along * self.pitch * (cap + 0.5)
            axes = (self.pitch * 0.25, self.thickness / 2)
            cv2.ellipse(image, (tuple(map(float, middle)), (2 * axes[0], 2 * axes[1]), self.degrees), (110, 60, 50), -1)
        return np.asarray(image, np.uint8)

    def box(self) -> np.ndarray:
        """float32 [4]: x_min, y_min, x_max, y_max around it."""
        cos, sin = abs(np.cos(np.radians(self.degrees))), abs(np.sin(np.radians(self.degrees)))
        half = np.array([self.length * cos + self.thickness * sin, self.length * sin + self.thickness * cos]) / 2
        return np.concatenate([self.center - half, self.center + half]).astype(np.float32)
