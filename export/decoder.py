"""A source's own outputs ─► the canonical ones, inside the graph: what `decoding` describes, in TensorFlow.

What an output can be (its role):

    boxes    [N, A, 4] or [N, rows, columns, 4 k]
    scores   [N, A, C], as many rows as boxes; [N, A] where there is one class, or `classes` says which
    classes  [N, A]; only from sources that suppressed already
    count    [N]; how many of the rows count, else those with a score above the threshold

One tensor may have several roles: its columns are then four for boxes, the scores, and a class.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from serving.signature import DETECTION_BOXES, DETECTION_CLASSES, DETECTION_SCORES, NUM_DETECTIONS
from sightline_export.anchors import anchor_boxes
from sightline_export.box_scale import Seen
from sightline_export.decoding import Decoding, Input, Nms
from sightline_export.errors import Unusable
from sightline_export.suppression import Rows, suppress

IMAGE_INFO = "image_info"
"""A role that only Model Garden's exports have: float32 [N, 4, 2], and its third row is the scale from the picture to
the resized one that boxes are pixels of (official/vision/ops/preprocess_ops.py)."""


def prepare(images: Any, how: Input, dtype: Any) -> Any:
    """Pictures, uint8 [N, H, W, 3] RGB, as the source wants them: its colours, levels and dtype."""
    if how.colors == "BGR":
        images = tf.reverse(images, [3])
    if how == Input(colors=how.colors):
        return tf.cast(images, dtype)
    factor, addend = how.factors
    return tf.cast(tf.cast(images, tf.float32) * factor + addend, dtype)


@dataclass(frozen=True)
class Decoder:
    """How one source's outputs are read."""

    decoding: Decoding
    outputs: dict[str, str]
    """Role to tensor name."""
    size: tuple[int, int]
    """Height and width of the input, in pixels."""

    def __call__(self, found: dict[str, Any]) -> dict[str, Any]:
        """The canonical outputs, from tensors by role.

        Raises:
            Unusable: the tensors' shapes are not those that the decoding describes.
        """
        boxes, scores, classes, cells = self._columns(found)
        boxes = self._boxes(boxes, cells, found.get(IMAGE_INFO))
        if classes is None:
            rows = suppress(boxes, self._scores(scores), self.decoding.nms or Nms())
        else:
            rows = self._counted(boxes, scores[..., 0], classes, found.get("count"))
        return {
            DETECTION_BOXES: tf.clip_by_value(rows.boxes, 0.0, 1.0),
            DETECTION_SCORES: rows.scores,
            DETECTION_CLASSES: rows.classes + self.class_offset,
            NUM_DETECTIONS: rows.count,
        }

    def seen(self, found: dict[str, Any]) -> Seen:
        """What the source answered on its first picture, from tensors by role, before anything is made of it."""
        boxes, scores, classes, _ = self._columns(found)
        scores = scores[..., :1] if classes is not None else scores
        return Seen(boxes[0].numpy(), scores[0].numpy(), None if classes is None else classes[0].numpy())

    @property
    def class_offset(self) -> float:
        """The label-map id of class 0: label maps count from 1, and so do most sources that name classes themselves."""
        if self.decoding.class_offset is not None:
            return float(self.decoding.class_offset)
        return 0.0 if "classes" in self.outputs else 1.0

    def class_count(self, columns: int | None) -> int | None:
        """How many classes a tensor for scores with so many columns tells apart, as far as is known."""
        if columns is None or "classes" in self.outputs:
            return None
        shared = 4 if self.outputs["scores"] == self.outputs["boxes"] else 0
        return columns - shared - self.decoding.scores.objectness - (self.decoding.scores.background is not None)

    def _columns(self, found: dict[str, Any]) -> tuple[Any, Any, Any, tuple[int, int] | None]:
        """Boxes [N, A, 4], scores [N, A, C], classes [N, A] or None, and the head's rows and columns if it has them."""
        if "classes" in found and self.outputs["boxes"] != self.outputs["scores"]:
            # Loops of TensorFlow 1 (one NonMaxSuppression a picture) lose even the number of sides.
            shapes = {"boxes": [None, None, 4], "scores": [None, None], "classes": [None, None]}
            found = found | {role: tf.ensure_shape(found[role], shape) for role, shape in shapes.items()}
        boxes = self._channels_last("boxes", found["boxes"])
        cells = (boxes.shape[1], boxes.shape[2]) if boxes.shape.rank == 4 else None
        if self.outputs["scores"] == self.outputs["boxes"]:
            table = self._rows("boxes", boxes, boxes.shape[-1])
            boxes, scores = table[..., :4], table[..., 4:]
        else:
            boxes = self._rows("boxes", boxes, 4)
            scores = self._score_rows(self._channels_last("scores", found["scores"]), boxes.shape[1])
        classes = None
        if "classes" in found:
            shared = self.outputs["classes"] == self.outputs["scores"]
            classes = scores[..., -1] if shared else tf.cast(found["classes"], tf.float32)
        return boxes, scores, classes, cells

    def _channels_last(self, role: str, tensor: Any) -> Any:
        tensor = tf.cast(tensor, tf.float32)
        rank = tensor.shape.rank
        if rank not in (2, 3, 4) or (rank == 2 and role == "boxes"):
            raise self._misshapen(role, tensor, "[N, A, columns] or [N, rows, columns, anything]")
        if self.decoding.layout == "channels_first" and rank > 2:
            tensor = tf.transpose(tensor, [0, 2, 1] if rank == 3 else [0, 2, 3, 1])
        return tensor

    def _rows(self, role: str, tensor: Any, columns: int | None) -> Any:
        """As [N, A, columns]."""
        if columns and columns >= 4 and tensor.shape.rank == 3 and tensor.shape[2] in (None, columns):
            return tensor
        count = tensor.shape[1:].num_elements()
        if tensor.shape.rank == 3 or not columns or columns < 4 or count is None or tensor.shape[3] % columns:
            raise self._misshapen(role, tensor, "[N, A, 4], or [N, rows, columns, 4 for each anchor]")
        return tf.reshape(tensor, [-1, count // columns, columns])

    def _score_rows(self, tensor: Any, rows: int | None) -> Any:
        """As [N, A, C], with as many rows as there are boxes."""
        if tensor.shape.rank == 2:
            tensor = tensor[..., tf.newaxis]
        if tensor.shape.rank == 4:
            count = tensor.shape[1:].num_elements()
            if not (rows and count) or count % rows:
                raise self._misshapen("scores", tensor, f"scores for {rows or 'all'} boxes")
            return tf.reshape(tensor, [-1, rows, count // rows])
        if None not in (rows, tensor.shape[1]) and tensor.shape[1] != rows:
            raise self._misshapen("scores", tensor, f"scores for {rows} boxes")
        return tensor

    def _boxes(self, boxes: Any, cells: tuple[int, int] | None, image_info: Any) -> Any:
        """As ymin, xmin, ymax, xmax in 0..1 of the input."""
        how = self.decoding.boxes
        if how.anchors is not None:
            return self._from_anchors(boxes, anchor_boxes(how.anchors, self.size, cells))
        boxes = _as_yxyx(boxes, how.format)
        if how.scale == "normalised":
            return boxes
        pixels = tf.constant([*self.size, *self.size], tf.float32)
        if image_info is None:
            return boxes / pixels
        return boxes / (tf.tile(tf.cast(image_info, tf.float32)[:, 2], [1, 2]) * pixels)[:, tf.newaxis]

    def _from_anchors(self, offsets: Any, anchors: Any) -> Any:
        if offsets.shape[1] not in (None, len(anchors)):
            raise Unusable(
                f"boxes={self.outputs['boxes']} has {offsets.shape[1]} rows, and boxes.anchors describes {len(anchors)}"
            )
        how = self.decoding.boxes
        offsets = offsets * how.variances
        low, high = anchors[:, :2], anchors[:, 2:]
        centres, sides = _constant((low + high) / 2), _constant(high - low)
        if how.format in ("yxyx", "xyxy"):
            return _constant(anchors) + _as_yxyx(offsets, how.format) * tf.concat([sides, sides], 1)
        if how.format == "cxcywh":
            offsets = tf.gather(offsets, [1, 0, 3, 2], axis=2)
        centre, side = offsets[..., :2] * sides + centres, tf.exp(offsets[..., 2:]) * sides
        return tf.concat([centre - side / 2, centre + side / 2], 2)

    def _scores(self, scores: Any) -> Any:
        how = self.decoding.scores
        if how.activation == "sigmoid":
            scores = tf.sigmoid(scores)
        elif how.activation == "softmax":
            scores = tf.nn.softmax(scores)
        if how.objectness:
            scores = scores[..., 1:] * scores[..., :1]
        columns = scores.shape[-1]
        if how.background is not None:
            if columns is not None and how.background >= columns:
                raise Unusable(f"scores.background is {how.background}, and scores has the classes 0 to {columns - 1}")
            scores = tf.concat([scores[..., : how.background], scores[..., how.background + 1 :]], 2)
        if scores.shape[-1] == 0:
            raise Unusable(f"scores={self.outputs['scores']} has no column left for a class")
        return scores

    def _counted(self, boxes: Any, scores: Any, classes: Any, count: Any) -> Rows:
        """Rows that were suppressed already, best first; without a count, those above the threshold count."""
        if count is None:
            threshold = self.decoding.nms.score if self.decoding.nms else 0.0
            scores = tf.where(scores > threshold, scores, 0.0)
            order = tf.argsort(scores, direction="DESCENDING", stable=True)
            boxes, scores, classes = (tf.gather(rows, order, batch_dims=1) for rows in (boxes, scores, classes))
            count = tf.math.count_nonzero(scores, axis=1, dtype=tf.float32)
        return Rows(boxes, scores, classes, tf.reshape(tf.cast(count, tf.float32), [-1]))

    def _misshapen(self, role: str, tensor: Any, expected: str) -> Unusable:
        shape = "[" + ", ".join("?" if side is None else str(side) for side in tensor.shape) + "]"
        return Unusable(
            f"{role}={self.outputs[role]} has shape {shape}; expected {expected}, {self.decoding.layout} (--decode)"
        )


def _constant(values: Any) -> Any:
    return tf.constant(np.asarray(values), tf.float32)


def _as_yxyx(boxes: Any, form: str) -> Any:
    """As `sightline_export.anchors.as_yxyx`, for tensors [N, A, 4]."""
    if form == "yxyx":
        return boxes
    if form == "xyxy":
        return tf.gather(boxes, [1, 0, 3, 2], axis=2)
    if form == "cxcywh":
        boxes = tf.gather(boxes, [1, 0, 3, 2], axis=2)
    centres, half = boxes[..., :2], boxes[..., 2:] / 2
    return tf.concat([centres - half, centres + half], 2)
