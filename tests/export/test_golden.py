"""Golden pictures and answers come back from a directory as they were."""

from pathlib import Path

import numpy as np
import pytest

from sightline_export.golden import Golden, GoldenError, Rows, digest


def golden() -> Golden:
    """Two pictures of noise; three detections on the first, none on the second."""
    rng = np.random.default_rng(5)
    boxes, scores = rng.random((3, 4)).astype(np.float32), rng.random(3).astype(np.float32)
    some = Rows(boxes, scores, np.array([1, 2, 2], np.float32))
    none = Rows(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32))
    pictures = rng.integers(0, 255, (2, 9, 7, 3)).astype(np.uint8)
    return Golden(pictures, [some, none], digest(pictures), 1e-3)


def test_every_pixel_and_digit_comes_back(tmp_path: Path) -> None:
    """A model's answer to a picture that lost a bit is another answer: nothing is rounded, nothing compressed away."""
    golden().save(tmp_path / "golden")
    found = Golden.load(tmp_path / "golden")
    assert np.array_equal(found.pictures, golden().pictures)
    assert [rows.difference(other) for rows, other in zip(found.answers, golden().answers, strict=True)] == [0, 0]
    assert (found.digest, found.tolerance) == (golden().digest, 1e-3)


def test_pictures_that_are_not_kept_leave_their_digest(tmp_path: Path) -> None:
    """Without its pictures a directory still has answers, and can tell whether pictures are the ones."""
    golden().save(tmp_path / "golden", pictures=False)
    found = Golden.load(tmp_path / "golden")
    assert len(found.pictures) == 0
    assert len(found.answers) == 2
    assert found.digest == digest(golden().pictures)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("", "not of the form that an export writes"),
        ("[]", "not of the form that an export writes"),
        ('{"format": 2, "tolerance": 1, "answers": [], "pictures": {"kept": 0, "sha256": ""}}', "is of format 2"),
        (
            '{"format": 1, "tolerance": 1, "answers": [], "pictures": {"kept": 1, "sha256": ""}}',
            "cannot read .*picture-1",
        ),
    ],
)
def test_a_directory_of_another_form_is_refused(tmp_path: Path, document: str, said: str) -> None:
    """Answers that cannot be read, or are of a newer form, are named and never half used."""
    (tmp_path / "answers.json").write_text(document)
    with pytest.raises(GoldenError, match=said):
        Golden.load(tmp_path)
