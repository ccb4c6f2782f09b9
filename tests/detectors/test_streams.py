"""Filters and runs of a trace that comes in parts are those of the whole trace, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from nwb_mepp.detectors.noise_course import block_edges, block_medians
from nwb_mepp.detectors.streams import (
    BlockMedians,
    excerpts,
    moving_mean,
    moving_minimum,
    side_by_side,
    whole_runs,
)
from nwb_mepp.measurement.intervals import intervals_above

ROWS = arrays(np.float32, st.integers(1, 120), elements=st.floats(-1e3, 1e3, width=32))
CUTS = st.lists(st.integers(0, 120), max_size=6)


def in_parts(row: np.ndarray, cuts: list[int]) -> list[np.ndarray]:
    return np.split(row, sorted(min(cut, len(row)) for cut in cuts))


@settings(max_examples=80)
@given(row=ROWS, cuts=CUTS, size=st.integers(1, 41))
def test_moving_means_are_those_of_scipy(row: np.ndarray, cuts: list[int], size: int) -> None:
    expected = uniform_filter1d(row, size, output=np.float64)
    found = np.concatenate(list(moving_mean(in_parts(row, cuts), size)))
    assert found.tobytes() == expected.tobytes()


@settings(max_examples=80)
@given(row=ROWS, cuts=CUTS, size=st.integers(3, 41), origin=st.integers(-1, 1))
def test_moving_minima_are_those_of_scipy(row: np.ndarray, cuts: list[int], size: int, origin: int) -> None:
    expected = minimum_filter1d(row.astype(np.float64), size, origin=origin)
    found = np.concatenate(list(moving_minimum(in_parts(row, cuts), size, origin=origin)))
    np.testing.assert_array_equal(found, expected)


def test_a_stream_without_samples_gives_none() -> None:
    assert list(moving_mean([np.empty(0)], 5)) == []
    assert list(moving_minimum([], 5)) == []
    assert list(whole_runs([(np.empty(0),)], threshold=0.0)) == []


@settings(max_examples=60)
@given(row=ROWS, cuts=CUTS, threshold=st.floats(-10.0, 10.0))
def test_runs_are_found_in_parts_as_in_the_whole(row: np.ndarray, cuts: list[int], threshold: float) -> None:
    numbers = np.arange(len(row))
    sides = side_by_side(in_parts(row, cuts), [numbers[:7], numbers[7:]])
    found: list[list[int]] = []
    for first, (part, beside) in whole_runs(sides, threshold=threshold):
        np.testing.assert_array_equal(beside, first + np.arange(len(part)))
        found += (first + intervals_above(part, threshold=threshold)).tolist()
    assert found == intervals_above(row, threshold=threshold).tolist()


def test_not_a_number_ends_a_run() -> None:
    parts = [(np.array([2.0, np.nan]),), (np.array([2.0]),)]
    assert [first for first, _ in whole_runs(parts, threshold=1.0)] == [0, 2]


@settings(max_examples=60)
@given(row=ROWS, cuts=CUTS, pairs=st.lists(st.tuples(st.integers(0, 130), st.integers(0, 30)), max_size=8))
def test_excerpts_are_slices(row: np.ndarray, cuts: list[int], pairs: list[tuple[int, int]]) -> None:
    starts = sorted(start for start, _ in pairs)
    stops = [start + length for start, (_, length) in zip(starts, pairs, strict=True)]
    found = list(excerpts(in_parts(row, cuts), starts, stops))
    for one, start, stop in zip(found, starts, stops, strict=True):
        np.testing.assert_array_equal(one, row[start:stop])


def test_nothing_is_read_beyond_the_last_excerpt() -> None:
    read = []

    def parts():
        for number in range(5):
            read.append(number)
            yield np.full(10, float(number))

    assert [one.tolist() for one in excerpts(parts(), [8, 12], [11, 14])] == [[0.0, 0.0, 1.0], [1.0, 1.0]]
    assert read == [0, 1]


@pytest.mark.parametrize("cuts", [[], [1], [500, 501, 1_300], [1_250, 2_500]])
def test_medians_of_blocks_do_not_depend_on_the_parts(cuts: list[int]) -> None:
    row = np.random.default_rng(3).normal(size=3_000)
    edges = block_edges(len(row), sampling_rate_hz=1_000.0)
    medians = BlockMedians(edges)
    watched = np.concatenate(list(medians.watch(np.split(row, cuts))))
    assert watched.tobytes() == row.tobytes()
    assert medians.found.tolist() == block_medians(row, edges).tolist()
