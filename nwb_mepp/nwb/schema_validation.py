"""Checking a file against the NWB schema."""

from __future__ import annotations

import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import h5py
from hdmf.build import BuildManager, TypeMap
from hdmf.validate import ValidatorMap
from pynwb import CORE_NAMESPACE, NWBHDF5IO, get_type_map
from pynwb.validation import get_cached_namespaces_to_validate

from nwb_mepp._utils.bounded_memory import bounded_memory

__all__ = ["NewerSchema", "newer_schema", "schema_errors"]

# Namespaces that come with pynwb.
_BUILT_IN = {CORE_NAMESPACE, "hdmf-common", "hdmf-experimental"}
# The attribute that says where a file holds its schema.
_SPECIFICATIONS = ".specloc"


# Of the schemas that files hold, those used last are kept: to parse one takes longer than to check a file.
_N_KEPT = 8
_Specifications = tuple[tuple[str, bytes], ...]
_kept: dict[_Specifications, _Schema] = {}


class _Schema(NamedTuple):
    """A schema, and what checks files against it; neither changes when a file is checked."""

    types: TypeMap
    validators: tuple[ValidatorMap, ...]

    def errors_in(self, path: Path) -> list[Any]:
        with NWBHDF5IO(path=str(path), mode="r", manager=BuildManager(self.types)) as io:
            builder = io.read_builder()
            return [error for validator in self.validators for error in validator.validate(builder)]


def schema_errors(path: Path) -> list[str]:
    """Return the errors that pynwb's validator finds in a file, each as ``location: reason``.

    A file that uses only the schema that comes with pynwb is checked against that one, others against the
    schema that they hold.
    """
    with bounded_memory(path), warnings.catch_warnings():
        # The file caches older namespaces than pynwb's own; the user cannot act on that.
        warnings.filterwarnings(
            "ignore", message="Ignoring the following cached namespace", category=UserWarning
        )
        errors = _schema_of(path).errors_in(path)
    return sorted(f"{error.location or '/'}: {error.reason}" for error in errors)


def _schema_of(path: Path) -> _Schema:
    if _uses_built_in_schema(path):
        return _built_in()
    held = _specifications(path)
    if held not in _kept:
        namespaces, manager, _ = get_cached_namespaces_to_validate(path=str(path))
        while len(_kept) >= _N_KEPT:
            del _kept[next(iter(_kept))]
        _kept[held] = _schema(manager.type_map, namespaces) if namespaces else _built_in()
    return _kept[held]


@cache
def _built_in() -> _Schema:
    return _schema(get_type_map(), [CORE_NAMESPACE])


def _schema(types: TypeMap, namespaces: list[str]) -> _Schema:
    catalog = types.namespace_catalog
    return _Schema(types, tuple(ValidatorMap(catalog.get_namespace(name=name)) for name in namespaces))


def _specifications(path: Path) -> _Specifications:
    """Return the schema that a file holds: the name and content of each part."""
    found: list[tuple[str, bytes]] = []
    with h5py.File(path, "r") as file:
        if _SPECIFICATIONS in file.attrs:
            place = file[file.attrs[_SPECIFICATIONS]]
            place.visititems(
                lambda name, item: found.append((name, item[()])) if isinstance(item, h5py.Dataset) else None
            )
    return tuple(found)


class NewerSchema(NamedTuple):
    """Versions of the NWB schema: of a file, and the newest that pynwb knows."""

    found: str
    known: str


def newer_schema(file: h5py.File) -> NewerSchema | None:
    """Return the versions if a file follows a newer schema than pynwb knows, else None.

    pynwb would read such a file with its own schema, skip what it does not know, and mark what it writes as
    the older version. Versions that differ only in the third number count as equal.
    """
    found, known = str(_text(file.attrs.get("nwb_version", ""))), _known_version()
    return NewerSchema(found, known) if _release(found) > _release(known) else None


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value


def _release(version: str) -> tuple[int, int]:
    numbers = re.search(r"(\d+)\.(\d+)", version)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)


@cache
def _known_version() -> str:
    # pynwb copies its whole map of types to hand it out.
    return str(get_type_map().namespace_catalog.get_namespace(CORE_NAMESPACE).version)


def _uses_built_in_schema(path: Path) -> bool:
    version = _known_version()
    with h5py.File(path, "r") as file:
        cached = file.get("specifications", {})
        return set(cached) <= _BUILT_IN and list(cached.get(CORE_NAMESPACE, {})) == [version]
