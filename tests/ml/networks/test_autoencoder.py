"""The autoencoder: its layers, and that both runtimes compute the same from its files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from builders.detectors import weights_config
from nwb_mepp.core.provenance import sha256_of
from nwb_mepp.detectors import load_weights, make_runtime
from nwb_mepp.detectors.runtime import LiteRTRuntime
from nwb_mepp.ml.networks import (
    BLOCK_MARGIN,
    BLOCK_SAMPLES,
    KerasRuntime,
    build_autoencoder,
    export_autoencoder,
)

pytestmark = pytest.mark.usefixtures("tensorflow")

# (channels in, channels out) of each layer; kernel 7 everywhere.
CHANNELS = [(1, 32), (32, 16), (16, 16), (16, 32), (32, 1)]
CONFIG = weights_config("autoencoder", floor=0.2)


def test_layers_have_the_stated_channels() -> None:
    expected = sum(7 * n_in * n_out + n_out for n_in, n_out in CHANNELS)
    assert build_autoencoder().count_params() == expected


@pytest.mark.parametrize("n_samples", [4, 40, 212])
def test_output_has_the_length_of_the_input(n_samples: int) -> None:
    trace = np.random.default_rng(0).normal(size=(3, n_samples, 1)).astype(np.float32)
    assert np.asarray(build_autoencoder()(trace)).shape == (3, n_samples, 1)


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second, other = (build_autoencoder(seed=seed).get_weights() for seed in (5, 5, 6))
    for one, same in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(first[0], other[0])


def test_a_length_that_the_strides_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="expected n_samples to be a multiple of 4, found 102"):
        build_autoencoder(n_samples=102)


def test_no_sample_sees_farther_than_the_margin_of_a_block() -> None:
    model = build_autoencoder(seed=0)
    model.set_weights(
        [np.zeros_like(w) if w.ndim == 1 else np.full_like(w, 0.1) for w in model.get_weights()]
    )
    places = np.arange(254, 258)
    impulses = np.zeros((len(places), 512, 1), dtype=np.float32)
    impulses[np.arange(len(places)), places] = 1.0
    rows = np.asarray(model(impulses))[:, :, 0]
    reached = [np.abs(np.flatnonzero(row) - place).max() for row, place in zip(rows, places, strict=True)]
    assert 8 <= max(reached) <= BLOCK_MARGIN


def test_litert_and_keras_compute_what_the_model_does_and_a_version_is_never_overwritten(
    tmp_path: Path,
) -> None:
    model = build_autoencoder(seed=1)
    folder = tmp_path / "4"
    sha256 = export_autoencoder(folder, model=model, config=CONFIG)
    written = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert written == {
        **CONFIG,
        "sha256": sha256,
        "arrays_sha256": sha256_of([folder / "weights.npz"]),
        "margin": BLOCK_MARGIN,
        "architecture": {"name": "autoencoder", "n_samples": BLOCK_SAMPLES},
    }
    light = make_runtime(load_weights(folder, detector="autoencoder"))
    assert isinstance(light, LiteRTRuntime)
    block = np.random.default_rng(0).normal(size=BLOCK_SAMPLES).astype(np.float32)
    expected = np.asarray(model(block.reshape(1, -1, 1)))[0, :, 0]
    assert np.ptp(expected) > 0.1
    for runtime in (light, KerasRuntime(folder)):
        np.testing.assert_allclose(runtime.run(block), expected, rtol=0, atol=1e-5)
    with pytest.raises(FileExistsError, match="4: expected a new version, found weights"):
        export_autoencoder(folder, model=model, config=CONFIG)
