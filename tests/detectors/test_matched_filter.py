"""The matched filter: optimal on its own shape, in units of noise SD, blind to its side lobes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.detectors import RATE_HZ, SHAPE, noise, with_events
from builders.traces import NOISE_SD, segments_of, whitened_of
from nwb_mepp.conditioning import survey
from nwb_mepp.detectors import MatchedFilter, template
from nwb_mepp.evaluation import match_times
from nwb_mepp.simulation import Scenario, reference_scenario, simulate_recording


@settings(max_examples=25)
@given(
    decay_s=st.floats(1e-3, 10e-3),
    rise_over_decay=st.floats(0.1, 0.45),
    sampling_rate_hz=st.sampled_from([50_000.0, 200_000.0]),
)
def test_template_has_the_rise_decay_and_peak_asked_for(
    decay_s: float, rise_over_decay: float, sampling_rate_hz: float
) -> None:
    shape = template(rise_s=rise_over_decay * decay_s, decay_s=decay_s, sampling_rate_hz=sampling_rate_hz)
    assert shape[0] == 0.0
    peak = int(np.argmax(shape))
    assert shape[peak] == pytest.approx(1.0, abs=5e-3)
    low, high = np.interp([0.1, 0.9], shape[: peak + 1], np.arange(peak + 1))
    assert (high - low) / sampling_rate_hz == pytest.approx(rise_over_decay * decay_s, rel=0.02, abs=2e-6)
    late = np.array([4.0, 5.0]) * decay_s * sampling_rate_hz
    values = np.interp(late, np.arange(len(shape)), shape)
    assert np.log(values[0] / values[1]) == pytest.approx(1.0, abs=0.05)
    assert len(shape) == pytest.approx(6.0 * decay_s * sampling_rate_hz, abs=1.01)


def test_score_of_noise_has_the_sd_1() -> None:
    shape = template(rise_s=0.7e-3, decay_s=2.5e-3, sampling_rate_hz=RATE_HZ)
    score, best = MatchedFilter([shape]).score(whitened_of(noise(40.0), rate_hz=RATE_HZ)[0])
    assert score.shape == best.shape == (200_000,)
    # A little more: the whitened noise has its SD of 1 below 2.25 kHz only, where most of a MEPP lies.
    assert 1.0 <= score.std() <= 1.1
    assert score.mean() == pytest.approx(0.0, abs=0.05)


def test_score_of_an_event_is_its_energy_over_the_noise_and_stands_at_the_onset() -> None:
    shape = template(rise_s=0.7e-3, decay_s=2.5e-3, sampling_rate_hz=RATE_HZ)
    places = list(range(5_000, 95_000, 9_000))
    score, _ = MatchedFilter([shape]).score(
        whitened_of(with_events(places, [20.0] * len(places)), rate_hz=RATE_HZ)[0]
    )
    # In white noise the matched filter's signal to noise is the root of the energy; some of it lies
    # above 2.25 kHz and below the lowest bin, where the whitening lets nothing pass.
    expected = 20.0 * np.sqrt(np.sum(shape**2))
    heights = [score[place - 2 : place + 3].max() for place in places]
    assert np.mean(heights) == pytest.approx(expected, rel=0.08)
    assert all(abs(int(np.argmax(score[place - 50 : place + 50])) - 50) <= 1 for place in places)


def test_the_best_fitting_template_is_named() -> None:
    fast = template(rise_s=0.4e-3, decay_s=1.5e-3, sampling_rate_hz=RATE_HZ)
    slow = template(rise_s=2e-3, decay_s=8e-3, sampling_rate_hz=RATE_HZ)
    samples = noise(20.0)
    for place, shape in ((20_000, fast), (60_000, slow)):
        samples[place : place + len(shape)] += 30.0 * NOISE_SD * shape
    _, best = MatchedFilter([fast, slow]).score(whitened_of(samples, rate_hz=RATE_HZ)[0])
    assert (best[20_000], best[60_000]) == (0, 1)


@pytest.mark.parametrize("block_s", [1.0, 5.0])
def test_score_does_not_depend_on_the_size_of_the_tiles(block_s: float) -> None:
    samples = with_events([4_000, 8_190, 30_000], [10.0, 10.0, 10.0])
    expected, _ = MatchedFilter().score(whitened_of(samples, rate_hz=RATE_HZ)[0])
    score, _ = MatchedFilter().score(whitened_of(samples, block_s=block_s, rate_hz=RATE_HZ)[0])
    np.testing.assert_allclose(score, expected, rtol=0, atol=1e-9)


def test_one_giant_is_one_event_without_echoes() -> None:
    for height_sd in (50.0, 2000.0):
        segments = segments_of(with_events([50_000], [height_sd]), rate_hz=RATE_HZ)
        (found,) = MatchedFilter().find(segments, noise=survey(segments, polarity="positive"))
        assert found.start.tolist() == [50_000]


def test_events_close_to_each_other_are_told_apart_and_cut_at_the_next_onset() -> None:
    segments = segments_of(with_events([50_000, 50_030], [40.0, 40.0]), rate_hz=RATE_HZ)
    (found,) = MatchedFilter().find(segments, noise=survey(segments, polarity="positive"))
    assert found.start.tolist() == pytest.approx([50_000, 50_030], abs=1)
    assert found.stop[0] <= found.start[1]


def test_no_probability_is_claimed() -> None:
    segments = segments_of(with_events([50_000], [40.0]), rate_hz=RATE_HZ)
    (found,) = MatchedFilter().find(segments, noise=survey(segments, polarity="positive"))
    assert np.isnan(found.probability).all()


def test_several_thresholds_at_once_give_what_each_alone_does() -> None:
    simulated = simulate_recording(Scenario(duration_s=10.0, rate_hz=3.0, sampling_rate_hz=RATE_HZ), seed=1)
    segments = segments_of(simulated.values, rate_hz=RATE_HZ)
    learned = survey(segments)
    thresholds = [3.0, 5.0, 12.0]
    together = MatchedFilter().find_at(segments, noise=learned, thresholds=thresholds)
    for threshold, (found,) in zip(thresholds, together, strict=True):
        (alone,) = MatchedFilter().find(segments, noise=learned, threshold=threshold)
        np.testing.assert_array_equal(found.start, alone.start)
        np.testing.assert_array_equal(found.stop, alone.stop)
    assert len(together[0][0]) > len(together[1][0]) > len(together[2][0]) > 0


def test_f1_on_reference_recordings_at_level_10_is_at_least_09() -> None:
    counts = np.zeros(3)
    for index in range(3):
        simulated = simulate_recording(reference_scenario(level=10.0, index=index), seed=700 + index)
        segments = segments_of(simulated.values, rate_hz=10_000.0)
        (found,) = MatchedFilter().find(segments, noise=survey(segments))
        matching = match_times(simulated.truth.peak_s, found.peak / 10_000.0, tolerance_s=0.005)
        counts += len(matching.pairs), len(matching.missed), len(matching.false)
    n_pairs, n_missed, n_false = counts
    assert 2.0 * n_pairs / (2.0 * n_pairs + n_missed + n_false) >= 0.9


def test_noise_that_grows_at_the_end_is_not_taken_for_events() -> None:
    places = list(range(9_000, 190_000, 9_000))
    samples = noise(40.0)
    for place in places:
        samples[place : place + len(SHAPE)] += 12.0 * NOISE_SD * SHAPE
    samples[-20_000:] *= 1.0 + 1.7 * np.linspace(0.0, 1.0, 20_000)
    segments = segments_of(samples, rate_hz=RATE_HZ)
    (found,) = MatchedFilter().find(segments, noise=survey(segments, polarity="positive"))
    false = [start for start in found.start if np.abs(np.array(places) - start).min() > 10]
    assert len(false) <= 1
    assert len(found) >= len(places) - 1
