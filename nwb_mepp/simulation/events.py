"""Shapes of MEPPs and the times at which they occur."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

__all__ = ["EventShape", "event_times"]

FloatArray = npt.NDArray[np.float64]

_LONGEST_RISE = 0.5  # 10-90 % rise over decay constant; an alpha function, the limit, has 0.57


class EventShape:
    """A unit MEPP, ``(1 - exp(-t / tau_rise))**power * exp(-t / tau_decay)`` scaled to peak 1.

    With ``power`` 1 this is the difference of two exponentials.

    Parameters
    ----------
    rise_s : float
        10-90 % rise time; at most half of ``decay_s``.
    decay_s : float
        Decay time constant.
    power : float, default 1.0
        1 for a sudden onset, 2 to 4 for a sigmoid one.

    Examples
    --------
    >>> shape = EventShape(rise_s=0.7e-3, decay_s=2.5e-3)
    >>> float(shape.value(np.array([shape.peak_s]))[0])
    1.0
    >>> bool(np.isclose(shape.value(np.array([shape.end_s]))[0], np.exp(-1)))
    True
    """

    def __init__(self, *, rise_s: float, decay_s: float, power: float = 1.0) -> None:
        self.decay_s = decay_s
        self.power = power
        self.rise_s = min(rise_s, _LONGEST_RISE * decay_s)
        self._tau_rise_s = float(
            brentq(
                lambda tau_s: self._rise_of(tau_s) - self.rise_s,
                1e-4 * self.rise_s,
                20.0 * decay_s,
                xtol=1e-9,
            )
        )
        self.peak_s = self._peak_of(self._tau_rise_s)
        self._scale = 1.0 / float(self._unscaled(np.array([self.peak_s]), self._tau_rise_s)[0])
        self.end_s = float(
            brentq(
                lambda t: self.value(np.array([t]))[0] - np.exp(-1.0),
                self.peak_s,
                self.peak_s + 5.0 * decay_s,
            )
        )

    @property
    def duration_s(self) -> float:
        """Time after which less than 0.1 % of the peak is left."""
        return self.peak_s + 8.0 * self.decay_s

    def value(self, time_s: FloatArray) -> FloatArray:
        """Return the shape at times from the onset, shape of ``time_s``; 0 before the onset."""
        return self._scale * self._unscaled(time_s, self._tau_rise_s)

    def _unscaled(self, time_s: FloatArray, tau_rise_s: float) -> FloatArray:
        after = np.maximum(time_s, 0.0)
        return np.asarray((-np.expm1(-after / tau_rise_s)) ** self.power * np.exp(-after / self.decay_s))

    def _peak_of(self, tau_rise_s: float) -> float:
        return tau_rise_s * float(np.log1p(self.power * self.decay_s / tau_rise_s))

    def _rise_of(self, tau_rise_s: float) -> float:
        peak_s = self._peak_of(tau_rise_s)
        times_s = np.linspace(0.0, peak_s, 400)
        rising = self._unscaled(times_s, tau_rise_s)
        low, high = np.interp([0.1, 0.9], rising / rising[-1], times_s)
        return float(high - low)


def event_times(
    *,
    duration_s: float,
    rate_hz: float,
    bursts_per_s: float = 0.0,
    burst_size: float = 5.0,
    burst_interval_s: float = 0.012,
    rate_slope: float = 0.0,
    min_interval_s: float = 0.0,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw onset times of a Poisson process, optionally with bursts and a drifting rate.

    Parameters
    ----------
    duration_s : float
    rate_hz : float
        Mean rate outside bursts.
    bursts_per_s : float, default 0.0
        Rate of additional bursts.
    burst_size : float, default 5.0
        Mean number of events in a burst (Poisson, at least 2).
    burst_interval_s : float, default 0.012
        Mean interval within a burst.
    rate_slope : float, default 0.0
        The rate goes linearly from ``1 - rate_slope`` to ``1 + rate_slope`` times its mean; within -1..1.
    min_interval_s : float, default 0.0
        Events closer to their predecessor are dropped.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n_events,), seconds
        Sorted, within ``0 <= t < duration_s``.
    """
    uniform = rng.uniform(0.0, 1.0, rng.poisson(rate_hz * duration_s))
    if rate_slope:
        # Inverse of the cumulated rate (1 - s) u + s u**2.
        slope = rate_slope
        uniform = (-(1.0 - slope) + np.sqrt((1.0 - slope) ** 2 + 4.0 * slope * uniform)) / (2.0 * slope)
    times_s = [uniform * duration_s]
    for first_s in rng.uniform(0.0, duration_s, rng.poisson(bursts_per_s * duration_s)):
        n_events = max(int(rng.poisson(burst_size)), 2)
        times_s.append(first_s + np.cumsum(rng.exponential(burst_interval_s, n_events)))
    onsets_s = np.sort(np.concatenate(times_s))
    onsets_s = onsets_s[onsets_s < duration_s]
    if min_interval_s > 0.0 and len(onsets_s):
        kept = [onsets_s[0]]
        for onset_s in onsets_s[1:]:
            if onset_s - kept[-1] >= min_interval_s:
                kept.append(onset_s)
        onsets_s = np.array(kept)
    return onsets_s
