"""Timing of MEPPs: intervals, their variation, and counts, computed with Elephant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.segments import Segment
from nwb_mepp.statistics.poisson import exponential_p
from nwb_mepp.statistics.resolving_time import intervals_beyond, measure_resolving_time, rate_beyond

__all__ = ["Timing", "describe_timing"]

FloatArray = npt.NDArray[np.float64]

_COUNT_BIN_S = 1.0
_SEED = 20260115


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Timing statistics of the MEPPs of one channel; NaN if there are too few MEPPs.

    Attributes
    ----------
    analyzed_s, rate_hz : float
    resolving_s : float
        Time after an onset in which another MEPP may stay unseen.
    corrected_hz, corrected_hz_low, corrected_hz_high : float
        Rate corrected for these, and its 95 % interval.
    interval_mean : float, seconds
    interval_cv : float
        Needs two intervals.
    interval_cv2, interval_lv, interval_lvr : float
        Need two consecutive intervals.
    fano_factor_1s : float
        Needs two whole seconds and one MEPP in them.
    poisson_p : float
        Of the intervals beyond the resolving time; needs five of them.
    """

    analyzed_s: float
    rate_hz: float
    resolving_s: float
    corrected_hz: float
    corrected_hz_low: float
    corrected_hz_high: float
    interval_mean: float
    interval_cv: float
    interval_cv2: float
    interval_lv: float
    interval_lvr: float
    fano_factor_1s: float
    poisson_p: float


def describe_timing(mepps: Mepps, *, segments: Sequence[Segment]) -> Timing:
    """Describe the times of MEPPs.

    Parameters
    ----------
    mepps : Mepps
        Of one channel, sorted by onset.
    segments : sequence of Segment
        All stretches of that channel that were analyzed, in order.

    Returns
    -------
    Timing

    Notes
    -----
    Intervals are measured from onset to onset, only between consecutive MEPPs of one segment. CV2, LV and LvR
    compare neighboring intervals; they are computed for each segment and averaged, weighted by the number of
    neighboring pairs, which equals one average over all pairs.

    Only the Poisson test and the corrected rate join the segments end to end: a Poisson process has no
    memory, so it remains one when a stretch of time is cut out, whereas the intervals within short segments
    alone are too short on average and would appear regular. Both leave out the resolving time after each
    MEPP (:mod:`nwb_mepp.statistics.resolving_time`).
    """
    analyzed_s = sum(segment.n_samples / segment.sampling_rate_hz for segment in segments)
    trains = [_onsets(mepps, segment) for segment in segments]
    intervals = [np.diff(train) for train in trains]
    pooled = np.concatenate([np.empty(0), *intervals])
    joined_s, resolving_s = _end_to_end(trains, segments), measure_resolving_time(mepps)
    corrected_hz = rate_beyond(joined_s, resolving_s=resolving_s, duration_s=analyzed_s)
    spread_s = _between_samples(joined_s, segments)
    rate_hz, cv, cv2, lv, lvr, fano = _with_elephant(
        trains, intervals=intervals, pooled=pooled, segments=segments, analyzed_s=analyzed_s
    )
    return Timing(
        analyzed_s=analyzed_s,
        rate_hz=rate_hz,
        resolving_s=resolving_s,
        corrected_hz=corrected_hz[0],
        corrected_hz_low=corrected_hz[1],
        corrected_hz_high=corrected_hz[2],
        interval_mean=float(pooled.mean()) if len(pooled) else np.nan,
        interval_cv=cv,
        interval_cv2=cv2,
        interval_lv=lv,
        interval_lvr=lvr,
        fano_factor_1s=fano,
        poisson_p=exponential_p(intervals_beyond(spread_s, resolving_s=resolving_s)),
    )


def _with_elephant(
    trains: Sequence[FloatArray],
    *,
    intervals: Sequence[FloatArray],
    pooled: FloatArray,
    segments: Sequence[Segment],
    analyzed_s: float,
) -> tuple[float, float, float, float, float, float]:
    """Return rate, CV, CV2, LV, LvR and Fano factor."""
    if analyzed_s <= 0.0:
        return (np.nan,) * 6
    if not any(len(train) for train in trains):
        return (0.0, *(np.nan,) * 5)  # Skipped without events, because importing Elephant takes two seconds.
    import quantities as pq
    from elephant import statistics as elephant

    rate_hz = elephant.mean_firing_rate(_end_to_end(trains, segments), t_start=0.0, t_stop=analyzed_s)
    cv = float(elephant.cv(pooled)) if len(pooled) >= 2 else np.nan
    counts = [
        np.empty(count)
        for train, segment in zip(trains, segments, strict=True)
        for count in _counts(train, segment)
    ]
    return (
        float(rate_hz),
        cv,
        _over_neighbors(elephant.cv2, intervals),
        _over_neighbors(elephant.lv, intervals),
        # The unit is stated, because Elephant interprets plain numbers as milliseconds here.
        _over_neighbors(lambda stretch: elephant.lvr(stretch * pq.s), intervals),
        # Elephant counts the events of each train, so each second is one train. NaN if all are empty.
        float(elephant.fanofactor(counts)) if len(counts) >= 2 else np.nan,
    )


def _over_neighbors(statistic: Callable[[FloatArray], float], intervals: Sequence[FloatArray]) -> float:
    """Average a statistic of neighboring intervals over segments that have at least two of them."""
    usable = [stretch for stretch in intervals if len(stretch) >= 2]
    if not usable:
        return np.nan
    values = [float(statistic(stretch)) for stretch in usable]
    return float(np.average(values, weights=[len(stretch) - 1 for stretch in usable]))


def _onsets(mepps: Mepps, segment: Segment) -> FloatArray:
    """Return the onsets of the MEPPs of one segment, in seconds from its first sample."""
    inside = (
        (mepps.sweep == segment.trace.sweep)
        & (mepps.start_index >= segment.start)
        & (mepps.start_index < segment.stop)
    )
    return np.sort(mepps.start_index[inside] - segment.start) / segment.sampling_rate_hz


def _end_to_end(trains: Sequence[FloatArray], segments: Sequence[Segment]) -> FloatArray:
    """Return onsets on a clock that only runs during the analyzed segments."""
    elapsed_s, joined = 0.0, [np.empty(0)]
    for train, segment in zip(trains, segments, strict=True):
        joined.append(elapsed_s + train)
        elapsed_s += segment.n_samples / segment.sampling_rate_hz
    return np.concatenate(joined)


def _between_samples(onsets_s: FloatArray, segments: Sequence[Segment]) -> FloatArray:
    """Return onsets anywhere within half a sample of the stored ones, sorted.

    Of thousands of intervals the Poisson test would notice that they are multiples of the sampling interval.
    """
    half_s = 0.5 / segments[0].sampling_rate_hz if len(segments) else 0.0
    return np.sort(onsets_s + np.random.default_rng(_SEED).uniform(-half_s, half_s, len(onsets_s)))


def _counts(train: FloatArray, segment: Segment) -> list[int]:
    """Count the onsets in each whole second of one segment."""
    n_bins = int(segment.n_samples / segment.sampling_rate_hz / _COUNT_BIN_S + 1e-9)
    counts, _ = np.histogram(train, bins=np.arange(n_bins + 1) * _COUNT_BIN_S)
    # A histogram's last bin includes its end, which belongs to the second after it.
    if n_bins:
        counts[-1] -= int(np.sum(train == n_bins * _COUNT_BIN_S))
    return [int(count) for count in counts]
