"""MEPPs of an NWB file back in Neo."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import neo
import numpy as np
import pytest
from pynwb import NWBHDF5IO

import nwb_mepp
from builders.known_mepps import AMPLITUDE_V, ONSETS_S, mepp_trace, write_text
from nwb_mepp.nwb import read_results

SIMULATED = Path(__file__).resolve().parents[2] / "data" / "simulated.abf"
START = datetime(2026, 1, 15, 10, tzinfo=UTC).isoformat()


def test_the_mepps_of_every_table_are_epochs_with_their_measures(tmp_path: Path) -> None:
    path, marks = tmp_path / "a.nwb", tmp_path / "marks.csv"
    marks.write_text("peak_time\n" + "\n".join(f"{one + 1e-3}" for one in ONSETS_S) + "\n")
    lab = write_text(tmp_path / "a.txt", mepp_trace())
    nwb_mepp.convert(lab, path, unit="V", session_start=START, events=marks)
    nwb_mepp.annotate(path, detectors="matched_filter")
    (segment,) = nwb_mepp.read(path).segments
    found = {epoch.annotations["table"]: epoch for epoch in segment.epochs}
    assert set(found) == {"mepps_matched_filter", "mepps_curated"}
    detected = found["mepps_matched_filter"]
    assert detected.annotations["detector"] == "matched_filter"
    np.testing.assert_allclose(detected.times.rescale("s").magnitude, ONSETS_S, atol=1e-3)
    amplitude_v = detected.array_annotations["amplitude"].rescale("V").magnitude
    assert amplitude_v.mean() == pytest.approx(AMPLITUDE_V, rel=0.1)
    (result,) = read_results(path)
    np.testing.assert_array_equal(amplitude_v, result.mepps.amplitude)
    assert len(found["mepps_curated"]) == len(ONSETS_S)


def test_what_a_person_rejected_is_not_among_the_curated(tmp_path: Path) -> None:
    path, marks = tmp_path / "a.nwb", tmp_path / "marks.csv"
    marks.write_text("peak_time\n" + "\n".join(f"{one + 1e-3}" for one in ONSETS_S) + "\n")
    lab = write_text(tmp_path / "a.txt", mepp_trace())
    nwb_mepp.convert(lab, path, unit="V", session_start=START, events=marks)
    with NWBHDF5IO(path, "r+") as io:
        io.read().intervals["mepps_curated"]["status"].data[2] = "rejected"
    (segment,) = nwb_mepp.read(path).segments
    (epoch,) = segment.epochs
    assert len(epoch) == len(ONSETS_S) - 1


def test_what_the_page_says_of_neos_reader_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.nwb"
    nwb_mepp.convert(SIMULATED, path, session_start=START)
    with pytest.raises(ValueError, match="Can't handle this conversion factor"):
        neo.NWBIO(str(path), mode="r").read_all_blocks()
    lab, text = write_text(tmp_path / "b.txt", mepp_trace()), tmp_path / "b.nwb"
    nwb_mepp.convert(lab, text, unit="V", session_start=START)
    nwb_mepp.annotate(text, detectors="matched_filter")
    (block,) = neo.NWBIO(str(text), mode="r").read_all_blocks()
    assert [len(one.analogsignals) for one in block.segments] == [1]
    assert [list(one.epochs) for one in block.segments] == [[]]
