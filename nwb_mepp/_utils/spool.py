"""Rows of numbers, many in a long recording: in memory up to a limit, beyond it in a temporary file."""

from __future__ import annotations

import tempfile
import weakref
from array import array

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import OutputError

__all__ = ["Spool"]

FloatArray = npt.NDArray[np.float64]

_MOST_AT_ONCE = 1 << 23  # bytes


class Spool:
    """Rows of numbers in the order in which they came; the file goes with the object.

    Parameters
    ----------
    max_bytes : int, default 8 MB
        What may be in memory.

    Examples
    --------
    >>> rows = Spool()
    >>> rows.append(np.array([1.0, 2.0]))
    >>> rows.append(np.array([3.0]))
    >>> len(rows), rows[1], rows[0]
    (2, array([3.]), array([1., 2.]))
    """

    def __init__(self, *, max_bytes: int = 1 << 23) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=max_bytes)  # noqa: SIM115 - closed with the rows
        weakref.finalize(self, self._file.close)
        self._ends = array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, row: FloatArray) -> None:
        """Add a row at the end, of any length.

        Raises
        ------
        OutputError
            If the folder for temporary files has no room for it.
        """
        try:
            self._file.seek(self._ends[-1])
            self._file.write(np.ascontiguousarray(row, dtype=np.float64).tobytes())
        except OSError as error:
            raise OutputError(
                f"expected room for intermediate results in {tempfile.gettempdir()}, found none: the "
                f"operating system reports: {error}; free some space, or name another folder in TMPDIR."
            ) from error
        self._ends.append(self._ends[-1] + 8 * len(row))

    def stacked(self, indices: npt.NDArray[np.int64]) -> FloatArray:
        """Return some rows of equal length, at least one, shape (n_rows, n_numbers)."""
        low, high = int(indices.min()), int(indices.max())
        lengths = np.diff(np.frombuffer(self._ends, dtype=np.int64)[low : high + 2])
        # Reading what lies between them as well takes less time than to go to each.
        if (high - low) * lengths[0] <= _MOST_AT_ONCE and np.all(lengths == lengths[0]):
            self._file.seek(self._ends[low])
            rows = np.frombuffer(self._file.read(int(lengths.sum())))
            return np.asarray(rows.reshape(high - low + 1, -1)[indices - low])
        return np.stack([self[index] for index in indices.tolist()])

    def __getitem__(self, index: int) -> FloatArray:
        start, stop = self._ends[index], self._ends[index + 1]
        self._file.seek(start)
        return np.frombuffer(self._file.read(stop - start))
