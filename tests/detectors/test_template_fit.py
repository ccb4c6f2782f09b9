"""The optimally scaled template: a least-squares fit at every sample, judged by its own error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from builders.detectors import RATE_HZ, SHAPE, f1_on_reference, false_per_minute, noise, with_events
from builders.traces import NOISE_SD, segments_of, whitened_of
from nwb_mepp.conditioning import survey
from nwb_mepp.detectors import TemplateFit
from nwb_mepp.detectors.template_fit import detection_criterion


def test_the_criterion_of_a_tiny_trace_is_the_one_computed_by_hand() -> None:
    # Template (0, 1, 0): mean 1/3, sum of squared deviations 2/3. On (0, 3, 1): slope
    # (0 * -1/3 + 3 * 2/3 + 1 * -1/3) / (2/3) = 2.5, offset 0.5, residuals -0.5, 0, 0.5: squares 0.5,
    # standard error sqrt(0.5 / 2) = 0.5, criterion 5. On (3, 1, 0): slope -0.5, offset 1.5, squares 4.5,
    # standard error 1.5, criterion -1/3.
    criterion = detection_criterion([0.0, 3.0, 1.0, 0.0], [0.0, 1.0, 0.0])
    assert criterion.tolist() == pytest.approx([5.0, -1.0 / 3.0])


@settings(max_examples=60)
@given(
    trace=arrays(np.float64, st.integers(8, 30), elements=st.floats(-100.0, 100.0, width=32)),
    shape=arrays(np.float64, st.integers(3, 8), elements=st.floats(0.0, 1.0, width=16)),
    seed=st.integers(0, 2**32),
)
def test_the_criterion_is_that_of_a_direct_least_squares_fit(
    trace: np.ndarray, shape: np.ndarray, seed: int
) -> None:
    shape = shape + np.linspace(0.0, 1.0, len(shape)) ** 2 + np.eye(len(shape))[0]
    trace = trace + np.random.default_rng(seed).standard_normal(len(trace))
    criterion = detection_criterion(trace, shape)
    assert criterion.shape == (len(trace) - len(shape) + 1,)
    design = np.stack([shape, np.ones(len(shape))], axis=1)
    for place, value in enumerate(criterion):
        window = trace[place : place + len(shape)]
        (scale, offset), *_ = np.linalg.lstsq(design, window, rcond=None)
        error = np.sqrt(np.sum((scale * shape + offset - window) ** 2) / (len(shape) - 1))
        assert value * error == pytest.approx(scale, rel=1e-3, abs=1e-6)


def test_a_perfect_fit_is_worth_no_more_than_the_rounding_allows() -> None:
    trace = [5.0, 5.0, 5.0, 8.0, 11.0, 8.0, 5.0, 5.0, 5.0]
    criterion = detection_criterion(trace, [0.0, 1.0, 2.0, 1.0, 0.0], min_sd=0.1)
    assert criterion[2] == pytest.approx(3.0 / 0.1)


def test_a_silent_stretch_counts_as_nothing() -> None:
    np.testing.assert_array_equal(detection_criterion(np.full(9, -2.0), [0.0, 1.0, 0.0]), np.zeros(7))


def test_score_stands_at_the_onset_and_is_the_scale_over_the_noise() -> None:
    places = list(range(5_000, 95_000, 9_000))
    score = TemplateFit().scores(whitened_of(with_events(places, [20.0] * len(places)), rate_hz=RATE_HZ))[0]
    assert score.shape == (100_000,)
    # With the right shape only the noise remains: the criterion is the height in SD of it.
    assert np.mean([score[place - 1 : place + 2].max() for place in places]) == pytest.approx(20.0, rel=0.08)
    assert all(abs(int(np.argmax(score[place - 50 : place + 50])) - 50) <= 1 for place in places)


@pytest.mark.parametrize("block_s", [1.0, 5.0])
def test_score_does_not_depend_on_the_size_of_the_tiles(block_s: float) -> None:
    samples = with_events([4_000, 8_190, 30_000], [10.0, 10.0, 10.0])
    expected = TemplateFit().scores(whitened_of(samples, rate_hz=RATE_HZ))[0]
    (tiled,) = whitened_of(samples, block_s=block_s, rate_hz=RATE_HZ)
    assert tiled.n_tiles > 1
    np.testing.assert_allclose(TemplateFit().scores([tiled])[0], expected, rtol=0, atol=1e-8)


def test_a_shape_of_ones_own_is_fitted_instead() -> None:
    slow = np.exp(-np.arange(100) / 40.0)
    samples = noise()
    samples[50_000:50_100] += 20.0 * NOISE_SD * slow
    segments = segments_of(samples, rate_hz=RATE_HZ)
    (found,) = TemplateFit(slow).find(segments, noise=survey(segments, polarity="positive"), threshold=10.0)
    assert found.start == pytest.approx([50_000], abs=1)
    # The shape falls below 1/e after 40 samples, so with the 41st.
    assert (found.stop - found.start).tolist() == [41]


def test_a_single_sample_spike_is_not_an_event() -> None:
    samples = with_events([50_000], [10.0])
    samples[20_000] += 100.0 * NOISE_SD
    segments = segments_of(samples, rate_hz=RATE_HZ)
    (found,) = TemplateFit().find(segments, noise=survey(segments, polarity="positive"))
    assert found.start == pytest.approx([50_000], abs=2)
    assert found.peak == pytest.approx(found.start + int(np.argmax(SHAPE)))
    assert np.isnan(found.probability).all()


def test_f1_on_reference_recordings_at_level_10_is_at_least_08() -> None:
    assert f1_on_reference(TemplateFit(), level=10.0) >= 0.8


def test_noise_alone_gives_few_candidates() -> None:
    assert false_per_minute(TemplateFit()) <= 6.0
