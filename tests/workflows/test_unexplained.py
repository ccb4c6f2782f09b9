"""No clear deflection is lost unseen: it is in the table, or it is counted and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.known_mepps import ONSETS_S, mepp_trace, write_text
from builders.slow_recordings import slow_coarse_trace
from builders.tables import mepps_at, result_of
from builders.traces import recording_of, trace_of
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.nwb import read_results
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings, WriteOptions, analyze, remarks_on, run_file
from nwb_mepp.workflows.option_kinds import Amplitude


def only_result(recording: Recording, detector: str, **changes: Any) -> ChannelResult:
    (result,) = analyze(recording, settings=DetectionSettings(detectors=(detector,), **changes))
    return result


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("changes", [{}, {"threshold": 0.9}, {"threshold": 1.0}], ids=str)
def test_no_clear_mepp_of_a_slow_coarse_recording_is_lost(seed: int, changes: dict[str, Any]) -> None:
    values, onsets_s = slow_coarse_trace(seed=seed)
    result = only_result(recording_of(trace_of(values)), "miniunet", **changes, polarity="positive")
    known_s = np.concatenate([result.mepps.start_s, [onset_s for _, onset_s in result.unexplained]])
    for onset_s in onsets_s:
        assert np.abs(known_s - onset_s).min() < 8e-3
    assert result.summary.n_unexplained == len(result.unexplained)


def test_what_a_detector_finds_is_explained_and_the_rest_is_counted() -> None:
    recording = recording_of(trace_of(mepp_trace()))
    found = only_result(recording, "matched_filter")
    assert (found.summary.n_unexplained, found.unexplained) == (0.0, ())
    strict = only_result(recording, "matched_filter", threshold=1e3)
    assert strict.summary.n_unexplained == len(ONSETS_S)
    assert [onset_s for _, onset_s in strict.unexplained] == pytest.approx(ONSETS_S, abs=2e-3)


def test_what_is_smaller_than_asked_for_is_explained() -> None:
    recording = recording_of(trace_of(mepp_trace()))
    none = only_result(recording, "matched_filter", min_amplitude=Amplitude(5e-3, "V"))
    assert (len(none.mepps), none.summary.n_unexplained) == (0, 0.0)


@pytest.mark.parametrize(
    ("unexplained", "sentence"),
    [
        (
            ((0, 2.5),),
            "1 clear deflection on Vm looks like a MEPP but is not among those of miniunet: 2.500 s.",
        ),
        (
            ((0, 2.5), (3, 0.25), (3, 1.0), (4, 1.5), (4, 7.0)),
            "5 clear deflections on Vm look like MEPPs but are not among those of miniunet: 2.500 s "
            "(sweep 0), 0.250 s (sweep 3), 1.000 s (sweep 3) and 2 more.",
        ),
    ],
)
def test_the_note_says_how_many_and_where_the_first_are(
    unexplained: tuple[tuple[int, float], ...], sentence: str
) -> None:
    result = result_of(mepps_at([1.0]), detector="miniunet")
    assert remarks_on([result]) == ()
    left = ChannelResult(
        detector="miniunet", mepps=result.mepps, summary=result.summary, unexplained=unexplained
    )
    assert remarks_on([result, left]) == (sentence,)


def test_a_run_notes_them_and_the_file_counts_them(tmp_path: Path) -> None:
    source = write_text(tmp_path / "fiber.txt", mepp_trace())
    settings = DetectionSettings(detectors=("matched_filter",), threshold=1e3)
    known = WriteOptions(session_start="2026-01-05T10:00:00+00:00")
    done = run_file(
        source,
        tmp_path / "fiber.nwb",
        settings=settings,
        read_options=ReadOptions(unit={"": "V"}),
        write_options=known,
    )
    (note,) = [one for one in done.notes if "clear" in one]
    assert note.startswith("8 clear deflections on Voltage look like MEPPs")
    (result,) = read_results(tmp_path / "fiber.nwb")
    assert result.summary.n_unexplained == 8.0
