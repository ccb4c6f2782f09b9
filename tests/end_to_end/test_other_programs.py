"""What pynapple and Elephant make of a written file: examples for analysts, and proof that they can."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pynapple
import pytest
from neo import SpikeTrain
from pynwb import NWBHDF5IO

from nwb_mepp.core.results import ChannelResult
from nwb_mepp.nwb import read_results
from nwb_mepp.workflows import DetectionSettings, WriteOptions, run_file

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("out") / "simulated.nwb"
    run_file(
        DATA / "simulated.abf",
        path,
        settings=DetectionSettings(detectors=("matched_filter",)),
        write_options=WriteOptions(session_start="2026-01-15T10:00:00+00:00"),
        picture=False,
    )
    return path


@pytest.fixture(scope="module")
def found(annotated: Path) -> ChannelResult:
    (result,) = read_results(annotated)
    return result


@pytest.fixture
def session(annotated: Path) -> Iterator[pynapple.NWBFile]:
    opened = pynapple.load_file(str(annotated))
    yield opened
    opened.close()


def in_volts(trace: pynapple.Tsd, path: Path) -> pynapple.Tsd:
    """Return a trace in volts: pynapple hands out the numbers as they are stored."""
    with NWBHDF5IO(path, "r") as io:
        series = io.read().acquisition["Vm"]
        return trace * series.conversion + series.offset


def test_pynapple_has_mepps_as_intervals_and_cuts_the_trace_by_them(
    session: pynapple.NWBFile, annotated: Path, found: ChannelResult
) -> None:
    mepps = session["mepps_matched_filter"]
    assert isinstance(mepps, pynapple.IntervalSet)
    np.testing.assert_allclose(mepps.start, found.mepps.start_s)
    np.testing.assert_allclose(mepps.end, found.mepps.stop_s)
    # Baseline and amplitude come along, and the trace within a MEPP is above its baseline by about that.
    np.testing.assert_allclose(mepps.metadata["amplitude"], found.mepps.amplitude)
    trace = in_volts(session["Vm"], annotated)
    highest = [trace.restrict(mepps[number]).values.max() for number in range(len(mepps))]
    np.testing.assert_allclose(highest - found.mepps.baseline, found.mepps.amplitude, rtol=0.5)


def test_pynapple_aligns_the_trace_to_the_peaks(session: pynapple.NWBFile, found: ChannelResult) -> None:
    peaks = pynapple.Ts(found.mepps.peak_s)
    around = pynapple.compute_perievent(session["Vm"], peaks, window=(0.002, 0.004))
    mean = np.nanmean(np.asarray(around), axis=1)
    # 2 ms before the peak and 10 kHz: the mean MEPP is highest at sample 20.
    assert abs(int(np.argmax(mean)) - 20) <= 2


def test_elephant_computes_the_statistics_of_the_summary_from_the_table(
    annotated: Path, found: ChannelResult
) -> None:
    from elephant.statistics import cv2, isi, mean_firing_rate

    with NWBHDF5IO(annotated, "r") as io:
        file = io.read()
        peaks_s = file.intervals["mepps_matched_filter"]["start_time"][:]
        (row,) = file.processing["icephys"]["mepp_detections"].to_dataframe().itertuples()
    train = SpikeTrain(peaks_s, units="s", t_start=0.0, t_stop=row.analyzed_s)
    assert float(mean_firing_rate(train).rescale("Hz")) == pytest.approx(row.rate_hz)
    intervals_s = isi(peaks_s)
    assert np.mean(intervals_s) == pytest.approx(row.interval_mean)
    assert cv2(intervals_s) == pytest.approx(row.interval_cv2)
    assert len(train) == found.summary.n_mepps
