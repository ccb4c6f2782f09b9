"""What Neo's raw interface says of a file, samples left where they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.readers.channel_names import unique_names
from nwb_mepp.readers.contents import FileContents, IntArray, StatedTrace
from nwb_mepp.readers.sources import MappedSource, NeoSource
from nwb_mepp.recording import SampleSource

__all__ = ["annotations_of", "read_lazily", "session_start_of"]

# Keys under which some formats name a person; a file that is to be shared must not carry them unasked.
_PERSONAL = ("birth", "firstname", "forename", "patient", "surname")


def read_lazily(reader: Any, path: Path) -> FileContents:
    """Return what a reader with Neo's raw interface says.

    Parameters
    ----------
    reader : neo.rawio.baserawio.BaseRawIO
        Its header is parsed.
    path : Path

    Returns
    -------
    FileContents
        Without ``reader_version``, which the caller knows.
    """
    header = reader.header
    streams = header["signal_streams"]
    channels = [header["signal_channels"][header["signal_channels"]["stream_id"] == s["id"]] for s in streams]
    names = unique_names([str(channel["name"]) for group in channels for channel in group])
    places = [(stream, index) for stream, group in enumerate(channels) for index in range(len(group))]
    traces = []
    for sweep, (block, segment) in enumerate(_segments(header)):
        for name, (stream, index) in zip(names, places, strict=True):
            channel = channels[stream][index]
            traces.append(
                StatedTrace(
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
    stated = reader.raw_annotations["blocks"][0]
    annotations, notes = annotations_of(stated)
    return FileContents(
        reader_version="",
        format=type(reader).__name__.removesuffix("IO"),
        traces=tuple(traces),
        parts=_parts(reader, path),
        session_start=session_start_of(stated),
        annotations=annotations,
        notes=(*_renamed(channels, names), *_left_out(reader), *notes),
    )


def session_start_of(stated: dict[str, Any]) -> datetime | None:
    """Return the start that a file states, None where it states none.

    Parameters
    ----------
    stated : dict
        Annotations of Neo's first block.
    """
    start = stated.get("rec_datetime")
    return start if isinstance(start, datetime) else None


def annotations_of(stated: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Return the plain annotations of a file as text, and a note on those left out.

    Parameters
    ----------
    stated : dict
        Annotations of Neo's first block.
    """
    annotations = {}
    personal = []
    for key, value in stated.items():
        if isinstance(value, bytes):
            value = value.decode("utf-8", errors="replace")
        if key in ("rec_datetime", "file_origin") or not isinstance(value, str | int | float | np.number):
            continue
        if any(word in key.lower() for word in _PERSONAL):
            personal.append(key)
        elif text := str(value).strip("\0 \r\n"):
            annotations[key] = text
    if "abf_version" in annotations:
        annotations["abf_version"] = (
            f"{float(annotations['abf_version']):.4g}"  # 1.83, not float32's 1.83000004
        )
    note = f"Left out, because they name a person: {', '.join(personal)}."
    return annotations, [note] if personal else []


def _segments(header: dict[str, Any]) -> Iterator[tuple[int, int]]:
    for block in range(header["nb_block"]):
        for segment in range(header["nb_segment"][block]):
            yield block, segment


def _source(
    reader: Any, path: Path, place: tuple[int, int, int, int], channel: Any, n_channels: int
) -> SampleSource:
    """Map the file where its samples lie in one flat table, else go through Neo.

    Neo opens a file once per segment and keeps it open, which fails in recordings of a thousand sweeps.
    """
    block, segment, stream, index = place
    found = _flat_table(reader, block, segment, stream, n_channels)
    if found is None:
        n_samples = int(reader.get_signal_size(block, segment, stream))
        return NeoSource(reader, path=path, place=place, n_samples=n_samples, dtype=channel["dtype"])
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
    """Return Neo's description of the table that holds a stream, and the columns of its channels.

    None where there is no such table, or where it is not certain that it was understood.
    """
    if not reader.has_buffer_description_api():
        return None
    stated = reader.header["signal_streams"][stream]
    table: dict[str, Any] = reader.get_analogsignal_buffer_description(block, segment, stated["buffer_id"])
    if table["type"] != "raw" or table.get("time_axis", 0) != 0:
        return None
    # Which columns of the table belong to the stream is in no public method of Neo.
    selections = getattr(reader, "_stream_buffer_slice", {})
    if stated["id"] not in selections:
        return None
    selection = selections[stated["id"]]
    columns = np.arange(table["shape"][1])[slice(None) if selection is None else selection]
    return (table, columns) if len(columns) == n_channels else None


def _parts(reader: Any, path: Path) -> tuple[Path, ...]:
    """Return the files that make up the recording: those with samples, and known companions."""
    if path.is_dir():
        return tuple(part for part in path.rglob("*") if part.is_file() and not part.name.startswith("."))
    parts = {path}
    if reader.has_buffer_description_api():
        for block, segment in _segments(reader.header):
            for stream in reader.header["signal_streams"]:
                table = reader.get_analogsignal_buffer_description(block, segment, stream["buffer_id"])
                parts.add(Path(table["file_path"]))
    companions = [path.with_name(path.name + suffix) for suffix in (".ent", ".pos")]  # Elan
    if path.suffix.lower() == ".vhdr":
        companions.append(path.with_suffix(".vmrk"))
    return tuple(sorted({part.resolve() for part in (*parts, *companions) if part.is_file()}))


def _renamed(channels: list[Any], names: list[str]) -> list[str]:
    stated = Counter(str(channel["name"]).strip() for group in channels for channel in group)
    repeated = [name for name, count in stated.items() if count > 1 or not name]
    if not repeated:
        return []
    listed = ", ".join(map(repr, repeated))
    return [f"Channels without a name of their own ({listed}) are called {', '.join(map(repr, names))} here."]


def _left_out(reader: Any) -> list[str]:
    """Name the events, epochs and spike trains of the file that hold anything."""
    header = reader.header
    segments = list(_segments(header))
    kinds: dict[str, list[str]] = {"events": [], "epochs": [], "spike trains": []}
    for index, channel in enumerate(header["event_channels"]):
        if any(reader.event_count(block, segment, index) for block, segment in segments):
            kinds["epochs" if channel["type"] == b"epoch" else "events"].append(str(channel["name"]))
    for index, channel in enumerate(header["spike_channels"]):
        if any(reader.spike_count(block, segment, index) for block, segment in segments):
            kinds["spike trains"].append(str(channel["name"]))
    found = [f"{kind} ({', '.join(dict.fromkeys(names))})" for kind, names in kinds.items() if names]
    return [f"Not carried over from the source: {'; '.join(found)}."] if found else []
