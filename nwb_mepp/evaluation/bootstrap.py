"""Confidence intervals by resampling recordings, for one detector and for the difference of two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Estimate", "bootstrap", "paired_bootstrap"]

Statistic = Callable[[npt.NDArray[np.generic]], float]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A value with its confidence interval."""

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
    """Estimate how much a statistic would vary with other recordings of the same kind.

    Recordings, not events, are drawn with replacement: the events of one recording share its noise,
    its rate and its fiber, and treating them as independent would make the interval too narrow.

    Parameters
    ----------
    per_recording : array_like, shape (n_recordings, ...)
        One entry for each recording: counts of matches, or an IoU.
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
        The statistic of the recordings as they are, and its percentile interval. Resamples in which the
        statistic is undefined (NaN) are left out.

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
    values = np.asarray(per_recording)
    if values.ndim == 0 or len(values) == 0:
        raise ValueError("expected one entry for each recording, found no recording.")
    if n_resamples < 1:
        raise ValueError(f"expected at least one resample, found n_resamples={n_resamples}.")
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, found {level}.")
    draws = rng.integers(len(values), size=(n_resamples, len(values)))
    resampled = np.array([float(statistic(values[drawn])) for drawn in draws])
    defined = resampled[~np.isnan(resampled)]
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2]) if len(defined) else (np.nan, np.nan)
    return Estimate(value=float(statistic(values)), low=float(low), high=float(high))


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
        The entries of the two detectors, in the same order of recordings.
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
        If the arrays differ in length, or as for :func:`bootstrap`.

    Examples
    --------
    >>> paired_bootstrap([0.75, 0.5], [0.5, 0.25], statistic=np.mean, rng=np.random.default_rng(1))
    Estimate(value=0.25, low=0.25, high=0.25)
    """
    firsts, seconds = np.atleast_1d(first), np.atleast_1d(second)
    if len(firsts) != len(seconds):
        raise ValueError(f"expected the same recordings for both, found {len(firsts)} and {len(seconds)}.")
    return bootstrap(
        np.stack([firsts, seconds], axis=1),
        statistic=lambda both: float(statistic(both[:, 0])) - float(statistic(both[:, 1])),
        rng=rng,
        n_resamples=n_resamples,
        level=level,
    )
