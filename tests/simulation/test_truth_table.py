"""The truth as a table of MEPPs, and MEPPs put into given noise."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.simulation import Scenario, add_mepps, simulate_recording, true_mepps

CROWDED = Scenario(duration_s=2.0, rate_hz=60.0)


def test_sample_numbers_are_those_of_the_times_and_lie_in_the_trace() -> None:
    simulated = simulate_recording(CROWDED, seed=4)
    mepps = true_mepps(simulated.truth, simulated.trace())
    times_s = np.arange(20_000) / 10_000.0
    starts = np.minimum(np.searchsorted(times_s, mepps.start_s), 19_999)
    assert np.array_equal(mepps.start_index, starts)
    assert np.all(mepps.stop_index > mepps.start_index)
    assert mepps.stop_index.max() <= 20_000
    assert np.abs(mepps.peak_index / 10_000.0 - mepps.peak_s)[:-1].max() <= 0.5e-4 + 1e-9


def test_overlapped_are_those_that_the_next_one_cuts_short() -> None:
    simulated = simulate_recording(CROWDED, seed=4)
    mepps = true_mepps(simulated.truth, simulated.trace())
    assert np.array_equal(mepps.overlapped[:-1], mepps.stop_s[:-1] == mepps.start_s[1:])
    assert 0 < mepps.overlapped.sum() < len(mepps)


def test_a_trace_without_mepps_has_an_empty_truth() -> None:
    simulated = simulate_recording(Scenario(duration_s=1.0, rate_hz=0.0), seed=4)
    assert len(true_mepps(simulated.truth, simulated.trace())) == 0


def test_the_mepps_put_into_noise_are_those_of_the_same_seed() -> None:
    whole = simulate_recording(CROWDED, seed=4)
    noise = np.full(20_000, 0.25)
    added = add_mepps(noise, scenario=CROWDED, seed=4)
    assert np.array_equal(added.truth.start_s, whole.truth.start_s)
    assert np.array_equal(added.values, noise + whole.clean)


def test_noise_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected noise of shape \(20000,\), found \(10,\)"):
        add_mepps(np.zeros(10), scenario=CROWDED, seed=4)
