"""What is known about many recordings: a table with one row per file (``--sessions``)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path, PurePath

from nwb_mepp._utils.file_attributes import special_kind
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.safe_text import from_csv_cell
from nwb_mepp.workflows import WriteOptions
from nwb_mepp.workflows.batch.plan import Plan

__all__ = ["SESSION_COLUMNS", "SessionTable", "read_sessions"]

FILE = "file"
SESSION_COLUMNS = ("session_start", "timezone", "session_start_from", "subject", "session_id", "metadata")


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

        A row is for the file whose path ends as the row names it, ``run07.abf`` or ``day2/run07.abf``.

        Parameters
        ----------
        plan : Plan

        Raises
        ------
        UsageError
            If a row is for no file of the batch or for several, or two rows are for one.
        """
        jobs = {job.path: job for job in plan.jobs}
        named: dict[Path, str] = {}
        for name, row in self.rows.items():
            matches = [path for path in jobs if _ends_with(path, PurePath(name))]
            if len(matches) != 1:
                found = "none of them" if not matches else " and ".join(map(str, matches))
                raise UsageError(
                    f"{self.path}: expected the row of {name!r} to be for one file of the batch, found "
                    f"{found}; correct the name or write more of its path."
                )
            path = matches[0]
            if path in named:
                raise UsageError(
                    f"{self.path}: expected one row for {path}, found {named[path]!r} and {name!r}; drop one."
                )
            named[path] = name
            known = self._combined(row, jobs[path].write_options)
            jobs[path] = replace(jobs[path], write_options=known)
        return replace(plan, jobs=tuple(jobs.values()))

    def _combined(self, row: Mapping[str, str], common: WriteOptions) -> WriteOptions:
        texts: dict[str, str | None] = {name: text for name, text in row.items() if name != "metadata"}
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


def read_sessions(path: str | PathLike[str]) -> SessionTable:
    """Read a table of sessions.

    Parameters
    ----------
    path : path-like
        CSV in UTF-8 with a header; separated by commas or semicolons. The column ``file`` is needed, the
        others are those of :data:`SESSION_COLUMNS`; an empty cell states nothing.

    Raises
    ------
    UsageError
        If the table cannot be read, has an unknown column, lacks ``file``, or names a file twice.
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
    unknown = [name for name in header if name not in known]
    if unknown or FILE not in header:
        problem = f"unknown column {unknown[0]!r}" if unknown else "no column 'file'"
        raise UsageError(
            f"{place}: expected the columns {', '.join(known)} (file is needed), found {problem}; correct "
            "the header."
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
