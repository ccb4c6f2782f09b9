"""MiniUnet's architecture: channels, lengths, and how far an output sample sees."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.ml.networks import BLOCK_MARGIN, BLOCK_SAMPLES, build_miniunet, receptive_field

pytestmark = pytest.mark.usefixtures("tensorflow")

CHANNELS = [(1, 16), (16, 16), (16, 32), (32, 32), (32, 64), (64, 32), (64, 32), (32, 16), (32, 16), (16, 8)]


@pytest.mark.parametrize("kernel_size", [3, 9])
def test_channels_and_parameters_are_those_of_the_design(kernel_size: int) -> None:
    model = build_miniunet(kernel_size=kernel_size)
    convolutions = [layer for layer in model.layers if hasattr(layer, "kernel_size")]
    assert [(layer.kernel.shape[1], layer.filters) for layer in convolutions] == [*CHANNELS, (8, 1)]
    expected = sum(n_in * n_out * kernel_size + n_out for n_in, n_out in CHANNELS) + 8 + 1
    assert model.count_params() == expected
    if kernel_size == 9:
        assert expected == 82_209


@pytest.mark.parametrize("n_samples", [4, 64, 212])
def test_every_sample_gets_a_probability(n_samples: int) -> None:
    trace = np.random.default_rng(0).normal(size=(3, n_samples, 1)).astype(np.float32)
    output = np.asarray(build_miniunet()(trace))
    assert output.shape == (3, n_samples, 1)
    assert np.all((output > 0.0) & (output < 1.0))


def test_a_probability_is_the_sigmoid_of_its_logit() -> None:
    with_sigmoid, without = build_miniunet(), build_miniunet(logits=True)
    without.set_weights(with_sigmoid.get_weights())
    trace = np.random.default_rng(0).normal(size=(1, 64, 1)).astype(np.float32)
    logits = np.asarray(without(trace))
    np.testing.assert_allclose(np.asarray(with_sigmoid(trace)), 1.0 / (1.0 + np.exp(-logits)), atol=1e-6)


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second, other = (build_miniunet(kernel_size=3, seed=seed).get_weights() for seed in (5, 5, 6))
    for one, same in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(first[0], other[0])


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an odd kernel_size, found 8"):
        build_miniunet(kernel_size=8)


def test_a_length_that_two_poolings_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="expected n_samples to be a multiple of 4, found 102"):
        build_miniunet(n_samples=102)


@pytest.mark.parametrize("kernel_size", [3, 5, 9])
def test_an_output_sample_sees_just_as_far_as_the_receptive_field(kernel_size: int) -> None:
    n_samples = 512
    model = build_miniunet(kernel_size=kernel_size, logits=True)
    # With positive weights and no bias, an impulse reaches all outputs that depend on its sample.
    model.set_weights(
        [np.zeros_like(w) if w.ndim == 1 else np.full_like(w, 0.05) for w in model.get_weights()]
    )
    places = np.arange(254, 262)  # each place relative to the poolings twice
    impulses = np.zeros((len(places), n_samples, 1), dtype=np.float32)
    impulses[np.arange(len(places)), places] = 1.0
    output = np.asarray(model(impulses))[:, :, 0]
    assert np.all(output >= 0.0)
    distances = [np.flatnonzero(row) - place for row, place in zip(output, places, strict=True)]
    before, after = -min(row.min() for row in distances), max(row.max() for row in distances)
    half = receptive_field(kernel_size=kernel_size) // 2
    # No farther than half of the stated field, and at most the rounding to a multiple of 8 less.
    assert half - 4 <= max(before, after) <= half
    assert before + after + 1 <= receptive_field(kernel_size=kernel_size)


@pytest.mark.parametrize("kernel_size", [3, 5, 7, 9, 11])
def test_margin_of_a_block_covers_half_of_the_receptive_field(kernel_size: int) -> None:
    assert receptive_field(kernel_size=kernel_size) <= 2 * BLOCK_MARGIN
    assert BLOCK_SAMPLES % 4 == BLOCK_MARGIN % 4 == 0
