"""Which way the MEPPs point: depolarizations are positive, inward currents negative."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

from nwb_mepp.core.polarity import Polarity

__all__ = ["count_deflections", "judge_polarity"]

_LIMIT_SD = 5.0
_BASELINE_S = 0.05
_SMOOTHING_S = 0.001
# Shorter deflections are spikes, which smoothing widens to 1 ms; longer ones are steps and slow waves.
_MIN_S, _MAX_S = 0.0014, 0.025
_MIN_DEFLECTIONS = 3


def count_deflections(values: npt.ArrayLike, *, sampling_rate_hz: float) -> tuple[int, int]:
    """Count the MEPP-like deflections of each sign that clearly exceed the noise.

    Parameters
    ----------
    values : array_like, shape (n_samples,)
        A stretch of trace, any unit.
    sampling_rate_hz : float

    Returns
    -------
    n_positive, n_negative : int
        Deflections of 1 ms averages beyond 5 SD of the noise, lasting 1.4 to 25 ms.
    """
    trace = np.asarray(values, dtype=np.float64)
    decimation = max(int(sampling_rate_hz // 4000.0), 1)
    smooth = scipy.ndimage.uniform_filter1d(trace, max(round(_SMOOTHING_S * sampling_rate_hz), 1))[
        ::decimation
    ]
    rate = sampling_rate_hz / decimation
    deviation = smooth - scipy.ndimage.median_filter(smooth, size=max(round(_BASELINE_S * rate), 3))
    # The interquartile range of the nonzero part survives a trace that mostly repeats one value.
    scale = np.subtract(*np.percentile(deviation, [75.0, 25.0])) / 1.349
    scale = max(scale, float(np.std(np.clip(deviation, -3 * scale, 3 * scale)))) if scale > 0 else 0.0
    if scale <= 0.0:
        scale = float(np.std(deviation))
    if scale <= 0.0:
        return 0, 0
    counts = []
    for sign in (1.0, -1.0):
        beyond = np.concatenate([[False], sign * deviation > _LIMIT_SD * scale, [False]])
        edges = np.flatnonzero(np.diff(beyond.astype(np.int8)))
        durations_s = (edges[1::2] - edges[::2]) / rate
        counts.append(int(np.sum((durations_s >= _MIN_S) & (durations_s <= _MAX_S))))
    return counts[0], counts[1]


def judge_polarity(n_positive: int, n_negative: int, *, unit: str) -> tuple[Polarity, str]:
    """Decide the polarity of the MEPPs from counted deflections.

    Parameters
    ----------
    n_positive, n_negative : int
        From :func:`count_deflections`.
    unit : str
        ``"V"`` or ``"A"``.

    Returns
    -------
    polarity : Polarity
        Positive or negative.
    reason : str
        What the decision rests on. Unless one sign has at least three deflections and twice as many as the
        other, it is the convention: end-plate potentials depolarize, end-plate currents flow inward.

    Examples
    --------
    >>> judge_polarity(2, 14, unit="V")
    (<Polarity.NEGATIVE: 'negative'>, '14 negative and 2 positive deflections')
    >>> judge_polarity(0, 1, unit="V")
    (<Polarity.POSITIVE: 'positive'>, 'potentials depolarize; too few clear deflections to tell')
    """
    more, fewer = max(n_positive, n_negative), min(n_positive, n_negative)
    if more >= _MIN_DEFLECTIONS and more >= 2 * fewer:
        polarity = Polarity.POSITIVE if n_positive > n_negative else Polarity.NEGATIVE
        return polarity, f"{n_negative} negative and {n_positive} positive deflections"
    if unit == "A":
        return Polarity.NEGATIVE, "end-plate currents are inward; too few clear deflections to tell"
    return Polarity.POSITIVE, "potentials depolarize; too few clear deflections to tell"
