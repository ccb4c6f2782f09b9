"""Recordings of several files: which file or folder to open, given any of them."""

from __future__ import annotations

import re
from pathlib import Path

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.registry import reader_table
from nwb_mepp.readers.text.encodings import read_head

__all__ = ["primary_path", "recording_of"]

_BRAINVISION_PARTS = frozenset({".avg", ".dat", ".eeg", ".seg", ".vmrk"})
_BLACKROCK_PARTS = (".nev", *(f".ns{rate}" for rate in range(1, 7)))
_ELAN_PARTS = frozenset({".ent", ".pos"})
_TDT_PARTS = frozenset({".sev", ".tbk", ".tdx", ".tev", ".tin", ".tnt"})
_INTAN_HEADERS = ("info.rhd", "info.rhs")


def primary_path(path: Path, *, reader: ReaderEntry | None = None) -> Path:
    """Return the file or folder with which to open a recording, given any of its files.

    Parameters
    ----------
    path : Path
        A file, a folder, or the name without suffix that the files of a recording have in common.
    reader : ReaderEntry, optional
        The reader that the user has chosen; a file with one of its suffixes is opened as it is.

    Returns
    -------
    Path
        ``path`` itself unless it is part of a larger recording.

    Raises
    ------
    ReadError
        If ``path`` belongs to more than one recording, or cannot be accessed.
    """
    try:
        return _resolve(path, reader)
    except OSError as error:
        raise ReadError(f"{path.name} cannot be read: {error.strerror or error}.") from error


def _resolve(path: Path, reader: ReaderEntry | None) -> Path:
    if reader is not None and path.exists():
        return _for_reader(path, reader)
    if path.is_dir():
        headers = sorted(
            file
            for file in path.iterdir()
            if file.name in _INTAN_HEADERS or (file.suffix.lower() == ".tsq" and file.is_file())
        )
        return _only_one(path, headers) if headers else path
    if not path.exists():
        return _from_common_name(path)
    recordings = _recordings_containing(path)
    return _only_one(path, recordings) if recordings else path


def _for_reader(path: Path, reader: ReaderEntry) -> Path:
    has_its_suffix = path.suffix.lower() in reader.suffixes
    if reader.reads_folder:
        whole = recording_of(reader, path) if has_its_suffix and path.is_file() else path
        return whole or (path if reader.reads_file_of_folder else path.parent)
    if path.is_dir() or has_its_suffix:
        return path
    recordings = [
        recording for recording in _recordings_containing(path) if recording.suffix.lower() in reader.suffixes
    ]
    return _only_one(path, recordings) if recordings else path


def _recordings_containing(path: Path) -> list[Path]:
    """Return the recordings that a file is part of."""
    suffix = path.suffix.lower()
    if suffix in _ELAN_PARTS:
        return [recording for recording in (path.with_suffix(""),) if recording.is_file()]
    if suffix in _TDT_PARTS:
        indices = _siblings(path, ".tsq")
        own = [index for index in indices if index.stem == path.stem]
        return own or (indices if suffix == ".sev" else [])
    recordings: list[Path] = []
    if suffix in _BRAINVISION_PARTS:
        recordings += [header for header in _siblings(path, ".vhdr") if _refers_to(header, path)]
    if suffix == ".dat":
        recordings += [path.with_name(name) for name in _INTAN_HEADERS if path.with_name(name).is_file()]
    if suffix in _BLACKROCK_PARTS:
        own = [file for file in _siblings(path, *_BLACKROCK_PARTS[1:]) if file.stem == path.stem]
        recordings += own[:1]  # Neo reads all of them, whichever it is given
    folders = [entry for entry in reader_table() if entry.reads_folder and suffix in entry.suffixes]
    for entry in folders:
        found = recording_of(entry, path)
        if found is not None and found not in recordings:
            recordings.append(found)
    return recordings


def recording_of(entry: ReaderEntry, path: Path) -> Path | None:
    """Return the folder or file with which to open the recording that a file or folder is part of.

    Parameters
    ----------
    entry : ReaderEntry
        A reader of folders.
    path : Path

    Returns
    -------
    Path or None
        None if it is part of no recording in the format of the reader.
    """
    if entry.recording_of is not None:
        return entry.recording_of(path)
    folder = path if path.is_dir() else path.parent
    claimed = entry.claims is not None and entry.claims(folder.absolute())
    return folder if claimed else None


def _siblings(path: Path, *suffixes: str) -> list[Path]:
    return sorted(file for file in path.parent.iterdir() if file.suffix.lower() in suffixes)


def _refers_to(header: Path, part: Path) -> bool:
    """Return whether a BrainVision header refers to a file as its data or its markers.

    A file with the same stem counts too, as recordings are often renamed without editing the header.
    """
    try:
        _, text = read_head(header)
    except (OSError, ReadError):
        return False
    named = re.findall(r"^(?:DataFile|MarkerFile)\s*=\s*(.*?)\s*$", text, re.MULTILINE)
    return part.stem == header.stem or part.name in named


def _from_common_name(path: Path) -> Path:
    """Return the recording whose files have this name in common, each with its own suffix."""
    if not path.name or not path.parent.is_dir():
        return path
    parts = [
        file for file in path.parent.iterdir() if file.is_file() and file.name.startswith(f"{path.name}.")
    ]
    found = {primary_path(part) for part in parts}
    # Notes and pictures may have the same name as the recording but are not part of it.
    known = {suffix for entry in reader_table() if not entry.reads_folder for suffix in entry.suffixes}
    recordings = sorted(
        recording for recording in found if recording.is_dir() or recording.suffix.lower() in known
    )
    return _only_one(path, recordings) if recordings else path


def _only_one(path: Path, recordings: list[Path]) -> Path:
    if len(recordings) == 1:
        return recordings[0]
    raise ReadError(
        f"{path.name}: expected a name that refers to one recording, found "
        f"{', '.join(recording.name for recording in recordings)}; pass one of these."
    )
