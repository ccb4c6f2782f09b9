"""Precision, recall, F1 and intersection over union."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.evaluation import count_matches, f1, interval_iou, match_times, patch_iou, precision, recall

intervals_strategy = st.lists(
    st.tuples(st.integers(-20, 120), st.integers(0, 30)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    max_size=6,
)


def test_counts_are_matched_missed_and_false() -> None:
    matching = match_times([1.0, 2.0, 3.0], [1.001, 5.0], tolerance_s=0.005)
    assert count_matches(matching).tolist() == [1, 2, 1]


def test_scores_of_one_recording_follow_their_definitions() -> None:
    # 6 of 8 finds are true; 6 of 10 events were found; F1 = 12 / (12 + 4 + 2).
    assert precision([6, 4, 2]) == 6 / 8
    assert recall([6, 4, 2]) == 6 / 10
    assert f1([6, 4, 2]) == 12 / 18


def test_recordings_are_pooled_event_by_event() -> None:
    counts = [[90, 10, 0], [0, 0, 10]]
    assert precision(counts) == 0.9
    assert recall(counts) == 0.9
    assert f1(counts) == 0.9


@settings(max_examples=100)
@given(counts=st.tuples(st.integers(1, 99), st.integers(0, 99), st.integers(0, 99)))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(counts: tuple[int, int, int]) -> None:
    assert f1(counts) == pytest.approx(2 / (1 / precision(counts) + 1 / recall(counts)))


def test_without_truth_and_finds_all_scores_are_undefined() -> None:
    assert all(np.isnan(score([0, 0, 0])) for score in (precision, recall, f1))


def test_events_without_finds_leave_only_precision_undefined() -> None:
    assert np.isnan(precision([0, 5, 0]))
    assert (recall([0, 5, 0]), f1([0, 5, 0])) == (0.0, 0.0)


def test_finds_without_events_leave_only_recall_undefined() -> None:
    assert np.isnan(recall([0, 0, 5]))
    assert (precision([0, 0, 5]), f1([0, 0, 5])) == (0.0, 0.0)


def test_counts_of_another_shape_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"expected counts of shape \(3,\) or \(n_recordings, 3\), found \(2,\)"
    ):
        f1([1, 2])


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="found a negative one"):
        recall([1, -2, 0])


@settings(max_examples=100)
@given(truth=intervals_strategy, found=intervals_strategy)
def test_iou_equals_that_of_masks_drawn_sample_by_sample(
    truth: list[tuple[int, int]], found: list[tuple[int, int]]
) -> None:
    masks = np.zeros((2, 100), dtype=bool)
    for mask, intervals in zip(masks, (truth, found), strict=True):
        for start, stop in intervals:
            mask[max(start, 0) : max(stop, 0)] = True
    n_union = (masks[0] | masks[1]).sum()
    expected = (masks[0] & masks[1]).sum() / n_union if n_union else float("nan")
    iou = interval_iou(
        np.array(truth) / 10_000, np.array(found) / 10_000, duration_s=0.01, sampling_rate_hz=10_000.0
    )
    assert iou == pytest.approx(expected, nan_ok=True)


@settings(max_examples=100)
@given(truth=intervals_strategy, found=intervals_strategy, peak=st.integers(0, 99))
def test_iou_in_patches_is_that_of_the_patches_that_hold_an_event(
    truth: list[tuple[int, int]], found: list[tuple[int, int]], peak: int
) -> None:
    masks = np.zeros((2, 100), dtype=bool)
    for mask, intervals in zip(masks, (truth, found), strict=True):
        for start, stop in intervals:
            mask[max(start, 0) : max(stop, 0)] = True
    # Patches of 10 samples from the first one on.
    patch = masks[:, 10 * (peak // 10) : 10 * (peak // 10) + 10]
    n_union = patch.any(axis=0).sum()
    expected = patch.all(axis=0).sum() / n_union if n_union else float("nan")
    iou = patch_iou(
        np.array(truth) / 10_000,
        np.array(found) / 10_000,
        events_s=[peak / 10_000, 0.5],  # what lies outside the recording does not count
        duration_s=0.01,
        sampling_rate_hz=10_000.0,
        patch_s=0.001,
    )
    assert iou == pytest.approx(expected, nan_ok=True)


def test_a_false_find_in_a_patch_without_event_costs_nothing_there() -> None:
    intervals = [[0.1, 0.104], [0.5, 0.506]]
    whole = {"duration_s": 1.0, "sampling_rate_hz": 10_000.0}
    assert patch_iou(intervals[:1], intervals, events_s=[0.1], **whole) == 1.0
    assert interval_iou(intervals[:1], intervals, **whole) == pytest.approx(0.4)


def test_iou_of_equal_intervals_is_one_and_of_disjoint_ones_zero() -> None:
    assert interval_iou([[0.1, 0.2]], [[0.1, 0.2]], duration_s=1.0, sampling_rate_hz=1000.0) == 1.0
    assert interval_iou([[0.1, 0.2]], [[0.2, 0.3]], duration_s=1.0, sampling_rate_hz=1000.0) == 0.0


def test_a_start_on_a_sample_includes_that_sample_in_spite_of_rounding() -> None:
    # 0.29 s * 100 Hz is 28.999999999999996 in floating point; samples 29 and 30 are meant.
    assert interval_iou([[0.29, 0.31]], [[0.29, 0.30]], duration_s=1.0, sampling_rate_hz=100.0) == 0.5


def test_iou_without_any_interval_is_undefined() -> None:
    assert np.isnan(interval_iou([], [], duration_s=1.0, sampling_rate_hz=1000.0))


def test_intervals_of_another_shape_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"expected found of shape \(n_intervals, 2\), found \(3,\)"):
        interval_iou([[0, 1]], [1, 2, 3], duration_s=1.0, sampling_rate_hz=1000.0)


def test_an_interval_that_stops_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="found one in truth that does not"):
        interval_iou([[0.2, 0.1]], [], duration_s=1.0, sampling_rate_hz=1000.0)


def test_intervals_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="NaN or infinity in truth"):
        interval_iou([[0.2, float("inf")]], [], duration_s=1.0, sampling_rate_hz=1000.0)


@pytest.mark.parametrize(
    ("duration_s", "rate", "name"), [(0.0, 1000.0, "duration_s"), (1.0, float("nan"), "sampling_rate_hz")]
)
def test_a_duration_or_rate_that_is_not_positive_is_refused(
    duration_s: float, rate: float, name: str
) -> None:
    with pytest.raises(ValueError, match=f"expected a positive {name}"):
        interval_iou([], [], duration_s=duration_s, sampling_rate_hz=rate)
