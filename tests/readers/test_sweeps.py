"""The times of sweeps."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.core.errors import UsageError
from nwb_mepp.readers.sweeps import place_sweeps

RATE_HZ = 5000.0


def sweeps(*spans: tuple[float, float]) -> list[dict[str, tuple[float, int, float]]]:
    """Return sweeps of one channel that last from start to stop."""
    return [{"Vm": (start, round((stop - start) * RATE_HZ), RATE_HZ)} for start, stop in spans]


def test_distinct_times_are_kept() -> None:
    placement = place_sweeps(sweeps((1050.3, 1054.3), (1059.2, 1063.2)))
    assert (placement.shifts_s, placement.stated, placement.note) == ((0.0, 0.0), True, "")


def test_an_overlap_of_less_than_half_a_sample_is_rounding() -> None:
    assert place_sweeps(sweeps((0.00004, 1.00004), (1.0, 2.0))).stated


def test_sweeps_with_the_same_time_are_placed_end_to_end() -> None:
    placement = place_sweeps(sweeps((2.0, 3.0), (2.0, 5.0), (2.0, 2.5)))
    assert placement.shifts_s == (0.0, 1.0, 4.0)
    assert not placement.stated
    assert "states the same time for all 3 sweeps; they were placed end to end" in placement.note


def test_overlapping_sweeps_are_placed_end_to_end_with_a_note_of_their_own() -> None:
    placement = place_sweeps(sweeps((0.0, 2.0), (1.0, 3.0)))
    assert placement.shifts_s == (0.0, 1.0)
    assert "states times for its 2 sweeps at which they would overlap" in placement.note


def test_an_interval_spaces_coinciding_sweeps() -> None:
    placement = place_sweeps(sweeps((0.0, 1.0)) * 3, interval_s=2.5)
    assert placement.shifts_s == (0.0, 2.5, 5.0)
    assert placement.stated
    assert "placed 2.5 s apart" in placement.note


def test_an_interval_shorter_than_a_sweep_is_refused() -> None:
    with pytest.raises(UsageError, match=r"`sweep_interval_s`: expected at least the 2 s .*, found 1\.5 s"):
        place_sweeps(sweeps((0.0, 2.0)) * 2, interval_s=1.5)


def test_an_interval_that_agrees_with_the_file_is_accepted() -> None:
    placement = place_sweeps(sweeps((0.0, 1.0), (5.0, 6.0)), interval_s=5.0)
    assert placement.shifts_s == (0.0, 0.0)


def test_an_interval_that_contradicts_the_file_is_refused() -> None:
    with pytest.raises(UsageError, match=r"`sweep_interval_s=4` contradicts the file, .* begins 5 s after"):
        place_sweeps(sweeps((0.0, 1.0), (5.0, 6.0)), interval_s=4.0)


def test_an_interval_has_no_effect_on_a_single_sweep() -> None:
    assert place_sweeps(sweeps((3.0, 4.0)), interval_s=9.0).shifts_s == (0.0,)


def test_streams_of_different_rates_overlap_by_their_own_samples_only() -> None:
    # 25 kHz and 10 Hz, triggered every second: the last slow sample ends after the next trigger.
    first = {"fast": (0.0, 25_000, 25_000.0), "slow": (0.04, 10, 10.0)}
    second = {"fast": (1.0, 25_000, 25_000.0), "slow": (1.04, 10, 10.0)}
    assert place_sweeps([first, second]).stated
    late = {"fast": (1.0, 25_000, 25_000.0), "slow": (0.98, 10, 10.0)}
    assert not place_sweeps([first, late]).stated


def test_the_interval_of_the_protocol_may_replace_the_recorded_times() -> None:
    recorded = sweeps((0.0, 4.0), (8.9, 12.9), (17.8, 21.8))
    assert place_sweeps(recorded, nominal_s=10.0).shifts_s == (0.0, 0.0, 0.0)
    placement = place_sweeps(recorded, interval_s=10.0, nominal_s=10.0)
    assert placement.shifts_s == pytest.approx((0.0, 1.1, 2.2))
    assert placement.note.startswith("The protocol asks for another interval")
    with pytest.raises(UsageError, match="contradicts the file"):
        place_sweeps(recorded, interval_s=9.0, nominal_s=10.0)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 100), st.integers(500, 50_000)), min_size=1, max_size=12))
def test_placed_sweeps_never_overlap(starts_and_lengths: list[tuple[float, int]]) -> None:
    given = [{"Vm": (start, n_samples, RATE_HZ)} for start, n_samples in starts_and_lengths]
    shifts = place_sweeps(given).shifts_s
    placed = [
        (start + shift, start + shift + n_samples / RATE_HZ)
        for (start, n_samples), shift in zip(starts_and_lengths, shifts, strict=True)
    ]
    assert all(later >= stop - 1.001e-4 for (_, stop), (later, _) in pairwise(placed))
