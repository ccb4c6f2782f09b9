"""A pipeline of NeuroConv gets MEPPs by one more line."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import jsonschema
import numpy as np
import pytest
from hdmf.data_utils import DataChunkIterator
from neuroconv import BaseDataInterface, ConverterPipe
from neuroconv.datainterfaces import AxonIntracellularInterface
from neuroconv.tools.hdmf import SliceableDataChunkIterator
from pynwb import NWBFile, TimeSeries

from builders.known_mepps import ONSETS_S, TAU_DECAY_S, TAU_RISE_S, mepp_trace
from builders.traces import RATE_HZ
from nwb_mepp.core.errors import OutputError, ReadError, UsageError
from nwb_mepp.neuroconv import MEPPIntervalsInterface, NeoIntracellularInterface
from nwb_mepp.nwb import is_failure, open_nwb, read_results, validate_nwb
from nwb_mepp.readers import read_recording
from nwb_mepp.workflows import DetectionSettings, WriteOptions, run_file

DATA = Path(__file__).resolve().parents[1] / "data"
START = datetime(2026, 1, 15, 10, tzinfo=UTC)
PEAKS_S = np.array(ONSETS_S) + TAU_RISE_S * np.log1p(TAU_DECAY_S / TAU_RISE_S)


def run(path: Path, *interfaces: BaseDataInterface) -> Path:
    pipe = ConverterPipe(list(interfaces))
    metadata = pipe.get_metadata()
    metadata["NWBFile"].setdefault("session_start_time", START)
    pipe.run_conversion(nwbfile_path=path, metadata=metadata, overwrite=True)
    return path


def finder(**stated: Any) -> MEPPIntervalsInterface:
    return MEPPIntervalsInterface(detectors="matched_filter", **stated)


class Series(BaseDataInterface):
    """An interface of a laboratory: one series, its samples however NeuroConv lets them be given."""

    def __init__(self, data: object, name: str = "Vm") -> None:
        super().__init__()
        self.data, self.name = data, name

    def add_to_nwbfile(self, nwbfile: NWBFile, metadata: dict[str, Any] | None = None) -> None:
        del metadata
        nwbfile.add_acquisition(TimeSeries(name=self.name, data=self.data, unit="volts", rate=RATE_HZ))


@pytest.mark.parametrize(
    ("wrap", "channel"),
    [
        (lambda trace: trace, "Vm"),
        (lambda trace: trace.tolist(), "Vm"),
        (lambda trace: SliceableDataChunkIterator(trace, chunk_shape=(1_000,), buffer_shape=(7_000,)), "Vm"),
        (
            lambda trace: SliceableDataChunkIterator(
                np.stack([0 * trace, trace], axis=1), chunk_shape=(1_000, 2), buffer_shape=(7_000, 2)
            ),
            "Vm_1",
        ),
    ],
)
def test_mepps_are_found_in_what_an_earlier_interface_adds(tmp_path: Path, wrap: Any, channel: str) -> None:
    path = run(tmp_path / "a.nwb", Series(wrap(mepp_trace())), finder(channels=channel))
    (result,) = read_results(path)
    assert result.mepps.channel == channel
    np.testing.assert_allclose(result.mepps.peak_s, PEAKS_S, atol=0.5e-3)
    with open_nwb(path) as recording:
        np.testing.assert_array_equal(recording.sweeps(channel)[0].values(), mepp_trace())


def test_mepps_come_into_a_recording_that_neuroconv_itself_reads(tmp_path: Path) -> None:
    interface = AxonIntracellularInterface(
        file_path=DATA / "simulated.abf", response_channel_name="Vm", mode="izero"
    )
    path = run(tmp_path / "a.nwb", interface, finder())
    (result,) = read_results(path)
    assert not [one.message for one in validate_nwb(path) if one.source == "pynwb"]
    expected = run_file(
        DATA / "simulated.abf",
        tmp_path / "own.nwb",
        settings=DetectionSettings(detectors=("matched_filter",)),
        write_options=WriteOptions(session_start=START.isoformat()),
        picture=False,
    )
    assert len(result.mepps) == expected.found[0][2]
    np.testing.assert_allclose(result.mepps.peak_s, read_results(tmp_path / "own.nwb")[0].mepps.peak_s)


def test_a_lab_file_comes_with_its_raw_numbers_metadata_and_source(tmp_path: Path) -> None:
    interface = NeoIntracellularInterface(
        DATA / "simulated.abf", clamp="izero", metadata=DATA / "metadata.yaml"
    )
    path = run(tmp_path / "a.nwb", interface, finder())
    source = read_recording(DATA / "simulated.abf").traces[0]
    with open_nwb(path) as recording:
        (trace,) = recording.traces
        np.testing.assert_array_equal(trace.raw(), source.raw())
        assert (trace.conversion, trace.offset) == (source.conversion, source.offset)
    with h5py.File(path) as file:
        assert file["acquisition/Vm"].attrs["neurodata_type"] == "IZeroClampSeries"
        assert file["general/subject/subject_id"].asstr()[()] == "example-mouse-1"
        assert file["processing/icephys/source_files/file_name"].asstr()[:].tolist() == ["simulated.abf"]
    assert [one.message for one in validate_nwb(path, dandi=True) if is_failure(one)] == []


def test_two_recordings_of_one_session_share_the_table_of_sources(tmp_path: Path) -> None:
    for name, onset_s in (("a", 1.0), ("b", 2.0)):
        values = mepp_trace(onsets_s=[onset_s], duration_s=3.0)
        rows = "".join(f"{0.1 * number:.1f},{value:.9g}\n" for number, value in enumerate(values))
        (tmp_path / f"{name}.csv").write_text(f"Time_ms,{name}\n{rows}", encoding="utf-8")
    path = run(
        tmp_path / "out.nwb",
        NeoIntracellularInterface(tmp_path / "a.csv", unit="V"),
        NeoIntracellularInterface(tmp_path / "b.csv", unit={"b": "V"}),
        finder(channels="b"),
    )
    with h5py.File(path) as file:
        assert file["processing/icephys/source_files/file_name"].asstr()[:].tolist() == ["a.csv", "b.csv"]
        assert sorted(file["acquisition"]) == ["a", "b"]
        assert "mepps_matched_filter_b" in file["intervals"]


def test_the_time_that_the_file_states_counts_once_its_zone_is_known(shared_data: Path) -> None:
    file = shared_data / "recordings" / "171116sh_0020.abf"
    assert "session_start_time" not in NeoIntracellularInterface(file).get_metadata()["NWBFile"]
    stated = NeoIntracellularInterface(file, timezone="UTC").get_metadata()["NWBFile"]["session_start_time"]
    assert stated.isoformat(timespec="seconds") == "2017-11-16T14:12:24+00:00"


def test_the_sweeps_of_a_real_recording_are_analyzed_in_a_pipeline(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "recordings" / "171116sh_0020.abf"
    later_s = (20.0, 70.0)  # two sweeps of seven are enough
    finding = finder(exclude=[list(later_s)])
    path = run(tmp_path / "a.nwb", NeoIntracellularInterface(file, timezone="UTC"), finding)
    (result,) = read_results(path)
    run_file(
        file,
        tmp_path / "own.nwb",
        settings=DetectionSettings(detectors=("matched_filter",), exclude=(later_s,)),
        write_options=WriteOptions(timezone="UTC"),
        picture=False,
    )
    (own,) = read_results(tmp_path / "own.nwb")
    np.testing.assert_array_equal(result.mepps.start_index, own.mepps.start_index)
    np.testing.assert_array_equal(result.mepps.sweep, own.mepps.sweep)
    assert set(own.mepps.sweep) == {0, 1}


@pytest.mark.parametrize(
    ("interfaces", "error", "message"),
    [
        ((finder(),), ReadError, r"of the file of this pipeline, found none. /acquisition is empty"),
        ((Series(mepp_trace()), finder(channels="Im")), UsageError, "has no channel 'Im'; pass `channels`"),
        (
            (Series(mepp_trace()), finder(), finder()),
            OutputError,
            "the file already has results in .*; replace them",
        ),
        (
            (Series(DataChunkIterator(iter(mepp_trace()))), finder()),
            ReadError,
            r"'Vm' was left out: its samples \(DataChunkIterator\) cannot be read before they are written",
        ),
    ],
)
def test_what_cannot_be_analyzed_is_refused_and_nothing_written(
    tmp_path: Path, interfaces: tuple[BaseDataInterface, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run(tmp_path / "a.nwb", *interfaces)
    assert list(tmp_path.iterdir()) == []


def test_both_describe_their_arguments_as_neuroconv_asks() -> None:
    assert NeoIntracellularInterface.get_source_schema()["required"] == ["file_path"]
    schema = MEPPIntervalsInterface.get_source_schema()
    for polarity in ("auto", "positive", "negative"):
        jsonschema.validate({"polarity": polarity}, schema)
    with pytest.raises(jsonschema.ValidationError, match="'up' is not one of"):
        jsonschema.validate({"polarity": "up"}, schema)


def test_without_neuroconv_the_extra_is_named() -> None:
    code = "import sys; sys.modules['neuroconv'] = None; import nwb_mepp.neuroconv"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert "found it not installed; install it with pip install 'nwb-mepp[neuroconv]'" in finished.stderr
