"""The amplitude threshold: what stands out of the smoothed noise, wherever the baseline is."""

from __future__ import annotations

import numpy as np
import pytest

from builders.detectors import RATE_HZ, f1_on_reference, false_per_minute, noise, with_events
from builders.traces import segments_of, whitened_of
from nwb_mepp.conditioning import survey
from nwb_mepp.detectors import Threshold


def test_score_of_noise_has_mean_0_and_sd_1() -> None:
    (score,) = Threshold().scores(whitened_of(noise(40.0), rate_hz=RATE_HZ))
    assert score.shape == (200_000,)
    assert score.mean() == pytest.approx(0.0, abs=0.02)
    assert score.std() == pytest.approx(1.0, abs=0.02)


def test_score_is_in_sd_of_the_smoothed_noise() -> None:
    # A Gaussian of SD s samples leaves white noise of SD 1 with the SD (2 s sqrt(pi))**-0.5. A plateau of
    # 8 ms outlasts the smoothing (full width at half height 1.5 ms) and hardly moves the median of 50 ms.
    samples = noise(20.0)
    samples[50_000:50_040] += 10.0 * 0.05e-3
    (score,) = Threshold().scores(whitened_of(samples, rate_hz=RATE_HZ))
    s = 1.5e-3 * RATE_HZ / 2.3548
    assert score[50_010:50_030].mean() == pytest.approx(10.0 * np.sqrt(2.0 * s * np.sqrt(np.pi)), rel=0.08)


def test_a_baseline_that_wanders_by_a_hundred_noise_sd_does_no_harm() -> None:
    places = list(range(10_000, 90_000, 10_000))
    samples = with_events(places, [15.0] * len(places))
    samples += 100.0 * 0.05e-3 * np.sin(2.0 * np.pi * np.arange(len(samples)) / (10.0 * RATE_HZ))
    segments = segments_of(samples, rate_hz=RATE_HZ)
    (found,) = Threshold().find(segments, noise=survey(segments, polarity="positive"), threshold=6.0)
    # A MEPP of 0.7 ms rise peaks 1.3 ms, some 6 samples, after its onset.
    assert found.peak == pytest.approx(np.array(places) + 6, abs=3)


def test_a_candidate_reaches_over_the_half_height_width() -> None:
    # A triangle of 12 ms on each side, slow beside the smoothing, is at half its height 6 ms from the peak.
    samples = noise(20.0)
    samples[50_000 - 60 : 50_000 + 61] += 0.05e-3 * 60.0 * (1.0 - np.abs(np.arange(-60, 61)) / 60.0)
    segments = segments_of(samples, rate_hz=RATE_HZ)
    (found,) = Threshold().find(segments, noise=survey(segments, polarity="positive"), threshold=20.0)
    assert found.peak == pytest.approx([50_000], abs=2)
    assert found.start == pytest.approx([50_000 - 30], abs=5)
    assert found.stop == pytest.approx([50_000 + 30], abs=5)


def test_a_small_peak_just_before_a_large_one_keeps_its_place() -> None:
    segments = segments_of(with_events([50_000, 50_025], [30.0, 60.0]), rate_hz=RATE_HZ)
    (found,) = Threshold().find(segments, noise=survey(segments, polarity="positive"), threshold=6.0)
    assert found.peak == pytest.approx([50_006, 50_031], abs=3)
    assert found.stop[0] <= found.start[1]


def test_no_probability_is_claimed() -> None:
    segments = segments_of(with_events([50_000], [40.0]), rate_hz=RATE_HZ)
    (found,) = Threshold().find(segments, noise=survey(segments, polarity="positive"), threshold=6.0)
    assert len(found) == 1
    assert np.isnan(found.probability).all()


def test_f1_on_reference_recordings_at_level_10_is_at_least_08() -> None:
    assert f1_on_reference(Threshold(), level=10.0) >= 0.8


def test_noise_alone_gives_few_candidates() -> None:
    # Rice: noise of some 200 Hz crosses 4 SD upwards 200 exp(-8) times a second, four times a minute.
    assert false_per_minute(Threshold()) <= 6.0
