"""From a trained network to weights that can be shipped, with their configuration and card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from builders.detectors import by_score_alone
from nwb_mepp.conditioning import compress, survey, whiten
from nwb_mepp.core.segments import cut_segments
from nwb_mepp.detectors import MiniUnet
from nwb_mepp.ml.networks import BLOCK_MARGIN, BLOCK_SAMPLES, Quantized, build_miniunet
from nwb_mepp.ml.training import TrainingPlan, calibrate_and_export, weight_export
from nwb_mepp.ml.training.calibration import Calibrated, Reliability
from nwb_mepp.ml.training.calibration_set import CalibrationSet
from nwb_mepp.ml.training.quantized_weights import ARITHMETIC
from nwb_mepp.simulation import Scenario, simulate_recording

pytestmark = pytest.mark.usefixtures("tensorflow")


def test_exported_weights_are_those_of_the_network_and_say_where_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = np.full(9, np.nan)
    calibrated = Calibrated(
        model=by_score_alone(),
        threshold=0.35,
        f1_by_level={2.0: 0.651, 10.0: 0.987},
        reliability=Reliability(
            stated=np.append(nothing, 0.96),
            true=np.append(nothing, 0.94),
            count=np.append(np.zeros(9, int), 123),
            n_recordings=3,
        ),
    )
    # Calibration takes minutes and has its own test.
    monkeypatch.setattr(weight_export, "calibrate", lambda *_, **__: calibrated)
    crops = np.random.default_rng(0).normal(size=(2, BLOCK_SAMPLES)).astype(np.float32)
    monkeypatch.setattr(weight_export, "crops_to_quantize_on", lambda *_, **__: crops)
    model = build_miniunet(kernel_size=3, logits=True, seed=2)
    plan = TrainingPlan(kernel_size=3, n_recordings=12, n_steps=34)
    folder = tmp_path / "miniunet" / "5"
    recordings = CalibrationSet(tmp_path / "calibration")
    f1_by_level = calibrate_and_export(
        folder, model=model, plan=plan, recordings=recordings, n_drawn=10, n_reference=4
    )
    assert f1_by_level == {2.0: 0.651, 10.0: 0.987}

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert (config["version"], config["threshold"]) == ("5", 0.35)
    assert config["training"]["n_recordings"] == 12
    assert config["arithmetic"] == ARITHMETIC
    assert config["probability"] == by_score_alone().to_config()
    card = (folder / "CARD.md").read_text(encoding="utf-8")
    for stated in (
        "weights 5",
        "| 2 | 0.651 |",
        "| 10 | 0.987 |",
        "(seeds 0 to 11)",
        "| 0.0 to 0.1 | - | - | 0 |",
        "| 0.9 to 1.0 | 0.96 | 0.94 | 123 |",
        "fitted on 7 simulated recordings",
        "on 4 recordings per level",
    ):
        assert stated in card
    assert (folder / "reliability.png").read_bytes().startswith(b"\x89PNG")

    # The detector made of the files computes what was calibrated; the ends are taken differently.
    simulated = simulate_recording(Scenario(duration_s=3.0, rate_hz=3.0), seed=0)
    segments = list(cut_segments([simulated.trace()]))
    (trace,) = whiten(segments, noise=survey(segments))
    conditioned = compress(trace.read_tile(0))
    integers, single = ((folder / name).read_bytes() for name in ("model.tflite", "float32.tflite"))
    quantized = Quantized(integers=integers, single=single, above=config["float32"]["above"])
    expected = weight_export.network_output(quantized, name="5")(conditioned)
    assert expected.shape == (trace.n_samples,)
    output = np.concatenate(list(MiniUnet(folder).outputs(trace)))
    inside = slice(BLOCK_MARGIN, -BLOCK_MARGIN)
    np.testing.assert_allclose(output[inside], expected[inside], rtol=0, atol=1e-5)
