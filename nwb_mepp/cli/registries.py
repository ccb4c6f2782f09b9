"""formats, detectors, metadata template: the choices, listed from the registries."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated

import typer

from nwb_mepp.cli.console import aligned, data_stream
from nwb_mepp.cli.options import as_typed
from nwb_mepp.core.errors import MeppError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(formats)
    app.command()(detectors)
    metadata = typer.Typer(
        help="Describe a recording: subject, session, device, electrode.",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    metadata.callback()(_metadata)
    metadata.command()(template)
    app.add_typer(metadata, name="metadata")
    sessions = typer.Typer(
        help="Describe many recordings: the table for --sessions.",
        rich_markup_mode=None,
        no_args_is_help=True,
    )
    sessions.callback()(_sessions)
    sessions.command("template")(sessions_template)
    app.add_typer(sessions, name="sessions")


def formats() -> None:
    """List the formats that can be read: their files, readers and packages, and which are read lazily."""
    from nwb_mepp.readers import reader_table

    rows = [["FORMAT", "FILES", "READER", "NEEDS", "LAZY"]]
    for entry in reader_table():
        suffixes = " ".join(entry.suffixes)
        files = f"a folder of {suffixes}" if entry.reads_folder else suffixes
        has_to_be_named = entry.explicit or (entry.reads_folder and entry.claims is None)
        rows.append(
            [
                entry.description,
                f"{files} (with --reader)" if has_to_be_named else files,
                entry.name,
                ", ".join(map(_with_extra, entry.requires)) or "-",
                "yes" if entry.lazy else "no",
            ]
        )
    with data_stream() as stream:
        stream.write(aligned(rows) + "\n")


def _with_extra(package: str) -> str:
    from nwb_mepp.readers import extra_of

    extra = extra_of(package)
    return f"{package} (extra {extra})" if extra else package


def detectors() -> None:
    """List the detectors with their versions, default thresholds and shipped weights."""
    from nwb_mepp.detectors import detector_names, get_detector

    rows = [["DETECTOR", "VERSION", "THRESHOLD", "WEIGHTS", "WHAT"]]
    for name in detector_names():
        try:
            one = get_detector(name)
        except MeppError as error:
            rows.append([name, "-", "-", "-", f"cannot be used: {as_typed(str(error))}"])
            continue
        about = (inspect.getdoc(type(one)) or "").partition("\n")[0]
        rows.append([name, one.version, f"{one.default_threshold:g}", _weights_of(name), about])
    with data_stream() as stream:
        stream.write(aligned(rows) + "\n")


def _weights_of(detector: str) -> str:
    """Return the weights of a detector as --weights takes them, the newest first."""
    from nwb_mepp.detectors import shipped_versions

    names = [f"{detector}@{version}" for version in shipped_versions(detector)]
    return ", ".join([f"{names[0]} (default)", *names[1:]]) if names else "-"


def _metadata() -> None:
    """Group what belongs to --metadata."""


def template() -> None:
    """Print a commented metadata file to fill in."""
    from nwb_mepp.nwb.metadata_file import metadata_template

    with data_stream() as stream:
        stream.write(metadata_template())


def _sessions() -> None:
    """Group what belongs to --sessions."""


def sessions_template(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Files, folders and patterns, as for 'nwb-mepp run'."),
    ],
) -> None:
    """Print a table for --sessions with a row for each recording, and what its file says."""
    from nwb_mepp.workflows.batch import session_template

    with data_stream() as stream:
        session_template(paths, stream, worded=as_typed)
