"""Detection in NWB files as other programs write them: results come in, nothing else changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile, TimeSeries, get_manager
from pynwb.ecephys import LFP, ElectricalSeries
from pynwb.icephys import CurrentClampSeries, IZeroClampSeries, VoltageClampSeries, VoltageClampStimulusSeries

import nwb_mepp
from builders.command_line import Call
from builders.known_mepps import AMPLITUDE_V, ONSETS_S, TAU_DECAY_S, TAU_RISE_S, mepp_trace
from builders.nwb_files import changed, objects
from builders.traces import RATE_HZ
from nwb_mepp.core.errors import DetectionError, ReadError, UsageError
from nwb_mepp.nwb import read_results
from nwb_mepp.nwb.schema_validation import schema_errors
from nwb_mepp.workflows import DetectionSettings, detect_file
from nwb_mepp.workflows.evaluate import evaluate_file

PEAK_S = TAU_RISE_S * np.log1p(TAU_DECAY_S / TAU_RISE_S)
SUMMARY = "processing/icephys/mepp_detections"


def empty_file() -> NWBFile:
    return NWBFile(
        session_description="Of another program.",
        identifier="i",
        session_start_time=datetime(2026, 1, 15, 10, tzinfo=UTC),
    )


def clamp(file: NWBFile, name: str, kind: type[TimeSeries], **stated: object) -> TimeSeries:
    if "electrode" not in file.icephys_electrodes:
        device = file.create_device(name="amplifier", description="d")
        file.create_icephys_electrode(name="electrode", description="d", device=device)
    return kind(name=name, electrode=file.icephys_electrodes["electrode"], **stated)


def int16_with_gain(file: NWBFile) -> str:
    """Integers with gain and offset in a typed series, as NeuroConv writes an intracellular recording."""
    step = 1e-6
    stored = np.round((mepp_trace() + 0.07) / step).astype(np.int16)
    file.add_acquisition(
        clamp(
            file,
            "CurrentClampSeries001",
            CurrentClampSeries,
            data=stored,
            conversion=step,
            offset=-0.07,
            rate=RATE_HZ,
        )
    )
    return "CurrentClampSeries001"


def sweep_with_stimulus(file: NWBFile) -> str:
    """Single precision in picoamperes, the command beside it, as MIES writes a sweep."""
    current_a = -1e-7 * mepp_trace(level=0.0)  # -100 pA where the voltage has 1 mV
    file.add_acquisition(
        clamp(
            file,
            "data_00000_AD0",
            VoltageClampSeries,
            data=(1e12 * current_a).astype(np.float32),
            conversion=1e-12,
            rate=RATE_HZ,
            starting_time=120.0,
            comments="{sweep: 0}",
        )
    )
    file.add_stimulus(
        clamp(
            file,
            "data_00000_DA0",
            VoltageClampStimulusSeries,
            data=np.zeros(len(current_a), np.float32),
            conversion=1e-3,
            rate=RATE_HZ,
        )
    )
    return "data_00000_AD0"


def matrix_with_timestamps(file: NWBFile) -> str:
    """Double precision in one column with a time for each sample, in millivolts, as from MATLAB."""
    samples = 1e3 * mepp_trace()[:, None]
    times_s = np.round(3.0 + np.arange(len(samples)) / RATE_HZ, 6)
    file.add_acquisition(TimeSeries(name="Vm", data=samples, unit="mV", timestamps=times_s))
    return "Vm"


def izero(file: NWBFile) -> str:
    """Volts as they are, no current injected."""
    series = clamp(file, "rest", IZeroClampSeries, data=mepp_trace(), rate=RATE_HZ)
    file.add_acquisition(series)
    return "rest"


def probe(file: NWBFile) -> str:
    """The second of three columns with factors of their own, in a container of a processing module."""
    group = file.create_electrode_group(
        name="g", description="d", location="l", device=file.create_device(name="probe", description="d")
    )
    for _ in range(3):
        file.add_electrode(location="l", group=group)
    module = file.create_processing_module(name="ecephys", description="Of another program.")
    lfp = LFP()
    module.add(lfp)
    samples = np.zeros((len(mepp_trace()), 3), np.int32)
    samples[:, 1] = np.round(mepp_trace(level=0.0) / 2e-7)
    lfp.add_electrical_series(
        ElectricalSeries(
            name="series",
            data=samples,
            electrodes=file.create_electrode_table_region(region=[0, 1, 2], description="All."),
            rate=RATE_HZ,
            conversion=1e-7,
            channel_conversion=[1.0, 2.0, 3.0],
            offset=-0.001,
        )
    )
    return "processing/ecephys/LFP/series_1"


def write(path: Path, file: NWBFile) -> Path:
    with NWBHDF5IO(path, "w", manager=get_manager()) as io:
        io.write(file)
    return path


SETTINGS = DetectionSettings(detectors=("matched_filter",), polarity="auto")


@pytest.mark.parametrize(
    ("build", "start_s", "amplitude", "table"),
    [
        (int16_with_gain, 0.0, AMPLITUDE_V, "mepps_matched_filter"),
        (sweep_with_stimulus, 120.0, -1e-7 * AMPLITUDE_V, "mepps_matched_filter"),
        (matrix_with_timestamps, 3.0, AMPLITUDE_V, "mepps_matched_filter"),
        (izero, 0.0, AMPLITUDE_V, "mepps_matched_filter"),
        (probe, 0.0, AMPLITUDE_V, "mepps_matched_filter_processing_ecephys_LFP_series_1"),
    ],
)
def test_mepps_come_into_a_file_of_another_program_and_nothing_else_changes(
    tmp_path: Path, build: Callable[[NWBFile], str], start_s: float, amplitude: float, table: str
) -> None:
    file = empty_file()
    channel = build(file)
    path = write(tmp_path / "a.nwb", file)
    before = objects(path)
    # Detecting twice: the second time replaces the first.
    for threshold in (4.0, 6.0):
        settings = DetectionSettings(detectors=("matched_filter",), threshold=threshold, channels=(channel,))
        detect_file(path, settings=settings)
        after = objects(path)
        assert changed(before, {name: after[name] for name in before}) == set()
        new = {name for name in after if name not in before}
        parents = {"intervals", "processing", "processing/icephys"}
        waveform = f"processing/icephys/{table.replace('mepps', 'mepp_waveform', 1)}"
        ours = {
            "/".join(name.split("/")[: 3 if name.startswith("processing") else 2]) for name in new - parents
        }
        assert ours == {SUMMARY, waveform, f"intervals/{table}"}
    (back,) = read_results(path)
    assert back.mepps.channel == channel
    np.testing.assert_allclose(back.mepps.peak_s, start_s + np.array(ONSETS_S) + PEAK_S, atol=0.5e-3)
    # The noise is a twentieth of the amplitude.
    np.testing.assert_allclose(back.mepps.amplitude, amplitude, rtol=0.15)
    assert schema_errors(path) == []


def test_what_was_found_outside_acquisition_can_be_listed_and_judged(tmp_path: Path) -> None:
    file = empty_file()
    file.add_acquisition(series())
    channel = probe(file)
    path = write(tmp_path / "a.nwb", file)
    detect_file(path, settings=DetectionSettings(detectors=("matched_filter",), channels=(channel,)))
    truth = tmp_path / "truth.csv"
    truth.write_text("start_time\n" + "".join(f"{onset_s}\n" for onset_s in ONSETS_S), encoding="utf-8")
    scores = evaluate_file(path, truth=str(truth))
    assert scores.channel == channel
    # Found, missed, false: all of them, none, none.
    assert tuple(scores.counts) == (len(ONSETS_S), 0, 0)


def test_a_series_that_is_linked_gives_what_the_series_itself_gives(tmp_path: Path, call: Call) -> None:
    file = empty_file()
    channel = int16_with_gain(file)
    raw = write(tmp_path / "raw.nwb", file)
    direct = shutil.copy(raw, tmp_path / "direct.nwb")
    path, linking = tmp_path / "linking.nwb", empty_file()
    with NWBHDF5IO(raw, "r") as source:
        linking.add_acquisition(source.read().acquisition[channel])
        with NWBHDF5IO(path, "w", manager=source.manager) as io:
            io.write(linking)
    other = raw.read_bytes()
    for detector in ("threshold", "matched_filter", "matched_filter"):
        for one in (path, direct):
            assert call("detect", one, "--detector", detector).code == 0
    for command in ("events", "summary"):
        # The first column names the file.
        linked, whole = (
            [line.partition(",")[2] for line in call(command, one, "--format", "csv").out.splitlines()]
            for one in (path, direct)
        )
        assert linked == whole
        assert len(linked) > 2
    signals = [nwb_mepp.read(one).segments[0].analogsignals[0] for one in (path, direct)]
    np.testing.assert_array_equal(*signals)
    with h5py.File(path) as handle:
        link = handle.get(f"acquisition/{channel}", getlink=True)
        assert (link.filename, link.path) == ("raw.nwb", f"/acquisition/{channel}")
    assert raw.read_bytes() == other


# Run in a process of its own: here nothing may know the extension.
WRITE_WITH_EXTENSION = """
import sys
from datetime import UTC, datetime

import numpy as np
from pynwb import NWBHDF5IO, NWBFile, TimeSeries, get_class, load_namespaces
from pynwb.spec import NWBAttributeSpec, NWBDatasetSpec, NWBGroupSpec, NWBNamespaceBuilder

folder = sys.argv[1]
builder = NWBNamespaceBuilder("Of a laboratory.", "ndx-laboratory", version="0.1.0", author="a", contact="c")
builder.include_type("LabMetaData", namespace="core")
builder.include_type("TimeSeries", namespace="core")
bath = NWBGroupSpec(
    doc="The bath.",
    neurodata_type_def="Bath",
    neurodata_type_inc="LabMetaData",
    attributes=[NWBAttributeSpec("potassium_mm", "Concentration.", "float64")],
    datasets=[NWBDatasetSpec("Readings.", "float64", name="readings", shape=(None,))],
)
microscope = NWBGroupSpec(
    doc="A series with a setting.",
    neurodata_type_def="TunedSeries",
    neurodata_type_inc="TimeSeries",
    attributes=[NWBAttributeSpec("tuning", "Setting.", "text")],
)
builder.add_spec("ndx-laboratory.extensions.yaml", bath)
builder.add_spec("ndx-laboratory.extensions.yaml", microscope)
builder.export("ndx-laboratory.namespace.yaml", outdir=folder)
load_namespaces(folder + "/ndx-laboratory.namespace.yaml")
file = NWBFile(
    session_description="s", identifier="i", session_start_time=datetime(2026, 1, 15, 10, tzinfo=UTC)
)
file.add_lab_meta_data(
    get_class("Bath", "ndx-laboratory")(name="bath", potassium_mm=2.5, readings=np.array([1.0, 2.0]))
)
file.add_acquisition(
    get_class("TunedSeries", "ndx-laboratory")(
        name="Vm", data=np.load(folder + "/trace.npy"), unit="volts", rate=10_000.0, tuning="coarse"
    )
)
with NWBHDF5IO(folder + "/a.nwb", "w") as io:
    io.write(file)
"""


def test_what_an_extension_that_is_not_installed_added_stays(tmp_path: Path) -> None:
    np.save(tmp_path / "trace.npy", mepp_trace())
    subprocess.run([sys.executable, "-c", WRITE_WITH_EXTENSION, str(tmp_path)], check=True)
    path = tmp_path / "a.nwb"
    before = objects(path)
    assert "general/bath/readings" in before
    assert before["acquisition/Vm"][0]["tuning"] == "'coarse'"
    detect_file(path, settings=SETTINGS)
    after = objects(path)
    assert changed(before, {name: after[name] for name in before}) == set()
    assert any(name.startswith("specifications/ndx-laboratory/0.1.0") for name in after)
    assert len(read_results(path)[0].mepps) == len(ONSETS_S)
    assert schema_errors(path) == []


def series(**stated: object) -> TimeSeries:
    defaults: dict[str, object] = {"data": mepp_trace(), "unit": "volts", "rate": RATE_HZ}
    return TimeSeries(name="Vm", **(defaults | stated))


@pytest.mark.parametrize(
    ("stated", "error", "message"),
    [
        (
            {"rate": 1_999.0},
            DetectionError,
            r"expected .*2000 Hz.*found 1999 Hz",
        ),
        (
            {"rate": None, "timestamps": np.cumsum(1e-4 + 5e-5 * np.sin(np.arange(40_000)))},
            ReadError,
            r"expected a regularly sampled series in volts or amperes .*'Vm' was left out: its samples are "
            r"not at regular times",
        ),
        ({"unit": "unknown"}, ReadError, r"its unit is 'unknown', not volts or amperes"),
    ],
)
def test_what_cannot_be_analyzed_is_refused_and_the_file_stays(
    tmp_path: Path, stated: dict[str, object], error: type[Exception], message: str
) -> None:
    file = empty_file()
    file.add_acquisition(series(**stated))
    path = write(tmp_path / "a.nwb", file)
    untouched = path.read_bytes()
    with pytest.raises(error, match=message):
        detect_file(path, settings=SETTINGS)
    assert path.read_bytes() == untouched
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    file = empty_file()
    file.add_acquisition(series())
    return write(tmp_path / "a.nwb", file)


def test_a_series_that_is_not_there_is_answered_with_those_that_are(plain: Path) -> None:
    with pytest.raises(UsageError, match=r"a.nwb has no channel 'V2'; pass `channels` with one of .*\(Vm\)"):
        detect_file(plain, settings=DetectionSettings(channels=("V2",)))


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.6, 0.999])
def test_a_file_that_lost_its_end_is_refused_and_stays(plain: Path, kept: float) -> None:
    whole = plain.read_bytes()
    plain.write_bytes(whole[: int(kept * len(whole))])
    untouched = plain.read_bytes()
    with pytest.raises(ReadError, match=r"a.nwb.*(is not one or is damaged|cannot read)"):
        detect_file(plain, settings=SETTINGS)
    assert plain.read_bytes() == untouched
    assert list(plain.parent.iterdir()) == [plain]


HOLD = """
import sys

import h5py

with h5py.File(sys.argv[1], "r+") as file:
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_file_that_another_process_writes_is_refused_and_stays(plain: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(plain)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        untouched = plain.read_bytes()
        with pytest.raises(ReadError, match=r"expected to read .*a.nwb, found it locked: another program"):
            detect_file(plain, settings=SETTINGS)
        assert plain.read_bytes() == untouched
        holder.communicate(b"")
    assert list(plain.parent.iterdir()) == [plain]


def test_a_newer_schema_is_refused_and_the_file_stays(plain: Path) -> None:
    with h5py.File(plain, "r+") as file:
        file.attrs["nwb_version"] = "2.99.0"
    untouched = plain.read_bytes()
    with pytest.raises(ReadError, match=r"found .*a.nwb written with 2.99.0; update pynwb"):
        detect_file(plain, settings=SETTINGS)
    assert plain.read_bytes() == untouched
