"""What is picked out of a result for show."""

from __future__ import annotations

import numpy as np
import pytest

from builders.tables import mepps_at
from builders.traces import trace_of
from nwb_mepp.plots.selection import aligned_mepps, choose_stretch, intervals_between


def test_the_stretch_holds_about_five_mepps_where_there_are_such():
    trace = trace_of(np.zeros(600_000))
    onsets = [5.0, 15.0, 30.0, 30.1, 30.2, 30.3, 30.4, 50.0]
    _, start_s, stop_s = choose_stretch(mepps_at(onsets), [trace])
    assert start_s < 30.0
    assert stop_s > 30.41
    assert stop_s - start_s == pytest.approx(1.0)


def test_among_equal_numbers_typical_amplitudes_win():
    mepps = mepps_at([10.0, 20.0, 30.0], amplitude=[3.0, 1.0, 0.9])
    _, start_s, stop_s = choose_stretch(mepps, [trace_of(np.zeros(600_000))])
    assert start_s < 20.0 < stop_s


def test_the_stretch_keeps_clear_of_other_events():
    trace = trace_of(np.zeros(600_000))
    mepps = mepps_at([5.2, 5.4, 5.6, 5.8, 6.2, 20.3])
    every_second = mepps_at(np.arange(1.0, 60.0).tolist())
    _, start_s, stop_s = choose_stretch(mepps, [trace], others=every_second)
    assert 5.0 < start_s < 5.2
    assert 5.8 < stop_s < 5.99
    _, start_s, stop_s = choose_stretch(mepps, [trace])
    assert start_s < 6.0 < stop_s


def test_the_stretch_stays_inside_its_sweep():
    traces = [trace_of(np.zeros(5000), sweep=k, start_s=10.0 * k) for k in range(2)]
    trace, start_s, stop_s = choose_stretch(mepps_at([], [0.4], sweep_starts_s=[0.0, 10.0]), traces)
    assert trace.sweep == 1
    assert (start_s, stop_s) == pytest.approx((10.0, 10.5))


def test_without_mepps_it_is_the_middle_of_the_longest_sweep():
    traces = [trace_of(np.zeros(100)), trace_of(np.zeros(50_000), sweep=1, start_s=2.0)]
    trace, start_s, stop_s = choose_stretch(mepps_at([]), traces)
    assert trace.sweep == 1
    assert (start_s, stop_s) == pytest.approx((4.0, 5.0))


def test_aligned_mepps_begin_at_their_onset_and_on_zero():
    values = np.full(50_000, -70e-3)
    for onset in (10_000, 20_000, 30_000):
        values[onset : onset + 30] += 0.5e-3
    time_s, rows, n_available = aligned_mepps(mepps_at([1.0, 2.0, 3.0]), [trace_of(values)])
    assert rows.shape == (3, len(time_s))
    assert n_available == 3
    np.testing.assert_allclose(rows[:, time_s < -1e-9], 0.0, atol=1e-12)
    np.testing.assert_allclose(rows[:, (time_s > -1e-9) & (time_s < 2.95e-3)], 0.5e-3)


def test_neighbors_and_cut_mepps_are_left_out_of_the_overlay():
    onsets = [0.0005, 1.0, 2.0, 3.0, 4.0, 4.005, 4.9985]
    _, rows, n_available = aligned_mepps(mepps_at(onsets), [trace_of(np.zeros(50_000))])
    assert n_available == len(rows) == 3


def test_not_more_than_two_hundred_are_overlaid_spread_over_all():
    onsets = np.arange(1, 500) * 0.05
    _, rows, n_available = aligned_mepps(mepps_at(onsets), [trace_of(np.zeros(300_000))])
    assert (len(rows), n_available) == (200, 499)


def test_no_interval_crosses_a_sweep_or_an_excluded_stretch():
    mepps = mepps_at([1.0, 2.0, 4.0], [7.0, 11.0])
    assert intervals_between(mepps).tolist() == [1.0, 2.0, 4.0]
    assert intervals_between(mepps, excluded=[(2.5, 3.0)]).tolist() == [1.0, 4.0]
