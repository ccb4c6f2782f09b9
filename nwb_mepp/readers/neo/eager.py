"""Formats for which Neo has no raw interface: everything is read at once, as floating-point numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.core.ancillary import Ancillary
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.core.units import unit_label_of
from nwb_mepp.readers.annotations import Annotations
from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, StatedTrace
from nwb_mepp.readers.neo.ancillary import ancillary_of_objects
from nwb_mepp.readers.neo.lazy import session_start_of

__all__ = ["read_eagerly"]


def read_eagerly(reader: Any, path: Path) -> FileContents:
    """Return what a reader without Neo's raw interface says.

    Signals of text are left out.

    Parameters
    ----------
    reader : neo.io.baseio.BaseIO
    path : Path

    Returns
    -------
    FileContents
        Without ``reader_version``, which the caller knows.
    """
    blocks = reader.read()
    segments = [segment for block in blocks for segment in block.segments]
    traces = [trace for sweep, segment in enumerate(segments) for trace in _traces_of(segment, sweep)]
    ancillary, notes = ancillary_of_objects(segments)
    ancillary = _named_apart(ancillary, taken=[trace.channel for trace in traces])
    annotations = _annotations(blocks, segments)
    return FileContents(
        reader_version="",
        format=type(reader).__name__.removesuffix("IO"),
        traces=tuple(traces),
        parts=(path,),
        session_start=session_start_of({"rec_datetime": blocks[0].rec_datetime}) if blocks else None,
        annotations=annotations.stated,
        ancillary=ancillary,
        notes=(*notes, *annotations.notes),
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
            unit_label=unit_label_of(signal),
            sampling_rate_hz=float(signal.sampling_rate.rescale("Hz").magnitude),
            start_s=float(signal.t_start.rescale("s").magnitude),
        )


def _name_of(signal: Any, column: int) -> str:
    stated = signal.array_annotations.get("channel_names")
    if stated is not None:
        return str(stated[column])
    name = str(signal.name or "")
    return name if signal.shape[1] == 1 else f"{name} {column}".strip()


def _annotations(blocks: list[Any], segments: list[Any]) -> Annotations:
    """Return what the file says of itself, of its sweeps and of its signals."""
    found = Annotations()
    for number, block in enumerate(blocks):
        stated = {"block name": block.name, "description": block.description, **block.annotations}
        found.add(stated, of=f"block {number}" if number else "")
    for sweep, segment in enumerate(segments):
        stated = {"segment name": segment.name, "description": segment.description, **segment.annotations}
        found.add(stated, of=f"sweep {sweep}")
        for signal in (*segment.analogsignals, *segment.irregularlysampledsignals):
            named = f"signal {signal.name or ''}".strip()
            found.add(
                {"description": signal.description, **signal.annotations},
                of=named if len(segments) == 1 else f"{named} in sweep {sweep}",
            )
    return found


def _named_apart(ancillary: Ancillary, *, taken: list[str]) -> Ancillary:
    """Give irregular signals names that no regular one has."""
    renamed = [
        replace(one, name=f"{one.name} (irregular)") if one.name in taken else one
        for one in ancillary.irregular
    ]
    return replace(ancillary, irregular=tuple(renamed))
