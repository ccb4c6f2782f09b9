"""Anomalies: where the error of a reconstruction is so large, and so lasting, that a MEPP may be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy

from nwb_mepp._utils.spool import Spool
from nwb_mepp.detectors.noise_course import block_edges, block_medians, noise_course
from nwb_mepp.detectors.streams import (
    BlockMedians,
    apart,
    moving_mean,
    moving_minimum,
    side_by_side,
    whole_runs,
)
from nwb_mepp.measurement.intervals import intervals_above, split_at_minima

__all__ = [
    "Anomalies",
    "AnomalyScan",
    "anomalies_in",
    "find_anomalies",
    "sample_anomaly",
    "steady_anomaly",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]

_WINDOW = 40
# The error of a reconstructed MEPP keeps its sign over half a millisecond, that of noise does not.
_ERROR_SMOOTHING = 5
_TRACE_SMOOTHING = 7
_MIN_SAMPLES = 3
_SPLIT_DEPTH = 0.15
# An interval ends where the score has fallen by nine tenths of the way from its maximum to the floor: the
# windows shorten it, and the decay of a MEPP hardly exceeds the whitened noise.
_BORDER = 0.1
# The peak of the trace may lie a little outside the interval.
_PEAK_REACH = 10
_DIVIDED = 1 << 20  # samples whose score is divided at a time


def sample_anomaly(error: npt.ArrayLike) -> FloatArray:
    """Return how anomalous each sample is, given the signed error of the reconstruction.

    The absolute error, smoothed over 0.5 ms, is averaged over windows of 40 samples; a sample gets
    the lowest mean of the windows that cover it.

    Parameters
    ----------
    error : array_like, shape (n_samples,), in SD of the noise

    Returns
    -------
    ndarray, shape (n_samples,)

    Examples
    --------
    >>> error = np.zeros(200)
    >>> error[80:120] = 1.0
    >>> score = sample_anomaly(error)
    >>> float(score[50]), float(score.max().round(2)) < 0.6, int(np.argmax(score)) in range(95, 105)
    (0.0, True, True)
    """
    return np.concatenate([np.empty(0), *_anomaly([np.asarray(error)])])


def _anomaly(errors: Iterable[npt.NDArray[np.floating]]) -> Iterator[FloatArray]:
    """Yield the score of :func:`sample_anomaly` for an error that comes part by part."""
    means = moving_mean(map(np.abs, moving_mean(errors, _ERROR_SMOOTHING)), _WINDOW)
    # The filters are centered on the later of the two middle samples; the shift compensates for it.
    return moving_minimum(means, _WINDOW, origin=-1)


def steady_anomaly(
    errors: Sequence[npt.NDArray[np.floating]], *, sampling_rate_hz: float
) -> list[FloatArray]:
    """Return how anomalous each sample of a channel is, given the noise around it.

    Where the noise is stronger than in most of the channel, the score of :func:`sample_anomaly` is divided by
    how much stronger it is there.

    Parameters
    ----------
    errors : sequence of ndarray, shape (n_samples,), in SD of the noise
        Of the reconstruction, one for each segment.
    sampling_rate_hz : float

    Returns
    -------
    list of ndarray, shape (n_samples,)
    """
    scores = [sample_anomaly(error) for error in errors]
    edges = [block_edges(len(score), sampling_rate_hz=sampling_rate_hz) for score in scores]
    courses = noise_course([block_medians(*one) for one in zip(scores, edges, strict=True)])
    for score, edge, course in zip(scores, edges, courses, strict=True):
        for first in range(0, len(score), _DIVIDED):
            part = score[first : first + _DIVIDED]
            part /= _course_at(first, len(part), edges=edge, course=course)
    return scores


def _course_at(first: int, n_samples: int, *, edges: IntArray, course: FloatArray) -> FloatArray:
    """Return how much stronger the noise is at some samples, given that of each block."""
    centers = 0.5 * (edges[:-1] + edges[1:])
    return np.interp(np.arange(first, first + n_samples), centers, course)


@dataclass(frozen=True, eq=False)
class Anomalies:
    """Anomalies of one segment that have the polarity of MEPPs, before any threshold, at the network's rate.

    Attributes
    ----------
    start, peak, stop : ndarray of int64, shape (n_anomalies,)
        Network samples from the start of the segment; stop exclusive.
    score : ndarray, shape (n_anomalies,)
        Highest score of a sample in between.
    """

    start: IntArray
    peak: IntArray
    stop: IntArray
    score: FloatArray


def find_anomalies(trace: npt.ArrayLike, score: FloatArray, *, floor: float) -> Anomalies:
    """Find the anomalies of a segment.

    Parameters
    ----------
    trace : array_like, shape (n_samples,)
        The input of the network.
    score : ndarray, shape (n_samples,)
        From :func:`sample_anomaly` or :func:`steady_anomaly`.
    floor : float
        An anomaly is a run above it, divided where the score dips.
    """
    smooth = scipy.ndimage.uniform_filter1d(np.asarray(trace), _TRACE_SMOOTHING, output=np.float64)
    return anomalies_in([(0, score, smooth)], floor=floor)


def anomalies_in(runs: Iterable[tuple[int, FloatArray, FloatArray]], *, floor: float) -> Anomalies:
    """Find the anomalies in stretches that do not divide any: first sample, score and smoothed trace."""
    rows, scores = [], []
    for begin, score, smooth in runs:
        above = intervals_above(score, threshold=floor, min_samples=_MIN_SAMPLES)
        for first, last in split_at_minima(above, score, depth=_SPLIT_DEPTH):
            part = score[first:last]
            inside = np.flatnonzero(part >= floor + _BORDER * (part.max() - floor))
            start, stop = first + inside[0], first + inside[-1] + 1
            near = max(first, start - _PEAK_REACH)
            around = smooth[near : min(last, stop + _PEAK_REACH)]
            peak = near + int(np.argmax(np.abs(around)))
            # The trace is upright: a negative deflection is not a MEPP, however unusual it is.
            if smooth[peak] > 0.0:
                rows.append((begin + min(start, peak), begin + peak, begin + max(stop, peak + 1)))
                scores.append(float(part.max()))
    start, peak, stop = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Anomalies(start, peak, stop, np.array(scores, dtype=np.float64))


class AnomalyScan:
    """What a pass over a segment keeps: how strong the noise is, and the runs that may hold an anomaly.

    Parameters
    ----------
    tiles : iterable of (ndarray, ndarray)
        Input and error of the network.
    n_samples : int
    sampling_rate_hz : float
    floor : float
    least : float
        Score that an anomaly must reach.

    Attributes
    ----------
    medians : ndarray, shape (n_blocks,)
        Of the score in each block.
    """

    def __init__(
        self,
        tiles: Iterable[tuple[Float32Array, Float32Array]],
        *,
        n_samples: int,
        sampling_rate_hz: float,
        floor: float,
        least: float,
    ) -> None:
        self._edges = block_edges(n_samples, sampling_rate_hz=sampling_rate_hz)
        medians = BlockMedians(self._edges)
        self._firsts: list[int] = []
        self._rows = Spool()
        inputs, errors = apart(tiles)
        scores, smooth = medians.watch(_anomaly(errors)), moving_mean(inputs, _TRACE_SMOOTHING)
        for begin, (score, trace) in whole_runs(side_by_side(scores, smooth), threshold=floor):
            # Divided by the course of the noise, which is known in the end, a score only falls.
            for first, last in intervals_above(score, threshold=floor, min_samples=_MIN_SAMPLES):
                if score[first:last].max() >= least:
                    self._firsts.append(begin + int(first))
                    self._rows.append(np.concatenate([score[first:last], trace[first:last]]))
        self.medians = medians.found

    def runs(self, course: FloatArray) -> Iterator[tuple[int, FloatArray, FloatArray]]:
        """Yield first sample, score given the course of the noise, and smoothed trace of each run."""
        for number, first in enumerate(self._firsts):
            score, trace = self._rows[number].reshape(2, -1)
            yield first, score / _course_at(first, len(score), edges=self._edges, course=course), trace
