"""Neuralynx: which files form a session, gaps, when it was opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import FileContents

__all__ = ["arguments", "check", "claims", "recording_of", "refine", "sessions"]

_MAGIC = b"######## Neuralynx Data File Header"
_SUFFIXES = (".ncs", ".nse", ".ntt", ".nev")
# Cheetah numbers the files if it is started again for the same folder (CSC1.ncs, CSC1_0001.ncs).
_NUMBERED = re.compile(r"_\d{4}$")


def sessions(folder: Path) -> Mapping[str, list[Path]]:
    """Return the files of a folder by the session that they belong to: "" for the first, then "_0001".

    Parameters
    ----------
    folder : Path
    """
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in _SUFFIXES and file.is_file():
            found.setdefault(_session_of(file), []).append(file)
    return {
        name: files for name, files in found.items() if any(file.suffix.lower() == ".ncs" for file in files)
    }


def _session_of(file: Path) -> str:
    found = _NUMBERED.search(file.stem)
    return found[0] if found else ""


def _is_neuralynx(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(len(_MAGIC)) == _MAGIC


def claims(path: Path) -> bool:
    """Return whether a folder holds one session, or a file belongs to one of several.

    Parameters
    ----------
    path : Path
    """
    if not path.is_dir():
        return path.suffix.lower() in _SUFFIXES and _is_neuralynx(path)
    found = sessions(path)
    return len(found) == 1 and any(
        _is_neuralynx(file) for file in next(iter(found.values())) if file.suffix.lower() == ".ncs"
    )


def recording_of(path: Path) -> Path | None:
    """Return the folder of the only session in it, or else the first file of the session of a file.

    Parameters
    ----------
    path : Path
        A file or a folder.
    """
    folder = path if path.is_dir() else path.parent
    if claims(folder):
        return folder
    files = [] if path.is_dir() else sessions(folder).get(_session_of(path), [])
    return files[0] if files and _is_neuralynx(files[0]) else None


def check(path: Path) -> None:
    """Check that a folder holds one session.

    Parameters
    ----------
    path : Path
        A folder, or a file, which stands for its session.

    Raises
    ------
    ReadError
        If there are several, of which Neo would show the last under the names of all.
    """
    found = sessions(path) if path.is_dir() else {}
    if len(found) > 1:
        first = ", ".join(files[0].name for files in found.values())
        raise ReadError(
            f"{path.name}: expected the files of one session, found those of {len(found)} ({first}, ...); "
            "pass one of these files, or the folder to 'nwb-mepp run' for one recording each."
        )


def arguments(path: Path) -> Mapping[str, Any]:
    """Return what Neo is told: the files of the session, and to part sweeps at gaps longer than a sample.

    Parameters
    ----------
    path : Path
        A folder, or a file, which stands for its session.
    """
    folder = path if path.is_dir() else path.parent
    files = next(iter(sessions(path).values())) if path.is_dir() else sessions(folder)[_session_of(path)]
    return {
        "dirname": str(folder),
        "include_filenames": [file.name for file in files],
        "gap_tolerance_ms": _tolerance_ms(files),
    }


def _tolerance_ms(files: list[Path]) -> float:
    """Return the duration of a sample: times are rounded to microseconds, and clocks are not exact."""
    rates = []
    for file in files:
        if file.suffix.lower() == ".ncs":
            with file.open("rb") as stream:
                found = re.search(rb"-SamplingFrequency[ \\t:]+([\d.]+)", stream.read(16_384))
            if found and float(found[1]) > 0:
                rates.append(float(found[1]))
    return 1000.0 / min(rates) if rates else 0.0


def refine(contents: FileContents, reader: Any) -> FileContents:
    """Say where the recording was parted, and take the time at which its files were opened.

    Parameters
    ----------
    contents : FileContents
    reader : neo.io.NeuralynxIO

    Returns
    -------
    FileContents
    """
    starts = [header.get("recording_opened") for header in reader.file_headers.values()]
    opened = [start for start in starts if isinstance(start, datetime)]
    n_sweeps = len({trace.sweep for trace in contents.traces})
    notes = (
        [f"The recording has gaps of more than a sample, at which it was split: it has {n_sweeps} sweeps."]
        if n_sweeps > 1
        else []
    )
    return replace(
        contents,
        files=tuple(sorted(Path(name).resolve() for name in reader.file_headers)),
        session_start=min(opened, default=None),
        notes=(*contents.notes, *notes),
    )
