"""Weights into networks: numbers only, and only those that fit."""

from __future__ import annotations

import json
import shutil
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nwb_mepp.core.errors import DetectionError
from nwb_mepp.ml.networks import (
    KerasRuntime,
    build_autoencoder,
    build_miniunet,
    build_network,
    export_autoencoder,
    load_arrays,
    load_keras_file,
    read_architecture,
)

pytestmark = pytest.mark.usefixtures("tensorflow")

CONFIG = {"detector": "autoencoder", "version": "4", "min_package_version": "0.1.0"}


@pytest.fixture(scope="module")
def exported(
    tensorflow: None,  # noqa: ARG001 (what is made here needs it)
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, list[Any]]:
    """Return a folder of exported weights and the weights."""
    model = build_autoencoder(seed=1)
    folder = tmp_path_factory.mktemp("weights") / "4"
    export_autoencoder(folder, model=model, config=CONFIG)
    return folder, model.get_weights()


@pytest.fixture
def folder(exported: tuple[Path, list[Any]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported[0], tmp_path / "4"))


def save(model: Any, path: Path) -> Path:
    """Save a model as Keras does, whose conversion of variables NumPy complains of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        model.save(path)
    return path


def changed(folder: Path, **config: Any) -> None:
    """Change the configuration; None takes a key out."""
    path = folder / "config.json"
    stated = {**json.loads(path.read_text()), **config}
    path.write_text(json.dumps({name: value for name, value in stated.items() if value is not None}))


def test_exported_numbers_come_back(exported: tuple[Path, list[Any]]) -> None:
    folder, weights = exported
    assert read_architecture(folder)["name"] == "autoencoder"
    model = build_network(read_architecture(folder))
    load_arrays(model, folder)
    for one, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, expected)


def test_numbers_that_are_not_those_of_the_configuration_are_refused(folder: Path) -> None:
    with np.load(folder / "weights.npz") as stored:
        arrays = dict(stored)
    arrays["weight_00"] = arrays["weight_00"] + 1.0
    np.savez(folder / "weights.npz", **arrays)
    with pytest.raises(DetectionError, match=r"4/weights.npz: expected SHA-256 [0-9a-f]{64}, found [0-9a-f]"):
        KerasRuntime(folder)
    # Weights that were exported before this checksum was written are checked by their shapes alone.
    changed(folder, arrays_sha256=None)
    KerasRuntime(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays[:-1], "expected 10 arrays of the shapes of the autoencoder .*, found 9; "),
        (lambda arrays: [arrays[0][:3], *arrays[1:]], "found shape .3, 1, 32. instead of .7, 1, 32. at numb"),
        (lambda arrays: [np.full_like(arrays[0], np.nan), *arrays[1:]], "expected finite numbers, found NaN"),
    ],
)
def test_numbers_that_do_not_fit_the_architecture_are_refused(
    exported: tuple[Path, list[Any]], folder: Path, change: Any, message: str
) -> None:
    changed(folder, arrays_sha256=None)
    arrays = change(exported[1])
    np.savez(folder / "weights.npz", **{f"weight_{i:02d}": array for i, array in enumerate(arrays)})
    with pytest.raises(DetectionError, match=message):
        KerasRuntime(folder)


def test_damaged_or_missing_files_are_named(folder: Path) -> None:
    changed(folder, arrays_sha256=None)
    (folder / "weights.npz").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(DetectionError, match=r"expected arrays of numbers, found that they cannot be read"):
        KerasRuntime(folder)
    (folder / "weights.npz").unlink()
    with pytest.raises(DetectionError, match=r"4: expected weights.npz, found none"):
        KerasRuntime(folder)
    changed(folder, architecture=None)
    with pytest.raises(
        DetectionError, match=r"config.json: expected the architecture of the network, found n"
    ):
        read_architecture(folder)
    (folder / "config.json").write_text("[]")
    with pytest.raises(DetectionError, match=r"config.json: expected a JSON object, found a list"):
        read_architecture(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(DetectionError, match=r"config.json: expected JSON, found"):
        read_architecture(folder)
    (folder / "config.json").unlink()
    with pytest.raises(DetectionError, match=r"4: expected config.json, found none"):
        read_architecture(folder)


@pytest.mark.parametrize(("kernel_size", "name"), [(3, "miniunet"), (7, "miniunet"), (None, "autoencoder")])
def test_a_keras_file_gives_its_weights(tmp_path: Path, kernel_size: int | None, name: str) -> None:
    if kernel_size is None:
        saved, other = build_autoencoder(seed=1), build_autoencoder(seed=2)
    else:
        saved, other = (build_miniunet(kernel_size=kernel_size, logits=True, seed=seed) for seed in (1, 2))
    path = save(saved, tmp_path / "lab.keras")
    architecture = read_architecture(path)
    assert architecture["name"] == name
    assert architecture.get("kernel_size") == kernel_size
    load_keras_file(other, path)
    for one, expected in zip(other.get_weights(), saved.get_weights(), strict=True):
        np.testing.assert_array_equal(one, expected)


def test_a_keras_file_with_code_is_refused_and_the_code_is_not_run(tmp_path: Path) -> None:
    from keras import Sequential, layers

    model = Sequential([layers.Input((None, 1)), layers.Lambda(lambda x: x + 1), layers.Conv1D(1, 3)])
    path = save(model, tmp_path / "code.keras")
    with pytest.raises(
        DetectionError, match=r"code.keras: expected a network made of Keras layers alone, .*L"
    ):
        read_architecture(path)
    with pytest.raises(DetectionError, match=r"can hold code, which is never run"):
        load_keras_file(build_miniunet(kernel_size=3), path)


def test_a_keras_file_with_layers_from_elsewhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.keras"
    layer = {"class_name": "system", "module": "os", "config": {"command": "touch evil"}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"module": "keras", "class_name": "Model", "x": [layer]}))
    with pytest.raises(DetectionError, match=r"found system of os: such a file can hold code"):
        read_architecture(path)


def test_a_keras_file_of_another_network_or_of_no_network_is_refused(tmp_path: Path) -> None:
    from keras import Sequential, layers

    path = save(Sequential([layers.Input((None, 1)), layers.Conv1D(1, 3)]), tmp_path / "other.keras")
    with pytest.raises(DetectionError, match=r"the weights of a miniunet of 27585 parameters, found others"):
        load_keras_file(build_miniunet(kernel_size=3), path)
    (tmp_path / "old.h5").write_bytes(b"\x89HDF")
    with pytest.raises(
        DetectionError, match=r"old.h5: expected a .keras file of Keras 3, found none that can"
    ):
        read_architecture(tmp_path / "old.h5")
    with pytest.raises(DetectionError, match=r"expected a .keras file, found nothing; check the path"):
        read_architecture(tmp_path / "nowhere.keras")
