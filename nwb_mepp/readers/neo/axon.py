"""Checks and corrections for Axon files that Neo does not make."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import FileContents, RawTrace
from nwb_mepp.readers.neo.axon_header import check_interruption, neo_class_for, nominal_interval_s
from nwb_mepp.readers.neo.axon_protocol import read_protocol
from nwb_mepp.readers.neo.axon_tags import read_tags
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.sample_sources import SliceSource

__all__ = ["check", "check_extent", "neo_class", "refine", "round_to_milliseconds", "split_episodes"]

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


def check(path: Path, options: ReadOptions) -> None:
    """Check what Neo does not notice: sections beyond the end of the file, a recording that was interrupted.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Raises
    ------
    ReadError
        If the file is truncated, or its header counts no samples although some follow.
    """
    check_extent(path)
    check_interruption(path, salvage=options.salvage)


def neo_class(of_neo: Any, options: ReadOptions) -> Any:
    """Return the class that reads an Axon file.

    Parameters
    ----------
    of_neo : type
    options : ReadOptions
    """
    return neo_class_for(of_neo, salvage=options.salvage)


def refine(contents: FileContents, reader: Any, path: Path) -> FileContents:
    """Correct and complete what Neo returns.

    Parameters
    ----------
    contents : FileContents
    reader : neo.io.AxonIO
    path : Path

    Returns
    -------
    FileContents
        With each sweep as such, the start to the millisecond, tags at their times, and what the protocol
        commanded.
    """
    info = reader._axon_info
    traces, notes = split_episodes(info, contents.traces)
    if n_salvaged := info.get("n_salvaged"):
        notes.append(
            "The header counts no samples, as the recording was interrupted; the "
            f"{n_salvaged} that follow it were taken."
        )
    start = contents.session_start
    # The header has a single-precision number: 1.83, not 1.83000004.
    version = f"{float(contents.annotations.get('abf_version', 'nan')):.4g}"
    nominal_s = nominal_interval_s(path, info)
    protocol = read_protocol(path, info, traces)
    return replace(
        contents,
        format=f"Axon ABF {version}",
        traces=tuple(traces),
        annotations={**contents.annotations, "abf_version": version},
        session_start=None if start is None else round_to_milliseconds(start),
        ancillary=replace(
            contents.ancillary, events=read_tags(path), epochs=protocol.pulses, commands=protocol.commands
        ),
        nominal_sweep_interval_s=nominal_s,
        notes=(*contents.notes, *notes, *protocol.notes, *_contradiction(contents.traces, nominal_s)),
    )


def _contradiction(traces: Sequence[RawTrace], nominal_s: float | None) -> list[str]:
    """Return a sentence if the sweeps did not follow one another as their protocol asks."""
    starts = sorted({trace.start_s for trace in traces})
    if nominal_s is None or len(starts) < 2:
        return []
    typical_s = float(np.median(np.diff(starts)))
    if abs(typical_s - nominal_s) <= 0.01 * nominal_s:
        return []
    return [
        f"The file records that its sweeps began {typical_s:g} s apart, but its protocol asks for "
        f"{nominal_s:g} s; the recorded times are kept. Pass `sweep_interval_s={nominal_s:g}` if the "
        "protocol is right."
    ]


def split_episodes(info: dict[str, Any], traces: Sequence[RawTrace]) -> tuple[list[RawTrace], list[str]]:
    """Split the episodes of a file that has no table of episodes.

    Programs other than Clampex (pyABF, and lab scripts for Mini Analysis) write the number and length of
    the episodes to the header, but no synchronization array. Neo then returns one continuous segment, and
    events would be detected across the boundaries of sweeps. The same holds for a recording that was
    interrupted before its array was written.

    Parameters
    ----------
    info : dict
        The header as Neo names its fields.
    traces : sequence of RawTrace
        As Neo returns them.

    Returns
    -------
    traces : list of RawTrace
        One per channel and episode, or the given traces if there is nothing to split.
    notes : list of str
        A sentence for the user, if there was something to split.
    """
    n_samples = len(traces[0].source) if traces else 0
    length = _unlisted_length(info, n_samples)
    if not 0 < length < n_samples or any(trace.sweep for trace in traces):
        return list(traces), []
    episodes = [
        replace(
            trace,
            sweep=episode,
            source=SliceSource(trace.source, start=first, stop=min(first + length, n_samples)),
        )
        for episode, first in enumerate(range(0, n_samples, length))
        for trace in traces
    ]
    n_episodes = -(-n_samples // length)
    return episodes, [f"The header states {n_episodes} sweeps of {length} samples, but not when each began."]


def _unlisted_length(info: dict[str, Any], n_samples: int) -> int:
    """Return the length of the episodes in the header if no table lists them, else 0."""
    is_abf2 = info["fFileVersionNumber"] >= 2
    protocol = info["protocol"] if is_abf2 else info
    if protocol["nOperationMode"] != _FIXED_LENGTH_EPISODES:
        return 0
    if info.get("n_salvaged"):
        n_channels = info["sections"]["ADCSection"]["llNumEntries"] if is_abf2 else info["nADCNumChannels"]
        return int(protocol["lNumSamplesPerEpisode"] // n_channels)
    if is_abf2 or info["lSynchArraySize"] > 0:
        return 0
    n_episodes = int(info["lActualEpisodes"])
    return n_samples // n_episodes if n_episodes > 0 and n_samples % n_episodes == 0 else 0
