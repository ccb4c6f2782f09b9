"""Fitting an autoencoder to its recording: which samples it is shown, and where its threshold comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import copytree
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from builders.known_mepps import mepp_trace
from builders.traces import segments_of
from nwb_mepp.conditioning import survey, whiten
from nwb_mepp.core.errors import DetectionError, MissingDependencyError
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors import Autoencoder, Candidates, fits_recordings, recording_fit, shipped_weights
from nwb_mepp.detectors.anomalies import sample_anomaly
from nwb_mepp.detectors.recording_fit import FIT_MODES, Halves, load_fitter

RATE_HZ = 10_000.0


def candidates(*bounds: tuple[int, int]) -> Candidates:
    start, stop = np.array(bounds, dtype=np.int64).reshape(-1, 2).T
    return Candidates(start=start, peak=start, stop=stop, probability=np.ones(len(start)))


def one_event(duration_s: float, *, excluded: Sequence[tuple[float, float]] = ()) -> list[Segment]:
    values = mepp_trace(duration_s=duration_s, onsets_s=(0.5,))
    return segments_of(values, excluded=excluded)


def halves_of(segments: list[Segment], occupied: Sequence[Candidates]) -> Halves:
    return Halves(whiten(segments, noise=survey(segments), sampling_rate_hz=RATE_HZ), occupied)


def test_seconds_take_turns_across_segments() -> None:
    halves = halves_of(one_event(4.0, excluded=[(1.5, 2.0)]), [candidates(), candidates()])
    first, second = halves.first
    # 1.5 s and 2 s: the second segment goes on counting where the first stopped.
    assert (first[:10_000].all(), first[10_000:].any()) == (True, False)
    assert (second[:5_000].any(), second[5_000:15_000].all(), second[15_000:].any()) == (False, True, False)


def test_what_may_be_a_mepp_is_kept_away_from() -> None:
    halves = halves_of(one_event(2.0), [candidates((5_000, 5_060), (20, 40))])
    (empty,) = halves.empty
    # 5 ms before the start to 30 ms after the stop; the earlier one is cut off by the beginning.
    assert np.flatnonzero(~empty).tolist() == [*range(340), *range(4_950, 5_360)]
    values = [np.arange(20_000, dtype=np.float32)]
    shown = [(one[0], one[-1]) for one in halves.stretches(values, mode="empty")]
    assert shown == [(340.0, 4_949.0), (5_360.0, 9_999.0)]
    assert [(one[0], one[-1]) for one in halves.stretches(values, mode="all")] == [(0.0, 9_999.0)]
    assert halves.held_out([np.arange(20_000.0)]).tolist() == list(range(10_000, 20_000))


def test_stretches_shorter_than_one_step_looks_at_are_passed_over() -> None:
    # Between these, 319 and 320 samples are left.
    occupied = candidates((1_000, 1_100), (1_769, 1_800), (2_470, 2_500))
    halves = halves_of(one_event(2.0), [occupied])
    lengths = [len(one) for one in halves.stretches([np.zeros(20_000, np.float32)], mode="empty")]
    assert lengths == [950, 320, 10_000 - 2_800]


@pytest.mark.parametrize(
    ("duration_s", "occupied", "mode", "message"),
    [
        (
            4.0,
            (),
            "empty",
            r"`fit_recording='empty'`: expected at least 3 s without MEPPs .* found 2\.0 s and 2",
        ),
        (
            12.0,
            ((0, 90_000),),
            "all",
            r"`fit_recording='all'`: expected at least 3 s of any kind .* found 6\.0 s and 2\.0 s;",
        ),
        (
            12.0,
            ((0, 70_000),),
            "empty",
            r"`fit_recording='empty'`: .* found 2\.0 s and 3\.0 s; take a longer recording",
        ),
    ],
)
def test_a_recording_too_short_to_fit_to_is_refused(
    duration_s: float, occupied: tuple[tuple[int, int], ...], mode: str, message: str
) -> None:
    segments = one_event(duration_s)
    with pytest.raises(DetectionError, match=message):
        Autoencoder().fit_to(segments, noise=survey(segments), occupied=[candidates(*occupied)], mode=mode)


def register(monkeypatch: pytest.MonkeyPatch, **fitters: Any) -> None:
    points = [SimpleNamespace(name=name, load=lambda one=one: one) for name, one in fitters.items()]
    monkeypatch.setattr(recording_fit, "plugins", lambda group: points if "fitters" in group else [])


def test_the_fitter_gets_the_first_half_and_the_threshold_comes_from_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: dict[str, Any] = {}

    def fit(folder: Path, stretches: Sequence[np.ndarray], *, start: Path, config: Mapping[str, Any]) -> None:
        seen.update(stretches=stretches, start=start, config=config)
        copytree(start, folder)

    register(monkeypatch, autoencoder=fit)
    segments = one_event(10.0)
    learned, detector = survey(segments), Autoencoder()
    occupied = [candidates((5_000, 5_100), (15_000, 15_100))]
    fitted = detector.fit_to(segments, noise=learned, occupied=occupied, mode="empty")
    assert seen["start"] == shipped_weights("autoencoder")
    assert seen["config"]["detector"] == "autoencoder"
    assert "training" not in seen["config"]
    assert sum(map(len, seen["stretches"])) == 50_000 - 450
    # As the weights are the same ones here, the score of the second half can be told without fitting.
    (trace,) = whiten(segments, noise=learned, sampling_rate_hz=RATE_HZ)
    score = sample_anomaly(np.concatenate([error for _, error in detector.reconstruct(trace)]))
    kept = (np.arange(100_000) // 10_000) % 2 == 1
    kept[14_950:15_400] = False
    assert fitted.default_threshold == pytest.approx(1.5 * np.quantile(score[kept], 0.95))
    assert fitted.version == "1+fitted"
    assert fitted.fitting["fit_recording"] == "empty"
    assert fitted.fitting["fit_on_s"] == pytest.approx(4.955)
    assert fitted.fitting["fit_began_with"] == f"autoencoder 1 {detector.weights_sha256}"
    assert fitted.fitting["fit_threshold"] == "1.5 x quantile 0.95 of the score in 4.955 s of noise held out"
    assert detector.fitting == {}
    (found,) = fitted.find(segments, noise=learned)
    assert len(found) == 1


def test_without_a_fitter_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)
    with pytest.raises(
        MissingDependencyError, match=r"expected a fitter for autoencoder .* pip install 'nwb-mepp\[train\]'"
    ):
        load_fitter("autoencoder")


def test_the_package_registers_a_fitter_for_each_detector_that_can_be_fitted() -> None:
    for name in ("autoencoder", "autoencoder_anomalous"):
        assert fits_recordings(name)
        assert callable(load_fitter(name))
    assert not fits_recordings("miniunet")
    assert FIT_MODES == ("empty", "all")
