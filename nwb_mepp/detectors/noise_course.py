"""How the strength of the noise changes in the course of a channel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy

__all__ = ["block_edges", "block_medians", "noise_course"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_BLOCK_S = 0.25
# The median over this many blocks: MEPPs that follow each other closely fill one block, not all of them.
_N_BLOCKS = 5
# Weaker changes are within the error of the estimate.
_AT_LEAST = 1.1


def block_edges(n_samples: int, *, sampling_rate_hz: float) -> IntArray:
    """Return where blocks of about 0.25 s begin and the last one ends, shape (n_blocks + 1,).

    Examples
    --------
    >>> block_edges(1_100, sampling_rate_hz=2_000.0)
    array([   0,  550, 1100])
    """
    n_blocks = max(int(n_samples / (_BLOCK_S * sampling_rate_hz)), 1)
    return np.linspace(0, n_samples, n_blocks + 1).astype(np.int64)


def block_medians(values: npt.NDArray[np.floating], edges: IntArray) -> FloatArray:
    """Return the median of each block, shape (n_blocks,); of a block without samples it is 0."""
    return np.array(
        [np.median(values[first:last]) if last > first else 0.0 for first, last in pairwise(edges)]
    )


def noise_course(medians: Sequence[FloatArray]) -> list[FloatArray]:
    """Return how much stronger the noise is in each block than in most of the channel.

    Parameters
    ----------
    medians : sequence of ndarray, shape (n_blocks,)
        For each segment of the channel, the median in each block of something that is proportional to the
        noise and never negative. MEPPs leave it unchanged, as they fill less than half of the time.

    Returns
    -------
    list of ndarray, shape (n_blocks,)
        1 where the noise is as weak as in most blocks, or less than a tenth stronger; never less.

    Examples
    --------
    >>> (course,) = noise_course([np.array([1.0] * 30 + [2.2] * 10)])
    >>> float(course[0]), float(course[-1])
    (1.0, 2.0)
    """
    usual = float(np.median(np.concatenate(medians))) if len(medians) else 0.0
    if usual <= 0.0:
        return [np.ones(len(one)) for one in medians]
    return [
        np.maximum(scipy.ndimage.median_filter(one, _N_BLOCKS, mode="nearest") / usual / _AT_LEAST, 1.0)
        for one in medians
    ]
