"""Series that are copies of one that pynwb wrote: nothing tells them from those that pynwb writes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO

from builders.traces import int16_trace, recording_of, trace_of
from nwb_mepp.core.errors import OutputError
from nwb_mepp.core.recording import Recording
from nwb_mepp.nwb import open_nwb, series, series_copies, write_nwb
from nwb_mepp.nwb.header import make_file
from nwb_mepp.nwb.metadata import Metadata
from nwb_mepp.nwb.schema_validation import schema_errors
from nwb_mepp.nwb.writer import add_recording


def recording(*, channels: int = 3, sweeps: int = 2, n_samples: int = 2_000) -> Recording:
    traces = [
        int16_trace(
            f"Vö {channel}", sweep=sweep, n_samples=n_samples + channel, conversion=1e-6 / (3 + channel)
        )
        for channel in range(channels)
        for sweep in range(sweeps)
    ]
    big_endian = trace_of(np.arange(9.0, dtype=">f4"), channel="T", unit="degC", rate_hz=5.0, start_s=0.3)
    return recording_of(*traces, big_endian, trace_of(np.arange(7.0, dtype=">f4"), channel="T2", unit="degC"))


def described(file: h5py.File) -> dict[str, Any]:
    """Return everything about the series of a file but what is unique to each."""
    found: dict[str, Any] = {}

    def describe(path: str, one: h5py.Group | h5py.Dataset) -> None:
        for name, value in one.attrs.items():
            kind = one.attrs.get_id(name)
            shown = None if name == "object_id" else value
            found[f"{path}@{name}"] = (shown, kind.dtype, kind.shape, h5py.check_string_dtype(kind.dtype))
        if isinstance(one, h5py.Dataset):
            stored = (one.dtype, one.shape, one.maxshape, one.chunks, one.compression, one.compression_opts)
            found[path] = (*stored, one.shuffle, one.fillvalue, one[()].tolist())

    file["acquisition"].visititems(describe)
    return found


def test_copies_are_what_pynwb_would_have_written(folder: Path, session_start: datetime) -> None:
    write_nwb(recording(), folder / "copies.nwb", session_start=session_start)
    file = make_file(recording(), session_start=session_start, metadata=Metadata(), fingerprint="")
    add_recording(file, recording(), clamp=None, metadata=Metadata())
    with NWBHDF5IO(folder / "pynwb.nwb", "w") as io:
        io.write(file)
    with h5py.File(folder / "copies.nwb") as ours, h5py.File(folder / "pynwb.nwb") as theirs:
        assert described(ours) == described(theirs)
        assert set(ours["acquisition"]) == set(theirs["acquisition"])
        identifiers = [one.attrs["object_id"] for one in ours["acquisition"].values()]
    assert len(set(identifiers)) == 8
    assert schema_errors(folder / "copies.nwb") == []


def test_only_the_first_of_a_kind_is_built_by_pynwb(
    folder: Path, session_start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []
    ordinary = series.TimeSeries
    monkeypatch.setattr(
        series, "TimeSeries", lambda **fields: built.append(fields["name"]) or ordinary(**fields)
    )
    write_nwb(recording(channels=20, sweeps=5), folder / "a.nwb", session_start=session_start)
    assert built == ["Vö 0_sweep_000", "T"]
    with open_nwb(folder / "a.nwb") as read:
        assert len(read.traces) == 100


def test_samples_of_many_chunks_are_copied_block_by_block(
    folder: Path, session_start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series_copies, "CHUNK_SAMPLES", 100)
    monkeypatch.setattr(series_copies, "BLOCK_SAMPLES", 300)
    one = recording(n_samples=1_050)
    write_nwb(one, folder / "a.nwb", session_start=session_start)
    with open_nwb(folder / "a.nwb") as read:
        for before, after in zip(one.traces, read.traces, strict=False):
            assert before.raw().tolist() == after.raw().tolist()
            assert (before.conversion, before.offset, before.start_s, before.sampling_rate_hz) == (
                (after.conversion, after.offset, after.start_s, after.sampling_rate_hz)
            )


def test_a_later_series_without_samples_is_refused_before_anything_is_written(
    folder: Path, session_start: datetime
) -> None:
    empty = recording_of(int16_trace("a"), int16_trace("b", n_samples=0))
    with pytest.raises(OutputError, match="found no samples; leave the channel or sweep out"):
        write_nwb(empty, folder / "a.nwb", session_start=session_start)
    assert list(folder.iterdir()) == []
