"""When MEPPs come: intervals, their variation, and counts, computed with Elephant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.mepps import Mepps
from nwb_mepp.statistics.poisson import exponential_p
from nwb_mepp.windows import Piece

__all__ = ["Timing", "describe_timing"]

FloatArray = npt.NDArray[np.float64]

_COUNT_BIN_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When the MEPPs of one channel come; NaN where there are too few of them.

    Attributes
    ----------
    analysed_s, rate_hz : float
    interval_mean : float, seconds
    interval_cv : float
        Needs two intervals.
    interval_cv2, interval_lv, interval_lvr : float
        Need two intervals that follow each other.
    fano_factor_1s : float
        Needs two whole seconds and one MEPP in them.
    poisson_p : float
        Needs six MEPPs.
    """

    analysed_s: float
    rate_hz: float
    interval_mean: float
    interval_cv: float
    interval_cv2: float
    interval_lv: float
    interval_lvr: float
    fano_factor_1s: float
    poisson_p: float


def describe_timing(mepps: Mepps, *, pieces: Sequence[Piece]) -> Timing:
    """Describe the times of MEPPs.

    Parameters
    ----------
    mepps : Mepps
        Of one channel, sorted by onset.
    pieces : sequence of Piece
        All stretches of that channel that were analysed, in order.

    Returns
    -------
    Timing

    Notes
    -----
    An interval is counted from onset to onset, only between MEPPs that follow each other within one piece.
    CV2, LV and LvR compare neighbouring intervals; they are computed for each piece and averaged, each
    piece counting by its number of neighbours, which equals one average over all neighbours.

    Only the Poisson test joins the pieces end to end: a Poisson process has no memory, so leaving
    time out and closing the gap leaves a Poisson process, whereas intervals within short pieces alone are too
    short on average and would be called regular.
    """
    analysed_s = sum(piece.n_samples / piece.sampling_rate_hz for piece in pieces)
    trains = [_onsets(mepps, piece) for piece in pieces]
    intervals = [np.diff(train) for train in trains]
    pooled = np.concatenate([np.empty(0), *intervals])
    rate_hz, cv, cv2, lv, lvr, fano = _with_elephant(
        trains, intervals=intervals, pooled=pooled, pieces=pieces, analysed_s=analysed_s
    )
    return Timing(
        analysed_s=analysed_s,
        rate_hz=rate_hz,
        interval_mean=float(pooled.mean()) if len(pooled) else np.nan,
        interval_cv=cv,
        interval_cv2=cv2,
        interval_lv=lv,
        interval_lvr=lvr,
        fano_factor_1s=fano,
        poisson_p=exponential_p(np.diff(_end_to_end(trains, pieces))),
    )


def _with_elephant(
    trains: Sequence[FloatArray],
    *,
    intervals: Sequence[FloatArray],
    pooled: FloatArray,
    pieces: Sequence[Piece],
    analysed_s: float,
) -> tuple[float, float, float, float, float, float]:
    """Return rate, CV, CV2, LV, LvR and Fano factor."""
    if analysed_s <= 0.0:
        return (np.nan,) * 6
    if not any(len(train) for train in trains):
        return (0.0, *(np.nan,) * 5)  # Spared without events: Elephant takes two seconds to import.
    import quantities as pq
    from elephant import statistics as elephant

    rate_hz = elephant.mean_firing_rate(_end_to_end(trains, pieces), t_start=0.0, t_stop=analysed_s)
    cv = float(elephant.cv(pooled)) if len(pooled) >= 2 else np.nan
    counts = [
        np.empty(count)
        for train, piece in zip(trains, pieces, strict=True)
        for count in _counts(train, piece)
    ]
    return (
        float(rate_hz),
        cv,
        _over_neighbours(elephant.cv2, intervals),
        _over_neighbours(elephant.lv, intervals),
        # Seconds are stated, for Elephant takes plain numbers for milliseconds here.
        _over_neighbours(lambda stretch: elephant.lvr(stretch * pq.s), intervals),
        # Elephant counts the events of each train: one train for each second. All empty gives NaN.
        float(elephant.fanofactor(counts)) if len(counts) >= 2 else np.nan,
    )


def _over_neighbours(statistic: Callable[[FloatArray], float], intervals: Sequence[FloatArray]) -> float:
    """Average a statistic of neighbouring intervals over pieces that have at least two of them."""
    usable = [stretch for stretch in intervals if len(stretch) >= 2]
    if not usable:
        return np.nan
    values = [float(statistic(stretch)) for stretch in usable]
    return float(np.average(values, weights=[len(stretch) - 1 for stretch in usable]))


def _onsets(mepps: Mepps, piece: Piece) -> FloatArray:
    """Return the onsets of the MEPPs of one piece, in seconds from its first sample."""
    inside = (
        (mepps.sweep == piece.trace.sweep)
        & (mepps.start_index >= piece.start)
        & (mepps.start_index < piece.stop)
    )
    return np.sort(mepps.start_index[inside] - piece.start) / piece.sampling_rate_hz


def _end_to_end(trains: Sequence[FloatArray], pieces: Sequence[Piece]) -> FloatArray:
    """Return onsets on a clock that runs only while something is analysed."""
    elapsed_s, joined = 0.0, [np.empty(0)]
    for train, piece in zip(trains, pieces, strict=True):
        joined.append(elapsed_s + train)
        elapsed_s += piece.n_samples / piece.sampling_rate_hz
    return np.concatenate(joined)


def _counts(train: FloatArray, piece: Piece) -> list[int]:
    """Count the onsets in each whole second of one piece."""
    n_bins = int(piece.n_samples / piece.sampling_rate_hz / _COUNT_BIN_S + 1e-9)
    counts, _ = np.histogram(train, bins=np.arange(n_bins + 1) * _COUNT_BIN_S)
    # A histogram's last bin includes its end, which belongs to the second after it.
    if n_bins:
        counts[-1] -= int(np.sum(train == n_bins * _COUNT_BIN_S))
    return [int(count) for count in counts]
