"""When a recording began, for formats that state it in a place where Neo does not look."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from nwb_mepp.readers.text.encodings import read_head

__all__ = ["axona_start", "brainvision_start", "edf_start", "settings_start"]

_EDF_PLUS = re.compile(r"Startdate (\d{1,2}-[A-Z]{3}-\d{4})")
_NEW_SEGMENT = re.compile(r"^Mk\d+=New Segment,[^,]*,\d+,\d+,\d+,(\d{14})(\d{0,6})", re.MULTILINE)
_SETTINGS_DATE = re.compile(r"<DATE>\s*(.*?)\s*</DATE>")


def edf_start(path: Path) -> datetime | None:
    """Return the start in the header of an EDF file.

    Parameters
    ----------
    path : Path
    """
    with path.open("rb") as stream:
        header = stream.read(184).decode("latin-1")
    found = re.fullmatch(r"(\d\d).(\d\d).(\d\d)(\d\d).(\d\d).(\d\d)", header[168:184])
    if found is None:
        return None
    day, month, year, *time = map(int, found.groups())
    # By definition of the format, two digits stand for the years 1985 to 2084.
    year += 2000 if year < 85 else 1900
    if long := _EDF_PLUS.search(header[88:168]):
        year = int(long[1][-4:])
    return _moment(year, month, day, *time)


def axona_start(path: Path) -> datetime | None:
    """Return the start in the .set file of an Axona recording.

    Parameters
    ----------
    path : Path
    """
    text = path.read_bytes()[:4096].decode("latin-1")
    date = re.search(r"^trial_date\s+(?:\w+,\s*)?(\d{1,2} \w+ \d{4})", text, re.MULTILINE)
    time = re.search(r"^trial_time\s+(\d{1,2}:\d\d:\d\d)", text, re.MULTILINE)
    if date is None or time is None:
        return None
    return _parsed(f"{date[1]} {time[1]}", "%d %b %Y %H:%M:%S", "%d %B %Y %H:%M:%S")


def brainvision_start(path: Path) -> datetime | None:
    """Return the time of the first segment in the file of markers to which a BrainVision header refers.

    Parameters
    ----------
    path : Path
        The header.
    """
    _, header = read_head(path)
    named = re.search(r"^MarkerFile\s*=\s*(.*?)\s*$", header, re.MULTILINE)
    for file in ([path.with_name(named[1])] if named else []) + [path.with_suffix(".vmrk")]:
        if file.is_file():
            found = _NEW_SEGMENT.search(read_head(file)[1])
            return _parsed(f"{found[1]}{found[2].ljust(6, '0')}", "%Y%m%d%H%M%S%f") if found else None
    return None


def settings_start(path: Path) -> datetime | None:
    """Return the time in a settings.xml of Open Ephys.

    Parameters
    ----------
    path : Path
    """
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        found = _SETTINGS_DATE.search(stream.read(20_000).decode("utf-8", errors="replace"))
    return _parsed(found[1], "%d %b %Y %H:%M:%S") if found else None


def _moment(*parts: int) -> datetime | None:
    try:
        return datetime(*parts)  # type: ignore[arg-type]  # year to second
    except ValueError:
        return None


def _parsed(text: str, *layouts: str) -> datetime | None:
    for layout in layouts:
        try:
            return datetime.strptime(text, layout)
        except ValueError:
            continue
    return None
