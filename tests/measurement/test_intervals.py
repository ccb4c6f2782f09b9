"""Hand-drawn scores in, exact intervals out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nwb_mepp.measurement.intervals import intervals_above, split_at_minima

NAN = float("nan")
scores = arrays(np.float64, st.integers(0, 60), elements=st.floats(0, 1) | st.just(NAN))


def test_a_stretch_above_the_threshold_is_one_interval_with_exclusive_stop() -> None:
    assert intervals_above([0, 1, 1, 0], threshold=0.5).tolist() == [[1, 3]]


def test_a_sample_equal_to_the_threshold_is_below() -> None:
    assert intervals_above([0.5, 0.6, 0.5], threshold=0.5).tolist() == [[1, 2]]


def test_nan_counts_as_below_and_parts_a_stretch() -> None:
    assert intervals_above([1, NAN, 1, NAN], threshold=0.5).tolist() == [[0, 1], [2, 3]]


def test_stretches_cut_by_either_end_are_kept() -> None:
    assert intervals_above([1, 1, 0, 1], threshold=0.5).tolist() == [[0, 2], [3, 4]]


def test_a_score_above_throughout_is_one_interval() -> None:
    assert intervals_above(np.ones(7), threshold=0.5).tolist() == [[0, 7]]


def test_stretches_shorter_than_min_samples_are_dropped() -> None:
    assert intervals_above([1, 0, 1, 1, 0, 1, 1, 1], threshold=0.5, min_samples=2).tolist() == [
        [2, 4],
        [5, 8],
    ]


@pytest.mark.parametrize("score", [[], [0.0, 0.1], [NAN]])
def test_no_stretch_gives_an_empty_table_of_whole_numbers(score: list[float]) -> None:
    found = intervals_above(score, threshold=0.5)
    assert found.shape == (0, 2)
    assert found.dtype == np.int64


def test_a_score_of_two_dimensions_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(n_samples,\), found shape \(2, 3\)"):
        intervals_above(np.zeros((2, 3)), threshold=0.5)


@given(score=scores, threshold=st.floats(0, 1), min_samples=st.integers(1, 5))
@settings(max_examples=60)
def test_every_interval_is_a_longest_run_above(score: np.ndarray, threshold: float, min_samples: int) -> None:
    inside = np.zeros(len(score), bool)
    for start, stop in intervals_above(score, threshold=threshold, min_samples=min_samples):
        assert stop - start >= min_samples
        assert start == 0 or not score[start - 1] > threshold
        assert stop == len(score) or not score[stop] > threshold
        inside[start:stop] = True
    assert np.all(score[inside] > threshold)
    if min_samples == 1:
        np.testing.assert_array_equal(inside, score > threshold)


def test_a_dip_of_half_the_lower_maximum_splits_at_the_minimum() -> None:
    # Maxima 9 and 7; half of 7 is 3.5, and 3 lies below it.
    assert split_at_minima([[0, 5]], [6, 9, 3, 7, 6], depth=0.5).tolist() == [[0, 2], [2, 5]]


def test_a_shallower_dip_does_not_split() -> None:
    assert split_at_minima([[0, 5]], [6, 9, 3.6, 7, 6], depth=0.5).tolist() == [[0, 5]]


def test_a_slope_without_a_second_maximum_does_not_split() -> None:
    assert split_at_minima([[0, 5]], [16, 8, 4, 2, 1], depth=0.5).tolist() == [[0, 5]]
    assert split_at_minima([[0, 5]], [1, 2, 4, 8, 16], depth=0.5).tolist() == [[0, 5]]


def test_ripples_on_the_way_down_do_not_hide_a_deep_minimum() -> None:
    score = [10, 9, 9.5, 6, 6.5, 4, 4.5, 2, 9, 10]
    assert split_at_minima([[0, 10]], score, depth=0.6).tolist() == [[0, 7], [7, 10]]


def test_three_maxima_give_three_parts_and_intervals_keep_their_own() -> None:
    score = [8, 2, 8, 2, 8, 0, 5, 5]
    assert split_at_minima([[0, 5], [6, 8]], score, depth=0.5).tolist() == [[0, 1], [1, 3], [3, 5], [6, 8]]


def test_a_flat_minimum_is_cut_at_its_first_sample() -> None:
    assert split_at_minima([[0, 5]], [8, 1, 1, 1, 8], depth=0.5).tolist() == [[0, 1], [1, 5]]


def test_nan_and_negative_scores_inside_an_interval_count_as_zero() -> None:
    assert split_at_minima([[0, 3]], [8, NAN, 8], depth=0.9).tolist() == [[0, 1], [1, 3]]
    assert split_at_minima([[0, 3]], [8, -3, 8], depth=0.9).tolist() == [[0, 1], [1, 3]]


def test_no_interval_stays_none() -> None:
    found = split_at_minima(np.empty((0, 2)), [1.0, 2.0], depth=0.5)
    assert found.shape == (0, 2)
    assert found.dtype == np.int64


@pytest.mark.parametrize("depth", [0.0, 1.0, -0.1])
def test_a_depth_outside_0_to_1_is_refused(depth: float) -> None:
    with pytest.raises(ValueError, match="expected depth between 0 and 1"):
        split_at_minima([[0, 1]], [1.0], depth=depth)


@pytest.mark.parametrize("interval", [[-1, 1], [0, 3], [1, 1]])
def test_an_interval_outside_the_score_or_empty_is_refused(interval: list[int]) -> None:
    with pytest.raises(ValueError, match=r"0 <= start < stop <= 2"):
        split_at_minima([interval], [1.0, 1.0], depth=0.5)


@given(score=arrays(np.float64, st.integers(1, 60), elements=st.integers(1, 9)), depth=st.floats(0.05, 0.95))
@settings(max_examples=60)
def test_parts_cover_the_interval_and_each_cut_is_deep_enough(score: np.ndarray, depth: float) -> None:
    parts = split_at_minima([[0, len(score)]], score, depth=depth)
    assert parts[0, 0] == 0
    assert parts[-1, 1] == len(score)
    np.testing.assert_array_equal(parts[1:, 0], parts[:-1, 1])
    maxima = [score[start:stop].max() for start, stop in parts]
    for left, right, cut in zip(maxima[:-1], maxima[1:], parts[1:, 0], strict=True):
        assert score[cut] <= (1 - depth) * min(left, right) * (1 + 1e-12)


def test_a_score_in_single_precision_is_compared_in_double_precision() -> None:
    # In single precision, 0.05 is 0.0500000007 and the threshold would be, too.
    score = np.full(3, 0.05, dtype=np.float32)
    assert intervals_above(score, threshold=0.05).tolist() == [[0, 3]]
