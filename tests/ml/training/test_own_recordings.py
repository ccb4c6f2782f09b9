"""Candidates of a lab's held-out recordings, as its probabilities and threshold are judged on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from builders.detectors import by_score_alone
from nwb_mepp.conditioning import compress, survey, whiten
from nwb_mepp.core.segments import cut_segments
from nwb_mepp.ml.training.examples import example_of
from nwb_mepp.ml.training.labeled_recordings import LabeledRecording
from nwb_mepp.ml.training.own_recordings import MIN_OWN_MEPPS, are_enough, own_candidates
from nwb_mepp.simulation import Scenario, simulate_recording

RATE_HZ = 5000.0


def output(trace: np.ndarray) -> np.ndarray:
    """Say yes where the mean of 9 samples stands out of the noise."""
    smooth = np.convolve(np.clip(trace, -5.0, 5.0), np.full(9, 1.0 / 9.0), mode="same")
    return (1.0 / (1.0 + np.exp(-4.0 * (smooth - 1.5)))).astype(np.float32)


def labeled(*, rate_hz: float) -> tuple[LabeledRecording, np.ndarray]:
    """Return a recording of 10 s with 0.5 s left out in its middle, and the peaks of its MEPPs."""
    scenario = Scenario(
        duration_s=10.0, rate_hz=rate_hz, noise_sd=0.03e-3, giant_fraction=0.0, slow_fraction=0.0
    )
    simulated = simulate_recording(scenario, seed=500_000_123)
    truth = simulated.truth
    segments = list(cut_segments([simulated.trace()], excluded=[(5.0, 5.5)]))
    whites = whiten(segments, noise=survey(segments, polarity="positive"), sampling_rate_hz=RATE_HZ)
    examples, peaks_s = [], []
    for white, (first_s, last_s) in zip(whites, ((0.0, 5.0), (5.5, 10.0)), strict=True):
        inside = (truth.start_s >= first_s) & (truth.stop_s < last_s)
        times = {name: getattr(truth, name)[inside] - first_s for name in ("start_s", "stop_s", "peak_s")}
        examples.append(example_of(white, **times))
        peaks_s.append(times["peak_s"])
        assert len(examples[-1].trace) == len(compress(white.read_tile(0)))
    recording = LabeledRecording(
        path=Path("run.abf"),
        sha256="",
        marks_sha256="",
        labels="",
        duration_s=9.5,
        n_mepps=sum(map(len, peaks_s)),
        examples=tuple(examples),
        taps=tuple(white.event_taps for white in whites),
    )
    # The second stretch begins a second after the first ends.
    return recording, np.concatenate([peaks_s[0], peaks_s[1] + 6.0])


def test_candidates_of_all_stretches_are_matched_with_the_mepps_of_theirs() -> None:
    recording, peaks_s = labeled(rate_hz=5.0)
    (one,) = own_candidates(output, [recording], sampling_rate_hz=RATE_HZ)
    assert one.duration_s == 9.5
    np.testing.assert_allclose(one.truth_s, peaks_s, rtol=0, atol=1.01e-4)
    time_s, probability = one.explained(by_score_alone())
    found_s = time_s[probability > 0.9]
    nearest_s = np.abs(found_s[:, None] - one.truth_s).min(axis=0)
    assert np.mean(nearest_s < 0.005) > 0.9


def test_few_mepps_decide_on_nothing() -> None:
    recording, _ = labeled(rate_hz=1.0)
    assert 0 < recording.n_mepps < MIN_OWN_MEPPS
    assert not are_enough([recording])
    assert own_candidates(output, [recording], sampling_rate_hz=RATE_HZ) == []
    assert are_enough([recording] * MIN_OWN_MEPPS)
