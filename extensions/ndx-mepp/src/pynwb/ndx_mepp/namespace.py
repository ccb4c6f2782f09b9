"""The specification, as it is installed or lies in the repository, made known to pynwb."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pynwb import get_type_map, load_namespaces

__all__ = ["NAMESPACE", "__version__", "attributes", "columns", "dtypes"]

NAMESPACE = "ndx-mepp"

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "spec"
_FOLDER = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parents[2] / "spec"

load_namespaces(str(_FOLDER / f"{NAMESPACE}.namespace.yaml"))
_CATALOG = get_type_map().namespace_catalog

__version__: str = _CATALOG.get_namespace(NAMESPACE).version

_TYPES = {"text": str, "float64": float}


def attributes(type_name: str) -> Iterator[dict[str, Any]]:
    """Return the attributes that a type adds to the one it extends, as arguments of its constructor."""
    spec = _CATALOG.get_spec(NAMESPACE, type_name)
    for attribute in spec.attributes:
        if not spec.is_inherited_spec(attribute):
            optional = {} if attribute.required else {"default": None}
            yield {
                "name": attribute.name,
                "type": _TYPES[attribute.dtype],
                "doc": attribute.doc,
                **optional,
            }


def columns(type_name: str, *, quantity: type) -> Iterator[dict[str, Any]]:
    """Return the columns that a type of table adds to the one it extends, as ``DynamicTable`` wants them.

    Parameters
    ----------
    type_name : str
    quantity : type
        Class of the columns that have a unit. A unit that the specification leaves open is given as it
        stands there: ``"V or A"``, ``"(V or A) s"``.
    """
    spec = _CATALOG.get_spec(NAMESPACE, type_name)
    for column in spec.datasets:
        if spec.is_inherited_spec(column):
            continue
        described = {"name": column.name, "description": column.doc, "required": column.required}
        if column.data_type_inc == quantity.__name__:
            unit = column.get_attribute("unit").doc.removeprefix("Unit: ").removesuffix(".")
            described |= {"class": quantity, "unit": unit}
        yield described


def dtypes(type_name: str) -> dict[str, str]:
    """Return what the required columns of a type of table, or the attributes of any other type, hold.

    Examples
    --------
    >>> dtypes("MEPPTable")["overlapped"], dtypes("MEPPDetector")["threshold"]
    ('bool', 'float64')
    """
    spec = _CATALOG.get_spec(NAMESPACE, type_name)
    own = (part for part in spec.datasets or spec.attributes if not spec.is_inherited_spec(part))
    return {part.name: part.dtype for part in own if part.required or not spec.datasets}
