"""Weights with integers of 8 bits, made of weights in single precision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from builders.detectors import by_score_alone, weights_config
from nwb_mepp.core.errors import DetectionError
from nwb_mepp.core.provenance import sha256_of
from nwb_mepp.detectors import MiniUnet
from nwb_mepp.ml.networks import BLOCK_SAMPLES, build_miniunet, export_miniunet
from nwb_mepp.ml.training import quantize_weights
from nwb_mepp.ml.training.calibration_set import CalibrationSet, Conditioned
from nwb_mepp.ml.training.quantized_weights import ARITHMETIC, crops_to_quantize_on

pytestmark = pytest.mark.usefixtures("tensorflow")


class Recordings(CalibrationSet):
    """Short noise instead of simulated recordings; each sample tells its level, roughly."""

    def __init__(self) -> None:
        pass

    def reference(self, n_recordings: int) -> Mapping[float, Iterator[Conditioned]]:
        return {
            level: iter([self.noise(level, number) for number in range(n_recordings)])
            for level in (10.0, 2.0)
        }

    @staticmethod
    def noise(level: float, number: int) -> Conditioned:
        rng = np.random.default_rng([int(level), number])
        trace = (level / 10.0 * rng.normal(size=5 * BLOCK_SAMPLES)).astype(np.float32)
        trace[4 * BLOCK_SAMPLES] = 0.7 * level  # the third of the blocks that are looked at
        return Conditioned(trace=trace, taps=np.ones(1), truth_s=np.empty(0), sampling_rate_hz=5000.0)


def test_crops_are_blocks_of_each_level_without_large_samples() -> None:
    crops = crops_to_quantize_on(Recordings(), n_recordings=2)
    # Of five blocks the first and third and last; the last one holds 7 at level 10 and 1.4 at level 2.
    assert crops.shape == (2 * 2 + 2 * 3, BLOCK_SAMPLES)
    high, low = (Recordings.noise(level, 0).trace.reshape(5, -1) for level in (10.0, 2.0))
    np.testing.assert_array_equal(crops[:2], high[[0, 2]])
    np.testing.assert_array_equal(crops[4:7], low[[0, 2, 4]])


def test_only_the_network_becomes_another(tmp_path: Path) -> None:
    model = build_miniunet(kernel_size=3, logits=True, seed=2)
    stated = weights_config(
        "miniunet", sampling_rate_hz=5000.0, probability=by_score_alone().to_config(), training={"seed": 3}
    )
    before = export_miniunet(tmp_path / "1", model=model, config=stated)
    sha256 = quantize_weights(tmp_path / "2", weights=tmp_path / "1", recordings=Recordings())
    first, second = (json.loads((tmp_path / name / "config.json").read_text("utf-8")) for name in "12")
    single = second.pop("float32")
    assert single["sha256"] == sha256_of([tmp_path / "2" / "float32.tflite"])
    assert single["above"] == np.abs(crops_to_quantize_on(Recordings())).max()
    assert second == {
        **first,
        "version": "2",
        "arithmetic": ARITHMETIC,
        "sha256": sha256,
        "training": {"seed": 3, "quantized_from": before},
    }
    assert sha256 == sha256_of([tmp_path / "2" / "model.tflite"]) != before
    assert (tmp_path / "2" / "weights.npz").read_bytes() == (tmp_path / "1" / "weights.npz").read_bytes()
    block = Recordings.noise(10.0, 7).trace[:BLOCK_SAMPLES]
    outputs = [MiniUnet(tmp_path / name)._runtime.run(block) for name in "12"]
    assert 0.0 < np.abs(outputs[1] - outputs[0]).mean() < 0.01


def test_weights_of_another_detector_are_refused(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[3] / "nwb_mepp" / "weights" / "autoencoder" / "1"
    with pytest.raises(DetectionError, match="1: expected weights of miniunet, found those of autoencoder"):
        quantize_weights(tmp_path / "2", weights=shipped, recordings=Recordings())
