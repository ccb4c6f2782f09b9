"""Igor text (.itx): waves as columns of numbers between commands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.core.units import parse_time_unit
from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.signatures import starts_with
from nwb_mepp.readers.text.encodings import read_head
from nwb_mepp.readers.text.numerals import is_missing, number_in
from nwb_mepp.readers.text.traces import TEXT_READER_VERSION, simple_rate, unfinished_line_notes
from nwb_mepp.readers.unitless_channels import drop_unitless_channels

__all__ = ["IGOR_TEXT", "read_igor_text"]

FloatArray = npt.NDArray[np.float64]

_WAVES = re.compile(r"WAVES\s*((?:/\w+(?:=\([^)]*\))?)*)\s*[,\s]\s*(.*)", re.IGNORECASE)
_NAME = re.compile(r"'([^']*)'|([^\s,']+)")
_SCALE = re.compile(
    r"SetScale\s*(?:/(?P<way>[PI]))?\s*(?P<axis>[xyzdt])\s*,?\s*(?P<first>[^,\s]+)\s*,\s*(?P<second>[^,\s]+)"
    r'(?:\s*,\s*"(?P<unit>[^"]*)")?\s*,?\s*(?P<names>.*)',
    re.IGNORECASE,
)
# NeuroMatic's names: the channel is a letter, the sweep a number.
_NEUROMATIC = re.compile(r"(Record[A-Z])(\d+)")


@dataclass
class _Wave:
    """One wave: its samples, one column for each sweep, and what the commands say of it."""

    name: str
    samples: FloatArray
    first: float = 0.0
    step: float | None = None
    time_unit: str = ""
    unit: str = ""

    def scale(self, command: re.Match[str]) -> None:
        """Heed a command SetScale.

        Raises
        ------
        ValueError
            If its numbers are none.
        """
        axis, way, unit = command["axis"].lower(), (command["way"] or "").upper(), command["unit"] or ""
        if axis == "x":
            first, second, n_rows = float(command["first"]), float(command["second"]), len(self.samples)
            intervals = {"P": 1, "I": max(n_rows - 1, 1)}.get(way, n_rows)
            self.first, self.step = first, (second if way == "P" else (second - first) / intervals)
            self.time_unit = unit
        elif axis == "d" or (axis == "y" and not way and self.samples.shape[1] == 1):
            self.unit = unit


def read_igor_text(path: Path, options: ReadOptions) -> FileContents:
    """Read the waves of an Igor text file.

    ``SetScale x`` gives the sampling interval, ``SetScale d`` or ``y`` the unit. The columns of a matrix are
    sweeps, and so are the waves ``RecordA0``, ``RecordA1``, ... of NeuroMatic.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Returns
    -------
    FileContents

    Raises
    ------
    ReadError
        If a line cannot be read; the message gives its number.
    """
    encoding, _ = read_head(path)
    lines = path.read_text(encoding=encoding, errors="replace").splitlines()
    notes = list(unfinished_line_notes(path))
    waves: dict[str, _Wave] = {}
    number = 0
    while number < len(lines):
        line = lines[number].strip()
        number += 1
        if heading := _WAVES.fullmatch(line):
            names = [quoted or plain for quoted, plain in _NAME.findall(heading[2])]
            first, number = _block_lines(lines, number, path)
            if {"T", "C"} & {flag.upper() for flag in re.findall(r"/(\w+)", heading[1])}:
                notes.append(f"Left out: the waves {', '.join(names)}, which are text or complex numbers.")
                continue
            rows = lines[first : number - 1]
            waves |= {wave.name: wave for wave in _waves(names, heading[1], rows, path, first_line=first + 1)}
        elif line.upper().startswith("X "):
            _heed(line[2:], waves, path, line=number)
    if not waves:
        raise ReadError(
            f"{path.name}: expected Igor text with waves of numbers, found none; export it again."
        )
    contents = FileContents(
        reader_version=TEXT_READER_VERSION,
        format="Igor text",
        traces=tuple(_traces(list(waves.values()))),
        files=(path,),
        notes=tuple(notes),
    )
    return drop_unitless_channels(contents, options)


def _block_lines(lines: Sequence[str], number: int, path: Path) -> tuple[int, int]:
    """Return the numbers of the line after BEGIN and of the line after END."""
    upper = (line.strip().upper() for line in lines[number:])
    begin = next((at for at, line in enumerate(upper, start=number) if line == "BEGIN"), None)
    upper = (line.strip().upper() for line in lines[begin or 0 :])
    end = next((at for at, line in enumerate(upper, start=begin or 0) if line == "END"), None)
    if begin is None or end is None:
        raise ReadError(
            f"{path.name}, line {number}: expected the numbers of the waves between BEGIN and END, found no "
            f"{'BEGIN' if begin is None else 'END'}; the file may be truncated, export it again."
        )
    return begin + 1, end + 1


def _waves(
    names: Sequence[str], flags: str, rows: Sequence[str], path: Path, *, first_line: int
) -> Iterator[_Wave]:
    dimensions = re.search(r"/N=\(([^)]*)\)", flags, re.IGNORECASE)
    sizes = [int(size) for size in dimensions[1].split(",")] if dimensions else []
    n_columns = sizes[1] if len(sizes) > 1 else len(names)
    if len(sizes) > 2 or (len(sizes) > 1 and len(names) > 1):
        raise ReadError(
            f"{path.name}, line {first_line}: expected waves of one or two dimensions, found {flags}; export "
            "them one by one."
        )
    table = _table(rows, n_columns, path, first_line=first_line)
    if len(sizes) > 1:
        yield _Wave(names[0], table)
        return
    for column, name in enumerate(names):
        yield _Wave(name, table[:, column : column + 1])


def _table(rows: Sequence[str], n_columns: int, path: Path, *, first_line: int) -> FloatArray:
    kept = [(number, row) for number, row in enumerate(rows, start=first_line) if row.strip()]
    try:
        table = np.loadtxt([row for _, row in kept], comments=None, ndmin=2, dtype=np.float64)
        if table.shape == (len(kept), n_columns) and not np.isinf(table).any():
            return table
    except ValueError:
        pass
    for number, row in kept:
        cells = row.split()
        is_bad = any(number_in(one, mark=".") is None and not is_missing(one) for one in cells)
        if len(cells) != n_columns or is_bad:
            raise ReadError(
                f"{path.name}, line {number}: expected {n_columns} finite numbers with decimal points, found "
                f"{row.strip()[:60]!r}; correct the line."
            )
    values = [[np.nan if is_missing(one) else float(one) for one in row.split()] for _, row in kept]
    return np.array(values, dtype=np.float64).reshape(len(kept), n_columns)


def _heed(commands: str, waves: dict[str, _Wave], path: Path, *, line: int) -> None:
    """Heed the commands of a line that scale waves; others do not change what is read."""
    for command in commands.split(";"):
        found = _SCALE.fullmatch(command.strip())
        if found is None:
            continue
        for quoted, plain in _NAME.findall(found["names"]):
            wave = waves.get(quoted or plain)
            try:
                if wave is not None:
                    wave.scale(found)
            except ValueError as error:
                raise ReadError(
                    f"{path.name}, line {line}: expected numbers in the command SetScale, found "
                    f"{command.strip()[:80]!r}; correct the line."
                ) from error


def _traces(waves: Sequence[_Wave]) -> Iterator[RawTrace]:
    parts = [_NEUROMATIC.fullmatch(wave.name) for wave in waves]
    channels = [part[1] if part else wave.name for part, wave in zip(parts, waves, strict=True)]
    numbers = sorted({int(part[2]) for part in parts if part})
    unique = dict(zip(dict.fromkeys(channels), unique_names(list(dict.fromkeys(channels))), strict=True))
    for wave, part, channel in zip(waves, parts, channels, strict=True):
        per_second = parse_time_unit(wave.time_unit)
        known = wave.step is not None and wave.step > 0 and per_second is not None
        for column in range(wave.samples.shape[1]):
            yield RawTrace(
                channel=unique[channel],
                sweep=numbers.index(int(part[2])) if part else column,
                source=ArraySource(np.ascontiguousarray(wave.samples[:, column])),
                unit_label=wave.unit,
                sampling_rate_hz=simple_rate((per_second or 1.0) / (wave.step or 1.0)) if known else None,
                start_s=wave.first / per_second if known and per_second else 0.0,
            )


IGOR_TEXT = ReaderEntry(
    name="igor-text",
    description="Igor text",
    suffixes=(".itx",),
    read=read_igor_text,
    claims=starts_with(b"IGOR\r", b"IGOR\n"),
    is_signature=True,
)
