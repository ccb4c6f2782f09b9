from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import ndx_mepp
import pynwb
import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

EXTENSION = Path(__file__).resolve().parents[3]
SPEC_FILES = sorted((EXTENSION / "spec").iterdir())


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


def contents(path: Path) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(path)


def test_the_specification_is_what_the_script_writes(script: ModuleType, tmp_path: Path) -> None:
    script.main(tmp_path / "spec")
    written = {path.name: path.read_text("utf-8") for path in (tmp_path / "spec").iterdir()}
    kept = {path.name: path.read_text("utf-8") for path in SPEC_FILES}
    assert written == kept, "run: python extensions/ndx-mepp/src/spec/create_extension_spec.py"


@pytest.mark.parametrize("path", SPEC_FILES, ids=lambda path: path.name)
def test_the_specification_obeys_the_language_of_nwb(path: Path) -> None:
    schema = json.loads((Path(pynwb.__file__).parent / "nwb-schema" / "nwb.schema.json").read_text("utf-8"))
    assert [error.message for error in Draft7Validator(schema).iter_errors(contents(path))] == []


def test_the_version_is_the_same_wherever_it_stands() -> None:
    (namespace,) = contents(EXTENSION / "spec" / "ndx-mepp.namespace.yaml")["namespaces"]
    entry = contents(EXTENSION / "ndx-meta.yaml")
    changes = re.findall(r"^## (\S+)", (EXTENSION / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert (namespace["version"], entry["version"], changes[0]) == (ndx_mepp.__version__,) * 3
    # A file of every version that stays readable is kept.
    assert (EXTENSION / "back_compat" / f"{ndx_mepp.__version__}.nwb").is_file()


def test_what_is_installed_has_the_version_of_the_specification() -> None:
    assert importlib.metadata.version("ndx-mepp") == ndx_mepp.__version__


def test_the_catalog_entry_and_what_the_page_says_it_lacks_are_all_that_the_catalog_demands() -> None:
    page = (EXTENSION / "README.md").read_text("utf-8")
    lacking = set(
        re.findall(r"^- `(\w+)`:", page.partition("## Enter it in the NDX catalog")[2], re.MULTILINE)
    )
    given = contents(EXTENSION / "ndx-meta.yaml").keys()
    assert given & lacking == set()
    assert given | lacking == {"name", "version", "src", "pip", "license", "maintainers"}


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
