"""Check a file against the NWB schema."""

from __future__ import annotations

import warnings
from pathlib import Path

import h5py
import pynwb
from pynwb import CORE_NAMESPACE, get_type_map

__all__ = ["schema_errors"]

# Namespaces that pynwb itself brings.
_BUILT_IN = {CORE_NAMESPACE, "hdmf-common", "hdmf-experimental"}


def schema_errors(path: Path) -> list[str]:
    """Return what pynwb's validator finds wrong in a file, each as ``location: reason``.

    A file that uses nothing but the schema that pynwb brings is checked against that, which is four
    times as fast as loading the same schema from the file.
    """
    with warnings.catch_warnings():
        # Namespaces cached in the file that are older than pynwb's own; nothing the user can act on.
        warnings.filterwarnings(
            "ignore", message="Ignoring the following cached namespace", category=UserWarning
        )
        errors = pynwb.validate(path=str(path), use_cached_namespaces=not _uses_built_in_schema(path))
    return sorted(f"{error.location or '/'}: {error.reason}" for error in errors)


def _uses_built_in_schema(path: Path) -> bool:
    version = get_type_map().namespace_catalog.get_namespace(CORE_NAMESPACE).version
    with h5py.File(path, "r") as file:
        cached = file.get("specifications", {})
        return set(cached) <= _BUILT_IN and list(cached.get(CORE_NAMESPACE, {})) == [version]
