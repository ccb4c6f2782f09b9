from __future__ import annotations

import numpy as np
import pytest

from builders.traces import recording_of
from nwb_mepp.detectors import MatchedFilter, get_detector
from nwb_mepp.ml.benchmark import Condition
from nwb_mepp.ml.benchmark.detector_runs import find_all, load_detectors, survey_trace
from nwb_mepp.workflows import DetectionSettings, analyze


class Other(MatchedFilter):
    version = "mine"


def test_what_is_found_is_what_a_user_gets(short: Condition) -> None:
    simulated = short.simulate(0)
    settings = DetectionSettings(detectors=("miniunet", "matched_filter"))
    results = analyze(recording_of(simulated.trace()), settings=settings)
    surveyed = survey_trace(simulated.trace())
    assert surveyed.noise.hum is None
    found = find_all(surveyed, detectors=("miniunet", "matched_filter"))
    assert [result.detector for result in results] == list(found)
    for result in results:
        mepps = found[result.detector]
        assert len(mepps) > 5
        np.testing.assert_array_equal(mepps.start_index, result.mepps.start_index)
        # Hum is taken out at once here and in blocks there: the last bits may differ.
        np.testing.assert_allclose(mepps.amplitude, result.mepps.amplitude, rtol=1e-9)


def test_a_detector_is_loaded_once_and_may_be_an_object_of_ones_own() -> None:
    assert load_detectors(["threshold"])["threshold"] is load_detectors(["threshold"])["threshold"]
    loaded = load_detectors(["matched_filter", Other()])
    assert list(loaded) == ["matched_filter", "matched_filter mine"]
    with pytest.raises(ValueError, match="expected each detector once, found matched_filter 1 twice"):
        load_detectors(["matched_filter", get_detector("matched_filter"), get_detector("matched_filter")])
