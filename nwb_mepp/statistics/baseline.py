"""The resting or holding level of a channel, measured on the trace itself.

It must also be known if no MEPP was found, so it is not derived from the baselines of the MEPPs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nwb_mepp.core.segments import Segment

__all__ = ["Baseline", "sample_baseline"]

_BIN_S = 1.0


@dataclass(frozen=True)
class Baseline:
    """Level of a channel in its own unit (V or A), and its slope over time in that unit per second.

    The slope is NaN if the trace is too short for two medians.
    """

    mean: float
    drift_per_s: float


def sample_baseline(segments: Iterable[Segment]) -> Baseline:
    """Describe the level of a channel by medians over 1 s.

    Parameters
    ----------
    segments : iterable of Segment
        All stretches of one channel that are analyzed.

    Returns
    -------
    Baseline
        Mean of the medians, and the slope of the straight line fitted to them by least squares; each
        median is weighted by the number of its samples. Both NaN without any segment.

    Notes
    -----
    Each segment is divided evenly into stretches of about 1 s, so no sample is left out. MEPPs occupy only
    a few percent of a second and hardly change its median.
    """
    rows = [row for segment in segments for row in _medians(segment)]
    if not rows:
        return Baseline(np.nan, np.nan)
    center_s, median, weight = np.array(rows).T
    mean = float(np.average(median, weights=weight))
    since_s = center_s - np.average(center_s, weights=weight)
    spread = float(np.sum(weight * since_s**2))
    if spread == 0.0:
        return Baseline(mean, np.nan)
    return Baseline(mean, float(np.sum(weight * since_s * (median - mean)) / spread))


def _medians(segment: Segment) -> Iterable[tuple[float, float, float]]:
    """Yield the center in time, the median and the number of samples of each stretch."""
    n_bins = max(round(segment.n_samples / segment.sampling_rate_hz / _BIN_S), 1)
    edges = np.linspace(0, segment.n_samples, n_bins + 1).round().astype(int).tolist()
    for start, stop in pairwise(edges):
        if stop > start:
            middle = segment.start + 0.5 * (start + stop - 1)
            time_s = segment.trace.start_s + middle / segment.sampling_rate_hz
            yield time_s, float(np.median(segment.values(start, stop))), stop - start
