"""Noise spectra that are robust against events, artifacts and coarse quantization."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["drop_constant", "noise_spectrum", "quantization_step", "smooth_spectrum"]

FloatArray = npt.NDArray[np.float64]

# Events only add power to an excerpt. A low quantile over excerpts therefore reflects the noise even where
# most excerpts hold an event. Still lower quantiles would scatter more.
_QUANTILE = 0.3


def noise_spectrum(
    excerpts: npt.NDArray[np.floating], *, sampling_rate_hz: float, step: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Estimate the one-sided power spectral density of the noise of a trace that also holds events.

    Parameters
    ----------
    excerpts : ndarray, shape (n_excerpts, n_samples)
        Stretches of the trace of equal length, in any unit.
    sampling_rate_hz : float
    step : float, default 0.0
        Step of the analog-digital converter. The density is never lower than that of its rounding error
        (``step**2 / 12`` spread over the band): on a trace that mostly repeats one value the estimate would
        otherwise tend to zero.

    Returns
    -------
    frequencies_hz, density : ndarray, shape (n_samples // 2 + 1,)
        ``density`` in unit**2 per Hz.

    Notes
    -----
    The periodogram of Gaussian noise is exponentially distributed in each bin, so its quantile q is
    ``-log(1 - q)`` times its mean; the 0.3 quantile over the excerpts is divided by that.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> white = rng.normal(0.0, 2.0, size=(400, 256))
    >>> frequencies_hz, density = noise_spectrum(white, sampling_rate_hz=1000.0)
    >>> variance = float(np.mean(density[5:-5]) * 500.0)
    >>> abs(variance - 2.0**2) < 0.15
    True
    """
    n_samples = excerpts.shape[1]
    excerpts = drop_constant(excerpts)
    window = np.hanning(n_samples + 2)[1:-1]
    centered = excerpts - np.median(excerpts, axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(centered * window, axis=1)) ** 2
    power *= 2.0 / (sampling_rate_hz * np.sum(window**2))
    density = np.quantile(power, _QUANTILE, axis=0) / -np.log1p(-_QUANTILE)
    floor = step**2 / 12.0 / (sampling_rate_hz / 2.0)
    frequencies_hz = np.arange(len(density)) * (sampling_rate_hz / n_samples)
    return frequencies_hz, np.maximum(density, floor)


def drop_constant(excerpts: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Drop excerpts that repeat a single value, as recorded while the amplifier was off.

    Parameters
    ----------
    excerpts : ndarray, shape (n_excerpts, n_samples)

    Returns
    -------
    ndarray, shape (n_kept, n_samples)
        All excerpts if every one of them is constant, as with a converter too coarse for the noise.

    Examples
    --------
    >>> drop_constant(np.array([[1.0, 1.0], [1.0, 2.0]])).tolist()
    [[1.0, 2.0]]
    """
    varying = np.ptp(excerpts, axis=1) > 1e-9 * np.max(np.abs(excerpts))
    return excerpts[varying] if varying.any() else excerpts


def smooth_spectrum(density: npt.ArrayLike, *, relative_width: float = 0.15) -> FloatArray:
    """Average a spectrum over a band whose width grows with frequency.

    Parameters
    ----------
    density : array_like, shape (n_frequencies,)
        Equally spaced from 0 Hz.
    relative_width : float, default 0.15
        Half-width of the band over its center frequency; at least one bin on each side.

    Returns
    -------
    ndarray, shape (n_frequencies,)

    Examples
    --------
    >>> smooth_spectrum([1.0, 1.0, 4.0, 1.0, 1.0]).tolist()
    [1.0, 2.0, 2.0, 2.0, 1.0]
    """
    values = np.asarray(density, dtype=np.float64)
    index = np.arange(len(values))
    half = np.maximum(np.round(relative_width * index).astype(int), 1)
    low = np.maximum(index - half, 0)
    high = np.minimum(index + half + 1, len(values))
    cumulated = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray((cumulated[high] - cumulated[low]) / (high - low), dtype=np.float64)


def quantization_step(values: npt.ArrayLike) -> float:
    """Return the smallest difference between distinct sample values, 0.0 for a constant.

    For a converter this is its step; for continuous numbers it is too small to have an effect.

    Parameters
    ----------
    values : array_like
        Samples, any shape and unit.

    Examples
    --------
    >>> quantization_step([0.0, 0.3, -0.6, 0.3])
    0.3
    """
    distinct = np.unique(np.asarray(values, dtype=np.float64))
    if len(distinct) < 2:
        return 0.0
    gaps = np.diff(distinct)
    # Numbers that were equal before scaling may differ in their last bits afterwards.
    real = gaps[gaps > 1e-9 * np.max(np.abs(distinct))]
    return float(real.min()) if len(real) else 0.0
