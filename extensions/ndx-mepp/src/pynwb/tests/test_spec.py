from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

import ndx_mepp
import pytest

EXTENSION = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    pytest.importorskip("nwb_mepp", reason="nwb-mepp defines the columns")
    spec = importlib.util.spec_from_file_location(
        "create_extension_spec", EXTENSION / "src" / "spec" / "create_extension_spec.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_specification_is_what_the_script_writes(script: ModuleType, tmp_path: Path) -> None:
    script.main(tmp_path / "spec")
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "spec").iterdir()}
    kept = {path.name: path.read_text("utf-8") for path in (EXTENSION / "spec").iterdir()}
    assert written == kept, "run: python extensions/ndx-mepp/src/spec/create_extension_spec.py"


def test_a_column_waits_for_the_version_that_brings_it(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = script.Column("now", optional=True)
    later = script.Column("later", "{u}", "Later.", since="0.10.0", optional=True)
    monkeypatch.setattr(script, "VERSION", "0.9.0")
    assert script.known([now, later]) == [now]
    monkeypatch.setattr(script, "VERSION", "0.10.0")
    assert script.known([now, later]) == [now, later]
    # Tables of both versions obey the specification of the later one.
    assert script.dataset(later, trace_unit="V or A").quantity == "?"


def test_the_version_is_the_same_wherever_it_stands(script: ModuleType) -> None:
    project = tomllib.loads((EXTENSION / "pyproject.toml").read_text("utf-8"))["project"]
    (stated,) = [
        line.removeprefix("version: ")
        for line in (EXTENSION / "ndx-meta.yaml").read_text("utf-8").splitlines()
        if line.startswith("version: ")
    ]
    assert {ndx_mepp.__version__, script.VERSION, project["version"], stated} == {ndx_mepp.__version__}
    # Files of every version so far are kept.
    assert (EXTENSION / "back_compat" / f"{ndx_mepp.__version__}.nwb").is_file()
