"""Expanding the paths that a user types (files, folders, patterns) to recordings."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from nwb_mepp._utils.file_attributes import special_kind
from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.foreign_formats import ForeignFormat, foreign_format
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.multi_file import primary_path, recording_of
from nwb_mepp.readers.registry import (
    choose_reader,
    get_reader,
    reader_table,
    readers_for_folder,
)

__all__ = ["find_recordings"]

_SEVERAL_FILES = frozenset(f".ns{rate}" for rate in range(1, 7))


def find_recordings(
    paths: Iterable[str | Path],
    *,
    reader: str | None = None,
    on_unreadable: Callable[[OSError], None] | None = None,
    on_skipped: Callable[[Path, str], None] | None = None,
) -> list[Path]:
    """Return the recordings that paths refer to, each once.

    A file that is given explicitly is always included, so that an error is reported if it is not a recording;
    a file that is part of a recording stands for the whole recording. A folder is searched recursively for
    files that a reader recognizes and for folders that are recordings themselves. Hidden files, NWB files,
    side files of a format, named pipes and devices, and tables that do not look like a recording are skipped.

    Parameters
    ----------
    paths : iterable of str or Path
        Files, folders, and patterns such as ``day1/*.abf``.
    reader : str, optional
        Name of the reader that the user has chosen. If it reads folders, a folder is one recording; otherwise
        all files in it that have a suffix of the reader are taken.
    on_unreadable : callable, optional
        Called with the error of each folder that cannot be searched; ``filename`` says which.
    on_skipped : callable, optional
        Called with each file in a folder that no reader takes but that can be named for what it is, and with
        what to do with it.

    Returns
    -------
    list of Path
        In the order of ``paths``, sorted within each.

    Raises
    ------
    ReadError
        If a path does not exist or belongs to more than one recording, a pattern matches nothing, or a folder
        contains no recording.
    UsageError
        If no reader has that name.
    """
    entry = None if reader is None else get_reader(reader)
    found: dict[Path, None] = {}
    search = _Search(entry, on_unreadable, on_skipped or (lambda _path, _why: None))
    for path in paths:
        found.update(dict.fromkeys(_expand(Path(path), search)))
    return list(found)


class _Search(NamedTuple):
    """What is searched for, and who is told of what is not taken."""

    entry: ReaderEntry | None
    on_unreadable: Callable[[OSError], None] | None
    on_skipped: Callable[[Path, str], None]


def _expand(path: Path, search: _Search) -> list[Path]:
    entry = search.entry
    if not path.is_dir():
        path = primary_path(path, reader=entry)
    if path.is_dir():
        if entry is not None and entry.reads_folder:
            return [path]
        recordings = sorted(_recordings_below(path, search))
        if not recordings:
            raise ReadError(
                f"{path}: expected recordings in the folder, found none; nwb-mepp formats lists what can be "
                "read, `reader='NAME'` chooses a format that is not recognized automatically."
            )
        return recordings
    if path.exists():
        return [path]
    if glob.has_magic(str(path)):
        matches = sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207 - takes absolute patterns
        if matches:
            return [file for match in matches for file in _expand(match, search)]
        raise ReadError(
            f"{path}: expected files that match the pattern, found none; check the folder and the spelling."
        )
    raise ReadError(f"{path}: expected a recording, found no such file or folder; check the path.")


def _recordings_below(folder: Path, search: _Search) -> Iterator[Path]:
    entry = search.entry
    for parent, folders, names in os.walk(folder, onerror=search.on_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        member_suffixes: frozenset[str] = frozenset()
        if entry is None and (readers := _matching_readers(Path(parent))):
            if any(recording_of(reader, Path(parent)) == Path(parent) for reader in readers):
                yield Path(parent)
            member_suffixes = frozenset(suffix for reader in readers for suffix in reader.suffixes)
        for name in names:
            file = Path(parent, name)
            if name.startswith(".") or special_kind(file) is not None:
                continue
            if file.suffix.lower() in member_suffixes:
                continue
            if _is_recording(file, entry):
                yield file
            elif entry is None and (known := _known_format(file)) is not None:
                search.on_skipped(file, known.advice)


def _known_format(file: Path) -> ForeignFormat | None:
    try:
        known = foreign_format(file)
        return known if known is not None and primary_path(file) == file else None
    except (ReadError, OSError):
        return None


def _matching_readers(folder: Path) -> list[ReaderEntry]:
    try:
        return readers_for_folder(folder)
    except OSError:
        return []  # a folder without read permission is skipped here; given explicitly, it raises an error


def _is_recording(path: Path, entry: ReaderEntry | None) -> bool:
    suffix = path.suffix.lower()
    if entry is not None:
        return suffix in entry.suffixes
    if not any(suffix in one.suffixes for one in reader_table()):
        return False  # without opening it: a folder may hold many thousands of other files
    try:
        chosen = choose_reader(path)
        # A file with another suffix may be a backup (run.abf.bak): it must be given explicitly.
        has_usual_suffix = suffix in chosen.suffixes
        if (chosen.reads_folder or suffix in _SEVERAL_FILES) and primary_path(path) != path:
            return False  # another file stands for it
        return has_usual_suffix and (chosen.resembles_recording is None or chosen.resembles_recording(path))
    except (ReadError, OSError):
        return _is_damaged_recording(path)


def _is_damaged_recording(path: Path) -> bool:
    """Return whether a file that no reader recognizes must nevertheless have been a recording.

    An empty or truncated .abf file must not silently drop out of a batch, and neither must a damaged file of
    any other format whose suffix is unambiguous.
    """
    readers = [entry for entry in reader_table() if path.suffix.lower() in entry.suffixes]
    return len(readers) == 1 and readers[0].is_signature
