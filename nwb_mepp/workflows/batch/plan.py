"""Which files are processed, and where the output of each goes."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nwb_mepp._utils.file_attributes import is_zarr
from nwb_mepp.core.errors import MeppError, ReadError, UsageError
from nwb_mepp.readers import find_recordings
from nwb_mepp.workflows import WriteOptions, is_nwb
from nwb_mepp.workflows.batch.nwb_inputs import nwb_inputs

__all__ = ["Failure", "Job", "Plan", "find_nwb_files", "plan_batch", "plan_detection"]

_GLOB = frozenset("*?[")
# Windows opens a device for these names, whatever their suffix.
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10))}
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One recording, the path of its output, and what is known about it.

    Attributes
    ----------
    path, output : Path
    write_options : WriteOptions
    reading, detecting : mapping of str to object
        Fields of ``ReadOptions`` and ``DetectionSettings`` that are stated for this recording.
    columns : mapping of str to str
        What else is known of it, for the tables.
    """

    path: Path
    output: Path
    write_options: WriteOptions = field(default_factory=WriteOptions)
    reading: Mapping[str, Any] = field(default_factory=dict)
    detecting: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A file that failed, and the reason, which does not begin with the name of the file."""

    path: Path
    reason: str

    @classmethod
    def because(cls, path: Path, sentence: str) -> Failure:
        """Return the failure of a file, without its name if the reason begins with it."""
        for name in (f"{path}: ", f"{path.name}: "):
            sentence = sentence.removeprefix(name)
        return cls(path=path, reason=sentence)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The jobs of a batch, and the arguments that gave none.

    Attributes
    ----------
    folder : Path
        Of the outputs.
    jobs : tuple of Job
    failures : tuple of Failure
    skipped : tuple of Failure
        Files in the folders that were searched that no reader takes, although they look like recordings.
    notes : tuple of str
        One sentence for each thing that was passed over.
    """

    folder: Path
    jobs: tuple[Job, ...] = ()
    failures: tuple[Failure, ...] = ()
    skipped: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def n_files(self) -> int:
        """Number of recordings and failed arguments."""
        return len(self.jobs) + len(self.failures)


def plan_batch(
    paths: Iterable[str | os.PathLike[str]],
    *,
    folder: str | os.PathLike[str],
    reader: str | None = None,
    write_options: WriteOptions | None = None,
    nwb: bool = False,
) -> Plan:
    """Find the recordings that the arguments stand for, and choose the paths of their outputs.

    The output of ``path/name.ext`` is ``folder/path/name.ext.nwb``. An argument that is absolute or leaves
    the working folder would lead out of ``folder``: then what is below the argument (of a file: its name)
    counts instead of the whole path.

    Parameters
    ----------
    paths : iterable of path-like
        Files, folders (searched recursively) and patterns. What lies in ``folder`` is passed over, unless
        it is named as a file.
    folder : path-like
    reader : str, optional
        Registered name of the reader of all of them.
    write_options : WriteOptions, optional
        What is known of all of them.
    nwb : bool, default False
        Take the NWB files in folders, too, that this package did not write, unless a reader is stated.

    Raises
    ------
    UsageError
        If the outputs of two recordings would be the same file, or one session start is stated for several.
    """
    target, known = Path(folder), write_options or WriteOptions()
    jobs: dict[str, Job] = {}
    failures: list[Failure] = []
    skipped: list[Failure] = []
    seen: set[Path] = set()
    for argument in map(Path, paths):
        try:
            inputs = nwb_inputs(argument, outputs=target) if nwb and reader is None else []
            found = _recordings_of(
                argument,
                beside=target,
                reader=reader,
                failures=failures,
                skipped=skipped,
                optional=bool(inputs),
            )
        except UsageError:
            raise
        except MeppError as error:
            failures.append(Failure.because(argument, str(error)))
            continue
        for path in (*found, *inputs):
            if path.resolve() in seen:
                continue
            seen.add(path.resolve())
            output = _output_of(path, argument=argument, folder=target)
            job = Job(path=path, output=output, write_options=known)
            other = jobs.setdefault(os.path.normcase(job.output), job)
            if other is not job:
                raise UsageError(
                    f"{other.path} and {path} would both be written to {job.output}; convert them into "
                    "different folders with `output`."
                )
    n_lab_files = sum(not is_nwb(job.path) for job in jobs.values())
    if known.session_start is not None and n_lab_files > 1 and not known.override:
        raise UsageError(
            f"`session_start`: expected one file, found {n_lab_files}, which can hardly have begun at one "
            "time; give `sessions` with a row for each, or `override=True` if they did."
        )
    passed_over = {one.path: one for one in sorted(skipped, key=lambda one: one.path)}
    return Plan(
        folder=target,
        jobs=tuple(jobs.values()),
        failures=tuple(failures),
        skipped=tuple(passed_over.values()),
    )


def _recordings_of(
    argument: Path,
    *,
    beside: Path,
    reader: str | None,
    failures: list[Failure],
    skipped: list[Failure],
    optional: bool,
) -> list[Path]:
    """Return the recordings of an argument; folders in it that cannot be searched are failures.

    If they are optional, it may be that there are none.
    """

    def note(error: OSError) -> None:
        why = (error.strerror or str(error)).lower()
        failures.append(
            Failure(
                path=Path(error.filename or argument),
                reason=f"expected to search this folder for recordings, found: {why}; check its permissions.",
            )
        )

    def pass_over(path: Path, reason: str) -> None:
        skipped.append(Failure(path=path, reason=reason))

    try:
        found = find_recordings([argument], reader=reader, on_unreadable=note, on_skipped=pass_over)
    except ReadError:
        if not optional:
            raise
        return []
    if found == [argument]:
        return found
    # Tables and outputs of an earlier run may lie below the folder that is searched.
    outputs = beside.resolve()
    kept = [path for path in found if not path.resolve().is_relative_to(outputs)]
    if not kept and not optional:
        raise ReadError(
            f"expected recordings in {argument}, found only outputs in {beside}; give the folder of the lab "
            "files."
        )
    return kept


def _output_of(path: Path, *, argument: Path, folder: Path) -> Path:
    """Return the path of the output of a recording."""
    typed = Path(os.path.normpath(path))
    if typed.is_absolute() or typed.drive or ".." in typed.parts:
        typed = Path(os.path.relpath(path, _base_of(argument)))
        if typed == Path():  # a recording that is a folder
            typed = Path(path.name)
    name = _portable(typed.name) if is_nwb(path) else f"{_portable(typed.name)}.nwb"
    return folder / Path(*map(_portable, typed.parent.parts)) / name


def plan_detection(
    paths: Iterable[str | os.PathLike[str]], *, output: str | os.PathLike[str] | None, extension: bool = False
) -> Plan:
    """Find the NWB files that the arguments stand for, and choose the paths of their outputs.

    Parameters
    ----------
    paths : iterable of path-like
        Files, folders (searched recursively for ``*.nwb``) and patterns.
    output : path-like or None
        A file for a single one that is named as a file, else a folder (:func:`plan_batch`); None to replace
        the files themselves.
    extension : bool, default False
        Write tables of the extension ``ndx-mepp``.

    Raises
    ------
    ReadError
        If an argument means no file.
    UsageError
        If the outputs of two files would be the same file.
    """
    arguments, known = [Path(one) for one in paths], WriteOptions(extension=extension)
    target = None if output is None else Path(output)
    single = len(arguments) == 1 and not arguments[0].is_dir() and not _GLOB & set(arguments[0].name)
    if single and not (target is not None and target.is_dir()):
        job = Job(path=arguments[0], output=target or arguments[0], write_options=known)
        return Plan(folder=Path(), jobs=(job,))
    jobs: dict[str, Job] = {}
    for argument in arguments:
        for path in find_nwb_files([argument]):
            place = path if target is None else _output_of(path, argument=argument, folder=target)
            job = Job(path=path, output=place, write_options=known)
            other = jobs.setdefault(os.path.normcase(place), job)
            if other.path.resolve() != path.resolve():
                raise UsageError(
                    f"{other.path} and {path} would both be written to {place}; detect into different "
                    "folders with `output`."
                )
    return Plan(folder=target or Path(), jobs=tuple(jobs.values()))


def _portable(name: str) -> str:
    """Return a name that Windows does not take for a device."""
    is_device = name.partition(".")[0].strip().upper() in _DEVICES
    return f"_{name}" if is_device else name


def _base_of(argument: Path) -> Path:
    """Return the folder that an argument searches: itself, or the parent of a file or pattern."""
    if argument.is_dir():
        return argument
    base = argument.parent
    while _GLOB & set(str(base)):
        base = base.parent
    return base


def find_nwb_files(paths: Iterable[str | os.PathLike[str]]) -> Sequence[Path]:
    """Return the NWB files that the arguments stand for, each once, in a stable order.

    Parameters
    ----------
    paths : iterable of path-like
        Files of any name, folders (searched recursively for ``*.nwb``) and patterns.

    Raises
    ------
    ReadError
        If an argument means no file.
    """
    found: dict[Path, None] = {}
    for argument in map(Path, paths):
        files = _nwb_files_of(argument)
        if not files:
            what = "an NWB file in this folder" if argument.is_dir() else "an NWB file"
            raise ReadError(f"expected {what}, found none: {argument}; check the path.")
        found.update(dict.fromkeys(files))
    return tuple(found)


def _nwb_files_of(argument: Path) -> list[Path]:
    if argument.is_dir():
        if is_zarr(argument):
            return [argument]  # refused when it is opened, for what it is
        stores = (path for path in argument.rglob("*.zarr") if is_zarr(path))
        found = sorted([*argument.rglob("*.nwb"), *stores])
    elif argument.exists():
        return [argument]
    elif _GLOB & set(str(argument)):
        found = sorted(map(Path, glob.glob(str(argument), recursive=True)))  # noqa: PTH207 - takes absolute patterns
    else:
        return []
    # Hidden files are outputs that are being written.
    return [path for path in found if not path.name.startswith(".")]
