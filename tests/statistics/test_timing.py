"""Trains that are known in, hand-computed statistics out."""

from __future__ import annotations

import numpy as np
import pytest

from builders.tables import mepps_at
from builders.traces import segment_of
from nwb_mepp.core.segments import Segment
from nwb_mepp.statistics import describe_timing

RATE_HZ = 1000.0


def test_intervals_of_a_short_train_by_hand():
    # Intervals 1, 2 and 1 s: mean 4/3; SD sqrt(2)/3, CV sqrt(2)/4. Neighbors (1,2) and (2,1):
    # CV2 = 2 x 1/3; LV = 3 x (1/3)^2; LvR = LV x (1 + 4 x 0.005/3).
    timing = describe_timing(
        mepps_at([0.5, 1.5, 3.5, 4.5], rate_hz=RATE_HZ),
        segments=[segment_of(np.zeros(10_000), rate_hz=RATE_HZ)],
    )
    assert timing.analyzed_s == pytest.approx(10.0)
    assert timing.rate_hz == pytest.approx(0.4)
    assert timing.interval_mean == pytest.approx(4 / 3)
    assert timing.interval_cv == pytest.approx(np.sqrt(2) / 4)
    assert timing.interval_cv2 == pytest.approx(2 / 3)
    assert timing.interval_lv == pytest.approx(1 / 3)
    assert timing.interval_lvr == pytest.approx(1 / 3 * (1 + 0.02 / 3))
    assert np.isnan(timing.poisson_p)


def test_no_interval_crosses_a_sweep_border():
    segments = [segment_of(np.zeros(5000), sweep=k, start_s=5.0 * k, rate_hz=RATE_HZ) for k in range(2)]
    timing = describe_timing(mepps_at([1.0, 2.0], [1.0, 4.0], rate_hz=RATE_HZ), segments=segments)
    assert timing.interval_mean == pytest.approx(2.0)  # of 1 and 3 s
    assert timing.interval_cv == pytest.approx(0.5)
    # Neither sweep has two intervals that follow each other.
    assert np.isnan([timing.interval_cv2, timing.interval_lv, timing.interval_lvr]).all()


def test_no_interval_crosses_a_stretch_left_out():
    trace = segment_of(np.zeros(10_000), rate_hz=RATE_HZ).trace
    segments = [Segment(trace=trace, start=0, stop=4000), Segment(trace=trace, start=6000, stop=10_000)]
    timing = describe_timing(mepps_at([1.0, 2.0, 7.0, 9.0], rate_hz=RATE_HZ), segments=segments)
    assert timing.analyzed_s == pytest.approx(8.0)
    assert timing.rate_hz == pytest.approx(0.5)
    assert timing.interval_mean == pytest.approx(1.5)  # of 1 and 2 s


def test_neighbors_of_several_sweeps_count_alike():
    segments = [segment_of(np.zeros(20_000), sweep=k, start_s=20.0 * k, rate_hz=RATE_HZ) for k in range(2)]
    # Neighbors (1,1), (1,1) and (1,3): differences over sums 0, 0 and 1/2; CV2 = 2 x (1/2) / 3.
    timing = describe_timing(
        mepps_at([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 5.0], rate_hz=RATE_HZ), segments=segments
    )
    assert timing.interval_cv2 == pytest.approx(1 / 3)
    assert timing.interval_lv == pytest.approx(3 * (1 / 4) / 3)


def test_the_fano_factor_counts_in_whole_seconds_only():
    # Counts 2, 0, 1, 1 in four whole seconds: mean 1, variance 1/2. The last half second is left out.
    mepps = mepps_at([0.0, 0.999, 2.0, 3.5, 4.2], rate_hz=RATE_HZ)
    timing = describe_timing(mepps, segments=[segment_of(np.zeros(4500), rate_hz=RATE_HZ)])
    assert timing.fano_factor_1s == pytest.approx(0.5)


def test_an_onset_at_the_end_of_the_last_whole_second_is_left_out():
    timing = describe_timing(
        mepps_at([0.2, 1.2, 2.0], rate_hz=RATE_HZ), segments=[segment_of(np.zeros(2500), rate_hz=RATE_HZ)]
    )
    assert timing.fano_factor_1s == 0.0  # counts 1 and 1


@pytest.mark.parametrize("n_mepps", [0, 1, 2])
def test_too_few_mepps_leave_their_statistics_undefined(n_mepps):
    mepps = mepps_at([1.0, 2.5][:n_mepps], rate_hz=RATE_HZ)
    timing = describe_timing(mepps, segments=[segment_of(np.zeros(10_000), rate_hz=RATE_HZ)])
    assert timing.rate_hz == pytest.approx(n_mepps / 10)
    undefined = [timing.interval_cv, timing.interval_cv2, timing.interval_lv, timing.interval_lvr]
    assert np.isnan([*undefined, timing.poisson_p]).all()
    assert np.isnan(timing.interval_mean) == (n_mepps < 2)
    assert np.isnan(timing.fano_factor_1s) == (n_mepps == 0)


def test_a_recording_shorter_than_two_seconds_has_no_fano_factor():
    timing = describe_timing(
        mepps_at([0.1, 0.3], rate_hz=RATE_HZ), segments=[segment_of(np.zeros(1900), rate_hz=RATE_HZ)]
    )
    assert np.isnan(timing.fano_factor_1s)


def test_without_segments_there_is_no_rate():
    timing = describe_timing(mepps_at([], rate_hz=RATE_HZ), segments=[])
    assert timing.analyzed_s == 0.0
    assert np.isnan(timing.rate_hz)


def test_a_poisson_process_cut_into_short_sweeps_is_still_one():
    # Within sweeps of 1 s hardly an interval is longer than 1 s: taken alone they would look regular.
    onsets = np.cumsum(np.random.default_rng(4).exponential(1.0, 290))
    sweeps = [onsets[(onsets >= k) & (onsets < k + 1)] - k for k in range(300)]
    segments = [segment_of(np.zeros(1000), sweep=k, start_s=float(k), rate_hz=RATE_HZ) for k in range(300)]
    assert describe_timing(mepps_at(*sweeps, rate_hz=RATE_HZ), segments=segments).poisson_p > 0.05


def test_a_long_poisson_train_has_the_variation_of_one():
    onsets = np.cumsum(np.random.default_rng(5).exponential(0.2, 5000))
    timing = describe_timing(
        mepps_at(onsets, rate_hz=RATE_HZ),
        segments=[segment_of(np.zeros(int(onsets[-1] * 1000) + 1), rate_hz=RATE_HZ)],
    )
    statistics = [timing.interval_cv, timing.interval_cv2, timing.interval_lv, timing.fano_factor_1s]
    # Three standard errors of the Fano factor of 1000 counts, sqrt(2 / 1000) each.
    np.testing.assert_allclose(statistics, 1.0, atol=0.134)
