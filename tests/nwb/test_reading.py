from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hdmf.backends.hdf5 import H5DataIO
from hdmf.common import DynamicTable, VectorData
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.ecephys import ElectricalSeries
from pynwb.icephys import CurrentClampSeries

from nwb_mepp.errors import ReadError
from nwb_mepp.nwb import open_nwb, write_nwb
from nwb_mepp.nwb.reading import electrical_traces, read_file, series_stems
from nwb_mepp.recording import Recording, Trace

MakeForeign = Callable[..., Path]


@pytest.fixture
def foreign(folder: Path, session_start: datetime) -> MakeForeign:
    """Write a file as another program would, from plain pynwb series."""

    def make(*series: TimeSeries) -> Path:
        file = NWBFile(session_description="Elsewhere.", identifier="i", session_start_time=session_start)
        for one in series:
            file.add_acquisition(one)
        with NWBHDF5IO(folder / "foreign.nwb", "w") as io:
            io.write(file)
        return folder / "foreign.nwb"

    return make


def series(name: str = "v", **stated: Any) -> TimeSeries:
    defaults = {"data": np.arange(10, dtype=np.int16), "unit": "volts", "rate": 10_000.0}
    return TimeSeries(name=name, **(defaults | stated))


def test_a_recording_comes_back_as_it_was_written(
    folder: Path,
    make_trace: Callable[..., Trace],
    make_recording: Callable[..., Recording],
    session_start: datetime,
) -> None:
    # The file lists series by name: order and names of the channels must come from elsewhere.
    channels = (("Vm/2", "V"), ("Im", "A"))
    traces = [make_trace(name, sweep=sweep, unit=unit) for name, unit in channels for sweep in range(12)]
    recording = make_recording(*traces, make_trace("bath", unit="degC"), invalid_times=((0.1, 0.2),))
    write_nwb(recording, folder / "a.nwb", session_start=session_start)
    with open_nwb(folder / "a.nwb") as back:
        assert back.channels == ("Vm/2", "Im")
        assert back.session_start == session_start
        assert back.invalid_times == ((0.1, 0.2),)
        assert back.notes == ("Series 'bath' was left out: its unit is 'degC', not volts or amperes.",)
        assert (back.source.name, back.source.reader, len(back.source.sha256)) == ("a.nwb", "nwb", 64)
        for written, read in zip(traces, back.traces, strict=True):
            for name in (
                "channel",
                "sweep",
                "unit",
                "conversion",
                "offset",
                "sampling_rate_hz",
                "start_s",
                "n_samples",
            ):
                assert getattr(read, name) == getattr(written, name), name
            assert read.source.dtype == np.int16
            np.testing.assert_array_equal(read.raw(3, 70), written.raw(3, 70))
            np.testing.assert_array_equal(read.values(), written.values())


def test_samples_can_be_had_only_while_the_file_is_open(
    folder: Path, make_recording: Callable[..., Recording], session_start: datetime
) -> None:
    write_nwb(make_recording(), folder / "a.nwb", session_start=session_start)
    with open_nwb(folder / "a.nwb") as recording:
        (trace,) = recording.traces
    with pytest.raises(ValueError, match="expected samples to be read inside the 'with open_nwb"):
        trace.raw(0, 10)
    with h5py.File(folder / "a.nwb", "r+"):
        pass  # nobody holds it any more


@pytest.mark.parametrize(
    ("unit", "expected", "scale"),
    [
        ("volts", "V", 1.0),
        ("V", "V", 1.0),
        ("mV", "V", 1e-3),
        ("microvolts", "V", 1e-6),
        ("amperes", "A", 1.0),
        ("pA", "A", 1e-12),
    ],
)
def test_a_unit_may_be_spelled_out_or_have_a_prefix(
    foreign: MakeForeign, unit: str, expected: str, scale: float
) -> None:
    with open_nwb(foreign(series(unit=unit, conversion=0.5, offset=2.0))) as recording:
        (trace,) = recording.traces
        assert (trace.channel, trace.sweep, trace.unit) == ("v", 0, expected)
        assert trace.conversion == pytest.approx(0.5 * scale, rel=1e-15)
        assert trace.offset == pytest.approx(2.0 * scale, rel=1e-15)


def test_floating_point_samples_and_a_single_column_are_taken(foreign: MakeForeign) -> None:
    samples = np.linspace(0, 1, 20, dtype=np.float32)
    with open_nwb(foreign(series(data=samples[:, None], starting_time=2.5))) as recording:
        (trace,) = recording.traces
        assert (trace.channel, trace.start_s, trace.n_samples) == ("v", 2.5, 20)
        np.testing.assert_array_equal(trace.raw(5, 9), samples[5:9])


def test_each_column_is_a_channel(foreign: MakeForeign) -> None:
    samples = np.arange(30, dtype=np.int32).reshape(10, 3)
    # The second series has the name that a column of the first would get.
    with open_nwb(foreign(series("e", data=samples), series("e_1"))) as recording:
        assert recording.channels == ("e_0", "e_1_", "e_2", "e_1")
        assert recording.traces[2].raw(1, 4).tolist() == [5, 8, 11]


def test_the_factors_of_the_columns_of_an_electrical_series_count(
    folder: Path, session_start: datetime
) -> None:
    file = NWBFile(session_description="Elsewhere.", identifier="i", session_start_time=session_start)
    group = file.create_electrode_group(
        name="g", description="d", location="l", device=file.create_device(name="probe", description="d")
    )
    for _ in range(2):
        file.add_electrode(location="l", group=group)
    file.add_acquisition(
        ElectricalSeries(
            name="e",
            data=np.zeros((5, 2), np.int16),
            electrodes=file.create_electrode_table_region(region=[0, 1], description="Both."),
            rate=1_000.0,
            conversion=0.5,
            channel_conversion=[1.0, 4.0],
        )
    )
    with NWBHDF5IO(folder / "e.nwb", "w") as io:
        io.write(file)
    with open_nwb(folder / "e.nwb") as recording:
        assert [trace.conversion for trace in recording.traces] == [0.5, 2.0]


def test_clamp_series_of_other_programs_are_taken(folder: Path, session_start: datetime) -> None:
    file = NWBFile(session_description="Elsewhere.", identifier="i", session_start_time=session_start)
    electrode = file.create_icephys_electrode(
        name="e", description="d", device=file.create_device(name="d", description="d")
    )
    file.add_acquisition(CurrentClampSeries(name="cc", data=np.zeros(9), electrode=electrode, rate=1e4))
    with NWBHDF5IO(folder / "c.nwb", "w") as io:
        io.write(file)
    with open_nwb(folder / "c.nwb") as recording:
        assert [(trace.channel, trace.unit) for trace in recording.traces] == [("cc", "V")]


def test_regular_timestamps_do_for_a_rate(foreign: MakeForeign) -> None:
    one = series(rate=None, timestamps=3.0 + np.arange(10) / 20_000)
    with open_nwb(foreign(one)) as recording:
        (trace,) = recording.traces
        assert trace.sampling_rate_hz == pytest.approx(20_000, rel=1e-9)
        assert trace.start_s == 3.0


@pytest.mark.parametrize(
    "timestamps",
    [np.arange(10) / 1e4 + 1e-9 * np.eye(10)[4], np.zeros(10), -np.arange(10.0), np.full(10, np.nan)],
)
def test_a_series_with_irregular_timestamps_is_left_out_and_named(
    foreign: MakeForeign, timestamps: np.ndarray[Any, Any]
) -> None:
    path = foreign(series("good"), series("bad", rate=None, timestamps=timestamps))
    with open_nwb(path) as recording:
        assert recording.channels == ("good",)
        assert recording.notes == ("Series 'bad' was left out: its samples are not at regular times.",)


def test_what_is_no_signal_is_left_out_and_named(foreign: MakeForeign) -> None:
    path = foreign(
        series("good"),
        series("cube", data=np.zeros((2, 2, 2))),
        series("flags", data=np.array([True, False])),
        series("none", data=np.zeros(0)),
    )
    with open_nwb(path) as recording:
        assert recording.channels == ("good",)
        assert sorted(recording.notes) == [
            "Series 'cube' was left out: its samples are not numbers of shape (n_samples,) or "
            "(n_samples, n_channels).",
            "Series 'flags' was left out: its samples are not numbers of shape (n_samples,) or "
            "(n_samples, n_channels).",
            "Series 'none' was left out: it has no samples.",
        ]


def test_a_table_in_acquisition_is_left_out_and_named(folder: Path, session_start: datetime) -> None:
    file = NWBFile(session_description="Elsewhere.", identifier="i", session_start_time=session_start)
    column = VectorData(name="c", description="d", data=[1, 2])
    file.add_acquisition(DynamicTable(name="t", description="d", columns=[column]))
    with NWBHDF5IO(folder / "t.nwb", "w") as io:
        io.write(file)
    with (
        pytest.raises(
            ReadError, match=r"found none\. Series 't' was left out: it is a DynamicTable, not a series"
        ),
        open_nwb(folder / "t.nwb"),
    ):
        pass


def test_a_file_without_acquisition_is_refused(foreign: MakeForeign) -> None:
    with (
        pytest.raises(
            ReadError, match=r"expected a regularly sampled series .* found none. /acquisition is empty"
        ),
        open_nwb(foreign()),
    ):
        pass


def test_series_that_claim_the_same_sweep_are_channels_of_their_own(foreign: MakeForeign) -> None:
    comments = "channel=Vm; channel_number=0; sweep=0"
    with open_nwb(foreign(series("a", comments=comments), series("b", comments=comments))) as recording:
        assert recording.channels == ("a", "b")


def test_a_damaged_file_is_answered_in_a_sentence(
    folder: Path, make_recording: Callable[..., Recording], session_start: datetime
) -> None:
    path = folder / "a.nwb"
    write_nwb(make_recording(), path, session_start=session_start)
    with h5py.File(path, "r+") as file:
        del file["session_start_time"]
    with (
        pytest.raises(ReadError, match=r"expected a valid NWB file, found that pynwb cannot read"),
        open_nwb(path),
    ):
        pass


def test_the_stem_of_a_channel_is_that_of_its_series(
    folder: Path,
    make_trace: Callable[..., Trace],
    make_recording: Callable[..., Recording],
    session_start: datetime,
) -> None:
    traces = [
        make_trace("I/V", sweep=0),
        make_trace("I/V", sweep=1),
        make_trace("I:V"),
        make_trace("Vm_sweep_000"),
    ]
    write_nwb(make_recording(*traces), folder / "a.nwb", session_start=session_start)
    with read_file(folder / "a.nwb") as file:
        found, _ = electrical_traces(file)
        assert series_stems(found) == {"I/V": "I_V", "I:V": "I_V_2", "Vm_sweep_000": "Vm_sweep_000"}


def test_samples_that_are_damaged_on_disk_are_named_when_they_are_read(foreign: MakeForeign) -> None:
    path = foreign(series(data=H5DataIO(np.arange(1000), compression="gzip", chunks=(1000,))))
    with h5py.File(path) as file:
        chunk = file["acquisition/v/data"].id.get_chunk_info(0)
    with path.open("r+b") as stream:
        stream.seek(chunk.byte_offset)
        stream.write(bytes(chunk.size))
    with (
        open_nwb(path) as recording,
        pytest.raises(ReadError, match=r"/acquisition/v/data of .*the file is damaged; copy or convert it"),
    ):
        recording.traces[0].values()
