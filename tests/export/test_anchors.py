"""Anchors are computed as the code that trained the head laid them out."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from sightline_export.anchors import anchor_boxes
from sightline_export.decoding import Anchors, Grid, Ssd
from sightline_export.errors import Unusable
from tests.export.peers import sample


def test_ssd_anchors_are_those_of_a_real_graph() -> None:
    """The Object Detection API computes its anchors in the graph: a real one's are ours."""
    definition = tf.compat.v1.GraphDef.FromString(sample("models", "ssd_voc", "frozen_inference_graph.pb").read_bytes())
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        tf.compat.v1.import_graph_def(definition, name="")
        theirs = session.run("Concatenate/concat:0", {"image_tensor:0": np.zeros((1, 256, 256, 3), np.uint8)})
    maps = ((16, 16), (8, 8), (4, 4), (2, 2), (1, 1))
    ours = anchor_boxes(Anchors(ssd=Ssd(feature_maps=maps, aspect_ratios=(1, 2, 0.5, 3, 0.3333))), (256, 256), None)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_scale_is_a_part_of_the_shorter_side() -> None:
    """On a wide input an anchor of ratio 1 is a square in pixels."""
    ssd = Ssd(feature_maps=((1, 2),), scales=(0.5,), aspect_ratios=(1,), reduce_boxes_in_lowest_layer=False)
    boxes = anchor_boxes(Anchors(ssd=ssd), (100, 200), None) * [100, 200, 100, 200]
    np.testing.assert_allclose(boxes[0], [25, 25, 75, 75])
    np.testing.assert_allclose(boxes[2], [25, 125, 75, 175])


def test_a_grid_has_a_square_for_each_cell() -> None:
    """Cells go row by row, a stride apart, from the offset on."""
    boxes = anchor_boxes(Anchors(grid=Grid(stride=2, cell=12, offset=-1)), (20, 40), (2, 3))
    pixels = (boxes * [20, 40, 20, 40]).round(6).tolist()
    assert pixels[:4] == [[-1, -1, 11, 11], [-1, 1, 11, 13], [-1, 3, 11, 15], [1, -1, 13, 11]]
    with pytest.raises(Unusable, match="wants a head"):
        anchor_boxes(Anchors(grid=Grid(stride=2, cell=12)), (20, 40), None)


@pytest.mark.parametrize("name", ["anchors.npy", "anchors.csv"])
def test_anchors_are_read_from_a_file(tmp_path: Path, name: str) -> None:
    """Four numbers a row, in the format and unit the YAML says."""
    path, rows = tmp_path / name, np.array([[10.0, 20, 4, 8], [5, 5, 2, 2]])
    if name.endswith("npy"):
        np.save(path, rows)
    else:
        np.savetxt(path, rows, delimiter=",")
    boxes = anchor_boxes(Anchors(file=path, format="cxcywh", scale="pixels"), (50, 100), None)
    np.testing.assert_allclose(boxes, [[16 / 50, 8 / 100, 24 / 50, 12 / 100], [4 / 50, 4 / 100, 6 / 50, 6 / 100]])


@pytest.mark.parametrize(("text", "said"), [("1,2,3\n", "shape [1, 3]"), ("a,b,c,d\n", "cannot be read")])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """A file that holds no boxes is refused with what it holds."""
    path = tmp_path / "anchors.csv"
    path.write_text(text)
    with pytest.raises(Unusable) as caught:
        anchor_boxes(Anchors(file=path), (1, 1), None)
    assert said in str(caught.value)
