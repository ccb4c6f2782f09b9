"""Imports point down only, and each heavy package has one place that may import it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "nwb_mepp"

# The floors of docs/architecture.md, from the ground up. A part imports from lower floors only; what stands
# on one floor never imports each other.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"core"}),
    frozenset({"_utils"}),
    frozenset({"conditioning", "measurement"}),
    frozenset({"detectors", "evaluation", "nwb", "plots", "readers", "simulation", "statistics"}),
    frozenset({"workflows"}),
    frozenset({"curation", "ml"}),
    frozenset({"api", "cli", "neuroconv", "testing"}),
    frozenset({"", "__main__"}),  # "" is nwb_mepp itself: it hands out the names of the API.
)

# Where else these are imported, they load with everything that passes there.
SOLE_IMPORTERS = {
    "aiohttp": "curation",
    "ai_edge_litert": "detectors",
    "distributed": "_utils.cluster",
    "elephant": "statistics",
    "hdmf": "nwb",
    "keras": "ml.networks",
    "matplotlib": "plots",
    "ndx_mepp": "nwb",
    "neo.io": "readers",
    "neuroconv": "neuroconv",
    "neo.rawio": "readers",
    "nwbinspector": "nwb",
    "openpyxl": "workflows.batch",
    "pyarrow": "workflows.batch",
    "pynwb": "nwb",
    "tensorflow": "ml.networks",
    "typer": "cli",
}


@cache
def modules() -> dict[str, Path]:
    """Return every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def part_of(module: str) -> str:
    """Return the part of the package that a module belongs to: its first name below nwb_mepp."""
    return module.split(".")[1] if "." in module else ""


def floor_of(part: str) -> int:
    floors = [number for number, parts in enumerate(FLOORS) if part in parts]
    assert floors, f"nwb_mepp.{part} has no floor: place it in FLOORS and in docs/architecture.md"
    return floors[0]


def imports_of(source: str, *, module: str, is_package: bool) -> set[str]:
    """Return the dotted names that a module imports, anywhere in it, type checking included.

    ``from a import b`` gives ``a.b``: whether ``b`` is a module or a name in one does not matter for the
    part it belongs to. The use of ``neo.io`` through ``import neo`` counts as an import of it.
    """
    package = module.split(".") if is_package else module.split(".")[:-1]
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            names.update(f"{origin}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in SOLE_IMPORTERS:
            names.add(ast.unparse(node))
    return names


def imported_parts(names: set[str]) -> set[str]:
    """Return the parts of the package among imported names."""
    own = {name for name in names if name.split(".")[0] == "nwb_mepp"}
    parts = {part_of(name) for name in own}
    # ``from nwb_mepp import read`` takes a name of the package itself, not of a part.
    known = frozenset.union(*FLOORS)
    return {part if part in known or (PACKAGE / part).is_dir() else "" for part in parts}


def complaints(module: str, names: set[str]) -> list[str]:
    """Return a sentence for each import that the architecture forbids."""
    part = part_of(module)
    found = []
    for other in sorted(imported_parts(names) - {part}):
        upward = floor_of(other) > floor_of(part)
        sideways = floor_of(other) == floor_of(part)
        if upward or sideways:
            found.append(f"{module} imports {'up' if upward else 'sideways'}: nwb_mepp.{other}")
    for package, owner in SOLE_IMPORTERS.items():
        inside = f"{module}.".startswith(f"nwb_mepp.{owner}.")
        if not inside and any(name == package or name.startswith(f"{package}.") for name in names):
            found.append(f"{module} imports {package}, which only nwb_mepp.{owner} may")
    return found


@cache
def imports() -> dict[str, set[str]]:
    """Return what each module imports."""
    return {
        module: imports_of(path.read_text("utf-8"), module=module, is_package=path.name == "__init__.py")
        for module, path in modules().items()
    }


def test_the_extension_can_be_used_without_the_package() -> None:
    sources = sorted((PACKAGE.parent / "extensions").rglob("ndx_*/**/*.py"))
    assert sources
    for path in sources:
        names = imports_of(path.read_text("utf-8"), module="ndx", is_package=False)
        assert {name.partition(".")[0] for name in names} & {"nwb_mepp", "tests"} == set(), path


def test_every_module_imports_only_what_lies_below_it() -> None:
    assert [complaint for module, names in imports().items() for complaint in complaints(module, names)] == []


def test_every_part_of_the_package_has_a_floor() -> None:
    for module in modules():
        floor_of(part_of(module))


def imported_modules(module: str) -> set[str]:
    """Return the modules of the package that a module imports: for ``from a import b`` the module b, or a."""
    own = {name for name in imports()[module] if name.split(".")[0] == "nwb_mepp"}
    return {name if name in modules() else name.rpartition(".")[0] for name in own} - {module}


def test_no_modules_import_each_other_in_a_circle() -> None:
    needs = {module: imported_modules(module) for module in modules()}
    while free := {module for module, others in needs.items() if not others}:
        needs = {module: others - free for module, others in needs.items() if module not in free}
    assert needs == {}


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        (
            "nwb_mepp.core.segments",
            "from nwb_mepp.detectors import Detector",
            "imports up: nwb_mepp.detectors",
        ),
        ("nwb_mepp.core.segments", "from nwb_mepp import __version__", "imports up: nwb_mepp."),
        ("nwb_mepp.nwb.writer", "import nwb_mepp.readers.text", "imports sideways: nwb_mepp.readers"),
        ("nwb_mepp.nwb.writer", "from ..readers import text", "imports sideways: nwb_mepp.readers"),
        ("nwb_mepp.nwb.writer", "from nwb_mepp import readers", "imports sideways: nwb_mepp.readers"),
        ("nwb_mepp.workflows", "def f():\n    from nwb_mepp.cli import main", "imports up: nwb_mepp.cli"),
        ("nwb_mepp.workflows", "from nwb_mepp.ml.training import train", "imports up: nwb_mepp.ml"),
        ("nwb_mepp.workflows", "import pynwb", "imports pynwb, which only nwb_mepp.nwb may"),
        ("nwb_mepp.api", "from neo.io import AxonIO", "imports neo.io, which only nwb_mepp.readers may"),
        ("nwb_mepp.api", "import neo\nneo.io.get_io", "imports neo.io, which only nwb_mepp.readers may"),
        (
            "nwb_mepp.detectors.miniunet",
            "if TYPE_CHECKING:\n    import tensorflow as tf",
            "imports tensorflow, which only nwb_mepp.ml.networks may",
        ),
    ],
)
def test_a_forbidden_import_is_noticed(module: str, source: str, complaint: str) -> None:
    found = complaints(module, imports_of(source, module=module, is_package=False))
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("nwb_mepp.cli.main", "import nwb_mepp.workflows, nwb_mepp.readers, nwb_mepp.core.errors, typer"),
        ("nwb_mepp.readers.text", "from nwb_mepp.readers.base import Reader\nimport neo.io"),
        ("nwb_mepp.readers.text", "from .base import Reader"),
        ("nwb_mepp.measurement.kinetics", "from nwb_mepp.core.segments import Segment"),
        ("nwb_mepp.api", "import neo\nneo.Epoch"),
        ("nwb_mepp.detectors.interface", "from nwb_mepp.core.version import __version__"),
    ],
)
def test_an_import_from_below_is_allowed(module: str, source: str) -> None:
    assert complaints(module, imports_of(source, module=module, is_package=False)) == []


def test_relative_imports_in_a_package_are_resolved_from_the_package() -> None:
    names = imports_of("from .base import Reader", module="nwb_mepp.readers", is_package=True)
    assert names == {"nwb_mepp.readers.base.Reader"}
