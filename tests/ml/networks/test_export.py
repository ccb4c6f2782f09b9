"""From a trained network to shipped files: LiteRT and Keras compute the same from them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.detectors import by_score_alone, weights_config
from nwb_mepp.conditioning import survey
from nwb_mepp.core.provenance import sha256_of
from nwb_mepp.core.segments import cut_segments
from nwb_mepp.detectors import MiniUnet, load_weights, make_runtime
from nwb_mepp.detectors.runtime import LiteRTRuntime, run_over
from nwb_mepp.ml.networks import (
    BLOCK_MARGIN,
    BLOCK_SAMPLES,
    KerasRuntime,
    build_miniunet,
    export,
    export_miniunet,
)
from nwb_mepp.simulation import Scenario, simulate_recording

pytestmark = pytest.mark.usefixtures("tensorflow")


def config() -> dict[str, Any]:
    probability = by_score_alone().to_config()
    return weights_config("miniunet", sampling_rate_hz=5000.0, probability=probability)


@pytest.fixture(scope="module")
def exported(
    tensorflow: None,  # noqa: ARG001 (what is made here needs it)
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, str, Any]:
    """Return the folder of a network with random weights, its checksum and the model."""
    model = build_miniunet(kernel_size=5, logits=True, seed=1)
    # Outputs spread over 0 to 1, so that a difference between runtimes would show.
    model.get_layer("logit").kernel.assign(3.0 * model.get_layer("logit").kernel)
    folder = tmp_path_factory.mktemp("weights") / "4"
    return folder, export_miniunet(folder, model=model, config=config()), model


@pytest.fixture
def block() -> np.ndarray:
    return np.random.default_rng(0).normal(size=BLOCK_SAMPLES).astype(np.float32)


def test_configuration_is_completed_with_checksum_margin_and_architecture(
    exported: tuple[Path, str, Any],
) -> None:
    folder, sha256, _ = exported
    written = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert written == {
        **config(),
        "sha256": sha256,
        "arrays_sha256": sha256_of([folder / "weights.npz"]),
        "margin": BLOCK_MARGIN,
        "architecture": {"kernel_size": 5, "n_samples": BLOCK_SAMPLES},
    }
    assert hashlib.sha256((folder / "model.tflite").read_bytes()).hexdigest() == sha256


def test_litert_and_keras_compute_the_same(exported: tuple[Path, str, Any], block: np.ndarray) -> None:
    folder, _, model = exported
    light = make_runtime(load_weights(folder, detector="miniunet"))
    assert isinstance(light, LiteRTRuntime)
    keras = KerasRuntime(folder)
    assert light.n_samples == keras.n_samples == BLOCK_SAMPLES
    expected = 1.0 / (1.0 + np.exp(-np.asarray(model(block.reshape(1, -1, 1)))[0, :, 0]))
    assert np.ptp(expected) > 0.5
    for runtime in (light, keras):
        output = runtime.run(block)
        assert (output.shape, output.dtype) == ((BLOCK_SAMPLES,), np.float32)
        np.testing.assert_allclose(output, expected, rtol=0, atol=1e-5)


def test_running_in_blocks_equals_running_the_whole_trace(exported: tuple[Path, str, Any]) -> None:
    folder, _, model = exported
    n_samples = 2 * 4096 + 500
    trace = np.random.default_rng(1).normal(size=n_samples + 2 * BLOCK_MARGIN).astype(np.float32)
    output = run_over(KerasRuntime(folder), trace, margin=BLOCK_MARGIN)
    logits = np.asarray(model(trace.reshape(1, -1, 1)))[0, BLOCK_MARGIN:-BLOCK_MARGIN, 0]
    np.testing.assert_allclose(output, 1.0 / (1.0 + np.exp(-logits)), rtol=0, atol=1e-5)


def test_both_runtimes_give_the_same_intervals(exported: tuple[Path, str, Any]) -> None:
    folder, sha256, _ = exported
    simulated = simulate_recording(Scenario(duration_s=5.0, rate_hz=3.0), seed=0)
    segments = list(cut_segments([simulated.trace()]))
    learned = survey(segments)
    light, keras = MiniUnet(folder), MiniUnet(folder, runtime=KerasRuntime(folder))
    assert light.weights_sha256 == keras.weights_sha256 == sha256
    (one,), (other,) = (detector.find(segments, noise=learned, threshold=0.0) for detector in (light, keras))
    assert len(one) > 0
    np.testing.assert_array_equal(one.start, other.start)
    np.testing.assert_array_equal(one.stop, other.stop)
    np.testing.assert_allclose(one.probability, other.probability, atol=1e-3)


def test_lists_of_numbers_are_written_in_a_line_each() -> None:
    config = {
        "a": [1, -2.5, 3e-07],
        "of lists": [[0.5, 1], [2]],
        "text": "[1,2]",
        "none": [],
        "b": {"c": [7]},
    }
    text = export._text(config)
    assert json.loads(text) == config
    assert text.splitlines()[1:7] == [
        '  "a": [1, -2.5, 3e-07],',
        '  "of lists": [',
        "    [0.5, 1],",
        "    [2]",
        "  ],",
        '  "text": "[1,2]",',
    ]


def test_a_version_is_never_overwritten(exported: tuple[Path, str, Any]) -> None:
    folder, _, model = exported
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(FileExistsError, match="4: expected a new version, found weights"):
        export_miniunet(folder, model=model, config=config())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
