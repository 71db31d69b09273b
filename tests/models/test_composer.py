"""What may have happened to a photo's strings."""

import numpy as np

from sightline_models.insulators.composer import Composer
from sightline_models.insulators.picture import Picture
from tests.peers.drawn_string import DrawnString


def _photo(seed: int, *, broken: bool = False) -> Picture:
    string = DrawnString(6.0 * seed, seed=seed)
    boxes, classes = [string.box()], [0]
    if broken:
        x, y = string.center
        boxes.append(np.array([x - 20, y - 17, x + 20, y + 17], np.float32))
        classes.append(1)
    return Picture(f"photo {seed}", string.image(), np.stack(boxes), np.array(classes))


def test_healthy_strings_are_broken_pasted_and_left_alone() -> None:
    """Over many compositions of healthy photos all three happen, and every box has an area."""
    composer = Composer([_photo(0), _photo(1), _photo(2)])
    rng = np.random.default_rng(0)
    made = [composer.compose(number % 3, rng) for number in range(40)]
    assert any(picture.classes.tolist() == [0] for picture in made)
    assert any(1 in picture.classes for picture in made)
    assert any(picture.classes.tolist().count(0) == 2 for picture in made)
    for picture in made:
        assert picture.boxes.shape == (len(picture.classes), 4)
        assert (picture.boxes[:, 2:] > picture.boxes[:, :2]).all()


def test_a_broken_string_is_mended_now_and_then() -> None:
    """A mended photo has lost its defect's label and nothing else; the others keep it."""
    composer = Composer([_photo(1, broken=True)])
    rng = np.random.default_rng(1)
    kept = [1 in composer.compose(0, rng).classes for _ in range(40)]
    assert 0.4 < np.mean(kept) < 1.0


def test_only_a_photo_whose_strings_are_all_known_may_be_turned() -> None:
    """A box without an outline would no longer fit when its picture is turned."""
    known = _photo(1)
    unknown = Picture(
        known.name, known.image, np.vstack([known.boxes, [[20, 20, 200, 60]]]).astype(np.float32), np.array([0, 0])
    )
    composer = Composer([known, unknown])
    rng = np.random.default_rng(0)
    assert composer.compose(0, rng).turnable
    assert not composer.compose(1, rng).turnable


def test_a_pasted_string_stays_boxed_when_its_picture_is_turned() -> None:
    """The outline of a paste is as tight as those of the strings that were there."""
    composer = Composer([_photo(0), _photo(3)])
    rng = np.random.default_rng(2)
    pastes = 0
    for _ in range(40):
        picture = composer.compose(0, rng)
        for outline, box in zip(picture.corners, picture.boxes, strict=True):
            sides = np.linalg.norm(np.diff(outline, axis=0, append=outline[:1]), axis=1)
            loose = (box[2:] - box[:2]).prod() / (sides[0] * sides[1])
            pastes += loose > 1.3  # a slanted outline is smaller than the box around it
    assert pastes > 5
