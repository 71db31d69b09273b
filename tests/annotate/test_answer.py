"""streamer.annotate.answer: boxes in whole pixels, and documents."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.annotate.answer import Answer, Found, pixels_of, stem_of

sizes = st.integers(2, 9000)
shares = st.floats(0, 1)


@given(width=sizes, height=sizes, edges=st.tuples(shares, shares, shares, shares))
def test_whole_pixels_are_a_box_in_the_picture(
    width: int, height: int, edges: tuple[float, float, float, float]
) -> None:
    """Any box becomes one that is not empty and lies in the picture, at most a pixel and a half from where it was."""
    left, right = sorted((edges[0] * width, edges[2] * width))
    top, bottom = sorted((edges[1] * height, edges[3] * height))
    x_min, y_min, x_max, y_max = pixels_of((left, top, right, bottom), width, height)
    assert 1 <= x_min < x_max <= width
    assert 1 <= y_min < y_max <= height
    near = zip((x_min, y_min, x_max, y_max), (left + 1, top + 1, right, bottom), strict=True)
    assert all(abs(whole - edge) <= 2.5 for whole, edge in near)


def test_the_whole_picture_is_from_1_to_its_size() -> None:
    """As the devkit and the training repository have it, the first pixel is 1."""
    assert pixels_of((0, 0, 768, 576), 768, 576) == (1, 1, 768, 576)


def test_a_document_is_read_back() -> None:
    """What is written about a picture is read as the same answer."""
    answer = Answer("a/b.jpg", 640, 480, (Found("defect", 2, 0.75, (1.5, 2.0, 30.25, 40.0)),), 1.25)
    assert Answer.of_document(answer.document()) == answer


def test_labels_are_called_as_their_picture() -> None:
    """Labels stand at the picture's path with another suffix; a dot in a folder's name is none of it."""
    assert stem_of("a.b/c.d.jpg") == "a.b/c.d"
    assert stem_of("a.b/c") == "a.b/c"
