"""extension add, extension remove: core tables to types of ndx-mepp, and back."""

from __future__ import annotations

from pathlib import Path

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.console import complain, tell
from nwb_mepp.workflows.limits import LimitOptions


def register(app: typer.Typer) -> None:
    """Add the commands."""
    extension = typer.Typer(
        help="Change tables of MEPPs to types of the extension ndx-mepp, or back to core types.",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    extension.callback()(_extension)
    extension.command()(options.spread(add))
    extension.command()(options.spread(remove))
    app.add_typer(extension, name="extension")


def _extension() -> None:
    """Group what changes the kind of the tables."""


def add(
    *,
    path: options.NwbFile,
    output: options.OutputFile = None,
    overwrite: options.OverwriteFile = False,
    limits: LimitOptions,
) -> None:
    """Turn the tables of MEPPs in an NWB file into types of ndx-mepp; the file is replaced in one step.

    Each column gets its unit as an attribute, each table a link to its detector. No number changes.
    """
    _change(path, extension=True, output=output, overwrite=overwrite, limits=limits)


def remove(
    *,
    path: options.NwbFile,
    output: options.OutputFile = None,
    overwrite: options.OverwriteFile = False,
    limits: LimitOptions,
) -> None:
    """Turn the types of ndx-mepp in an NWB file into core tables; the file is replaced in one step.

    No number changes, and everything that is known of the detectors stays in the summary.
    """
    _change(path, extension=False, output=output, overwrite=overwrite, limits=limits)


def _change(
    path: Path, *, extension: bool, output: Path | None, overwrite: bool, limits: LimitOptions
) -> None:
    from nwb_mepp.workflows import retype_file

    with limits.kept(path, worded=options.as_typed):
        done = retype_file(path, extension=extension, output=output, overwrite=overwrite)
    kind = "types of ndx-mepp" if extension else "core tables"
    told = f"{', '.join(done.tables)} are now {kind}" if done.tables else f"nothing is left to become {kind}"
    tell(f"{path if output is None else output}: {told}")
    for note in done.notes:
        complain(f"note: {path}: {note}")
