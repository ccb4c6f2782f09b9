"""Segments of traces: what remains when stretches are excluded, and reflection beyond their borders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.traces import segment_of, trace_of
from nwb_mepp.core.segments import BlockReader, Segment, cut_segments, fold_indices

# Hundredths of a second, so that borders at, between and beyond samples are all likely.
times_s = st.integers(-50, 250).map(lambda hundredths: hundredths / 100)


def runs_of(mask: np.ndarray) -> list[tuple[int, int]]:
    """Return the runs of a mask, determined sample by sample."""
    runs: list[tuple[int, int]] = []
    for index, kept in enumerate(mask):
        if kept and (index == 0 or not mask[index - 1]):
            runs.append((index, index))
        if kept:
            runs[-1] = (runs[-1][0], index + 1)
    return runs


@settings(max_examples=200)
@given(
    n_samples=st.integers(0, 25),
    start_s=times_s,
    excluded=st.lists(st.tuples(times_s, times_s), max_size=5),
)
def test_segments_are_the_runs_of_samples_outside_all_excluded_stretches(
    n_samples: int, start_s: float, excluded: list[tuple[float, float]]
) -> None:
    trace = trace_of(np.zeros(n_samples), start_s=start_s, rate_hz=10.0)
    # Whole hundredths keep the comparison exact: sample i lies at 100 * start_s + 10 i of them.
    times = round(100 * start_s) + 10 * np.arange(n_samples)
    kept = np.ones(n_samples, dtype=bool)
    for first_s, last_s in excluded:
        kept &= ~((round(100 * first_s) <= times) & (times < round(100 * last_s)))
    segments = list(cut_segments([trace], excluded=excluded))
    assert [(segment.start, segment.stop) for segment in segments] == runs_of(kept)


def test_segments_come_in_order_of_trace_and_time() -> None:
    first, second = trace_of(np.zeros(10), rate_hz=10.0), trace_of(np.zeros(10), start_s=2.0, rate_hz=10.0)
    segments = list(cut_segments([first, second], excluded=[(2.5, 2.6), (0.2, 0.4)]))
    assert [(segment.trace is second, segment.start, segment.stop) for segment in segments] == [
        (False, 0, 2),
        (False, 4, 10),
        (True, 0, 5),
        (True, 6, 10),
    ]


def test_a_stretch_between_two_samples_cuts_nothing() -> None:
    (segment,) = cut_segments([trace_of(np.zeros(10), rate_hz=10.0)], excluded=[(0.31, 0.39), (0.5, 0.5)])
    assert (segment.start, segment.stop) == (0, 10)


def test_rounding_errors_do_not_shift_a_border_by_a_sample() -> None:
    # 1000.3 - 1000.0 is 0.29999999999995 in binary, times 10 kHz just below 3000.
    trace = trace_of(np.zeros(10_000), start_s=1000.0)
    segments = list(cut_segments([trace], excluded=[(1000.3, 1000.4)]))
    assert [(segment.start, segment.stop) for segment in segments] == [(0, 3000), (4000, 10_000)]


def test_a_trace_that_is_completely_excluded_gives_no_segment() -> None:
    assert list(cut_segments([trace_of(np.zeros(10), rate_hz=10.0)], excluded=[(-1.0, 5.0)])) == []


@settings(max_examples=100)
@given(
    samples=st.lists(st.integers(-9, 9), min_size=1, max_size=12),
    before=st.integers(0, 40),
    after=st.integers(0, 40),
)
def test_values_beyond_the_borders_are_reflected_as_by_numpy_pad(
    samples: list[int], before: int, after: int
) -> None:
    stored = np.array([99, *samples, 99], dtype=np.int16)
    segment = Segment(trace=trace_of(stored, conversion=2.0, offset=1.0), start=1, stop=len(stored) - 1)
    # numpy's "reflect" cannot pad a single sample; its "edge" repeats it, which is the same.
    mode = "reflect" if len(samples) > 1 else "edge"
    padded = np.pad(np.array(samples) * 2.0 + 1.0, (before, after), mode=mode)  # type: ignore[call-overload]
    np.testing.assert_array_equal(segment.values(-before, len(samples) + after), padded)


@settings(max_examples=100)
@given(n_samples=st.integers(1, 10), start=st.integers(-30, 30), length=st.integers(1, 10))
def test_values_of_a_slice_are_that_slice_of_all_values(n_samples: int, start: int, length: int) -> None:
    segment = segment_of(np.arange(n_samples))
    whole = segment.values(-30, 40)
    np.testing.assert_array_equal(
        segment.values(start, start + length), whole[start + 30 : start + 30 + length]
    )


@pytest.mark.parametrize("n_samples", [1, 2, 3, 7])
def test_folded_indices_run_back_and_forth_over_the_trace(n_samples: int) -> None:
    there_and_back = [*range(n_samples), *range(n_samples - 2, 0, -1)] * 4
    expected = there_and_back[: 2 * n_samples + 3]
    assert fold_indices(range(len(expected)), n_samples=n_samples).tolist() == expected
    # Reflection at sample 0 makes negative indices mirror positive ones.
    assert fold_indices([-index for index in range(len(expected))], n_samples=n_samples).tolist() == expected


@settings(max_examples=60)
@given(
    stretches=st.lists(st.tuples(st.integers(-70, 70), st.integers(0, 90)), min_size=1, max_size=12),
    block=st.integers(1, 40),
)
def test_a_block_reader_gives_the_same_as_reading_directly(
    stretches: list[tuple[int, int]], block: int
) -> None:
    segment = segment_of(np.arange(30) ** 2)
    reader = BlockReader(segment.values, block=block)
    for start, length in stretches:
        np.testing.assert_array_equal(
            reader(start, start + length), segment.values(-80, 170)[start + 80 :][:length]
        )


def test_a_block_reader_reads_each_block_once_for_sequential_access() -> None:
    read: list[tuple[int, int]] = []

    def spy(start: int, stop: int) -> np.ndarray:
        read.append((start, stop))
        return np.arange(float(start), float(stop))

    reader = BlockReader(spy, block=100)
    for start in range(0, 900, 10):
        reader(start, start + 95)
    assert read == [(start, start + 100) for start in range(0, 1_000, 100)]
