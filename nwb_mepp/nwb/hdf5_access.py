"""Access to NWB files that needs no pynwb: opening with clear errors, the fingerprint, names of tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

import h5py

from nwb_mepp._utils.bounded_memory import bounded_memory
from nwb_mepp._utils.file_attributes import is_zarr, special_kind
from nwb_mepp.core.errors import ReadError

__all__ = ["DETECTED_SINCE", "interval_tables", "open_hdf5", "read_fingerprint"]

FINGERPRINT_DATASET = "processing/icephys/source_files/fingerprint"
# Appended to the fingerprint once other MEPPs were written to the file.
DETECTED_SINCE = " and detect"


@contextmanager
def open_hdf5(path: str | PathLike[str]) -> Iterator[h5py.File]:
    """Open an NWB 2 file for reading.

    Raises
    ------
    ReadError
        If the file is missing, is not HDF5, is not NWB 2, or another program holds it.
    """
    place = Path(path)
    if not place.exists():
        raise ReadError(f"expected an NWB file, found nothing at {place}; check the path.")
    kind = special_kind(place)
    if kind is not None:
        raise ReadError(f"expected an NWB file, found {kind} at {place}; copy what it gives to a file first.")
    if is_zarr(place):
        raise ReadError(
            f"expected an NWB file (HDF5), found an NWB Zarr store, which is not read: {place}; export it to "
            "HDF5 with hdmf-zarr (NWBZarrIO, NWBHDF5IO.export) and give that file."
        )
    if not place.is_file():
        raise ReadError(f"expected an NWB file, found a folder at {place}; give the files in it.")
    try:
        file = h5py.File(place, "r")
    except OSError as error:
        if isinstance(error, BlockingIOError) or "unable to lock file" in str(error):
            raise ReadError(
                f"expected to read {place}, found it locked: another program has it open for writing; close "
                "it there and try again."
            ) from error
        if isinstance(error, PermissionError):
            raise ReadError(f"expected to read {place}, found no permission; ask its owner.") from error
        raise ReadError(
            f"expected an NWB file (HDF5), found that {place} is not one or is damaged; a lab file is "
            "converted with 'nwb-mepp convert'."
        ) from error
    with file:
        with bounded_memory(place):
            version = file.attrs.get("nwb_version")
        if isinstance(version, bytes):
            version = version.decode()
        if not isinstance(version, str) or not version.removeprefix("NWB-").startswith("2."):
            found = f"NWB {version}" if isinstance(version, str) else "HDF5 without an NWB version"
            newer = re.match(r"(?:NWB-)?(?:[3-9]|\d\d)", version if isinstance(version, str) else "")
            advice = "update nwb-mepp" if newer else "convert it to NWB 2 first"
            raise ReadError(f"expected an NWB 2 file, found {found} in {place}; {advice}.")
        yield file


def read_fingerprint(path: str | PathLike[str]) -> str | None:
    """Return the fingerprint of input and settings that :func:`write_nwb` stored to recognize a rerun.

    Returns
    -------
    str or None
        None if the file was not written by this package. It ends with :data:`DETECTED_SINCE` if
        :func:`replace_results` has changed the file since.

    Raises
    ------
    ReadError
        If the file cannot be opened as NWB.
    """
    with open_hdf5(path) as file:
        dataset = file.get(FINGERPRINT_DATASET)
        if not isinstance(dataset, h5py.Dataset) or len(dataset) == 0:
            return None
        return str(dataset.asstr()[0])


def interval_tables(path: str | PathLike[str]) -> tuple[str, ...]:
    """Return the names of the tables in ``/intervals``, sorted.

    Raises
    ------
    ReadError
        If the file cannot be opened as NWB.
    """
    with open_hdf5(path) as file:
        group = file.get("intervals")
        return tuple(sorted(group)) if isinstance(group, h5py.Group) else ()
