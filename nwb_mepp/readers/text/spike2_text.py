"""Text exported from Spike2: channels one after the other, each in contiguous sections."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.signatures import starts_with
from nwb_mepp.readers.text.encodings import read_head
from nwb_mepp.readers.text.numerals import decimal_mark, number_in
from nwb_mepp.readers.text.traces import TEXT_READER_VERSION, simple_rate, unfinished_line_notes
from nwb_mepp.readers.unitless_channels import drop_unitless_channels

__all__ = ["SPIKE2_TEXT", "read_spike2_text"]

_WAVES = frozenset({"waveform", "real wave", "realwave", "adc"})
# Kind, comment, title and unit stand between the line of a channel and its first section.
_N_LINES = 4


@dataclass
class _Channel:
    """A channel of samples; each section has its line, start, interval and samples."""

    title: str
    unit: str
    rate_hz: float | None
    sections: list[tuple[int, float, float, list[float]]] = field(default_factory=list)


def read_spike2_text(path: Path, options: ReadOptions) -> FileContents:
    """Read the text export of Spike2 that begins with ``"INFORMATION"``.

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
    try:
        channels, left_out = _channels(lines, path)
    except (csv.Error, ValueError) as error:
        raise ReadError(
            f"{path.name}: expected cells and numbers that can mean one thing, found {error}; export the "
            "recording again with decimal points."
        ) from error
    starts = [[start for _, start, _, _ in channel.sections] for channel in channels]
    if not channels or any(own != starts[0] for own in starts):
        what = "channels with gaps at different times" if channels else "no waveform"
        raise ReadError(
            f"{path.name}: expected waveforms that begin and end together, found {what}; export one "
            "channel a file."
        )
    names = unique_names([channel.title for channel in channels])
    notes = [f"Left out: {', '.join(left_out)}, which are no waveforms."] if left_out else []
    contents = FileContents(
        reader_version=TEXT_READER_VERSION,
        format="text of Spike2",
        traces=tuple(
            RawTrace(
                channel=name,
                sweep=sweep,
                source=ArraySource(np.array(samples)),
                unit_label=channel.unit,
                sampling_rate_hz=channel.rate_hz or simple_rate(1.0 / interval_s),
                start_s=start_s,
            )
            for name, channel in zip(names, channels, strict=True)
            for sweep, (_, start_s, interval_s, samples) in enumerate(channel.sections)
        ),
        files=(path,),
        notes=(*unfinished_line_notes(path), *notes),
    )
    return drop_unitless_channels(contents, options)


def _channels(lines: Sequence[str], path: Path) -> tuple[list[_Channel], list[str]]:
    """Return the waveforms, and the titles of other channels."""
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter="\t")]
    begins = [number for number, row in enumerate(rows) if row and row[0] == "CHANNEL"]
    mark = decimal_mark(row[0] for row in rows[begins[0] if begins else 0 :] if len(row) == 1)
    channels, left_out = [], []
    for begin, end in zip(begins, [*begins[1:], len(rows)], strict=True):
        above = [number for number in range(begin + 1, end) if rows[number]][:_N_LINES]
        if len(above) < _N_LINES or rows[above[0]][0].lower() not in _WAVES:
            left_out.append(rows[above[2]][0] if len(above) > 2 else " ".join(rows[begin]))
            continue
        unit = [*rows[above[3]], ""]
        channel = _Channel(rows[above[2]][0], unit[0], number_in(unit[1], mark=mark))
        for number in range(above[3] + 1, end):
            if rows[number]:
                _add_row(channel, rows[number], mark, path, line=number + 1)
        _check_rate(channel, path)
        channels.append(channel)
    return channels, left_out


def _add_row(channel: _Channel, row: Sequence[str], mark: str, path: Path, *, line: int) -> None:
    numbers = [number_in(cell, mark=mark) for cell in row[(row[0] == "START") :]]
    kept = [number for number in numbers if number is not None]
    if row[0] == "START" and len(row) == len(kept) + 1 == 3 and kept[1] > 0:
        channel.sections.append((line, kept[0], kept[1], []))
    elif channel.sections and len(row) == len(kept) == 1:
        channel.sections[-1][3].append(kept[0])
    else:
        raise ReadError(
            f"{path.name}, line {line}: expected a sample, or START with a time and an interval, found "
            f"{' '.join(row)[:60]!r}; correct the line."
        )


def _check_rate(channel: _Channel, path: Path) -> None:
    """Refuse a rate beside the unit that the intervals, which are rounded, contradict."""
    for line, _, interval_s, _ in channel.sections:
        if channel.rate_hz and abs(interval_s * channel.rate_hz - 1) > 0.05:
            raise ReadError(
                f"{path.name}, line {line}: expected an interval of {1 / channel.rate_hz:g} s, as the rate "
                f"of channel {channel.title!r} says, found {interval_s:g} s; export the recording again."
            )


SPIKE2_TEXT = ReaderEntry(
    name="spike2-text",
    description="text exported from Spike2",
    suffixes=(".txt",),
    read=read_spike2_text,
    claims=starts_with(b'"INFORMATION"', b'\xef\xbb\xbf"INFORMATION"'),
    is_signature=True,
)
