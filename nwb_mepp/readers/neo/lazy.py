"""Reading through Neo's rawio interface, which leaves the samples in the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.core.recording import SampleSource
from nwb_mepp.readers.annotations import Annotations
from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, IntArray, RawTrace
from nwb_mepp.readers.neo.ancillary import ancillary_from_rawio
from nwb_mepp.readers.sample_sources import MappedSource, NeoSource

__all__ = ["read_lazily", "session_start_of"]


def read_lazily(reader: Any, path: Path) -> FileContents:
    """Read a file through Neo's rawio interface, without its samples.

    Parameters
    ----------
    reader : neo.rawio.baserawio.BaseRawIO
        With its header parsed.
    path : Path

    Returns
    -------
    FileContents
        Without ``reader_version``, which the caller adds.
    """
    header = reader.header
    streams = header["signal_streams"]
    channels = [header["signal_channels"][header["signal_channels"]["stream_id"] == s["id"]] for s in streams]
    names = unique_names([str(channel["name"]) for group in channels for channel in group])
    positions = [(stream, index) for stream, group in enumerate(channels) for index in range(len(group))]
    traces = []
    segments = list(_segments(header))
    for sweep, (block, segment) in enumerate(segments):
        for name, (stream, index) in zip(names, positions, strict=True):
            channel = channels[stream][index]
            traces.append(
                RawTrace(
                    channel=name,
                    sweep=sweep,
                    source=_source(
                        reader, path, (block, segment, stream, index), channel, len(channels[stream])
                    ),
                    unit_label=str(channel["units"]),
                    gain=float(channel["gain"]),
                    offset=float(channel["offset"]),
                    sampling_rate_hz=float(channel["sampling_rate"]),
                    start_s=float(reader.get_signal_t_start(block, segment, stream)),
                )
            )
    annotations = _annotations(reader, segments, names)
    ancillary, notes = ancillary_from_rawio(reader, segments)
    return FileContents(
        reader_version="",
        format=type(reader).__name__.removesuffix("IO"),
        traces=tuple(traces),
        files=_files(reader, path),
        session_start=session_start_of(reader.raw_annotations["blocks"][0]),
        annotations=annotations.texts,
        ancillary=ancillary,
        notes=(*_renaming_note(channels, names), *notes, *annotations.notes),
    )


def session_start_of(stated: dict[str, Any]) -> datetime | None:
    """Return the session start in the annotations of a file, or None.

    Parameters
    ----------
    stated : dict
        Annotations of the first Neo block.
    """
    start = stated.get("rec_datetime")
    return start if isinstance(start, datetime) else None


def _annotations(reader: Any, segments: list[tuple[int, int]], names: list[str]) -> Annotations:
    """Return the annotations of the file, its sweeps and its channels."""
    blocks = reader.raw_annotations["blocks"]
    found = Annotations()
    for number, block in enumerate(blocks):
        found.add(block, of=f"block {number}" if number else "")
    for sweep, (block, segment) in enumerate(segments):
        stated = blocks[block]["segments"][segment]
        own = {key: value for key, value in stated.items() if key not in ("signals", "spikes", "events")}
        found.add(own, of=f"sweep {sweep}")
    # The annotations of channels are the same in every sweep.
    signals = blocks[segments[0][0]]["segments"][segments[0][1]]["signals"] if segments else []
    rows: dict[str, list[Any]] = {}
    first = 0
    for stream in signals:
        stated = stream.get("__array_annotations__", {})
        after = first + len(stated.get("channel_names", ()))
        for key, values in stated.items():
            rows.setdefault(key, [""] * len(names))[first:after] = list(values)
        # Neo does not always return them in the same order.
        found.add(dict(sorted(stream.items())), of=f"channels {', '.join(names[first:after])}")
        first = after
    found.add_rows(rows, of=names, what="channels")
    return found


def _segments(header: dict[str, Any]) -> Iterator[tuple[int, int]]:
    for block in range(header["nb_block"]):
        for segment in range(header["nb_segment"][block]):
            yield block, segment


def _source(
    reader: Any, path: Path, indices: tuple[int, int, int, int], channel: Any, n_channels: int
) -> SampleSource:
    """Return a memory-mapped source if the samples form one flat table in the file, else one through Neo.

    Neo opens a file once per segment and keeps it open, which fails for recordings of a thousand sweeps.
    """
    block, segment, stream, index = indices
    found = _flat_table(reader, block, segment, stream, n_channels)
    if found is None:
        n_samples = int(reader.get_signal_size(block, segment, stream))
        return NeoSource(reader, path=path, indices=indices, n_samples=n_samples, dtype=channel["dtype"])
    table, columns = found
    n_rows, n_columns = table["shape"]
    return MappedSource(
        Path(table["file_path"]),
        dtype=table["dtype"],
        shape=(int(n_rows), int(n_columns)),
        first_byte=int(table["file_offset"]),
        column=int(columns[index]),
    )


def _flat_table(
    reader: Any, block: int, segment: int, stream: int, n_channels: int
) -> tuple[dict[str, Any], IntArray] | None:
    """Return Neo's description of the table that contains a stream, and the columns of its channels.

    None if there is no such table, or if it is uncertain which columns belong to the stream.
    """
    if not reader.has_buffer_description_api():
        return None
    stated = reader.header["signal_streams"][stream]
    table: dict[str, Any] = reader.get_analogsignal_buffer_description(block, segment, stated["buffer_id"])
    if table["type"] != "raw" or table.get("time_axis", 0) != 0:
        return None
    # Neo has no public method for the columns of the table that belong to a stream.
    selections = getattr(reader, "_stream_buffer_slice", {})
    if stated["id"] not in selections:
        return None
    selection = selections[stated["id"]]
    columns = np.arange(table["shape"][1])[slice(None) if selection is None else selection]
    return (table, columns) if len(columns) == n_channels else None


def _files(reader: Any, path: Path) -> tuple[Path, ...]:
    """Return the files of the recording: those with samples, and the side files of known formats."""
    if path.is_dir():
        return tuple(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
    files = {path}
    if reader.has_buffer_description_api():
        for block, segment in _segments(reader.header):
            for stream in reader.header["signal_streams"]:
                table = reader.get_analogsignal_buffer_description(block, segment, stream["buffer_id"])
                files.add(Path(table["file_path"]))
    files.update(_side_files(path))
    return tuple(sorted({file.resolve() for file in files if file.is_file()}))


def _side_files(path: Path) -> list[Path]:
    """Return the files of a recording that Neo does not list."""
    if path.suffix.lower() == ".vhdr":
        return [path.with_suffix(".vmrk")]
    if path.name in ("info.rhd", "info.rhs"):
        return list(path.parent.glob("*.dat"))
    if path.suffix.lower() == ".tsq":
        return [file for file in path.parent.iterdir() if file.stem == path.stem or file.suffix == ".sev"]
    return [path.with_name(path.name + suffix) for suffix in (".ent", ".pos")]  # Elan


def _renaming_note(channels: list[Any], names: list[str]) -> list[str]:
    stated = Counter(str(channel["name"]).strip() for group in channels for channel in group)
    repeated = [name for name, count in stated.items() if count > 1 or not name]
    if not repeated:
        return []
    listed = ", ".join(map(repr, repeated))
    return [f"Channels without a unique name ({listed}) were renamed; all are {', '.join(map(repr, names))}."]
