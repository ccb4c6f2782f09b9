"""The file or folder by which a recording is opened, whichever of its parts a user names."""

from __future__ import annotations

import re
from pathlib import Path

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.registry import reader_table
from nwb_mepp.readers.text.encodings import read_head

__all__ = ["primary_path"]

_BRAINVISION_PARTS = frozenset({".avg", ".dat", ".eeg", ".seg", ".vmrk"})
_ELAN_PARTS = frozenset({".ent", ".pos"})
_TDT_PARTS = frozenset({".sev", ".tbk", ".tdx", ".tev", ".tin", ".tnt"})
_INTAN_HEADERS = ("info.rhd", "info.rhs")


def primary_path(path: Path, *, reader: ReaderEntry | None = None) -> Path:
    """Return what to open for what a user names: a part of a recording, or the name that its parts share.

    Parameters
    ----------
    path : Path
        A file, a folder, or a name without suffix that only the parts of a recording have.
    reader : ReaderEntry, optional
        The reader that the user chose; a file that it may be for is then opened as it is.

    Returns
    -------
    Path
        ``path`` itself where it is no part of something else.

    Raises
    ------
    ReadError
        If ``path`` belongs to more than one recording, or the file system refuses to look.
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
        return _single(path, headers) if headers else path
    if not path.exists():
        return _from_common_name(path)
    wholes = _recordings_containing(path)
    return _single(path, wholes) if wholes else path


def _for_reader(path: Path, reader: ReaderEntry) -> Path:
    is_named = path.suffix.lower() in reader.suffixes
    if reader.reads_folder:
        return path.parent if is_named and path.is_file() else path
    if path.is_dir() or is_named:
        return path
    wholes = [whole for whole in _recordings_containing(path) if whole.suffix.lower() in reader.suffixes]
    return _single(path, wholes) if wholes else path


def _recordings_containing(path: Path) -> list[Path]:
    """Return the recordings that a file is a part of."""
    suffix = path.suffix.lower()
    if suffix in _ELAN_PARTS:
        return [whole for whole in (path.with_suffix(""),) if whole.is_file()]
    if suffix in _TDT_PARTS:
        indices = _siblings(path, ".tsq")
        own = [index for index in indices if index.stem == path.stem]
        return own or (indices if suffix == ".sev" else [])
    wholes: list[Path] = []
    if suffix in _BRAINVISION_PARTS:
        wholes += [header for header in _siblings(path, ".vhdr") if _names(header, path)]
    if suffix == ".dat":
        wholes += [path.with_name(name) for name in _INTAN_HEADERS if path.with_name(name).is_file()]
    folders = [entry for entry in reader_table() if entry.reads_folder and suffix in entry.suffixes]
    if any(entry.claims is not None and entry.claims(path.absolute().parent) for entry in folders):
        wholes.append(path.parent)
    return wholes


def _siblings(path: Path, suffix: str) -> list[Path]:
    return sorted(file for file in path.parent.iterdir() if file.suffix.lower() == suffix)


def _names(header: Path, part: Path) -> bool:
    """Return whether the header of a BrainVision recording names a file as its data or its markers.

    One that is called like it is meant too: recordings get renamed without a look into their headers.
    """
    try:
        _, text = read_head(header)
    except (OSError, ReadError):
        return False
    named = re.findall(r"^(?:DataFile|MarkerFile)\s*=\s*(.*?)\s*$", text, re.MULTILINE)
    return part.stem == header.stem or part.name in named


def _from_common_name(path: Path) -> Path:
    """Return the recording whose parts are called like this, with suffixes of their own."""
    if not path.name or not path.parent.is_dir():
        return path
    parts = [
        file for file in path.parent.iterdir() if file.is_file() and file.name.startswith(f"{path.name}.")
    ]
    wholes = {primary_path(part) for part in parts}
    # Notes and pictures may be called like the recording; they are no part of it.
    known = {suffix for entry in reader_table() if not entry.reads_folder for suffix in entry.suffixes}
    recordings = sorted(whole for whole in wholes if whole.is_dir() or whole.suffix.lower() in known)
    return _single(path, recordings) if recordings else path


def _single(path: Path, recordings: list[Path]) -> Path:
    if len(recordings) == 1:
        return recordings[0]
    raise ReadError(
        f"{path.name}: expected one recording behind it, found {', '.join(one.name for one in recordings)}; "
        "give one of these."
    )
