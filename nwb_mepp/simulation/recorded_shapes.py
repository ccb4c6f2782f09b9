"""MEPPs as filters leave them: where each begins, peaks and ends, how high it is, and how fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from nwb_mepp.simulation.events import EventShape
from nwb_mepp.simulation.recording_chain import RecordingChain

__all__ = ["RecordedShapes", "record_shapes"]

FloatArray = npt.NDArray[np.float64]

# How many periods of the lowest cutoff a shape is followed before its onset and after its end.
_PERIODS_BEFORE, _PERIODS_AFTER = 3.0, 6.0
_SHORTEST_MARGIN_S = 1e-3
_N_AT_ONCE = 64  # limits memory
_FINER = 4  # points between samples, on a spline
_END = float(np.exp(-1.0))
# A straight line through 10 and 90 % of the rise meets the baseline an eighth of the 10-90 % time earlier.
_FOOT = 0.125


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordedShapes:
    """Filtered unit MEPPs; arrays of shape (n_mepps,), times in seconds from the unfiltered onset.

    Attributes
    ----------
    start_s : ndarray
        By how much the foot of the rise has moved: where a line through 10 and 90 % meets the baseline.
    peak_s, end_s : ndarray
        The highest point, and where 1/e of it is left.
    height : ndarray
        Of the highest point; 1 without a filter.
    rise_10_90_s : ndarray
    slowing : ndarray
        By how much longer the fall from 50 to 20 % of the peak takes than without a filter.
    """

    start_s: FloatArray
    peak_s: FloatArray
    end_s: FloatArray
    height: FloatArray
    rise_10_90_s: FloatArray
    slowing: FloatArray


def record_shapes(
    shapes: Sequence[EventShape], onsets_s: FloatArray, *, chain: RecordingChain, sampling_rate_hz: float
) -> RecordedShapes:
    """Pass each MEPP alone through the filters of a chain, and measure what comes out.

    Parameters
    ----------
    shapes : sequence of EventShape
    onsets_s : ndarray, shape (n_mepps,)
        Their place between samples.
    chain : RecordingChain
        Only its filters are used: where between its samples a converter meets a MEPP is chance.
    sampling_rate_hz : float
        At which the filters run.

    Returns
    -------
    RecordedShapes

    Examples
    --------
    >>> from nwb_mepp.simulation.recording_chain import Filter
    >>> slow = RecordingChain(filters=(Filter(kind="bessel", cutoff_hz=500.0),))
    >>> shape = EventShape(rise_s=0.7e-3, decay_s=2.5e-3)
    >>> seen = record_shapes([shape], np.zeros(1), chain=slow, sampling_rate_hz=1e4)
    >>> bool(seen.height[0] < 1.0), bool(seen.rise_10_90_s[0] > 0.7e-3), bool(seen.peak_s[0] > shape.peak_s)
    (True, True, True)
    """
    lowest_hz = min((one.lowpass_hz for one in chain.filters if one.lowpass_hz), default=np.inf)
    before = round(max(_PERIODS_BEFORE / lowest_hz, _SHORTEST_MARGIN_S) * sampling_rate_hz)
    after_s = _PERIODS_AFTER / lowest_hz
    order = np.argsort([shape.duration_s for shape in shapes], kind="stable")
    measured = np.empty((6, len(shapes)))
    for first in range(0, len(shapes), _N_AT_ONCE):
        some = order[first : first + _N_AT_ONCE]
        longest_s = shapes[some[-1]].duration_s + after_s
        number = np.arange(-before, int(np.ceil(longest_s * sampling_rate_hz)))
        since_s = np.ceil(onsets_s[some] * sampling_rate_hz) / sampling_rate_hz - onsets_s[some]
        time_s = since_s[:, None] + number / sampling_rate_hz
        plain = np.stack([shapes[i].value(row_s) for i, row_s in zip(some, time_s, strict=True)])
        seen = chain.filtered(plain, sampling_rate_hz=sampling_rate_hz)
        rows = zip(some, since_s, plain, seen, strict=True)
        for i, offset_s, before_filters, behind in rows:
            to_s = _from_points(offset_s - before / sampling_rate_hz, _FINER * sampling_rate_hz)
            measured[:, i] = _compared(_measured(before_filters, to_s), _measured(behind, to_s))
    return RecordedShapes(
        start_s=measured[0],
        peak_s=measured[1],
        end_s=measured[2],
        height=measured[3],
        rise_10_90_s=measured[4],
        slowing=measured[5],
    )


def _from_points(first_s: float, points_hz: float) -> Callable[[float], float]:
    """Return the function from a position among interpolated points to the time from the onset."""
    return lambda position: first_s + position / points_hz


@dataclass(frozen=True, kw_only=True)
class _Landmarks:
    low_s: float
    high_s: float
    peak_s: float
    end_s: float
    fall_s: float
    height: float

    @property
    def foot_s(self) -> float:
        return self.low_s - _FOOT * (self.high_s - self.low_s)


def _measured(samples: FloatArray, to_s: Callable[[float], float]) -> _Landmarks:
    number = np.arange(len(samples))
    fine = CubicSpline(number, samples)(np.arange(_FINER * (len(samples) - 1) + 1) / _FINER)
    top = int(np.argmax(fine))
    height = float(fine[top])
    rising, falling = fine[: top + 1] / height, fine[top:] / height
    low, high = (_last_below(rising, level) for level in (0.1, 0.9))
    half, end, fifth = (top + _first_below(falling, level) for level in (0.5, _END, 0.2))
    return _Landmarks(
        low_s=to_s(low),
        high_s=to_s(high),
        peak_s=to_s(top),
        end_s=to_s(end),
        fall_s=to_s(fifth) - to_s(half),
        height=height,
    )


def _last_below(rising: FloatArray, level: float) -> float:
    """Return where a rise to 1 leaves a level for the last time, between points."""
    i = int(np.flatnonzero(rising < level)[-1])
    return i + float((level - rising[i]) / (rising[i + 1] - rising[i]))


def _first_below(falling: FloatArray, level: float) -> float:
    """Return where a fall from 1 reaches a level for the first time, between points."""
    i = int(np.flatnonzero(falling < level)[0])
    return i - float((level - falling[i]) / (falling[i - 1] - falling[i]))


def _compared(plain: _Landmarks, seen: _Landmarks) -> tuple[float, ...]:
    return (
        seen.foot_s - plain.foot_s,
        seen.peak_s,
        seen.end_s,
        seen.height,
        seen.high_s - seen.low_s,
        seen.fall_s / plain.fall_s,
    )
