"""Matching of found events to true ones, checked against every matching there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.evaluation import match_times

# Whole milliseconds make crowds, ties and distances of exactly the tolerance likely.
times_ms = st.lists(st.integers(0, 40), max_size=6)


def best_by_trying_all(truth: list[int], found: list[int], tolerance: int) -> tuple[int, int]:
    """Number of pairs and total distance of the best one-to-one matching, by enumeration."""
    shorter, longer = sorted([truth, found], key=len)
    best = (0, 0)
    for partners in itertools.permutations(longer, len(shorter)):
        distances = [abs(a - b) for a, b in zip(shorter, partners, strict=True)]
        kept = [distance for distance in distances if distance <= tolerance]
        best = min(best, (-len(kept), sum(kept)))
    return -best[0], best[1]


@settings(max_examples=200)
@given(truth=times_ms, found=times_ms, tolerance=st.integers(0, 12))
def test_no_other_matching_has_more_pairs_or_as_many_with_less_distance(
    truth: list[int], found: list[int], tolerance: int
) -> None:
    truth_s, found_s = np.array(truth) / 1000, np.array(found) / 1000
    matching = match_times(truth_s, found_s, tolerance_s=tolerance / 1000)
    distances_ms = np.abs(truth_s[matching.pairs[:, 0]] - found_s[matching.pairs[:, 1]]) * 1000
    n_pairs, total_ms = best_by_trying_all(truth, found, tolerance)
    assert len(matching.pairs) == n_pairs
    assert distances_ms.sum() == pytest.approx(total_ms, abs=1e-6)
    assert (distances_ms <= tolerance + 1e-6).all()


@settings(max_examples=100)
@given(
    truth=st.lists(st.floats(0, 10), max_size=40),
    found=st.lists(st.floats(0, 10), max_size=40),
    tolerance_s=st.floats(0, 1),
)
def test_every_event_is_a_pair_a_miss_or_a_false_find_exactly_once(
    truth: list[float], found: list[float], tolerance_s: float
) -> None:
    matching = match_times(truth, found, tolerance_s=tolerance_s)
    assert sorted([*matching.pairs[:, 0], *matching.missed]) == list(range(len(truth)))
    assert sorted([*matching.pairs[:, 1], *matching.false]) == list(range(len(found)))


@settings(max_examples=50)
@given(truth=times_ms, found=times_ms)
def test_exchanging_truth_and_finds_keeps_the_number_of_pairs(truth: list[int], found: list[int]) -> None:
    forward = match_times(np.array(truth) / 1000, np.array(found) / 1000, tolerance_s=0.005)
    backward = match_times(np.array(found) / 1000, np.array(truth) / 1000, tolerance_s=0.005)
    assert len(forward.pairs) == len(backward.pairs)
    assert len(forward.missed) == len(backward.false)


def test_two_finds_of_one_event_give_one_pair_with_the_nearer_and_one_false_find() -> None:
    matching = match_times([0.100], [0.097, 0.101], tolerance_s=0.005)
    assert matching.pairs.tolist() == [[0, 1]]
    assert matching.false.tolist() == [0]
    assert matching.missed.tolist() == []


def test_a_nearer_partner_is_given_up_where_that_makes_one_pair_more() -> None:
    # 103 is 1 from 104 and 3 from 100; only 103-100 leaves 108 a partner (104).
    matching = match_times([0.100, 0.104], [0.103, 0.108], tolerance_s=0.004)
    assert matching.pairs.tolist() == [[0, 0], [1, 1]]


def test_a_distance_of_exactly_the_tolerance_is_a_pair() -> None:
    assert 0.305 - 0.3 > 0.005  # the difference of these two floats
    assert len(match_times([0.3], [0.305], tolerance_s=0.005).pairs) == 1
    assert len(match_times([0.3], [0.3051], tolerance_s=0.005).pairs) == 0


def test_tolerance_zero_pairs_equal_times_only() -> None:
    assert match_times([0.1, 0.2], [0.2, 0.3], tolerance_s=0.0).pairs.tolist() == [[1, 0]]


def test_indices_refer_to_arrays_in_the_order_given() -> None:
    matching = match_times([3.0, 1.0, 2.0], [2.001, 9.0, 3.001], tolerance_s=0.005)
    assert matching.pairs.tolist() == [[2, 0], [0, 2]]
    assert matching.missed.tolist() == [1]
    assert matching.false.tolist() == [1]


@pytest.mark.parametrize(
    ("truth", "found", "n_missed", "n_false"), [([], [], 0, 0), ([0.1], [], 1, 0), ([], [0.1], 0, 1)]
)
def test_an_empty_side_gives_no_pairs(
    truth: list[float], found: list[float], n_missed: int, n_false: int
) -> None:
    matching = match_times(truth, found, tolerance_s=0.005)
    assert matching.pairs.shape == (0, 2)
    assert (len(matching.missed), len(matching.false)) == (n_missed, n_false)


def test_many_crowded_events_are_matched_as_wholly_as_few() -> None:
    truth = np.arange(400) * 0.001
    matching = match_times(truth, truth + 0.0004, tolerance_s=0.005)
    assert (matching.pairs[:, 0] == matching.pairs[:, 1]).all()
    assert len(matching.pairs) == 400


@pytest.mark.parametrize("tolerance_s", [-0.001, float("nan"), float("inf")])
def test_a_tolerance_that_is_not_a_distance_is_refused(tolerance_s: float) -> None:
    with pytest.raises(ValueError, match="expected a tolerance of 0 s or more"):
        match_times([0.1], [0.1], tolerance_s=tolerance_s)


def test_times_that_are_not_finite_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="NaN or infinity in found_s"):
        match_times([0.1], [float("nan")], tolerance_s=0.005)


def test_times_of_two_dimensions_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"expected truth_s of shape \(n,\), found shape \(1, 1\)"):
        match_times([[0.1]], [0.1], tolerance_s=0.005)
