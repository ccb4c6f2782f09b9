"""What the readers of text have in common: the clock of a table, and checks of its beginning and end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.units import parse_time_unit
from nwb_mepp.core.version import __version__
from nwb_mepp.readers.text.encodings import ends_with_newline
from nwb_mepp.readers.text.layout import TextLayout, split_title
from nwb_mepp.readers.text.rows import NumberTable
from nwb_mepp.readers.text.time_column import IrregularTimesError, samples_per_time_unit

__all__ = [
    "TEXT_READER_VERSION",
    "Clock",
    "has_even_times",
    "read_clock",
    "time_unit_in_title",
    "unfinished_line_notes",
]

# The readers of text are part of this package and have its version.
TEXT_READER_VERSION = f"nwb-mepp {__version__}"


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Sampling rate, first and last time of a table.

    Attributes
    ----------
    sampling_rate_hz : float
    start_s, stop_s : float
        First and last printed time, in seconds.
    """

    sampling_rate_hz: float
    start_s: float
    stop_s: float


def read_clock(
    table: NumberTable, path: Path, *, column: int, unit_label: str, sampling_rate_hz: float | None
) -> Clock:
    """Infer the sampling rate and the start from the column of times.

    Parameters
    ----------
    table : NumberTable
    path : Path
    column : int
        Number of the column of times.
    unit_label : str
        Unit of the times, empty if the file states none.
    sampling_rate_hz : float, optional
        Stated by the user; then only the start is taken from the times, which need neither be evenly spaced
        nor have a unit.

    Raises
    ------
    ReadError
        If the times have no unit, or are not evenly spaced within the precision of their decimals.
    """
    times = table.columns[column]
    per_second = parse_time_unit(unit_label)
    if sampling_rate_hz is not None:
        start_s, stop_s = (float(times[index]) / per_second if per_second else 0.0 for index in (0, -1))
        return Clock(sampling_rate_hz=sampling_rate_hz, start_s=start_s, stop_s=stop_s)
    if per_second is None:
        raise ReadError(
            f"{path.name}: expected the unit of time (s, ms or min) in the title of column {column + 1}, "
            "such as 'Time (s)', found none; add it, or pass `sampling_rate_hz=HZ`."
        )
    try:
        rate_hz = samples_per_time_unit(times) * per_second
    except IrregularTimesError as error:
        raise ReadError(
            f"{path.name}, line {table.line_of(error.row)}: expected evenly spaced times, but "
            f"{error}. Export the recording in one segment; if only the printed times are wrong, pass "
            "`sampling_rate_hz=HZ`."
        ) from error
    return Clock(
        sampling_rate_hz=rate_hz,
        start_s=float(times[0]) / per_second,
        stop_s=float(times[-1]) / per_second,
    )


def unfinished_line_notes(path: Path) -> tuple[str, ...]:
    """Return a note if the last number of a text may have been cut off, else an empty tuple.

    Parameters
    ----------
    path : Path
    """
    if ends_with_newline(path):
        return ()
    return ("The last line has no line break; if the file was cut off there, its last number may be wrong.",)


def has_even_times(layout: TextLayout, *, column: int) -> bool:
    """Return whether the times in the first lines of a file are evenly spaced, as in a recording.

    Parameters
    ----------
    layout : TextLayout
    column : int
        Number of the column of times.
    """
    rows = [row for row in layout.first_rows if len(row) == layout.n_columns]
    if len(rows) < 3:
        return False
    try:
        samples_per_time_unit(np.array([row[column] for row in rows]))
    except IrregularTimesError:
        return False
    return True


def time_unit_in_title(titles: tuple[str, ...], column: int) -> str:
    """Return the unit of time in the title of a column, or an empty string if there is none.

    Parameters
    ----------
    titles : tuple of str
    column : int
    """
    return split_title(titles[column], parse_time_unit, shortest=1)[1] if column < len(titles) else ""
