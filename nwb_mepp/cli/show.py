"""events, summary, info: the commands that print what is in files."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.console import aligned, complain, complain_of, data_stream
from nwb_mepp.core.errors import MeppError, ReadError, UsageError
from nwb_mepp.core.safe_text import json_text, visible
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.workflows.limits import BatchLimits, LimitOptions

if TYPE_CHECKING:
    from nwb_mepp.workflows.batch import Row

    _Read = tuple[Path, list[Row] | MeppError]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (events, summary, info):
        app.command()(options.spread(command))


def events(
    *,
    paths: options.NwbFiles,
    format: Annotated[  # noqa: A002 - the name of the option
        options.TableFormat,
        typer.Option("--format", metavar="|".join(options.TableFormat), help="Format of the output."),
    ] = options.TableFormat.CSV,
    table: Annotated[
        str | None,
        typer.Option(
            "--table", metavar="NAME", help="Print only this table, e.g. mepps_curated.", show_default=False
        ),
    ] = None,
    units: options.UnitsOption = options.Units.SI,
    decimal: options.DecimalOption = options.Decimal.POINT,
    n_processes: options.Jobs = 1,
    limits: BatchLimits,
) -> None:
    """Print the MEPPs of NWB files, one row per MEPP.

    In SI units the numbers are exact. With --units lab, amplitudes are in mV or pA and areas in mV ms or
    pA ms; columns of times are in ms and their names end in _ms.
    """
    from nwb_mepp.workflows.batch import event_columns, find_nwb_files, write_csv, write_json

    _check_decimal(decimal, format)
    read = partial(_events_of, table=table)
    rows = _Rows(find_nwb_files(paths), read, limits=limits, n_processes=n_processes)
    with data_stream() as stream:
        if format is options.TableFormat.JSON:
            write_json(stream, event_columns(), rows, units=units.value)
        else:
            write_csv(stream, event_columns(), rows, units=units.value, decimal=decimal.value)
    rows.exit_if_failed()


def summary(
    *,
    paths: options.NwbFiles,
    format: Annotated[  # noqa: A002 - the name of the option
        options.SummaryFormat,
        typer.Option("--format", metavar="|".join(options.SummaryFormat), help="Format of the output."),
    ] = options.SummaryFormat.TEXT,
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            metavar="NAME",
            help="Print only what belongs to this table, e.g. mepps_curated.",
            show_default=False,
        ),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            "--pictures",
            metavar="DIR",
            help="Draw a picture of each row into this folder, as DIR/FILE.TABLE.png.",
            show_default=False,
        ),
    ] = None,
    units: options.UnitsOption = options.Units.SI,
    decimal: options.DecimalOption = options.Decimal.POINT,
    n_processes: options.Jobs = 1,
    limits: BatchLimits,
) -> None:
    """Print the summary statistics of NWB files, one row per detector or reviewer and channel."""
    from nwb_mepp.workflows.batch import (
        find_nwb_files,
        summary_columns,
        write_csv,
        write_json,
    )

    _check_decimal(decimal, format)

    read = partial(_summaries_of, table=table, pictures=pictures)
    rows = _Rows(find_nwb_files(paths), read, limits=limits, n_processes=n_processes, note_empty=True)
    with data_stream() as stream:
        if format is options.SummaryFormat.JSON:
            write_json(stream, summary_columns(), rows, units=units.value)
        elif format is options.SummaryFormat.CSV:
            write_csv(stream, summary_columns(), rows, units=units.value, decimal=decimal.value)
        else:
            for row in rows:
                stream.write(_summary_text(row, units=units) + "\n\n")
    rows.exit_if_failed()


def _events_of(path: Path, *, table: str | None) -> Iterator[Row]:
    from nwb_mepp.workflows.batch import read_event_rows

    return read_event_rows(path, file=str(path), table=table)


def _summaries_of(path: Path, *, table: str | None, pictures: Path | None) -> Iterator[Row]:
    from nwb_mepp.workflows.batch import read_summary_rows

    yield from read_summary_rows(path, file=str(path), table=table)
    if pictures is not None:
        from nwb_mepp.workflows.pictures import draw_results

        draw_results(path, pictures, table=table)


def _rows_or_error(read: Callable[[Path], Iterator[Row]], path: Path) -> _Read:
    """Return all rows of a file, or why it cannot be read: what another process gives."""
    try:
        return path, list(read(path))
    except MeppError as error:
        return path, error


class _Rows:
    """Rows of many files, one after another; a file that cannot be read is reported and skipped."""

    def __init__(
        self,
        paths: Sequence[Path],
        read: Callable[[Path], Iterator[Row]],
        *,
        limits: LimitOptions,
        n_processes: int,
        note_empty: bool = False,
    ) -> None:
        self._paths, self._read, self._limits = paths, read, limits
        self._n_processes, self._note_empty = n_processes, note_empty
        self._failed = False

    def __iter__(self) -> Iterator[Row]:
        together = self._n_processes > 1 and len(self._paths) > 1
        for path, rows in self._read_at_once() if together else self._read_in_turn():
            if isinstance(rows, MeppError):
                complain_of(path, rows)
                self._failed = True
                continue
            first = list(itertools.islice(rows, 1))
            if self._note_empty and not first:
                complain(f"note: {path}: no detector was run on it; run 'nwb-mepp detect {path}'.")
            yield from itertools.chain(first, rows)

    def _read_in_turn(self) -> Iterator[tuple[Path, Iterator[Row] | MeppError]]:
        for path in self._paths:
            try:
                # With the first row everything is read.
                with self._limits.kept(path, worded=options.as_typed):
                    rows = self._read(path)
                    first = list(itertools.islice(rows, 1))
            except MeppError as error:
                yield path, error
            else:
                yield path, itertools.chain(first, rows)

    def _read_at_once(self) -> Iterator[tuple[Path, Iterator[Row] | MeppError]]:
        """Read in several processes; the rows come in the order of the files."""
        from nwb_mepp._utils.process_pool import run_jobs

        done: dict[Path, list[Row] | MeppError] = {}
        waiting = iter(self._paths)
        expected = next(waiting, None)
        for path, rows in run_jobs(
            self._paths,
            work=partial(_rows_or_error, self._read),
            on_crash=self._given_up,
            n_processes=self._n_processes,
            limits=self._limits.of,
            budget_bytes=self._limits.budget_bytes,
        ):
            done[path] = rows
            while expected in done:
                found = done.pop(expected)
                yield expected, found if isinstance(found, MeppError) else iter(found)
                expected = next(waiting, None)

    def _given_up(self, path: Path, why: str) -> _Read:
        if why == "crash":
            return path, ReadError("the process that read it was killed or ran out of memory.")
        return path, ReadError(self._limits.excess(path, why))

    def exit_if_failed(self) -> None:
        if self._failed:
            raise typer.Exit(1)


def _check_decimal(decimal: options.Decimal, format_: options.TableFormat | options.SummaryFormat) -> None:
    if decimal is options.Decimal.COMMA and format_.value != "csv":
        raise UsageError(
            f"--decimal comma: expected --format csv, found {format_.value}; only tables for a spreadsheet "
            "have decimal commas."
        )


def _summary_text(row: Row, *, units: options.Units) -> str:
    """Return one summary as lines of name, value and unit."""
    from nwb_mepp.workflows.batch import in_units, summary_columns, unit_of

    columns = summary_columns()
    shown = in_units(row, columns, units=units.value)
    lines = []
    for column, (name, value) in zip(columns[1:], list(shown.items())[1:], strict=True):
        unit = unit_of(column, amplitude_unit=str(row["amplitude_unit"]), units=units.value)
        lines.append([f"  {name}", _value_text(value, unit)])
    return f"{visible(str(row['file']))}\n{aligned(lines)}"


def _value_text(value: object, unit: str) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.6g} {unit}".rstrip()
    return f"{value} {unit}".rstrip() or "-"


def info(
    *,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="Recording or NWB file to describe.", show_default=False)
    ],
    format: Annotated[  # noqa: A002 - the name of the option
        options.InfoFormat,
        typer.Option("--format", metavar="|".join(options.InfoFormat), help="Format of the output."),
    ] = options.InfoFormat.TEXT,
    survey: Annotated[
        bool,
        typer.Option(
            "--survey",
            help="Read the samples, too: noise, bandwidth, converter step, hum and polarity of each channel.",
        ),
    ] = False,
    read_options: ReadOptions,
    limits: LimitOptions,
) -> None:
    """Describe a file: its channels, units, sampling rate, sweeps, metadata and reader.

    Problems that prevent reading go to standard error, with exit code 1.
    """
    from nwb_mepp.cli.info import describe_lab_file, describe_nwb_file, describe_survey, info_text
    from nwb_mepp.workflows.recording_files import is_nwb

    with limits.kept(path, worded=options.as_typed):
        if is_nwb(path):
            described, problems = describe_nwb_file(path, read_options)
        else:
            described, problems = describe_lab_file(path, read_options)
        doubts: tuple[str, ...] = ()
        if survey and not problems:
            described["survey"], doubts = describe_survey(path, read_options)
    with data_stream() as stream:
        if format is options.InfoFormat.JSON:
            stream.write(json_text(described, indent=1) + "\n")
        elif described:
            stream.write(info_text(described) + "\n")
    for problem in (*problems, *doubts):
        complain(problem)
    if problems:
        raise typer.Exit(1)
