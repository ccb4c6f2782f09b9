"""Blocks of TDT: where the data of each store lie, whether they are all there, when the block began."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.neo.gaps import Stretch, split_at_gaps
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.sample_sources import SliceSource

__all__ = ["check", "neo_class", "refine", "separate_file"]

# An entry of the index file. Its size is in words of four bytes and includes the ten words of the entry.
_ENTRY = np.dtype(
    [
        ("size", "<i4"),
        ("kind", "<i4"),
        ("store", "S4"),
        ("channel", "<u2"),
        ("sort_code", "<u2"),
        ("timestamp", "<f8"),
        ("offset", "<i8"),
        ("number_format", "<i4"),
        ("frequency", "<f4"),
    ]
)
_WORD_BYTES, _ENTRY_WORDS = 4, 10
_MARK, _HAS_DATA, _STREAM, _STREAM_MASK = 0x8801, 0x8000, 0x8101, 0xFF0F


def check(path: Path, options: ReadOptions) -> None:
    """Check that all data to which the index of a TDT block refers lie within the files of their stores.

    Neo replaces missing data by zeros.

    Parameters
    ----------
    path : Path
        The index file, ``.tsq``.
    options : ReadOptions

    Raises
    ------
    ReadError
        If a file is too short, unless the user asks to salvage what there is.
    """
    if options.salvage:
        return
    for file, (stores, needed) in _needed(path).items():
        found = file.stat().st_size
        if needed > found:
            raise ReadError(
                f"{path.name}: {file.name} is truncated: expected at least {needed} bytes according to the "
                f"index (stores {', '.join(stores)}), found {found}; copy the files again from where they "
                "were recorded, or pass `salvage=True` to take what comes before the end."
            )


def _needed(path: Path) -> dict[Path, tuple[list[str], int]]:
    """Return the stores whose data each file holds, and how long it has to be for them."""
    data_file = path.with_suffix(".tev")
    found: dict[Path, tuple[list[str], int]] = {}
    stored = _entries(path)
    every = sorted({_name(store) for store in stored["store"]})
    n_bytes = (stored["size"].astype(np.int64) - _ENTRY_WORDS) * _WORD_BYTES
    ends = stored["offset"] + n_bytes
    for store in every:
        own = stored["store"] == store.encode("latin-1")
        is_stream = stored["kind"][own][0] & _STREAM_MASK == _STREAM
        # Only streams are written to files of their own.
        channels = np.unique(stored["channel"][own]).tolist() if is_stream else list[int]()
        files = {int(channel): separate_file(path, store, int(channel), stores=every) for channel in channels}
        for channel, file in files.items() or [(None, None)]:
            rows = own if channel is None else own & (stored["channel"] == channel)
            file = file or data_file
            if file.is_file():
                stores, needed = found.get(file, ([], 0))
                names = stores if store in stores else [*stores, store]
                found[file] = (names, max(needed, int(ends[rows].max())))
    return found


def _entries(path: Path) -> npt.NDArray[Any]:
    """Return the entries of the index that refer to data."""
    entries = np.fromfile(path, dtype=_ENTRY, count=path.stat().st_size // _ENTRY.itemsize)
    kind = entries["kind"]
    stored: npt.NDArray[Any] = entries[(kind & _HAS_DATA != 0) & (kind != _MARK)]
    return stored


def _name(store: bytes) -> str:
    return store.decode("latin-1")


def separate_file(path: Path, store: str, channel: int, *, stores: Iterable[str]) -> Path | None:
    """Return the file of its own in which a channel of a store lies, or None if it has none.

    A file names its store (``..._Wav5_Ch1.sev``); one that names none belongs to any store.

    Parameters
    ----------
    path : Path
        The index file.
    store : str
    channel : int
        From 1.
    stores : iterable of str
        All stores of the block.
    """
    end = f"_ch{channel}.sev"
    files = [file for file in path.parent.iterdir() if file.name.lower().endswith(end) and file.is_file()]
    own = [file for file in files if file.name.lower().endswith(f"_{store.lower()}{end}")]
    if own:
        return (
            own[0] if len(own) == 1 else next((one for one in own if one.name.startswith(path.stem)), own[0])
        )
    nameless = [file for file in files if _store_of(file) in ("", store)]
    others = tuple(f"_{other.lower()}{end}" for other in stores if other != store)
    nameless = [file for file in nameless if not file.name.lower().endswith(others)]
    return nameless[0] if len(nameless) == 1 else None


def _store_of(file: Path) -> str:
    """Return the store that a file of its own names in its header, if any."""
    with file.open("rb") as stream:
        header = stream.read(16)
    return header[12:16].decode("latin-1").strip("\0 ") if header[8:11] == b"SEV" else ""


def neo_class(of_neo: Any, options: ReadOptions) -> Any:
    """Return the class that reads each store from its own files, cut to what they hold if salvaged.

    Neo reads a channel of every store from a file that belongs to one of them.

    Parameters
    ----------
    of_neo : type
        ``neo.io.TdtIO``.
    options : ReadOptions
    """

    def parse_header(reader: Any) -> None:
        of_neo._parse_header(reader)
        _use_own_files(reader)
        reader.cut = _cut_to_files(reader) if options.salvage else []

    return type(of_neo.__name__, (of_neo,), {"_parse_header": parse_header, "__module__": of_neo.__module__})


def _store_names(reader: Any) -> list[str]:
    return [str(stream["name"]) for stream in reader.header["signal_streams"]]


def _use_own_files(reader: Any) -> None:
    path = Path(f"{reader.dirname}.tsq")
    stores = _store_names(reader)
    for index, channel in enumerate(reader.header["signal_channels"]):
        store = stores[int(channel["stream_id"])]
        file = separate_file(path, store, int(channel["id"]), stores=stores) or path.with_suffix(".tev")
        if file.is_file() and file.stat().st_size:
            reader._sigs_data_buf[0][index] = np.memmap(file, mode="r", dtype=np.uint8)


def _cut_to_files(reader: Any) -> list[str]:
    """Cut each store to the chunks that all of its channels have; return what was cut, in words."""
    cut = []
    for stream, store in enumerate(_store_names(reader)):
        length = int(reader._sig_sample_per_chunk[stream])
        n_bytes = length * reader._sig_dtype_by_group[stream].itemsize
        channels = np.flatnonzero(reader.header["signal_channels"]["stream_id"] == str(stream)).tolist()
        counts = []
        for index in channels:
            ends = reader._sigs_index[0][index]["offset"] + n_bytes
            missing = np.flatnonzero(ends > len(reader._sigs_data_buf[0][index]))
            counts.append(int(missing[0]) if len(missing) else len(ends))
        n_samples = reader._sigs_lengths[0][stream]
        if not counts or min(counts) * length == n_samples:
            continue
        cut.append(f"{store} {min(counts) * length} of {n_samples}")
        reader._sigs_lengths[0][stream] = min(counts) * length
        for index in channels:
            reader._sigs_index[0][index] = reader._sigs_index[0][index][: min(counts)]
    return cut


def refine(contents: FileContents, reader: Any) -> FileContents:
    """Split at gaps between chunks, and take the start of the block.

    Parameters
    ----------
    contents : FileContents
    reader : neo.io.TdtIO

    Returns
    -------
    FileContents
    """
    index_of = {name: number for number, name in enumerate(contents.channels)}
    stretches = {
        (trace.channel, trace.sweep): _stretches(
            trace, reader._sigs_index[0][index_of[trace.channel]]["timestamp"]
        )
        for trace in contents.traces
    }
    listed = ", ".join(reader.cut)
    notes = [f"Only these samples of each channel are in the files: {listed}."] if listed else []
    start_s = float(reader._global_t_start)
    start = datetime.fromtimestamp(round(start_s, 3), tz=UTC) if 0 < start_s < np.inf else None
    contents = split_at_gaps(contents, stretches)
    return replace(contents, session_start=start, notes=(*contents.notes, *notes))


def _stretches(trace: RawTrace, times: npt.NDArray[np.float64]) -> list[Stretch]:
    """Return the stretches of chunks that follow one another to within a sample."""
    rate_hz = trace.sampling_rate_hz or 1.0
    length = len(trace.source) // max(len(times), 1)
    gaps = np.flatnonzero(np.abs(np.diff(times) - length / rate_hz) > 1.0 / rate_hz) + 1
    if not len(gaps):
        return [Stretch(source=trace.source, start_s=trace.start_s)]
    return [
        Stretch(
            source=SliceSource(trace.source, start=first * length, stop=after * length),
            start_s=trace.start_s + float(times[first] - times[0]),
        )
        for first, after in pairwise([0, *gaps.tolist(), len(times)])
    ]
