"""The background of a simulated recording: colored noise, hum, drift, and the steps of the converter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfftfreq
from scipy.signal import bessel, lfilter, sosfilt

__all__ = [
    "colored_noise",
    "growing_strength",
    "mains_hum",
    "pulsing_strength",
    "quantize",
    "random_telegraph",
    "random_walk",
    "slow_fluctuations",
    "white_noise",
]

FloatArray = npt.NDArray[np.float64]


def white_noise(
    n_samples: int, *, sampling_rate_hz: float, lowpass_hz: float | None, rng: np.random.Generator
) -> FloatArray:
    """Return white noise behind a four-pole Bessel low-pass (none if None), scaled to SD 1."""
    if lowpass_hz is None or lowpass_hz >= 0.45 * sampling_rate_hz:
        return rng.standard_normal(n_samples)
    sections = bessel(4, lowpass_hz, fs=sampling_rate_hz, output="sos", norm="mag")
    settling = 200
    noise = sosfilt(sections, rng.standard_normal(n_samples + settling))[settling:]
    return np.asarray(noise / noise.std())


def colored_noise(
    n_samples: int,
    *,
    sampling_rate_hz: float,
    exponent: float = 1.0,
    from_hz: float = 0.5,
    rng: np.random.Generator,
) -> FloatArray:
    """Return noise with the density ``1 / f**exponent`` from ``from_hz`` upwards, scaled to SD 1.

    Examples
    --------
    >>> noise = colored_noise(1000, sampling_rate_hz=1e4, rng=np.random.default_rng(0))
    >>> noise.shape, round(float(noise.std()), 6)
    ((1000,), 1.0)
    """
    n_fast = next_fast_len(max(n_samples, int(2.0 * sampling_rate_hz / from_hz)), real=True)
    frequencies_hz = rfftfreq(n_fast, 1.0 / sampling_rate_hz)
    amplitude = np.zeros(len(frequencies_hz))
    above = frequencies_hz >= from_hz
    amplitude[above] = frequencies_hz[above] ** (-exponent / 2.0)
    parts = rng.standard_normal((2, len(frequencies_hz)))
    noise = irfft(amplitude * (parts[0] + 1j * parts[1]), n_fast)[:n_samples]
    return np.asarray(noise / noise.std())


def mains_hum(
    n_samples: int,
    *,
    sampling_rate_hz: float,
    frequency_hz: float,
    amplitudes: Sequence[float],
    phase_drift_rad_per_sqrt_s: float = 0.0,
    rng: np.random.Generator,
) -> FloatArray:
    """Return a sum of harmonics with random phases whose common phase drifts as a random walk.

    ``amplitudes[k]`` belongs to the harmonic ``k + 1``, in any unit; the result is in the same one.
    """
    time_s = np.arange(n_samples) / sampling_rate_hz
    phase = 2.0 * np.pi * frequency_hz * time_s
    if phase_drift_rad_per_sqrt_s:
        phase = phase + phase_drift_rad_per_sqrt_s * random_walk(
            n_samples, sampling_rate_hz=sampling_rate_hz, rng=rng
        )
    hum = np.zeros(n_samples)
    for harmonic, amplitude in enumerate(amplitudes, start=1):
        hum += amplitude * np.sin(harmonic * phase + rng.uniform(0.0, 2.0 * np.pi))
    return hum


def random_walk(n_samples: int, *, sampling_rate_hz: float, rng: np.random.Generator) -> FloatArray:
    """Return a random walk from 0 whose SD after one second is 1."""
    return np.asarray(np.cumsum(rng.standard_normal(n_samples)) / np.sqrt(sampling_rate_hz))


def slow_fluctuations(
    n_samples: int, *, sampling_rate_hz: float, time_constant_s: float = 1.0, rng: np.random.Generator
) -> FloatArray:
    """Return slow random fluctuations around 0 with SD 1.

    They are an Ornstein-Uhlenbeck process, drawn every twentieth of its time constant and interpolated
    linearly.

    Examples
    --------
    >>> strength = slow_fluctuations(1_000_000, sampling_rate_hz=1e3, rng=np.random.default_rng(0))
    >>> strength.shape, bool(0.9 < strength.std() < 1.1), bool(np.abs(np.diff(strength)).max() < 0.05)
    ((1000000,), True, True)
    """
    spacing_s = time_constant_s / 20.0
    n_knots = int(n_samples / sampling_rate_hz / spacing_s) + 2
    kept = float(np.exp(-spacing_s / time_constant_s))
    innovations = np.sqrt(1.0 - kept**2) * rng.standard_normal(n_knots)
    innovations[0] /= np.sqrt(1.0 - kept**2)  # it starts in its stationary distribution
    knots = lfilter([1.0], [1.0, -kept], innovations)
    return np.interp(np.arange(n_samples) / sampling_rate_hz, spacing_s * np.arange(n_knots), knots)


def growing_strength(n_samples: int, *, sampling_rate_hz: float, factor: float, over_s: float) -> FloatArray:
    """Return a strength of 1 that grows exponentially to a factor at the end.

    Examples
    --------
    >>> growing_strength(5, sampling_rate_hz=1.0, factor=4.0, over_s=2.0).tolist()
    [1.0, 1.0, 1.0, 2.0, 4.0]
    """
    before_end_s = np.arange(n_samples - 1, -1, -1) / sampling_rate_hz
    return np.asarray(factor ** np.clip(1.0 - before_end_s / over_s, 0.0, 1.0))


def pulsing_strength(
    n_samples: int,
    *,
    sampling_rate_hz: float,
    pulses_per_s: float,
    factor: float,
    pulse_s: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Return a strength of 1 that is multiplied by a factor in pulses at random times."""
    strength = np.ones(n_samples)
    width = max(round(pulse_s * sampling_rate_hz), 1)
    for start in rng.integers(0, n_samples, rng.poisson(pulses_per_s * n_samples / sampling_rate_hz)):
        strength[start : start + width] = factor
    return strength


def random_telegraph(
    n_samples: int, *, sampling_rate_hz: float, switches_per_s: float, rng: np.random.Generator
) -> FloatArray:
    """Return 0 and 1 in turn, as a loose contact or a channel gives, switching at random times.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> state = random_telegraph(100_000, sampling_rate_hz=1e3, switches_per_s=20.0, rng=rng)
    >>> sorted(set(state.tolist())), bool(1800 < np.abs(np.diff(state)).sum() < 2200)
    ([0.0, 1.0], True)
    """
    switches = rng.poisson(switches_per_s / sampling_rate_hz, n_samples)
    return np.asarray((int(rng.integers(0, 2)) + np.cumsum(switches)) % 2, dtype=np.float64)


def quantize(values: FloatArray, *, step: float, full_scale: float | None = None) -> FloatArray:
    """Round to a converter's steps and clip to its range; a step of 0 leaves values unchanged.

    Examples
    --------
    >>> quantize(np.array([0.4, 0.6, 9.0]), step=0.5, full_scale=2.0).tolist()
    [0.5, 0.5, 2.0]
    """
    rounded = np.round(values / step) * step if step > 0.0 else values
    return rounded if full_scale is None else np.clip(rounded, -full_scale, full_scale)
