"""Weights at rest: loaded only if they are what their configuration says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from builders.detectors import write_weights
from nwb_mepp.core.errors import DetectionError, UsageError
from nwb_mepp.detectors import load_weights, shipped_versions, shipped_weights, weights

NETWORK = b"numbers of a network"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of valid weights."""
    return configured(tmp_path / "7")


def configured(folder: Path, **changes: object) -> Path:
    return write_weights(folder, "thing", network=NETWORK, **({"version": "7"} | changes))


def test_valid_weights_are_loaded(folder: Path) -> None:
    loaded = load_weights(folder, detector="thing")
    assert (loaded.folder, loaded.network) == (folder, NETWORK)
    assert loaded.config["threshold"] == 0.5


def of_two_networks(folder: Path) -> Path:
    """Write weights with a network in single precision beside the one with integers."""
    single = b"the same in single precision"
    configured(folder, float32={"sha256": hashlib.sha256(single).hexdigest(), "above": 6.0})
    (folder / "float32.tflite").write_bytes(single)
    return folder


def test_the_network_in_single_precision_is_loaded_where_the_configuration_names_it(folder: Path) -> None:
    (folder / "float32.tflite").write_bytes(b"left over")
    assert load_weights(folder, detector="thing").single is None
    assert load_weights(of_two_networks(folder), detector="thing").single == b"the same in single precision"


def test_a_missing_network_in_single_precision_is_named(folder: Path) -> None:
    (of_two_networks(folder) / "float32.tflite").unlink()
    missing = r"^7: expected model\.tflite and float32\.tflite, float32\.tflite is missing; give the folder"
    with pytest.raises(DetectionError, match=missing):
        load_weights(folder, detector="thing")


def test_another_network_in_single_precision_than_described_is_refused(folder: Path) -> None:
    (of_two_networks(folder) / "float32.tflite").write_bytes(b"another")
    with pytest.raises(
        DetectionError, match=r"7/float32\.tflite: expected SHA-256 .*, found .*; the network"
    ):
        load_weights(folder, detector="thing")


@pytest.mark.parametrize("name", ["model.tflite", "config.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DetectionError, match=rf"^7: expected .*, {name} is missing; give the folder"):
        load_weights(folder, detector="thing")


def test_a_path_that_is_not_a_folder_of_weights_is_refused(folder: Path) -> None:
    with pytest.raises(DetectionError, match=r"nowhere: expected .* is missing"):
        load_weights(folder / "nowhere", detector="thing")
    with pytest.raises(DetectionError, match=r"model\.tflite: expected .* is missing"):
        load_weights(folder / "model.tflite", detector="thing")


def test_a_configuration_that_is_not_json_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text('{\n"detector": thing}', encoding="utf-8")
    with pytest.raises(DetectionError, match=r"7/config\.json: expected JSON, found an error in line 2"):
        load_weights(folder, detector="thing")


def test_missing_keys_are_named(folder: Path) -> None:
    configured(folder, threshold=None, version=None)
    with pytest.raises(DetectionError, match="version, threshold missing; export the weights again"):
        load_weights(folder, detector="thing")


def test_keys_that_only_this_detector_needs_are_named(folder: Path) -> None:
    with pytest.raises(DetectionError, match="threshold, margin, scores, margin, scores missing"):
        load_weights(folder, detector="thing", keys=("margin", "scores"))


def test_a_configuration_that_is_not_an_object_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("5", encoding="utf-8")
    with pytest.raises(DetectionError, match=r"detector, version, sha256, .* missing"):
        load_weights(folder, detector="thing")


def test_weights_of_another_detector_are_refused(folder: Path) -> None:
    with pytest.raises(DetectionError, match="7: expected weights of miniunet, found those of thing"):
        load_weights(folder, detector="miniunet")


def test_a_network_that_was_changed_is_refused(folder: Path) -> None:
    (folder / "model.tflite").write_bytes(NETWORK + b"!")
    changed = hashlib.sha256(NETWORK + b"!").hexdigest()
    with pytest.raises(DetectionError, match=rf"7/model\.tflite: expected SHA-256 \w+, found {changed}"):
        load_weights(folder, detector="thing")


@pytest.mark.parametrize("version", ["99", "0.99.0", "0.1.1"])
def test_weights_for_a_newer_package_are_refused(folder: Path, version: str) -> None:
    configured(folder, min_package_version=version)
    with pytest.raises(DetectionError, match=rf"expected nwb-mepp {version} or newer, found .*; upgrade"):
        load_weights(folder, detector="thing")


def test_the_newest_shipped_version_is_chosen_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "_SHIPPED", tmp_path)
    for name in ("1", "9", "10", "draft", "11.partial"):
        (tmp_path / "thing" / name).mkdir(parents=True)
    assert shipped_versions("thing") == ("10", "9", "1")
    assert shipped_weights("thing") == tmp_path / "thing" / "10"
    assert shipped_weights("thing", version="9") == tmp_path / "thing" / "9"
    assert shipped_versions("other") == ()
    expected = r"of thing in the installed package \(thing@10, thing@9, thing@1\), found thing@2; give one"
    with pytest.raises(UsageError, match=f"^`weights`: expected weights {expected} of these"):
        shipped_weights("thing", version="2")
    with pytest.raises(UsageError, match=r"package \(it has none\), found other@2; give their folder"):
        shipped_weights("other", version="2")


def test_an_installation_without_weights_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_SHIPPED", tmp_path)
    with pytest.raises(
        DetectionError, match="expected weights of thing in the installed package, found none"
    ):
        shipped_weights("thing")
