"""Which recordings are meant by what a user types: files, folders, patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.multi_file import whole_recording
from nwb_mepp.readers.registry import (
    choose_reader,
    reader_named,
    reader_table,
    readers_of_folder,
)

__all__ = ["find_recordings"]


def find_recordings(paths: Iterable[str | Path], *, reader: str | None = None) -> list[Path]:
    """Return the recordings behind paths, each once.

    A file that is named is always taken, so that its error is told if it is not a recording; if it is a part
    of one, that one is taken. In a folder, searched with the folders inside it, only recordings are taken:
    files that a reader is for, and folders that are a recording themselves, without hidden files, NWB files,
    side files of a format, and tables that do not begin like a recording.

    Parameters
    ----------
    paths : iterable of str or Path
        Files, folders, and patterns such as ``day1/*.abf``.
    reader : str, optional
        The reader that the user chose. A folder is itself the recording if the reader reads folders;
        otherwise all files with the suffixes of that reader are taken.

    Returns
    -------
    list of Path
        In the order of the arguments, and sorted within each.

    Raises
    ------
    ReadError
        If a path does not exist or belongs to more than one recording, a pattern fits nothing, or a folder
        holds no recording.
    UsageError
        If no reader has that name.
    """
    entry = None if reader is None else reader_named(reader)
    found: dict[Path, None] = {}
    for path in paths:
        found.update(dict.fromkeys(_behind(Path(path), entry)))
    return list(found)


def _behind(path: Path, entry: ReaderEntry | None) -> list[Path]:
    if not path.is_dir():
        path = whole_recording(path, reader=entry)
    if path.is_dir():
        if entry is not None and entry.reads_folder:
            return [path]
        recordings = sorted(_recordings_below(path, entry))
        if not recordings:
            raise ReadError(
                f"{path}: expected recordings in the folder, found none; nwb-mepp formats lists what can be "
                "read, `reader='NAME'` chooses a format that has to be named."
            )
        return recordings
    if path.exists():
        return [path]
    if glob.has_magic(str(path)):
        matches = sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207 - takes absolute patterns
        if matches:
            return [file for match in matches for file in _behind(match, entry)]
        raise ReadError(
            f"{path}: expected files that fit the pattern, found none; check folder and spelling."
        )
    raise ReadError(f"{path}: expected a recording, found no such file or folder; check the path.")


def _recordings_below(folder: Path, entry: ReaderEntry | None) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        parts: frozenset[str] = frozenset()
        if entry is None and (readers := _readers_of(Path(parent))):
            yield Path(parent)
            parts = frozenset(suffix for reader in readers for suffix in reader.suffixes)
        for name in names:
            file = Path(parent, name)
            if not name.startswith(".") and file.suffix.lower() not in parts and _is_recording(file, entry):
                yield file


def _readers_of(folder: Path) -> list[ReaderEntry]:
    try:
        return readers_of_folder(folder)
    except OSError:
        return []  # what cannot be looked into has to be named; then it is told why


def _is_recording(path: Path, entry: ReaderEntry | None) -> bool:
    suffix = path.suffix.lower()
    if entry is not None:
        return suffix in entry.suffixes
    try:
        chosen = choose_reader(path)
        # A file called otherwise may be a copy that was put aside (run.abf.bak): it has to be named.
        is_called_so = suffix in chosen.suffixes
        return is_called_so and (chosen.resembles_recording is None or chosen.resembles_recording(path))
    except (ReadError, OSError):
        return _is_damaged_recording(path)


def _is_damaged_recording(path: Path) -> bool:
    """Return whether a file that no reader takes is surely meant as a recording all the same.

    An .abf file that is empty or truncated must not vanish silently from a batch, nor must one of any other
    format whose suffix means nothing else.
    """
    readers = [entry for entry in reader_table() if path.suffix.lower() in entry.suffixes]
    return len(readers) == 1 and readers[0].is_signature
