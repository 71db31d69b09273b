"""A convolution with its batch normalisation as one layer."""

import numpy as np
import pytest
import tensorflow as tf

from sightline_models.insulators.convolution import NormalizedConvolution


def _picture() -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).normal(2, 3, (2, 9, 11, 4)).astype(np.float32))


@pytest.mark.parametrize("filters", [6, None])
def test_serving_gives_what_training_converged_to(filters: int | None) -> None:
    """Once the moving statistics are the batch's, the folded layer gives the normalised one's numbers."""
    layer = NormalizedConvolution(filters, 3, 2, ceiling=0.0)
    layer(_picture())
    layer.gamma.assign(np.linspace(0.5, 2, layer.gamma.shape[0]))
    layer.beta.assign(np.linspace(-1, 1, layer.beta.shape[0]))
    for _ in range(400):
        layer(_picture(), training=True)
    trained = layer(_picture(), training=True)
    # The kernel keeps Bessel's correction in the variance it reports, not in the one it divides by.
    np.testing.assert_allclose(layer(_picture()), trained, rtol=0.03, atol=0.03)
    assert trained.shape == (2, 5, 6, filters or 4)


def test_the_ceiling_is_the_relus() -> None:
    """Zero leaves the numbers as they are, six cuts above six, infinity only below zero."""
    linear, six, plain = (NormalizedConvolution(5, ceiling=ceiling) for ceiling in (0.0, 6.0, float("inf")))
    for layer in (linear, six, plain):
        layer.build((None, None, None, 4))
        layer.kernel.assign(np.full(layer.kernel.shape, 0.3))
    signed = linear(_picture()).numpy() - 3
    for layer in (linear, six, plain):
        layer.beta.assign(np.full(5, -3.0))
    assert signed.min() < 0
    assert signed.max() > 6
    np.testing.assert_allclose(linear(_picture()), signed, atol=1e-4)
    np.testing.assert_allclose(six(_picture()), np.clip(signed, 0, 6), atol=1e-4)
    np.testing.assert_allclose(plain(_picture()), np.clip(signed, 0, None), atol=1e-4)


def test_training_moves_the_statistics_and_serving_does_not() -> None:
    """Only a training pass may change the moving mean and variance."""
    layer = NormalizedConvolution(6)
    layer(_picture())
    before = layer.mean.numpy()
    layer(_picture())
    assert np.array_equal(before, layer.mean.numpy())
    layer(_picture(), training=True)
    assert not np.array_equal(before, layer.mean.numpy())
