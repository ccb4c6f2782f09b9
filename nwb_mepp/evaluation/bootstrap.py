"""Intervals of confidence from resampling recordings, for one detector and for a difference of two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Estimate", "bootstrap", "paired_bootstrap"]

FloatArray = npt.NDArray[np.float64]
Statistic = Callable[[npt.NDArray[np.generic]], float]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure with its interval of confidence."""

    value: float
    low: float
    high: float


def bootstrap(
    per_recording: npt.ArrayLike,
    *,
    statistic: Statistic,
    rng: np.random.Generator,
    n_resamples: int = 2000,
    level: float = 0.95,
) -> Estimate:
    """Estimate how far a figure would vary with other recordings of the same kind.

    Recordings, not events, are drawn with replacement: the events of one recording share its noise,
    its rate and its fiber, and taking them for independent would make the interval too narrow.

    Parameters
    ----------
    per_recording : array_like, shape (n_recordings, ...)
        One entry a recording: counts of matches, or an IoU.
    statistic : callable
        Takes an array like ``per_recording`` and returns a number, for instance
        :func:`~nwb_mepp.evaluation.f1` or :func:`numpy.mean`.
    rng : numpy.random.Generator
        A seeded generator makes the interval repeatable.
    n_resamples : int, default 2000
    level : float, default 0.95

    Returns
    -------
    Estimate
        The figure of the recordings as they are, and the percentile interval. Resamples in which the
        figure is undefined (NaN) are left out.

    Raises
    ------
    ValueError
        If there is no recording, no resample, or ``level`` is not between 0 and 1.

    References
    ----------
    Efron B, Tibshirani R (1986). Bootstrap methods for standard errors, confidence intervals, and other
    measures of statistical accuracy. Statistical Science 1(1), 54-75.
    https://doi.org/10.1214/ss/1177013815

    Examples
    --------
    >>> bootstrap([0.75, 0.75, 0.75], statistic=np.mean, rng=np.random.default_rng(1))
    Estimate(value=0.75, low=0.75, high=0.75)
    """
    values = _checked_recordings(per_recording)
    resampled = [
        float(statistic(values[chosen])) for chosen in _draws(len(values), n_resamples=n_resamples, rng=rng)
    ]
    return _estimate(float(statistic(values)), resampled, level)


def paired_bootstrap(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    statistic: Statistic,
    rng: np.random.Generator,
    n_resamples: int = 2000,
    level: float = 0.95,
) -> Estimate:
    """Estimate the difference between two detectors on the same recordings.

    Both are resampled with the same draws, so that what makes a recording hard for both cancels.

    Parameters
    ----------
    first, second : array_like, shape (n_recordings, ...)
        The two detectors' entries, in the same order of recordings.
    statistic : callable
        Takes an array like ``first`` and returns a number.
    rng : numpy.random.Generator
        A seeded generator makes the interval repeatable.
    n_resamples : int, default 2000
    level : float, default 0.95

    Returns
    -------
    Estimate
        Of ``statistic(first) - statistic(second)``: the first detector is better where ``low > 0``.

    Raises
    ------
    ValueError
        If the arrays differ in length, there is no recording, no resample, or ``level`` is not between
        0 and 1.

    Examples
    --------
    >>> paired_bootstrap([0.75, 0.5], [0.5, 0.25], statistic=np.mean, rng=np.random.default_rng(1))
    Estimate(value=0.25, low=0.25, high=0.25)
    """
    firsts, seconds = _checked_recordings(first), _checked_recordings(second)
    if len(firsts) != len(seconds):
        raise ValueError(f"expected the same recordings for both, found {len(firsts)} and {len(seconds)}.")
    resampled = [
        float(statistic(firsts[chosen])) - float(statistic(seconds[chosen]))
        for chosen in _draws(len(firsts), n_resamples=n_resamples, rng=rng)
    ]
    return _estimate(float(statistic(firsts)) - float(statistic(seconds)), resampled, level)


def _checked_recordings(per_recording: npt.ArrayLike) -> npt.NDArray[np.generic]:
    values = np.asarray(per_recording)
    if values.ndim == 0 or len(values) == 0:
        raise ValueError("expected one entry a recording, found no recording.")
    return values


def _draws(n_recordings: int, *, n_resamples: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    if n_resamples < 1:
        raise ValueError(f"expected at least one resample, found n_resamples={n_resamples}.")
    return rng.integers(n_recordings, size=(n_resamples, n_recordings))


def _estimate(value: float, resampled: list[float], level: float) -> Estimate:
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, found {level}.")
    defined = np.array([figure for figure in resampled if not np.isnan(figure)])
    if len(defined) == 0:
        return Estimate(value=value, low=float("nan"), high=float("nan"))
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value=value, low=float(low), high=float(high))
