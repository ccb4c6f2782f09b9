"""What the readers of text have in common: the clock of a table, and checks of its beginning and end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.units import parse_time_unit
from nwb_mepp.core.version import __version__
from nwb_mepp.readers.text.encodings import ends_with_newline
from nwb_mepp.readers.text.rows import NumberTable
from nwb_mepp.readers.text.time_column import (
    FloatArray,
    IrregularTimesError,
    samples_per_time_unit,
    simplest_rate_between,
    stretches,
    usual_step,
)

__all__ = [
    "TEXT_READER_VERSION",
    "Clock",
    "Stretch",
    "gap_notes",
    "read_clock",
    "simple_rate",
    "unfinished_line_notes",
]

# The readers of text are part of this package and have its version.
TEXT_READER_VERSION = f"nwb-mepp {__version__}"
# A stated rate is that of the times within so much of it.
_SAME_RATE = 0.02


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Rows of a table that follow one another without a gap.

    Attributes
    ----------
    start, stop : int
        Rows.
    start_s : float
        Time of the first row, in seconds.
    """

    start: int
    stop: int
    start_s: float


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Sampling rate and times of a table.

    Attributes
    ----------
    sampling_rate_hz : float
    stretches : tuple of Stretch
        One, unless the times have gaps.
    """

    sampling_rate_hz: float
    stretches: tuple[Stretch, ...]

    @property
    def start_s(self) -> float:
        """Time of the first row."""
        return self.stretches[0].start_s

    @property
    def stop_s(self) -> float:
        """Time of the last row."""
        last = self.stretches[-1]
        return last.start_s + (last.stop - 1 - last.start) / self.sampling_rate_hz


def read_clock(
    table: NumberTable,
    path: Path,
    *,
    column: int | None,
    unit_label: str,
    sampling_rate_hz: float | None,
    interval_s: float | None = None,
) -> Clock:
    """Infer the sampling rate and the start from the column of times.

    Parameters
    ----------
    table : NumberTable
    path : Path
    column : int or None
        Number of the column of times, if there is one.
    unit_label : str
        Unit of the times, empty if the file states none.
    sampling_rate_hz : float, optional
        Stated by the user; then only the start is taken from the times, which need neither be evenly spaced
        nor have a unit. Where they have a gap that is larger than rounding, a stretch ends.
    interval_s : float, optional
        Sampling interval in the heading.

    Raises
    ------
    ReadError
        If nothing states the rate, the times have no unit, or are not evenly spaced within the precision of
        their decimals.
    """
    stated_hz = sampling_rate_hz or (1.0 / interval_s if interval_s else None)
    if column is None:
        if stated_hz is None:
            raise ReadError(
                f"{path.name}: expected a column of times, with a title such as 'Time (s)', found none; "
                "state the rate with `sampling_rate_hz=HZ`."
            )
        whole = Stretch(start=0, stop=len(table.columns[0]), start_s=0.0)
        return Clock(sampling_rate_hz=simple_rate(stated_hz), stretches=(whole,))
    times = _unwrapped(table, column)
    _check_complete(table, times, path, column=column)
    per_second = parse_time_unit(unit_label)
    if sampling_rate_hz is not None:
        return Clock(
            sampling_rate_hz=sampling_rate_hz, stretches=_placed(times, sampling_rate_hz, per_second)
        )
    if per_second is None:
        raise ReadError(
            f"{path.name}: expected the unit of time (s, ms or min) in the title of column {column + 1}, "
            "such as 'Time (s)', found none; add it, or pass `sampling_rate_hz=HZ`."
        )
    try:
        rate_hz = samples_per_time_unit(times) * per_second
    except IrregularTimesError as error:
        if stated_hz is not None and (found := _stretches_at(times, stated_hz, per_second)):
            return Clock(sampling_rate_hz=simple_rate(stated_hz), stretches=found)
        raise ReadError(
            f"{path.name}, line {table.line_of(error.row)}: expected evenly spaced times, but "
            f"{error}. Export the recording in one segment; if the recording was interrupted, or only the "
            "printed times are wrong, pass `sampling_rate_hz=HZ`."
        ) from error
    if interval_s and abs(interval_s * rate_hz - 1) > 1e-3:
        raise ReadError(
            f"{path.name}: its heading states an interval of {interval_s:g} s, but its times are "
            f"{1 / rate_hz:g} s apart; pass `sampling_rate_hz=HZ` to say which is right."
        )
    whole = Stretch(start=0, stop=len(times), start_s=float(times[0]) / per_second)
    return Clock(sampling_rate_hz=rate_hz, stretches=(whole,))


def simple_rate(rate_hz: float) -> float:
    """Return the rate with the fewest digits that an interval as printed stands for."""
    return simplest_rate_between(rate_hz * (1 - 1e-12), rate_hz * (1 + 1e-12), near=rate_hz)


def _unwrapped(table: NumberTable, column: int) -> FloatArray:
    """Return the times; those of the clock go on after midnight."""
    times = table.columns[column]
    if column not in table.clocks:
        return times
    return times + 86_400.0 * np.concatenate([[0], np.cumsum(np.diff(times) < -43_200.0)])


def _check_complete(table: NumberTable, times: FloatArray, path: Path, *, column: int) -> None:
    missing = np.flatnonzero(np.isnan(times))
    if len(missing):
        raise ReadError(
            f"{path.name}, line {table.line_of(int(missing[0]))}: expected a time in column {column + 1}, "
            "found none; correct the line."
        )


def _stretches_at(times: FloatArray, rate_hz: float, per_second: float) -> tuple[Stretch, ...]:
    """Return stretches if the times in each of them are what the stated interval says, else none."""
    found = _placed(times, rate_hz, per_second)
    for one in found:
        expected = times[one.start] + np.arange(one.stop - one.start) * per_second / rate_hz
        # Printed decimals, and times that were rounded before they were printed.
        allowed = 1.01 * per_second / rate_hz + 1e-6 * np.abs(expected)
        if (np.abs(times[one.start : one.stop] - expected) > allowed).any():
            return ()
    return found


def _placed(times: FloatArray, rate_hz: float, per_second: float | None) -> tuple[Stretch, ...]:
    """Return the stretches between gaps, the first where the times say, the others relative to it."""
    first_s = float(times[0]) / per_second if per_second else 0.0
    step = usual_step(times)
    # A stated rate that is not that of the times says that these run too fast or too slow.
    agrees = per_second is not None and abs(step * rate_hz / per_second - 1) < _SAME_RATE
    unit_s = 1.0 / per_second if agrees and per_second else 1.0 / (step * rate_hz) if step > 0 else 0.0
    return tuple(
        Stretch(start=start, stop=stop, start_s=first_s + float(times[start] - times[0]) * unit_s)
        for start, stop in stretches(times)
    )


def gap_notes(clocks: Iterable[Clock]) -> tuple[str, ...]:
    """Return a note if the times of tables have gaps, else an empty tuple.

    Parameters
    ----------
    clocks : iterable of Clock
    """
    n_gaps = sum(len(clock.stretches) - 1 for clock in clocks)
    if not n_gaps:
        return ()
    return (f"The times have {n_gaps} gap{'s' if n_gaps > 1 else ''}; what lies between is read as sweeps.",)


def unfinished_line_notes(path: Path) -> tuple[str, ...]:
    """Return a note if the last number of a text may have been cut off, else an empty tuple.

    Parameters
    ----------
    path : Path
    """
    if ends_with_newline(path):
        return ()
    return ("The last line has no line break; if the file was cut off there, its last number may be wrong.",)
