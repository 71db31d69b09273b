"""The backbone and the weights ImageNet taught it."""

import pickle
from pathlib import Path

import keras
import numpy as np
import pytest

from sightline_models.insulators.backbone import efficientnet_lite0, load_imagenet
from sightline_models.insulators.state_dict import read_tensors


def _network() -> keras.Model:
    frames = keras.layers.Input((None, None, 3), dtype="uint8")
    return keras.Model(frames, list(efficientnet_lite0(frames)))


def test_the_levels_have_the_strides_they_say() -> None:
    """Stride 8 and stride 16, of 40 and 112 channels."""
    fine, coarse = _network()(np.zeros((1, 96, 128, 3), np.uint8))
    assert fine.shape == (1, 12, 16, 40)
    assert coarse.shape == (1, 6, 8, 112)


def test_imagenets_weights_fit_and_tell_pictures_apart() -> None:
    """Every layer takes its tensor, statistics stay sane through all blocks, and an edge is not a plain."""
    network = _network()
    load_imagenet(network)
    edge = np.zeros((1, 64, 64, 3), np.uint8)
    edge[:, :, 32:] = 255
    _, seen = network(edge)
    _, plain = network(np.full((1, 64, 64, 3), 128, np.uint8))
    values = np.asarray(seen)
    assert np.isfinite(values).all()
    # With a layer out of place the batch statistics no longer belong to it, and numbers explode or die out.
    assert 0.2 < values.std() < 20
    assert np.abs(values - np.asarray(plain)).mean() > 0.1


def test_a_file_of_anything_else_is_refused(tmp_path: Path) -> None:
    """Neither a pickle that would run code nor a file of another kind is read."""
    for name, content in (("other", pickle.dumps(7)), ("code", pickle.dumps(print))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(pickle.UnpicklingError):
            read_tensors(tmp_path / name)
