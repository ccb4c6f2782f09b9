"""What is stated about series of other programs: used, checked, kept in the summary, and read back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.icephys import CurrentClampSeries

from builders.known_mepps import AMPLITUDE_V, ONSETS_S, mepp_trace
from builders.nwb_files import changed, objects
from builders.traces import RATE_HZ
from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.nwb import Statements, open_nwb, read_results
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings, detect_file

MakeFile = Callable[..., Path]
MATCHED = DetectionSettings(detectors=("matched_filter",))


@pytest.fixture
def foreign(folder: Path, session_start: datetime) -> MakeFile:
    def make(*series: TimeSeries) -> Path:
        file = NWBFile(session_description="Elsewhere.", identifier="i", session_start_time=session_start)
        for one in series:
            file.add_acquisition(one)
        with NWBHDF5IO(folder / "f.nwb", "w") as io:
            io.write(file)
        return folder / "f.nwb"

    return make


def series(name: str = "Vm", **stated: Any) -> TimeSeries:
    defaults = {"data": np.arange(10_000, dtype=np.int16), "unit": "n.a.", "rate": 10_000.0}
    return TimeSeries(name=name, **(defaults | stated))


def test_a_stated_unit_serves_detection_and_everything_after_it(foreign: MakeFile) -> None:
    # In mV behind a gain of 10; the rate of the file is half the true one.
    path = foreign(series(data=1e4 * mepp_trace(), unit="unknown", rate=RATE_HZ / 2))
    with pytest.raises(ReadError, match=r"'unknown', .* state it with `unit=\{'Vm': 'UNIT'\}`"):
        detect_file(path, settings=MATCHED)
    before = objects(path)
    options = ReadOptions(unit={"Vm": "mV"}, gain={"": 10.0}, sampling_rate_hz=RATE_HZ)
    detect_file(path, settings=MATCHED, read_options=options)
    (result,) = read_results(path)
    assert np.mean(result.mepps.amplitude) == pytest.approx(AMPLITUDE_V, rel=0.05)
    np.testing.assert_allclose(result.mepps.start_s, ONSETS_S, atol=1e-3)
    for stated in ("unit=mV", "gain=10.0", f"sampling_rate_hz={RATE_HZ}"):
        assert stated in result.summary.settings.split("; ")
    assert changed(before, objects(path)) <= {
        "",
        "intervals",
        "intervals/mepps_matched_filter",
        "processing",
        "processing/icephys",
        "processing/icephys/mepp_detections",
        "processing/icephys/mepp_waveform_matched_filter",
    }
    with open_nwb(path) as recording:  # as the summary says
        assert (recording.traces[0].unit, recording.traces[0].sampling_rate_hz) == ("V", RATE_HZ)


def test_another_detector_on_the_channel_needs_the_same_statement(foreign: MakeFile) -> None:
    path = foreign(series(data=1e3 * mepp_trace()))
    detect_file(path, settings=MATCHED, read_options=ReadOptions(unit={"": "mV"}))
    threshold = DetectionSettings(detectors=("threshold",))
    with pytest.raises(UsageError, match=r"found unit mV for matched_filter and unit mV, gain 2.0 for"):
        detect_file(path, settings=threshold, read_options=ReadOptions(unit={"": "mV"}, gain={"": 2.0}))
    detect_file(path, settings=threshold, read_options=ReadOptions(unit={"": "mV"}))
    assert len(read_results(path)) == 2


def test_one_column_of_several_can_be_stated(foreign: MakeFile) -> None:
    path = foreign(series("e", data=np.zeros((100, 2))))
    with open_nwb(path, statements=Statements(unit={"e_1": "mV"})) as recording:
        assert recording.channels == ("e_1",)


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (Statements(unit={"Vn": "mV"}), r"`unit`: .*f\.nwb has no channel 'Vn'; its channels are 'Im', 'Vm'"),
        (Statements(gain={"x": 2.0}), r"`gain`: .* has no channel 'x'"),
        (
            Statements(gain={"": 10.0}),
            r"found 10 for channels of .* \('Im' in A, 'Vm' in V\); .*: 10\}",
        ),
    ],
)
def test_what_fits_no_channel_is_refused(foreign: MakeFile, statements: Statements, message: str) -> None:
    path = foreign(series(unit="volts"), series("Im", unit="amperes"))
    with pytest.raises(UsageError, match=message), open_nwb(path, statements=statements):
        pass


def test_a_stated_unit_has_to_be_electrical(foreign: MakeFile) -> None:
    path = foreign(series())
    with (
        pytest.raises(ReadError, match="its stated unit is 'degC', not volts"),
        open_nwb(path, statements=Statements(unit={"": "degC"})),
    ):
        pass


def test_a_stated_rate_replaces_rounded_timestamps_but_hides_no_gap(foreign: MakeFile) -> None:
    stated = Statements(sampling_rate_hz={"": 10_000.0})
    rounded = np.round(2.0 + np.arange(10_000) / 10_000.0, 3)
    with open_nwb(foreign(series(unit="V", rate=None, timestamps=rounded)), statements=stated) as recording:
        assert (recording.traces[0].sampling_rate_hz, recording.traces[0].start_s) == (10_000.0, 2.0)
    rounded[5_000:] += 30.0
    with (
        pytest.raises(ReadError, match=r"jump from 2\.500000 to 32\.500000 s, which a sampling"),
        open_nwb(foreign(series(unit="V", rate=None, timestamps=rounded)), statements=stated),
    ):
        pass
    rounded[:] = np.nan
    with (
        pytest.raises(ReadError, match="its timestamps are not finite"),
        open_nwb(foreign(series(unit="V", rate=None, timestamps=rounded)), statements=stated),
    ):
        pass


def test_the_unit_that_a_clamp_series_states_counts(folder: Path, session_start: datetime) -> None:
    file = NWBFile(session_description="Elsewhere.", identifier="i", session_start_time=session_start)
    electrode = file.create_icephys_electrode(name="e", device=file.create_device("d"), description="d")
    data = np.ones(10_000)
    file.add_acquisition(CurrentClampSeries(name="Vm", data=data, rate=1e4, electrode=electrode))
    with NWBHDF5IO(folder / "c.nwb", "w") as io:
        io.write(file)
    for unit, conversion in (("mV", 1e-3), ("unknown", 1.0)):
        with h5py.File(folder / "c.nwb", "r+") as handle:
            handle["acquisition/Vm/data"].attrs["unit"] = unit
        with open_nwb(folder / "c.nwb") as recording:
            assert recording.traces[0].conversion == conversion


def test_what_a_link_leads_to_is_named_where_it_is_missing(foreign: MakeFile) -> None:
    path = foreign(series(unit="V"), series("Vn", unit="V"))
    with h5py.File(path, "r+") as handle:
        del handle["acquisition/Vn/data"]
        handle["acquisition/Vn/data"] = h5py.ExternalLink("raw.nwb", "/samples")
        handle["acquisition/Vo"] = h5py.ExternalLink("raw.nwb", "/Vo")
        handle["acquisition/Vp"] = h5py.SoftLink("/acquisition/gone")
        layout = h5py.VirtualLayout((10_000,), np.int16)
        layout[:] = h5py.VirtualSource("virtual.h5", "x", (10_000,))
        attributes = dict(handle["acquisition/Vm/data"].attrs)
        del handle["acquisition/Vm/data"]
        handle.create_virtual_dataset("acquisition/Vm/data", layout).attrs.update(attributes)
    with (
        pytest.raises(ReadError) as caught,
        open_nwb(path),
    ):
        pass
    for missing in (
        "'Vm' was left out: it leads to virtual.h5, which is not there",
        "'Vn' was left out: it leads to /samples of raw.nwb, which is not there",
        "'Vo' was left out: it leads to /Vo of raw.nwb, which is not there",
        "'Vp' was left out: it leads to /acquisition/gone, which is not there",
    ):
        assert missing in str(caught.value)
