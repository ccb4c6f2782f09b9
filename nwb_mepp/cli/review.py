"""review: look at what was found, correct it, decide, in the browser."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.console import at_terminal, complain, show_progress, tell
from nwb_mepp.core.errors import MetadataError, UsageError
from nwb_mepp.core.session import resolve_session_start
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.workflows.settings import WriteOptions


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(options.spread(review))


def review(
    *,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|FOLDER",
            help="NWB file, folder of NWB files, or lab file, which is converted and searched first.",
            show_default=False,
        ),
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
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", help="Convert a lab file, and look for MEPPs where nobody has, without asking first."
        ),
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
    read_options: Annotated[ReadOptions, options.Only("reader", "unit", "sampling_rate_hz", "gain")],
    write_options: Annotated[
        WriteOptions,
        options.Only(
            "session_start", "timezone", "session_start_from", "override", "metadata", "clamp", "extension"
        ),
    ],
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
        extension=write_options.extension,
        rows=consensus_rows if disagreements else None,
    )
    paths = _recordings(path, _Making(yes, read_options, write_options), table=table)
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


@dataclass(frozen=True)
class _Making:
    """How what is to be reviewed is made where it is not there yet: what a lab file does not say."""

    unasked: bool
    reading: ReadOptions
    writing: WriteOptions

    def agreed(self, question: str) -> bool:
        """Return whether the person agrees; without a terminal nobody can be asked."""
        return self.unasked or (at_terminal() and typer.confirm(question, default=True, err=True))


def _recordings(path: Path, making: _Making, *, table: str | None) -> list[Path]:
    """Return the NWB files to review; a lab file is converted and detected first, after asking."""
    from nwb_mepp.workflows.batch import find_nwb_files
    from nwb_mepp.workflows.recording_files import is_nwb

    if path.is_file() and not is_nwb(path):
        return [_made_from(path, making)]
    found = list(find_nwb_files([path]))
    if len(found) == 1 and table is None:
        _detect_where_wanted(found[0], making)
    return found


def _made_from(path: Path, making: _Making) -> Path:
    output = path.with_name(f"{path.name}.nwb")
    if output.exists():
        complain(f"note: {path} is a lab file; reviewing {output}, which is beside it.")
        return output
    from nwb_mepp.readers import read_recording
    from nwb_mepp.workflows import run_file

    # What is missing is known before anything is asked, and long before it is needed.
    began = read_recording(path, options=making.reading).session_start
    question = f"{path} is a lab file. Convert it to {output} and look for MEPPs first?"
    if not making.agreed(question):
        raise UsageError(
            f"expected an NWB file to review, found the lab file {path}; give `yes=True` to convert it to "
            f"{output} and look for MEPPs first.{_still_needed(path, making.writing, began)}"
        )
    writing = _with_start(path, making.writing, began) if at_terminal() else making.writing
    with show_progress(1) as progress:
        run_file(
            path,
            output,
            read_options=making.reading,
            write_options=writing,
            picture=False,
            on_progress=progress.describe,
        )
    return output


def _check_start(path: Path, writing: WriteOptions, began: datetime | None) -> None:
    resolve_session_start(
        began,
        given=writing.session_start,
        timezone=writing.timezone,
        path=path,
        start_from=writing.session_start_from,
        override=writing.override,
    )


def _still_needed(path: Path, writing: WriteOptions, began: datetime | None) -> str:
    """Return what else has to be given, as a sentence; empty if nothing."""
    try:
        _check_start(path, writing, began)
    except MetadataError as error:
        return f" Also, {error}"
    return ""


def _with_start(path: Path, writing: WriteOptions, began: datetime | None) -> WriteOptions:
    """Ask when the recording began, or in which time zone that was, until it is known."""
    while True:
        try:
            _check_start(path, writing, began)
        except MetadataError as error:
            complain(options.as_typed(str(error)))
            if began is None:
                said = typer.prompt(
                    "When did the recording begin (such as 2020-01-31T09:30:00+01:00)", err=True
                )
                writing = replace(writing, session_start=said, session_start_from=None)
            else:
                zone = typer.prompt("In which time zone (such as Europe/Berlin)", err=True)
                writing = replace(writing, timezone=zone)
        else:
            return writing


def _detect_where_wanted(path: Path, making: _Making) -> None:
    from nwb_mepp.nwb import interval_tables

    if any(name.startswith("mepps_") for name in interval_tables(path)):
        return
    if making.agreed(f"No MEPPs were looked for in {path}. Look for them first?"):
        from nwb_mepp.workflows import detect_file

        with show_progress(1) as progress:
            detect_file(path, read_options=making.reading, on_progress=progress.describe)
    else:
        complain(f"note: {path} has no MEPPs: the review begins with none.")
