"""Cheap tests that identify the format of a binary file whose suffix is ambiguous."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

__all__ = [
    "HDF5_SIGNATURE",
    "contains_files",
    "contains_hdf5_members",
    "contains_matlab_variable",
    "has_sibling",
    "starts_with",
]

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def starts_with(*magic: bytes, offset: int = 0) -> Callable[[Path], bool]:
    """Return a test for a magic number at the beginning of a file.

    Parameters
    ----------
    *magic : bytes
        The file must have one of these.
    offset : int, default 0
        Position of the magic number in the file.
    """

    def claims(path: Path) -> bool:
        with path.open("rb") as stream:
            stream.seek(offset)
            return stream.read(max(map(len, magic))).startswith(magic)

    return claims


def has_sibling(*, appended: str = "", replaced: str = "") -> Callable[[Path], bool]:
    """Return a test for the companion file that a format requires next to the data file.

    Parameters
    ----------
    appended : str, optional
        Suffix appended to the full file name (``run.eeg`` and ``run.eeg.ent``).
    replaced : str, optional
        Suffix that replaces that of the file (``run.dat`` and ``run.xml``).
    """

    def claims(path: Path) -> bool:
        sibling = path.with_name(path.name + appended) if appended else path.with_suffix(replaced)
        return sibling.is_file()

    return claims


def contains_files(*suffixes: str, magic: bytes = b"") -> Callable[[Path], bool]:
    """Return a test for a folder that directly contains a file of a given kind.

    Parameters
    ----------
    *suffixes : str
        In lower case, with the dot.
    magic : bytes, optional
        The bytes that such a file begins with.
    """
    begins = starts_with(magic)

    def claims(path: Path) -> bool:
        return any(
            file.suffix.lower() in suffixes and file.is_file() and begins(file) for file in path.iterdir()
        )

    return claims


def contains_matlab_variable(name: str) -> Callable[[Path], bool]:
    """Return a test for a MATLAB file that contains a given variable.

    Parameters
    ----------
    name : str
    """

    def claims(path: Path) -> bool:
        from scipy.io import whosmat

        try:
            return any(variable == name for variable, _, _ in whosmat(path))
        except Exception:  # SciPy raises all kinds of errors for a file that is not a MATLAB file
            return False

    return claims


def contains_hdf5_members(*wanted: str | tuple[str, ...]) -> Callable[[Path], bool]:
    """Return a test for an HDF5 file that has certain groups or datasets at its top.

    Parameters
    ----------
    *wanted : str or tuple of str
        Names that all must be there; of a tuple, one of them.
    """
    is_hdf5 = starts_with(HDF5_SIGNATURE)

    def claims(path: Path) -> bool:
        if not is_hdf5(path):
            return False
        import h5py

        try:
            with h5py.File(path, "r") as file:
                return all(
                    any(name in file for name in ((one,) if isinstance(one, str) else one)) for one in wanted
                )
        except OSError:
            return False

    return claims
