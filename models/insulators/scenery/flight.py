"""The drone's way: a closed, smooth curve beside the line, the gimbal following the towers."""

from dataclasses import dataclass

import numpy as np

from sightline_models.insulators.scenery.camera import Camera, Points
from sightline_models.insulators.scenery.line import Line


@dataclass(frozen=True)
class Flight:
    """A curve of two harmonics around `middle`, closed after `period` seconds."""

    middle: Points
    """[3] metres."""
    sway: Points
    """[3] metres to either side, once a period."""
    bob: Points
    """[3] metres to either side, twice a period."""
    yaw: float
    pan: float
    """Radians that the gimbal turns against the drone's way, to keep a tower in view."""
    pitch: float
    tilt: float
    """Radians that the gimbal nods."""
    phase: float
    focal: float
    period: float = 20.0

    @classmethod
    def at_random(cls, rng: np.random.Generator, line: Line) -> "Flight":
        """Beside the middle of the line, nearer or farther, looking across it."""
        away = rng.uniform(7, 15)
        arms = line.towers[1].arms
        return cls(
            middle=np.array([rng.normal(0, 4), -line.towers[1].reach - away, rng.uniform(arms[0] - 2, arms[-1] + 4)]),
            sway=np.array([rng.uniform(5, 14), rng.uniform(0, 2), rng.uniform(0, 2)]),
            bob=np.array([0.0, rng.uniform(0, 1.5), rng.uniform(0, 1.5)]),
            yaw=rng.normal(0, 0.3),
            pan=rng.uniform(-0.4, 0.4),
            pitch=rng.uniform(0.02, 0.5),
            tilt=rng.uniform(0, 0.08),
            phase=rng.uniform(0, 2 * np.pi),
            focal=float(np.exp(rng.uniform(np.log(850), np.log(1500)))),
        )

    @classmethod
    def for_demo(cls) -> "Flight":
        """From one tower to the other and back in 20 seconds."""
        return cls(
            middle=np.array([0.4, -11.3, 22.0]), sway=np.array([7.8, 0.0, 0.5]), bob=np.array([0.0, 0.9, 0.7]),
            yaw=0.0, pan=0.02, pitch=0.22, tilt=0.02, phase=np.pi, focal=1080.0,
        )  # fmt: skip

    def camera(self, time: float) -> Camera:
        """Where the camera is and looks `time` seconds into the flight."""
        turn = 2 * np.pi * time / self.period + self.phase
        position = self.middle + self.sway * np.array([np.cos(turn), np.sin(turn), np.sin(turn)])
        position = position + self.bob * np.array([0, np.cos(2 * turn), np.sin(2 * turn)])
        return Camera(
            position=position,
            yaw=float(self.yaw - self.pan * np.cos(turn)),
            pitch=float(self.pitch + self.tilt * np.sin(turn)),
            focal=self.focal,
        )
