"""Many small systems of linear equations at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["NOTHING_KNOWN", "inverse", "solve", "solve_two"]

FloatArray = npt.NDArray[np.float64]

#: A variance beyond any that a measurement has.
NOTHING_KNOWN = 1e12
_MAX_CONDITION = 1e12


def solve_two(matrices: FloatArray, targets: FloatArray) -> FloatArray:
    """Solve systems of two equations; NaN where they are singular."""
    (a, b), d = matrices[:, 0].T, matrices[:, 1, 1]
    determinant = a * d - b * b
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (d * targets[:, 0] - b * targets[:, 1]) / determinant
        second = (a * targets[:, 1] - b * targets[:, 0]) / determinant
    return np.stack([first, second], axis=1)


def solve(matrices: FloatArray, targets: FloatArray) -> FloatArray:
    """Solve systems of a few equations; 0 where they are singular.

    Examples
    --------
    >>> solve(np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]]]), np.ones((2, 2)))
    array([[0.5 , 0.25],
           [0.  , 0.  ]])
    """
    try:
        return np.asarray(np.linalg.solve(matrices, targets[:, :, None])[:, :, 0])
    except np.linalg.LinAlgError:  # of thousands of systems, one is enough
        regular = np.linalg.det(matrices) != 0.0
        solved = np.zeros_like(targets)
        solved[regular] = np.linalg.solve(matrices[regular], targets[regular][:, :, None])[:, :, 0]
        return solved


def inverse(matrices: FloatArray) -> FloatArray:
    """Return inverses of matrices; ``NOTHING_KNOWN`` on the diagonal where they are singular.

    Examples
    --------
    >>> inverse(np.array([[[2.0, 0.0], [0.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]]]))[:, 1].tolist()
    [[0.0, 0.25], [0.0, 1000000000000.0]]
    """
    diagonal = np.einsum("nii->ni", matrices)
    scale = np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = matrices / scale[:, :, None] / scale[:, None, :]
    inverses = np.tile(NOTHING_KNOWN * np.eye(matrices.shape[1]), (len(matrices), 1, 1))
    regular = np.linalg.cond(scaled) < _MAX_CONDITION
    inverses[regular] = np.linalg.inv(scaled[regular]) / scale[regular, :, None] / scale[regular, None, :]
    return inverses
