from __future__ import annotations

import gc
import importlib
import sys
from pathlib import Path

import pytest

from nwb_mepp.workflows.batch import imported_to_analyze, imported_to_convert, runner


@pytest.mark.parametrize("name", imported_to_analyze.MODULES)
def test_what_is_imported_first_is_there(name: str) -> None:
    assert importlib.import_module(name) is sys.modules[name]


def test_analysis_imports_what_conversion_does_and_more() -> None:
    assert set(imported_to_convert.MODULES) < set(imported_to_analyze.MODULES)


def test_what_is_missing_or_fails_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "loud.py").write_text("print('loud')\nraise RuntimeError\n")
    imported_to_convert.import_silently(["loud", "missing_for_sure"])
    assert capsys.readouterr() == ("", "")


def test_batches_name_the_modules_that_import() -> None:
    assert imported_to_convert.__name__ == runner._IMPORTED_TO_CONVERT
    assert imported_to_analyze.__name__ == runner._IMPORTED_TO_ANALYZE


def test_what_was_imported_is_not_looked_through_for_unused_objects_again() -> None:
    gc.unfreeze()
    try:
        imported_to_convert.import_silently(())
        assert gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()


@pytest.mark.parametrize(
    ("names", "analyze", "scheduler", "started"),
    [
        (["one.abf", "two.abf"], False, None, ["nwb_mepp.workflows.batch.imported_to_convert"]),
        (["folder"], True, None, ["nwb_mepp.workflows.batch.imported_to_analyze"]),
        (["one.abf"], True, None, []),
        (["one.abf", "two.abf"], True, "tcp://there:8786", []),
    ],
)
def test_imports_begin_before_the_plan_where_processes_will_be_needed(
    names: list[str],
    analyze: bool,
    scheduler: str | None,
    started: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "folder").mkdir()
    asked: list[str] = []
    monkeypatch.setattr(runner, "start_server", lambda *, imported_first: asked.append(imported_first))
    paths = [tmp_path / name for name in names]
    runner.prepare_processes(paths, analyze=analyze, scheduler=scheduler)
    assert asked == started
