"""The registry of readers, and the choice of a reader for a file."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint
from inspect import isfunction
from pathlib import Path

from nwb_mepp._utils.plugins import plugins
from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.readers.foreign_formats import foreign_format
from nwb_mepp.readers.interface import ReaderEntry

__all__ = [
    "ENTRY_POINT_GROUP",
    "choose_reader",
    "get_reader",
    "reader_table",
    "readers_for_folder",
]

ENTRY_POINT_GROUP = "nwb_mepp.readers"

_REFUSED_SUFFIXES = {
    ".nwb": "is already an NWB file and needs no conversion; nwb-mepp detect finds the MEPPs in it",
    ".pkl": "is a pickle file, and opening one can run arbitrary code; save the recording in another format",
}
_REFUSED_SUFFIXES[".pickle"] = _REFUSED_SUFFIXES[".pkl"]


@cache
def reader_table() -> tuple[ReaderEntry, ...]:
    """Return all readers, sorted by name.

    Built-in readers are registered in the same way as those of other packages: through an entry point in
    the group ``nwb_mepp.readers``, which names either a :class:`ReaderEntry` or a function without arguments
    that returns several.

    Raises
    ------
    UsageError
        If an entry point provides something other than readers, or a reader whose name is already taken.
    """
    table: dict[str, ReaderEntry] = {}
    for point in plugins(ENTRY_POINT_GROUP):
        for entry in _load_entries(point):
            if entry.name in table:
                raise UsageError(
                    f"The entry point {point.value} registers a second reader called {entry.name!r}; "
                    "update or remove the package that provides it."
                )
            table[entry.name] = entry
    return tuple(table[name] for name in sorted(table))


def _load_entries(point: EntryPoint) -> tuple[ReaderEntry, ...]:
    loaded = point.load()
    entries = tuple(loaded()) if isfunction(loaded) else (loaded,)
    if not all(isinstance(entry, ReaderEntry) for entry in entries):
        raise UsageError(
            f"The entry point {point.value} in the group {ENTRY_POINT_GROUP} is neither a ReaderEntry nor a "
            "function that returns several; update or remove the package that provides it."
        )
    return entries


def get_reader(name: str) -> ReaderEntry:
    """Return the reader with a given name.

    Parameters
    ----------
    name : str

    Raises
    ------
    UsageError
        If there is none.
    """
    table = {entry.name: entry for entry in reader_table()}
    if name not in table:
        raise UsageError(f"`reader`: expected one of {', '.join(table)}; found {name!r}.")
    return table[name]


def choose_reader(path: Path, *, name: str | None = None) -> ReaderEntry:
    """Return the reader that the user names, or else the one that matches suffix and content of a file.

    Parameters
    ----------
    path : Path
        An existing file or folder.
    name : str, optional
        Registered name of the reader.

    Raises
    ------
    UsageError
        If no reader has that name.
    ReadError
        If no reader matches the file, or more than one does.
    """
    if name is not None:
        return _check_kind(path, get_reader(name))
    matching, candidates = _matching(path)
    if len(matching) == 1:
        return matching[0]
    if path.is_dir():
        raise ReadError(_explain_folder(path, matching))
    raise ReadError(_explain_no_match(path, candidates, matching))


def _matching(path: Path) -> tuple[list[ReaderEntry], list[ReaderEntry]]:
    """Return the readers that match a file or folder, and the candidates that its suffix suggests."""
    table = reader_table()
    if path.is_dir():
        return readers_for_folder(path), []
    suffix = path.suffix.lower()
    if suffix in _REFUSED_SUFFIXES:
        raise ReadError(f"{path.name} {_REFUSED_SUFFIXES[suffix]}.")
    by_suffix = [entry for entry in table if suffix in entry.suffixes]
    # Files inside recordings that are folders may have any suffix (.txt, .dat), so these readers come last.
    candidates = [entry for entry in by_suffix if not entry.reads_folder] or by_suffix
    by_signature = [entry for entry in table if entry.is_signature and _claims(entry, path)]
    matching = {entry.name: entry for entry in (*_automatic(path, candidates), *by_signature)}
    return list(matching.values()), candidates


def readers_for_folder(folder: Path) -> list[ReaderEntry]:
    """Return the readers that recognize a folder as a recording.

    Parameters
    ----------
    folder : Path
    """
    return [entry for entry in reader_table() if entry.reads_folder and _claims(entry, folder)]


def _claims(entry: ReaderEntry, path: Path) -> bool:
    return entry.claims is not None and entry.claims(path)


def _check_kind(path: Path, entry: ReaderEntry) -> ReaderEntry:
    if entry.reads_folder != path.is_dir() and not (entry.reads_file_of_folder and _claims(entry, path)):
        expected, found = ("a folder", "a file") if entry.reads_folder else ("a file", "a folder")
        raise ReadError(f"{path.name}: the reader {entry.name!r} expects {expected}, found {found}.")
    return entry


def _automatic(path: Path, candidates: list[ReaderEntry]) -> list[ReaderEntry]:
    """Return the candidates that claim the content; if none does, those that go by the suffix alone."""
    candidates = [
        entry
        for entry in candidates
        if not entry.explicit and (not entry.reads_folder or entry.reads_file_of_folder)
    ]
    claimed = [entry for entry in candidates if _claims(entry, path)]
    return claimed or [entry for entry in candidates if entry.claims is None]


def _explain_folder(path: Path, matching: list[ReaderEntry]) -> str:
    if matching:
        names = ", ".join(entry.name for entry in matching)
        return f"{path.name}: more than one reader matches the folder; choose one with `reader` ({names})."
    folders = ", ".join(entry.name for entry in reader_table() if entry.reads_folder)
    return (
        f"{path.name} is a folder; expected a file, or `reader='NAME'` for a format in which a recording is "
        f"a folder ({folders})."
    )


def _explain_no_match(path: Path, candidates: list[ReaderEntry], matching: list[ReaderEntry]) -> str:
    if not matching and (known := foreign_format(path)) is not None:
        return f"{path.name} {known.sentence}"
    names = ", ".join(entry.name for entry in matching or candidates)
    suffix = f"with the suffix {path.suffix}" if path.suffix else "without a suffix"
    if len(matching) > 1:
        return (
            f"{path.name}: more than one reader matches the name and the content of the file; choose one "
            f"with `reader` ({names})."
        )
    if not candidates:
        return (
            f"{path.name}: there is no reader for files {suffix}; nwb-mepp formats lists what can be read, "
            "`reader='NAME'` chooses a reader."
        )
    if all(entry.reads_folder for entry in candidates):
        return f"{path.name} is part of a recording that is a folder; pass the folder and `reader` {names}."
    if any(entry.explicit for entry in candidates):
        return (
            f"{path.name}: its suffix does not identify its format; choose a reader with `reader` ({names})."
        )
    if {entry.name for entry in candidates} <= {"labchart", "labeled-text"}:
        return (
            f"{path.name} is not a recording in text form: expected columns of numbers, the first of them "
            "the time, separated by tabs (titles such as 'Time, s<TAB>Vm, mV') or by commas (titles such as "
            "'Time_ms,Voltage,labels')."
        )
    return (
        f"{path.name} has the suffix of a file for the reader {names}, but not the content: it does not "
        "begin as such a file does. If it is in another format, choose its reader with `reader='NAME'`; if "
        "not, copy it again from where it was recorded."
    )
