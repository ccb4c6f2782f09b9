"""The shipped recordings: made by the committed script, equal to each other, true to their truth."""

from __future__ import annotations

import csv
import doctest
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from nwb_mepp.core.results import ChannelResult
from nwb_mepp.evaluation import count_matches, f1, match_times
from nwb_mepp.readers import ReadOptions, find_recordings, read_recording
from nwb_mepp.workflows import DetectionSettings, analyze

DATA = Path(__file__).resolve().parents[1] / "data"
READ_WITH = {
    "simulated.abf": ReadOptions(),
    "simulated_labchart.txt": ReadOptions(gain=10),
    "simulated_labeled.csv": ReadOptions(unit={"": "V"}),
}
MADE = (
    "simulated.abf",
    "simulated_labchart.txt",
    "simulated_labeled.csv",
    "truth/mepps.csv",
    "truth/mepps_events.txt",
)


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make", DATA / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made_again(make: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("made_again")
    make.main(folder)
    return folder


@pytest.fixture(scope="module")
def labchart_volts() -> np.ndarray:
    lines = (DATA / "simulated_labchart.txt").read_text("cp1251").splitlines()[1:]
    return np.array([float(line.split("\t")[1].replace(",", ".")) for line in lines])


@pytest.fixture(scope="module")
def labeled() -> np.ndarray:
    return np.loadtxt(DATA / "simulated_labeled.csv", delimiter=",", skiprows=1)


@pytest.fixture(scope="module")
def truth() -> dict[str, np.ndarray]:
    with (DATA / "truth" / "mepps.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("name", MADE)
def test_the_script_makes_every_file_again_byte_by_byte(name: str, made_again: Path) -> None:
    assert (made_again / name).read_bytes() == (DATA / name).read_bytes()


def test_the_script_makes_nothing_that_is_not_shipped(made_again: Path) -> None:
    made = {path.relative_to(made_again).as_posix() for path in made_again.rglob("*") if path.is_file()}
    assert made == set(MADE)


def test_the_examples_in_the_script_hold(make: ModuleType) -> None:
    results = doctest.testmod(make)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("name", MADE)
def test_no_file_is_large(name: str) -> None:
    assert (DATA / name).stat().st_size < 3_000_000


def test_neo_reads_the_abf_as_one_gap_free_channel_with_unit_rate_and_name() -> None:
    import neo

    reader = neo.io.AxonIO(str(DATA / "simulated.abf"))
    (segment,) = reader.read_block().segments
    (signal,) = segment.analogsignals
    assert signal.shape == (100_000, 1)
    assert str(signal.units.dimensionality) == "V"
    assert float(signal.sampling_rate.rescale("Hz")) == 10_000.0
    assert reader.header["signal_channels"]["name"].tolist() == ["Vm"]


def test_abf_and_labchart_text_hold_the_same_voltages_to_the_last_bit(labchart_volts: np.ndarray) -> None:
    import neo

    raw = neo.io.AxonIO(str(DATA / "simulated.abf")).get_analogsignal_chunk().ravel()
    assert raw.dtype == np.int16
    assert (raw / 32768 == labchart_volts / 10).all()  # a step is 2**-15 V; the amplifier multiplies by 10


def test_labeled_text_differs_from_labchart_text_by_one_level_only(
    labchart_volts: np.ndarray, labeled: np.ndarray
) -> None:
    assert len(np.unique(labchart_volts / 10 - labeled[:, 1])) == 1
    assert labeled[:, 1].mean() == pytest.approx(0.0, abs=2**-16)


def test_labels_cover_the_true_mepps_from_onset_to_end(
    labeled: np.ndarray, truth: dict[str, np.ndarray]
) -> None:
    starts, stops = truth["start_time"], truth["stop_time"]
    times_s = labeled[:, 0] / 1000
    inside = ((times_s[:, np.newaxis] >= starts) & (times_s[:, np.newaxis] < stops)).any(axis=1)
    assert (labeled[:, 2] == inside).all()


def test_truth_is_sorted_upright_and_about_eight_noise_sd_large(truth: dict[str, np.ndarray]) -> None:
    starts, stops, peaks = truth["start_time"], truth["stop_time"], truth["peak_time"]
    assert len(starts) == 28
    assert (np.diff(starts) > 0).all()
    assert (starts < peaks).all()
    assert (stops[:-1] <= starts[1:]).all()
    # 28 log-normal amplitudes with CV 0.35 about 0.8 mV: their mean is known to 7 %, giants aside.
    assert np.median(truth["amplitude"]) == pytest.approx(0.8e-3, rel=0.25)


def test_the_event_table_lists_the_same_mepps_in_milliseconds_and_millivolts(
    truth: dict[str, np.ndarray],
) -> None:
    head, *lines = (DATA / "truth" / "mepps_events.txt").read_text("cp1251").splitlines()
    table = np.array([[float(cell.replace(",", ".")) for cell in line.split("\t")] for line in lines])
    assert head.split("\t")[:3] == [str(len(lines)), "Time (ms)", "Amplitude"]
    assert table[:, 1] / 1000 == pytest.approx(truth["peak_time"], abs=1e-7)
    assert table[:, 2] / 1000 == pytest.approx(truth["amplitude"], abs=1e-7)


def test_the_metadata_state_what_archives_ask_for() -> None:
    from nwb_mepp.nwb import load_metadata

    metadata = load_metadata(DATA / "metadata.yaml")
    assert {"subject_id", "species", "sex", "age"} <= set(metadata.subject.stated)
    assert metadata.electrode_of("Vm").stated["cell_id"] == "example-fiber-1"
    assert metadata.session.experimenter == ()  # an example names nobody


def results(detector: str) -> dict[str, ChannelResult]:
    """Return what a detector finds in each of the three files, read as the README says."""
    found = {}
    for name, options in READ_WITH.items():
        settings = DetectionSettings(detectors=(detector,))
        (found[name],) = analyze(read_recording(DATA / name, options=options), settings=settings)
    return found


@pytest.fixture(scope="module", params=["matched_filter", "miniunet"])
def found(request: pytest.FixtureRequest) -> dict[str, ChannelResult]:
    return results(request.param)


def test_the_three_formats_give_the_same_mepps_to_the_sample(found: dict[str, ChannelResult]) -> None:
    abf, *others = (result.mepps for result in found.values())
    for mepps in others:
        for name in ("start_index", "peak_index", "stop_index", "overlapped"):
            assert getattr(mepps, name).tolist() == getattr(abf, name).tolist(), name
        for name in ("start_s", "peak_s", "stop_s", "rise_10_90_s", "probability"):
            assert getattr(mepps, name) == pytest.approx(getattr(abf, name), abs=1e-9, nan_ok=True), name
        # A nanovolt is a thirty-thousandth of a step of the converter.
        assert mepps.amplitude == pytest.approx(abf.amplitude, abs=1e-9)


def test_only_the_text_without_its_mean_has_another_baseline(found: dict[str, ChannelResult]) -> None:
    abf, labchart, labeled = (result.mepps.baseline for result in found.values())
    assert labchart == pytest.approx(abf, abs=1e-9)
    assert abf - labeled == pytest.approx(np.full(len(abf), (abf - labeled)[0]), abs=1e-9)
    assert abf == pytest.approx(-0.075, abs=2e-3)


def test_the_mepps_found_are_those_that_were_simulated(
    found: dict[str, ChannelResult], truth: dict[str, np.ndarray]
) -> None:
    mepps = found["simulated.abf"].mepps
    matching = match_times(truth["peak_time"], mepps.peak_s, tolerance_s=0.005)
    assert f1(count_matches(matching)) >= 0.9


def test_a_walk_over_the_folder_finds_the_recordings_and_leaves_tables_and_notes() -> None:
    assert [path.relative_to(DATA).as_posix() for path in find_recordings([DATA])] == list(READ_WITH)
