"""The boxes that a head's numbers are offsets to, computed once when the graph is traced. Pure."""

import math

import numpy as np
from numpy.typing import NDArray

from sightline_export.decoding import Anchors, BoxFormat, Grid, Ssd
from sightline_export.errors import Unusable

Boxes = NDArray[np.float64]
"""float64 [A, 4], ymin, xmin, ymax, xmax in 0..1 of the model's input."""


def anchor_boxes(anchors: Anchors, size: tuple[int, int], cells: tuple[int, int] | None) -> Boxes:
    """The anchors of an input, in the order of the head's rows.

    Args:
        anchors: what the file behind --decode says.
        size: height and width of the input, in pixels.
        cells: rows and columns of the head, where it has them.

    Raises:
        Unusable: a grid of anchors for a head without rows and columns, or a file without four numbers a row.
    """
    if anchors.grid is not None:
        if cells is None:
            raise Unusable("boxes.anchors.grid wants a head [N, rows, columns, 4]; give anchors as a file or values")
        return _grid(anchors.grid, size, cells)
    if anchors.ssd is not None:
        return _ssd(anchors.ssd, size)
    rows = as_yxyx(_given(anchors), anchors.format)
    return np.asarray(rows / np.array([*size, *size])) if anchors.scale == "pixels" else rows


def as_yxyx(boxes: Boxes, form: BoxFormat) -> Boxes:
    """Boxes of any format as ymin, xmin, ymax, xmax."""
    if form == "yxyx":
        return boxes
    if form == "xyxy":
        return boxes[:, [1, 0, 3, 2]]
    centres, sides = (boxes[:, [1, 0]], boxes[:, [3, 2]]) if form == "cxcywh" else (boxes[:, :2], boxes[:, 2:])
    return np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)


def _given(anchors: Anchors) -> Boxes:
    if anchors.values is not None:
        return np.array(anchors.values, np.float64)
    assert anchors.file is not None  # noqa: S101  Anchors holds one of the four.
    try:
        if anchors.file.suffix == ".npy":
            rows = np.load(anchors.file, allow_pickle=False)
        else:
            rows = np.loadtxt(anchors.file, delimiter=",", ndmin=2)
        rows = np.asarray(rows, np.float64)
    except (OSError, ValueError, EOFError) as error:
        raise Unusable(f"anchors {anchors.file} cannot be read: {error}") from error
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise Unusable(f"anchors {anchors.file} have shape {list(rows.shape)}; expected four numbers a row")
    return rows


def _grid(grid: Grid, size: tuple[int, int], cells: tuple[int, int]) -> Boxes:
    y, x = np.meshgrid(*(grid.offset + grid.stride * np.arange(count) for count in cells), indexing="ij")
    corners = np.stack([y, x, y + grid.cell, x + grid.cell], axis=-1).reshape(-1, 4)
    return np.asarray(corners / np.array([*size, *size]))


def _ssd(ssd: Ssd, size: tuple[int, int]) -> Boxes:
    """As create_ssd_anchors and MultipleGridAnchorGenerator of the Object Detection API lay them out.

    Layers one after the other; in a layer row by row, column by column, then the boxes of a cell
    (anchor_generators/multiple_grid_anchor_generator.py).
    """
    layers = []
    for (rows, columns), boxes in zip(ssd.feature_maps, _cell_boxes(ssd), strict=True):
        y, x = np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij")
        # A scale is a part of the shorter side, so that a ratio of 1 is a square in pixels.
        short = min(size) / np.array(size)
        sides = np.array([[scale / math.sqrt(ratio), scale * math.sqrt(ratio)] for scale, ratio in boxes]) * short
        centres = np.stack([y, x], axis=-1)[:, :, np.newaxis]
        corners = np.concatenate(np.broadcast_arrays(centres - sides / 2, centres + sides / 2), axis=-1)
        layers.append(corners.reshape(-1, 4))
    return np.concatenate(layers)


def _cell_boxes(ssd: Ssd) -> list[list[tuple[float, float]]]:
    """Scale and aspect ratio of each box of a cell, a list for each layer."""
    count = len(ssd.feature_maps)
    step = (ssd.max_scale - ssd.min_scale) / max(count - 1, 1)
    scales = [*(ssd.scales or [ssd.min_scale + step * layer for layer in range(count)]), 1.0]
    layers = []
    for layer in range(count):
        if layer == 0 and ssd.reduce_boxes_in_lowest_layer:
            layers.append([(0.1, 1.0), (scales[0], 2.0), (scales[0], 0.5)])
            continue
        boxes = [(scales[layer], ratio) for ratio in ssd.aspect_ratios]
        if ssd.interpolated_scale_aspect_ratio > 0:
            boxes.append((math.sqrt(scales[layer] * scales[layer + 1]), ssd.interpolated_scale_aspect_ratio))
        layers.append(boxes)
    return layers
