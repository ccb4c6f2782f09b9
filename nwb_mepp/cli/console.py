"""What people see: messages, progress and tables on standard error; data on standard output."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import typer

from nwb_mepp.cli.options import as_typed
from nwb_mepp.core.errors import MeppError, OutputError
from nwb_mepp.core.safe_text import visible

__all__ = [
    "Progress",
    "UnfinishedError",
    "aligned",
    "complain",
    "complain_of",
    "data_stream",
    "open_closed_streams",
    "show_log",
    "show_progress",
    "show_search",
    "tell",
]


class UnfinishedError(MeppError):
    """Ctrl-C ended a batch after the files in progress."""


def open_closed_streams() -> None:
    """Open what the process was started without (``2>&-``), so that no file takes the place of a stream."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process


def tell(text: str) -> None:
    """Write a line to standard error, however long; control characters in it are shown as escapes."""
    sys.stderr.write(f"{visible(text)}\n")


def complain(text: str) -> None:
    """Write an error or a note to standard error, with the program name and options as they are typed."""
    tell(f"nwb-mepp: {as_typed(text)}")


def complain_of(path: Path, error: Exception) -> None:
    """Write what is wrong with a file to standard error, with its name once."""
    text = str(error)
    complain(text if text.startswith(f"{path}: ") else f"{path}: {text}")


class _Notes(logging.Handler):
    """Shows what the package logs as notes."""

    def emit(self, record: logging.LogRecord) -> None:
        complain(f"note: {record.getMessage()}")


@contextmanager
def show_log() -> Iterator[None]:
    """Show what the package logs within a ``with`` block on standard error."""
    log, notes = logging.getLogger("nwb_mepp"), _Notes(logging.WARNING)
    log.addHandler(notes)
    try:
        yield
    finally:
        log.removeHandler(notes)


@contextmanager
def data_stream() -> Iterator[IO[str]]:
    """Give standard output for data: UTF-8 everywhere, and no error if the reader closes the pipe.

    Raises
    ------
    OutputError
        If the process was started without one.
    """
    stream = sys.stdout
    if stream is None:
        raise OutputError("expected standard output for the data, found it closed; leave it open.")
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(encoding="utf-8")
    try:
        yield stream
        stream.flush()
    except BrokenPipeError:
        # "| head" has closed the pipe. Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise typer.Exit from None


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text with aligned columns, the last one as long as it is; control characters as escapes.

    Examples
    --------
    >>> print(aligned([["name", "what"], ["a", "first"]]))
    name  what
    a     first
    """
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)][:-1]
    lines = []
    for row in shown:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    return "\n".join(lines)


def at_terminal() -> bool:
    """Return whether somebody can be asked: a question in a script would wait for ever."""
    return sys.stdin is not None and sys.stdin.isatty()


class Progress:
    """Progress of a batch; silent unless standard error is a terminal.

    Parameters
    ----------
    advance : callable, optional
        Called when a file is done.
    describe : callable (text), optional
        Called with the current step.
    tell : callable (text)
        Writes a line without disturbing the bar.
    reach : callable (what, done, total)
        Called by a job whose parts are counted separately.
    """

    def __init__(
        self,
        *,
        advance: Callable[[], None] | None = None,
        describe: Callable[[str], None] | None = None,
        tell: Callable[[str], None] = tell,
        reach: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
    ) -> None:
        self._advance, self.describe, self.tell, self.reach = advance, describe, tell, reach

    def advance(self) -> None:
        """Count one more file as done."""
        if self._advance is not None:
            self._advance()


@contextmanager
def show_search(what: str) -> Iterator[None]:
    """Show on a terminal that something is searched for, which may take long among many files."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"searching for {what}"):
        yield


@contextmanager
def show_progress(n_files: int) -> Iterator[Progress]:
    """Show a bar on a terminal, nothing in a pipe.

    Parameters
    ----------
    n_files : int

    Yields
    ------
    Progress
    """
    if not sys.stderr.isatty():
        yield Progress()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar
    from rich.text import Text

    console = Console(stderr=True)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        # Of a single file nobody knows it.
        *([TextColumn("left"), TimeRemainingColumn()] if n_files > 1 else []),
        TextColumn("{task.description}", markup=False),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=n_files)
        yield Progress(
            advance=lambda: bar.advance(task),
            describe=lambda text: bar.update(task, description=visible(text)),
            tell=lambda text: console.print(Text(visible(text)), soft_wrap=True),
            reach=lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
        )


def show_failures(rows: Sequence[tuple[str, str]], *, n_failures: int, n_files: int) -> None:
    """Show which files failed and why: as a table on a terminal, as lines in a pipe.

    Parameters
    ----------
    rows : sequence of (file or files, reason)
    n_failures : int
        In all rows.
    n_files : int
        Of the whole batch.
    """
    if n_files > 1:
        complain(f"{n_failures} of {n_files} files failed:")
    if n_files == 1 or not sys.stderr.isatty():
        for file, reason in rows:
            complain(f"{file}: {reason}")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("file", "what is wrong", show_lines=True)
    for file, reason in rows:
        table.add_row(Text(visible(file), overflow="fold"), Text(visible(as_typed(reason))))
    Console(stderr=True).print(table)
