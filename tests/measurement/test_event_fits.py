"""Which events are fitted again, and where their fits arrive."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from builders.lab_noise import lab_trace
from builders.traces import segment_of
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.measurement.kinetics import locate


def near(onsets_s: npt.NDArray[np.float64]) -> Any:
    """Return candidates at 10 kHz whose peaks come 0.9 ms after some onsets."""
    peak = np.round((onsets_s + 0.9e-3) * 10e3).astype(np.int64)
    return SimpleNamespace(start=peak - 15, peak=peak, stop=peak + 30, probability=np.full(len(peak), 0.9))


def test_fits_that_begin_where_others_arrived_arrive_there_too() -> None:
    onsets_s = np.arange(0.05, 5.9, 0.02) + np.random.default_rng(2).uniform(0.0, 6e-3, 293)
    lab = lab_trace(onsets_s, level=10.0, decay_s=3e-3, seed=11, duration_s=6.0)
    located = locate([segment_of(lab.values)], [near(onsets_s)], polarity=Polarity.POSITIVE)
    noise = np.array([lab.noise_sd**2])
    rounds = [located.fit(noise, split=True)]
    for _ in range(2):
        rounds.append(rounds[-1].again(noise, split=True))
    first, second, third = (one.mepps() for one in rounds)
    # Tails and bins follow from the shapes, so that a fit may still move by a part of its error: most where
    # nothing was split nearby, so that the first round was not repeated.
    for before, after, median in ((first, second, 1e-2), (second, third, 1e-3)):
        assert len(before) == len(after) > 280
        moved = np.abs(after.amplitude - before.amplitude) / before.amplitude_se
        assert np.nanmedian(moved) < median
        assert np.nanquantile(moved, 0.95) < 0.1
        known = np.isfinite(before.decay_tau_s) & np.isfinite(after.decay_tau_s)
        assert np.mean(known) > 0.5
        moved = np.abs(after.decay_tau_s - before.decay_tau_s)[known] / before.decay_tau_se_s[known]
        assert np.median(moved) < 0.02
        assert np.quantile(moved, 0.9) < 0.2


def test_where_nothing_is_split_nearby_fits_stay_as_they_are() -> None:
    # Every 0.3 s a MEPP; onto one of them, another after 1.5 ms, for which there is no candidate.
    onsets_s = np.arange(0.1, 5.8, 0.3)
    lab = lab_trace(
        np.sort([*onsets_s, onsets_s[9] + 1.5e-3]), level=30.0, decay_s=3e-3, seed=5, duration_s=6.0
    )
    located = locate([segment_of(lab.values)], [near(onsets_s)], polarity=Polarity.POSITIVE)
    noise = np.array([lab.noise_sd**2])
    whole_ones, split = located.fit(noise).mepps(), located.fit(noise, split=True).mepps()
    assert len(split) == len(whole_ones) + 1
    beside = np.r_[0:8, 11:19]
    in_split = beside + (beside > 9)
    for name in ("start_index", "peak_index", "stop_index", "amplitude", "area", "amplitude_se"):
        np.testing.assert_array_equal(getattr(split, name)[in_split], getattr(whole_ones, name)[beside])
    np.testing.assert_allclose(split.decay_tau_s[in_split], whole_ones.decay_tau_s[beside], rtol=1e-9)
    pair_s = onsets_s[9] + np.array([0.0, 1.5e-3])
    np.testing.assert_allclose(split.start_index[9:11] / 10e3, pair_s, atol=0.4e-3)


def test_without_events_there_is_nothing_to_fit_again() -> None:
    located = locate([segment_of(np.zeros(1000))], [near(np.empty(0))], polarity=Polarity.POSITIVE)
    assert len(located.fit().again(np.ones(1)).mepps()) == 0
