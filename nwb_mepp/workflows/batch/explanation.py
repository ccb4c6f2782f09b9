"""Any error as the sentence that a user gets."""

from __future__ import annotations

import errno
import os
import traceback
from pathlib import PurePath

from nwb_mepp.core.errors import MeppError

__all__ = ["DEBUG_VARIABLE", "explain"]

# Set to 1, it shows where an error came from.
DEBUG_VARIABLE = "NWB_MEPP_DEBUG"

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
# HDF5 tells what went wrong in its own words, with the number of the system.
_FULL_TEXTS = tuple(f"errno = {number}," for number in _FULL)


def explain(error: Exception) -> str:
    """Return the sentence that a user gets for an error; for a bug it asks for a report.

    Parameters
    ----------
    error : Exception
        Its traceback is printed where the environment variable NWB_MEPP_DEBUG is 1.
    """
    if os.environ.get(DEBUG_VARIABLE) == "1":
        traceback.print_exception(error)
    text = " ".join(str(error).split())
    if isinstance(error, MeppError):
        return text
    if _is_full(error):
        return (
            "expected room for the output, found the disk full, or a limit of file sizes or quota reached; "
            "nothing incomplete was left. Free some space, or choose another output folder."
        )
    told_by_hdf5 = _of_hdf5(error)
    if told_by_hdf5 is not None:
        return (
            f"HDF5 reports: {' '.join(told_by_hdf5.split())}; the file is probably damaged: copy or export "
            "it anew."
        )
    if isinstance(error, OSError):
        return f"the operating system reports: {text}."
    if isinstance(error, MemoryError):
        return "there is not enough free memory; close other programs or use a smaller `n_processes`."
    return (
        f"this is a bug in nwb-mepp ({type(error).__name__}: {text}); please report it, with "
        f"the traceback that appears when the environment variable {DEBUG_VARIABLE} is 1."
    )


def _is_full(error: BaseException | None) -> bool:
    """Return whether an error, or one that it came from, says that nothing more can be written."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        if any(one in str(error) for one in _FULL_TEXTS):
            return True
        error = error.__cause__ or error.__context__
    return False


def _of_hdf5(error: BaseException | None) -> str | None:
    """Return what HDF5 says of content that it cannot read or write; None if it said nothing.

    That a name does not exist is no such thing: to ask for it may be a bug.
    """
    kinds = (RuntimeError, OSError, UnicodeError, KeyError)
    while error is not None:
        said = isinstance(error, kinds) and "doesn't exist" not in str(error)
        if said and error.__traceback__ is not None:
            innermost = traceback.extract_tb(error.__traceback__)[-1].filename
            if "h5py" in PurePath(innermost).parts:
                return str(error.args[0]) if isinstance(error, KeyError) else str(error)
        error = error.__cause__ or error.__context__
    return None
