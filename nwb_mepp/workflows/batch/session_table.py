"""What is known about many recordings: a table with one row per file (``--sessions``)."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path, PurePath
from typing import Any

from nwb_mepp._utils.file_attributes import special_kind
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.safe_text import from_csv_cell
from nwb_mepp.readers import ReadOptions
from nwb_mepp.readers.options import parse_channel_options
from nwb_mepp.workflows import DetectionSettings, WriteOptions
from nwb_mepp.workflows.batch.plan import Failure, Job, Plan
from nwb_mepp.workflows.batch.tables import event_columns, summary_columns

__all__ = ["SESSION_COLUMNS", "STATED_COLUMNS", "SessionTable", "read_sessions"]

FILE = "file"
_WRITING = ("session_start", "timezone", "session_start_from", "subject", "session_id", "metadata", "clamp")
# By the names of the fields that they state.
_READING = {"reader": "reader", "unit": "unit", "gain": "gain", "sampling_rate": "sampling_rate_hz"}
_DETECTING = {"channel": "channels", "polarity": "polarity", "exclude": "exclude"}
SESSION_COLUMNS = (*_WRITING, *_READING, *_DETECTING)
# What the template says of the files, for whoever fills it in.
STATED_COLUMNS = ("stated_start", "stated_channels", "stated_units", "stated_rates_hz", "stated_problem")
_LEAVE_OUT = frozenset({"yes", "true", "x", "1"})


@dataclass(frozen=True, kw_only=True)
class SessionTable:
    """What a table says of each recording.

    Attributes
    ----------
    path : Path
        Of the table.
    rows : mapping of str to mapping
        By the file as the table names it: columns that are filled in.
    """

    path: Path
    rows: Mapping[str, Mapping[str, str]]

    def complete(self, plan: Plan) -> Plan:
        """Return a plan in which each file has the values of its row, else those stated for all files.

        A row is for the file whose path ends as the row names it, ``run07.abf`` or ``day2/run07.abf``. Rows
        for files that are not in the plan are passed over, with a note.

        Parameters
        ----------
        plan : Plan

        Raises
        ------
        UsageError
            If a row is for several files of the batch, two rows are for one, or a value is not possible.
        """
        jobs = {job.path: job for job in plan.jobs}
        named: dict[Path, str] = {}
        unused: list[str] = []
        skipped = list(plan.skipped)
        for name, row in self.rows.items():
            matches = [path for path in jobs if _ends_with(path, PurePath(name))]
            if not matches:
                unused.append(name)
                continue
            if len(matches) > 1:
                raise UsageError(
                    f"{self.path}: expected the row of {name!r} to be for one file of the batch, found "
                    f"{' and '.join(map(str, matches))}; write more of its path."
                )
            path = matches[0]
            if path in named:
                raise UsageError(
                    f"{self.path}: expected one row for {path}, found {named[path]!r} and {name!r}; drop one."
                )
            named[path] = name
            jobs[path] = self._completed(jobs[path], name, row)
        for path, name in named.items():
            if self.rows[name].get("exclude", "").lower() in _LEAVE_OUT:
                del jobs[path]
                skipped.append(Failure(path=path, reason=f"{self.path.name} excludes it"))
        return replace(
            plan,
            jobs=tuple(jobs.values()),
            skipped=tuple(skipped),
            notes=(*plan.notes, *self._unused(unused)),
        )

    def _unused(self, names: Sequence[str]) -> list[str]:
        if not names:
            return []
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        return [
            f"{self.path}: rows for files that are not in this run are ignored: {', '.join(names[:5])}{more}."
        ]

    def _completed(self, job: Job, name: str, row: Mapping[str, str]) -> Job:
        """Return a job with what its row states."""
        reading: dict[str, Any] = {field: row[one] for one, field in _READING.items() if one in row}
        for field in ("gain", "sampling_rate_hz"):
            if field in reading and "=" not in reading[field]:
                reading[field] = self._number(name, field.removesuffix("_hz"), reading[field])
        for field in ("unit", "gain"):
            if isinstance(stated := reading.get(field), str):
                reading[field] = parse_channel_options(re.split(r";\s*|,\s+", stated), name=field)
        detecting: dict[str, Any] = {field: row[one] for one, field in _DETECTING.items() if one in row}
        if "exclude" in detecting:
            stretches = re.split(r"[;,\s]+", detecting.pop("exclude"))
            if stretches[0].lower() not in _LEAVE_OUT:
                detecting["exclude"] = stretches
        if "channels" in detecting:
            detecting["channels"] = [one.strip() for one in detecting["channels"].split(";")]
        try:
            ReadOptions(**reading)
            DetectionSettings(**detecting)
            writing = self._combined(row, job.write_options)
        except UsageError as error:
            raise UsageError(f"{self.path}, row of {name!r}: {error}") from error
        columns = {one: text for one, text in row.items() if one not in (*SESSION_COLUMNS, *STATED_COLUMNS)}
        return replace(job, write_options=writing, reading=reading, detecting=detecting, columns=columns)

    def _number(self, name: str, column: str, text: str) -> float:
        try:
            return float(text.replace(",", "."))
        except ValueError as error:
            raise UsageError(
                f"{self.path}, row of {name!r}: expected a number for {column}, found {text!r}; correct it."
            ) from error

    def _combined(self, row: Mapping[str, str], common: WriteOptions) -> WriteOptions:
        stated = {name: text for name, text in row.items() if name in _WRITING}
        texts: dict[str, str | None] = {name: text for name, text in stated.items() if name != "metadata"}
        # Of two ways to state the start, the one in the row replaces the one for all.
        if "session_start" in row:
            texts.setdefault("session_start_from", None)
        elif "session_start_from" in row:
            texts["session_start"] = None
        options = replace(common, **texts)  # type: ignore[arg-type]  # the columns are fields that hold texts
        if "metadata" in row:
            # Beside the table is where a lab keeps what the table speaks of.
            options = replace(options, metadata=self.path.parent / row["metadata"])
        return options


def _ends_with(path: Path, end: PurePath) -> bool:
    parts = PurePath(end).parts
    return path.absolute().parts[-len(parts) :] == parts


def _wrong_heading(header: Sequence[str]) -> str:
    """Return what is wrong with the headings, empty if nothing is."""
    if FILE not in header:
        return "no column 'file'"
    twice = [name for name in header if header.count(name) > 1]
    taken = {column.name for column in (*event_columns(), *summary_columns())} - {FILE, *SESSION_COLUMNS}
    clashing = [name for name in header if name in taken or not name]
    if twice:
        return f"{twice[0]!r} twice"
    return (
        f"{clashing[0]!r}, which is a column of the tables already"
        if clashing and clashing[0]
        else ("a column without a name" if clashing else "")
    )


def read_sessions(path: str | PathLike[str]) -> SessionTable:
    """Read a table of sessions.

    Parameters
    ----------
    path : path-like
        CSV in UTF-8 with a header; separated by commas or semicolons. The column ``file`` is needed; those of
        :data:`SESSION_COLUMNS` state what options do, any others go into the tables of the batch. An empty
        cell states nothing.

    Raises
    ------
    UsageError
        If the table cannot be read, has a column of the tables of the batch, lacks ``file``, or names a file
        twice.
    """
    place = Path(path)
    known = (FILE, *SESSION_COLUMNS)
    kind = special_kind(place)
    if kind is not None:
        raise UsageError(
            f"`sessions`: expected a table, found {kind} at {place}; save what it gives to a file first."
        )
    try:
        text = place.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"`sessions`: expected a table, found that {place} cannot be read ({error.strerror}); check the "
            "path."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"`sessions`: expected {place} to be text in UTF-8, found other bytes; save it as CSV in UTF-8."
        ) from error
    lines = text.splitlines()
    delimiter = ";" if lines and ";" in lines[0] else ","
    try:
        header, *rows = list(csv.reader(lines, delimiter=delimiter)) or [[]]
    except csv.Error as error:
        raise UsageError(
            f"`sessions`: expected {place} to be CSV, found: {error}; check its quotes."
        ) from error
    header = [name.strip() for name in header]
    wrong = _wrong_heading(header)
    if wrong:
        raise UsageError(
            f"{place}: expected the columns {', '.join(known)} (file is needed) and any others of your own, "
            f"found {wrong}; correct the header."
        )
    table: dict[str, Mapping[str, str]] = {}
    for number, cells in enumerate(rows, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise UsageError(
                f"{place} line {number}: expected {len(header)} cells, found {len(cells)}; correct the line."
            )
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()}
        name = from_csv_cell(row.pop(FILE, ""))
        if not name or name in table:
            problem = f"{name!r} twice" if name else "none"
            raise UsageError(
                f"{place} line {number}: expected a file of its own in each row, found {problem}; correct it."
            )
        table[name] = row
    return SessionTable(path=place, rows=table)
