"""streamer.tracking.voting: what a followed thing is called."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.tracking.voting import MOST_LABELS, Votes


def test_most_votes_win_each_with_its_score() -> None:
    """The label with the most score in all is the thing's: one doubtful word changes nothing, several sure ones do."""
    votes = Votes("car", 3, 0.9)
    votes.add("truck", 8, 0.6)
    assert (votes.label, votes.class_id) == ("car", 3)
    votes.add("truck", 8, 0.7)
    assert (votes.label, votes.class_id) == ("truck", 8)


def test_of_equal_ones_the_first_stays() -> None:
    """A label that only draws level does not take over."""
    votes = Votes("car", 3, 0.5)
    votes.add("truck", 8, 0.5)
    assert votes.label == "car"


def test_the_number_is_the_newest() -> None:
    """After a rollout a label may have another number, and that is the thing's from then on."""
    votes = Votes("car", 3, 0.5)
    votes.add("car", 9, 0.1)
    assert votes.class_id == 9


def test_another_models_first_word_counts() -> None:
    """When another model answers, what the old one called the thing is forgotten, once the new one has called it."""
    votes = Votes("car", 3, 0.9)
    votes.add("car", 3, 0.9)
    votes.forget()
    assert votes.label == "car"
    votes.add("pin", 1, 0.1)
    assert votes.label == "pin"
    votes.forget()
    votes.add("pin", 2, 0.1)
    assert (votes.label, votes.class_id) == ("pin", 2)


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 1)), max_size=60))
def test_memory_is_bounded(said: list[tuple[int, float]]) -> None:
    """However many labels one thing is given, a few are remembered, and its own is among them."""
    votes = Votes("class 0", 0, 0.0)
    for number, score in said:
        votes.add(f"class {number}", number, score)
        assert len(votes._class_ids) <= MOST_LABELS
        assert votes.class_id == int(votes.label.split()[1])
