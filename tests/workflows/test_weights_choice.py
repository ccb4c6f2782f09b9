"""Weights of one's own: whose they are, and what is refused before any recording is read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nwb_mepp.core.errors import DetectionError, UsageError
from nwb_mepp.detectors import shipped_weights
from nwb_mepp.workflows import choose_weights


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """The shipped weights of MiniUnet in a folder of a lab."""
    return Path(shutil.copytree(shipped_weights("miniunet"), tmp_path / "lab=2026" / "7"))


def test_the_folder_says_whose_weights_they_are_unless_the_user_does(lab: Path) -> None:
    assert choose_weights([lab]) == choose_weights([f"miniunet={lab}"]) == (("miniunet", lab),)
    both = choose_weights([str(lab), f"autoencoder={shipped_weights('autoencoder')}"])
    assert [name for name, _ in both] == ["miniunet", "autoencoder"]
    assert choose_weights([]) == ()


def test_shipped_weights_are_chosen_by_name_and_version() -> None:
    shipped = shipped_weights("miniunet", version="3")
    assert choose_weights(["miniunet@3"]) == (("miniunet", shipped),)
    assert choose_weights(["miniunet=miniunet@3"]) == (("miniunet", shipped),)


def test_a_folder_may_be_called_like_a_version(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lab.rename("lab@7")
    assert choose_weights(["lab@7"]) == (("miniunet", Path("lab@7")),)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "miniunet@2",
            r"weights of miniunet in the installed package \(miniunet@6, miniunet@5, .*\), found miniunet@2",
        ),
        ("minunet@3", r"`weights`: expected DETECTOR@VERSION with one of autoencoder, .*, found 'minunet@3'"),
        ("template@1", r"expected a detector that has weights \(autoencoder, .*miniunet\), found template"),
    ],
)
def test_weights_that_no_detector_brings_are_refused(value: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose_weights([value])


def test_weights_of_another_detector_are_refused(lab: Path) -> None:
    with pytest.raises(DetectionError, match="7: expected weights of autoencoder, found those of miniunet"):
        choose_weights([f"autoencoder={lab}"])
    with pytest.raises(DetectionError, match="3: expected weights of autoencoder, found those of miniunet"):
        choose_weights(["autoencoder=miniunet@3"])


def test_a_detector_without_weights_is_refused_with_those_that_have_some(lab: Path) -> None:
    with pytest.raises(
        UsageError,
        match=r"`weights`: expected a detector that has weights \(autoencoder, .*miniunet\), found template",
    ):
        choose_weights([f"template={lab}"])


def test_an_unknown_detector_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        UsageError,
        match=r"`weights`: expected DETECTOR=FOLDER with one of autoencoder, .*, found 'minunet=lab'",
    ):
        choose_weights(["minunet=lab"])


def test_a_folder_that_is_not_there_or_lacks_a_file_is_refused(lab: Path, tmp_path: Path) -> None:
    with pytest.raises(DetectionError, match=r"nowhere: expected model\.tflite and config\.json, config"):
        choose_weights([tmp_path / "nowhere"])
    (lab / "model.tflite").unlink()
    with pytest.raises(DetectionError, match=r"7: expected model\.tflite and config\.json, model\.tflite is"):
        choose_weights([lab])


def test_a_network_other_than_the_one_described_is_refused(lab: Path) -> None:
    with (lab / "model.tflite").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(DetectionError, match=r"7/model\.tflite: expected SHA-256 .*, found "):
        choose_weights([lab])


def test_a_configuration_that_names_no_detector_is_refused(lab: Path) -> None:
    config = json.loads((lab / "config.json").read_text(encoding="utf-8"))
    del config["detector"]
    for text in (json.dumps(config), "[]"):
        (lab / "config.json").write_text(text, encoding="utf-8")
        with pytest.raises(DetectionError, match=r"7/config\.json: expected the key detector, found none"):
            choose_weights([lab])
