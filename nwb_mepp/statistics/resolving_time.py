"""MEPPs that merge with the one before: the resolving time, and the rate and intervals beyond it.

A MEPP that begins on the rise or near the peak of another is often no row of its own, so a count is too low
where MEPPs are frequent, and short intervals are missing. Both are met in the same way: after each MEPP the
clock stands still for the resolving time. Whatever happens in that time, seen or not, is left out; a Poisson
process has no memory, so what is counted while the clock runs has the true rate [1]_, [2]_.

References
----------
.. [1] Müller, J. W. (1973). Dead-time problems. Nucl. Instrum. Methods 112, 47-57.
   https://doi.org/10.1016/0029-554X(73)90773-8
.. [2] Cox, D. R. & Lewis, P. A. W. (1966). The statistical analysis of series of events. Methuen, London.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.statistics.poisson import rate_interval

__all__ = ["intervals_beyond", "measure_resolving_time", "rate_beyond"]

FloatArray = npt.NDArray[np.float64]


def measure_resolving_time(mepps: Mepps) -> float:
    """Return the time after an onset in which another MEPP may stay unseen.

    Parameters
    ----------
    mepps : Mepps
        Of one channel.

    Returns
    -------
    float, seconds
        Median time from onset to 1/e of the amplitude; 0 without MEPPs that reach it.

    Notes
    -----
    The second of two MEPPs is a peak of its own once the first is decaying. A time that is longer than needed
    widens the interval of the rate, but does not bias it.
    """
    whole = ~mepps.overlapped
    return float(np.median((mepps.stop_s - mepps.start_s)[whole])) if whole.any() else 0.0


def intervals_beyond(onsets_s: npt.ArrayLike, *, resolving_s: float) -> FloatArray:
    """Return what is left of each interval after the resolving time; shorter intervals are left out.

    Parameters
    ----------
    onsets_s : array_like, shape (n_events,)
        Sorted.
    resolving_s : float

    Returns
    -------
    ndarray, shape (n_left,), seconds
        Of a Poisson process they are distributed exponentially, with the mean of all its intervals.

    Examples
    --------
    >>> intervals_beyond([0.0, 1.0, 1.25, 3.25], resolving_s=0.5)
    array([0.5, 1.5])
    """
    left = np.diff(np.asarray(onsets_s, dtype=np.float64)) - resolving_s
    return np.asarray(left[left > 0.0])


def rate_beyond(
    onsets_s: npt.ArrayLike, *, resolving_s: float, duration_s: float, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Return the rate of a Poisson process from what happens later than the resolving time after an event.

    Parameters
    ----------
    onsets_s : array_like, shape (n_events,)
        Sorted, within ``0 <= t < duration_s``.
    resolving_s, duration_s : float
    confidence : float, default 0.95

    Returns
    -------
    rate, low, high : float, hertz
        Events counted while the clock runs over the time it runs, and the exact Poisson interval of this
        rate; NaN if it never runs.

    Examples
    --------
    The first and the third of three events count. The clock runs from 0.75 s to 3 s and from 3.5 s to 4 s.

    >>> rate, low, high = rate_beyond([0.0, 0.25, 3.0], resolving_s=0.5, duration_s=4.0)
    >>> round(rate, 4)
    0.7273
    """
    onsets = np.asarray(onsets_s, dtype=np.float64)
    if not len(onsets):
        return (0.0 if duration_s > 0.0 else np.nan, *rate_interval(0, duration_s=duration_s))
    left = np.diff(onsets) - resolving_s
    last_s = max(duration_s - float(onsets[-1]) - resolving_s, 0.0)
    running_s = float(onsets[0] + left[left > 0.0].sum() + last_s)
    n_counted = 1 + int(np.sum(left > 0.0))
    if running_s <= 0.0:
        return np.nan, np.nan, np.nan
    return n_counted / running_s, *rate_interval(n_counted, duration_s=running_s, confidence=confidence)
