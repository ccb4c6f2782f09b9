"""Checking a file against the NWB schema."""

from __future__ import annotations

import re
import warnings
from functools import cache
from pathlib import Path
from typing import NamedTuple

import h5py
import pynwb
from pynwb import CORE_NAMESPACE, get_type_map

__all__ = ["NewerSchema", "newer_schema", "schema_errors"]

# Namespaces that come with pynwb.
_BUILT_IN = {CORE_NAMESPACE, "hdmf-common", "hdmf-experimental"}


def schema_errors(path: Path) -> list[str]:
    """Return the errors that pynwb's validator finds in a file, each as ``location: reason``.

    A file that uses only the schema that comes with pynwb is checked against that one, which is four times
    as fast as loading the same schema from the file.
    """
    with warnings.catch_warnings():
        # The file caches older namespaces than pynwb's own; the user cannot act on that.
        warnings.filterwarnings(
            "ignore", message="Ignoring the following cached namespace", category=UserWarning
        )
        errors = pynwb.validate(path=str(path), use_cached_namespaces=not _uses_built_in_schema(path))
    return sorted(f"{error.location or '/'}: {error.reason}" for error in errors)


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
