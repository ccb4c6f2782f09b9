"""Reading a recording from a path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nwb_mepp._utils.file_attributes import special_kind
from nwb_mepp.core.errors import MissingDependencyError, ReadError, UsageError
from nwb_mepp.core.kept_blocks import KeptBlocks
from nwb_mepp.core.recording import ArraySource, Recording
from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.foreign_formats import foreign_format
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.interpretation import interpret
from nwb_mepp.readers.multi_file import primary_path
from nwb_mepp.readers.options import MATLAB_READER, ReadOptions
from nwb_mepp.readers.recording_paths import find_recordings
from nwb_mepp.readers.registry import choose_reader, get_reader

__all__ = ["load_contents", "locate", "read_recording"]


def read_recording(path: str | Path, *, options: ReadOptions | None = None) -> Recording:
    """Read one recording: a file, several files that belong together, or a folder.

    Where the format allows it, samples stay in the file and are read on demand.

    Parameters
    ----------
    path : str or Path
        For a recording of several files, any of them.
    options : ReadOptions, optional
        What the file does not state or states incorrectly.

    Returns
    -------
    Recording
        In SI units, checked for plausibility.

    Raises
    ------
    ReadError
        If the file cannot be read, or its content is implausible or incomplete.
    UsageError
        If the options contradict each other or the file.
    MissingDependencyError
        If an optional package is needed but not installed.
    """
    options = options or ReadOptions()
    path = locate(Path(path), reader=options.reader)
    entry, contents = load_contents(path, options=options)
    return _kept(interpret(contents, path, reader=entry.name, options=options))


def _kept(recording: Recording) -> Recording:
    """Return a recording whose samples are read from the file in blocks, of which the last ones are kept."""
    blocks = KeptBlocks()
    traces = tuple(
        trace if isinstance(trace.source, ArraySource) else replace(trace, source=blocks.of(trace.source))
        for trace in recording.traces
    )
    return replace(recording, traces=traces)


def locate(path: Path, *, reader: str | None) -> Path:
    """Return the file or folder with which to open a recording, given any of its files.

    Parameters
    ----------
    path : Path
    reader : str, optional
        Registered name of the reader that the user has chosen.

    Raises
    ------
    ReadError
        If the file belongs to more than one recording.
    UsageError
        If no reader has that name.
    """
    return primary_path(path, reader=None if reader is None else get_reader(reader))


def load_contents(path: Path, *, options: ReadOptions) -> tuple[ReaderEntry, FileContents]:
    """Return the reader for a file and the contents that it reads, before they are interpreted.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Raises
    ------
    ReadError, UsageError, MissingDependencyError
        As :func:`read_recording`.
    """
    check_readable(path)
    if path.is_dir() and options.reader is None:
        _refuse_several(path)
    try:
        entry = choose_reader(path, name=options.reader)
        _check_dependencies(entry, path)
        if options.variable and entry.name != MATLAB_READER:
            raise UsageError(
                f"`variable`: expected a MATLAB file, found {path.name}, which the reader {entry.name!r} "
                "reads; leave it out."
            )
        return entry, entry.read(path, options)
    except OSError as error:
        raise ReadError(f"{path.name} cannot be read: {error.strerror or error}.") from error


def _check_dependencies(entry: ReaderEntry, path: Path) -> None:
    try:
        entry.check_dependencies()
    except MissingDependencyError as error:
        known = foreign_format(path)
        if known is None:
            raise
        raise MissingDependencyError(f"{error} {path.name} is {known.name}: {known.advice}.") from error


def _refuse_several(folder: Path) -> None:
    """Raise an error that names the recordings in a folder, if it is none itself but holds several."""
    try:
        inside = find_recordings([folder])
    except ReadError:
        return  # what is wrong with the folder is said when it is read
    if folder in inside or len(inside) < 2:
        return
    names = [path.relative_to(folder).as_posix() for path in inside]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    raise ReadError(
        f"{folder.name} is a folder of several recordings: {', '.join(names[:5])}{more}; pass one of them, "
        "or the folder to 'nwb-mepp run' or 'nwb-mepp convert' for one output each."
    )


def check_readable(path: Path) -> None:
    """Check that there is something to read.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ReadError
        If the file does not exist, is empty, or is a named pipe, a socket or a device.
    """
    if not path.exists():
        raise ReadError(f"{path}: expected a recording, found no such file or folder; check the path.")
    kind = special_kind(path)
    if kind is not None:
        raise ReadError(f"{path}: expected a recording, found {kind}; copy what it gives to a file first.")
    if path.is_file() and path.stat().st_size == 0:
        raise ReadError(f"{path.name}: expected a recording, found an empty file (0 bytes).")
