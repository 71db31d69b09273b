"""False alarms on healthy footage."""

import numpy as np

from serving.accuracy import Found
from sightline_models.insulators.alarms import SAMPLE_FPS, SAMPLES, count_alarms, pan
from sightline_models.insulators.picture import Picture


def _found(*boxes: tuple[float, float, float, float], score: float = 0.9, label: int = 1) -> Found:
    count = len(boxes)
    return Found(np.array(boxes, np.float32).reshape(-1, 4), np.full(count, score, np.float32), np.full(count, label))


def test_one_defect_seen_in_many_samples_is_one_alarm() -> None:
    """A box that stays is one alarm; one that comes back after a sample without it is another."""
    box, moved, far = (10, 10, 50, 50), (14, 12, 54, 52), (300, 300, 340, 340)
    alarms = count_alarms([_found(box), _found(moved), _found(), _found(box), _found(box, far)], 0.5)
    assert (alarms.alarms, alarms.boxes) == (3, 5)


def test_insulators_and_unlikely_defects_are_no_alarms() -> None:
    """Only defects of at least the shown score count."""
    assert count_alarms([_found((1, 1, 9, 9), label=0), _found((1, 1, 9, 9), score=0.2)], 0.5).boxes == 0


def test_the_minutes_are_those_of_the_samples() -> None:
    """Sixty seconds of samples are one minute."""
    assert count_alarms([_found()] * round(60 * SAMPLE_FPS), 0.5).minutes == 1.0


def test_only_photos_without_a_defect_are_flown_over() -> None:
    """A photo with a break gives no frame; the others give their seconds, in the camera's size, and each moves."""
    image = np.random.default_rng(0).integers(0, 255, (576, 768, 3), dtype=np.uint8)
    box = np.array([[10, 10, 90, 40]], np.float32)
    photos = [Picture("broken", image, box, np.array([1])), Picture("whole", image, box, np.array([0]))]
    frames = list(pan(photos, passes=1))
    assert len(frames) == SAMPLES
    assert frames[0].shape == (720, 1280, 3)
    assert not np.array_equal(frames[0], frames[-1])


def test_another_photo_is_another_alarm() -> None:
    """A defect at the same place of the next photo is a new one."""
    found = [_found()] * (SAMPLES - 1) + [_found((10, 10, 50, 50)), _found((10, 10, 50, 50))]
    assert count_alarms(found, 0.5).alarms == 2


def test_a_wide_photo_is_flown_over_too() -> None:
    """A photo wider than the camera's picture gives frames of the camera's size."""
    image = np.full((300, 900, 3), 90, np.uint8)
    photo = Picture("wide", image, np.array([[10, 10, 90, 40]], np.float32), np.array([0]))
    assert all(frame.shape == (720, 1280, 3) for frame in pan([photo], passes=1))
