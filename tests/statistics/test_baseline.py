"""Levels that are known in, mean and slope out."""

from __future__ import annotations

import numpy as np
import pytest

from builders.traces import segment_of
from nwb_mepp.statistics import sample_baseline

RATE_HZ = 1000.0


def test_a_constant_trace_has_its_level_and_no_drift():
    level = sample_baseline([segment_of(np.full(10_000, -70e-3), rate_hz=RATE_HZ)])
    assert level.mean == pytest.approx(-70e-3)
    assert level.drift_per_s == pytest.approx(0.0, abs=1e-15)


def test_a_straight_line_has_its_middle_and_its_slope():
    time_s = np.arange(20_000) / 1000
    level = sample_baseline([segment_of(-70e-3 + 1e-4 * time_s, rate_hz=RATE_HZ)])
    assert level.mean == pytest.approx(-70e-3 + 1e-4 * 9.9995)
    assert level.drift_per_s == pytest.approx(1e-4)


def test_drift_is_measured_over_session_time_across_sweeps():
    sweeps = [
        segment_of(np.full(1000, value), start_s=start, rate_hz=RATE_HZ)
        for value, start in [(1.0, 0.0), (3.0, 10.0)]
    ]
    level = sample_baseline(sweeps)
    assert level.mean == pytest.approx(2.0)
    assert level.drift_per_s == pytest.approx(0.2)


def test_mepps_do_not_move_the_level():
    values = np.zeros(10_000)
    values[::20] = 1.0
    assert sample_baseline([segment_of(values, rate_hz=RATE_HZ)]).mean == 0.0


def test_every_sample_counts_once_whatever_the_length_of_the_segments():
    # 2.5 s at level 1 and 0.5 s at level 4: (2.5 x 1 + 0.5 x 4) / 3 = 1.5.
    segments = [
        segment_of(np.full(2500, 1.0), rate_hz=RATE_HZ),
        segment_of(np.full(500, 4.0), start_s=3.0, rate_hz=RATE_HZ),
    ]
    assert sample_baseline(segments).mean == pytest.approx(1.5)


def test_a_segment_of_one_second_has_a_level_but_no_slope():
    level = sample_baseline([segment_of(np.full(1000, 5.0), rate_hz=RATE_HZ)])
    assert level.mean == 5.0
    assert np.isnan(level.drift_per_s)


def test_without_segments_nothing_is_known():
    level = sample_baseline([])
    assert np.isnan(level.mean)
    assert np.isnan(level.drift_per_s)


def test_group_a_of_winchester_lies_at_minus_61_pa(shared_data):
    pyabf = pytest.importorskip("pyabf")
    recording = pyabf.ABF(str(shared_data / "recordings" / "winchester" / "GroupA.abf"))
    # The header says mV, the numbers are milliamperes.
    level = sample_baseline([segment_of(recording.sweepY * 1e-3, rate_hz=recording.dataRate)])
    assert level.mean == pytest.approx(-61e-12, abs=1e-12)
