"""Which windows change with an event, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nwb_mepp._utils.spool import Spool
from nwb_mepp.measurement.fit_windows import affected_by
from nwb_mepp.measurement.noise_weights import Bins
from nwb_mepp.measurement.shape_fit import Shapes
from nwb_mepp.measurement.train import Train

BINS = Bins.around_peak(10e3)
# The first bin begins 15 ms before the peak, and a tail of 2 ms counts for eight times as long.
BEFORE, TAIL = 150, 160


def train_of(peaks: list[int], *, low: list[int] | None = None) -> tuple[Train, Shapes]:
    """Return events that all decay with 2 ms; those with the same ``low`` are in the same segment."""
    n_events = len(peaks)
    first = np.zeros(n_events, dtype=np.int64) if low is None else np.array(low)
    train = Train(np.array(peaks), first, first + 10**6, Spool(), np.zeros(n_events, dtype=bool))
    values = {"onset_s": -1e-3, "tau_rise_s": 0.4e-3, "tau_decay_s": 2e-3, "amplitude": 1.0}
    blank = Shapes.blank(n_events, power=1)
    return train, replace(blank, **{name: np.full(n_events, value) for name, value in values.items()})


def affected(train: Train, shapes: Shapes, *changed: int) -> list[int]:
    return np.flatnonzero(
        affected_by(np.isin(np.arange(len(shapes)), changed), train=train, shapes=shapes, bins=BINS)
    ).tolist()


def test_the_bins_are_those_that_the_expected_values_are_worked_out_from() -> None:
    assert -BINS.edges[0] == BEFORE


def test_an_event_affects_the_one_before_and_those_that_its_tail_reaches() -> None:
    reached = TAIL + BEFORE
    train, shapes = train_of([0, 5000, 5000 + reached - 1, 5000 + reached, 9000])
    assert affected(train, shapes, 1) == [0, 1, 2]


def test_the_next_event_is_affected_however_far_it_is() -> None:
    # Its level while nothing is known of it is that of the event before.
    train, shapes = train_of([0, 5000, 20_000])
    assert affected(train, shapes, 0) == [0, 1]


def test_a_long_tail_reaches_beyond_events_with_short_ones() -> None:
    train, shapes = train_of([0, 1000, 2000, 3000])
    shapes.tau_decay_s[0] = 25e-3  # 2000 samples for eight times as long
    assert affected(train, shapes, 0) == [0, 1, 2]


def test_where_there_is_no_shape_there_is_no_tail() -> None:
    train, shapes = train_of([0, 200, 250])
    shapes.amplitude[0] = 0.0
    assert affected(train, shapes, 0) == [0, 1]


@pytest.mark.parametrize("changed", [0, 1])
def test_other_segments_are_not_affected(changed: int) -> None:
    train, shapes = train_of([0, 100_050], low=[0, 100_000])
    assert affected(train, shapes, changed) == [changed]


def test_nothing_changes_with_nothing() -> None:
    train, shapes = train_of([0, 100])
    assert affected(train, shapes) == []
