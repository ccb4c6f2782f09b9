"""``nwb-mepp convert`` on a file of every format at hand, compared with what Neo (or pyabf) returns.

Each row of ``CASES`` is a file, the options that it needs, and the class of Neo that says what is in it.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pyabf
import pyedflib
import pytest
import quantities as pq
from pynwb import NWBHDF5IO, NWBFile

from builders.lab_files import write_intan, write_neuralynx, write_tdt
from builders.neo_objects import full_block, write_matlab, write_neo_text, write_nix

START = ("--session-start", "2026-01-15T10:00:00Z", "--override")
RAW_BINARY = ("--reader", "rawbinarysignal", "--dtype", "int16", "--n-channels", "2")

# What NWB calls the unit that Neo gives, and the factor to it. BrainVision without a unit is in microvolts.
UNITS = {
    "V": ("volts", 1.0),
    "mV": ("volts", 1e-3),
    "uV": ("volts", 1e-6),
    "u": ("volts", 1e-6),
    "pA": ("amperes", 1e-12),
    "nA": ("amperes", 1e-9),
    "A": ("amperes", 1.0),
    "degC": ("degC", 1.0),
}


@dataclass(frozen=True)
class Case:
    file: str
    neo_class: str
    options: tuple[str, ...] = ()
    neo_arguments: Mapping[str, Any] = field(default_factory=dict)
    unit: str | None = None
    only: str | None = None
    laid_end_to_end: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()


CASES = [
    Case("File_axon_3.abf", "AxonIO"),
    Case("File_axon_5.abf", "AxonIO"),
    Case("File_axon_7.abf", "AxonIO"),
    Case("File_WinEDR_1.EDR", "WinEdrIO"),
    Case("File_winwcp_1.wcp", "WinWcpIO", laid_end_to_end=True),
    Case("File_spike2_1.smr", "Spike2IO"),
    Case("File_micromed_1.TRC", "MicromedIO"),
    Case("File_neuroexplorer_1.nex", "NeuroExplorerIO"),
    Case("testNeoElanIO.eeg", "ElanIO"),
    Case("File_brainvision_binary_multiplexed_3.vhdr", "BrainVisionIO"),
    Case("B95_Ch0_IDRest_107.ibw", "IgorIO"),
    # The other waves of the experiment have no unit: coefficients of fits, settings.
    Case("B95_Ch0_IDRest_107.pxp", "IgorIO", only="AA_IDRest_Ch0_107"),
    Case(
        "File_RAW_1_10kHz_2channels.raw",
        "RawBinarySignalIO",
        options=(*RAW_BINARY, "--sampling-rate", "10000", "--unit", "mV"),
        neo_arguments={"dtype": "int16", "nb_channel": 2, "sampling_rate": 10_000.0},
        unit="mV",
    ),
]
# Side files of the formats above, and the file that pyabf rather than Neo reads.
OTHERS = {
    "18702001-step.atf",
    "File_brainvision_binary_multiplexed_3.dat",
    "File_brainvision_binary_multiplexed_3.vmrk",
    "testNeoElanIO.eeg.ent",
    "testNeoElanIO.eeg.pos",
}


def test_every_file_at_hand_has_a_row(shared_data: Path) -> None:
    at_hand = {path.name for path in (shared_data / "formats").iterdir()}
    assert at_hand == {case.file for case in CASES} | OTHERS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_everything_that_neo_returns_is_in_the_nwb_file(
    case: Case, call: Any, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "formats" / case.file
    called = call("convert", path, "-o", tmp_path, *START, *case.options)
    assert called.code == 0, called.err
    reader = getattr(neo.io, case.neo_class)(str(path), **case.neo_arguments)
    block = read_all(reader)
    with NWBHDF5IO(tmp_path / f"{case.file}.nwb", "r") as io:
        compare(io.read(), block, case)


def write_edf(path: Path) -> Path:
    """Write two channels, of 2 kHz and 500 Hz; EDF has 16 bits and records of a second."""
    writer = pyedflib.EdfWriter(str(path), 2, file_type=pyedflib.FILETYPE_EDF)
    random = np.random.default_rng(3)
    common = {
        "dimension": "mV",
        "physical_min": -100.0,
        "physical_max": 100.0,
        "digital_min": -32768,
        "digital_max": 32767,
    }
    writer.setSignalHeaders(
        [{"label": label, "sample_frequency": rate, **common} for label, rate in (("Vm", 2000), ("Im", 500))]
    )
    writer.writeSamples([random.normal(-70.0, 1.0, 6000), random.normal(0.0, 5.0, 1500)])
    writer.close()
    return path


# One file of each format that can be written here, most from a block with one of everything.
GENERATED: dict[str, tuple[Callable[[Path], Path], Case]] = {
    "nix": (lambda path: write_nix(path, full_block(t_start_s=1.5)), Case("run.nix", "NixIO")),
    "matlab": (lambda path: write_matlab(path, full_block(t_start_s=1.5)), Case("run.mat", "NeoMatlabIO")),
    "text": (
        lambda path: write_neo_text(path, full_block(n_sweeps=1)),
        Case(
            "run.txt",
            "AsciiSignalIO",
            options=("--sampling-rate", "2000", "--unit", "mV"),
            neo_arguments={
                "delimiter": "\t",
                "usecols": (1, 2),
                "units": pq.mV,
                "sampling_rate": 2 * pq.kHz,
            },
            names={"Column 0": "channel 1", "Column 1": "channel 2"},
        ),
    ),
    "edf": (write_edf, Case("run.edf", "EDFIO")),
    "neuralynx": (write_neuralynx, Case("run", "NeuralynxIO")),
    "tdt": (lambda path: write_tdt(path.parent, name=path.stem), Case("run.tsq", "TdtIO")),
    # Its digital channel has no unit.
    "intan": (
        lambda path: write_intan(path.parent / "day") / "info.rhd",
        Case("info.rhd", "IntanIO", without=("trigger",)),
    ),
}


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_file_arrives_as_neo_returns_it(name: str, call: Any, tmp_path: Path) -> None:
    write, case = GENERATED[name]
    path = write(tmp_path / case.file)
    called = call("convert", path, "-o", tmp_path / "out", *START, *case.options)
    assert called.code == 0, called.err
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Neo and quantities, for their programmers
        block = read_all(getattr(neo.io, case.neo_class)(str(path), **case.neo_arguments))
        assert any(segment.analogsignals for segment in block.segments)
        with NWBHDF5IO(tmp_path / "out" / f"{case.file}.nwb", "r") as io:
            compare(io.read(), block, case)


def test_a_pickle_is_refused_as_unsafe(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.pkl"
    neo.io.PickleIO(str(path)).write_block(full_block(n_sweeps=1))
    called = call("convert", path, "-o", tmp_path / "out", *START)
    assert called.code == 1
    assert "run.pkl is a pickle file, and opening one can run arbitrary code" in called.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("channel", [0, 1])
def test_an_atf_file_arrives_as_pyabf_returns_it(
    channel: int, call: Any, shared_data: Path, tmp_path: Path
) -> None:
    path = shared_data / "formats" / "18702001-step.atf"
    called = call("convert", path, "-o", tmp_path, *START)
    assert called.code == 0, called.err
    atf = pyabf.ATF(path)
    with NWBHDF5IO(tmp_path / f"{path.name}.nwb", "r") as io:
        series = io.read().acquisition
        assert len(series) == len(atf.data) == 6
        for sweep in range(3):
            atf.setSweep(sweep, channel)
            one = series[f"IN {channel}_sweep_{sweep:03d}"]
            np.testing.assert_array_equal(one.data[:], atf.sweepY)
            unit = atf.sweepLabelY.partition("(")[2].rstrip(")")
            assert (one.unit, one.conversion) == ("amperes", {"pA": 1e-12, "A": 1.0}[unit])
            assert one.rate == atf.dataRate == 20_000
            assert one.starting_time == sweep  # the header states 0, 1000 and 2000 ms


def test_a_file_with_one_of_everything_is_valid(call: Any, tmp_path: Path) -> None:
    metadata = Path(__file__).resolve().parents[2] / "data" / "metadata.yaml"
    path = write_nix(tmp_path / "run.nix", full_block())
    called = call("convert", path, "-o", tmp_path / "out", *START, "--metadata", metadata)
    assert called.code == 0, called.err
    checked = call("validate", tmp_path / "out" / "run.nix.nwb")
    assert checked.code == 0, checked.out
    found = [line for line in checked.out.splitlines() if "SUGGESTION" not in line]
    assert found == [f"{tmp_path / 'out' / 'run.nix.nwb'}: valid"]


def read_all(reader: Any) -> neo.Block:
    """Let Neo read everything, each channel as a signal of its own where Neo can do that."""
    if hasattr(reader, "get_analogsignal_chunk") and not isinstance(reader, neo.io.IntanIO):
        return reader.read_block(signal_group_mode="split-all")
    return reader.read_block()


def compare(file: NWBFile, block: neo.Block, case: Case) -> None:
    compare_signals(file, block, case)
    compare_events(file, block, repeated=case.neo_class == "AxonIO")
    compare_epochs(file, block)
    compare_spikes(file, block)


def compare_signals(file: NWBFile, block: neo.Block, case: Case) -> None:
    expected = list(signals_of(block, case))
    irregular = compare_irregular(file, block)
    assert set(file.acquisition) == {name for name, _, _, _ in expected} | irregular
    for name, signal, column, start_s in expected:
        series = file.acquisition[name]
        unit, scale = UNITS[case.unit or signal.units.dimensionality.string]
        values = signal.magnitude[:, column].astype(np.float64) * scale
        found = series.data[:] * series.conversion + series.offset
        # Neo gives single precision: seven digits of the largest sample.
        np.testing.assert_allclose(found, values, rtol=1e-6, atol=1e-6 * np.abs(values).max())
        assert series.unit == unit
        assert series.rate == pytest.approx(float(signal.sampling_rate.rescale("Hz")), rel=1e-12)
        assert series.starting_time == pytest.approx(start_s, abs=1e-9)


def signals_of(block: neo.Block, case: Case) -> Iterator[tuple[str, Any, int, float]]:
    """Yield name of the series, signal, column and start of each channel and sweep, as Neo has them."""
    n_sweeps = 1 if case.only else len(block.segments)
    laid_s = 0.0
    for sweep, segment in enumerate(block.segments):
        for signal in segment.analogsignals:
            start_s = laid_s if case.laid_end_to_end else float(signal.t_start.rescale("s"))
            for column in range(signal.shape[1]):
                alone = signal.name if signal.shape[1] == 1 else f"{signal.name} {column}"
                stated = signal.array_annotations.get("channel_names")
                name = alone if stated is None else str(stated[column])
                name = case.names.get(name, name)
                if case.only in (None, name) and name not in case.without:
                    yield name if n_sweeps == 1 else f"{name}_sweep_{sweep:03d}", signal, column, start_s
        laid_s += float(segment.analogsignals[0].duration.rescale("s"))


def compare_irregular(file: NWBFile, block: neo.Block) -> set[str]:
    names = set()
    for sweep, segment in enumerate(block.segments):
        for signal in segment.irregularlysampledsignals:
            names.add(name := f"{signal.name}_sweep_{sweep:03d}")
            series = file.acquisition[name]
            np.testing.assert_array_equal(series.data[:], signal.magnitude[:, 0])
            np.testing.assert_array_equal(series.timestamps[:], signal.times.rescale("s").magnitude)
            assert series.unit == UNITS[signal.units.dimensionality.string][0]
    return names


def numbered(names: Sequence[str]) -> list[str]:
    """Return names with ' #2', ' #3' behind those that came before."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return found


def compare_events(file: NWBFile, block: neo.Block, *, repeated: bool = False) -> None:
    expected: dict[str, list[tuple[float, str]]] = {}
    # Neo repeats the tags of an ABF file in each of its segments.
    for segment in block.segments[:1] if repeated else block.segments:
        for name, event in zip(numbered([e.name for e in segment.events]), segment.events, strict=True):
            labels = event.labels if len(event.labels) else [""] * len(event)
            rows = list(zip(event.times.rescale("s").magnitude.tolist(), map(str, labels), strict=True))
            if rows:
                expected.setdefault(name, []).extend(rows)
    tables = file.events or {}
    assert set(tables) == set(expected)
    for name, rows in expected.items():
        table = tables[name]
        found = table["annotation"][:] if "annotation" in table.colnames else [""] * len(table)
        pairs = sorted(zip(table["timestamp"][:].tolist(), found, strict=True))
        assert [label for _, label in pairs] == [label for _, label in sorted(rows)]
        np.testing.assert_allclose([t for t, _ in pairs], [t for t, _ in sorted(rows)], rtol=1e-7, atol=1e-9)


def compare_epochs(file: NWBFile, block: neo.Block) -> None:
    expected: dict[str, list[tuple[float, float, str]]] = {}
    for segment in block.segments:
        for epoch in segment.epochs:
            starts, durations = (q.rescale("s").magnitude for q in (epoch.times, epoch.durations))
            labels = map(str, epoch.labels if len(epoch.labels) else [""] * len(epoch))
            rows = list(zip(starts.tolist(), (starts + durations).tolist(), labels, strict=True))
            if rows:
                expected.setdefault(f"epochs_{epoch.name}", []).extend(rows)
    tables = file.intervals or {}
    # Neo leaves out what the protocol of an Axon file states of its commands.
    protocol = {name for name in tables if name == "protocol_epochs" or "digital_output" in name}
    assert set(tables) - protocol == set(expected)
    assert not protocol or block.file_origin.endswith(".abf")
    for name, rows in expected.items():
        table = tables[name]
        np.testing.assert_allclose(table["start_time"][:], [row[0] for row in sorted(rows)], atol=1e-9)
        np.testing.assert_allclose(table["stop_time"][:], [row[1] for row in sorted(rows)], atol=1e-9)
        if any(row[2] for row in rows):
            assert list(table["annotation"][:]) == [row[2] for row in sorted(rows)]


def compare_spikes(file: NWBFile, block: neo.Block) -> None:
    expected: dict[str, list[float]] = {}
    for segment in block.segments:
        names = numbered([train.name for train in segment.spiketrains])
        for name, train in zip(names, segment.spiketrains, strict=True):
            expected.setdefault(name, []).extend(train.times.rescale("s").magnitude.tolist())
    if not any(expected.values()):
        assert file.units is None
        return
    assert list(file.units["unit_name"][:]) == list(expected)
    for row, times_s in enumerate(expected.values()):
        np.testing.assert_allclose(file.units["spike_times"][row], sorted(times_s), rtol=1e-9, atol=1e-9)
