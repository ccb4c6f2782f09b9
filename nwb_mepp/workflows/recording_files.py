"""Open a recording: a lab file or an NWB file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.recording import Recording
from nwb_mepp.nwb import open_nwb
from nwb_mepp.readers import ReadOptions, read_recording

__all__ = ["is_nwb", "open_recording", "refuse_for_nwb"]


def is_nwb(path: str | PathLike[str]) -> bool:
    """Return whether a file is NWB by its suffix, in upper or lower case."""
    return Path(path).suffix.lower() == ".nwb"


@contextmanager
def open_recording(
    path: str | PathLike[str], *, options: ReadOptions | None = None, channels: Sequence[str] = ()
) -> Iterator[Recording]:
    """Open a lab file or an NWB file for the length of a ``with`` block.

    Parameters
    ----------
    path : path-like
    options : ReadOptions, optional
        What a lab file does not say.
    channels : sequence of str
        Channels of an NWB file that are needed even if they lie outside ``/acquisition``.

    Yields
    ------
    Recording

    Raises
    ------
    UsageError
        If options are given for an NWB file, which says everything.
    MeppError
        If the file cannot be read.
    """
    wanted = options or ReadOptions()
    if not is_nwb(path):
        yield read_recording(Path(path), options=wanted)
        return
    refuse_for_nwb(wanted, path=path)
    with open_nwb(path, channels=channels) as recording:
        yield recording


def refuse_for_nwb(options: ReadOptions, *, path: str | PathLike[str]) -> None:
    """Refuse for an NWB file what says how to read a lab file: an NWB file has its own units and rates.

    Raises
    ------
    UsageError
        If anything is stated.
    """
    if stated := [f"`{name}`" for name in options.stated()]:
        raise UsageError(
            f"{path} is an NWB file, which states its own units, scale and sampling rate; leave out "
            f"{' and '.join(stated)}, or correct the file."
        )
