"""The definition of a reader: its name, the files it handles, and the function that reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from nwb_mepp.core.errors import MissingDependencyError
from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.options import ReadOptions

__all__ = ["ReaderEntry", "extra_of"]

# Packages that the extra ``formats`` installs.
_EXTRA_FORMATS = frozenset({"igor2", "nixio", "pyabf", "pyedflib"})


@dataclass(frozen=True, kw_only=True)
class ReaderEntry:
    """One registered reader.

    A package registers its own readers through an entry point in the group ``nwb_mepp.readers``, which
    names either a ``ReaderEntry`` or a function without arguments that returns several.

    Attributes
    ----------
    name : str
        The name that users pass to ``--reader``.
    description : str
        One line, shown by ``nwb-mepp formats``.
    suffixes : tuple of str
        Suffixes of the files that the reader may be chosen for, in lower case, with the dot.
    read : callable
        ``read(path, options) -> FileContents``.
    claims : callable, optional
        ``claims(path) -> bool``: whether the content of a file with one of the suffixes is in the format of
        this reader. Without it, the suffix alone decides. For a reader of folders: whether a folder is in
        its format; without it, the reader must be named with ``--reader``.
    is_signature : bool
        What ``claims`` looks for occurs in no other format, so the reader takes any file that has it,
        whatever its suffix.
    resembles_recording : callable, optional
        A stricter but still cheap test, applied when a folder is searched, where tables and notes may lie
        beside the recordings.
    explicit : bool
        Chosen only with ``--reader``, because nothing in the file identifies its format.
    reads_folder : bool
        A recording in this format is a folder, not a file.
    reads_file_of_folder : bool
        A folder may hold several recordings; then one of its files stands for those that belong together.
    recording_of : callable, optional
        ``recording_of(path) -> Path or None``: the folder, or the file, with which to open the recording
        that a file or a folder is part of. Without it, a file belongs to its folder.
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
    reads_file_of_folder: bool = False
    recording_of: Callable[[Path], Path | None] | None = None
    lazy: bool = False
    requires: tuple[str, ...] = ()

    def check_dependencies(self) -> None:
        """Check that the optional packages of the reader are installed.

        Raises
        ------
        MissingDependencyError
            If one of them is missing.
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
    """Return which extra of nwb-mepp installs an optional package, or an empty string if none does.

    Parameters
    ----------
    package : str

    Examples
    --------
    >>> extra_of("igor2"), extra_of("sonpy")
    ('formats', '')
    """
    return "formats" if package in _EXTRA_FORMATS else ""
