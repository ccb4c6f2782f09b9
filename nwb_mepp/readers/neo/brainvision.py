"""What a BrainVision header says that Neo does not return."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.neo.start_times import brainvision_start
from nwb_mepp.readers.text.encodings import read_head

_DATA = (".avg", ".dat", ".eeg", ".seg")

__all__ = ["check", "refine"]


def check(path: Path) -> None:
    """Check that the file with the samples lies beside the header.

    Parameters
    ----------
    path : Path
        The header.

    Raises
    ------
    ReadError
        If it does not.
    """
    _, header = read_head(path)
    named = re.search(r"^DataFile\s*=\s*(.*?)\s*$", header, re.MULTILINE)
    name = named[1].replace("$b", path.stem) if named else ""
    if not named or path.with_name(name).is_file():
        return
    beside = [one.name for one in path.parent.iterdir() if one.stem == path.stem and one.suffix in _DATA]
    found = (
        f"found only {', '.join(beside)}; correct DataFile in the header" if beside else "found none; copy it"
    )
    raise ReadError(
        f"{path.name}: expected the samples in {name} beside the header, which names it, {found}."
    )


def refine(contents: FileContents, path: Path) -> FileContents:
    """Complete the units, and take the start from the file of markers.

    Parameters
    ----------
    contents : FileContents
    path : Path
        The header.

    Returns
    -------
    FileContents
    """
    # By definition of the format, a channel without a unit is in microvolts; Neo returns "u" for it.
    traces = [replace(t, unit_label="uV") if t.unit_label == "u" else t for t in contents.traces]
    return replace(contents, traces=tuple(traces), session_start=brainvision_start(path))
