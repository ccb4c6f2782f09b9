"""Calibration, sampling rate and start of a BCI2000 file, whose numbers Neo cuts at the decimal point."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.units import parse_unit
from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.neo.replaced_functions import with_functions

__all__ = ["neo_class", "parameter", "quantity", "refine"]

_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*)$")
_RATE_UNITS = {"": 1.0, "hz": 1.0, "khz": 1e3}
_TIMES = ("%a %b %d %H:%M:%S %Y", "%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, kw_only=True)
class _Calibration:
    """Gain with unit, and offset in stored numbers, of each channel; the rate."""

    gains: list[tuple[float, str]]
    offsets: list[float]
    rate_hz: float


def neo_class(of_neo: Any) -> Any:
    """Return the class that reads the numbers of a header whole.

    Parameters
    ----------
    of_neo : type
        ``neo.io.BCI2000IO``.
    """
    from neo.rawio import bci2000rawio

    def parse(filename: str) -> Any:
        info, states, parameters = bci2000rawio.parse_bci2000_header(filename)
        found = _calibration(Path(filename), n_channels=info["SourceCh"])
        parameters["SourceChGain"]["value"] = [gain for gain, _ in found.gains]
        parameters["SourceChOffset"]["value"] = found.offsets
        parameters["SamplingRate"]["value"] = found.rate_hz
        return info, states, parameters

    return with_functions(of_neo, parse_bci2000_header=parse)


def refine(contents: FileContents, path: Path) -> FileContents:
    """Apply the calibration as the format defines it, value = (stored - offset) * gain, and take the start.

    Parameters
    ----------
    contents : FileContents
    path : Path

    Returns
    -------
    FileContents
    """
    found = _calibration(path, n_channels=len(contents.channels))
    traces = []
    for trace, (gain, unit), offset in zip(contents.traces, found.gains, found.offsets, strict=True):
        spelled = unit.replace("mu", "u")
        label = spelled if parse_unit(spelled) is not None else "uV"  # in which gains are by default
        traces.append(replace(trace, unit_label=label, gain=gain, offset=-offset * gain))
    start = _moment(" ".join(parameter(_header(path), "StorageTime")[:1]))
    return replace(contents, traces=tuple(traces), session_start=start)


def _calibration(path: Path, *, n_channels: int) -> _Calibration:
    header = _header(path)
    found: dict[str, list[tuple[float, str]]] = {}
    for name, n_values in (("SourceChGain", n_channels), ("SourceChOffset", n_channels), ("SamplingRate", 1)):
        values = [quantity(text, of=name, path=path) for text in parameter(header, name)]
        if len(values) < n_values:
            raise ReadError(
                f"{path.name}: expected {n_values} values of {name} in the header, found {len(values)}; the "
                "file is damaged: copy it again from where it was recorded."
            )
        found[name] = values[:n_values]
    ((rate, unit),) = found["SamplingRate"]
    return _Calibration(
        gains=found["SourceChGain"],
        offsets=[offset for offset, _ in found["SourceChOffset"]],
        rate_hz=rate * _RATE_UNITS.get(unit.lower(), 1.0),
    )


def _header(path: Path) -> str:
    with path.open("rb") as stream:
        first = stream.readline()
        found = re.search(rb"HeaderLen=\s*(\d+)", first)
        rest = stream.read(int(found[1]) - len(first)) if found else b""
    return (first + rest).decode("utf-8", errors="replace")


def parameter(header: str, name: str) -> Sequence[str]:
    """Return the values of a parameter as text; none if there is no such parameter.

    Parameters
    ----------
    header : str
    name : str

    Examples
    --------
    >>> parameter("Source floatlist SourceChGain= 2 0.01617muV 1.5 1 // gain", "SourceChGain")
    ['0.01617muV', '1.5']
    >>> parameter("Source int SamplingRate= 160 128 1 4000 // rate", "SamplingRate")
    ['160']
    """
    found = re.search(rf"^\S+\s+(\w+)\s+{name}=[ \t]*(.*)$", header, re.MULTILINE)
    if found is None:
        return []
    kind, values = found[1], found[2].partition("//")[0].split()
    if not kind.endswith("list"):
        return [unquote(values[0])] if values else []
    if values and values[0] == "{" and "}" in values:  # the entries are labeled
        n_labels = values.index("}") - 1
        return values[n_labels + 2 : 2 * n_labels + 2]
    n_values = int(values[0]) if values and values[0].isdecimal() else 0
    return values[1 : n_values + 1]


def quantity(text: str, *, of: str, path: Path) -> tuple[float, str]:
    """Return the number and the unit of a value.

    Parameters
    ----------
    text : str
    of : str
        Name of the parameter, for error messages.
    path : Path

    Raises
    ------
    ReadError
        If it does not begin with a number.

    Examples
    --------
    >>> quantity("0.01617muV", of="SourceChGain", path=Path("eeg.dat"))
    (0.01617, 'muV')
    """
    found = _NUMBER.match(text)
    if found is None:
        raise ReadError(
            f"{path.name}: expected a number for {of} in the header, found {text!r}; the file is damaged or "
            "was written by a faulty program."
        )
    return float(found[1]), found[2].strip()


def _moment(text: str) -> datetime | None:
    for layout in _TIMES:
        try:
            return datetime.strptime(" ".join(text.split()), layout)
        except ValueError:
            continue
    return None
