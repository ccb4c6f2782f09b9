"""How unusual each MEPP is among those of its recording: by size, shape, and what an autoencoder misses."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from nwb_mepp.detectors.streams import excerpts, moving_mean

__all__ = ["MIN_MEPPS", "anomaly_score", "describe_reconstruction"]

FloatArray = npt.NDArray[np.float64]

MIN_MEPPS = 5

_SMOOTHING_S = 0.5e-3
_PEAK_S = (-0.5e-3, 1.5e-3)
_AROUND_S = (-2e-3, 6e-3)
# The rise of the next MEPP must not count as an undershoot of this one.
_BEFORE_NEXT_S = 2e-3
# Values well below these count as these: a small MEPP is not unusual for being small, nor for noise in it.
_KNEES = np.array([4.0, 0.03, 0.8])

# Typical spread and correlation of the logarithms within a recording, from simulated recordings (seeds of the
# calibration). The fewer MEPPs a recording has, the more these count.
_TYPICAL_SPREAD = np.array([0.30, 0.41, 0.23])
_TYPICAL_CORRELATION = np.array([[1.0, 0.93, 0.68], [0.93, 1.0, 0.68], [0.68, 0.68, 1.0]])
_TYPICAL_SHAPE_SPREAD = 0.3
_SPREAD_WEIGHT = 20.0
_CORRELATION_WEIGHT = 40.0
# Outliers must not dominate the correlation.
_CLIP_SD = 2.5
_TINY = 1e-12


def describe_reconstruction(
    errors: Iterable[npt.NDArray[np.floating]],
    *,
    peaks: npt.ArrayLike,
    size: npt.ArrayLike,
    sampling_rate_hz: float,
) -> FloatArray:
    """Describe MEPPs by their size and by the error of their reconstruction.

    Parameters
    ----------
    errors : iterable of ndarray, in SD of the noise
        Input of the network minus its output, with the sign that makes MEPPs positive, part by part.
    peaks : array_like of int, shape (n_mepps,)
        Samples of it, sorted.
    size : array_like, shape (n_mepps,), in SD of the noise
        Amplitudes without sign.
    sampling_rate_hz : float
        Of ``error``.

    Returns
    -------
    ndarray, shape (n_mepps, 3)
        Logarithms of the size, of the mean absolute error from 0.5 ms before the peak to 1.5 ms after it,
        and of the deepest error against the polarity from 2 ms before the peak to 6 ms after it, or to the
        next MEPP. Each is first joined with 4, 0.03 and 0.8 SD of the noise (root of the sum of squares).

    Examples
    --------
    >>> error = np.zeros(400)
    >>> error[195:215] = 2.0
    >>> described = describe_reconstruction([error], peaks=[200], size=[8.0], sampling_rate_hz=1e4)
    >>> np.exp(described).round(2).tolist()
    [[8.94, 1.88, 0.8]]
    """
    n_smoothed = max(round(_SMOOTHING_S * sampling_rate_hz), 1)
    peak_samples = np.asarray(peaks, dtype=np.int64)
    first, last = (round(time_s * sampling_rate_hz) for time_s in _PEAK_S)
    before, after = (round(time_s * sampling_rate_hz) for time_s in _AROUND_S)
    gap = round(_BEFORE_NEXT_S * sampling_rate_hz)
    ends = np.append(np.maximum(peak_samples[1:] - gap, peak_samples[:-1] + gap), np.iinfo(np.int64).max)
    starts = np.maximum(peak_samples + before, 0)
    smooth = excerpts(moving_mean(errors, n_smoothed), starts, peak_samples + max(after, gap))
    rows = np.empty((len(peak_samples), 3))
    columns = zip(peak_samples - starts, ends[: len(rows)] - starts, np.asarray(size), strict=True)
    for row, near, (peak, end, height) in zip(rows, smooth, columns, strict=True):
        at_peak, around = near[max(peak + first, 0) : peak + last], near[: min(peak + after, end)]
        row[:] = height, np.abs(at_peak).mean(), max(-around.min(), 0.0)
    return np.asarray(np.log(np.hypot(rows, _KNEES)))


def anomaly_score(described: FloatArray, *, shape: FloatArray, shape_se: FloatArray) -> FloatArray:
    """Return how much each MEPP differs from the others of its recording.

    Parameters
    ----------
    described : ndarray, shape (n_mepps, 3)
        From :func:`describe_reconstruction`.
    shape, shape_se : ndarray, shape (n_mepps, n_measures)
        Measures of the shape such as the rise time, above 0, and their standard errors; NaN where missing.

    Returns
    -------
    ndarray, shape (n_mepps,)
        The largest of these deviations from the median, in robust standard deviations: of the amplitude, if
        it is larger; of the error at the peak, given the amplitude; of the error against the polarity, given
        both; of each measure of the shape. About 1.3 for most MEPPs; NaN where there are fewer than
        :data:`MIN_MEPPS` MEPPs to compare.

    Notes
    -----
    Spread and correlation are weighted means of those of the recording and typical ones, which count as much
    as 20 MEPPs (spread) and 40 MEPPs (correlation). To the spread of a measure of the shape, which is that of
    its logarithm without the errors of measurement, the standard error of each MEPP is added: one whose shape
    is lost in the noise is not unusual.

    Examples
    --------
    Of equal MEPPs one has twice the rise time. It is unusual if that is well measured.

    >>> rise_s = np.array([1.0, 1.1, 0.9, 1.0, 1.05, 0.95, 2.0])[:, None] * 1e-3
    >>> for error in (0.05, 1.0):
    ...     scores = anomaly_score(np.zeros((7, 3)), shape=rise_s, shape_se=error * rise_s)
    ...     print(scores[[0, -1]].round(1))
    [0.  2.6]
    [0.  0.7]
    """
    n_mepps = len(described)
    if n_mepps < MIN_MEPPS:
        return np.full(n_mepps, np.nan)
    unexpected = _unexpected(described)
    # Being small is not unusual.
    unexpected[:, 0] = np.maximum(unexpected[:, 0], 0.0)
    columns = zip(shape.T, shape_se.T, strict=True)
    deviations = [_shape_deviation(values, errors) for values, errors in columns]
    return np.asarray(np.abs(np.column_stack([unexpected, *deviations])).max(axis=1))


def _shape_deviation(values: FloatArray, standard_errors: FloatArray) -> FloatArray:
    """Return by how many standard deviations the logarithm of each value differs; 0 where it is missing."""
    known = np.isfinite(values) & np.isfinite(standard_errors)
    deviation, n_known = np.zeros(len(values)), int(known.sum())
    if n_known < MIN_MEPPS:
        return deviation
    logarithms, errors = np.log(values[known]), standard_errors[known] / values[known]
    centered = logarithms - np.median(logarithms)
    own = max((1.4826 * np.median(np.abs(centered))) ** 2 - np.median(errors) ** 2, 0.0)
    variance = (n_known * own + _SPREAD_WEIGHT * _TYPICAL_SHAPE_SPREAD**2) / (n_known + _SPREAD_WEIGHT)
    deviation[known] = centered / np.sqrt(variance + errors**2)
    return deviation


def _unexpected(described: FloatArray) -> FloatArray:
    """Return the deviation of each value, less what those before it predict, shape (n_mepps, 3)."""
    n_mepps = len(described)
    centered = described - np.median(described, axis=0)
    spread = 1.4826 * np.median(np.abs(centered), axis=0)
    variance = (n_mepps * spread**2 + _SPREAD_WEIGHT * _TYPICAL_SPREAD**2) / (n_mepps + _SPREAD_WEIGHT)
    scaled = centered / np.sqrt(variance)
    clipped = np.clip(scaled, -_CLIP_SD, _CLIP_SD)
    clipped -= clipped.mean(axis=0)
    # Constant columns correlate with nothing: 0 divided by a tiny number.
    length = np.maximum(np.linalg.norm(clipped, axis=0), _TINY)
    own = clipped.T @ clipped / np.outer(length, length)
    np.fill_diagonal(own, 1.0)
    correlation = (n_mepps * own + _CORRELATION_WEIGHT * _TYPICAL_CORRELATION) / (
        n_mepps + _CORRELATION_WEIGHT
    )
    # Each value minus what the ones before it predict, in units of its remaining standard deviation.
    return np.asarray(np.linalg.solve(np.linalg.cholesky(correlation), scaled.T).T)
