"""SpikeGLX: which files form a run, digital lines, when the run began."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.neo.gaps import from_first_sample
from nwb_mepp.readers.neo.replaced_functions import with_functions

__all__ = ["check", "claims", "neo_class", "recording_of", "refine", "runs"]

_NAME = re.compile(r"(?P<run>.+_g\d+)_t(?:\d+|cat)\.(?:imec\d*\.(?:ap|lf)|nidq|obx\d*\.obx)\.meta$")
_PROBE_FOLDER = re.compile(r".+_g\d+_(?:imec|obx)\d+$")
_DIGITAL = ("SY", "XD")


def runs(folder: Path) -> Mapping[str, list[Path]]:
    """Return the .meta files of a folder, and of the folders of probes in it, by the run that they belong to.

    Files of one gate (``_g0``) are a run; triggers (``_t0``) are its sweeps. Files that are not named as
    SpikeGLX names them are a run of their own.

    Parameters
    ----------
    folder : Path
    """
    folders = [
        folder,
        *sorted(one for one in folder.iterdir() if one.is_dir() and _PROBE_FOLDER.match(one.name)),
    ]
    found: dict[str, list[Path]] = {}
    for file in (file for one in folders for file in sorted(one.glob("*.meta"))):
        if file.with_suffix(".bin").is_file() and _is_meta(file):
            found.setdefault(_run_of(file), []).append(file)
    return found


def _run_of(file: Path) -> str:
    named = _NAME.match(file.name)
    return named["run"] if named else file.stem


def _is_meta(file: Path) -> bool:
    with file.open("rb") as stream:
        head = stream.read(65_536)
    return b"nSavedChans=" in head and b"snsSaveChanSubset" in head


def claims(path: Path) -> bool:
    """Return whether a folder holds one run, or a .meta file is one of several.

    Parameters
    ----------
    path : Path
    """
    if path.is_dir():
        return len(runs(path)) == 1
    return (
        path.is_file()
        and path.suffix.lower() == ".meta"
        and path.with_suffix(".bin").is_file()
        and _is_meta(path)
    )


def recording_of(path: Path) -> Path | None:
    """Return the folder of the only run in it, or else the first .meta file of the run of a file.

    Parameters
    ----------
    path : Path
        A file or a folder.
    """
    folder = path if path.is_dir() else path.parent
    if _PROBE_FOLDER.match(folder.name) and folder.parent != folder:
        above = runs(folder.parent)
        if len(above) == 1 and any(file.parent == folder for file in next(iter(above.values()))):
            return folder.parent
    if claims(folder):
        return folder
    meta = path.with_suffix(".meta")
    return None if path.is_dir() or not claims(meta) else runs(folder)[_run_of(meta)][0]


def check(path: Path) -> None:
    """Check that a folder holds one run.

    Parameters
    ----------
    path : Path
        A folder, or a .meta file, which stands for its run.

    Raises
    ------
    ReadError
        If there are several, which Neo would merge.
    """
    found = runs(path) if path.is_dir() else {}
    if len(found) > 1:
        raise ReadError(
            f"{path.name}: expected one run, found {', '.join(found)}; pass a .meta file of the one that you "
            "mean, or the folder to 'nwb-mepp run' for one recording each."
        )


def neo_class(of_neo: Any) -> Any:
    """Return the class that reads one run, given its folder or one of its .meta files.

    Parameters
    ----------
    of_neo : type
        ``neo.io.SpikeGLXIO``.
    """
    from neo.rawio import spikeglxrawio

    def scan_files(dirname: Any) -> list[Any]:
        path = Path(dirname)
        own = {str(file) for file in _files_of(path)}
        every = spikeglxrawio.scan_files(path if path.is_dir() else path.parent)
        return [info for info in every if info["meta_file"] in own]

    return with_functions(of_neo, scan_files=scan_files)


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        return [file for files in runs(path).values() for file in files]
    return runs(path.parent)[_run_of(path)]


def refine(contents: FileContents, reader: Any, path: Path) -> FileContents:
    """Relate times to the first sample, leave out digital words, and take the start.

    Parameters
    ----------
    contents : FileContents
    reader : neo.io.SpikeGLXIO
    path : Path

    Returns
    -------
    FileContents

    Raises
    ------
    ReadError
        If there is nothing but digital lines.
    """
    infos = reader.signals_info_list
    # Neo gives the lines of the first sweep in every sweep, counted from the first sample of their stream.
    lines_start_s = min((one["t_start"] for one in infos if one["device_kind"] == "nidq"), default=0.0)
    events = tuple(one.shifted(lines_start_s) for one in contents.ancillary.events if one.sweep == 0)
    n_sweeps = len({trace.sweep for trace in contents.traces})
    notes = list(contents.notes)
    if n_sweeps > 1 and events:
        notes.append("Left out: the digital lines of all sweeps but the first.")
    digital = [name for name in contents.channels if name.startswith(_DIGITAL)]
    if digital:
        notes.append(f"Left out: the words of digital lines {', '.join(map(repr, digital))}.")
    traces = tuple(trace for trace in contents.traces if trace.channel not in digital)
    if not traces:
        raise ReadError(
            f"{path.name}: expected analog channels, found only digital lines; a run without analog channels "
            "cannot be read."
        )
    contents = replace(
        contents,
        traces=traces,
        ancillary=replace(contents.ancillary, events=events),
        files=tuple(sorted(Path(one[kind]).resolve() for one in infos for kind in ("bin_file", "meta_file"))),
        session_start=min(filter(None, (_created(one["meta"]) for one in infos)), default=None),
        notes=tuple(notes),
    )
    return from_first_sample(contents)


def _created(meta: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(meta.get("fileCreateTime", "")))
    except ValueError:
        return None
