"""One time shift for a whole recording, because people and programs mark events at different points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nwb_mepp.evaluation.matching import match_times

__all__ = ["LARGEST_SHIFT_S", "common_shift"]

_LARGEST_STEPS, _STEP_S = 30, 1e-4
#: A shift of this size is at the limit: a larger one may fit better.
LARGEST_SHIFT_S = round(_LARGEST_STEPS * _STEP_S, 6)


def common_shift(truth_s: npt.ArrayLike, found_s: npt.ArrayLike, *, tolerance_s: float) -> float:
    """Return the shift to add to all found times so that most of them match.

    Shifts of up to 3 ms either way are tried in steps of 0.1 ms. Among those with the most pairs, the one
    with the smallest total distance is chosen, and among equals the smallest shift.

    Parameters
    ----------
    truth_s, found_s : array_like, shape (n_true,) and (n_found,), seconds
    tolerance_s : float

    Returns
    -------
    float
        In seconds; 0 if nothing matches.

    Raises
    ------
    ValueError
        As :func:`match_times`.

    Examples
    --------
    >>> common_shift([0.1, 0.2, 0.3], [0.1012, 0.2012, 0.3012], tolerance_s=0.002)
    -0.0012
    """
    truth, found = np.asarray(truth_s, dtype=np.float64), np.asarray(found_s, dtype=np.float64)
    best, best_shift_s = (0, 0.0), 0.0
    for steps in sorted(range(-_LARGEST_STEPS, _LARGEST_STEPS + 1), key=abs):
        shift_s = round(steps * _STEP_S, 6)
        pairs = match_times(truth, found + shift_s, tolerance_s=tolerance_s).pairs
        distance_s = float(np.sum(np.abs(found[pairs[:, 1]] + shift_s - truth[pairs[:, 0]])))
        # Rounded, so that equal distances do not differ by the last bit.
        figure = (len(pairs), -round(distance_s, 9))
        if len(pairs) and figure > best:
            best, best_shift_s = figure, shift_s
    return best_shift_s
