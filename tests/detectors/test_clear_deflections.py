"""Clear deflections that look like MEPPs, and which of them no MEPP explains."""

from __future__ import annotations

import numpy as np
import pytest

from builders.detectors import RATE_HZ, noise, with_events
from builders.tables import mepps_at
from builders.traces import NOISE_SD, segments_of
from nwb_mepp.conditioning import survey
from nwb_mepp.detectors import find_clear_deflections, unexplained
from nwb_mepp.simulation import reference_scenario, simulate_recording

PLACES = (10_000, 30_000, 60_000, 90_000)


def onsets_s(samples: np.ndarray, **trace: float) -> list[float]:
    segments = segments_of(samples, **({"rate_hz": RATE_HZ} | trace))
    (found,) = find_clear_deflections(segments, noise=survey(segments, polarity="positive"))
    return found.tolist()


def test_clear_mepps_are_found_where_they_begin_and_small_ones_are_not() -> None:
    # In white noise an event of 0.7 and 2.5 ms stands out by 3.6 times its amplitude: 22, 15, 5 and 36 SD.
    samples = with_events(PLACES, [6.0, 4.0, 1.5, 10.0])
    expected_s = np.array(PLACES)[[0, 1, 3]] / RATE_HZ
    assert onsets_s(samples) == pytest.approx(expected_s, abs=1e-3)
    later_s = onsets_s(samples, start_s=100.0)
    assert later_s == pytest.approx(expected_s + 100.0, abs=1e-3)


def test_what_is_no_mepp_is_not_found() -> None:
    samples = noise()
    samples[20_000:] += 12.0 * NOISE_SD  # a step
    samples[40_000] += 30.0 * NOISE_SD  # a spike
    samples[60_000:60_100] -= 20.0 * NOISE_SD * np.exp(-np.arange(100) / 12.0)  # the wrong way
    width = np.arange(-1_000, 1_000) / 300.0
    samples[79_000:81_000] += 20.0 * NOISE_SD * np.exp(-0.5 * width**2)  # a slow wave
    assert onsets_s(samples) == []


def test_noise_that_grows_is_no_deflection() -> None:
    growing = noise(40.0)
    growing[-20_000:] *= np.linspace(1.0, 4.0, 20_000)
    assert onsets_s(growing) == []


def test_nothing_else_is_found_in_a_usual_recording() -> None:
    simulated = simulate_recording(reference_scenario(level=6.0, index=1), seed=31)
    rate_hz = simulated.scenario.sampling_rate_hz
    found_s = np.array(onsets_s(simulated.values, rate_hz=rate_hz))
    near = np.abs(found_s[:, None] - simulated.truth.start_s) < 3e-3
    assert near.any(axis=1).all()
    # Those of 5 SD of the noise, which begin more than 20 ms from any other, are all there.
    truth = simulated.truth
    alone = np.diff(truth.start_s, prepend=-1.0, append=100.0)
    large = truth.amplitude > 5.0 * simulated.scenario.noise_sd
    clear = large & (np.minimum(alone[:-1], alone[1:]) > 0.02)
    assert clear.sum() > 20
    assert near.any(axis=0)[clear].all()


def test_a_short_segment_is_searched_too() -> None:
    samples = with_events(PLACES[:1], [8.0])[8_000:11_000]
    assert onsets_s(samples) == pytest.approx([0.4], abs=1e-3)


def test_a_mepp_explains_what_begins_within_5_ms_of_its_interval() -> None:
    segments = segments_of(noise(), rate_hz=RATE_HZ)
    mepps = mepps_at([2.0, 5.0])
    length_s = float(mepps.stop_s[0] - mepps.start_s[0])
    clear_s = np.array([1.0, 1.994, 1.996, 2.0, 2.0 + length_s + 0.004, 2.0 + length_s + 0.006, 5.001])
    left = unexplained([clear_s], segments=segments, mepps=mepps)
    assert left == ((0, 1.0), (0, 1.994), (0, 2.0 + length_s + 0.006))
    none = mepps.select(np.zeros(2, dtype=bool))
    assert len(unexplained([clear_s], segments=segments, mepps=none)) == len(clear_s)


def test_a_mepp_explains_nothing_in_another_sweep() -> None:
    segments = [*segments_of(noise(), rate_hz=RATE_HZ), *segments_of(noise(), rate_hz=RATE_HZ, sweep=1)]
    clear_s = [np.array([2.0]), np.array([2.0])]
    assert unexplained(clear_s, segments=segments, mepps=mepps_at([2.0])) == ((1, 2.0),)
