"""A pinhole camera on a gimbal: it pans and tilts and never rolls, so every row of ground lies at one depth."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""[..., 3] metres in the world, or [..., 2] pixels in the picture."""


@dataclass(frozen=True)
class Camera:
    """Where the drone is and where it looks."""

    position: Points
    """[3] metres."""
    yaw: float
    """Radians; 0 looks along y, positive turns towards x."""
    pitch: float
    """Radians below the horizon."""
    focal: float = 1100.0
    """Pixels."""
    width: int = 1280
    height: int = 720

    @cached_property
    def axes(self) -> Points:
        """[3, 3]: the camera's right, down and forward, as rows in world coordinates."""
        sin_yaw, cos_yaw = np.sin(self.yaw), np.cos(self.yaw)
        sin_pitch, cos_pitch = np.sin(self.pitch), np.cos(self.pitch)
        return np.array(
            [
                [cos_yaw, -sin_yaw, 0.0],
                [-sin_yaw * sin_pitch, -cos_yaw * sin_pitch, -cos_pitch],
                [sin_yaw * cos_pitch, cos_yaw * cos_pitch, -sin_pitch],
            ]
        )

    @property
    def horizon(self) -> float:
        """The row of the horizon, in pixels; may lie outside the picture."""
        return float(self.height / 2 - self.focal * np.tan(self.pitch))

    def project(self, points: Points) -> tuple[Points, NDArray[np.float64]]:
        """World points [..., 3] to pixels [..., 2] and depths [...] in metres, negative behind the camera."""
        seen = (points - self.position) @ self.axes.T
        depth = seen[..., 2]
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        pixels = seen[..., :2] / safe[..., None] * self.focal + (self.width / 2, self.height / 2)
        return pixels, depth

    def ground_homography(self, top: float = 0.0) -> NDArray[np.float64]:
        """[3, 3]: homogeneous pixels, rows counted from `top`, to homogeneous metres (x, y) on the plane z = 0."""
        right, down, forward = self.axes
        to_ray = np.array(
            [
                [1 / self.focal, 0, -self.width / 2 / self.focal],
                [0, 1 / self.focal, (top - self.height / 2) / self.focal],
                [0, 0, 1],
            ]
        )
        ray = np.stack([right, down, forward], axis=1) @ to_ray  # rows: the ray's x, y and z
        x, y, z = self.position
        return np.stack([x * ray[2] - z * ray[0], y * ray[2] - z * ray[1], ray[2]])

    def row_depth(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Horizontal distance in metres to the ground seen at each row; infinite at the horizon and above."""
        below = self.pitch + np.arctan((rows - self.height / 2) / self.focal)
        return np.asarray(np.where(below > 1e-4, self.position[2] / np.tan(np.maximum(below, 1e-4)), np.inf))
