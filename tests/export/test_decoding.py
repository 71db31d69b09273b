"""The YAML behind --decode is checked before TensorFlow is waited for."""

from pathlib import Path

import numpy as np
import pytest

from sightline_export.decoding import _SECTIONS, Decoding, Nms, read_decoding
from sightline_export.errors import Unusable

ROOT = Path(__file__).parents[2]


def read(tmp_path: Path, text: str) -> Decoding:
    path = tmp_path / "head.yaml"
    path.write_text(text)
    return read_decoding(path)


def test_the_documented_file_is_read() -> None:
    """docs/decode.yaml, which shows every key, is a file that --decode takes, and shows every key indeed."""
    text = (ROOT / "docs" / "decode.yaml").read_text()
    decoding = read_decoding(ROOT / "docs" / "decode.yaml")
    assert decoding.boxes.format == "cycxhw"
    keys = {key for section in _SECTIONS.values() for key in section.model_fields}
    assert [key for key in keys if f"{key}:" not in text] == []


def test_levels_become_one_multiplication_and_one_addition(tmp_path: Path) -> None:
    """Scale and offset, mean and std, one number or three, and fractions all say the same thing."""
    for text in ("{scale: 1/255, offset: -0.5}", "{mean: 127.5, std: [255, 255, 255]}"):
        given = read(tmp_path, f"input: {text}").input
        assert given is not None
        factor, addend = given.factors
        np.testing.assert_allclose(factor, [1 / 255] * 3)
        np.testing.assert_allclose(addend, [-0.5] * 3)


def test_what_the_file_says_wins_over_the_family(tmp_path: Path) -> None:
    """A section of the file replaces the family's; one that is not there leaves it."""
    family = Decoding(layout="channels_first", class_offset=1)
    found = read(tmp_path, "nms: {iou: 0.7}").over(family)
    assert (found.layout, found.class_offset, found.nms) == ("channels_first", 1, Nms(iou=0.7))


def test_an_anchor_file_is_known_by_its_contents(tmp_path: Path) -> None:
    """Another file of the same name is another model: the fingerprint sees its digest, and no directory."""
    text = "boxes: {format: xyxy, anchors: {file: anchors.npy}}"
    seen = []
    for value in (0.25, 0.5):
        np.save(tmp_path / "anchors.npy", np.full((2, 4), value))
        seen.append(read(tmp_path, text).model_dump_json())
    assert seen[0] != seen[1]
    assert str(tmp_path) not in seen[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("boxes: [", "line 1 is not YAML"),
        ("- boxes", "must be a mapping with the keys input, layout, boxes, scores, class_offset, nms"),
        ("anchors: {}", "anchors: unknown key; allowed here are input, layout, boxes"),
        ("boxes: {format: yxyx, unit: pixels}", "boxes.unit: unknown key; allowed here are format, scale, anchors"),
        ("boxes: {scale: pixels}", "boxes.format: is missing; it is required"),
        ("boxes: {format: xywh}", "boxes.format: 'xywh' is not allowed; it must be 'yxyx', 'xyxy', 'cxcywh' or"),
        ("boxes: {format: xyxy, variances: [1, 1, 1, 1]}", "boxes: variances belong to anchors"),
        ("boxes: {format: xyxy, anchors: {}}", "boxes.anchors: give one of grid, ssd, file, values"),
        ("boxes: {format: xyxy, anchors: {file: none.npy}}", "none.npy is no .npy or .csv file"),
        ("boxes: {format: xyxy, anchors: {grid: {stride: 0, cell: 1}}}", "boxes.anchors.grid.stride: 0 is not allowed"),
        ("boxes: {format: xyxy, anchors: {ssd: {feature_maps: [[2, 2]], scales: [1, 2]}}}", "scales: 2 for 1"),
        ("scores: {activation: tanh}", "scores.activation: 'tanh' is not allowed; it must be 'none', 'sigmoid' or"),
        ("scores: {background: -1}", "scores.background: -1 is not allowed; it must be greater than or equal to 0"),
        ("nms: {iou: 50}", "nms.iou: 50 is not allowed; it must be less than or equal to 1"),
        ("nms: {max_detections: many}", "nms.max_detections: 'many' is not allowed"),
        ("input: {std: 0}", "0 is not allowed"),
        ("input: {scale: 1/0}", "input.scale"),
        ("input: {scale: 2, mean: 1}", "input: give scale and offset, or mean and std, not both"),
        ("input: {colors: rgb}", "input.colors: 'rgb' is not allowed; it must be 'RGB' or 'BGR'"),
    ],
)
def test_a_wrong_file_is_refused_with_key_value_and_what_is_allowed(tmp_path: Path, text: str, said: str) -> None:
    """The first problem in one sentence: the file, the key, the value, what is allowed."""
    with pytest.raises(Unusable) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)
    assert "head.yaml" in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(Unusable, match=r"cannot read .*none.yaml: No such file"):
        read_decoding(tmp_path / "none.yaml")
