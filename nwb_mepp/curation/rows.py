"""Rows of a review: an event with its measures and what was decided about it, as plain values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nwb_mepp.core.columns import Column
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.results import Curation
from nwb_mepp.core.schema import CurationColumns, EventColumns

__all__ = ["COLUMNS", "Row", "curation_of", "from_plain", "mepps_of", "plain", "rows_of", "sort_rows"]

# By attribute: every column of a table of MEPPs and of a curated one, and TOUCHED.
Row = dict[str, Any]
# What a person did to the times of a row: "", "added" or "moved". It survives a rejection.
TOUCHED = "touched"

COLUMNS: tuple[Column[Any], ...] = (*EventColumns.columns(), *CurationColumns.columns())
_FLOATS = frozenset(column.attribute for column in COLUMNS if column.dtype == "float64")


def rows_of(mepps: Mepps, *, curation: Curation | None = None, source: str = "") -> list[Row]:
    """Return a table as rows.

    Parameters
    ----------
    mepps : Mepps
    curation : Curation, optional
        What was decided about each; by default nothing was.
    source : str
        Name of the detector, where nothing was decided yet.

    Examples
    --------
    >>> rows_of(Mepps.empty("Vm", "V"))
    []
    """
    n_rows = len(mepps)
    decided = curation or Curation(
        n_rows, source=np.full(n_rows, source), status=np.full(n_rows, "unreviewed")
    )
    arrays = {name: getattr(mepps, name).tolist() for name in mepps.array_names()}
    arrays |= {name: array.tolist() for name, array in vars(decided).items()}
    rows = [dict(zip(arrays, values, strict=True)) for values in zip(*arrays.values(), strict=True)]
    for row in rows:
        row[TOUCHED] = row["status"] if row["status"] in ("added", "moved") else ""
    return rows


def mepps_of(rows: Sequence[Mapping[str, Any]], *, channel: str, unit: str) -> Mepps:
    """Return rows as a table, in their order."""
    arrays = {
        column.attribute: np.array(
            [row[column.attribute] for row in rows],
            dtype=np.str_ if column.dtype == "text" else column.dtype,
        )
        for column in EventColumns.columns()
    }
    return Mepps(channel=channel, unit=unit, **arrays)


def curation_of(rows: Sequence[Mapping[str, Any]]) -> Curation:
    """Return what was decided about rows, in their order."""
    return Curation(
        len(rows),
        **{
            one.attribute: np.array([row[one.attribute] for row in rows], dtype=np.str_)
            for one in Curation.columns()
        },
    )


def sort_rows(rows: Iterable[Row]) -> list[Row]:
    """Return rows in order of their onsets."""
    return sorted(rows, key=lambda row: (row["start_s"], row["peak_s"]))


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as JSON can hold them: None where a number is not finite."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }


def from_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what :func:`plain` was given; infinite numbers come back as NaN.

    Examples
    --------
    >>> from_plain(plain({"amplitude": float("nan"), "note": ""}))
    {'amplitude': nan, 'note': ''}
    """
    return {name: math.nan if value is None and name in _FLOATS else value for name, value in values.items()}
