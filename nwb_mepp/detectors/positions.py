"""From samples of a resampled trace to candidates of its segment; scores in SD of the noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import WhitenedTrace
from nwb_mepp.detectors.interface import Candidates

__all__ = ["candidates_at", "decay_end", "fit_gaussian", "in_noise_sd", "local_growth"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# The noise is compared between stretches of this length, and must exceed the usual by more than it scatters.
_LOCAL_S = 1.0
_MIN_STRETCHES = 5
_SCATTER = 1.25
_N_ITERATIONS = 20
_CUT_SD = 1.5
# SD of a standard normal distribution cut off at 1.5 SD on both sides.
_CUT_NORMAL_SD = 0.7426


def candidates_at(trace: WhitenedTrace, *, start: IntArray, peak: IntArray, stop: IntArray) -> Candidates:
    """Return candidates that are given in samples of a resampled trace, each ending where the next begins.

    Parameters
    ----------
    trace : WhitenedTrace
    start, peak, stop : ndarray of int64, shape (n_candidates,)
        Samples of the resampled trace, sorted by start; ``stop`` exclusive.

    Returns
    -------
    Candidates
        In samples of the segment; those of which nothing lies inside are dropped. ``probability`` is NaN.
    """
    last = trace.segment.n_samples
    first = trace.resampler.to_input(start)
    end = np.minimum(np.minimum(trace.resampler.to_input(stop), np.append(first[1:], last)), last)
    highest = np.minimum(trace.resampler.to_input(peak), end - 1)
    inside = (first < end) & (highest >= first)
    return Candidates(
        start=first[inside],
        peak=highest[inside],
        stop=end[inside],
        probability=np.full(int(inside.sum()), np.nan),
    )


def decay_end(shape: FloatArray) -> int:
    """Return the first sample after the peak of a template below 1/e of it."""
    peak = int(np.argmax(shape))
    return peak + int(np.argmax(shape[peak:] < shape[peak] / np.e))


def fit_gaussian(values: npt.ArrayLike) -> tuple[float, float]:
    """Fit a normal distribution to the middle of an amplitude distribution.

    Parameters
    ----------
    values : array_like, shape (n,)
        Noise with events in it, which lie in the tails.

    Returns
    -------
    mean, sd : float
        Of the noise. ``sd`` is 0 only if all values are equal.

    Notes
    -----
    Mean and SD are those of the values within 1.5 SD of the mean, the SD corrected for the cut; this is
    repeated until nothing changes, beginning with median and interquartile range.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(3.0, 2.0, 100_000)
    >>> mean, sd = fit_gaussian(np.append(noise, np.full(2_000, 50.0)))
    >>> (round(mean, 1), round(sd, 1))
    (3.0, 2.0)
    """
    sample = np.asarray(values, dtype=np.float64)
    low, mean, high = (float(value) for value in np.percentile(sample, [25.0, 50.0, 75.0]))
    sd = (high - low) / 1.349
    for _ in range(_N_ITERATIONS):
        middle = sample[np.abs(sample - mean) <= _CUT_SD * sd]
        spread = float(middle.std()) / _CUT_NORMAL_SD if len(middle) else 0.0
        if spread == 0.0:
            # Most values are equal (a silent trace), so there is no distribution to fit.
            return float(sample.mean()), float(sample.std())
        mean, sd = float(middle.mean()), spread
    return mean, sd


def in_noise_sd(rows: Sequence[FloatArray]) -> list[FloatArray]:
    """Express filtered traces of one channel in SD of their common noise, relative to its mean.

    Parameters
    ----------
    rows : sequence of ndarray
        One for each segment, in any unit.

    Returns
    -------
    list of ndarray
    """
    mean, sd = fit_gaussian(np.concatenate(rows))
    return [(row - mean) / sd if sd > 0.0 else np.zeros_like(row) for row in rows]


def local_growth(score: FloatArray, *, sampling_rate_hz: float) -> FloatArray:
    """Return by which factor the noise of a filtered trace exceeds that of most of its seconds.

    Parameters
    ----------
    score : ndarray, shape (n_samples,)
        In any unit, events positive.
    sampling_rate_hz : float

    Returns
    -------
    ndarray, shape (n_samples,)
        1.0 where it exceeds it by less than a quarter, and in a trace of less than 5 s.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=10_000)
    >>> noise[8_000:] *= 3.0
    >>> growth = local_growth(noise, sampling_rate_hz=1_000.0)
    >>> float(growth[5_000]), float(growth[9_500].round())
    (1.0, 3.0)
    """
    length = round(_LOCAL_S * sampling_rate_hz)
    n_stretches = len(score) // length
    growth = np.ones(len(score))
    if n_stretches < _MIN_STRETCHES:
        return growth
    # Events add to the upper half of the distribution only.
    parts = score[: n_stretches * length].reshape(n_stretches, length)
    low, middle = np.percentile(parts, [16.0, 50.0], axis=1)
    spread = middle - low
    usual = float(np.median(spread))
    if usual > 0.0:
        centers = (np.arange(n_stretches) + 0.5) * length
        growth = np.interp(np.arange(len(score)), centers, spread / usual)
    return np.where(growth > _SCATTER, growth, 1.0)
