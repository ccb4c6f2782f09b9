"""Turn the tables of MEPPs in a file into types of the extension ``ndx-mepp``, and back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from nwb_mepp._utils.atomic_files import complete_or_absent, refuse_unwritten
from nwb_mepp.core.errors import ReadError
from nwb_mepp.nwb.free_space import reclaim_space
from nwb_mepp.nwb.hdf5_access import open_hdf5
from nwb_mepp.nwb.linked_files import refuse_broken_links
from nwb_mepp.nwb.names import TABLE_PREFIX
from nwb_mepp.nwb.schema_validation import schema_errors
from nwb_mepp.nwb.summary_table import SUMMARY_PATH
from nwb_mepp.nwb.typed_tables import Retyped, add_types, remove_types
from nwb_mepp.nwb.writer import refuse_invalid

__all__ = ["add_extension", "remove_extension"]


def add_extension(path: str | PathLike[str], *, out: str | PathLike[str] | None = None) -> Retyped:
    """Turn the tables of MEPPs and the summary of a file into types of the extension ``ndx-mepp``.

    Only their types change, and their detectors are added; numbers, descriptions and everything else in the
    file stay. :func:`remove_extension` restores the file. What is typed already stays as it is.

    Parameters
    ----------
    path : path-like
    out : path-like, optional
        Where to write the result instead; ``path`` is then left unchanged.

    Returns
    -------
    Retyped
        Which tables changed, and which stay plain and why.

    Raises
    ------
    ReadError
        If the file cannot be read, has no tables of MEPPs, or its tables, summary and series do not match.
    OutputError
        If it cannot be written.
    """
    with _changed_copy(path, out) as copy:
        return add_types(copy)


def remove_extension(path: str | PathLike[str], *, out: str | PathLike[str] | None = None) -> Retyped:
    """Turn everything of a type of the extension ``ndx-mepp`` into plain core tables with the same content.

    Parameters
    ----------
    path : path-like
    out : path-like, optional
        Where to write the result instead; ``path`` is then left unchanged.

    Returns
    -------
    Retyped
        Which tables changed.

    Raises
    ------
    ReadError, OutputError
        As :func:`add_extension`; also if a detector is described only by the extension.
    """
    with _changed_copy(path, out) as copy:
        return remove_types(copy)


@contextmanager
def _changed_copy(path: str | PathLike[str], out: str | PathLike[str] | None) -> Iterator[Path]:
    """Yield a copy to change; then check it and move it to its place in one step."""
    source = Path(path)
    target = source if out is None else Path(out)
    _refuse_without_mepps(source)
    refuse_broken_links(source, target)
    with complete_or_absent(target) as temporary:
        shutil.copyfile(source, temporary)
        yield temporary
        refuse_unwritten(target)
        reclaim_space(temporary)
        errors = schema_errors(temporary)
        if errors:
            # Files of other programs may already be invalid; only new errors are refused.
            refuse_invalid(sorted(set(errors) - set(schema_errors(source))), target)


def _refuse_without_mepps(path: Path) -> None:
    with open_hdf5(path) as handle:
        tables = [name for name in handle.get("intervals", ()) if name.startswith(TABLE_PREFIX)]
        if not tables and SUMMARY_PATH not in handle:
            raise ReadError(
                f"expected tables of MEPPs in {path}, found none; 'nwb-mepp detect' puts them there."
            )
