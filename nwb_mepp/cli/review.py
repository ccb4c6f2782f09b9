"""review: look at what was found, correct it, decide, in the browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.console import complain, tell
from nwb_mepp.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(review)


def review(
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE|FOLDER", help="NWB file, or folder of NWB files.", show_default=False),
    ],
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            metavar="NAME",
            help="Table to begin with, e.g. mepps_miniunet [that of the first detector].",
            show_default=False,
        ),
    ] = None,
    reviewer: Annotated[
        str,
        typer.Option(
            "--reviewer",
            metavar="NAME",
            help="Who decides: the decisions are saved as mepps_curated_NAME [mepps_curated].",
            show_default=False,
        ),
    ] = "",
    blind: Annotated[
        bool,
        typer.Option(
            "--blind", help="Hide names and probabilities, and show the recordings in random order."
        ),
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="N", help="Seed of the random order of --blind.", show_default=False),
    ] = None,
    disagreements: Annotated[
        bool,
        typer.Option(
            "--disagreements",
            help="Begin with what two reviewers of the file agree on; what they differ in is to be decided.",
        ),
    ] = False,
    extension: Annotated[
        bool, typer.Option("--extension", help="Save tables of the extension ndx-mepp.")
    ] = False,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="N",
            min=0,
            max=65535,
            help="Port to listen on [a free one].",
            show_default=False,
        ),
    ] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address instead of opening a browser.")
    ] = False,
) -> None:
    """Look, accept, reject, add and move MEPPs in the browser of this computer.

    Each decision is written to a journal beside the file before the page shows it. Saving writes the table
    mepps_curated into the file; the tables of detectors stay. Ctrl-C ends the review, and the next one takes
    it up where it ended.
    """
    from nwb_mepp.curation.agreement import consensus_rows
    from nwb_mepp.curation.desk import Wishes
    from nwb_mepp.curation.serving import require_server, review_until_stopped

    require_server()
    chosen = _seed(blind=blind, seed=seed)
    wishes = Wishes(
        table=table,
        reviewer=_named(reviewer),
        seed=chosen,
        extension=extension,
        rows=consensus_rows if disagreements else None,
    )
    paths = _recordings(path, table=table)
    if chosen is not None:
        tell(f"the order of the recordings is drawn with --seed {chosen}")
    review_until_stopped(paths, wishes, port=port, browser=not no_browser, tell=tell)


def _seed(*, blind: bool, seed: int | None) -> int | None:
    if not blind:
        if seed is not None:
            raise UsageError("`seed`: expected `blind`, to which it belongs, found none; give both.")
        return None
    if seed is not None:
        return seed
    import secrets

    return secrets.randbelow(1_000_000)


def _named(reviewer: str) -> str:
    if reviewer and not reviewer.replace("-", "").isalnum():
        raise UsageError(
            f"`reviewer`: expected letters, digits and hyphens, as it becomes part of a name, found "
            f"{reviewer!r}."
        )
    return reviewer


def _recordings(path: Path, *, table: str | None) -> list[Path]:
    """Return the NWB files to review; a lab file is converted and detected first, after asking."""
    from nwb_mepp.workflows.batch import find_nwb_files
    from nwb_mepp.workflows.recording_files import is_nwb

    if path.is_file() and not is_nwb(path):
        return [_made_from(path)]
    found = list(find_nwb_files([path]))
    if len(found) == 1 and table is None:
        _detect_where_wanted(found[0])
    return found


def _made_from(path: Path) -> Path:
    output = path.with_name(f"{path.name}.nwb")
    if output.exists():
        complain(f"note: {path} is a lab file; reviewing {output}, which is beside it.")
        return output
    command = f"nwb-mepp run {options.quoted(str(path))} -o {options.quoted(str(path.parent))}"
    if not _asked(f"{path} is a lab file. Convert it to {output} and look for MEPPs first?"):
        raise UsageError(
            f"expected an NWB file to review, found the lab file {path}; make one with '{command}'."
        )
    from nwb_mepp.workflows import run_file

    run_file(path, output, picture=False)
    return output


def _detect_where_wanted(path: Path) -> None:
    from nwb_mepp.nwb import interval_tables

    if any(name.startswith("mepps_") for name in interval_tables(path)):
        return
    if _asked(f"No MEPPs were looked for in {path}. Look for them first?"):
        from nwb_mepp.workflows import detect_file

        detect_file(path)
    else:
        complain(f"note: {path} has no MEPPs: the review begins with none.")


def _asked(question: str) -> bool:
    """Return whether the person says yes; without a terminal nobody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and typer.confirm(question, default=True, err=True)
