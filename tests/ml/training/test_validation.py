"""The score that decides when a training ends: event-level F1 on whole traces."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.ml.training import Example
from nwb_mepp.ml.training.validation import ScoredCandidates, anomaly_f1, best_f1, event_f1, run_network

RATE_HZ = 5000.0


def found(times: list[float], scores: list[float], truth: list[float]) -> ScoredCandidates:
    return ScoredCandidates(time_s=np.array(times), score=np.array(scores), truth_s=np.array(truth))


def test_f1_is_that_at_the_best_threshold_with_events_pooled() -> None:
    first = found([0.1, 0.2, 0.3], [0.9, 0.5, 0.1], [0.1, 0.2])
    second = found([0.1], [0.4], [0.5])
    # At 0.5: two matched, one missed, none false: 4 / 5. At 0.9: 2 / 4; at 0.4: 4 / 6; at 0.1: 4 / 7.
    assert best_f1([first, second]) == pytest.approx(0.8)


@pytest.mark.parametrize(("shift_s", "expected"), [(0.005, 1.0), (0.0052, 0.0)])
def test_peaks_count_within_5_ms(shift_s: float, expected: float) -> None:
    assert best_f1([found([0.1 + shift_s], [0.9], [0.1])]) == expected


def test_nothing_found_scores_nothing() -> None:
    assert best_f1([found([], [], [0.1])]) == 0.0
    assert best_f1([found([0.3], [0.1], [])]) == 0.0


@pytest.mark.parametrize("n_samples", [1, 4096, 4097, 70_000])
def test_a_network_runs_over_a_trace_of_any_length(n_samples: int) -> None:
    trace = np.random.default_rng(0).normal(size=n_samples).astype(np.float32)
    assert np.array_equal(run_network(lambda blocks: 2.0 * blocks, trace), 2.0 * trace)


def test_a_network_sees_across_the_borders_of_blocks() -> None:
    trace = np.random.default_rng(0).normal(size=10_000).astype(np.float32)
    shifted = run_network(lambda blocks: np.roll(blocks, 100, axis=1), trace)
    assert np.array_equal(shifted[100:], trace[:-100])


def bumps(peaks: list[int]) -> Example:
    mask = np.zeros(20_000, dtype=np.uint8)
    for peak in peaks:
        mask[peak - 7 : peak + 13] = 1
    return Example(trace=10.0 * mask.astype(np.float32), mask=mask, peak=np.array(peaks))


def test_a_network_that_marks_the_mepps_scores_1_and_one_that_marks_half_of_them_two_thirds() -> None:
    example = bumps([3000, 9000])
    assert event_f1(lambda blocks: blocks - 5.0, [example], sampling_rate_hz=RATE_HZ) == 1.0

    def first_half(blocks: np.ndarray) -> np.ndarray:
        logits = blocks - 5.0
        logits[1:] = -5.0  # all blocks but the first, which ends at sample 4096
        return logits

    # One matched, one missed, none false.
    assert event_f1(first_half, [example], sampling_rate_hz=RATE_HZ) == pytest.approx(2 / 3)


def test_an_autoencoder_that_reproduces_all_but_mepps_scores_1() -> None:
    rng = np.random.default_rng(0)
    trace = 0.1 * rng.standard_normal(40_000).astype(np.float32)
    peaks = np.array([10_000, 30_000])
    for peak in peaks:
        trace[peak : peak + 90] += 8.0 * np.exp(-np.arange(90) / 40.0).astype(np.float32)
    mask = np.zeros(40_000, dtype=np.uint8)
    example = Example(trace=trace, mask=mask, peak=peaks)
    assert anomaly_f1(lambda blocks: np.clip(blocks, -0.5, 0.5), [example], sampling_rate_hz=10_000.0) == 1.0
