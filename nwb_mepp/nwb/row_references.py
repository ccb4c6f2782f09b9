"""References from the rows of a table to samples, written without an object for each row.

pynwb makes several objects of each reference and keeps all of them until the file is written: half a
kilobyte a row. Here it writes one reference to each series, in a column that can grow; the rows are made of
these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import h5py
import numpy as np
import numpy.typing as npt
from hdmf.common import VectorData, VectorIndex
from pynwb import H5DataIO, TimeSeries
from pynwb.base import TimeSeriesReference, TimeSeriesReferenceVectorData

from nwb_mepp.core.schema import SAMPLES

__all__ = ["RowReferences", "reference_columns"]

IntArray = npt.NDArray[np.int64]

_INDEX = f"{SAMPLES.name}_index"
_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class _Rows:
    """What each row refers to; ``series`` is the number of the reference that pynwb wrote."""

    first: IntArray
    count: IntArray
    series: IntArray


def reference_columns(
    series: Sequence[TimeSeries], first: Sequence[int], count: Sequence[int]
) -> list[VectorData]:
    """Return the columns of references, one to ``count`` samples of each series from ``first`` on."""
    column = _references(series, first, count)
    return [column, VectorIndex(name=_INDEX, data=_ends(len(column)), target=column)]


def _references(
    series: Sequence[TimeSeries], first: Sequence[int], count: Sequence[int]
) -> TimeSeriesReferenceVectorData:
    rows = zip(first, count, series, strict=True)
    return TimeSeriesReferenceVectorData(
        name=SAMPLES.name,
        description=SAMPLES.description,
        data=[TimeSeriesReference(int(start), int(n), one) for start, n, one in rows],
    )


def _ends(n_rows: int) -> npt.NDArray[np.unsignedinteger]:
    """Return the index of a column with one reference a row, as small as hdmf makes it."""
    return np.arange(1, n_rows + 1).astype(np.min_scalar_type(n_rows))


class RowReferences:
    """The references of the tables of a file that pynwb is about to write."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Rows] = {}

    def take(
        self, table: str, series: Sequence[TimeSeries], *, first: IntArray, count: IntArray, number: IntArray
    ) -> list[VectorData]:
        """Return the columns for pynwb, and keep the rows for :meth:`write`.

        Parameters
        ----------
        table : str
            Name in ``/intervals``.
        series : sequence of TimeSeries
        first, count, number : ndarray of int64, shape (n_rows,)
            Samples, and which of the series has them.
        """
        self._waiting[table] = _Rows(first, count, number)
        column = _references(series, [0] * len(series), [0] * len(series))
        column.set_data_io(H5DataIO, {"maxshape": (None,), "chunks": (min(len(first), _BLOCK),)})
        # hdmf shrinks the numbers of an array to what the column needs, which is not yet whole here; those of
        # an H5DataIO it leaves as they are.
        ends = H5DataIO(_ends(len(first)), maxshape=(None,))
        return [column, VectorIndex(name=_INDEX, data=ends, target=column)]

    def write(self, file: h5py.File) -> None:
        """Write all rows to a file that pynwb has written, which is open for writing."""
        for table, rows in self._waiting.items():
            column = file[f"intervals/{table}/{SAMPLES.name}"]
            to_series = column[:]["timeseries"]
            column.resize((len(rows.first),))
            for begin in range(0, len(rows.first), _BLOCK):
                some = slice(begin, begin + _BLOCK)
                block = np.empty(len(rows.first[some]), dtype=column.dtype)
                block["idx_start"], block["count"] = rows.first[some], rows.count[some]
                block["timeseries"] = to_series[rows.series[some]]
                column[some] = block
        self._waiting.clear()
