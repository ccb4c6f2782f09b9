"""MEPPs with a gradual rise, in colored noise, made with SciPy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.signal

FloatArray = npt.NDArray[np.float64]

RATE_HZ = 10e3


def colored_noise(n_samples: int, rng: np.random.Generator) -> FloatArray:
    """Return noise of SD 1: white noise filtered at 2 kHz plus as much power below 60 Hz."""
    sections = scipy.signal.butter(4, 2000.0, fs=RATE_HZ, output="sos")
    fast = scipy.signal.sosfilt(sections, rng.standard_normal(n_samples))
    slow = scipy.signal.lfilter(
        [1.0], [1.0, -np.exp(-2 * np.pi * 60.0 / RATE_HZ)], rng.standard_normal(n_samples)
    )
    noise = fast / fast.std() + 0.7 * slow / slow.std()
    return np.asarray(noise / noise.std())


def sigmoid_mepp(since_s: FloatArray, *, rise_s: float, decay_s: float) -> FloatArray:
    """Return ``(1 - exp(-t / rise))**3 * exp(-t / decay)``, scaled to an amplitude of 1."""
    dense_s = np.linspace(0.0, 20.0 * rise_s + 5.0 * decay_s, 20_000)
    height = ((1 - np.exp(-dense_s / rise_s)) ** 3 * np.exp(-dense_s / decay_s)).max()
    since_s = np.maximum(since_s, 0.0)
    return np.asarray((1 - np.exp(-since_s / rise_s)) ** 3 * np.exp(-since_s / decay_s) / height)


@dataclass(frozen=True)
class LabTrace:
    """A trace in volts at 10 kHz and its MEPPs; arrays of shape (n_mepps,)."""

    values: FloatArray
    noise_sd: float
    onsets_s: FloatArray
    amplitudes: FloatArray
    decays_s: FloatArray


def lab_trace(
    onsets_s: FloatArray,
    *,
    level: float,
    decay_s: float,
    seed: int,
    duration_s: float,
    decay_cv: float = 0.2,
    amplitude_cv: float = 0.3,
) -> LabTrace:
    """Return a trace whose MEPPs are ``level`` times the noise SD of 0.05 mV on average."""
    rng = np.random.default_rng(seed)
    noise_sd, n_mepps = 0.05e-3, len(onsets_s)
    values = -70e-3 + noise_sd * colored_noise(round(duration_s * RATE_HZ), rng)
    shape = amplitude_cv**-2 if amplitude_cv else 0.0
    sizes = rng.gamma(shape, 1.0 / shape, n_mepps) if amplitude_cv else np.ones(n_mepps)
    amplitudes = level * noise_sd * sizes
    log_sd = np.sqrt(np.log1p(decay_cv**2))
    decays_s = decay_s * np.exp(log_sd * rng.standard_normal(n_mepps) - 0.5 * log_sd**2)
    for onset_s, amplitude, own_s in zip(onsets_s, amplitudes, decays_s, strict=True):
        first = int(onset_s * RATE_HZ)
        since_s = np.arange(first, min(first + int(12 * own_s * RATE_HZ), len(values))) / RATE_HZ - onset_s
        values[first : first + len(since_s)] += amplitude * sigmoid_mepp(
            since_s, rise_s=0.25e-3, decay_s=own_s
        )
    return LabTrace(values, noise_sd, np.asarray(onsets_s), amplitudes, decays_s)
