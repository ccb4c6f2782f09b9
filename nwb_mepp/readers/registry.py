"""Which readers there are, and which of them a file is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from nwb_mepp.errors import MissingDependencyError, ReadError, UsageError
from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.options import ReadOptions

__all__ = [
    "ENTRY_POINT_GROUP",
    "ReaderEntry",
    "choose_reader",
    "extra_of",
    "reader_named",
    "reader_table",
    "readers_of_folder",
]

ENTRY_POINT_GROUP = "nwb_mepp.readers"

# What the extra ``formats`` of this package installs.
_EXTRA_FORMATS = frozenset({"igor2", "nixio", "pyabf", "pyedflib"})

_REFUSED_SUFFIXES = {
    ".nwb": "is an NWB file already; nwb-mepp detect finds the MEPPs in it, nothing needs to be converted",
    ".pkl": "is a pickle, and opening a pickle can run any program hidden in it; save the recording in "
    "another format",
}
_REFUSED_SUFFIXES[".pickle"] = _REFUSED_SUFFIXES[".pkl"]


@dataclass(frozen=True, kw_only=True)
class ReaderEntry:
    """One registered reader.

    A package adds its own by an entry point in the group ``nwb_mepp.readers`` that names a
    ``ReaderEntry``.

    Attributes
    ----------
    name : str
        As users write it after ``--reader``.
    description : str
    suffixes : tuple of str
        Lower case, with the dot: files that the reader may be chosen for.
    read : callable
        ``read(path, options) -> FileContents``.
    claims : callable, optional
        ``claims(path) -> bool``: whether the content of a file with such a suffix is for this reader.
        Without it the suffix decides. Of a reader of folders: whether a folder is for it; without it
        such a reader has to be named.
    is_signature : bool
        What ``claims`` looks for stands in no other format, so the reader is for such a file whatever its
        suffix.
    resembles_recording : callable, optional
        A stricter and still cheap test for files met while walking a folder, where tables and notes
        lie beside recordings.
    explicit : bool
        Chosen by ``--reader`` only, because nothing in such a file tells what it is.
    reads_folder : bool
        The recording is a folder, not a file.
    lazy : bool
        Samples stay in the file until they are needed.
    requires : tuple of str
        Optional packages that the reader needs.
    """

    name: str
    description: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, ReadOptions], FileContents]
    claims: Callable[[Path], bool] | None = None
    is_signature: bool = False
    resembles_recording: Callable[[Path], bool] | None = None
    explicit: bool = False
    reads_folder: bool = False
    lazy: bool = False
    requires: tuple[str, ...] = ()

    def check_dependencies(self) -> None:
        """Raise unless the optional packages of the reader are installed.

        Raises
        ------
        MissingDependencyError
        """
        for package in self.requires:
            if find_spec(package) is None:
                extra = extra_of(package)
                how = (
                    f"pip install 'nwb-mepp[{extra}]'"
                    if extra
                    else f"install {package} (it may not exist for every platform)"
                )
                raise MissingDependencyError(
                    f"The reader {self.name!r} needs the package {package}, which is not installed: {how}."
                )


def extra_of(package: str) -> str:
    """Return the extra of this package that installs an optional one, empty if none does.

    Parameters
    ----------
    package : str

    Examples
    --------
    >>> extra_of("igor2"), extra_of("sonpy")
    ('formats', '')
    """
    return "formats" if package in _EXTRA_FORMATS else ""


@cache
def reader_table() -> tuple[ReaderEntry, ...]:
    """Return all readers, sorted by name.

    Raises
    ------
    UsageError
        If an installed plug-in is not a reader or takes the name of another.
    """
    # Here, not above: these import the registry, and Neo (0.4 s) is loaded for those who read only.
    from nwb_mepp.readers.atf import ATF
    from nwb_mepp.readers.labchart import LABCHART
    from nwb_mepp.readers.labelled_text import LABELLED_TEXT
    from nwb_mepp.readers.neo_catalogue import neo_entries

    table = {entry.name: entry for entry in (ATF, LABCHART, LABELLED_TEXT, *neo_entries())}
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
        raise UsageError(f"--reader: expected one of {', '.join(table)}; found {name!r}.")
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
        return f"{path.name}: the folder fits more than one reader; choose one with --reader ({names})."
    folders = ", ".join(entry.name for entry in reader_table() if entry.reads_folder)
    return (
        f"{path.name} is a folder; expected a file, or --reader NAME for a format that is a folder "
        f"({folders})."
    )


def _why_none(path: Path, candidates: list[ReaderEntry], chosen: list[ReaderEntry]) -> str:
    names = ", ".join(entry.name for entry in chosen or candidates)
    suffix = path.suffix or "without a suffix"
    if len(chosen) > 1:
        return (
            f"{path.name}: more than one reader fits what the file is called and what it holds; choose one "
            f"with --reader ({names})."
        )
    if not candidates:
        return (
            f"{path.name}: no reader is known for files {suffix}; nwb-mepp formats lists what can be read, "
            "--reader NAME chooses one."
        )
    if all(entry.reads_folder for entry in candidates):
        return f"{path.name} is part of a recording that is a folder; give the folder and --reader {names}."
    if any(entry.explicit for entry in candidates):
        return f"{path.name}: its suffix does not tell what it is; choose a reader with --reader ({names})."
    if {entry.name for entry in candidates} <= {"labchart", "labelled-text"}:
        return (
            f"{path.name} is not the text of a recording: expected columns of numbers, the first of them the "
            "time, separated by tabs (titles such as 'Time, s<TAB>Vm, mV') or by commas (titles such as "
            "'Time_ms,Voltage,labels')."
        )
    return (
        f"{path.name} is named as a file for the reader {names}, but its content is not one: it may be "
        "truncated, damaged, or of another kind (--reader NAME reads it as such)."
    )
