"""Training of the autoencoder: a plan defines what it is shown, the export chooses its threshold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.detectors import Autoencoder
from nwb_mepp.ml.networks import build_autoencoder
from nwb_mepp.ml.training import autoencoder
from nwb_mepp.ml.training.autoencoder import (
    AutoencoderPlan,
    draw_windows,
    export_with_threshold,
    train_autoencoder,
    training_traces,
)
from nwb_mepp.ml.training.calibration_set import CALIBRATION_SEEDS_FROM
from nwb_mepp.simulation import BENCHMARK_SEEDS_FROM, Scenario

PLAN = AutoencoderPlan(regime="normal", n_recordings=1, n_steps=40, n_batch=4, n_samples=80)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Scenario, int]]:
    """Return a list that fills with all scenarios and seeds that are simulated."""
    used: list[tuple[Scenario, int]] = []
    simulate = autoencoder.simulate_recording

    def spy(scenario: Scenario, *, seed: int) -> object:
        used.append((scenario, seed))
        return simulate(scenario, seed=seed)

    monkeypatch.setattr(autoencoder, "simulate_recording", spy)
    return used


def test_a_regime_is_shown_noise_alone_or_recordings_with_mepps(shown: list[tuple[Scenario, int]]) -> None:
    training_traces(PLAN)
    training_traces(replace(PLAN, regime="anomalous"))
    (noise, seed), (mixed, same_seed) = shown
    assert seed == same_seed < CALIBRATION_SEEDS_FROM
    assert (noise.rate_hz, noise.bursts_per_s, noise.artifacts) == (0.0, 0.0, {})
    assert mixed.rate_hz > 0.0


def test_crops_are_stretches_of_the_traces_and_depend_on_plan_and_step_alone() -> None:
    traces = [np.arange(500, dtype=np.float32), 1_000 + np.arange(80, dtype=np.float32)]
    crops, targets = draw_windows(traces, plan=PLAN, step=3)
    assert crops.shape == (4, 80, 1)
    np.testing.assert_array_equal(crops, targets)
    assert np.all(np.diff(crops[:, :, 0], axis=1) == 1.0)
    np.testing.assert_array_equal(draw_windows(traces, plan=PLAN, step=3)[0], crops)
    assert not np.array_equal(draw_windows(traces, plan=PLAN, step=4)[0], crops)


@pytest.mark.usefixtures("tensorflow")
def test_a_short_training_lowers_the_loss(tmp_path: Path) -> None:
    losses: list[float] = []
    plan = replace(PLAN, n_steps=200)
    train_autoencoder(tmp_path, plan=plan, on_step=lambda _, loss: losses.append(loss))
    assert len(losses) == 200
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


@pytest.mark.usefixtures("tensorflow")
def test_exported_weights_run_as_the_detector_and_the_card_says_what_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: list[tuple[Scenario, int]]
) -> None:
    monkeypatch.setattr(autoencoder, "LEVELS", (10.0,))
    folder = tmp_path / "6"
    f1_by_level = export_with_threshold(folder, model=build_autoencoder(seed=3), plan=PLAN, n_recordings=1)
    assert list(f1_by_level) == [10.0]
    assert all(CALIBRATION_SEEDS_FROM <= seed < BENCHMARK_SEEDS_FROM for _, seed in shown)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert (config["version"], config["training"]["regime"]) == ("6", "normal")
    assert config["threshold"] >= config["floor"] > 0.0
    detector = Autoencoder(folder)
    assert (detector.version, detector.default_threshold) == ("6", config["threshold"])
    card = (folder / "CARD.md").read_text(encoding="utf-8")
    for stated in ("normal regime, weights 6", f"| 10 | {f1_by_level[10.0]:.3f} |", "without MEPPs"):
        assert stated in card
