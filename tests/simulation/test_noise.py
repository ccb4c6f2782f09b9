"""The parts of a simulated background: each has the spectrum, scale and drift it is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from nwb_mepp.simulation.noise import (
    colored_noise,
    mains_hum,
    quantize,
    random_walk,
    slow_fluctuations,
    white_noise,
)

RATE_HZ = 10_000.0


@pytest.mark.parametrize("exponent", [0.8, 1.0, 1.6])
def test_colored_noise_falls_with_the_exponent_asked_for(exponent: float) -> None:
    noise = colored_noise(400_000, sampling_rate_hz=RATE_HZ, exponent=exponent, rng=np.random.default_rng(0))
    assert noise.std() == pytest.approx(1.0)
    frequencies_hz, density = welch(noise, fs=RATE_HZ, nperseg=20_000)
    band = (frequencies_hz >= 5.0) & (frequencies_hz <= 2_000.0)
    slope, _ = np.polyfit(np.log(frequencies_hz[band]), np.log(density[band]), 1)
    assert slope == pytest.approx(-exponent, abs=0.05)


def test_colored_noise_begins_at_the_lowest_frequency_stated() -> None:
    noise = colored_noise(400_000, sampling_rate_hz=1_000.0, from_hz=20.0, rng=np.random.default_rng(0))
    frequencies_hz, density = welch(noise, fs=1_000.0, nperseg=2_000)
    assert density[(frequencies_hz > 1) & (frequencies_hz < 15)].max() < 0.01 * density.max()


def test_white_noise_is_flat_up_to_its_low_pass() -> None:
    rng = np.random.default_rng(0)
    noise = white_noise(400_000, sampling_rate_hz=RATE_HZ, lowpass_hz=1_000.0, rng=rng)
    assert noise.std() == pytest.approx(1.0)
    frequencies_hz, density = welch(noise, fs=RATE_HZ, nperseg=1_000)
    low = density[(frequencies_hz > 0) & (frequencies_hz < 200)].mean()
    assert density[np.argmin(np.abs(frequencies_hz - 1_000.0))] == pytest.approx(0.5 * low, rel=0.1)  # -3 dB
    assert density[frequencies_hz > 4_000.0].max() < 0.01 * low


@pytest.mark.parametrize("lowpass_hz", [None, 4_600.0])
def test_white_noise_without_an_effective_low_pass_is_flat(lowpass_hz: float | None) -> None:
    rng = np.random.default_rng(0)
    noise = white_noise(400_000, sampling_rate_hz=RATE_HZ, lowpass_hz=lowpass_hz, rng=rng)
    assert noise.std() == pytest.approx(1.0, abs=0.01)
    _, density = welch(noise, fs=RATE_HZ, nperseg=200)
    assert density[1:-1].std() < 0.05 * density[1:-1].mean()


def test_hum_has_the_amplitude_of_each_harmonic() -> None:
    amplitudes = (3.0, 0.0, 2.0, 0.5)
    hum = mains_hum(
        100_000,
        sampling_rate_hz=RATE_HZ,
        frequency_hz=50.0,
        amplitudes=amplitudes,
        rng=np.random.default_rng(0),
    )
    # Ten seconds hold whole cycles, so each line falls into one bin.
    lines = 2.0 * np.abs(np.fft.rfft(hum)) / len(hum)
    assert lines[500:2_001:500] == pytest.approx(amplitudes, abs=1e-9)
    assert np.delete(lines, [500, 1_500, 2_000]).max() < 1e-9


def test_phase_of_the_hum_drifts_as_a_random_walk() -> None:
    def phases(drift: float, seed: int) -> np.ndarray:
        hum = mains_hum(
            40_000,
            sampling_rate_hz=1_000.0,
            frequency_hz=50.0,
            amplitudes=(1.0,),
            phase_drift_rad_per_sqrt_s=drift,
            rng=np.random.default_rng(seed),
        )
        turns = hum * np.exp(-2j * np.pi * 0.05 * np.arange(len(hum)))
        return np.unwrap(np.angle(turns.reshape(-1, 200).sum(axis=1)))

    assert np.ptp(phases(0.0, 0)) < 1e-9
    steps = np.concatenate([np.diff(phases(0.2, seed)[::10]) for seed in range(20)])
    assert steps.std() == pytest.approx(0.2 * np.sqrt(2.0), rel=0.12)  # over 2 s


def test_random_walk_has_the_sd_1_after_a_second() -> None:
    rng = np.random.default_rng(0)
    ends = [random_walk(2_000, sampling_rate_hz=2_000.0, rng=rng)[-1] for _ in range(400)]
    assert np.std(ends) == pytest.approx(1.0, abs=0.15)


def test_what_wanders_has_sd_1_and_forgets_within_its_time_constant() -> None:
    rng = np.random.default_rng(0)
    wander = slow_fluctuations(2_000_000, sampling_rate_hz=1_000.0, time_constant_s=0.5, rng=rng)
    assert wander.std() == pytest.approx(1.0, abs=0.05)
    # After one time constant the correlation has fallen to 1/e, after four to 0.02.
    for lag, expected in ((500, np.exp(-1.0)), (2_000, np.exp(-4.0))):
        assert np.corrcoef(wander[:-lag], wander[lag:])[0, 1] == pytest.approx(expected, abs=0.06)


def test_a_converter_rounds_to_its_steps_and_clips_at_its_range() -> None:
    values = np.array([-9.0, -0.3, 0.1, 0.2, 1.1])
    np.testing.assert_allclose(quantize(values, step=0.25), [-9.0, -0.25, 0.0, 0.25, 1.0])
    np.testing.assert_allclose(quantize(values, step=0.25, full_scale=1.0), [-1.0, -0.25, 0.0, 0.25, 1.0])
    np.testing.assert_array_equal(quantize(values, step=0.0), values)
    np.testing.assert_array_equal(quantize(values, step=0.0, full_scale=0.2), [-0.2, -0.2, 0.1, 0.2, 0.2])
