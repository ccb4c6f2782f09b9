"""What is known of a candidate, by which its probability is judged: itself, its neighbors, its recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.detectors.shape_bank import SHAPES_S, ShapeFits, typical_shape

__all__ = [
    "FEATURES",
    "LOWEST_SCORE",
    "N_BY_VERSION",
    "N_FEATURES",
    "PEAK_AT",
    "Described",
    "Wholes",
    "describe_candidates",
    "describe_candidates_in_blocks",
    "describe_wholes",
    "describe_wholes_in_blocks",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# The peak lies about a third of the way from the onset to the fall to 1/e, for all usual shapes.
PEAK_AT = 0.35
# Candidates below this score are almost always noise and are ignored.
LOWEST_SCORE = 0.05

_LOGIT_RANGE = (-3.0, 9.0)
_HEIGHT_RANGE = (-1.0, 12.0)
_MISFIT_RANGE = (0.3, 30.0)
# A neighbor farther away than this does not matter.
_NEAR_S = 0.02
# A recording is described by how many candidates a second exceed these scores and heights.
_COUNTED_LOGITS = (-2.0, 0.0, 2.0, 4.0)
_COUNTED_HEIGHTS = (3.0, 4.0, 5.0, 6.5, 8.0)
# Added to a rate before its logarithm is taken: one candidate in 50 s.
_RATE_FLOOR_HZ = 0.02
_DURATION_RANGE_S = (1.0, 60.0)
# Only candidates above this decide what is typical of a recording.
_SURE_LOGIT = 0.0

# Of the candidates above this height, the share that a step explains better than the best shape does.
_STEP_HEIGHT = 3.0
# Added to their number, so that few candidates do not give an extreme share.
_FEW = 2.0
_EVIDENCE_RANGE = (-15.0, 15.0)

# Candidates that are described at a time.
_BLOCK = 1 << 14

_N_FIRST = 11 + len(_COUNTED_LOGITS) + len(_COUNTED_HEIGHTS) + 5
#: Number of columns by version of the features. A version adds columns at the end, so that a model that was
#: fitted to an older one takes the first of them.
N_BY_VERSION = {1: _N_FIRST, 2: _N_FIRST + 4}
#: Version of the features that :func:`describe_candidates` gives, and their number.
FEATURES = max(N_BY_VERSION)
N_FEATURES = N_BY_VERSION[FEATURES]


@dataclass(frozen=True, kw_only=True, eq=False)
class Described:
    """The candidates of one segment and what describes them; arrays of shape (n_candidates,).

    Attributes
    ----------
    start_s, stop_s : ndarray
        Sorted, not overlapping.
    score : ndarray
        Highest output of the network in between.
    fits : ShapeFits
        How well shapes from fast to slow, and changes of the level, fit them.
    """

    start_s: FloatArray
    stop_s: FloatArray
    score: FloatArray
    fits: ShapeFits

    @property
    def peak_s(self) -> FloatArray:
        """About where the peaks are, shape (n_candidates,)."""
        return self.start_s + PEAK_AT * (self.stop_s - self.start_s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Wholes:
    """Neighboring candidates of one segment taken together, each as one; arrays of shape (n_wholes,).

    Attributes
    ----------
    first, stop : ndarray of int64
        The candidates that are taken together: numbers ``first`` to ``stop - 1``. Those of one whole may
        be among those of another.
    described : Described
    """

    first: IntArray
    stop: IntArray
    described: Described


def describe_candidates(segments: Sequence[Described], *, duration_s: float) -> FloatArray:
    """Return the features of the candidates of one channel that the probability depends on.

    Parameters
    ----------
    segments : sequence of Described
    duration_s : float
        Of all segments together.

    Returns
    -------
    ndarray, shape (n_candidates, N_FEATURES)
        Of the candidate: logit of its score; its height under the shape that is typical of the recording
        and under the shape that fits best; misfit, rise and decay of the latter; its length; distance to
        the neighbors before and after, and their heights. Of the recording: how many candidates a second
        exceed certain scores and heights; mean height of the sure ones; misfit of the doubtful ones; typical
        rise and decay; duration. From version 2 on, of the candidate: its height under a step of the level
        and under a drift, and by how much a MEPP is likelier than either (difference of the logarithms of the
        likelihood); of the recording: which share of its higher candidates are rather steps.
    """
    return np.concatenate(list(describe_candidates_in_blocks(segments, duration_s=duration_s)))


def describe_candidates_in_blocks(
    segments: Sequence[Described], *, duration_s: float
) -> Iterator[FloatArray]:
    """Yield what :func:`describe_candidates` returns block by block, as it takes much memory."""
    channel = _Channel(segments, duration_s=duration_s)
    places = [
        _Places(before=np.arange(n) - 1, after=np.arange(n) + 1)
        for n in (len(segment.score) for segment in segments)
    ]
    return channel.describe(segments, places)


def describe_wholes(
    segments: Sequence[Described], wholes: Sequence[Wholes], *, duration_s: float
) -> FloatArray:
    """Return the features of parts that are taken together; see :func:`describe_candidates`.

    Parameters
    ----------
    segments : sequence of Described
        The parts; what is known of the recording comes from these.
    wholes : sequence of Wholes
        One for each segment.
    duration_s : float

    Returns
    -------
    ndarray, shape (n_wholes, N_FEATURES)
    """
    return np.concatenate(list(describe_wholes_in_blocks(segments, wholes, duration_s=duration_s)))


def describe_wholes_in_blocks(
    segments: Sequence[Described], wholes: Sequence[Wholes], *, duration_s: float
) -> Iterator[FloatArray]:
    """Yield what :func:`describe_wholes` returns block by block."""
    channel = _Channel(segments, duration_s=duration_s)
    places = [_Places(before=one.first - 1, after=one.stop) for one in wholes]
    return channel.describe([one.described for one in wholes], places)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Places:
    """Which parts stand before and after each candidate of a segment; outside the segment for none."""

    before: IntArray
    after: IntArray


class _Channel:
    """What is typical of the candidates of a channel."""

    def __init__(self, segments: Sequence[Described], *, duration_s: float) -> None:
        score = np.concatenate([segment.score for segment in segments])
        fits = ShapeFits.concatenate([segment.fits for segment in segments])
        logit = _logit(score)
        sure = np.where(logit > _SURE_LOGIT, score, 0.0)
        self._segments = segments
        self._typical = typical_shape(fits.heights, sure)
        height = self._height(fits)
        log_misfit = np.log(np.clip(fits.misfit, *_MISFIT_RANGE))
        doubtful = logit <= _SURE_LOGIT
        best = fits.highest
        high = best > _STEP_HEIGHT
        self._first = [
            *(_log_rate(logit > limit, duration_s) for limit in _COUNTED_LOGITS),
            *(_log_rate(height > limit, duration_s) for limit in _COUNTED_HEIGHTS),
            float(sure @ height / max(sure.sum(), 1e-3)),
            float(log_misfit[doubtful].mean()) if doubtful.any() else 0.0,
            *np.log(SHAPES_S)[self._typical],
            float(np.log(np.clip(duration_s, *_DURATION_RANGE_S))),
        ]
        self._second = [float(np.sum(high & (fits.step > best)) / (np.sum(high) + _FEW))]

    def _height(self, fits: ShapeFits) -> FloatArray:
        return np.clip(fits.heights[:, self._typical].astype(np.float64), *_HEIGHT_RANGE)

    def describe(self, described: Sequence[Described], places: Sequence[_Places]) -> Iterator[FloatArray]:
        """Yield the features of candidates block by block, those of one segment after those of the other."""
        fits = ShapeFits.concatenate([one.fits for one in described])
        score = np.concatenate([one.score for one in described])
        length_s = np.concatenate([one.stop_s - one.start_s for one in described])
        neighbors = np.concatenate(
            [
                _neighbors(one.start_s, where, starts_s=segment.start_s, height=self._height(segment.fits))
                for one, where, segment in zip(described, places, self._segments, strict=True)
            ]
        )
        for first in range(0, max(len(score), 1), _BLOCK):
            rows = slice(first, first + _BLOCK)
            yield self._columns(fits.select(rows), score[rows], length_s[rows], neighbors[rows])

    def _columns(
        self, fits: ShapeFits, score: FloatArray, length_s: FloatArray, neighbors: FloatArray
    ) -> FloatArray:
        best, n_candidates = fits.highest, len(score)
        step, drift = (np.clip(height, *_HEIGHT_RANGE) for height in (fits.step, fits.drift))
        level = np.maximum(np.maximum(fits.step, fits.drift), 0.0)
        evidence = 0.5 * (np.maximum(best, 0.0) ** 2 - level**2)
        return np.column_stack(
            [
                _logit(score),
                self._height(fits),
                np.clip(best, *_HEIGHT_RANGE),
                np.log(np.clip(fits.misfit, *_MISFIT_RANGE)),
                *np.log(SHAPES_S)[fits.heights.argmax(axis=1)].T,
                np.log(length_s),
                neighbors,
                np.tile(self._first, (n_candidates, 1)),
                step,
                drift,
                np.clip(evidence, *_EVIDENCE_RANGE),
                np.tile(self._second, (n_candidates, 1)),
            ]
        )


def _logit(score: FloatArray) -> FloatArray:
    clipped = np.clip(score, 1e-7, 1.0 - 1e-7)
    return np.asarray(np.clip(np.log(clipped) - np.log1p(-clipped), *_LOGIT_RANGE))


def _neighbors(
    start_s: FloatArray, places: _Places, *, starts_s: FloatArray, height: FloatArray
) -> FloatArray:
    """Return distance and height of the parts before and after, shape (n_candidates, 4)."""
    known_s = np.concatenate([[-np.inf], starts_s, [np.inf]])
    padded = np.pad(height, 1)
    columns = []
    for neighbor in (places.before + 1, places.after + 1):
        distance_s = np.abs(known_s[neighbor] - start_s)
        columns += [np.minimum(distance_s, _NEAR_S), np.where(distance_s < _NEAR_S, padded[neighbor], 0.0)]
    return np.column_stack(columns)


def _log_rate(counted: BoolArray, duration_s: float) -> float:
    return float(np.log(np.sum(counted) / duration_s + _RATE_FLOOR_HZ))
