"""The peak that belongs to each candidate, on the original trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["PEAK_HALF_WINDOW_S", "Events", "PolarizedTrace", "locate_peaks"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: The height of a peak is the mean over this time before and after it.
PEAK_HALF_WINDOW_S = 0.25e-3

_SMOOTHING_SD_S = 0.2e-3
# How far a detector's peak may be off: outside, and inside the interval that the detector gave.
_NEAR_S = 1e-3
_FAR_S = 3e-3


class Events(Protocol):
    """What a detector found in one segment; sample numbers count from the start of the segment."""

    @property
    def start(self) -> IntArray:
        """First samples, shape (n_events,)."""

    @property
    def peak(self) -> IntArray:
        """Samples near the peaks, sorted."""

    @property
    def stop(self) -> IntArray:
        """Samples after the last ones."""

    @property
    def probability(self) -> FloatArray:
        """Probability that each event is a MEPP."""


@dataclass(frozen=True)
class PolarizedTrace:
    """The trace of a segment, inverted where needed so that events point upward.

    Attributes
    ----------
    read : callable (start, stop) -> ndarray
        Samples of the segment, reflected beyond its borders.
    sign : {1, -1}
        -1 where MEPPs point downward.
    rate_hz : float
    n_samples : int
    """

    read: Callable[[int, int], FloatArray]
    sign: int
    rate_hz: float
    n_samples: int

    def samples(self, duration_s: float) -> int:
        """Return how many whole samples a duration holds."""
        return int(duration_s * self.rate_hz + 1e-9)

    def values(self, start: int, stop: int) -> FloatArray:
        """Return samples ``start <= i < stop``."""
        return self.sign * np.asarray(self.read(start, stop), dtype=np.float64)

    def smoothed(self, start: int, stop: int) -> FloatArray:
        """Return samples ``start <= i < stop`` of the trace smoothed by a Gaussian of 0.2 ms."""
        reach = len(self._kernel) // 2
        return np.convolve(self.values(start - reach, stop + reach), self._kernel, mode="valid")

    @cached_property
    def _kernel(self) -> FloatArray:
        sd = _SMOOTHING_SD_S * self.rate_hz
        reach = int(np.ceil(3.0 * sd))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sd) ** 2)
        return np.asarray(kernel / kernel.sum())


@dataclass(frozen=True)
class _Candidate:
    row: int
    start: int
    peak: int
    stop: int
    probability: float


def locate_peaks(trace: PolarizedTrace, candidates: Events) -> tuple[IntArray, IntArray]:
    """Move each candidate to the maximum it belongs to.

    Parameters
    ----------
    trace : PolarizedTrace
    candidates : Events
        Sorted by peak.

    Returns
    -------
    rows : ndarray of int64, shape (n_peaks,)
        Which candidates were kept. Of candidates with the same maximum, the most probable is kept.
    peaks : ndarray of int64, shape (n_peaks,)
        Samples of the smoothed trace's maxima, increasing by more than twice ``PEAK_HALF_WINDOW_S``.
    """
    hills: list[_Candidate] = []
    borders: list[int] = []
    last = trace.n_samples - 1
    columns = (candidates.start, candidates.peak, candidates.stop, candidates.probability)
    for row, (start, peak, stop, probability) in enumerate(zip(*columns, strict=True)):
        candidate = _Candidate(row, int(start), min(max(int(peak), 0), last), int(stop), float(probability))
        border = _border(trace, hills[-1].peak, candidate.peak) if hills else 0
        if border is not None:
            hills.append(candidate)
            borders.append(border)
        elif candidate.probability > hills[-1].probability:
            hills[-1] = candidate
    # Peaks whose averaging windows would overlap are one peak.
    min_distance = 2 * max(trace.samples(PEAK_HALF_WINDOW_S), 1)
    kept: list[tuple[_Candidate, int]] = []
    for candidate, (low, high) in zip(hills, pairwise([*borders, last]), strict=True):
        peak = _highest(trace, candidate, low=low, high=high)
        if not kept or peak - kept[-1][1] > min_distance:
            kept.append((candidate, peak))
        elif candidate.probability > kept[-1][0].probability:
            kept[-1] = (candidate, peak)
    rows = np.array([candidate.row for candidate, _ in kept], dtype=np.int64)
    return rows, np.array([peak for _, peak in kept], dtype=np.int64)


def _border(trace: PolarizedTrace, left: int, right: int) -> int | None:
    """Return the valley between two candidate peaks, or None if both lie on one hill.

    The valley is where the trace is deepest below the lower of the two maxima beside it. It is not simply
    the minimum in between, as a candidate's peak may lie low on the rising flank.
    """
    if right - left > trace.samples(2.0 * _FAR_S):
        return (left + right) // 2
    near = trace.samples(_NEAR_S)
    smoothed = trace.smoothed(left - near, right + near + 1)
    highest_before = np.maximum.accumulate(smoothed)
    highest_after = np.maximum.accumulate(smoothed[::-1])[::-1]
    dip = (np.minimum(highest_before, highest_after) - smoothed)[near : near + right - left + 1]
    deepest = int(np.argmax(dip))
    return left + deepest if dip[deepest] > 0.0 else None


def _highest(trace: PolarizedTrace, candidate: _Candidate, *, low: int, high: int) -> int:
    """Return where the smoothed trace is highest near a candidate, between its borders."""
    near, far, peak = trace.samples(_NEAR_S), trace.samples(_FAR_S), candidate.peak
    first = max(low, min(peak - near, max(candidate.start, peak - far)))
    last = min(high, max(peak + near, min(candidate.stop - 1, peak + far)))
    return first + int(np.argmax(trace.smoothed(first, max(last, first) + 1)))
