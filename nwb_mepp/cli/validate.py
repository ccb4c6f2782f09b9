"""validate: whether a file is fit to share."""

from __future__ import annotations

from typing import Annotated

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.console import complain_of, data_stream
from nwb_mepp.core.errors import MeppError
from nwb_mepp.core.safe_text import visible
from nwb_mepp.workflows.limits import LimitOptions


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(options.spread(validate))


def validate(
    *,
    paths: options.NwbFiles,
    dandi: Annotated[
        bool, typer.Option("--dandi", help="Rate the findings as the DANDI archive does.")
    ] = False,
    limits: LimitOptions,
) -> None:
    """Check NWB files with pynwb's validator and nwbinspector.

    Prints one line per finding. Exit code 1 if any file has an error or a violation of best practices;
    suggestions do not count.
    """
    from nwb_mepp.nwb import is_failure, validate_nwb
    from nwb_mepp.workflows.batch import find_nwb_files

    failed = False
    with data_stream() as stream:
        for path in find_nwb_files(paths):
            try:
                with limits.kept(path, worded=options.as_typed):
                    findings = validate_nwb(path, dandi=dandi)
            except MeppError as error:
                complain_of(path, error)
                failed = True
                continue
            for one in findings:
                message = " ".join(one.message.split())
                told = f"{path}: {one.severity} at {one.location}: {message} [{one.source}]"
                stream.write(f"{visible(told)}\n")
            if any(map(is_failure, findings)):
                failed = True
            else:
                stream.write(f"{visible(str(path))}: valid\n")
    if failed:
        raise typer.Exit(1)
