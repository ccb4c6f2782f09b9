"""Tables of events that a person or a program marked: our own, and those of programs of the field."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.core.safe_text import from_csv_cell
from nwb_mepp.core.units import parse_time_unit, parse_unit
from nwb_mepp.readers.text.encodings import read_head
from nwb_mepp.readers.text.layout import split_title
from nwb_mepp.readers.text.numerals import clock_seconds, decimal_mark, is_missing, number_in

__all__ = ["EventTimes", "read_event_table"]

FloatArray = npt.NDArray[np.float64]

_MAX_LINES_ABOVE = 50
# What programs write where they found nothing to measure.
_NOT_FOUND = frozenset({"", "-", "--", "not found", "none", "null"})
_OWN = "nwb-mepp"
_SAMPLE = "sample"


@dataclass(frozen=True, kw_only=True, eq=False)
class EventTimes:
    """The events of a table, sorted by onset, or by peak where an onset is not known.

    Attributes
    ----------
    program : str
        Whose table it is.
    from_session_start : bool
        Whether times count from the session start; else they count from the first sample.
    peak_s, start_s, stop_s : ndarray, shape (n_events,), seconds
        NaN where the table does not state them.
    amplitude : ndarray, shape (n_events,)
        In volts or amperes, only from a table of this package.
    decay_tau_s : ndarray, shape (n_events,)
        Likewise.
    """

    program: str
    from_session_start: bool
    peak_s: FloatArray
    start_s: FloatArray
    stop_s: FloatArray
    amplitude: FloatArray
    decay_tau_s: FloatArray


@dataclass(frozen=True, kw_only=True)
class _Program:
    """How a program titles its columns, in lower case and without units.

    ``unit`` is the unit of time of a column whose title states none, or ``"sample"`` for numbers of samples.
    ``needs`` are other columns, by one of which the table is recognized.
    """

    name: str
    peak: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    rise: tuple[str, ...] = ()
    decay: tuple[str, ...] = ()
    unit: str = ""
    needs: frozenset[str] = frozenset()


_MEASURES = frozenset({"amplitude", "decay", "rise"})
_PROGRAMS = (
    _Program(name=_OWN, peak=("peak_time",), start=("start_time",), stop=("stop_time",), unit="s"),
    _Program(name="Clampfit", peak=("time of peak",), start=("event start time",), stop=("event end time",)),
    _Program(
        name="SimplyFire",
        peak=("peak_coord_x", "t"),
        start=("start_coord_x", "t_start"),
        stop=("end_coord_x", "t_end"),
        unit="s",
        needs=frozenset({"amp"}),
    ),
    _Program(name="Stimfit", start=("time of event onset",), unit="ms"),
    _Program(name="miniML", start=("location",), unit=_SAMPLE, needs=frozenset({"score"})),
    _Program(name="Easy Electrophysiology", peak=("event time", "peak time"), needs=_MEASURES),
    _Program(name="Mini Analysis", peak=("time",), rise=("rise",), decay=("decay",), needs=_MEASURES),
)


@dataclass(frozen=True, kw_only=True)
class _Table:
    """The cells of a table, with its titles and where they stand in the file."""

    path: Path
    titles: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    mark: str

    def index(self, names: Sequence[str], unit: str) -> int | None:
        """Return the column with one of the titles and a unit of time, in its title or by default."""
        for name in names:
            for at, title in enumerate(self.titles):
                if _name_of(title) == name and (unit or _unit_of(title)):
                    return at
        return None

    def cells(self, at: int) -> list[str]:
        """Return the cells of a column, empty where a line ends before it."""
        return [cells[at] if at < len(cells) else "" for _, cells in self.rows]

    def texts(self, name: str) -> list[str] | None:
        """Return the cells under a title, None if there is no such column."""
        titles = [title.lower() for title in self.titles]
        if name not in titles:
            return None
        return [from_csv_cell(cell) for cell in self.cells(titles.index(name))]

    def seconds(self, at: int | None, unit: str, *, is_needed: bool = False) -> FloatArray:
        """Return a column of times in seconds, NaN where a cell says that there is none."""
        if at is None:
            return np.full(len(self.rows), np.nan)
        title = self.titles[at]
        per_second = parse_time_unit(_unit_of(title) or unit) or 1.0
        found = []
        for (line, _), cell in zip(self.rows, self.cells(at), strict=True):
            number = self._time(cell, _unit_of(title) or unit)
            if number is None or (is_needed and np.isnan(number)):
                raise ReadError(
                    f"{self.path.name}, line {line}: expected a number under {title!r}, found {cell!r}; "
                    "correct the line."
                )
            found.append(number / per_second)
        return np.array(found, dtype=np.float64)

    def _time(self, cell: str, unit: str) -> float | None:
        """Return a time in the unit of its column."""
        if cell.lower() in _NOT_FOUND or is_missing(cell):
            return np.nan
        seconds = clock_seconds(cell)
        if seconds is not None:
            return seconds * (parse_time_unit(unit) or 1.0)
        number = number_in(cell, mark=self.mark, lone_groups=True)
        if number is None:
            # Some tables repeat the unit of the title in each cell.
            text, own = split_title(cell.replace("\u00a0", " "), parse_time_unit, shortest=1)
            if parse_time_unit(own) == parse_time_unit(unit):
                number = number_in(text, mark=self.mark, lone_groups=True)
        return number


def read_event_table(
    path: Path,
    *,
    sampling_rate_hz: float,
    column: str | None = None,
    recording: str = "",
    channel: str = "",
) -> EventTimes | None:
    """Read a table of events; None if the file is not one.

    Parameters
    ----------
    path : Path
        Text in columns, in any encoding that is detected, separated by tabs, semicolons or commas, with
        decimal points or commas.
    sampling_rate_hz : float
        Of the recording, for programs that count in samples.
    column : str, optional
        Title of the column with the times of the peaks, for a table of another program. If the title does
        not end in a unit of time, ``TITLE=UNIT``.
    recording, channel : str, optional
        Whose rows to take of a table of this package that has rows of several.

    Returns
    -------
    EventTimes or None

    Raises
    ------
    ReadError
        If the file is not text, a cell is not a number, or it cannot be said which rows are meant.
    UsageError
        If there is no such column, or it has no unit of time.
    """
    found = _find(path, _PROGRAMS if column is None else (_stated(column),))
    if found is None and column is not None:
        raise UsageError(
            f"`event_column`: expected a column with the title {column!r} in {path.name}, found none; "
            "write the title as it is in the file."
        )
    if found is None:
        return None
    table, program = found
    if program.name == _OWN:
        table = _of_recording(table, recording=recording, channel=channel)
    peak_s = table.seconds(table.index(program.peak, program.unit), program.unit)
    start_s = table.seconds(table.index(program.start, program.unit), program.unit)
    stop_s = table.seconds(table.index(program.stop, program.unit), program.unit)
    if program.unit == _SAMPLE:
        peak_s, start_s, stop_s = (one / sampling_rate_hz for one in (peak_s, start_s, stop_s))
    if program.rise:
        start_s = peak_s - table.seconds(table.index(program.rise, ""), "", is_needed=True)
        stop_s = peak_s + table.seconds(table.index(program.decay, ""), "", is_needed=True)
    if np.isnan(peak_s).any() and np.isnan(start_s).any():
        raise ReadError(
            f"expected peak_time, or else start_time, in every row of {path}, found an empty or infinite "
            "one; complete it."
        )
    unknown = np.full(len(peak_s), np.nan)
    is_own = program.name == _OWN
    events = EventTimes(
        program=program.name,
        from_session_start=is_own,
        peak_s=peak_s,
        start_s=start_s,
        stop_s=stop_s,
        amplitude=_amplitudes(table) if is_own else unknown,
        decay_tau_s=table.seconds(table.index(("decay_tau",), "s"), "s") if is_own else unknown,
    )
    return _sorted(events)


def _sorted(events: EventTimes) -> EventTimes:
    by = events.peak_s if np.isnan(events.start_s).any() else events.start_s
    order = np.argsort(by, kind="stable")
    arrays = {name: array[order] for name, array in vars(events).items() if isinstance(array, np.ndarray)}
    if not events.from_session_start:
        # In such tables, an event may extend into the next one that rides on its decay; here it ends there.
        start_s, stop_s = arrays["start_s"], arrays["stop_s"]
        stop_s[:-1] = np.fmin(stop_s[:-1], np.where(np.isnan(start_s[1:]), np.inf, start_s[1:]))
    return EventTimes(program=events.program, from_session_start=events.from_session_start, **arrays)


def _name_of(title: str) -> str:
    return split_title(" ".join(title.split()), parse_time_unit, shortest=1)[0].lower()


def _unit_of(title: str) -> str:
    return split_title(" ".join(title.split()), parse_time_unit, shortest=1)[1]


def _stated(column: str) -> _Program:
    """Return what a user says of the table of another program."""
    title, _, unit = column.rpartition("=")
    if title and parse_time_unit(unit) is not None:
        return _Program(name="stated", peak=(_name_of(title),), unit=unit.strip())
    if not _unit_of(column):
        raise UsageError(
            f"`event_column`: expected a title that ends in a unit of time, such as 'Time of Peak (ms)', "
            f"found {column!r}; add the unit, as in `event_column={column + '=ms'!r}`."
        )
    return _Program(name="stated", peak=(_name_of(column),))


def _find(path: Path, programs: Sequence[_Program]) -> tuple[_Table, _Program] | None:
    """Return the table of a file and the program whose titles it has."""
    encoding, _ = read_head(path)
    try:
        text = path.read_text(encoding=encoding, errors="replace")
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        turned = _turned(lines)
        if turned is not None:
            lines = turned
        for at, line in enumerate(lines[:_MAX_LINES_ABOVE]):
            for separator in ("\t", ";", ","):
                titles = _cells(line, separator)
                table = _Table(path=path, titles=titles, rows=(), mark="")
                for program in programs:
                    if _is_of(table, program):
                        return _filled(table, lines, below=at + 1, separator=separator), program
    except csv.Error as error:
        raise ReadError(
            f"expected a table of times in {path}, found that it cannot be read: {error}."
        ) from error
    return None


def _is_of(table: _Table, program: _Program) -> bool:
    # "Amplitude (pA)" and "Amplitude" are one name here.
    names = {split_title(title, parse_unit)[0].lower() for title in table.titles}
    names |= {_name_of(title) for title in table.titles}
    found = (table.index(names_of, program.unit) for names_of in (program.peak, program.start))
    is_recognized = not program.needs or bool(program.needs & names)
    # What has a label for each sample is a recording.
    return is_recognized and not names & {"label", "labels"} and any(at is not None for at in found)


def _turned(lines: Sequence[str]) -> list[str] | None:
    """Return the lines of a table whose events are columns (miniML) with its events as rows."""
    titles = _cells(lines[0], ",")
    if len(titles) < 2 or not titles[1].startswith("event_"):
        return None
    columns = [_cells(line, ",") for line in lines if line.strip()]
    n_cells = max(map(len, columns))
    padded = [(*column, *[""] * (n_cells - len(column))) for column in columns]
    return [",".join(cells) for cells in zip(*padded, strict=True)]


def _cells(line: str, separator: str) -> tuple[str, ...]:
    cells = next(csv.reader([line], delimiter=separator), [])
    return tuple(cell.strip(" \t\r\n\ufeff") for cell in cells)


def _filled(table: _Table, lines: Sequence[str], *, below: int, separator: str) -> _Table:
    rows = tuple(
        (number, cells)
        for number, line in enumerate(lines[below:], start=below + 1)
        if any(cells := _cells(line, separator))
    )
    is_plain = separator == "," and not any('"' in line for line in lines[below:])
    try:
        mark = "." if is_plain else decimal_mark(cell for _, cells in rows for cell in cells)
    except ValueError as error:
        line = next(number for number, cells in rows if error.args[0] in cells)
        raise ReadError(
            f"{table.path.name}, line {line}: expected numbers that can mean one thing, found "
            f"{error.args[0]!r}, whose comma may separate decimals or thousands; write decimal points."
        ) from error
    return _Table(path=table.path, titles=table.titles, rows=rows, mark=mark)


def _of_recording(table: _Table, *, recording: str, channel: str) -> _Table:
    """Return the rows of one recording, one channel and one detector of a table of this package."""
    wanted: Mapping[str, set[str]] = {
        "file": {recording, f"{recording}.nwb"},
        "channel": {channel},
        "detector": set(),
    }
    for name, ours in wanted.items():
        texts = table.texts(name)
        if texts is None or len(set(texts)) < 2:
            continue
        ends = [text.replace("\\", "/").rsplit("/", 1)[-1] if name == "file" else text for text in texts]
        matching = {text for text, end in zip(texts, ends, strict=True) if end in ours}
        if len(matching) != 1:
            listed = ", ".join(sorted(set(texts))[:5])
            raise ReadError(
                f"expected rows of one {name} in {table.path}, found those of several ({listed}); keep "
                "those that are meant."
            )
        rows = tuple(row for row, text in zip(table.rows, texts, strict=True) if text in matching)
        table = _Table(path=table.path, titles=table.titles, rows=rows, mark=table.mark)
    return table


def _amplitudes(table: _Table) -> FloatArray:
    """Return amplitudes in volts or amperes, NaN where they are not stated."""
    cells = table.texts("amplitude")
    if cells is None:
        return np.full(len(table.rows), np.nan)
    units = table.texts("amplitude_unit") or [""] * len(cells)
    found = []
    for (line, _), cell, label in zip(table.rows, cells, units, strict=True):
        unit = parse_unit(label)
        number = (
            np.nan if cell.lower() in _NOT_FOUND or is_missing(cell) else number_in(cell, mark=table.mark)
        )
        if number is None or (label and unit is None):
            raise ReadError(
                f"{table.path.name}, line {line}: expected a number and its unit under 'amplitude' and "
                f"'amplitude_unit', found {cell!r} and {label!r}; correct the line."
            )
        found.append(number * (unit.scale if unit is not None else 1.0))
    return np.array(found, dtype=np.float64)
