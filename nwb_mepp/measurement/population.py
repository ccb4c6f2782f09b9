"""Mean and spread of a quantity over a population whose members are measured with known errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Population", "describe_population"]

FloatArray = npt.NDArray[np.float64]

_MIN_MEMBERS = 3
_MAX_ITERATIONS = 100


@dataclass(frozen=True)
class Population:
    """Mean and SD of a population, and the standard error of the mean; NaN where too little is known."""

    mean: float
    sd: float
    mean_se: float


def describe_population(estimates: npt.ArrayLike, standard_errors: npt.ArrayLike) -> Population:
    """Return mean and SD over a population, corrected for the error of each measurement.

    Parameters
    ----------
    estimates, standard_errors : array_like, shape (n_members,)
        Members whose estimate or standard error is not finite are left out.

    Returns
    -------
    Population
        NaN with fewer than 3 members.

    Notes
    -----
    Random effects: the estimate of each member is normally distributed around its value with the standard
    error, and the values around the mean with the SD. The SD is that at which the weighted sum of squares
    has its expectation [1]_; the mean weighs each member by the inverse of both variances together.

    References
    ----------
    .. [1] Paule, R. C. & Mandel, J. (1982). Consensus values and weighting factors. J. Res. Natl. Bur. Stand.
       87, 377-385. https://doi.org/10.6028/jres.087.022

    Examples
    --------
    Without errors of measurement they are the plain mean and SD.

    >>> describe_population([1.0, 2.0, 3.0], [0.0, 0.0, 0.0])
    Population(mean=2.0, sd=1.0, mean_se=0.5773...)
    """
    values = np.asarray(estimates, dtype=np.float64)
    errors = np.asarray(standard_errors, dtype=np.float64)
    known = np.isfinite(values) & np.isfinite(errors)
    values, errors = values[known], errors[known]
    if len(values) < _MIN_MEMBERS:
        return Population(np.nan, np.nan, np.nan)
    # Errors of exactly 0, with no spread either, would give infinite weights.
    variances = errors**2 + 1e-18 * np.mean(values**2) + np.finfo(np.float64).tiny
    between = 0.0
    for _ in range(_MAX_ITERATIONS):
        weights = 1.0 / (variances + between)
        mean = float(np.sum(weights * values) / weights.sum())
        squares = weights * (values - mean) ** 2
        excess = float(squares.sum()) - (len(values) - 1)
        if excess <= 0.0 and between == 0.0:
            break
        change = excess / float(np.sum(weights * squares))
        between = max(between + change, 0.0)
        if abs(change) <= 1e-9 * between:
            break
    weights = 1.0 / (variances + between)
    mean = float(np.sum(weights * values) / weights.sum())
    return Population(mean, float(np.sqrt(between)), float(weights.sum() ** -0.5))
