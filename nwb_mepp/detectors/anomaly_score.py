"""How odd each MEPP is among those of its recording, by what an autoencoder misses of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

__all__ = ["LEAST_MEPPS", "anomaly_score", "describe_misses"]

FloatArray = npt.NDArray[np.float64]

LEAST_MEPPS = 5

_SMOOTHING_S = 0.5e-3
_PEAK_S = (-0.5e-3, 1.5e-3)
_AROUND_S = (-2e-3, 6e-3)
# The rise of the next MEPP is not to be taken for an undershoot of this one.
_BEFORE_NEXT_S = 2e-3
# Where the logarithms stop counting: far below what noise alone amounts to.
_LEAST = np.array([0.1, 0.03, 0.2])

# What is usual, from simulated recordings (seeds of the calibration): how far the logarithms spread within a
# recording, and how they go together. Few MEPPs are judged by this, many by themselves.
_USUAL_SPREAD = np.array([0.42, 0.37, 0.41])
_USUAL_CORRELATION = np.array([[1.0, 0.89, 0.65], [0.89, 1.0, 0.70], [0.65, 0.70, 1.0]])
_SPREAD_WEIGHT = 20.0
_CORRELATION_WEIGHT = 40.0
# Outliers shall not decide what belongs together.
_CLIP_SD = 2.5
_TINY = 1e-12


def describe_misses(
    error: npt.ArrayLike, *, peaks: npt.ArrayLike, size: npt.ArrayLike, sampling_rate_hz: float
) -> FloatArray:
    """Describe MEPPs by their size and by what is left of them when the reconstruction is taken away.

    Parameters
    ----------
    error : array_like, shape (n_samples,), in SD of the noise
        What the network was given minus what it gave, MEPPs upright.
    peaks : array_like of int, shape (n_mepps,)
        Samples of ``error``, sorted.
    size : array_like, shape (n_mepps,), in SD of the noise
        Amplitudes without sign.
    sampling_rate_hz : float
        Of ``error``.

    Returns
    -------
    ndarray, shape (n_mepps, 3)
        Logarithms of the size, of the mean absolute error from 0.5 ms before the peak to 1.5 ms after it,
        and of the deepest error against the polarity from 2 ms before the peak to 6 ms after it, or to the
        next MEPP.

    Examples
    --------
    >>> error = np.zeros(400)
    >>> error[195:215] = 2.0
    >>> np.exp(describe_misses(error, peaks=[200], size=[8.0], sampling_rate_hz=1e4)).round(2).tolist()
    [[8.0, 1.88, 0.2]]
    """
    n_smoothed = max(round(_SMOOTHING_S * sampling_rate_hz), 1)
    smooth = scipy.ndimage.uniform_filter1d(np.asarray(error, dtype=np.float64), n_smoothed)
    places = np.asarray(peaks, dtype=np.int64)
    first, last = (round(time_s * sampling_rate_hz) for time_s in _PEAK_S)
    before, after = (round(time_s * sampling_rate_hz) for time_s in _AROUND_S)
    gap = round(_BEFORE_NEXT_S * sampling_rate_hz)
    nexts = np.append(places[1:], len(smooth) + gap)[: len(places)]
    rows = np.empty((len(places), 3))
    for row, place, following, height in zip(rows, places, nexts, np.asarray(size), strict=True):
        at_peak = smooth[max(place + first, 0) : place + last]
        around = smooth[max(place + before, 0) : min(place + after, max(following - gap, place + gap))]
        row[:] = height, np.abs(at_peak).mean(), max(-around.min(), 0.0)
    return np.asarray(np.log(np.maximum(rows, _LEAST)))


def anomaly_score(described: FloatArray) -> FloatArray:
    """Return how far each MEPP lies from the others of its recording.

    Parameters
    ----------
    described : ndarray, shape (n_mepps, 3)
        From :func:`describe_misses`.

    Returns
    -------
    ndarray, shape (n_mepps,)
        Robust standard deviations from the median, in the most unusual of three respects: the amplitude; the
        error at the peak, given the amplitude; the error against the polarity, given both. About 1 for most;
        NaN where there are fewer than :data:`LEAST_MEPPS` MEPPs to compare.

    Notes
    -----
    Spread and correlation are those of the recording's own MEPPs, weighted against what is usual in
    simulated recordings, which counts as much as 20 (40) MEPPs.

    Examples
    --------
    >>> alike = np.tile([[2.0, 0.0, -1.0]], (30, 1)) + 0.1 * np.random.default_rng(0).standard_normal((30, 3))
    >>> scores = anomaly_score(np.vstack([alike, [[3.5, 1.5, 0.5]]]))
    >>> int(scores.argmax()), bool(scores[-1] > 3.0), bool(np.median(scores) < 1.5)
    (30, True, True)
    """
    n_mepps = len(described)
    if n_mepps < LEAST_MEPPS:
        return np.full(n_mepps, np.nan)
    centered = described - np.median(described, axis=0)
    spread = 1.4826 * np.median(np.abs(centered), axis=0)
    variance = (n_mepps * spread**2 + _SPREAD_WEIGHT * _USUAL_SPREAD**2) / (n_mepps + _SPREAD_WEIGHT)
    scaled = centered / np.sqrt(variance)
    clipped = np.clip(scaled, -_CLIP_SD, _CLIP_SD)
    clipped -= clipped.mean(axis=0)
    # Numbers that are equal throughout go together with nothing: 0 over something tiny.
    length = np.maximum(np.linalg.norm(clipped, axis=0), _TINY)
    own = clipped.T @ clipped / np.outer(length, length)
    np.fill_diagonal(own, 1.0)
    correlation = (n_mepps * own + _CORRELATION_WEIGHT * _USUAL_CORRELATION) / (n_mepps + _CORRELATION_WEIGHT)
    # Each respect less what the ones before it predict, in units of what is left to chance.
    unexpected = np.linalg.solve(np.linalg.cholesky(correlation), scaled.T)
    return np.asarray(np.abs(unexpected).max(axis=0))
