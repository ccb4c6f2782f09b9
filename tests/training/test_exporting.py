"""From a trained network to weights that can be shipped, with their configuration and card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.conditioning import survey, whiten
from nwb_mepp.detectors import MiniUnet, ScoreModel, fit_score_model
from nwb_mepp.networks import build_miniunet
from nwb_mepp.simulation import Scenario, simulate_recording
from nwb_mepp.training import TrainingPlan, calibrate_and_export, exporting
from nwb_mepp.windows import cut_pieces

pytestmark = pytest.mark.usefixtures("tensorflow")


def test_exported_weights_are_those_of_the_network_and_say_where_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    scores = fit_score_model(rng.beta(1.0, 9.0, 500), [rng.beta(9.0, 1.0, 500)], null_rate_hz=0.5)
    # Calibration takes minutes and has its own test.
    monkeypatch.setattr(exporting, "calibrate", lambda *_, **__: scores)
    monkeypatch.setattr(exporting, "best_threshold", lambda *_, **__: (0.35, {2.0: 0.651, 10.0: 0.987}))
    model = build_miniunet(kernel_size=3, logits=True, seed=2)
    plan = TrainingPlan(kernel_size=3, n_recordings=12, n_steps=34)
    folder = tmp_path / "miniunet" / "5"
    f1_by_level = calibrate_and_export(folder, model=model, plan=plan, remarks="On a rainy day.")
    assert f1_by_level == {2.0: 0.651, 10.0: 0.987}

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert (config["version"], config["threshold"]) == ("5", 0.35)
    assert config["training"]["n_recordings"] == 12
    assert ScoreModel.from_config(config["scores"]) == scores
    card = (folder / "CARD.md").read_text(encoding="utf-8")
    for stated in ("weights 5", "| 2 | 0.651 |", "| 10 | 0.987 |", "(seeds 0 to 11)", "On a rainy day."):
        assert stated in card
    assert not any(line.endswith(" ") for line in card.splitlines())

    # The detector made of the files computes what the model does.
    simulated = simulate_recording(Scenario(duration_s=3.0, rate_hz=3.0), seed=0)
    pieces = list(cut_pieces([simulated.trace()]))
    (trace,) = whiten(pieces, survey=survey(pieces))
    expected = exporting.network_output(model)(trace)
    assert expected.shape == (trace.n_samples,)
    np.testing.assert_allclose(MiniUnet(folder).output(trace), expected, rtol=0, atol=1e-5)


def test_outputs_stay_probabilities_however_sure_the_network_is() -> None:
    model = build_miniunet(kernel_size=3, logits=True, seed=2)
    model.get_layer("logit").bias.assign([-500.0])
    pieces = list(cut_pieces([simulate_recording(Scenario(duration_s=1.0), seed=0).trace()]))
    (trace,) = whiten(pieces, survey=survey(pieces))
    assert np.all(exporting.network_output(model)(trace) == 0.0)
