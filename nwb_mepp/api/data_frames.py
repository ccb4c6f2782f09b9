"""MEPPs and summaries of NWB files as data frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from nwb_mepp.workflows.batch import (
    TABLES,
    Row,
    event_columns,
    find_nwb_files,
    read_event_rows,
    read_summary_rows,
    session_columns,
    summary_columns,
)

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["to_dataframe"]


def to_dataframe(path: str | PathLike[str], *, summary: bool = False) -> DataFrame:
    """Return the MEPPs of an NWB file, or of all NWB files in a folder, as a data frame.

    The columns are those of ``mepps.csv`` and ``summary.csv``, read from the NWB files: in SI units, with
    NaN where nothing is known. Of a folder that ``nwb-mepp run`` wrote, what its table of sessions said
    (``group``, ``animal``, ...) follows as further columns of text.

    Parameters
    ----------
    path : path-like
        An NWB file or a folder, which is searched with the folders in it.
    summary : bool, default False
        Return a row for each detector and channel of each file instead of a row for each MEPP.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ReadError
        If nothing is there, the folder holds no NWB file, or a file cannot be read.

    Examples
    --------
    >>> import nwb_mepp
    >>> mepps = nwb_mepp.to_dataframe("out")                                          # doctest: +SKIP
    >>> mepps[mepps["kind"] == "mepp"].groupby(["group", "file"])["amplitude"].mean() # doctest: +SKIP
    """
    import pandas

    place = Path(path)
    folder = place if place.is_dir() else place.parent
    files = {one.relative_to(folder).as_posix(): one for one in find_nwb_files([place])}
    known = session_columns(place / TABLES[1]) if place.is_dir() else {}
    columns = summary_columns() if summary else event_columns()
    own = tuple(dict.fromkeys(name for stated in known.values() for name in stated))
    types = {**{one.name: one.dtype for one in columns}, **dict.fromkeys(own, "text")}
    values: dict[str, list[object]] = {name: [] for name in types}
    for row in _rows(dict(sorted(files.items())), known, own, summary=summary):
        for name, column in values.items():
            column.append(row[name])
    return pandas.DataFrame(
        {
            name: pandas.Series(column, dtype="str" if types[name] == "text" else types[name])
            for name, column in values.items()
        }
    )


def _rows(
    files: Mapping[str, Path], known: Mapping[str, Mapping[str, str]], own: Iterable[str], *, summary: bool
) -> Iterator[Row]:
    read = read_summary_rows if summary else read_event_rows
    for file, path in files.items():
        stated = {name: known.get(file, {}).get(name, "") for name in own}
        for row in read(path, file=file):
            yield {**row, **stated}
