"""Formats for which Neo has no raw interface: everything is read at once, as floating-point numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, StatedTrace
from nwb_mepp.readers.neo_lazy import annotations_of, session_start_of
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.recording import ArraySource

__all__ = ["read_eagerly"]


def read_eagerly(reader: Any, path: Path, options: ReadOptions) -> FileContents:
    """Return what a reader without Neo's raw interface says.

    Signals of text, and signals without a unit beside others that have one, are left out with a note:
    an Igor experiment keeps fit coefficients and settings as waves like any other.

    Parameters
    ----------
    reader : neo.io.baseio.BaseIO
    path : Path
    options : ReadOptions
        A channel for which ``options.units`` names a unit is kept.

    Returns
    -------
    FileContents
        Without ``reader_version``, which the caller knows.
    """
    blocks = reader.read()
    segments = [segment for block in blocks for segment in block.segments]
    traces = [trace for sweep, segment in enumerate(segments) for trace in _traces_of(segment, sweep)]
    units = {trace.channel: trace.unit_label for trace in traces}
    labelled = {channel for channel, label in units.items() if label} | (set(options.units) - {""})
    unlabelled = [channel for channel in units if channel not in labelled] if labelled else []
    stated = dict(blocks[0].annotations, rec_datetime=blocks[0].rec_datetime) if blocks else {}
    annotations, notes = annotations_of(stated)
    return FileContents(
        reader_version="",
        format=type(reader).__name__.removesuffix("IO"),
        traces=tuple(trace for trace in traces if trace.channel not in unlabelled),
        parts=(path,),
        session_start=session_start_of(stated),
        annotations=annotations,
        notes=(*_left_out(segments, unlabelled), *notes),
    )


def _traces_of(segment: Any, sweep: int) -> Iterator[StatedTrace]:
    columns = [
        (signal, column)
        for signal in segment.analogsignals
        if signal.dtype.kind in "iuf"
        for column in range(signal.shape[1])
    ]
    names = unique_names([_name_of(signal, column) for signal, column in columns])
    for (signal, column), name in zip(columns, names, strict=True):
        samples = signal.magnitude[:, column]
        yield StatedTrace(
            channel=name,
            sweep=sweep,
            source=ArraySource(np.array(samples, dtype=samples.dtype.newbyteorder("="))),
            unit_label=_unit_of(signal),
            sampling_rate_hz=float(signal.sampling_rate.rescale("Hz").magnitude),
            start_s=float(signal.t_start.rescale("s").magnitude),
        )


def _name_of(signal: Any, column: int) -> str:
    stated = signal.array_annotations.get("channel_names")
    if stated is not None:
        return str(stated[column])
    name = str(signal.name or "")
    return name if signal.shape[1] == 1 else f"{name} {column}".strip()


def _unit_of(signal: Any) -> str:
    label = str(signal.units.dimensionality.string)
    return "" if label == "dimensionless" else label


def _left_out(segments: list[Any], unlabelled: list[str]) -> list[str]:
    notes = []
    if unlabelled:
        first = ", ".join(map(repr, unlabelled[:5]))
        more = f" and {len(unlabelled) - 5} more" if len(unlabelled) > 5 else ""
        notes.append(f"Left out, for want of a unit: {first}{more}; --unit CHANNEL=UNIT keeps one.")
    counts = {
        "events": sum(len(segment.events) for segment in segments),
        "epochs": sum(len(segment.epochs) for segment in segments),
        "spike trains": sum(len(segment.spiketrains) for segment in segments),
        "irregularly sampled signals": sum(len(segment.irregularlysampledsignals) for segment in segments),
    }
    found = [f"{kind} ({count})" for kind, count in counts.items() if count]
    if found:
        notes.append(f"Not carried over from the source: {'; '.join(found)}.")
    return notes
