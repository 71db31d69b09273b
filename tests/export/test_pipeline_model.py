"""A pipeline.config is read without the library that it is for."""

from pathlib import Path

import pytest

from sightline_export.errors import Unusable
from sightline_export.pipeline_model import read_pipeline_model

FASTER_RCNN = """
model {
  faster_rcnn {
    num_classes: 37
    image_resizer { keep_aspect_ratio_resizer { min_dimension: 600 max_dimension: 1024 } }
    feature_extractor { type: 'faster_rcnn_resnet50' first_stage_features_stride: 16 }
    first_stage_anchor_generator { grid_anchor_generator { scales: [0.25, 0.5] } }
    second_stage_post_processing {
      batch_non_max_suppression { iou_threshold: 0.6 max_total_detections: 300 }
      score_converter: SOFTMAX
    }
  }
}
train_config { batch_size: 1 }
train_input_reader: { label_map_path: "pets.pbtxt" tf_record_input_reader { input_path: "train.record" } }
"""


def config(directory: Path, text: str) -> Path:
    """A file of this text."""
    path = directory / "pipeline.config"
    path.write_text(text)
    return path


def test_what_matters_is_read_and_the_rest_passed_over(tmp_path: Path) -> None:
    """Architecture, classes, resizer, suppression and label map are read from among fields that are not known here."""
    found = read_pipeline_model(config(tmp_path, FASTER_RCNN))
    assert (found.architecture, found.feature_extractor) == ("faster_rcnn", "faster_rcnn_resnet50")
    assert (found.num_classes, found.label_map) == (37, "pets.pbtxt")
    assert found.resizer == "shorter side to 600, longer to at most 1024, aspect ratio kept"
    assert found.input_size is None
    assert found.suppression == {"iou_threshold": 0.6, "max_total_detections": 300}


def test_a_padded_picture_has_a_size(tmp_path: Path) -> None:
    """Where a kept aspect ratio is padded to a square, that square is the input's size."""
    text = FASTER_RCNN.replace("max_dimension: 1024", "max_dimension: 1024 pad_to_max_dimension: true")
    assert read_pipeline_model(config(tmp_path, text)).input_size == (1024, 1024)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model { ssd { num_classes: many } }", "Couldn't parse integer: many"),
        ("hello", "Expected"),
        ("model { }", "it has no model { ssd | faster_rcnn | center_net }"),
    ],
)
def test_another_text_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """A file that is no such text, or of an architecture that is not known, is named with the reason."""
    with pytest.raises(Unusable) as refused:
        read_pipeline_model(config(tmp_path, text))
    assert "is no pipeline.config of the Object Detection API" in str(refused.value)
    assert said in str(refused.value)
