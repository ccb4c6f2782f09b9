"""What a reader is: a name, the files it is for, and a function that reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from nwb_mepp.core.errors import MissingDependencyError
from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.options import ReadOptions

__all__ = ["ReaderEntry", "extra_of"]

# What the extra ``formats`` of this package installs.
_EXTRA_FORMATS = frozenset({"igor2", "nixio", "pyabf", "pyedflib"})


@dataclass(frozen=True, kw_only=True)
class ReaderEntry:
    """One registered reader.

    A package adds its own by an entry point in the group ``nwb_mepp.readers`` that names a
    ``ReaderEntry``, or a function without arguments that gives several.

    Attributes
    ----------
    name : str
        As users write it after ``--reader``.
    description : str
    suffixes : tuple of str
        Lower case, with the dot: files that the reader may be chosen for.
    read : callable
        ``read(path, options) -> FileContents``.
    claims : callable, optional
        ``claims(path) -> bool``: whether the content of a file with such a suffix is for this reader.
        Without it the suffix decides. Of a reader of folders: whether a folder is for it; without it
        such a reader has to be named.
    is_signature : bool
        What ``claims`` looks for stands in no other format, so the reader is for such a file whatever its
        suffix.
    resembles_recording : callable, optional
        A stricter and still cheap test for files met while walking a folder, where tables and notes
        lie beside recordings.
    explicit : bool
        Chosen by ``--reader`` only, because nothing in such a file tells what it is.
    reads_folder : bool
        The recording is a folder, not a file.
    lazy : bool
        Samples stay in the file until they are needed.
    requires : tuple of str
        Optional packages that the reader needs.
    """

    name: str
    description: str
    suffixes: tuple[str, ...]
    read: Callable[[Path, ReadOptions], FileContents]
    claims: Callable[[Path], bool] | None = None
    is_signature: bool = False
    resembles_recording: Callable[[Path], bool] | None = None
    explicit: bool = False
    reads_folder: bool = False
    lazy: bool = False
    requires: tuple[str, ...] = ()

    def check_dependencies(self) -> None:
        """Raise unless the optional packages of the reader are installed.

        Raises
        ------
        MissingDependencyError
        """
        for package in self.requires:
            if find_spec(package) is None:
                extra = extra_of(package)
                how = (
                    f"pip install 'nwb-mepp[{extra}]'"
                    if extra
                    else f"install {package} (it may not exist for every platform)"
                )
                raise MissingDependencyError(
                    f"The reader {self.name!r} needs the package {package}, which is not installed: {how}."
                )


def extra_of(package: str) -> str:
    """Return the extra of this package that installs an optional one, empty if none does.

    Parameters
    ----------
    package : str

    Examples
    --------
    >>> extra_of("igor2"), extra_of("sonpy")
    ('formats', '')
    """
    return "formats" if package in _EXTRA_FORMATS else ""
