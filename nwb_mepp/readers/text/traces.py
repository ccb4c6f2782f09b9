"""From columns of a text file to traces: what the readers of text share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.version import __version__
from nwb_mepp.readers.text.encodings import last_line_ends
from nwb_mepp.readers.text.layout import TextLayout, split_title
from nwb_mepp.readers.text.rows import NumberTable
from nwb_mepp.readers.text.time_column import IrregularTimesError, steps_per_unit
from nwb_mepp.readers.units import parse_time_unit

__all__ = ["OWN_VERSION", "Clock", "looks_even", "notes_on_end", "read_clock", "time_title"]

# The readers of text are part of this package, so its version is theirs.
OWN_VERSION = f"nwb-mepp {__version__}"


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Rate and first time of a table.

    Attributes
    ----------
    sampling_rate_hz : float
    start_s, stop_s : float
        First and last printed time.
    """

    sampling_rate_hz: float
    start_s: float
    stop_s: float


def read_clock(
    table: NumberTable, path: Path, *, column: int, unit_label: str, sampling_rate_hz: float | None
) -> Clock:
    """Return the rate and the start that the column of times gives.

    Parameters
    ----------
    table : NumberTable
    path : Path
    column : int
        Number of the column of times.
    unit_label : str
        Unit of the times, empty if the file states none.
    sampling_rate_hz : float, optional
        What the user says; the times then give the start only, and need be neither even nor labeled.

    Raises
    ------
    ReadError
        If the times have no unit, or are not even within what their decimals allow.
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
        rate_hz = steps_per_unit(times) * per_second
    except IrregularTimesError as error:
        raise ReadError(
            f"{path.name}, line {table.line_of(error.row)}: expected evenly spaced times, but "
            f"{error}. Export the recording in one segment; if the times are merely printed badly, pass "
            "`sampling_rate_hz=HZ`."
        ) from error
    return Clock(
        sampling_rate_hz=rate_hz,
        start_s=float(times[0]) / per_second,
        stop_s=float(times[-1]) / per_second,
    )


def notes_on_end(path: Path) -> tuple[str, ...]:
    """Return a sentence if a text may have been cut off within its last number, else none.

    Parameters
    ----------
    path : Path
    """
    if last_line_ends(path):
        return ()
    return ("The last line does not end; if the file was cut off there, its last number may be wrong.",)


def looks_even(layout: TextLayout, *, column: int) -> bool:
    """Return whether the first lines of a file have evenly spaced times, as a recording has.

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
        steps_per_unit(np.array([row[column] for row in rows]))
    except IrregularTimesError:
        return False
    return True


def time_title(titles: tuple[str, ...], column: int) -> str:
    """Return the unit of time in the title of a column, empty if there is none.

    Parameters
    ----------
    titles : tuple of str
    column : int
    """
    return split_title(titles[column], parse_time_unit, shortest=1)[1] if column < len(titles) else ""
