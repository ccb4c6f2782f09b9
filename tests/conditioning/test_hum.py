"""Mains hum: found where it is and only there, taken out without touching the MEPPs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.traces import NOISE_SD, segment_of, white_noise
from nwb_mepp.conditioning import Hum, find_hum
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.core.segments import Segment
from nwb_mepp.simulation import Scenario, simulate_recording
from nwb_mepp.simulation.noise import colored_noise, mains_hum

RATE_HZ = 5_000.0


def hum(
    frequency_hz: float, amplitudes: tuple[float, ...], *, n_samples: int, rate_hz: float = RATE_HZ
) -> np.ndarray:
    """Return hum whose amplitudes are given in SD of the noise."""
    return NOISE_SD * mains_hum(
        n_samples,
        sampling_rate_hz=rate_hz,
        frequency_hz=frequency_hz,
        amplitudes=amplitudes,
        phase_drift_rad_per_sqrt_s=0.1,
        rng=np.random.default_rng(99),
    )


def share_left(samples: np.ndarray, line: np.ndarray, found: Hum) -> float:
    """Return what removal leaves of the hum, as a fraction of its SD."""
    segment = segment_of(samples, rate_hz=RATE_HZ)
    removed = samples - found.remove(segment, 0, segment.n_samples)
    return float(np.std(line - removed) / np.std(line))


@pytest.mark.parametrize("frequency_hz", [49.85, 50.03, 60.02])
def test_hum_is_found_at_its_own_frequency_and_removed_with_its_harmonics(frequency_hz: float) -> None:
    background = white_noise(150_000)
    line = hum(frequency_hz, (1.0, 0.0, 0.6, 0.0, 0.4), n_samples=len(background))
    samples = background + line
    found = find_hum([segment_of(samples, rate_hz=RATE_HZ)], noise_sd=NOISE_SD)
    assert found is not None
    assert found.frequency_hz == pytest.approx(frequency_hz, abs=0.03)
    assert set(found.harmonics) == {1, 3, 5}
    assert found.amplitude == pytest.approx(2.0 * NOISE_SD, rel=0.15)
    assert share_left(samples, line, found) < 0.2


def test_hum_without_its_fundamental_is_found_by_two_harmonics() -> None:
    background = white_noise(150_000)
    line = hum(50.02, (0.0, 0.8, 0.0, 0.8), n_samples=len(background))
    found = find_hum([segment_of(background + line, rate_hz=RATE_HZ)], noise_sd=NOISE_SD)
    assert found is not None
    assert set(found.harmonics) == {2, 4}
    assert share_left(background + line, line, found) < 0.2


def test_one_line_alone_that_is_not_a_fundamental_is_left_as_it_is() -> None:
    background = white_noise(150_000)
    line = hum(50.0, (0.0, 0.0, 1.0), n_samples=len(background))
    assert find_hum([segment_of(background + line, rate_hz=RATE_HZ)], noise_sd=NOISE_SD) is None


@pytest.mark.parametrize("duration_s", [2.5, 4.5, 6.5, 20.0])
def test_no_hum_is_found_in_plain_noise(duration_s: float) -> None:
    found = [
        find_hum(
            [segment_of(white_noise(int(RATE_HZ * duration_s), seed=seed), rate_hz=RATE_HZ)],
            noise_sd=NOISE_SD,
        )
        for seed in range(20)
    ]
    assert found == [None] * 20


def test_no_hum_is_found_in_drifting_pink_noise() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        pink = colored_noise(50_000, sampling_rate_hz=RATE_HZ, exponent=1.5, rng=rng)
        drift = np.cumsum(rng.standard_normal(50_000)) / np.sqrt(RATE_HZ) * 20.0
        assert find_hum([segment_of(NOISE_SD * (pink + drift), rate_hz=RATE_HZ)], noise_sd=NOISE_SD) is None


def test_hum_in_one_short_sweep_is_found_where_it_is_strong() -> None:
    background = white_noise(12_500)
    line = hum(50.0, (2.0, 1.0), n_samples=len(background))
    found = find_hum([segment_of(background + line, rate_hz=RATE_HZ)], noise_sd=NOISE_SD)
    assert found is not None
    assert share_left(background + line, line, found) < 0.2


def test_segments_too_short_to_resolve_a_line_are_passed_over() -> None:
    background = white_noise(9_500)
    line = hum(50.0, (5.0,), n_samples=len(background))
    assert find_hum([segment_of(background + line, rate_hz=RATE_HZ)], noise_sd=NOISE_SD) is None


def test_a_constant_trace_has_no_hum() -> None:
    assert find_hum([segment_of(np.full(50_000, -0.075), rate_hz=RATE_HZ)], noise_sd=1.0) is None


def test_removal_hardly_changes_the_amplitude_of_mepps() -> None:
    scenario = Scenario(duration_s=30.0, rate_hz=3.0, sampling_rate_hz=RATE_HZ, noise_sd=NOISE_SD)
    simulated = simulate_recording(scenario, seed=3)
    line = hum(50.03, (2.0, 1.0, 0.5), n_samples=len(simulated.values))
    segment = segment_of(simulated.values + line, rate_hz=RATE_HZ)
    found = find_hum([segment], noise_sd=NOISE_SD)
    assert found is not None
    change = found.remove(segment, 0, segment.n_samples) - simulated.values
    onsets = np.round(simulated.truth.start_s * RATE_HZ).astype(int)
    peaks = np.round(simulated.truth.peak_s * RATE_HZ).astype(int)
    change_of_amplitude = change[peaks] - change[onsets]
    assert np.abs(change_of_amplitude.mean()) < 0.01 * scenario.amplitude_mean
    assert np.abs(change_of_amplitude).max() < 0.03 * scenario.amplitude_mean
    # Nor does it leave or invent much elsewhere: less than a fifth of the noise.
    assert np.std(change) < 0.2 * NOISE_SD


@pytest.fixture(scope="module")
def humming() -> tuple[Segment, Hum, np.ndarray]:
    # An odd rate, so that the bins of the estimate hold no whole number of cycles; an odd length, too.
    rate_hz = 4_410.7
    samples = white_noise(int(9.37 * rate_hz), seed=5)
    samples += hum(50.0, (3.0, 1.0), n_samples=len(samples), rate_hz=rate_hz) - 0.075
    segment = segment_of(samples, rate_hz=rate_hz)
    found = find_hum([segment], noise_sd=NOISE_SD)
    assert found is not None
    return segment, found, found.remove(segment, 0, segment.n_samples)


@settings(max_examples=60)
@given(start=st.integers(0, 41_000), length=st.integers(1, 12_000))
def test_removal_does_not_depend_on_the_stretch_asked_for(
    humming: tuple[Segment, Hum, np.ndarray], start: int, length: int
) -> None:
    segment, found, whole = humming
    stop = min(start + length, segment.n_samples)
    np.testing.assert_allclose(found.remove(segment, start, stop), whole[start:stop], rtol=0, atol=1e-13)


@settings(max_examples=20)
@given(before=st.integers(0, 60_000), after=st.integers(0, 60_000))
def test_beyond_the_borders_the_result_is_reflected(
    humming: tuple[Segment, Hum, np.ndarray], before: int, after: int
) -> None:
    segment, found, whole = humming
    expected = np.pad(whole, (before, after), mode="reflect")
    result = found.remove(segment, -before, segment.n_samples + after)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("n_samples", [1, 2, 7, 499, 501])
def test_removal_works_on_segments_shorter_than_a_bin(n_samples: int) -> None:
    segment = segment_of(white_noise(n_samples), rate_hz=RATE_HZ)
    found = Hum(frequency_hz=50.0, harmonics=(1, 2), amplitude=NOISE_SD, clip=4.0 * NOISE_SD)
    assert np.isfinite(found.remove(segment, -3, n_samples + 3)).all()


class Counting(ArraySource):
    """Samples in memory that count how many of them were read."""

    n_read = 0

    def read(self, start: int, stop: int) -> np.ndarray:
        self.n_read += stop - start
        return super().read(start, stop)


def counted(n_samples: int) -> tuple[Segment, Counting]:
    source = Counting(white_noise(n_samples))
    segment = segment_of(white_noise(n_samples), rate_hz=RATE_HZ)
    return replace(segment, trace=replace(segment.trace, source=source)), source


def test_a_stretch_that_is_read_again_is_not_demodulated_again() -> None:
    segment, source = counted(100_000)
    found = Hum(frequency_hz=50.0, harmonics=(1,), amplitude=NOISE_SD, clip=4.0 * NOISE_SD)
    found.remove(segment, 0, 100_000)
    before = source.n_read
    found.remove(segment, 40_000, 41_000)
    assert (before, source.n_read - before) == (200_000, 1_000)


def test_what_is_kept_of_the_hum_does_not_grow_with_the_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of four stretches of 100 bins of one line two are kept.
    monkeypatch.setattr("nwb_mepp.conditioning.hum._MAX_KEPT_BYTES", 2 * 100 * 16)
    segment, source = counted(200_000)
    found = Hum(frequency_hz=50.0, harmonics=(1,), amplitude=NOISE_SD, clip=4.0 * NOISE_SD)
    whole = found.remove(segment, 0, 200_000)
    before = source.n_read
    again = found.remove(segment, 10_000, 11_000)
    assert source.n_read - before == 50_000 + 1_000
    np.testing.assert_allclose(again, whole[10_000:11_000], rtol=0, atol=1e-13)
