"""Raw heads of every described form are decoded as an independent computation in numpy decodes them."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from serving.signature import DETECTION_BOXES, DETECTION_CLASSES, DETECTION_SCORES, NUM_DETECTIONS
from sightline_export.decoder import Decoder, prepare
from sightline_export.decoding import Anchors, Boxes, Decoding, Grid, Input, Nms, Scores
from sightline_export.errors import Unusable
from tests.export.peers import Found, assert_same, suppressed

SIZE = (40, 60)
"""Height and width."""
PIXELS = np.array([40, 60, 40, 60])
HEAD = {"boxes": "b", "scores": "s"}
NMS = Nms(iou=0.4, score=0.3, max_detections=200)

Array = NDArray[Any]


def decode(decoding: Decoding, outputs: dict[str, str], **found: Array) -> list[list[Found]]:
    """The detections of each picture; traced, as they are written."""
    decoder = Decoder(decoding, outputs, SIZE)
    traced = tf.function(lambda tensors: decoder(tensors))
    rows = {
        name: value.numpy()
        for name, value in traced({role: tf.constant(value) for role, value in found.items()}).items()
    }
    boxes, scores, classes = (rows[name] for name in (DETECTION_BOXES, DETECTION_SCORES, DETECTION_CLASSES))
    counts = rows[NUM_DETECTIONS].astype(int)
    order = np.argsort(-scores, kind="stable")
    return [
        [(int(classes[n, i]), float(scores[n, i]), boxes[n, i].tolist()) for i in order[n][: counts[n]]]
        for n in range(len(counts))
    ]


def boxes_of(rng: np.random.Generator, *shape: int) -> Array:
    """Boxes yxyx in 0..1, many of which overlap."""
    centres, sides = rng.uniform(0.2, 0.8, (*shape, 2)), rng.uniform(0.1, 0.5, (*shape, 2))
    return np.concatenate([centres - sides / 2, centres + sides / 2], axis=-1).astype(np.float32)


def centred(boxes: Array) -> Array:
    """yxyx as cx, cy, w, h."""
    y0, x0, y1, x1 = np.moveaxis(boxes, -1, 0)
    return np.stack([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0], axis=-1)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("form", ["yxyx", "xyxy", "cxcywh", "cycxhw"])
@pytest.mark.parametrize("scale", ["normalised", "pixels"])
def test_boxes_of_any_format_and_unit_are_understood(rng: np.random.Generator, form: Any, scale: Any) -> None:
    """Four orders, in 0..1 or in pixels of the input, become the same detections, for every picture of a batch."""
    boxes, scores = boxes_of(rng, 3, 25), rng.uniform(0, 1, (3, 25, 2)).astype(np.float32)
    order = {"yxyx": [0, 1, 2, 3], "xyxy": [1, 0, 3, 2], "cxcywh": [0, 1, 2, 3], "cycxhw": [1, 0, 3, 2]}[form]
    given = boxes * PIXELS if scale == "pixels" else boxes
    given = (centred(given) if form.startswith("c") else given)[..., order].astype(np.float32)
    found = decode(Decoding(boxes=Boxes(format=form, scale=scale), nms=NMS), HEAD, boxes=given, scores=scores)
    for picture in range(3):
        assert_same(found[picture], suppressed(boxes[picture], scores[picture], iou=0.4, score=0.3))


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_one_tensor_for_boxes_and_scores_is_split(rng: np.random.Generator, layout: Any) -> None:
    """A tensor of both roles holds four columns of the box, then the scores, whichever axis is which."""
    boxes, scores = boxes_of(rng, 2, 30), rng.uniform(0, 1, (2, 30, 3)).astype(np.float32)
    table = np.concatenate([boxes, scores], axis=2)
    table = table.transpose(0, 2, 1) if layout == "channels_first" else table
    decoding = Decoding(layout=layout, boxes=Boxes(format="yxyx"), class_offset=5, nms=NMS)
    found = decode(decoding, {"boxes": "t", "scores": "t"}, boxes=table, scores=table)
    for picture in range(2):
        expected = suppressed(boxes[picture], scores[picture], iou=0.4, score=0.3, first_class=5)
        assert_same(found[picture], expected)


def test_scores_are_activated_and_the_background_is_dropped(rng: np.random.Generator) -> None:
    """Softmax and sigmoid are applied, one column is no class, and objectness multiplies the others."""
    boxes, logits = boxes_of(rng, 1, 20), rng.normal(0, 2, (1, 20, 4)).astype(np.float32)
    sigmoid, powers = 1 / (1 + np.exp(-logits[0])), np.exp(logits[0])
    softmax = powers / powers.sum(axis=1, keepdims=True)
    for how, expected in (
        (Scores(activation="sigmoid"), sigmoid),
        (Scores(activation="softmax", background=0), softmax[:, 1:]),
        (Scores(activation="softmax", background=3), softmax[:, :3]),
        (Scores(activation="sigmoid", objectness=True), sigmoid[:, 1:] * sigmoid[:, :1]),
    ):
        found = decode(Decoding(scores=how, nms=NMS), HEAD, boxes=boxes, scores=logits)
        assert_same(found[0], suppressed(boxes[0], expected, iou=0.4, score=0.3))


def test_classes_may_suppress_each_other(rng: np.random.Generator) -> None:
    """Without per_class, the better of two overlapping boxes stays whatever their classes, in every picture."""
    boxes, scores = boxes_of(rng, 2, 30), rng.uniform(0, 1, (2, 30, 3)).astype(np.float32)
    nms = NMS.model_copy(update={"per_class": False})
    found = decode(Decoding(nms=nms), HEAD, boxes=boxes, scores=scores)
    for picture in range(2):
        expected = suppressed(boxes[picture], scores[picture], iou=0.4, score=0.3, per_class=False)
        assert_same(found[picture], expected)


def test_centre_offsets_are_decoded_from_anchors(rng: np.random.Generator) -> None:
    """SSD's offsets: the centre moves by parts of the anchor's size, the size by a power of e, both with variances."""
    anchors, offsets = boxes_of(rng, 20), rng.normal(0, 1, (1, 20, 4)).astype(np.float32)
    scores = rng.uniform(0, 1, (1, 20, 1)).astype(np.float32)
    middle, size = (anchors[:, :2] + anchors[:, 2:]) / 2, anchors[:, 2:] - anchors[:, :2]
    moved = middle + offsets[0, :, :2] * 0.1 * size
    half = np.exp(offsets[0, :, 2:] * 0.2) * size / 2
    expected = suppressed(np.concatenate([moved - half, moved + half], axis=1), scores[0], iou=0.4, score=0.3)
    values = Anchors(values=tuple(map(tuple, anchors.tolist())))
    for form, order in (("cycxhw", [0, 1, 2, 3]), ("cxcywh", [1, 0, 3, 2])):
        boxes = Boxes(format=form, anchors=values, variances=(0.1, 0.1, 0.2, 0.2))  # type: ignore[arg-type]
        found = decode(Decoding(boxes=boxes, nms=NMS), HEAD, boxes=offsets[..., order], scores=scores)
        assert_same(found[0], expected)


def test_a_grid_of_cells_is_decoded(rng: np.random.Generator) -> None:
    """MTCNN's offsets: each corner moves by parts of its cell's square; a head keeps its rows and columns."""
    offsets, scores = rng.normal(0, 0.2, (2, 4, 6, 4)), rng.uniform(0, 1, (2, 4, 6, 2))
    decoding = Decoding(boxes=Boxes(format="xyxy", anchors=Anchors(grid=Grid(stride=8, cell=12))), nms=NMS)
    found = decode(decoding, HEAD, boxes=offsets.astype(np.float32), scores=scores.astype(np.float32))
    for picture in range(2):
        boxes = []
        for row in range(4):
            for column in range(6):
                square = np.array([8 * column, 8 * row, 8 * column + 12, 8 * row + 12])
                x0, y0, x1, y1 = square + offsets[picture, row, column] * 12
                boxes.append(np.array([y0, x0, y1, x1]) / PIXELS)
        assert_same(found[picture], suppressed(np.array(boxes), scores[picture].reshape(24, 2), iou=0.4, score=0.3))


def test_rows_that_were_suppressed_already_are_taken_as_they_are(rng: np.random.Generator) -> None:
    """With classes, only what the count says counts; without a count, what scores above the threshold."""
    boxes, scores = boxes_of(rng, 2, 5), np.array([[0.9, 0.8, 0.3, 0.1, 0], [0.2, 0.7, 0.6, 0, 0]], np.float32)
    classes = np.array([[1, 1, 2, 3, 0], [2, 2, 1, 0, 0]])
    roles = {"boxes": "b", "scores": "s", "classes": "c"}
    given = {"boxes": boxes, "scores": scores, "classes": classes}
    found = decode(Decoding(nms=Nms(score=0.15)), roles, **given)
    assert [[row[0] for row in rows] for rows in found] == [[1, 1, 2], [2, 1, 2]]
    counted = decode(Decoding(class_offset=1), roles | {"count": "n"}, **given, count=np.array([2, 3], np.int32))
    assert [[row[0] for row in rows] for rows in counted] == [[2, 2], [3, 2, 3]]


def test_pictures_are_prepared_in_the_order_of_the_source() -> None:
    """Colours are turned first, then each gets its own mean and deviation."""
    picture = np.array([[[[10, 20, 30]]]], np.uint8)
    how = Input(colors="BGR", mean=(30.0, 20.0, 0.0), std=(1.0, 2.0, 4.0))
    np.testing.assert_allclose(prepare(picture, how, tf.float32), [[[[0, 0, 2.5]]]])
    assert prepare(picture, Input(), tf.uint8).numpy().tolist() == picture.tolist()


@pytest.mark.parametrize(
    ("decoding", "boxes", "scores", "said"),
    [
        (Decoding(), (1, 5, 6), (1, 5, 2), "boxes=b has shape [1, 5, 6]; expected [N, A, 4]"),
        (Decoding(), (1, 4, 5), (1, 2, 5), "boxes=b has shape [1, 4, 5]"),
        (Decoding(), (5, 4), (5, 2), "boxes=b has shape [5, 4]"),
        (Decoding(), (1, 5, 4), (1, 6, 2), "scores=s has shape [1, 6, 2]; expected scores for 5 boxes"),
        (
            Decoding(scores=Scores(background=2)),
            (1, 5, 4),
            (1, 5, 2),
            "scores has the classes 0 to 1",
        ),
        (Decoding(scores=Scores(background=0)), (1, 5, 4), (1, 5, 1), "no column left for a class"),
        (
            Decoding(boxes=Boxes(format="yxyx", anchors=Anchors(values=((0, 0, 1, 1),)))),
            (1, 5, 4),
            (1, 5, 2),
            "boxes=b has 5 rows, and boxes.anchors describes 1",
        ),
    ],
)
def test_a_tensor_of_another_shape_is_refused(
    decoding: Decoding, boxes: tuple[int, ...], scores: tuple[int, ...], said: str
) -> None:
    """A head that is not as the YAML describes it is refused with its name, its shape and what was expected."""
    decoder = Decoder(decoding, HEAD, SIZE)
    with pytest.raises(Unusable) as caught:
        decoder({"boxes": tf.zeros(boxes), "scores": tf.zeros(scores)})
    assert said in str(caught.value)
