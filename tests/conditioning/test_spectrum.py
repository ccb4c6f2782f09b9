"""Noise spectra: right for noise, blind to events, never below what rounding leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import welch

from nwb_mepp.conditioning import noise_spectrum, quantization_step, smooth_spectrum
from nwb_mepp.conditioning.spectrum import (
    informative_bandwidth,
    rounding_density,
    unfiltered_spectrum,
)

RATE_HZ = 1000.0


def cut(trace: np.ndarray, n_samples: int = 200) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(trace, n_samples)[:: n_samples // 2]


def test_density_of_colored_noise_agrees_with_welch() -> None:
    white = np.random.default_rng(0).normal(0.0, 3.0, 400_000)
    trace = np.convolve(white, [1.0, 0.9, 0.5], mode="valid")
    frequencies_hz, density = noise_spectrum(cut(trace), sampling_rate_hz=RATE_HZ)
    expected_hz, expected = welch(trace, fs=RATE_HZ, nperseg=200)
    np.testing.assert_allclose(frequencies_hz, expected_hz)
    ratio = density[3:-3] / expected[3:-3]
    assert ratio.mean() == pytest.approx(1.0, abs=0.02)
    assert ratio.std() < 0.06


def test_events_raise_the_density_no_further_than_the_quantile_of_the_other_segments() -> None:
    rng = np.random.default_rng(1)
    segments = rng.normal(size=(2000, 200))
    _, quiet = noise_spectrum(segments, sampling_rate_hz=RATE_HZ)
    segments[::4, 60:90] += 20.0 * np.exp(-np.arange(30) / 8.0)
    _, busy = noise_spectrum(segments, sampling_rate_hz=RATE_HZ)
    _, mean = welch(segments, fs=RATE_HZ, nperseg=200)
    assert mean.mean(axis=0)[2:6].min() > 5.0 * quiet.mean()  # a mean spectrum sees the events
    # At worst the 0.3 quantile of all segments is the 0.4 quantile of the three quarters without events.
    worst = np.log(1.0 - 0.4) / np.log(1.0 - 0.3)
    assert (busy / quiet)[2:6].mean() < 1.05 * worst < 1.6


def test_density_is_at_least_that_of_the_rounding_error() -> None:
    _, density = noise_spectrum(np.zeros((50, 200)), sampling_rate_hz=RATE_HZ, step=0.6)
    # 0.6**2 / 12 = 0.03, spread over 500 Hz.
    np.testing.assert_allclose(density, 0.03 / 500.0)


@settings(max_examples=50)
@given(
    values=st.lists(st.floats(0.0, 100.0), min_size=1, max_size=60),
    relative_width=st.floats(0.0, 0.5),
)
def test_smoothing_takes_the_mean_over_a_band_that_grows_with_frequency(
    values: list[float], relative_width: float
) -> None:
    expected = []
    for index in range(len(values)):
        half = max(round(relative_width * index), 1)
        expected.append(np.mean(values[max(index - half, 0) : index + half + 1]))
    smooth = smooth_spectrum(values, relative_width=relative_width)
    np.testing.assert_allclose(smooth, expected, atol=1e-9)


@pytest.mark.parametrize("level", [0.0, -0.075, 3.0])
def test_step_of_a_converter_is_found_at_any_level(level: float) -> None:
    raw = np.random.default_rng(0).integers(-2000, 2000, 5000)
    assert quantization_step(raw * 30.5e-6 + level) == pytest.approx(30.5e-6, rel=1e-6)


def test_step_of_a_constant_is_zero() -> None:
    assert quantization_step(np.full(10, -0.075)) == 0.0


def test_last_bits_that_scaling_leaves_are_not_a_step() -> None:
    value = 0.1 + 0.2  # differs from 0.3 in the last bit
    assert quantization_step([0.3, value, 0.8]) == pytest.approx(0.5)
    assert quantization_step([0.3, value]) == 0.0


@pytest.mark.parametrize("exponent", [0.0, 1.0, 1.9])
def test_noise_of_any_color_goes_on_as_it_is(exponent: float) -> None:
    frequencies_hz = np.arange(0.0, 2505.0, 5.0)
    density = np.maximum(frequencies_hz, 5.0) ** -exponent
    np.testing.assert_allclose(unfiltered_spectrum(frequencies_hz, density), density, rtol=0.05)
    assert informative_bandwidth(frequencies_hz, density, rounding=0.0) == 2500.0


def test_a_spectrum_behind_a_filter_goes_on_as_one_over_f_squared_and_passes_over_lines() -> None:
    frequencies_hz = np.arange(0.0, 5005.0, 5.0)
    density = 3.0 / (1.0 + (frequencies_hz / 500.0) ** 8)
    line = np.where(np.abs(frequencies_hz - 50.0) < 8.0, 1e4, 0.0)
    continued = unfiltered_spectrum(frequencies_hz, density + line)
    at_hz = np.array([100.0, 300.0, 1000.0, 4000.0])
    # The maximum of f**2 / (1 + (f / 500)**8) is at 500 / 3**(1/8) Hz, where the filter passes 3/4.
    tail = 3.0 * 0.75 * (500.0 / 3.0**0.125 / at_hz[2:]) ** 2
    np.testing.assert_allclose(continued[(at_hz / 5).astype(int)], [3.0, 3.0 * 0.983, *tail], rtol=0.12)
    assert (continued >= density).all()


@pytest.mark.parametrize("notch_hz", [50.0, 60.0])
def test_a_notch_does_not_end_the_band(notch_hz: float) -> None:
    frequencies_hz = np.arange(0.0, 5005.0, 5.0)
    detuning = frequencies_hz / notch_hz - notch_hz / np.maximum(frequencies_hz, 1.0)
    density = detuning**2 / (detuning**2 + 1.0 / 9.0)  # quality 3
    assert informative_bandwidth(frequencies_hz, density, rounding=0.0) == 5000.0


def test_rounding_error_of_slow_noise_is_slow() -> None:
    frequencies_hz = np.arange(0.0, 5005.0, 5.0)
    slow = np.where(frequencies_hz <= 200.0, 1.0, 0.0)
    # step**2 / 12 = 3 in 200 Hz.
    assert rounding_density(frequencies_hz, slow, step=6.0) == pytest.approx(3.0 / 200.0, rel=0.1)
    assert rounding_density(frequencies_hz, np.zeros(1001), step=6.0) == 0.0
