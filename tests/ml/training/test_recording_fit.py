"""Fitting an autoencoder to one recording, from the stretches to weights that a detector can use."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from builders.detectors import weights_config
from builders.known_mepps import mepp_trace
from builders.traces import recording_of, trace_of
from nwb_mepp.conditioning import survey
from nwb_mepp.core.errors import DetectionError
from nwb_mepp.core.segments import cut_segments
from nwb_mepp.detectors import Autoencoder, MiniUnet, shipped_weights
from nwb_mepp.ml.training import recording_fit
from nwb_mepp.ml.training.recording_fit import fit_autoencoder
from nwb_mepp.workflows import DetectionSettings, analyze

ONSETS_S = tuple(np.arange(0.4, 11.8, 0.45))
CONFIG = weights_config("autoencoder", version="1", threshold=0.4, floor=0.3)


def noise_stretches(*lengths: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(length).astype(np.float32) for length in lengths]


def test_the_same_stretches_give_the_same_weights_to_the_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_fit, "_N_STEPS", 40)  # twice the warm-up
    stretches = noise_stretches(320, 2_000, 900)
    networks = []
    for name in ("a", "b"):
        fit_autoencoder(tmp_path / name, stretches, start=shipped_weights("autoencoder"), config=CONFIG)
        networks.append((tmp_path / name / "model.tflite").read_bytes())
    assert networks[0] == networks[1]
    assert networks[0] != (shipped_weights("autoencoder") / "model.tflite").read_bytes()
    config = json.loads((tmp_path / "a" / "config.json").read_text(encoding="utf-8"))
    assert {name: config[name] for name in CONFIG} == CONFIG
    assert config["training"]["n_stretch_samples"] == 3_220
    assert Autoencoder(tmp_path / "a").weights_sha256 == config["sha256"]


@pytest.mark.parametrize("lengths", [(), (1_000, 319)])
def test_stretches_that_are_too_short_are_refused(lengths: tuple[int, ...], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected stretches of at least 320 samples"):
        fit_autoencoder(
            tmp_path / "a", noise_stretches(*lengths), start=shipped_weights("autoencoder"), config=CONFIG
        )


def test_it_does_not_begin_with_the_weights_of_another_network(tmp_path: Path) -> None:
    with pytest.raises(DetectionError, match=r"\d+/weights\.npz: expected .* arrays of the shapes"):
        fit_autoencoder(
            tmp_path / "a", noise_stretches(400), start=shipped_weights("miniunet"), config=CONFIG
        )


@pytest.mark.parametrize("mode", ["empty", "all"])
def test_a_fitted_autoencoder_finds_the_mepps_and_says_how_it_was_fitted(mode: str) -> None:
    values = mepp_trace(onsets_s=ONSETS_S, duration_s=12.0)
    recording = recording_of(trace_of(values))
    settings = DetectionSettings(fit_recording=mode)
    by_miniunet, by_fitted = analyze(recording, settings=settings)
    assert by_fitted.mepps.start_s == pytest.approx(ONSETS_S, abs=2e-3)
    summary = by_fitted.summary
    assert summary.detector_version == "1+fitted"
    shipped = Autoencoder()
    assert summary.weights_sha256 not in ("", shipped.weights_sha256)
    assert f"fit_began_with=autoencoder 1 {shipped.weights_sha256}" in summary.settings
    assert f"fit_recording={mode}" in summary.settings
    assert "fit_threshold=1.5 x quantile 0.95 of the score in" in summary.settings
    assert summary.threshold != shipped.default_threshold
    # MiniUnet is as it was, and the autoencoder judges as it is shipped.
    assert "fit_recording" not in by_miniunet.summary.settings
    assert by_miniunet.summary.weights_sha256 == MiniUnet().weights_sha256
    assert f"second_opinion=autoencoder 1 {shipped.weights_sha256}" in by_miniunet.summary.settings
    segments = list(cut_segments([trace_of(values)]))
    judged = shipped.judge(segments, noise=survey(segments), mepps=by_miniunet.mepps)
    np.testing.assert_allclose(by_miniunet.mepps.anomaly, judged, atol=1e-6)
