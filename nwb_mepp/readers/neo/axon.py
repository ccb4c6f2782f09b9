"""Checks and corrections for Axon files that Neo does not make."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import RawTrace
from nwb_mepp.readers.sample_sources import SliceSource

__all__ = ["check_extent", "round_to_milliseconds", "split_episodes"]

_BLOCK_BYTES = 512
_FIXED_LENGTH_EPISODES = 5  # nOperationMode of ABF 1

# Sections of ABF 1: positions in the header of the first block and of the number of entries, and the size of
# an entry in bytes. Samples are 16-bit integers, or 32-bit floats if nDataFormat (at 100) is 1.
_ABF1_SECTIONS = {"samples": (40, 10, 2), "tags": (44, 48, 64), "sweeps": (92, 96, 8)}
_N_ABF2_SECTIONS, _ABF2_SECTIONS_AT = 18, 76


def check_extent(path: Path) -> None:
    """Check that all sections of an ABF file lie within the file.

    Neo trusts the header: with a damaged number of tags it exhausts the memory before it fails.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ReadError
        If a section extends beyond the end of the file, or lies before its beginning.
    """
    with path.open("rb") as stream:
        header = stream.read(_BLOCK_BYTES)
    n_bytes = path.stat().st_size
    try:
        needed = max(_abf2_ends(header) if header.startswith(b"ABF2") else _abf1_ends(header, path))
    except struct.error:
        needed = _BLOCK_BYTES
    if needed > n_bytes or len(header) < _BLOCK_BYTES:
        raise ReadError(
            f"{path.name} is truncated or damaged: expected at least {needed} bytes according to its "
            f"header, found {n_bytes}; copy the file again from where it was recorded."
        )


def _abf1_ends(header: bytes, path: Path) -> list[int]:
    (is_float,) = struct.unpack_from("<h", header, 100)
    ends = []
    for name, (first_at, count_at, entry_bytes) in _ABF1_SECTIONS.items():
        (first,), (count,) = (
            struct.unpack_from("<i", header, first_at),
            struct.unpack_from("<i", header, count_at),
        )
        scale = 2 if name == "samples" and is_float == 1 else 1
        if first < 0 < count:
            raise ReadError(
                f"{path.name} is damaged: expected its {name} behind the header, found them at block "
                f"{first}; copy the file again from where it was recorded."
            )
        ends.append(first * _BLOCK_BYTES + count * entry_bytes * scale if count > 0 else 0)
    return ends


def _abf2_ends(header: bytes) -> list[int]:
    ends = []
    for number in range(_N_ABF2_SECTIONS):
        first, entry_bytes, count = struct.unpack_from("<IIq", header, _ABF2_SECTIONS_AT + 16 * number)
        # An entry size of 0 means a damaged header; counting whole blocks makes the check fail.
        entry_bytes = entry_bytes or _BLOCK_BYTES
        ends.append(first * _BLOCK_BYTES + count * entry_bytes if count > 0 else 0)
    return ends


def round_to_milliseconds(moment: datetime) -> datetime:
    """Round the start time of an Axon file to the resolution of its header.

    The header counts milliseconds from midnight; rounding errors in Neo turn 24.032 s into 24.031999 s.

    Parameters
    ----------
    moment : datetime
    """
    milliseconds = round(moment.microsecond / 1000)
    return moment.replace(microsecond=0) + timedelta(milliseconds=milliseconds)


def split_episodes(path: Path, traces: Sequence[RawTrace]) -> tuple[list[RawTrace], str]:
    """Split the episodes of an ABF 1 file that has no table of episodes.

    Programs other than Clampex (pyABF, and lab scripts for Mini Analysis) write the number and length of
    the episodes to the header, but no synchronization array. Neo then returns one continuous segment, and
    events would be detected across the boundaries of sweeps.

    Parameters
    ----------
    path : Path
    traces : sequence of RawTrace
        As Neo returns them.

    Returns
    -------
    traces : list of RawTrace
        One per channel and episode, or the given traces if there is nothing to split.
    note : str
        A sentence for the user, empty if there was nothing to split.
    """
    n_episodes = _unlisted_episodes(path)
    n_samples = len(traces[0].source) if traces else 0
    if n_episodes < 2 or n_samples % n_episodes or any(trace.sweep for trace in traces):
        return list(traces), ""
    length = n_samples // n_episodes
    episodes = [
        replace(
            trace,
            sweep=episode,
            source=SliceSource(trace.source, start=episode * length, stop=(episode + 1) * length),
        )
        for episode in range(n_episodes)
        for trace in traces
    ]
    return episodes, f"The header states {n_episodes} sweeps of {length} samples, but not when each began."


def _unlisted_episodes(path: Path) -> int:
    """Return the number of episodes in the header if no table lists them, else 0."""
    with path.open("rb") as stream:
        header = stream.read(142)
    if not header.startswith(b"ABF ") or len(header) < 142:
        return 0
    (mode,) = struct.unpack_from("<h", header, 8)  # nOperationMode
    (n_episodes,) = struct.unpack_from("<i", header, 16)  # lActualEpisodes
    (n_listed,) = struct.unpack_from("<i", header, 96)  # lSynchArraySize
    return n_episodes if mode == _FIXED_LENGTH_EPISODES and n_listed <= 0 else 0
