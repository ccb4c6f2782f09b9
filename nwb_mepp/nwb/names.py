"""Names of series and tables in the file, derived from the names of channels and detectors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from nwb_mepp.core.errors import OutputError
from nwb_mepp.core.recording import Trace

__all__ = [
    "CURATED",
    "CURATED_TABLE",
    "TABLE_PREFIX",
    "TRUTH_TABLE",
    "channel_stems",
    "curated_by",
    "free_name",
    "is_curated",
    "safe_name",
    "series_name",
    "table_name",
    "waveform_name",
]

TABLE_PREFIX = "mepps_"
# A person's corrections and the ground truth of a simulation; no detector may use these names.
CURATED = "curated"
CURATED_TABLE = f"{TABLE_PREFIX}{CURATED}"
TRUTH_TABLE = "mepps_truth"
_RESERVED = {CURATED_TABLE: "corrections by hand", TRUTH_TABLE: "the ground truth of a simulation"}

# HDF5 separates groups with "/"; nwbinspector forbids "\" and ":"; pynwb takes "==" in a name as a query.
_FORBIDDEN = re.compile(r"[/\\:=\x00-\x1f\x7f]")


def safe_name(name: str) -> str:
    """Return a name that HDF5, pynwb and nwbinspector accept.

    Examples
    --------
    >>> safe_name("I/V: IN 0")
    'I_V_ IN 0'
    >>> safe_name("..")
    'channel'
    """
    cleaned = _FORBIDDEN.sub("_", name).strip()
    # "." and ".." stand for groups in an HDF5 path.
    return cleaned if cleaned.strip(".") else "channel"


def free_name(name: str, *, taken: set[str]) -> str:
    """Return a safe name that is not taken yet, and add it to those taken.

    Examples
    --------
    >>> taken = {"Stim"}
    >>> free_name("Stim", taken=taken), free_name("Stim", taken=taken)
    ('Stim_2', 'Stim_3')
    """
    stem, number = safe_name(name), 1
    chosen = stem
    while chosen in taken:
        number += 1
        chosen = f"{stem}_{number}"
    taken.add(chosen)
    return chosen


def series_name(stem: str, *, sweep: int, n_sweeps: int) -> str:
    """Return the name of the series of one sweep of a channel.

    Examples
    --------
    >>> series_name("Vm", sweep=0, n_sweeps=1)
    'Vm'
    >>> series_name("Vm", sweep=12, n_sweeps=30)
    'Vm_sweep_012'
    """
    return stem if n_sweeps == 1 else f"{stem}_sweep_{sweep:03d}"


def channel_stems(traces: Iterable[Trace]) -> dict[str, str]:
    """Map each channel to the stem of its series' names, such that no two series share a name.

    Channels whose safe names collide are numbered in order: ``Vm``, ``Vm_2``, ...
    """
    sweeps: dict[str, list[int]] = {}
    for trace in traces:
        sweeps.setdefault(trace.channel, []).append(trace.sweep)
    stems: dict[str, str] = {}
    taken: set[str] = set()
    for channel, numbers in sweeps.items():
        stem, attempt = safe_name(channel), 1
        while True:
            names = {stem, *(series_name(stem, sweep=sweep, n_sweeps=len(numbers)) for sweep in numbers)}
            if not names & taken:
                break
            attempt += 1
            stem = f"{safe_name(channel)}_{attempt}"
        taken |= names
        stems[channel] = stem
    return stems


def table_name(detector: str, channel: str, *, stems: Mapping[str, str], curated: bool = False) -> str:
    """Return the name of the table of one detector, or one person, on one channel.

    Parameters
    ----------
    detector, channel : str
    stems : mapping of str to str
        The stem of every channel in volts or amperes of ``/acquisition`` (:func:`channel_stems`). If there
        is only one, the name of the table omits it. A channel that lies elsewhere is not among them and
        always part of the name: what other programs add there must not change the names of tables.
    curated : bool, default False
        Whether a person decided on the rows, who may use the name reserved for that.

    Raises
    ------
    OutputError
        If the name is reserved for corrections by hand or the ground truth of a simulation.

    Examples
    --------
    >>> table_name("miniunet", "Vm", stems={"Vm": "Vm"})
    'mepps_miniunet'
    >>> table_name("miniunet", "I/O", stems={"Vm": "Vm", "I/O": "I_O"})
    'mepps_miniunet_I_O'
    >>> table_name("miniunet", "processing/filtered/Vm", stems={"Vm": "Vm"})
    'mepps_miniunet_processing_filtered_Vm'
    """
    name = TABLE_PREFIX + safe_name(detector)
    if len(stems) > 1 or channel not in stems:
        name = f"{name}_{stems.get(channel) or safe_name(channel)}"
    if name in _RESERVED and not (curated and name == CURATED_TABLE):
        raise OutputError(
            f"the table {name!r} is reserved for {_RESERVED[name]}; register the detector {detector!r} under "
            "another name."
        )
    return name


def curated_by(reviewer: str) -> str:
    """Return what stands for a person where a summary names a detector.

    Examples
    --------
    >>> curated_by(""), curated_by("anna")
    ('curated', 'curated_anna')
    """
    return f"{CURATED}_{reviewer}" if reviewer else CURATED


def is_curated(detector: str) -> bool:
    """Return whether a row of the summary is that of a person.

    Examples
    --------
    >>> is_curated("curated_anna"), is_curated("miniunet")
    (True, False)
    """
    return detector.split("_")[0] == CURATED


def waveform_name(table: str) -> str:
    """Return the name of the averaged waveform of the MEPPs of a table.

    Examples
    --------
    >>> waveform_name("mepps_miniunet_Vm")
    'mepp_waveform_miniunet_Vm'
    """
    return f"mepp_waveform_{table.removeprefix(TABLE_PREFIX)}"
