"""The command line: arguments, progress, exit codes.

Every command imports what it needs when it runs, so that the help text appears at once.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer

from nwb_mepp._utils.cache_folders import writable_cache_folders
from nwb_mepp._utils.heap import rare_collections, share_one_heap
from nwb_mepp.cli import (
    agreement,
    benchmark,
    evaluate,
    extension,
    registries,
    review,
    run,
    show,
    simulate,
    train,
    validate,
)
from nwb_mepp.cli.console import UnfinishedError, complain, open_closed_streams, show_log
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.version import __version__

__all__ = ["app", "main"]

PROGRAM = "nwb-mepp"
INTERRUPTED = 130  # what shells expect after Ctrl-C, and what Typer returns

# Rich would draw the help in colors and boxes, at the price of a quarter of a second for each call.
app = typer.Typer(
    name=PROGRAM,
    help="Find miniature end-plate potentials (MEPPs) in lab recordings and share them as NWB files.",
    epilog="Exit codes: 0 done; 1 some files failed; 2 wrong usage.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for module in (
    run,
    extension,
    show,
    review,
    agreement,
    validate,
    registries,
    simulate,
    train,
    evaluate,
    benchmark,
):
    module.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that belong to no command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process if not given.

    Returns
    -------
    int
        The exit code: 0 done, 1 something failed, 2 wrong usage.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    open_closed_streams()
    share_one_heap()
    try:
        with rare_collections(), _orderly_end(), writable_cache_folders(), show_log():
            # Called directly, Typer would put a hook for uncaught exceptions of its own.
            command = typer.main.get_command(app)
            code = command(given or ["--help"], prog_name=PROGRAM, standalone_mode=False)
    except Exception as error:
        return _explain(error)
    if code == INTERRUPTED:
        complain("interrupted; complete files are kept, nothing else was written.")
    return int(code or 0)


@contextmanager
def _orderly_end() -> Iterator[None]:
    """Remove half-written files when the process is asked to end (``kill``, a scheduler), as after Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may ask for signals
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, _: object) -> NoReturn:
    # A scheduler may ask both processes of a command, of which one passes it on to the other: what is cleaned
    # up is not to be cut off.
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _explain(error: Exception) -> int:
    """Explain an error in one sentence and return its exit code."""
    # What Typer raises for wrong arguments comes from a private module of its own: known by its method.
    format_message = getattr(error, "format_message", None)
    if format_message is not None:
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else PROGRAM
        # Typer passes on the prefix that its validator puts before every message.
        message = format_message().replace("Value error, ", "").rstrip(".")
        complain(f"{message}; '{command} --help' lists the options.")
        return int(getattr(error, "exit_code", 2))
    from nwb_mepp.workflows.batch import explain

    complain(explain(error))
    if isinstance(error, UnfinishedError):
        return INTERRUPTED
    return 2 if isinstance(error, UsageError) else 1
