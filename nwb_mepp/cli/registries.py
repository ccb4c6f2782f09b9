"""formats, detectors, metadata template: what there is to choose from, generated from the registries."""

from __future__ import annotations

import inspect

import typer

from nwb_mepp.cli.console import aligned, data_stream
from nwb_mepp.errors import MeppError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(formats)
    app.command()(detectors)
    metadata = typer.Typer(
        help="What is known of a recording beyond its samples.", rich_markup_mode=None, no_args_is_help=True
    )
    metadata.callback()(_metadata)
    metadata.command()(template)
    app.add_typer(metadata, name="metadata")


def formats() -> None:
    """List the readers and the files they are for."""
    from nwb_mepp.readers import reader_table

    rows = [["READER", "FILES", "NEEDS", "WHAT"]]
    for entry in reader_table():
        suffixes = " ".join(entry.suffixes) or ("a folder" if entry.reads_folder else "any")
        chosen = f"{suffixes} (with --reader)" if entry.explicit or entry.reads_folder else suffixes
        rows.append([entry.name, chosen, " ".join(entry.requires) or "-", entry.description])
    with data_stream() as stream:
        stream.write(aligned(rows) + "\n")


def detectors() -> None:
    """List the detectors, with version and default threshold."""
    from nwb_mepp.detectors import detector_names, get_detector

    rows = [["DETECTOR", "VERSION", "THRESHOLD", "WHAT"]]
    for name in detector_names():
        try:
            one = get_detector(name)
        except MeppError as error:
            rows.append([name, "-", "-", f"cannot be used: {error}"])
            continue
        about = (inspect.getdoc(type(one)) or "").partition("\n")[0]
        rows.append([name, one.version, f"{one.default_threshold:g}", about])
    with data_stream() as stream:
        stream.write(aligned(rows) + "\n")


def _metadata() -> None:
    """Group what belongs to --metadata."""


def template() -> None:
    """Print a commented metadata file to fill in."""
    from nwb_mepp.nwb.metadata_file import metadata_template

    with data_stream() as stream:
        stream.write(metadata_template())
