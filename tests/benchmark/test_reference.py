from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nwb_mepp.benchmark import LevelScores, run_reference, score_recording
from nwb_mepp.benchmark.tables import level_table
from nwb_mepp.mepps import Mepps
from nwb_mepp.simulation import BENCHMARK_SEEDS_FROM, LEVELS, Scenario, Simulated, Truth, reference_scenario


@pytest.fixture
def simulated() -> Simulated:
    """A recording of 1 s whose two MEPPs are set by hand."""
    truth = Truth(
        start_s=np.array([0.1, 0.5]),
        peak_s=np.array([0.102, 0.502]),
        stop_s=np.array([0.110, 0.510]),
        amplitude=np.array([1e-3, 2e-3]),
        rise_10_90_s=np.array([1e-3, 1e-3]),
        decay_tau_s=np.array([4e-3, 4e-3]),
    )
    nothing = np.zeros(10_000)
    return Simulated(scenario=Scenario(duration_s=1.0), seed=0, values=nothing, truth=truth, clean=nothing)


def found(*rows: tuple[float, float, float, float, float]) -> Mepps:
    """Make a table from start, peak, stop (s), amplitude (V) and decay (s)."""
    start_s, peak_s, stop_s, amplitude, decay_tau_s = np.array(rows).T
    empty = Mepps.empty("Vm", "V")
    columns = {name: np.zeros(len(rows), getattr(empty, name).dtype) for name in Mepps.array_names()}
    stated = {"start_s": start_s, "peak_s": peak_s, "stop_s": stop_s, "amplitude": amplitude}
    return Mepps(channel="Vm", unit="V", **(columns | stated | {"decay_tau_s": decay_tau_s}))


def test_counts_errors_and_overlap_come_from_the_truth(simulated: Simulated) -> None:
    mepps = found((0.101, 0.1025, 0.110, 0.9e-3, 5e-3), (0.7, 0.702, 0.71, 1e-3, 4e-3))
    scores = score_recording(simulated, mepps)
    assert scores.counts.tolist() == [1, 1, 1]
    assert scores.peak_error_s == pytest.approx([0.5e-3])
    assert scores.onset_error_s == pytest.approx([1e-3])
    assert scores.amplitude_error == pytest.approx([-0.1])
    assert scores.decay_error == pytest.approx([0.25])
    # 9 ms in common; 10 ms and 10 ms true, 9 ms and 10 ms found.
    assert scores.iou == pytest.approx(9.0 / (20.0 + 19.0 - 9.0))


def test_a_peak_more_than_5_ms_away_does_not_count(simulated: Simulated) -> None:
    scores = score_recording(simulated, found((0.1, 0.1071, 0.11, 1e-3, 4e-3)))
    assert scores.counts.tolist() == [0, 2, 1]


def test_the_reference_recording_is_the_one_that_is_defined() -> None:
    scenarios = [reference_scenario(level=6.0, index=index) for index in range(12)]
    assert [scenario.rate_hz for scenario in scenarios] == [0.5, 1.0, 3.0] * 4
    assert [scenario.bursts_per_s > 0 for scenario in scenarios] == [False, False, False, True] * 3
    assert all(scenario.noise_sd == pytest.approx(0.5e-3 / 6.0) for scenario in scenarios)
    assert all(2 <= sum(scenario.artefacts.values()) <= 7 for scenario in scenarios)
    assert scenarios[0].hum_amplitudes == (0.03e-3, 0.015e-3, 0.01e-3)
    assert LEVELS == (2.0, 3.0, 4.0, 6.0, 10.0)
    assert BENCHMARK_SEEDS_FROM == 1_000_000_000


def test_one_recording_of_one_level_makes_a_table() -> None:
    scores = run_reference(level=10.0, detectors=("matched_filter",), n_recordings=1)
    n_truth = scores.counts("matched_filter")[0, :2].sum()
    assert n_truth == scores.oracle_counts[0, :2].sum() > 10
    # With the true shape and the best threshold of all, the oracle loses to the plain filter by chance only.
    assert 2.5 <= scores.oracle_threshold <= 6.5
    table = level_table([scores]).splitlines()
    assert [line.split("|")[2].strip()[:14] for line in table[2:]] == ["matched_filter", "matched filter"]


def test_a_table_gives_the_difference_to_the_oracle(simulated: Simulated) -> None:
    perfect = score_recording(
        simulated, found((0.1, 0.102, 0.11, 1e-3, 4e-3), (0.5, 0.502, 0.51, 2e-3, 4e-3))
    )
    half = replace(perfect, counts=np.array([1, 1, 1]))
    scores = LevelScores(
        level=6.0,
        by_detector={"good": [perfect, perfect], "poor": [half, half]},
        oracle_counts=np.array([[1, 1, 1], [1, 1, 1]]),
        oracle_threshold=4.5,
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in level_table([scores]).splitlines()]
    by_name = {row[1]: row for row in rows[2:]}
    assert by_name["good"][2] == "1.000 (1.000 to 1.000)"
    assert by_name["good"][5] == "+0.500 (+0.500 to +0.500)"
    assert by_name["poor"][2:6] == ["0.500 (0.500 to 0.500)", "0.500", "0.500", "+0.000 (+0.000 to +0.000)"]
