"""What Neo does not see in Axon files."""

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

# Where the header of ABF 1 keeps the first block and the number of entries of a section, and what an entry
# takes; samples are 16-bit integers or, where nDataFormat (at 100) is 1, 32-bit floating-point numbers.
_ABF1_SECTIONS = {"samples": (40, 10, 2), "tags": (44, 48, 64), "sweeps": (92, 96, 8)}
_N_ABF2_SECTIONS, _ABF2_SECTIONS_AT = 18, 76


def check_extent(path: Path) -> None:
    """Raise if a section of an ABF file reaches beyond its end.

    Neo believes the header: a damaged number of tags lets it fill the memory before it fails.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ReadError
    """
    with path.open("rb") as stream:
        header = stream.read(_BLOCK_BYTES)
    n_bytes = path.stat().st_size
    try:
        needed = max(_abf2_ends(header) if header.startswith(b"ABF2") else _abf1_ends(header))
    except struct.error:
        needed = _BLOCK_BYTES
    if needed > n_bytes or len(header) < _BLOCK_BYTES:
        raise ReadError(
            f"{path.name} is truncated or damaged: its header promises data up to byte {needed}, the file "
            f"ends at byte {n_bytes}; copy the file again from where it was recorded."
        )


def _abf1_ends(header: bytes) -> list[int]:
    (is_float,) = struct.unpack_from("<h", header, 100)
    ends = []
    for name, (first_at, count_at, entry_bytes) in _ABF1_SECTIONS.items():
        (first,), (count,) = (
            struct.unpack_from("<i", header, first_at),
            struct.unpack_from("<i", header, count_at),
        )
        scale = 2 if name == "samples" and is_float == 1 else 1
        ends.append(first * _BLOCK_BYTES + count * entry_bytes * scale if count > 0 else 0)
    return ends


def _abf2_ends(header: bytes) -> list[int]:
    ends = []
    for number in range(_N_ABF2_SECTIONS):
        first, entry_bytes, count = struct.unpack_from("<IIq", header, _ABF2_SECTIONS_AT + 16 * number)
        # Entries of 0 bytes are damage; counted as whole blocks they do not pass for nothing.
        entry_bytes = entry_bytes or _BLOCK_BYTES
        ends.append(first * _BLOCK_BYTES + count * entry_bytes if count > 0 else 0)
    return ends


def round_to_milliseconds(moment: datetime) -> datetime:
    """Return the start of an Axon file as its header holds it.

    The header counts milliseconds from midnight; Neo's arithmetic leaves 24.032 s as 24.031999 s.

    Parameters
    ----------
    moment : datetime
    """
    milliseconds = round(moment.microsecond / 1000)
    return moment.replace(microsecond=0) + timedelta(milliseconds=milliseconds)


def split_episodes(path: Path, traces: Sequence[RawTrace]) -> tuple[list[RawTrace], str]:
    """Part the episodes that an ABF 1 file without a table of episodes holds.

    Programs other than Clampex (pyABF, and lab scripts for Mini Analysis) write the number and the
    length of the episodes into the header, but no synchronization array. Neo then returns one gapless
    segment, and events would be looked for across the borders of sweeps.

    Parameters
    ----------
    path : Path
    traces : sequence of RawTrace
        As Neo gives them.

    Returns
    -------
    traces : list of RawTrace
        One per channel and episode, or those given where there is nothing to part.
    note : str
        Empty where there was nothing to part.
    """
    n_episodes = _unlisted_episodes(path)
    n_samples = len(traces[0].source) if traces else 0
    if n_episodes < 2 or n_samples % n_episodes or any(trace.sweep for trace in traces):
        return list(traces), ""
    length = n_samples // n_episodes
    parted = [
        replace(
            trace,
            sweep=episode,
            source=SliceSource(trace.source, start=episode * length, stop=(episode + 1) * length),
        )
        for episode in range(n_episodes)
        for trace in traces
    ]
    return parted, f"The header states {n_episodes} sweeps of {length} samples, but not when each began."


def _unlisted_episodes(path: Path) -> int:
    """Return the number of episodes that the header states and no table lists, 0 if there is a table."""
    with path.open("rb") as stream:
        header = stream.read(142)
    if not header.startswith(b"ABF ") or len(header) < 142:
        return 0
    (mode,) = struct.unpack_from("<h", header, 8)  # nOperationMode
    (n_episodes,) = struct.unpack_from("<i", header, 16)  # lActualEpisodes
    (n_listed,) = struct.unpack_from("<i", header, 96)  # lSynchArraySize
    return n_episodes if mode == _FIXED_LENGTH_EPISODES and n_listed <= 0 else 0
