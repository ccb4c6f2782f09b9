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

from builders.traces import int16_trace, recording_of
from nwb_mepp.core.errors import ReadError
from nwb_mepp.nwb import open_nwb, write_nwb
from nwb_mepp.nwb.contents import read_contents
from nwb_mepp.nwb.hdf5_access import open_hdf5
from nwb_mepp.nwb.reader import electrical_traces, series_stems

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


def test_a_recording_comes_back_as_it_was_written(folder: Path, session_start: datetime) -> None:
    # The file lists series by name: order and names of the channels must come from elsewhere.
    channels = (("Vm/2", "V"), ("Im", "A"))
    traces = [int16_trace(name, sweep=sweep, unit=unit) for name, unit in channels for sweep in range(12)]
    recording = recording_of(*traces, int16_trace("bath", unit="degC"), invalid_times=((0.1, 0.2),))
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


def test_samples_can_be_had_only_while_the_file_is_open(folder: Path, session_start: datetime) -> None:
    write_nwb(recording_of(), folder / "a.nwb", session_start=session_start)
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
        ("Volts", "V", 1.0),
        ("amperes", "A", 1.0),
        ("pA", "A", 1e-12),
        ("kV", "V", 1e3),
        ("mv", "V", 1e-3),
        ("micro Volts", "V", 1e-6),
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
    with h5py.File(folder / "e.nwb", "r+") as damaged:
        del damaged["acquisition/e/channel_conversion"]
        damaged["acquisition/e/channel_conversion"] = np.ones(1)
    with (
        pytest.raises(ReadError, match=r"it has 1 factors \(channel_conversion\) for 2 columns"),
        open_nwb(folder / "e.nwb"),
    ):
        pass


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


@pytest.mark.parametrize("rounded", [lambda t: t.astype(np.float32).astype(float), lambda t: np.round(t, 6)])
def test_timestamps_may_be_rounded_as_files_hold_them(
    foreign: MakeForeign, rounded: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]
) -> None:
    timestamps = rounded(50.0 + np.arange(20_000) / 10_000)
    with open_nwb(foreign(series(data=np.zeros(20_000), rate=None, timestamps=timestamps))) as recording:
        (trace,) = recording.traces
        # 2 s end to end, each end off by at most 2 us.
        assert trace.sampling_rate_hz == pytest.approx(10_000, rel=2e-6)


@pytest.mark.parametrize(
    ("timestamps", "reason"),
    [
        (
            # The fifth sample comes a fifth of a sample late.
            np.arange(10) / 1e4 + 2e-5 * np.eye(10)[4],
            r"its samples are not at regular times (number 4 is at 0.000420 s, due at 0.000400 s)",
        ),
        (
            # A gap of two samples after the fifth: 9 steps in the time of 11 from first to last.
            (np.arange(10) + 2 * (np.arange(10) > 4)) / 1e4,
            r"its samples are not at regular times (number 1 is at 0.000100 s, due at 0.000122 s)",
        ),
        (np.zeros(10), "its timestamps do not rise from the first to the last"),
        (-np.arange(10.0), "its timestamps do not rise from the first to the last"),
        (np.full(10, np.nan), "its timestamps do not rise from the first to the last"),
    ],
)
def test_a_series_with_irregular_timestamps_is_left_out_and_named(
    foreign: MakeForeign, timestamps: np.ndarray[Any, Any], reason: str
) -> None:
    path = foreign(series("good"), series("bad", rate=None, timestamps=timestamps))
    with open_nwb(path) as recording:
        assert recording.channels == ("good",)
        assert recording.notes == (f"Series 'bad' was left out: {reason}.",)


def test_what_is_not_a_signal_is_left_out_and_named(foreign: MakeForeign) -> None:
    path = foreign(
        series("good"),
        series("cube", data=np.zeros((2, 2, 2))),
        series("flags", data=np.array([True, False])),
        series("none", data=np.zeros(0)),
        series("transposed", data=np.zeros((1, 50))),
        series("unscaled", conversion=0.0),
        series("endless", offset=np.inf),
        series("still"),
        series("late", rate=None, timestamps=np.arange(10) / 1e4),
        series("once", data=np.zeros(1), rate=None, timestamps=np.zeros(1)),
    )
    # pynwb itself would not write these two.
    with h5py.File(path, "r+") as file:
        file["acquisition/still/starting_time"].attrs["rate"] = 0.0
        del file["acquisition/late/timestamps"]
        file["acquisition/late/timestamps"] = np.arange(8) / 1e4
    with open_nwb(path) as recording:
        assert recording.channels == ("good",)
        assert sorted(recording.notes) == [
            "Series 'cube' was left out: its samples are not numbers of shape (n_samples,) or "
            "(n_samples, n_channels).",
            "Series 'endless' was left out: its numbers have no plausible scale (conversion 1 V, "
            "offset inf V).",
            "Series 'flags' was left out: its samples are not numbers of shape (n_samples,) or "
            "(n_samples, n_channels).",
            "Series 'late' was left out: it has 10 samples at 8 times.",
            "Series 'none' was left out: it has no samples.",
            "Series 'once' was left out: a single timestamp states no sampling rate.",
            "Series 'still' was left out: its sampling rate is 0 Hz, expected from 0.01 Hz to 100 MHz.",
            "Series 'transposed' was left out: its samples have the shape (1, 50), a single moment of 50 "
            "channels: NWB puts time first.",
            "Series 'unscaled' was left out: its numbers have no plausible scale (conversion 0 V, "
            "offset 0 V).",
        ]


@pytest.mark.parametrize(
    ("rate", "start_s", "reason"),
    [
        (1.7e38, 0.0, r"its sampling rate is 1\.7e\+38 Hz, expected from 0\.01 Hz to 100 MHz"),
        (4.3e-37, 0.0, r"its sampling rate is 4\.3e-37 Hz, expected from"),
        (1e4, 1e30, r"its start is 1e\+30 s and its duration 0\.001 s"),
        (1e4, np.nan, r"its start is nan s"),
    ],
)
def test_times_that_no_recording_has_are_refused(
    foreign: MakeForeign, rate: float, start_s: float, reason: str
) -> None:
    path = foreign(series(data=np.zeros(10)))
    with h5py.File(path, "r+") as file:
        file["acquisition/v/starting_time"].attrs["rate"] = rate
        file["acquisition/v/starting_time"][()] = start_s
    with pytest.raises(ReadError, match=reason), open_nwb(path):
        pass


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


def test_a_damaged_file_is_answered_in_a_sentence(folder: Path, session_start: datetime) -> None:
    path = folder / "a.nwb"
    write_nwb(recording_of(), path, session_start=session_start)
    with h5py.File(path, "r+") as file:
        del file["session_start_time"]
    with (
        pytest.raises(ReadError, match=r"expected a valid NWB file, found that pynwb cannot read"),
        open_nwb(path),
    ):
        pass


def test_the_stem_of_a_channel_is_that_of_its_series(folder: Path, session_start: datetime) -> None:
    traces = [
        int16_trace("I/V", sweep=0),
        int16_trace("I/V", sweep=1),
        int16_trace("I:V"),
        int16_trace("Vm_sweep_000"),
    ]
    write_nwb(recording_of(*traces), folder / "a.nwb", session_start=session_start)
    with open_hdf5(folder / "a.nwb") as handle:
        stems = read_contents(handle, lambda file: series_stems(electrical_traces(file)[0]))
        assert stems == {"I/V": "I_V", "I:V": "I_V_2", "Vm_sweep_000": "Vm_sweep_000"}


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


@pytest.mark.parametrize("version", ["2.99.0", "3.0.0"])
def test_a_newer_schema_than_pynwb_knows_is_refused(foreign: MakeForeign, version: str) -> None:
    path = foreign(series())
    with h5py.File(path, "r+") as file:
        file.attrs["nwb_version"] = version
    expected = {
        "2.99.0": r"expected a file of NWB schema 2\.\d+\.\d+ or older, .* with 2\.99\.0; update pynwb",
        "3.0.0": r"expected an NWB 2 file, found NWB 3\.0\.0 in .*foreign.nwb; update nwb-mepp\.",
    }[version]
    with pytest.raises(ReadError, match=expected), open_nwb(path):
        pass


def test_a_corrected_version_of_the_known_schema_is_read(foreign: MakeForeign) -> None:
    path = foreign(series())
    with h5py.File(path, "r+") as file:
        major, minor, _ = file.attrs["nwb_version"].split(".")
        file.attrs["nwb_version"] = f"{major}.{minor}.99"
    with open_nwb(path) as recording:
        assert recording.channels == ("v",)


def test_the_series_of_one_sweep_is_not_a_channel_of_several_columns(
    folder: Path, session_start: datetime
) -> None:
    sweeps = [int16_trace("Vm", sweep=sweep) for sweep in range(2)]
    write_nwb(recording_of(*sweeps), folder / "a.nwb", session_start=session_start)
    with open_nwb(folder / "a.nwb", channels=["Vm_sweep_000"]) as recording:
        assert recording.channels == ("Vm",)
