"""Levels that are known in, mean and slope out."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.statistics import sample_baseline


def test_a_constant_trace_has_its_level_and_no_drift(make_segment):
    level = sample_baseline([make_segment(np.full(10_000, -70e-3))])
    assert level.mean == pytest.approx(-70e-3)
    assert level.drift_per_s == pytest.approx(0.0, abs=1e-15)


def test_a_straight_line_has_its_middle_and_its_slope(make_segment):
    time_s = np.arange(20_000) / 1000
    level = sample_baseline([make_segment(-70e-3 + 1e-4 * time_s)])
    assert level.mean == pytest.approx(-70e-3 + 1e-4 * 9.9995)
    assert level.drift_per_s == pytest.approx(1e-4)


def test_drift_is_measured_over_session_time_across_sweeps(make_segment):
    sweeps = [make_segment(np.full(1000, value), start_s=start) for value, start in [(1.0, 0.0), (3.0, 10.0)]]
    level = sample_baseline(sweeps)
    assert level.mean == pytest.approx(2.0)
    assert level.drift_per_s == pytest.approx(0.2)


def test_mepps_do_not_move_the_level(make_segment):
    values = np.zeros(10_000)
    values[::20] = 1.0
    assert sample_baseline([make_segment(values)]).mean == 0.0


def test_every_sample_counts_once_whatever_the_length_of_the_segments(make_segment):
    # 2.5 s at level 1 and 0.5 s at level 4: (2.5 x 1 + 0.5 x 4) / 3 = 1.5.
    segments = [make_segment(np.full(2500, 1.0)), make_segment(np.full(500, 4.0), start_s=3.0)]
    assert sample_baseline(segments).mean == pytest.approx(1.5)


def test_a_segment_of_one_second_has_a_level_but_no_slope(make_segment):
    level = sample_baseline([make_segment(np.full(1000, 5.0))])
    assert level.mean == 5.0
    assert np.isnan(level.drift_per_s)


def test_without_segments_nothing_is_known():
    level = sample_baseline([])
    assert np.isnan(level.mean)
    assert np.isnan(level.drift_per_s)


def test_group_a_of_winchester_lies_at_minus_61_pa(make_segment, shared_data):
    pyabf = pytest.importorskip("pyabf")
    recording = pyabf.ABF(str(shared_data / "recordings" / "winchester" / "GroupA.abf"))
    # The header says mV, the numbers are milliamperes.
    level = sample_baseline([make_segment(recording.sweepY * 1e-3, rate_hz=recording.dataRate)])
    assert level.mean == pytest.approx(-61e-12, abs=1e-12)
