"""The hour of the day: where the sun stands, what colours it gives, how thick the air is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float64]
"""[3] RGB in 0..1."""


@dataclass(frozen=True)
class Light:
    """One hour's light over a scene."""

    sun: NDArray[np.float64]
    """[3] unit vector towards the sun."""
    sunlight: Colour
    skylight: Colour
    zenith: Colour
    haze: Colour
    """What everything fades to, and the sky's colour at the horizon."""
    visibility: float
    """Metres after which a thing has faded to 1/e."""

    @classmethod
    def at_random(cls, rng: np.random.Generator) -> "Light":
        """Morning, noon, evening or overcast."""
        azimuth, elevation = rng.uniform(0, 2 * np.pi), rng.uniform(np.radians(18), np.radians(65))
        warm = float(np.clip(1.2 - elevation, 0, 1))
        overcast = rng.random() < 0.3
        strength = rng.uniform(0.25, 0.45) if overcast else rng.uniform(0.7, 0.95)
        grey = rng.uniform(0.72, 0.9)
        return cls(
            sun=towards(azimuth, elevation),
            sunlight=strength * np.array([1.0, 0.96 - 0.14 * warm, 0.9 - 0.3 * warm]),
            skylight=(0.72 if overcast else 0.46) * np.array([0.92, 0.97, 1.06]),
            zenith=grey * (np.array([0.86, 0.9, 0.95]) if overcast else np.array([0.36, 0.58, 0.9])),
            haze=np.array([0.86, 0.88, 0.9]) * rng.uniform(0.82, 1.0) + warm * np.array([0.08, 0.0, -0.06]),
            visibility=float(np.exp(rng.uniform(np.log(120), np.log(1200)))),
        )

    def on(self, normals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Light on surfaces with unit `normals` [..., 3]: RGB [..., 3], 1 being a white sheet in full sun."""
        facing = np.clip(normals @ self.sun, 0, 1)
        dome = 0.62 + 0.38 * normals[..., 2]
        return np.asarray(facing[..., None] * self.sunlight + dome[..., None] * self.skylight)


def towards(azimuth: float, elevation: float) -> NDArray[np.float64]:
    """[3] unit vector; azimuth from x to y, elevation above the horizon, radians."""
    return np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])


def rgb(colour: Colour) -> tuple[int, int, int]:
    """A colour for OpenCV's drawing on an RGB picture."""
    red, green, blue = (int(value) for value in np.clip(np.asarray(colour) * 255, 0, 255))
    return red, green, blue
