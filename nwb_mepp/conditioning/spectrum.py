"""Noise spectra that are robust against events, artifacts and coarse quantization."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

__all__ = [
    "FILTERED_BELOW",
    "drop_constant",
    "informative_bandwidth",
    "noise_spectrum",
    "periodograms",
    "quantization_step",
    "rounding_density",
    "smooth_spectrum",
    "typical_density",
    "unfiltered_spectrum",
    "varying",
    "without_lines",
    "without_slope",
]

FloatArray = npt.NDArray[np.float64]

# Events only add power to an excerpt. A low quantile over excerpts therefore reflects the noise even where
# most excerpts hold an event. Still lower quantiles would scatter more.
_QUANTILE = 0.3
_BLOCK = 256  # excerpts of which spectra are in memory at a time

# A density of less than this fraction (-15 dB) of what it would be without a filter is taken for what a
# filter left. Lifting less than that would lift rounding and leakage, and events that are out of phase.
FILTERED_BELOW = 0.03

# Drift may fall off faster than any noise below this, not least by leakage of the window.
_NOISE_FROM_HZ = 25.0
_BANDS_PER_OCTAVE = 12
_OCTAVE = _BANDS_PER_OCTAVE + 1  # a line is narrower than half of it
_GAP, _GAP_FROM_HZ = _BANDS_PER_OCTAVE // 4, 50.0


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

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> white = rng.normal(0.0, 2.0, size=(400, 256))
    >>> frequencies_hz, density = noise_spectrum(white, sampling_rate_hz=1000.0)
    >>> variance = float(np.mean(density[5:-5]) * 500.0)
    >>> abs(variance - 2.0**2) < 0.15
    True
    """
    power = periodograms(drop_constant(excerpts), sampling_rate_hz=sampling_rate_hz)
    density = typical_density(power, overwrite=True)
    floor = step**2 / 12.0 / (sampling_rate_hz / 2.0)
    frequencies_hz = np.arange(len(density)) * (sampling_rate_hz / excerpts.shape[1])
    return frequencies_hz, np.maximum(density, floor)


def periodograms(excerpts: npt.NDArray[np.floating], *, sampling_rate_hz: float) -> FloatArray:
    """Return the one-sided power spectral density of each excerpt, under a Hann window.

    Parameters
    ----------
    excerpts : ndarray, shape (n_excerpts, n_samples)
    sampling_rate_hz : float

    Returns
    -------
    ndarray, shape (n_excerpts, n_samples // 2 + 1)
        In unit**2 per Hz, relative to the median of the excerpt.

    Examples
    --------
    >>> periodograms(np.full((1, 4), 7.0), sampling_rate_hz=10.0).tolist()
    [[0.0, 0.0, 0.0]]
    """
    n_samples = excerpts.shape[1]
    window = np.hanning(n_samples + 2)[1:-1]
    power = np.empty((len(excerpts), n_samples // 2 + 1))
    for begin in range(0, len(excerpts), _BLOCK):
        some = slice(begin, begin + _BLOCK)
        centered = excerpts[some] - np.median(excerpts[some], axis=1, keepdims=True)
        power[some] = np.abs(np.fft.rfft(centered * window, axis=1)) ** 2
    power *= 2.0 / (sampling_rate_hz * np.sum(window**2))
    return power


def typical_density(power: FloatArray, *, overwrite: bool = False) -> FloatArray:
    """Estimate the density of the noise from periodograms of excerpts some of which hold events.

    Parameters
    ----------
    power : ndarray, shape (n_excerpts, n_frequencies)
    overwrite : bool, default False
        Work in ``power``, whose order within each column changes.

    Returns
    -------
    ndarray, shape (n_frequencies,)

    Notes
    -----
    The periodogram of Gaussian noise is exponentially distributed in each bin, so its quantile q is
    ``-log(1 - q)`` times its mean; the 0.3 quantile over the excerpts is divided by that.

    Examples
    --------
    >>> exponential = -np.log1p(-(np.arange(1000) + 0.5) / 1000)
    >>> round(float(typical_density(2.0 * exponential[:, np.newaxis])[0]), 2)
    2.0
    """
    low = np.quantile(power, _QUANTILE, axis=0, overwrite_input=overwrite)
    return np.asarray(low / -np.log1p(-_QUANTILE))


def without_slope(excerpts: FloatArray) -> FloatArray:
    """Subtract from each excerpt the line through the medians of its two halves.

    Parameters
    ----------
    excerpts : ndarray, shape (n_excerpts, n_samples)

    Returns
    -------
    ndarray, shape (n_excerpts, n_samples)

    Examples
    --------
    >>> without_slope(np.array([[1.0, 3.0, 5.0, 7.0]])).tolist()
    [[4.0, 4.0, 4.0, 4.0]]
    """
    n_samples = excerpts.shape[1]
    half = n_samples // 2
    first, last = np.median(excerpts[:, :half], axis=1), np.median(excerpts[:, n_samples - half :], axis=1)
    slope = (last - first) / (n_samples - half)
    position = np.arange(n_samples) - 0.5 * (n_samples - 1)
    return np.asarray(excerpts - slope[:, np.newaxis] * position)


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
    kept = varying(excerpts)
    return excerpts if kept.all() else excerpts[kept]


def varying(excerpts: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Tell which excerpts :func:`drop_constant` keeps.

    Parameters
    ----------
    excerpts : ndarray, shape (n_excerpts, n_samples)

    Returns
    -------
    ndarray of bool, shape (n_excerpts,)

    Examples
    --------
    >>> varying(np.array([[1.0, 1.0], [1.0, 2.0]])).tolist()
    [False, True]
    >>> varying(np.array([[1.0, 1.0], [2.0, 2.0]])).tolist()
    [True, True]
    """
    largest = np.maximum(excerpts.max(), -excerpts.min())
    does = np.ptp(excerpts, axis=1) > 1e-9 * largest
    return does if does.any() else np.ones_like(does)


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


def without_lines(frequencies_hz: FloatArray, density: FloatArray) -> FloatArray:
    """Replace what may be lines of hum by the level around them.

    Parameters
    ----------
    frequencies_hz, density : ndarray, shape (n_frequencies,)
        As from :func:`noise_spectrum`.

    Returns
    -------
    ndarray, shape (n_frequencies,)

    Examples
    --------
    >>> frequencies_hz = np.arange(0.0, 505.0, 5.0)
    >>> line = np.where(frequencies_hz == 150.0, 7.0, 1.0)
    >>> float(without_lines(frequencies_hz, line).max())
    1.0
    """
    without_hum = density.copy()
    for mains_hz in (50.0, 60.0):
        for line_hz in np.arange(mains_hz, min(1050.0, frequencies_hz[-1] - 20.0), mains_hz):
            distance_hz = np.abs(frequencies_hz - line_hz)
            near = distance_hz <= 10.0
            around = np.median(density[(distance_hz > 10.0) & (distance_hz <= 30.0)])
            without_hum[near] = np.minimum(without_hum[near], around)
    return without_hum


def rounding_density(frequencies_hz: FloatArray, density: FloatArray, *, step: float) -> float:
    """Estimate the density of the rounding error of a converter at the frequencies of the noise.

    Parameters
    ----------
    frequencies_hz, density : ndarray, shape (n_frequencies,)
        Spectrum of the trace, as from :func:`noise_spectrum`.
    step : float
        Step of the converter.

    Returns
    -------
    float
        In unit**2 per Hz.

    Notes
    -----
    The error has the variance ``step**2 / 12``. It changes as often as the trace moves on to another step, so
    it spreads over the whole band only where the noise does: slow noise has a slow rounding error. The
    bandwidth is taken from the mean square slope of the trace, such that white noise has all of the band.

    Examples
    --------
    >>> frequencies_hz = np.linspace(0.0, 500.0, 501)
    >>> bool(np.isclose(rounding_density(frequencies_hz, np.ones(501), step=0.6), 0.03 / 500.0, rtol=0.01))
    True
    """
    seen = frequencies_hz >= _NOISE_FROM_HZ
    power = float(np.sum(density[seen]))
    if power == 0.0:
        return 0.0
    bandwidth_hz = np.sqrt(3.0 * np.sum(density[seen] * frequencies_hz[seen] ** 2) / power)
    return float(step**2 / 12.0 / min(bandwidth_hz, frequencies_hz[-1]))


def unfiltered_spectrum(frequencies_hz: FloatArray, density: FloatArray) -> FloatArray:
    """Estimate how a spectrum would go on if no filter had cut it off.

    Parameters
    ----------
    frequencies_hz, density : ndarray, shape (n_frequencies,)
        As from :func:`noise_spectrum`.

    Returns
    -------
    ndarray, shape (n_frequencies,)
        Nowhere below ``density``, and equal to it where it falls no faster than ``1 / f**2``.

    Notes
    -----
    Noise of electrodes, membranes and single channels falls with frequency no faster than that; filters
    of several poles and averages do. Narrow lines are passed over.

    Examples
    --------
    >>> frequencies_hz = np.arange(1001.0)
    >>> cut_off = np.where(frequencies_hz < 400.0, 2.0, 1e-6)
    >>> continued = unfiltered_spectrum(frequencies_hz, cut_off)
    >>> continued[[100, 300]].tolist(), bool(0.2 < continued[1000] < 0.5)
    ([2.0, 2.0], True)
    """
    bands_hz, levels = _in_bands(frequencies_hz, without_lines(frequencies_hz, density))
    levels = scipy.ndimage.median_filter(levels, size=_OCTAVE, mode="nearest")
    continued = np.maximum.accumulate(levels * bands_hz**2) / bands_hz**2
    at_hz = np.maximum(frequencies_hz, bands_hz[0])
    return np.asarray(np.maximum(np.interp(at_hz, bands_hz, continued), density))


def informative_bandwidth(frequencies_hz: FloatArray, density: FloatArray, *, rounding: float) -> float:
    """Return up to which frequency a trace holds more than what a filter and a converter leave.

    Parameters
    ----------
    frequencies_hz, density : ndarray, shape (n_frequencies,)
        As from :func:`noise_spectrum`.
    rounding : float
        Density of the rounding error, as from :func:`rounding_density`.

    Returns
    -------
    float
        In Hz; the last frequency for a trace without a filter.

    Notes
    -----
    From there on the density is, over a quarter of an octave, below -15 dB of the unfiltered spectrum or
    below half of the rounding error. Narrower gaps are those of notch filters.

    Examples
    --------
    >>> frequencies_hz = np.arange(1001.0)
    >>> cut_off = np.where(frequencies_hz < 400.0, 2.0, 1e-6)
    >>> found_hz = informative_bandwidth(frequencies_hz, cut_off, rounding=0.0)
    >>> bool(abs(np.log2(found_hz / 400.0)) < 1.5 / 12.0)  # bands are a twelfth of an octave wide
    True
    """
    bands_hz, levels = _in_bands(frequencies_hz, density)
    unfiltered = np.interp(bands_hz, frequencies_hz, unfiltered_spectrum(frequencies_hz, density))
    poor = levels < np.maximum(FILTERED_BELOW * unfiltered, 0.5 * rounding)
    # Over a few bins the spectrum of a short recording scatters too much.
    poor[bands_hz < _GAP_FROM_HZ] = False
    # A gap that the last frequency cuts off counts as far as it goes.
    poor = np.append(poor, np.full(_GAP - 1, poor[-1]))
    starts = np.flatnonzero(np.lib.stride_tricks.sliding_window_view(poor, _GAP).all(axis=1))
    return float(bands_hz[starts[0]]) if len(starts) else float(frequencies_hz[-1])


def _in_bands(frequencies_hz: FloatArray, density: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Average a spectrum over bands of equal relative width; returns their centers and levels."""
    first_hz = min(_NOISE_FROM_HZ, frequencies_hz[-1] / 2.0)
    n_bands = int(np.ceil(_BANDS_PER_OCTAVE * np.log2(frequencies_hz[-1] / first_hz))) + 1
    bands_hz = np.geomspace(first_hz, frequencies_hz[-1], n_bands)
    spacing_hz = frequencies_hz[1]
    half_hz = np.maximum(bands_hz * (2.0 ** (0.5 / _BANDS_PER_OCTAVE) - 1.0), 0.5 * spacing_hz)
    # The integral of the density, linear within each bin, may be taken between any two frequencies.
    edges_hz = np.append(frequencies_hz - 0.5 * spacing_hz, frequencies_hz[-1] + 0.5 * spacing_hz)
    integral = np.append(0.0, np.cumsum(density * spacing_hz))
    low_hz, high_hz = bands_hz - half_hz, np.minimum(bands_hz + half_hz, edges_hz[-1])
    total = np.interp(high_hz, edges_hz, integral) - np.interp(low_hz, edges_hz, integral)
    return bands_hz, np.asarray(np.maximum(total, 0.0) / (high_hz - low_hz))
