"""Envelopes of long recordings, so that no short event vanishes between two pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.recording import Trace

__all__ = ["Envelope", "TimeAxis", "envelope_of"]

FloatArray = npt.NDArray[np.float64]

_BLOCK = 1 << 20
_MIN_COLUMNS = 4
# If less than this fraction of the time between first and last sample was recorded, sweeps are drawn end to
# end: drawn to scale, they would be hairlines with gaps between them.
_SPARSE = 0.6


@dataclass(frozen=True)
class Envelope:
    """Minimum and maximum of many short stretches of one sweep; arrays of shape (n_columns,)."""

    time_s: FloatArray
    low: FloatArray
    high: FloatArray

    def zigzag(self) -> tuple[FloatArray, FloatArray]:
        """Return a line that visits every extreme."""
        return np.repeat(self.time_s, 2), np.stack([self.low, self.high], axis=1).ravel()


class TimeAxis:
    """Where each sweep lies on the time axis.

    Attributes
    ----------
    end_to_end : bool
        True where pauses between sweeps are left out.
    borders_s : tuple of float
        Where one sweep ends and the next begins, if they are drawn end to end.
    duration_s : float
        Length of the axis, which begins at ``start_s``.
    """

    def __init__(self, traces: Sequence[Trace]) -> None:
        recorded_s = sum(trace.duration_s for trace in traces)
        first_s = min(trace.start_s for trace in traces)
        spanned_s = max(trace.start_s + trace.duration_s for trace in traces) - first_s
        self.end_to_end = recorded_s < _SPARSE * spanned_s
        self.duration_s = recorded_s if self.end_to_end else spanned_s
        self.start_s = 0.0 if self.end_to_end else first_s
        starts_s = np.cumsum([0.0, *(trace.duration_s for trace in traces[:-1])])
        self._shift_s = {
            trace.sweep: float(start_s) - trace.start_s if self.end_to_end else 0.0
            for trace, start_s in zip(traces, starts_s, strict=True)
        }
        self.borders_s = tuple(starts_s[1:].tolist()) if self.end_to_end else ()

    def positions(self, time_s: npt.ArrayLike, *, sweep: npt.ArrayLike) -> FloatArray:
        """Return the positions of times of given sweeps on the axis."""
        times, sweeps = np.broadcast_arrays(np.asarray(time_s, dtype=np.float64), np.asarray(sweep))
        shifts = np.array([self._shift_s[number] for number in sweeps.ravel().tolist()])
        return np.asarray(times + shifts.reshape(times.shape))


def envelope_of(
    trace: Trace, *, n_columns: int, excluded: Sequence[tuple[float, float]] = ()
) -> tuple[Envelope, npt.NDArray[np.bool_]]:
    """Reduce a sweep to the extremes of stretches of equal length, reading it block by block.

    Parameters
    ----------
    trace : Trace
    n_columns : int
        Largest number of stretches, at least 4; with fewer samples, each sample is one.
    excluded : sequence of (start_s, stop_s)
        Stretches that were not analyzed.

    Returns
    -------
    envelope : Envelope
        Times in seconds from the session start.
    analyzed : ndarray of bool, shape (n_columns,)
        False for stretches that touch an excluded one.
    """
    n_columns = min(max(n_columns, _MIN_COLUMNS), trace.n_samples)
    edges = np.linspace(0, trace.n_samples, n_columns + 1).round().astype(np.int64)
    low, high = np.empty(n_columns), np.empty(n_columns)
    column = 0
    while column < n_columns:
        # A block ends at the edge of a column, so no column is divided.
        last = max(int(np.searchsorted(edges, edges[column] + _BLOCK, side="right")) - 1, column + 1)
        values = trace.values(int(edges[column]), int(edges[last]))
        starts = edges[column:last] - edges[column]
        low[column:last] = np.minimum.reduceat(values, starts)
        high[column:last] = np.maximum.reduceat(values, starts)
        column = last
    edges_s = trace.start_s + edges / trace.sampling_rate_hz
    analyzed = np.ones(n_columns, dtype=np.bool_)
    for start_s, stop_s in excluded:
        analyzed &= (edges_s[1:] <= start_s) | (edges_s[:-1] >= stop_s)
    center_s = 0.5 * (edges_s[:-1] + edges_s[1:])
    return Envelope(center_s, low, high), analyzed
