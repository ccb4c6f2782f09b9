"""Candidates that the network splits, weighed whole as well as in parts.

At the steps of a coarse converter, or on a slow rise, the network's output dips, and one MEPP becomes several
candidates, each improbable. So neighbors are also taken together, and the more probable explanation is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from nwb_mepp.detectors.candidate_features import Described, Wholes

__all__ = ["choose_wholes", "take_together"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_MAX_PARTS = 4
# Parts are neighbors if the gap between them is at most this; a whole lasts no longer than that.
_GAP_S = 3e-3
_LONGEST_S = 25e-3
# Only a clear deflection is taken whole, in SD of the filtered noise. Ripples of the noise are not joined.
_CLEAR = 6.0
# A part that is this probable stands for itself, and so do parts that are rather two MEPPs than one.
_SURE = 0.9
_TWO = 0.5


def take_together(parts: Described) -> Wholes:
    """Take two to four neighboring candidates of a clear deflection together, in every possible way.

    Parameters
    ----------
    parts : Described
        The candidates of one segment.

    Returns
    -------
    Wholes
        Each has the highest score of its parts and the fit of that part under which the shapes stand out
        most, and lasts from this part to the end of the last.
    """
    height = parts.fits.highest
    runs = np.array([(a, b) for a, b in _runs(parts) if height[a:b].max() >= _CLEAR], dtype=np.int64).reshape(
        -1, 2
    )
    first, stop = runs[:, 0], runs[:, 1]
    best = np.array([a + int(np.argmax(height[a:b])) for a, b in runs], dtype=np.int64)
    return Wholes(
        first=first,
        stop=stop,
        described=Described(
            start_s=parts.start_s[best],
            stop_s=parts.stop_s[stop - 1],
            score=np.array([parts.score[a:b].max() for a, b in runs], dtype=np.float64),
            fits=parts.fits.select(best),
        ),
    )


def _runs(parts: Described) -> Iterator[tuple[int, int]]:
    n_parts = len(parts.score)
    for first in range(n_parts):
        for last in range(first + 1, min(first + _MAX_PARTS, n_parts)):
            gap_s = parts.start_s[last] - parts.stop_s[last - 1]
            if gap_s > _GAP_S or parts.stop_s[last] - parts.start_s[first] > _LONGEST_S:
                break
            yield first, last + 1


def choose_wholes(probability: FloatArray, wholes: Wholes, whole_probability: FloatArray) -> IntArray:
    """Choose where one MEPP is a better explanation than several candidates.

    Parameters
    ----------
    probability : ndarray, shape (n_parts,)
        That each part is a MEPP.
    wholes : Wholes
    whole_probability : ndarray, shape (n_wholes,)
        That each whole is one.

    Returns
    -------
    ndarray of int64, shape (n_chosen,)
        Indices of wholes that have no part in common. A whole is chosen where it is more probable than that
        any of its parts is a MEPP, unless one of these is sure, or two or more of them are MEPPs as likely
        as not.

    Examples
    --------
    >>> from nwb_mepp.detectors.shape_bank import ShapeFits
    >>> none = np.empty(0)
    >>> fits = ShapeFits(heights=np.empty((0, 1)), misfit=none, step=none, drift=none)
    >>> described = Described(start_s=none, stop_s=none, score=none, fits=fits)
    >>> pair = Wholes(first=np.array([0]), stop=np.array([2]), described=described)
    >>> [len(choose_wholes(np.array(parts), pair, np.array([0.95]))) for parts in ([0.1, 0.72], [0.8, 0.7])]
    [1, 0]
    """
    chosen: list[int] = []
    free = np.ones(len(probability), dtype=np.bool_)
    for index in np.argsort(-whole_probability, kind="stable"):
        inside = slice(int(wholes.first[index]), int(wholes.stop[index]))
        parts = probability[inside]
        if not free[inside].all() or parts.max() >= _SURE:
            continue
        none = float(np.prod(1.0 - parts))
        # Of one part being a MEPP and the others not.
        one = none * float(np.sum(parts / (1.0 - parts)))
        if 1.0 - none - one < _TWO and whole_probability[index] > 1.0 - none:
            chosen.append(int(index))
            free[inside] = False
    return np.array(sorted(chosen), dtype=np.int64)
