"""The folder a training works in: nothing half done at the end, nothing of another training mixed in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nwb_mepp.core.errors import OutputError, UsageError
from nwb_mepp.ml.training.work_folder import WorkFolder


def exported(work: WorkFolder, fingerprint: str = "abc") -> Path:
    folder = work.export
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"training": {"fingerprint": fingerprint}}))
    return folder


@pytest.mark.parametrize("empty_folder", [True, False])
def test_weights_appear_at_once_and_what_was_needed_on_the_way_goes(
    tmp_path: Path, empty_folder: bool
) -> None:
    target = tmp_path / "lab1"
    if empty_folder:
        target.mkdir()
    work = WorkFolder(target)
    assert not work.begin({"seed": 1})
    assert not work.finished("abc")
    work.finish(exported(work))
    assert [path.name for path in tmp_path.iterdir()] == ["lab1"]
    assert WorkFolder(target).finished("abc")


def test_an_export_that_was_torn_is_made_anew(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path / "lab1")
    torn = exported(work)
    assert work.export == torn
    assert not torn.exists()


def test_a_training_goes_on_with_the_settings_it_was_begun_with(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path / "lab1")
    settings = {"seed": 1, "steps": (1, 2), "start": None}
    assert not work.begin(settings)
    assert WorkFolder(tmp_path / "lab1").begin(settings)
    with pytest.raises(UsageError, match=r"lab1\.training was started with, seed 1, found 2 \(and start\)"):
        work.begin({"seed": 2, "steps": [1, 2], "start": "x"})


def test_what_a_training_was_begun_with_is_not_guessed_if_it_cannot_be_read(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path / "lab1")
    work.begin({"seed": 1})
    (work.path / "settings.json").write_text("{")
    with pytest.raises(UsageError, match=r"seed None, found 1"):
        work.begin({"seed": 1})


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path / "lab1")
    work.finish(exported(work))
    with pytest.raises(OutputError, match=r"from other data or settings; .* give another `output`"):
        work.finished("def")
    (tmp_path / "lab1" / "config.json").write_text("no JSON")
    with pytest.raises(OutputError, match=r"found weights from other data or settings"):
        work.finished("abc")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").touch()
    with pytest.raises(OutputError, match=r"photos, found one with other content; give another `output`"):
        WorkFolder(tmp_path / "photos")
    with pytest.raises(OutputError, match=r"expected a folder or nothing at .*cat\.png, found a file"):
        WorkFolder(tmp_path / "photos" / "cat.png")


def test_weights_that_cannot_be_put_in_their_place_are_kept(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path / "lab1")
    folder = exported(work)
    (tmp_path / "lab1").mkdir()
    (tmp_path / "lab1" / "arrived").touch()  # meanwhile
    with pytest.raises(
        OutputError, match=r"expected to write .*lab1, found: .*; the weights are in .*export"
    ):
        work.finish(folder)
    assert (folder / "config.json").is_file()
