"""streamer.stream.counts: what became of one stream's frames."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from streamer.stream.counts import MAX_LABELS, OTHER, Counts


@pytest.fixture
def restless() -> Iterator[None]:
    """Have threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_counts_are_exact_whoever_counts() -> None:
    """Several threads count at once, and nothing is counted twice or lost."""
    counts, threads, frames = Counts(), 4, 5000

    def count(_: int) -> None:
        for index in range(frames):
            counts.take(sampled=index % 5 == 0)
            counts.drop("sampler", "loop_busy")
            counts.answer(["defect"])
            assert sum(counts.drops().values()) <= threads * frames

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(count, range(threads)))
    whole = threads * frames
    assert (counts.decoded, counts.sampled, counts.skipped) == (whole, whole // 5, whole - whole // 5)
    assert counts.drops() == {("sampler", "loop_busy"): whole}
    assert (counts.results, counts.detections) == (whole, {"defect": whole})


def test_labels_are_bounded() -> None:
    """A model that calls every box something else costs no memory without end: the rest counts as one label."""
    counts = Counts()
    for number in range(3 * MAX_LABELS):
        counts.answer(["insulator", f"class {number}"])
    assert counts.detections["insulator"] == 3 * MAX_LABELS
    assert len(counts.detections) == MAX_LABELS + 1
    assert counts.detections[OTHER] == 2 * MAX_LABELS + 1
    assert sum(counts.detections.values()) == 6 * MAX_LABELS


def test_classes_without_a_name_are_counted_together() -> None:
    """However many classes a model answers that it has no name for, they are one label."""
    counts = Counts()
    for class_id in range(5000):
        counts.answer(["defect", f"class {class_id}"], {f"class {class_id}"})
    assert counts.detections == {"defect": 5000, OTHER: 5000}
