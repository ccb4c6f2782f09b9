"""Change the tables of MEPPs in an NWB file to types of the extension, or back to core types."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from nwb_mepp._utils.atomic_files import hold
from nwb_mepp.nwb import Retyped, add_extension, remove_extension
from nwb_mepp.workflows.annotation import refuse_existing

__all__ = ["retype_file"]


def retype_file(
    path: str | PathLike[str],
    *,
    extension: bool,
    output: str | PathLike[str] | None = None,
    overwrite: bool = False,
) -> Retyped:
    """Turn the tables of MEPPs in an NWB file into types of ``ndx-mepp``, or into core tables.

    Parameters
    ----------
    path : path-like
        NWB file; it is replaced as a whole, in one step, unless ``output`` is given.
    extension : bool
        Whether the tables shall be of the extension.
    output : path-like, optional
        Where to put the result instead.
    overwrite : bool, default False
        Replace ``output`` if it is there.

    Returns
    -------
    Retyped
        Which tables changed, and what stays plain and why.

    Raises
    ------
    MeppError
        Of the kind that says what is wrong; nothing is written then.
    """
    refuse_existing(output, overwrite=overwrite)
    change = add_extension if extension else remove_extension
    with hold(Path(path if output is None else output)):
        refuse_existing(output, overwrite=overwrite)  # another process may have written it meanwhile
        return change(path, out=output)
