"""The variables of a MATLAB file of any version, as arrays, texts, and mappings for structures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from nwb_mepp._utils.bounded_memory import bounded_memory
from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.output_suppression import suppress_output

__all__ = ["Variables", "is_matlab_file", "load_variables"]

# Arrays of numbers with two dimensions, texts, lists of texts, and mappings of fields.
Variables: TypeAlias = Mapping[str, Any]

_HDF5 = b"\x89HDF\r\n\x1a\n"
# Version 7.3 puts its own header before that of HDF5.
_HDF5_AT = (0, 512)
_MAX_DEPTH = 6


def is_matlab_file(path: Path, *, without: str) -> bool:
    """Return whether a file is a MATLAB file that lacks a variable.

    Parameters
    ----------
    path : Path
    without : str
    """
    if _is_hdf5(path):
        return True
    from scipy.io import whosmat

    try:
        return all(name != without for name, _, _ in whosmat(path))
    except Exception:  # SciPy raises all kinds of errors for a file that is not a MATLAB file
        return False


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(_HDF5_AT[-1] + len(_HDF5))
    return any(head[at:].startswith(_HDF5) for at in _HDF5_AT)


def load_variables(path: Path) -> dict[str, Any]:
    """Return the variables of a MATLAB file by name.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to object
        Numbers as arrays of two dimensions or more, texts as str or lists of str, structures as dict.

    Raises
    ------
    ReadError
        If the file cannot be read.
    """
    try:
        with suppress_output():
            return _from_hdf5(path) if _is_hdf5(path) else _from_mat(path)
    except Exception as error:  # SciPy and h5py raise all kinds of errors for a damaged file
        raise ReadError(
            f"{path.name}: expected a MATLAB file, found one that cannot be read ({type(error).__name__}: "
            f"{' '.join(str(error).split())[:200]}); it may be truncated or damaged, save it again."
        ) from error


def _from_mat(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat

    loaded = loadmat(path, chars_as_strings=True)
    return {name: _converted(one) for name, one in loaded.items() if not name.startswith("__")}


def _converted(found: Any) -> Any:
    """Return a variable of SciPy without its wrapping in arrays."""
    if not isinstance(found, np.ndarray):
        return found
    if found.dtype.names:
        if found.size != 1:
            return [_converted(one) for one in found.ravel()]
        record = found.ravel()[0]
        return {field: _converted(record[field]) for field in found.dtype.names}
    if found.dtype.kind == "O":
        cells = [_converted(one) for one in found.ravel()]
        return [cell if isinstance(cell, str) else cell[0] if _is_text(cell) else cell for cell in cells]
    if found.dtype.kind == "U":
        return [str(one) for one in found.ravel()]
    return found


def _is_text(cell: Any) -> bool:
    return isinstance(cell, list) and len(cell) == 1 and isinstance(cell[0], str)


def _from_hdf5(path: Path) -> dict[str, Any]:
    import h5py

    with h5py.File(path, "r") as file, bounded_memory(path):
        return {
            name: found
            for name in file
            if not name.startswith("#") and (found := _from_node(file, file[name], depth=0)) is not None
        }


def _from_node(file: Any, node: Any, *, depth: int) -> Any:
    """Return a variable of version 7.3; None for what is no number, text or structure."""
    import h5py

    if depth > _MAX_DEPTH:
        return None
    if isinstance(node, h5py.Group):
        return {name: _from_node(file, node[name], depth=depth + 1) for name in node}
    if node.attrs.get("MATLAB_empty", 0):
        return np.empty((0, 0))
    if node.dtype.kind == "O" and h5py.check_ref_dtype(node.dtype) is not None:
        cells = [_from_node(file, file[one], depth=depth + 1) for one in node[()].T.ravel()]
        return [cell[0] if _is_text(cell) else cell for cell in cells]
    if node.attrs.get("MATLAB_class", b"") == b"char":
        # One column of codes for each text.
        return ["".join(map(chr, row)) for row in np.atleast_2d(np.asarray(node[()]).T)]
    if node.dtype.kind not in "fiu":
        return None
    return np.atleast_2d(np.asarray(node[()])).T
