"""streamer.values.detections: one frame's answer, and what is said of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from streamer.values.followed import Followed
from tests.peers.frames import make_detections


def test_age_is_from_arrival_to_answer() -> None:
    """An answer's age counts from its frame's arrival."""
    assert make_detections(7.0, received_at=500.0, age=0.125).age == pytest.approx(0.125)


def test_event_carries_what_the_api_promises() -> None:
    """An event has every documented field, in pixels, seconds and milliseconds."""
    boxes = [(1.25, 2.5, 30.0, 40.126), (0.0, 0.0, 64.0, 48.0)]
    followed = Followed(7, "class 3", 3, 0.2, 1.2345678, (0.5, 0.0, 0.875), 41.32)
    answer = replace(
        make_detections(1.2345678, boxes, class_ids=[2, 1], scores=[0.875, 0.5], age=0.0421),
        followed=(followed, None),
        frame_time=41_120_000,
        opening=3,
    )
    assert answer.event() == {
        "stream": "line-1",
        "pts": 1.234568,
        "frame_time": 41_120_000,
        "opening": 3,
        "age_ms": 42.1,
        "model": "insulators",
        "version": 1,
        "width": 64,
        "height": 48,
        "detections": [
            {
                "label": "class 2",
                "class_id": 2,
                "score": 0.875,
                "box": [1.25, 2.5, 30.0, 40.13],
                "tracker_id": 7,
                "track": {
                    "label": "class 3",
                    "first_seen": 0.2,
                    "last_seen": 1.234568,
                    "scores": [0.5, 0.0, 0.875],
                    "speed": 41.3,
                },
            },
            {
                "label": "class 1",
                "class_id": 1,
                "score": 0.5,
                "box": [0.0, 0.0, 64.0, 48.0],
                "tracker_id": None,
                "track": None,
            },
        ],
    }


def test_event_is_json_whatever_was_found() -> None:
    """Events of a hundred random detections and of none are JSON, and lose no more than their rounding."""
    dice = np.random.default_rng(1)
    boxes = dice.uniform(0, 4000, (100, 4)).astype(np.float32)
    scores = dice.uniform(0, 1, 100).astype(np.float32)
    answer = make_detections(3.0, boxes.tolist(), scores=scores.tolist())
    found = json.loads(json.dumps(answer.event()))["detections"]
    np.testing.assert_allclose([row["box"] for row in found], boxes, atol=0.0051)
    np.testing.assert_allclose([row["score"] for row in found], scores, atol=0.000006)
    assert json.loads(json.dumps(make_detections(3.0).event()))["detections"] == []


def test_length_is_the_number_of_detections() -> None:
    """An answer is as long as the things found, and empty when nothing was."""
    assert len(make_detections(0.0, [(0, 0, 1, 1)] * 3)) == 3
    assert len(make_detections(0.0)) == 0
