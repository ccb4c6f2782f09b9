"""Which candidates are kept, who judges them, and what is said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import bessel, sosfilt, sosfilt_zi

from builders.known_mepps import ONSETS_S, mepp_trace
from builders.lab_noise import lab_trace
from builders.tables import mepps_on
from builders.traces import recording_of, trace_of
from nwb_mepp.conditioning import survey
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.segments import cut_segments
from nwb_mepp.detectors import Candidates, MiniUnet, get_detector
from nwb_mepp.evaluation import match_times
from nwb_mepp.simulation import reference_scenario, simulate_recording
from nwb_mepp.workflows import DetectionSettings, analyze, detection
from nwb_mepp.workflows.detection import _standing_out, most_probable


def candidates(*probability: float) -> Candidates:
    places = 100 * np.arange(len(probability), dtype=np.int64)
    return Candidates(
        start=places, peak=places + 5, stop=places + 20, probability=np.array(probability, dtype=np.float64)
    )


def kept(rate: float, *segments: Candidates) -> list[list[float]]:
    chosen = most_probable(segments, false_discovery_rate=rate, detector="miniunet")
    return [one.probability.tolist() for one in chosen]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        # The doubts are 0.01, 0.1, 0.3 and 0.8; their running means 0.01, 0.055, 0.137 and 0.303.
        (0.005, [[], []]),
        (0.02, [[], [0.99]]),
        (0.13, [[0.9], [0.99]]),
        (0.14, [[0.9], [0.99, 0.7]]),
        (0.31, [[0.2, 0.9], [0.99, 0.7]]),
    ],
)
def test_the_most_probable_of_all_segments_are_kept_as_far_as_the_rate_goes(
    rate: float, expected: list[list[float]]
) -> None:
    assert kept(rate, candidates(0.2, 0.9), candidates(0.99, 0.7)) == expected


def test_of_equally_probable_ones_all_are_kept_or_none() -> None:
    # With one of the two at 0.8 the mean would be 0.1; with both it is 0.133.
    assert kept(0.12, candidates(0.8, 1.0, 0.8)) == [[1.0]]
    assert kept(0.14, candidates(0.8, 1.0, 0.8)) == [[0.8, 1.0, 0.8]]


def test_nothing_found_is_nothing_kept() -> None:
    assert kept(0.1, candidates(), candidates()) == [[], []]


@given(
    probability=st.lists(st.sampled_from(np.linspace(0.0, 1.0, 21).tolist()), min_size=1, max_size=40),
    rate=st.floats(0.01, 0.99),
)
def test_no_larger_set_of_the_most_probable_would_do(probability: list[float], rate: float) -> None:
    (chosen,) = kept(rate, candidates(*probability))
    left = sorted(set(probability) - set(chosen), reverse=True)
    assert not chosen or np.mean([1.0 - one for one in chosen]) <= rate + 1e-12
    if left:
        more = [*chosen, *(one for one in probability if one == left[0])]
        assert np.mean([1.0 - one for one in more]) > rate - 1e-12
        assert not chosen or min(chosen) > left[0]


def test_candidates_without_probabilities_cannot_be_held_to_a_rate() -> None:
    with pytest.raises(
        UsageError, match=r"`false_discovery_rate`: expected a detector that gives .* found theirs, which"
    ):
        most_probable([candidates(np.nan)], false_discovery_rate=0.1, detector="theirs")


def test_the_rate_that_is_asked_for_is_about_the_true_one() -> None:
    detector = MiniUnet()
    n_true = n_false = 0
    for number in range(6):
        scenario = reference_scenario(level=3.0, index=20_100 + number)
        simulated = simulate_recording(scenario, seed=500_981_000 + number)
        segments = list(cut_segments([simulated.trace()]))
        found = detector.find(segments, noise=survey(segments), threshold=0.0)
        (chosen,) = most_probable(found, false_discovery_rate=0.2, detector="miniunet")
        matching = match_times(
            simulated.truth.peak_s, chosen.peak / scenario.sampling_rate_hz, tolerance_s=0.005
        )
        n_true += len(matching.pairs)
        n_false += len(matching.false)
    assert n_true + n_false > 300
    assert 0.1 < n_false / (n_true + n_false) < 0.26


@pytest.fixture(scope="module")
def recording() -> Recording:
    """MEPPs of 20 noise SD, one of them three times as large."""
    return recording_of(trace_of(mepp_trace(amplitudes=[1e-3] * 7 + [3e-3])))


def results_of(recording: Recording, **changes: Any) -> dict[str, Any]:
    return {one.detector: one for one in analyze(recording, settings=DetectionSettings(**changes))}


def test_by_default_the_autoencoder_judges_what_miniunet_finds(recording: Recording) -> None:
    results = results_of(recording)
    assert list(results) == ["miniunet", "autoencoder"]
    mepps, summary = results["miniunet"].mepps, results["miniunet"].summary
    assert mepps.start_s == pytest.approx(ONSETS_S, abs=1e-3)
    assert np.isfinite(mepps.anomaly).all()
    assert mepps.anomaly.argmax() == 7
    weights = get_detector("autoencoder").weights_sha256
    assert f"second_opinion=autoencoder 1 {weights}" in summary.settings
    # Nobody judges the autoencoder's own, and it does not judge itself.
    own = results["autoencoder"]
    assert own.mepps.start_s == pytest.approx(ONSETS_S, abs=2e-3)
    assert np.isnan(own.mepps.anomaly).all()
    assert "second_opinion" not in own.summary.settings


def test_alone_a_detector_gets_no_second_opinion(recording: Recording) -> None:
    for name in ("miniunet", "autoencoder"):
        (result,) = analyze(recording, settings=DetectionSettings(detectors=(name,)))
        assert np.isnan(result.mepps.anomaly).all()
        assert "second_opinion" not in result.summary.settings


def test_the_first_of_two_autoencoders_judges(recording: Recording) -> None:
    results = results_of(recording, detectors=("autoencoder_anomalous", "template", "autoencoder"))
    said = {
        name: "second_opinion=autoencoder_anomalous" in one.summary.settings for name, one in results.items()
    }
    assert said == {"autoencoder_anomalous": False, "template": True, "autoencoder": True}


@pytest.mark.parametrize(("long_s", "n_times"), [(1e-3, 2), (1e6, 0)])
def test_after_the_steps_of_a_long_channel_memory_is_given_back(
    long_s: float, n_times: int, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(detection, "_MUCH_TO_FREE_S", long_s)
    monkeypatch.setattr(detection, "give_back", lambda: told.append("back"))
    results_of(recording, detectors=("threshold",))
    assert len(told) == n_times


def test_a_rate_of_false_discoveries_is_for_the_detector_with_probabilities(recording: Recording) -> None:
    results = results_of(recording, false_discovery_rate=0.3)
    found, judged = results["miniunet"], results["autoencoder"]
    assert "false_discovery_rate=0.3" in found.summary.settings
    assert found.summary.threshold == found.mepps.probability.min()
    assert found.summary.false_discovery_rate == pytest.approx(1.0 - found.mepps.probability.mean())
    assert "false_discovery_rate" not in judged.summary.settings
    assert judged.summary.threshold == get_detector("autoencoder").default_threshold
    assert np.isnan(judged.summary.false_discovery_rate)


def test_a_rate_that_nothing_satisfies_keeps_nothing() -> None:
    empty = recording_of(trace_of(mepp_trace(onsets_s=())))
    (result,) = analyze(empty, settings=DetectionSettings(detectors=("miniunet",), false_discovery_rate=1e-9))
    assert len(result.mepps) == 0
    assert np.isnan(result.summary.threshold)


def test_a_threshold_is_for_the_detector_that_is_not_the_second_opinion(recording: Recording) -> None:
    results = results_of(recording, threshold=0.8)
    assert results["miniunet"].summary.threshold == 0.8
    assert results["autoencoder"].summary.threshold == get_detector("autoencoder").default_threshold
    assert DetectionSettings(detectors=("autoencoder",), threshold=0.8).threshold_of("autoencoder") == 0.8


@pytest.mark.parametrize(
    ("detector", "rate_hz"), [("deconvolution", 5.0), ("deconvolution", 50.0), ("miniunet", 100.0)]
)
def test_noise_rate_and_decay_are_those_of_the_trace_however_frequent_mepps_are(
    detector: str, rate_hz: float
) -> None:
    duration_s = 1000.0 / rate_hz if rate_hz > 10.0 else 40.0
    rng = np.random.default_rng(12)
    onsets_s = np.sort(rng.uniform(0.0, duration_s - 0.1, rng.poisson(rate_hz * duration_s)))
    lab = lab_trace(onsets_s, level=10.0, decay_s=3e-3, seed=13, duration_s=duration_s)
    settings = DetectionSettings(detectors=(detector,), polarity="positive")
    (result,) = analyze(recording_of(trace_of(lab.values)), settings=settings)
    row = result.summary
    assert row.noise_sd == pytest.approx(lab.noise_sd, rel=0.05 if rate_hz < 100.0 else 0.1)
    assert row.rate_hz_corrected_low <= len(onsets_s) / duration_s <= row.rate_hz_corrected_high
    assert row.poisson_p > 0.01
    assert row.decay_tau_mean_s == pytest.approx(lab.decays_s.mean(), rel=0.04)
    assert row.amplitude_mean_corrected == pytest.approx(lab.amplitudes.mean(), rel=0.05)


def test_mepps_of_any_shape_behind_a_filter_are_not_split() -> None:
    rng = np.random.default_rng(0)
    onsets_s = 0.3 + 0.37 * np.arange(50) + 0.05 * rng.random(50)
    time_s = np.arange(190_000) / 1e4
    values = -70e-3 + 50e-6 * rng.standard_normal(len(time_s))
    for onset_s in onsets_s:
        since_s = np.maximum(time_s - onset_s, 0.0)
        shape = -np.expm1(-since_s / rng.uniform(0.3e-3, 0.9e-3)) * np.exp(
            -since_s / rng.uniform(1.5e-3, 5e-3)
        )
        values += rng.uniform(0.4e-3, 1e-3) * shape / shape.max()
    # Without rounding, hardly any noise is left above 2 kHz, where the shapes differ from the fitted ones.
    sections = bessel(4, 500.0, fs=1e4, output="sos", norm="mag")
    filtered, _ = sosfilt(sections, values, zi=sosfilt_zi(sections) * values[0])
    settings = DetectionSettings(detectors=("matched_filter",))
    (found,) = analyze(recording_of(trace_of(filtered)), settings=settings)
    assert len(match_times(onsets_s, found.mepps.start_s, tolerance_s=0.003).pairs) == len(onsets_s)
    assert len(found.mepps) == len(onsets_s)


def test_what_neighbors_explain_is_no_event_of_its_own() -> None:
    at = trace_of(mepp_trace())
    events = mepps_on([at], [(0, 1_000 * number) for number in range(1, 7)]).replace(
        amplitude=np.array([1.0, 1.0, 1.0, 1.0, -1.0, 1.0]) * 1e-3,
        amplitude_se=np.array([0.4, 0.6, 0.4, 0.3, 0.1, np.nan]) * 1e-3,
        overlapped=np.array([False, False, True, True, False, False]),
        decay_tau_s=np.array([3e-3, 3e-3, np.nan, np.nan, 3e-3, np.nan]),
    )
    noise = survey(list(cut_segments([at])), polarity="positive")
    # Alone, 2.5 SE is enough, 1.7 is not; beside neighbors and without a decay, 3.3 is, 2.5 is not. The last
    # one has no standard error, and counts by the median of the others, 0.4.
    kept = _standing_out(events, noise=noise, noise_sd=50e-6)
    assert kept.start_index.tolist() == [1_000, 4_000]


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_at_a_low_sampling_rate_the_foot_of_a_mepp_is_not_another_one(seed: int) -> None:
    rate_hz, rng = 2000.0, np.random.default_rng(seed)
    values = -70e-3 + rng.normal(0.0, 50e-6, int(60.0 * rate_hz))
    since_s = np.arange(int(30e-3 * rate_hz)) / rate_hz
    onsets = np.sort(rng.choice(np.arange(1, 600), 60, replace=False)) * int(0.1 * rate_hz)
    for onset in onsets.tolist():
        height = 0.8e-3 * rng.lognormal(0.0, 0.3)
        values[onset : onset + len(since_s)] += (
            height * (1.0 - np.exp(-since_s / 0.5e-3)) * np.exp(-since_s / 3e-3)
        )
    (result,) = analyze(
        recording_of(trace_of(values, rate_hz=rate_hz)), settings=DetectionSettings(detectors=("miniunet",))
    )
    peaks_s = result.mepps.peak_s
    assert len(match_times(onsets / rate_hz + 1e-3, peaks_s, tolerance_s=5e-3).missed) <= 1
    # MEPPs begin 100 ms apart. Four to six of sixty had another one at the foot, with a standard error of 0.
    assert np.sum(np.diff(peaks_s) < 10e-3) <= 3
    assert not (result.mepps.amplitude_se == 0.0).any()
