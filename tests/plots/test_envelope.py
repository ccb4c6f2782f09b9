"""What is drawn of a long recording."""

from __future__ import annotations

import numpy as np

from builders.traces import trace_of
from nwb_mepp.plots import envelope
from nwb_mepp.plots.envelope import TimeAxis, envelope_of


def test_a_single_extreme_sample_survives_reduction():
    values = np.zeros(100_000)
    values[12_345], values[70_001] = 5.0, -7.0
    reduced, _ = envelope_of(trace_of(values), n_columns=100)
    assert len(reduced.time_s) == 100
    assert (reduced.high.max(), reduced.low.min()) == (5.0, -7.0)
    assert reduced.high.argmax() == 12
    assert reduced.low.argmin() == 70


def test_the_block_size_does_not_matter(monkeypatch):
    trace = trace_of(np.random.default_rng(0).standard_normal(12_345))
    whole, _ = envelope_of(trace, n_columns=77)
    monkeypatch.setattr(envelope, "_BLOCK", 500)
    blocks, _ = envelope_of(trace, n_columns=77)
    np.testing.assert_array_equal(whole.high, blocks.high)
    np.testing.assert_array_equal(whole.low, blocks.low)


def test_a_trace_shorter_than_its_columns_is_shown_sample_by_sample():
    reduced, _ = envelope_of(trace_of([1.0, 2.0, 3.0]), n_columns=100)
    assert reduced.zigzag()[1].tolist() == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]


def test_columns_that_touch_an_excluded_stretch_are_marked():
    _, analyzed = envelope_of(trace_of(np.zeros(10_000)), n_columns=10, excluded=[(0.25, 0.3)])
    assert analyzed.tolist() == [True, True, False] + 7 * [True]


def test_sweeps_in_quick_succession_are_drawn_true_to_time():
    axis = TimeAxis([trace_of(np.zeros(10_000), sweep=k, start_s=1.2 * k) for k in range(3)])
    assert not axis.end_to_end
    assert axis.positions([1.3, 2.5], sweep=[1, 2]).tolist() == [1.3, 2.5]


def test_sweeps_far_apart_are_laid_end_to_end():
    axis = TimeAxis([trace_of(np.zeros(10_000), sweep=k, start_s=5.0 + 60.0 * k) for k in range(3)])
    assert axis.end_to_end
    assert axis.duration_s == 3.0
    assert axis.borders_s == (1.0, 2.0)
    np.testing.assert_allclose(axis.positions([5.5, 125.25], sweep=[0, 2]), [0.5, 2.25])
