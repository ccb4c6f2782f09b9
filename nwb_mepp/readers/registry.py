"""Which readers there are, and which of them a file is for."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.readers.interface import ReaderEntry

__all__ = [
    "ENTRY_POINT_GROUP",
    "choose_reader",
    "reader_named",
    "reader_table",
    "readers_of_folder",
]

ENTRY_POINT_GROUP = "nwb_mepp.readers"

_REFUSED_SUFFIXES = {
    ".nwb": "is an NWB file already; nwb-mepp detect finds the MEPPs in it, nothing needs to be converted",
    ".pkl": "is a pickle, and opening a pickle can run any program hidden in it; save the recording in "
    "another format",
}
_REFUSED_SUFFIXES[".pickle"] = _REFUSED_SUFFIXES[".pkl"]


@cache
def reader_table() -> tuple[ReaderEntry, ...]:
    """Return all readers, sorted by name.

    Raises
    ------
    UsageError
        If an installed plug-in is not a reader or takes the name of another.
    """
    # Here, not above: Neo (0.4 s) is loaded for those who read only.
    from nwb_mepp.readers.neo.catalog import neo_entries
    from nwb_mepp.readers.text.atf import ATF
    from nwb_mepp.readers.text.labchart import LABCHART
    from nwb_mepp.readers.text.labeled_text import LABELED_TEXT

    table = {entry.name: entry for entry in (ATF, LABCHART, LABELED_TEXT, *neo_entries())}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        entry = point.load()
        if not isinstance(entry, ReaderEntry):
            raise UsageError(
                f"The plug-in {point.value} in the group {ENTRY_POINT_GROUP} is not a ReaderEntry; "
                "update or remove the package that brings it."
            )
        if entry.name in table:
            raise UsageError(
                f"The plug-in {point.value} brings a second reader called {entry.name!r}; "
                "update or remove the package that brings it."
            )
        table[entry.name] = entry
    return tuple(table[name] for name in sorted(table))


def reader_named(name: str) -> ReaderEntry:
    """Return the reader of that name.

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
    """Return the reader for a file: the one named, else by suffix and content.

    Parameters
    ----------
    path : Path
        An existing file, or a folder where the named reader reads folders.
    name : str, optional
        Registered name.

    Raises
    ------
    UsageError
        If no reader has that name.
    ReadError
        If no reader, or more than one, is for the file.
    """
    if name is not None:
        return _checked_named(path, reader_named(name))
    chosen, candidates = _fitting(path)
    if len(chosen) == 1:
        return chosen[0]
    if path.is_dir():
        raise ReadError(_why_no_folder(path, chosen))
    raise ReadError(_why_none(path, candidates, chosen))


def _fitting(path: Path) -> tuple[list[ReaderEntry], list[ReaderEntry]]:
    """Return the readers that a file or folder is for, and those that its suffix suggests."""
    table = reader_table()
    if path.is_dir():
        return readers_of_folder(path), []
    suffix = path.suffix.lower()
    if suffix in _REFUSED_SUFFIXES:
        raise ReadError(f"{path.name} {_REFUSED_SUFFIXES[suffix]}.")
    known = [entry for entry in table if suffix in entry.suffixes]
    # Side files of recordings that are folders may have any suffix (.txt, .dat): they come last.
    candidates = [entry for entry in known if not entry.reads_folder] or known
    signed = [entry for entry in table if entry.is_signature and _claims(entry, path)]
    chosen = {entry.name: entry for entry in (*_automatic(path, candidates), *signed)}
    return list(chosen.values()), candidates


def readers_of_folder(folder: Path) -> list[ReaderEntry]:
    """Return the readers for which a folder is a recording.

    Parameters
    ----------
    folder : Path
    """
    return [entry for entry in reader_table() if entry.reads_folder and _claims(entry, folder)]


def _claims(entry: ReaderEntry, path: Path) -> bool:
    return entry.claims is not None and entry.claims(path)


def _checked_named(path: Path, entry: ReaderEntry) -> ReaderEntry:
    if entry.reads_folder != path.is_dir():
        expected, found = ("a folder", "a file") if entry.reads_folder else ("a file", "a folder")
        raise ReadError(f"{path.name}: the reader {entry.name!r} expects {expected}, found {found}.")
    return entry


def _automatic(path: Path, candidates: list[ReaderEntry]) -> list[ReaderEntry]:
    """Return those that claim the content; if none does, those for which the suffix decides."""
    candidates = [entry for entry in candidates if not entry.explicit and not entry.reads_folder]
    claimed = [entry for entry in candidates if _claims(entry, path)]
    return claimed or [entry for entry in candidates if entry.claims is None]


def _why_no_folder(path: Path, chosen: list[ReaderEntry]) -> str:
    if chosen:
        names = ", ".join(entry.name for entry in chosen)
        return f"{path.name}: the folder fits more than one reader; choose one with `reader` ({names})."
    folders = ", ".join(entry.name for entry in reader_table() if entry.reads_folder)
    return (
        f"{path.name} is a folder; expected a file, or `reader='NAME'` for a format that is a folder "
        f"({folders})."
    )


def _why_none(path: Path, candidates: list[ReaderEntry], chosen: list[ReaderEntry]) -> str:
    names = ", ".join(entry.name for entry in chosen or candidates)
    suffix = path.suffix or "without a suffix"
    if len(chosen) > 1:
        return (
            f"{path.name}: more than one reader fits what the file is called and what it holds; choose one "
            f"with `reader` ({names})."
        )
    if not candidates:
        return (
            f"{path.name}: no reader is known for files {suffix}; nwb-mepp formats lists what can be read, "
            "`reader='NAME'` chooses one."
        )
    if all(entry.reads_folder for entry in candidates):
        return (
            f"{path.name} is part of a recording that is a folder; give the folder and choose `reader` "
            f"({names})."
        )
    if any(entry.explicit for entry in candidates):
        return f"{path.name}: its suffix does not tell what it is; choose a reader with `reader` ({names})."
    if {entry.name for entry in candidates} <= {"labchart", "labeled-text"}:
        return (
            f"{path.name} is not the text of a recording: expected columns of numbers, the first of them the "
            "time, separated by tabs (titles such as 'Time, s<TAB>Vm, mV') or by commas (titles such as "
            "'Time_ms,Voltage,labels')."
        )
    return (
        f"{path.name} is named as a file for the reader {names}, but its content is not one: it may be "
        "truncated, damaged, or of another kind (`reader='NAME'` reads it as such)."
    )
