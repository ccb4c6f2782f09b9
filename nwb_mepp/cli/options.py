"""The options of the command line: those of the settings classes and its own."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import shlex
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer

from nwb_mepp._utils.cores import n_cores
from nwb_mepp.core.options import Option, Options, options_of, settings_from
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.workflows.limits import BatchLimits
from nwb_mepp.workflows.settings import DetectionSettings, WriteOptions


class Only:
    """Which options of a settings class a command has: ``Annotated[ReadOptions, Only("reader")]``.

    Parameters
    ----------
    *names : str
        Of its fields.
    """

    def __init__(self, *names: str) -> None:
        self.names = names


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that has an option for each field of the settings classes in its signature.

    Parameters
    ----------
    command : callable
        Each parameter whose type is a settings class receives an object made from what was typed.
    """
    signature = inspect.signature(command, eval_str=True)
    settings = {
        name: found
        for name, parameter in signature.parameters.items()
        if (found := _settings_in(parameter.annotation)) is not None
    }

    spread_out = {name: list(_parameters(*found)) for name, found in settings.items()}

    @functools.wraps(command)
    def typed(**arguments: Any) -> None:
        for name, (cls, _) in settings.items():
            theirs = {one.name: arguments.pop(one.name) for one in spread_out[name]}
            arguments[name] = settings_from(cls, theirs)
        command(**arguments)

    parameters = [one for name, own in signature.parameters.items() for one in spread_out.get(name, [own])]
    by_keyword = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    typed.__signature__ = signature.replace(parameters=by_keyword)  # type: ignore[attr-defined]
    typed.__annotations__ = {one.name: one.annotation for one in by_keyword}
    return typed


def _settings_in(annotation: Any) -> tuple[type[Options], tuple[str, ...]] | None:
    """Return the settings class of an annotation and the options that are wanted, if it is one."""
    only: tuple[str, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, *details = get_args(annotation)
        only = next((one.names for one in details if isinstance(one, Only)), ())
    if not (isinstance(annotation, type) and issubclass(annotation, Options)):
        return None
    return annotation, only


def _parameters(settings: type[Options], only: tuple[str, ...]) -> Iterator[inspect.Parameter]:
    for name, one in options_of(settings).items():
        if one.flag is not None and (not only or name in only):
            yield _parameter(one)


def _parameter(one: Option) -> inspect.Parameter:
    plain = one.kind is None
    default = one.default if plain else None
    repeated = "" if plain or one.kind.typed is str else "; can be repeated"  # type: ignore[union-attr]
    without = f" [{one.default_text}]" if one.default_text else ""
    detail = typer.Option(
        one.flag,
        metavar=one.metavar or "|".join(one.choices) or None,
        help=f"{one.help}{repeated}{without}.",
        show_default=default not in (None, False),
    )
    kind = one.type if plain else one.kind.typed  # type: ignore[union-attr]
    return inspect.Parameter(
        one.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind if default is not None else kind | None, detail],
    )


# Arguments that have another name on the command line, apart from the options of the settings.
_FLAGS = {
    "duration_s": "--duration",
    "from_training": "--training-distribution",
    "n_calibration": "--calibration",
    "n_jobs": "--jobs",
    "n_processes": "--jobs",
    "n_recordings": "--recordings",
    "n_simulated": "--simulated",
    "n_steps": "--steps",
    "n_threads": "--threads",
    "rate_hz": "--rate",
    "start": "--from",
    "tolerance_s": "--tolerance",
}
_MENTION = re.compile(r"`([a-z]\w*)(?:=([^`]*))?`")


def as_typed(text: str) -> str:
    """Return a message with its options written as they are typed on the command line.

    Parameters
    ----------
    text : str
        Names Python arguments between backticks.

    Examples
    --------
    >>> as_typed("leave it out with `exclude=[(START, STOP)]`, or give `override=True`")
    'leave it out with --exclude START:STOP, or give --override'
    """
    return _MENTION.sub(lambda found: f"{flag_of(found[1])}{_value_typed(found[2])}", text)


def flag_of(name: str) -> str:
    """Return the command-line option for a Python argument."""
    for settings in (DetectionSettings, ReadOptions, WriteOptions, BatchLimits):
        one = options_of(settings).get(name)
        if one is not None and one.flag is not None:
            return one.flag
    return _FLAGS.get(name, "--" + name.replace("_", "-"))


def _value_typed(value: str | None) -> str:
    """Return a Python value as it is typed: START:STOP, CHANNEL=UNIT, text; quoted where a shell needs it."""
    if value is None or value == "True":
        return ""
    try:
        typed = _typed(ast.literal_eval(value))
    except (SyntaxError, ValueError):  # words that stand for values, [(START, STOP)]
        return " " + re.sub(r"[\[\](){}'\"]", "", value).replace(": ", "=").replace(", ", ":")
    return f" {quoted(typed)}"


def _typed(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{_typed(key)}={_typed(one)}" for key, one in value.items())
    return ":".join(map(_typed, value)) if isinstance(value, list | tuple | set) else str(value)


def quoted(text: str) -> str:
    """Return text as one argument that can be pasted into a command line of any system.

    Examples
    --------
    >>> quoted("Vm"), quoted("IN 0")
    ('Vm', '"IN 0"')
    """
    if re.fullmatch(r"[\w.,:=+/@%{}-]+", text):
        return text
    # Double quotes are understood by all shells; single ones not by that of Windows.
    return f'"{text}"' if not set(text) & set('"$`\\!') else shlex.quote(text)


class Units(StrEnum):
    """Units of tables."""

    SI = "si"
    LAB = "lab"


class Decimal(StrEnum):
    """Decimal sign of tables."""

    POINT = "point"
    COMMA = "comma"


class Tables(StrEnum):
    """Kinds of files for the tables of a folder."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


class TableFormat(StrEnum):
    """Formats of a table of MEPPs."""

    CSV = "csv"
    JSON = "json"


class SummaryFormat(StrEnum):
    """Formats of summaries."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


class InfoFormat(StrEnum):
    """Formats of the description of a file."""

    TEXT = "text"
    JSON = "json"


def _option(*names: str, help: str, metavar: str | None = None) -> Any:  # noqa: A002
    return typer.Option(*names, help=help, metavar=metavar, show_default=False)


Recordings = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", help="Recordings: files, folders or patterns.", show_default=False),
]
NwbFiles = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", help="NWB files: files, folders or patterns.", show_default=False),
]
NwbFile = Annotated[Path, typer.Argument(metavar="FILE.nwb", help="NWB file.", show_default=False)]
OutputFile = Annotated[
    Path | None,
    _option(
        "--output",
        "-o",
        metavar="OUT.nwb",
        help="Write the result to this file instead of replacing FILE.nwb.",
    ),
]
OverwriteFile = Annotated[bool, typer.Option("--overwrite", help="Replace OUT.nwb if it exists.")]
DetectionOutput = Annotated[
    Path | None,
    _option(
        "--output",
        "-o",
        metavar="OUT",
        help="Write the result to this file instead of replacing the input; of several, to this folder.",
    ),
]
OverwriteOutputs = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]
OutputFolder = Annotated[
    Path, _option("--output", "-o", metavar="DIR", help="Folder for the output files DIR/path/name.ext.nwb.")
]
DandiNames = Annotated[
    bool,
    typer.Option(
        "--dandi-names",
        help="Name the output files DIR/sub-ID/sub-ID_ses-ID_icephys.nwb, after subject_id and session_id.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace output files that were made from other input or settings."),
]


def _note_cores(n_jobs: int) -> int:
    """Say on standard error if more files are asked for at a time than there are cores."""
    if n_jobs > (cores := n_cores()):
        typer.echo(
            f"nwb-mepp: note: --jobs {n_jobs} is more than the {cores} cores that there are; more files at "
            "a time take more memory, but hardly less time.",
            err=True,
        )
    return n_jobs


Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        min=1,
        metavar="N",
        help="Number of files to process at the same time.",
        callback=_note_cores,
    ),
]
Scheduler = Annotated[
    str | None,
    _option(
        "--scheduler",
        metavar="ADDRESS",
        help="Let the workers of a Dask cluster do the files: the address of its scheduler, such as "
        "tcp://node07:8786.",
    ),
]

Events = Annotated[
    str | None,
    _option(
        "--events",
        metavar="TABLE",
        help="File of marks made by hand, to be written as the table mepps_curated: an event table of "
        "nwb-mepp, Mini Analysis, Clampfit, Easy Electrophysiology, SimplyFire, Stimfit or miniML, a CSV "
        "table with peak_time or start_time in seconds, or labeled text. With several "
        "recordings, {} stands for the name of each without its last suffix, e.g. '{}_marks.csv' beside it.",
    ),
]
EventColumn = Annotated[
    str | None,
    _option(
        "--event-column",
        metavar="TITLE[=UNIT]",
        help="Column of --events with the times of the peaks, for a table of another program, e.g. 'Time of "
        "Peak (ms)', or t=s if the title lacks the unit of time. Times count from the first sample.",
    ),
]
EventsChannel = Annotated[
    str | None,
    _option(
        "--channel",
        metavar="NAME",
        help="Channel to which the marks of --events belong, needed if there are several.",
    ),
]
Sessions = Annotated[
    Path | None,
    _option(
        "--sessions",
        metavar="TABLE.csv",
        help="Table with one row per file: file, any of session_start, timezone, session_start_from, "
        "subject, session_id, metadata, clamp, reader, unit, gain, sampling_rate, channel, polarity and "
        "exclude, and others for the tables.",
    ),
]

NoPicture = Annotated[bool, typer.Option("--no-picture", help="Do not draw pictures.")]
TablesOption = Annotated[
    Tables,
    typer.Option(
        "--tables",
        metavar="|".join(Tables),
        help="With xlsx, write the tables as the workbook DIR/mepps.xlsx, too; with parquet, the MEPPs as "
        "DIR/mepps.parquet.",
    ),
]
UnitsOption = Annotated[
    Units,
    typer.Option(
        "--units", metavar="|".join(Units), help="Units of the tables; lab stands for mV, pA and ms."
    ),
]
DecimalOption = Annotated[
    Decimal,
    typer.Option(
        "--decimal",
        metavar="|".join(Decimal),
        help="Decimal sign in CSV tables; with a comma, cells are separated by semicolons.",
    ),
]
