"""The times of sweeps."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.core.errors import UsageError
from nwb_mepp.readers.sweeps import place_sweeps


def test_distinct_times_are_kept() -> None:
    placement = place_sweeps([(1050.3, 1054.3), (1059.2, 1063.2)], tolerance_s=1e-4)
    assert (placement.shifts_s, placement.stated, placement.note) == ((0.0, 0.0), True, "")


def test_an_overlap_of_less_than_half_a_sample_is_rounding() -> None:
    assert place_sweeps([(0.0, 1.00004), (1.0, 2.0)], tolerance_s=5e-5).stated


def test_sweeps_with_the_same_time_are_placed_end_to_end() -> None:
    placement = place_sweeps([(2.0, 3.0), (2.0, 5.0), (2.0, 2.5)], tolerance_s=1e-4)
    assert placement.shifts_s == (0.0, 1.0, 4.0)
    assert not placement.stated
    assert "states the same time for all 3 sweeps; they were placed end to end" in placement.note


def test_overlapping_sweeps_are_placed_end_to_end_with_a_note_of_their_own() -> None:
    placement = place_sweeps([(0.0, 2.0), (1.0, 3.0)], tolerance_s=1e-4)
    assert placement.shifts_s == (0.0, 1.0)
    assert "states times for its 2 sweeps at which they would overlap" in placement.note


def test_an_interval_spaces_coinciding_sweeps() -> None:
    placement = place_sweeps([(0.0, 1.0)] * 3, tolerance_s=1e-4, interval_s=2.5)
    assert placement.shifts_s == (0.0, 2.5, 5.0)
    assert placement.stated
    assert "placed 2.5 s apart" in placement.note


def test_an_interval_shorter_than_a_sweep_is_refused() -> None:
    with pytest.raises(UsageError, match=r"`sweep_interval_s`: expected at least the 2 s .*, found 1\.5 s"):
        place_sweeps([(0.0, 2.0)] * 2, tolerance_s=1e-4, interval_s=1.5)


def test_an_interval_that_agrees_with_the_file_is_accepted() -> None:
    placement = place_sweeps([(0.0, 1.0), (5.0, 6.0)], tolerance_s=1e-4, interval_s=5.0)
    assert placement.shifts_s == (0.0, 0.0)


def test_an_interval_that_contradicts_the_file_is_refused() -> None:
    with pytest.raises(UsageError, match=r"`sweep_interval_s=4` contradicts the file, .* begins 5 s after"):
        place_sweeps([(0.0, 1.0), (5.0, 6.0)], tolerance_s=1e-4, interval_s=4.0)


def test_an_interval_has_no_effect_on_a_single_sweep() -> None:
    assert place_sweeps([(3.0, 4.0)], tolerance_s=1e-4, interval_s=9.0).shifts_s == (0.0,)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 10)), min_size=1, max_size=12))
def test_placed_sweeps_never_overlap(starts_and_durations: list[tuple[float, float]]) -> None:
    spans = [(start, start + duration) for start, duration in starts_and_durations]
    shifts = place_sweeps(spans, tolerance_s=1e-4).shifts_s
    placed = [(start + shift, stop + shift) for (start, stop), shift in zip(spans, shifts, strict=True)]
    assert all(later >= stop - 2e-4 for (_, stop), (later, _) in pairwise(placed))
