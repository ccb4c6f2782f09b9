"""Inferring sampling rates from printed times, and refusing irregular ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.readers.text.time_column import (
    IrregularTimesError,
    samples_per_time_unit,
    simplest_rate_between,
)


def printed(rate: float, n: int, *, decimals: int, start: float = 0.0) -> np.ndarray:
    return np.array([float(f"{start + k / rate:.{decimals}f}") for k in range(n)])


@settings(max_examples=40)
@given(
    rate=st.sampled_from([1000.0, 5000.0, 10_000.0, 12_500.0, 20_000.0, 25_000.0, 50_000.0]),
    n=st.integers(200, 3000),
    decimals=st.integers(5, 9),
    start=st.sampled_from([0.0, 0.1, 12.5, 3600.0]),
)
def test_a_round_rate_is_found_exactly(rate: float, n: int, decimals: int, start: float) -> None:
    assert samples_per_time_unit(printed(rate, n, decimals=decimals, start=start)) == rate


def test_four_decimals_give_ten_kilohertz_exactly() -> None:
    assert samples_per_time_unit(printed(10_000, 5000, decimals=4)) == 10_000.0


@pytest.mark.parametrize("rate", [44_100.0, 16_652.8, 33_300.0, 403.226])
def test_any_other_rate_is_found_within_the_precision_of_the_decimals(rate: float) -> None:
    times = printed(rate, 20_000, decimals=5)
    assert samples_per_time_unit(times) == pytest.approx(rate, rel=4e-5 / times[-1])


def test_times_coarser_than_the_sampling_interval_are_accepted() -> None:
    assert samples_per_time_unit(printed(10_000, 20_000, decimals=3)) == 10_000.0


def test_a_round_interval_is_found_exactly() -> None:
    times = np.array([float(f"{k * 30e-6:.6f}") for k in range(10_000)])
    assert samples_per_time_unit(times) == pytest.approx(1 / 30e-6, rel=1e-12)


def test_times_rounded_to_float32_give_the_round_rate() -> None:
    times = np.float64(np.arange(600_000, dtype=np.float32) * np.float32(0.1))
    assert samples_per_time_unit(times) == 10.0


@settings(max_examples=40)
@given(
    decimals=st.sampled_from([4, 5, 6]),
    n=st.integers(50, 2000),
    where=st.floats(0.05, 0.95),
    n_missing=st.integers(1, 20),
)
def test_missing_lines_are_reported_at_the_right_row(
    decimals: int, n: int, where: float, n_missing: int
) -> None:
    times = printed(10_000, n + n_missing, decimals=decimals)
    gap = max(2, int(where * n))
    times = np.delete(times, slice(gap, gap + n_missing))
    with pytest.raises(IrregularTimesError, match="the time step is") as caught:
        samples_per_time_unit(times)
    assert caught.value.row == gap


def test_a_duplicated_line_is_refused() -> None:
    times = np.insert(printed(10_000, 1000, decimals=4), 500, 0.0499)
    with pytest.raises(
        IrregularTimesError, match=r"the time step is 0 instead of the usual 0\.0001"
    ) as caught:
        samples_per_time_unit(times)
    assert caught.value.row == 500


def test_decreasing_times_are_refused() -> None:
    with pytest.raises(IrregularTimesError, match="the time does not increase") as caught:
        samples_per_time_unit(np.array([0.0, 0.1, 0.2, 0.1, 0.2]))
    assert caught.value.row == 3


def test_a_single_time_is_refused() -> None:
    with pytest.raises(IrregularTimesError, match="there is only one"):
        samples_per_time_unit(np.array([0.0]))


def test_a_drifting_rate_is_refused() -> None:
    times = np.cumsum(np.linspace(1e-4, 1.05e-4, 10_000))
    with pytest.raises(IrregularTimesError, match="change in the course of the file"):
        samples_per_time_unit(times)


def test_event_times_are_refused() -> None:
    with pytest.raises(IrregularTimesError, match="the time step is"):
        samples_per_time_unit(np.array([0.197, 0.740, 0.795, 1.1, 1.9]))


@settings(max_examples=100)
@given(near=st.floats(1e-3, 1e6), part=st.floats(1e-9, 0.3))
def test_the_simplest_number_lies_within_its_limits(near: float, part: float) -> None:
    assert (
        near * (1 - part)
        <= simplest_rate_between(near * (1 - part), near * (1 + part), near=near)
        <= near * (1 + part)
    )
