"""NWB files among the recordings of a folder: those of other programs, not what was made of lab files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nwb_mepp._utils.file_attributes import special_kind
from nwb_mepp._utils.process_pool import run_jobs
from nwb_mepp.nwb import read_fingerprint
from nwb_mepp.workflows.limits import LimitOptions

__all__ = ["nwb_inputs"]


def nwb_inputs(folder: Path, *, outputs: Path) -> list[Path]:
    """Return the NWB files below a folder that this package did not write, sorted.

    Parameters
    ----------
    folder : Path
    outputs : Path
        Folder of the outputs, which is left out.
    """
    own = outputs.resolve()
    candidates = [
        path
        for path in sorted(folder.rglob("*.nwb"))
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and special_kind(path) is None
        and path.is_file()
        and not path.resolve().is_relative_to(own)
    ]
    return list(_written_by_others(candidates))


def _written_by_others(paths: list[Path]) -> Iterator[Path]:
    """Yield files without a fingerprint; a damaged one, which can hang HDF5, fails when it is worked on."""
    if not paths:
        return
    answers = dict(
        run_jobs(paths, work=_looked_at, on_crash=_unknown, n_processes=1, limits=LimitOptions().of)
    )
    yield from (path for path in paths if not answers[path])


def _looked_at(path: Path) -> tuple[Path, bool]:
    try:
        return path, read_fingerprint(path) is not None
    except Exception:  # HDF5 raises anything
        return path, False


def _unknown(path: Path, _why: str) -> tuple[Path, bool]:
    return path, False
