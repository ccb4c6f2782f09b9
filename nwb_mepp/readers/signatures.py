"""Cheap tests of what a binary file is, where its suffix alone does not tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

__all__ = ["contains_files", "contains_matlab_variable", "has_sibling", "starts_with"]


def starts_with(*magic: bytes, at: int = 0) -> Callable[[Path], bool]:
    """Return a test whether a file has one of some sequences of bytes near its beginning.

    Parameters
    ----------
    *magic : bytes
    at : int, default 0
        Where in the file.
    """

    def claims(path: Path) -> bool:
        with path.open("rb") as stream:
            stream.seek(at)
            return stream.read(max(map(len, magic))).startswith(magic)

    return claims


def has_sibling(*, added: str = "", replaced: str = "") -> Callable[[Path], bool]:
    """Return a test whether the file that belongs to a format lies beside a file.

    Parameters
    ----------
    added : str, optional
        Suffix after the whole name (``run.eeg`` and ``run.eeg.ent``).
    replaced : str, optional
        Suffix instead of the file's own (``run.dat`` and ``run.xml``).
    """

    def claims(path: Path) -> bool:
        sibling = path.with_name(path.name + added) if added else path.with_suffix(replaced)
        return sibling.is_file()

    return claims


def contains_files(*suffixes: str, magic: bytes = b"") -> Callable[[Path], bool]:
    """Return a test whether a folder holds a file of a kind, itself and not in a folder below.

    Parameters
    ----------
    *suffixes : str
        Lower case, with the dot.
    magic : bytes, optional
        What such a file begins with.
    """
    begins = starts_with(magic)

    def claims(path: Path) -> bool:
        return any(
            file.suffix.lower() in suffixes and file.is_file() and begins(file) for file in path.iterdir()
        )

    return claims


def contains_matlab_variable(name: str) -> Callable[[Path], bool]:
    """Return a test whether a MATLAB file holds a variable.

    Parameters
    ----------
    name : str
    """

    def claims(path: Path) -> bool:
        from scipy.io import whosmat

        try:
            return any(variable == name for variable, _, _ in whosmat(path))
        except Exception:  # of a file that is none, SciPy says so by errors of every kind
            return False

    return claims
