"""Weights to begin with: those that a user names, if they are what the detector needs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.core.errors import DetectionError, UsageError
from nwb_mepp.detectors import load_weights, shipped_weights
from nwb_mepp.ml.networks import build_autoencoder, build_miniunet
from nwb_mepp.ml.training.initial_weights import find_initial_weights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped_weights("miniunet"), tmp_path / "mine"))


@pytest.mark.usefixtures("tensorflow")
@pytest.mark.parametrize("detector", ["miniunet", "autoencoder", "autoencoder_anomalous"])
def test_training_can_continue_from_shipped_weights(detector: str) -> None:
    start = find_initial_weights("shipped", detector=detector)
    shipped = load_weights(shipped_weights(detector), detector=detector)
    assert start.sha256 == shipped.config["sha256"]
    assert start.description.startswith("shipped weights ")
    if detector == "miniunet":
        assert start.kernel_size is not None
        model = build_miniunet(kernel_size=start.kernel_size, logits=True, seed=0)
    else:
        assert start.kernel_size is None
        model = build_autoencoder(seed=0)
    before = model.get_weights()
    start.load(model)
    assert not any(np.array_equal(one, other) for one, other in zip(model.get_weights(), before, strict=True))


@pytest.mark.usefixtures("tensorflow")
def test_a_shipped_version_can_be_named() -> None:
    start = find_initial_weights("miniunet@3", detector="miniunet")
    assert (
        start.sha256
        == load_weights(shipped_weights("miniunet", version="3"), detector="miniunet").config["sha256"]
    )
    assert start.description.startswith("shipped weights 3 ")
    with pytest.raises(DetectionError, match=r"expected weights of autoencoder, found those of miniunet"):
        find_initial_weights("miniunet@3", detector="autoencoder")
    with pytest.raises(UsageError, match="77"):
        find_initial_weights("miniunet@77", detector="miniunet")


def test_a_network_that_is_not_the_one_described_is_refused(folder: Path) -> None:
    (folder / "model.tflite").write_bytes(b"another network")
    with pytest.raises(DetectionError, match=r"mine/model.tflite: expected SHA-256 [0-9a-f]{64}, found"):
        find_initial_weights(str(folder), detector="miniunet")


@pytest.mark.usefixtures("tensorflow")
def test_numbers_that_do_not_fit_the_configuration_are_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["architecture"]["kernel_size"] = 5
    (folder / "config.json").write_text(json.dumps(config))
    start = find_initial_weights(str(folder), detector="miniunet")
    assert start.kernel_size == 5
    with pytest.raises(
        DetectionError, match=r"arrays of the shapes of the miniunet in config.json, found shape"
    ):
        start.load(build_miniunet(kernel_size=5, logits=True))


def test_weights_of_another_detector_are_refused(folder: Path) -> None:
    with pytest.raises(
        DetectionError, match=r"mine: expected weights of autoencoder, found those of miniunet"
    ):
        find_initial_weights(str(folder), detector="autoencoder")


@pytest.mark.usefixtures("tensorflow")
def test_a_keras_file_of_another_network_is_refused(tmp_path: Path) -> None:
    import warnings

    path = tmp_path / "lab.keras"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy, for Keras' conversion of variables
        build_autoencoder(seed=1).save(path)
    assert find_initial_weights(str(path), detector="autoencoder").kernel_size is None
    with pytest.raises(
        UsageError, match=r"the weights of a miniunet for `detector='miniunet'`, found .* autoenc"
    ):
        find_initial_weights(str(path), detector="miniunet")


def test_weights_that_are_not_there_are_asked_for() -> None:
    with pytest.raises(
        UsageError, match=r"`start`: expected 'shipped', DETECTOR@VERSION, a folder of weights"
    ):
        find_initial_weights("nowhere", detector="miniunet")
