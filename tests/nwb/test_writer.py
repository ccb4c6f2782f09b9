from __future__ import annotations

from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest
from pynwb import NWBFile

from builders.tables import mepps_on, result_of
from builders.traces import int16_trace, recording_of, trace_of
from nwb_mepp.core.errors import MetadataError, OutputError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.schema import EventColumns
from nwb_mepp.nwb import add_recording, is_failure, validate_nwb, write_nwb, writer
from nwb_mepp.nwb.metadata import Metadata


def test_samples_scale_and_times_are_exact(folder: Path, session_start: datetime) -> None:
    one = int16_trace(conversion=1e-6 / 3, offset=-0.1, rate_hz=10_000 / 3, start_s=1 / 7)
    write_nwb(recording_of(one), folder / "a.nwb", session_start=session_start)
    with h5py.File(folder / "a.nwb") as file:
        data = file["acquisition/Vm/data"]
        assert data.dtype == np.int16
        np.testing.assert_array_equal(data[:], one.raw())
        assert data.attrs["conversion"] == 1e-6 / 3
        assert data.attrs["offset"] == -0.1
        assert {data.attrs[name].dtype for name in ("conversion", "offset")} == {np.dtype(np.float64)}
        assert data.attrs["unit"] == "volts"
        start = file["acquisition/Vm/starting_time"]
        assert start[()] == 1 / 7
        assert start.attrs["rate"] == 10_000 / 3
        np.testing.assert_array_equal(data[:] * data.attrs["conversion"] + data.attrs["offset"], one.values())


def test_the_name_of_the_file_is_free(folder: Path, session_start: datetime) -> None:
    write_nwb(recording_of(), folder / "a.h5", session_start=session_start)
    assert list(folder.iterdir()) == [folder / "a.h5"]


@pytest.mark.parametrize("dtype", [">i2", "<u2", "<f4", "<f8"])
def test_numbers_of_every_type_are_kept(folder: Path, dtype: str, session_start: datetime) -> None:
    samples = (np.arange(100) * 1.5).astype(dtype)
    write_nwb(recording_of(trace_of(samples)), folder / "a.nwb", session_start=session_start)
    with h5py.File(folder / "a.nwb") as file:
        assert file["acquisition/Vm/data"].dtype == samples.dtype.newbyteorder("=")
        np.testing.assert_array_equal(file["acquisition/Vm/data"][:], samples)


def test_samples_are_chunked_and_compressed(folder: Path, session_start: datetime) -> None:
    recording = recording_of(int16_trace("long", n_samples=250_000), int16_trace("short", n_samples=10))
    write_nwb(recording, folder / "a.nwb", session_start=session_start)
    with h5py.File(folder / "a.nwb") as file:
        long, short = (file[f"acquisition/{name}/data"] for name in ("long", "short"))
        assert (long.chunks, short.chunks) == ((100_000,), (10,))
        assert (long.compression, long.shuffle) == ("gzip", True)


class Zeros:
    """Many samples that nobody holds in memory, and the most that was asked for at once."""

    dtype = np.dtype(np.int16)
    most = 0

    def __len__(self) -> int:
        return 6_000_000

    def read(self, start: int, stop: int) -> npt.NDArray[np.int16]:
        self.most = max(self.most, stop - start)
        return np.zeros(stop - start, np.int16)


def test_a_long_recording_is_read_in_blocks(folder: Path, session_start: datetime) -> None:
    source = Zeros()
    write_nwb(recording_of(trace_of(source)), folder / "a.nwb", session_start=session_start)
    assert source.most == 2_000_000


def test_a_source_that_fails_leaves_nothing(folder: Path, session_start: datetime) -> None:
    class Broken(Zeros):
        def read(self, start: int, stop: int) -> npt.NDArray[np.int16]:
            if start:
                raise OSError(5, "Input/output error")
            return super().read(start, stop)

    with pytest.raises(OutputError, match=r"expected to write .*a\.nwb, found: Input/output error"):
        write_nwb(recording_of(trace_of(Broken())), folder / "a.nwb", session_start=session_start)
    assert list(folder.iterdir()) == []


def test_a_file_that_would_be_invalid_is_not_left_there(
    folder: Path, session_start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "schema_errors", lambda _: ["/acquisition: no good"])
    with pytest.raises(
        OutputError,
        match=r"a\.nwb is not valid NWB \(/acquisition: no good\), so nothing was written; please",
    ):
        write_nwb(recording_of(), folder / "a.nwb", session_start=session_start)
    assert list(folder.iterdir()) == []


def test_a_session_start_without_time_zone_is_refused(folder: Path) -> None:
    with pytest.raises(
        MetadataError, match="expected a session start with a time zone, found 2020-01-01T00:00:00"
    ):
        write_nwb(recording_of(), folder / "a.nwb", session_start=datetime(2020, 1, 1))
    assert list(folder.iterdir()) == []


def test_with_one_electrical_channel_tables_do_without_its_name(
    folder: Path, session_start: datetime
) -> None:
    cell = int16_trace()
    results = [result_of(mepps_on([cell], [(0, 100)]), name) for name in ("miniunet", "autoencoder")]
    recording = recording_of(cell, int16_trace("bath", unit="degC"))
    write_nwb(recording, folder / "a.nwb", session_start=session_start, results=results)
    with h5py.File(folder / "a.nwb") as file:
        assert list(file["intervals"]) == ["mepps_autoencoder", "mepps_miniunet"]
        detections = file["processing/icephys/mepp_detections"]
        assert list(detections["detector"].asstr()) == ["miniunet", "autoencoder"]


def test_with_several_electrical_channels_tables_carry_its_name(
    folder: Path, session_start: datetime
) -> None:
    traces = [int16_trace("I/V"), int16_trace("Im", unit="A")]
    results = [result_of(mepps_on([one], [(0, 100)])) for one in traces]
    write_nwb(recording_of(*traces), folder / "a.nwb", session_start=session_start, results=results)
    with h5py.File(folder / "a.nwb") as file:
        assert list(file["intervals"]) == ["mepps_miniunet_I_V", "mepps_miniunet_Im"]
        assert file["intervals/mepps_miniunet_Im/amplitude"].attrs["description"].endswith("Unit: A.")


def test_where_nothing_was_found_there_is_a_row_and_no_table(folder: Path, session_start: datetime) -> None:
    write_nwb(
        recording_of(),
        folder / "a.nwb",
        session_start=session_start,
        results=[result_of(Mepps.empty("Vm", "V"))],
    )
    with h5py.File(folder / "a.nwb") as file:
        assert "intervals" not in file
        assert file["processing/icephys/mepp_detections/n_mepps"][:].tolist() == [0]


def test_columns_are_float64_and_flags_are_boolean(folder: Path, session_start: datetime) -> None:
    one = int16_trace()
    results = [result_of(mepps_on([one], [(0, 100), (0, 300)]))]
    write_nwb(recording_of(one), folder / "a.nwb", session_start=session_start, results=results)
    with h5py.File(folder / "a.nwb") as file:
        table = file["intervals/mepps_miniunet"]
        types = {name: table[name].dtype for name in table.attrs["colnames"]}
    assert types.pop("timeseries").names == ("idx_start", "count", "timeseries")
    assert {types.pop(name) for name in ("overlapped", "unresolved")} == {np.dtype(np.bool_)}
    texts = {column.name for column in EventColumns.columns() if column.dtype == "text"}
    assert {types.pop(name) for name in texts} == {h5py.string_dtype()}
    assert set(types.values()) == {np.dtype(np.float64)}


def test_each_left_out_stretch_is_written_once(folder: Path, session_start: datetime) -> None:
    recording = recording_of(invalid_times=((1.0, 2.0), (5.0, 6.0)))
    write_nwb(recording, folder / "a.nwb", session_start=session_start, excluded=[(1.0, 2.0), (0.0, 0.5)])
    with h5py.File(folder / "a.nwb") as file:
        table = file["intervals/invalid_times"]
        assert table["start_time"][:].tolist() == [0.0, 1.0, 5.0]
        assert table["stop_time"][:].tolist() == [0.5, 2.0, 6.0]


def test_two_results_for_one_table_are_refused(folder: Path, session_start: datetime) -> None:
    traces = [int16_trace("b_c"), int16_trace("c")]
    results = [
        result_of(mepps_on(traces[:1], [(0, 1)]), "a"),
        result_of(mepps_on(traces[1:], [(0, 1)]), "a_b"),
    ]
    with pytest.raises(
        OutputError, match=r"expected one result for each table, found \('a', 'b_c'\) and \('a_b', 'c'\)"
    ):
        write_nwb(recording_of(*traces), folder / "a.nwb", session_start=session_start, results=results)


def contents(path: Path) -> dict[str, object]:
    """Everything in a file but what NWB makes new each time: object identifiers and the date of writing."""
    found: dict[str, object] = {}

    def visit(name: str, item: h5py.HLObject) -> None:
        attributes = {
            key: str(value) for key, value in item.attrs.items() if key not in ("object_id", ".specloc")
        }
        values = item[()] if isinstance(item, h5py.Dataset) and not item.dtype.names else None
        found[name] = (attributes, values.tolist() if isinstance(values, np.ndarray) else values)

    with h5py.File(path) as file:
        file.visititems(visit)
    found.pop("file_create_date")
    return found


def test_the_same_input_gives_the_same_file_content(
    folder: Path, full_metadata: Metadata, session_start: datetime
) -> None:
    one = int16_trace()
    for name in ("a.nwb", "b.nwb"):
        write_nwb(
            recording_of(one),
            folder / name,
            session_start=session_start,
            metadata=full_metadata,
            results=[result_of(mepps_on([one], [(0, 5)]))],
            fingerprint="f",
        )
    assert repr(contents(folder / "a.nwb")) == repr(contents(folder / "b.nwb"))


@pytest.mark.parametrize("clamp", [None, "voltage"])
def test_a_full_file_satisfies_validator_and_inspector(
    folder: Path, clamp: str | None, full_metadata: Metadata, session_start: datetime
) -> None:
    channels = {
        name: [int16_trace(name, sweep=sweep, unit=unit) for sweep in range(3)]
        for name, unit in (("Vm", "V"), ("Im: 1", "A"))
    }
    onsets = [(0, 5), (0, 900), (1, 8), (2, 1_900)]
    results = [
        result_of(mepps_on(traces, onsets), detector)
        for detector in ("miniunet", "autoencoder")
        for traces in channels.values()
    ]
    write_nwb(
        recording_of(*channels["Vm"], *channels["Im: 1"]),
        folder / "a.nwb",
        session_start=session_start,
        metadata=full_metadata,
        clamp=clamp,
        results=results,
        excluded=[(0.1, 0.2)],
        fingerprint="f",
    )
    findings = validate_nwb(folder / "a.nwb")
    assert [finding for finding in findings if is_failure(finding)] == []


def test_two_recordings_in_one_file_share_what_is_there_once(session_start: datetime) -> None:
    file = NWBFile(session_description="s", identifier="i", session_start_time=session_start)
    for channel, stretch in (("Vm", (0.1, 0.2)), ("Im", (0.3, 0.4))):
        add_recording(
            file,
            recording_of(int16_trace(channel), invalid_times=(stretch,)),
            clamp=None,
            metadata=Metadata(),
        )
    assert sorted(file.acquisition) == ["Im", "Vm"]
    assert file.invalid_times["start_time"][:].tolist() == [0.1, 0.3]
    assert file.invalid_times["stop_time"][:].tolist() == [0.2, 0.4]
    assert len(file.processing["icephys"]["source_files"]) == 2
