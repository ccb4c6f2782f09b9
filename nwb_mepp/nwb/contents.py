"""What an open NWB file holds: read with h5py, or with pynwb where h5py is not enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import h5py

from nwb_mepp._utils.bounded_memory import bounded_memory
from nwb_mepp.core.errors import MeppError
from nwb_mepp.nwb.file_interface import NwbContents
from nwb_mepp.nwb.stored_file import StoredFile

__all__ = ["read_contents"]

_Found = TypeVar("_Found")


def read_contents(handle: h5py.File, use: Callable[[NwbContents], _Found]) -> _Found:
    """Return what ``use`` makes of an open file.

    Parameters
    ----------
    handle : h5py.File
    use : callable (contents) -> object
        It is called again with what pynwb reads if the file holds anything unusual.

    Raises
    ------
    ReadError
        If pynwb cannot read the file either; and whatever error of this package ``use`` raises.
    """
    try:
        with bounded_memory(handle.filename):
            return use(StoredFile(handle))
    except MeppError:
        raise
    except Exception:  # what is unusual, or damaged in any way, is for pynwb to read or to refuse
        # It takes a second to import.
        from nwb_mepp.nwb.pynwb_access import parse_file

        with bounded_memory(handle.filename):
            return use(parse_file(handle, mode="r")[1])
