"""NWB files of any program as recordings; samples stay in the file until they are needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import h5py

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.core.kept_blocks import KeptBlocks
from nwb_mepp.core.provenance import sha256_of
from nwb_mepp.core.recording import Recording, SourceFile, Trace
from nwb_mepp.core.safe_text import storable
from nwb_mepp.nwb.contents import read_contents
from nwb_mepp.nwb.file_interface import NwbContents
from nwb_mepp.nwb.hdf5_access import open_hdf5
from nwb_mepp.nwb.invalid_times import stated_times
from nwb_mepp.nwb.linked_files import leave_out_missing, missing_targets
from nwb_mepp.nwb.names import safe_name
from nwb_mepp.nwb.series_paths import Place, hdf5_path, series_places
from nwb_mepp.nwb.signals import UnsuitableError, UnsuitableUnitError, column_trace, n_columns
from nwb_mepp.nwb.statements import Statement, Statements
from nwb_mepp.nwb.stimuli import command_steps, event_times, is_command
from nwb_mepp.nwb.sweep_groups import SweepOf, sweeps_of_channels

__all__ = [
    "SeriesTrace",
    "electrical_traces",
    "open_nwb",
    "recording_in",
    "recording_of_file",
    "series_stems",
    "traces_by_object",
]

# How many channels outside /acquisition a note names; recordings from probes have hundreds.
N_NAMED = 8


@dataclass(frozen=True, kw_only=True)
class SeriesTrace:
    """A trace, the series that holds it, and its place (:class:`~nwb_mepp.nwb.series_paths.Place`).

    ``stated`` is what a user stated about it; ``stem`` is that of its tables, if not that of its series.
    """

    trace: Trace
    series: Any
    number: int
    place: str
    recorded: bool
    n_columns: int
    stated: Statement
    stem: str | None = None

    @property
    def path(self) -> str:
        """Path of the series in the file."""
        return hdf5_path(self.place, recorded=self.recorded)


@contextmanager
def open_nwb(
    path: str | PathLike[str], *, channels: Sequence[str] = (), statements: Statements | None = None
) -> Iterator[Recording]:
    """Open an NWB file as a recording for the length of a ``with`` block.

    Every regularly sampled series of ``/acquisition`` in volts or amperes becomes a trace of a separate
    channel, unless it is one of several sweeps (:mod:`nwb_mepp.nwb.sweep_groups`). A series of several
    columns becomes one channel per column. Samples are read on demand, and only inside the block.

    Parameters
    ----------
    path : path-like
    channels : sequence of str
        Channels to read. Those outside ``/acquisition`` (``processing/...``, ``stimulus/...``) are only read
        if they are named here: they are copies of what was recorded, or were never recorded.
    statements : Statements, optional
        What is stated instead of what the file says; by default what its summary says was stated.

    Yields
    ------
    Recording
        ``start_s`` counts from the file's time reference, which is the session start unless the file states
        another; ``notes`` names each series that was left out.

    Raises
    ------
    ReadError
        If the file cannot be read, holds no series in volts or amperes, or a requested one is unsuitable.
    UsageError
        If a series of several columns is requested without saying which column, or something is stated about
        a channel that does not exist.
    """

    def use(file: NwbContents) -> Recording:
        return recording_of_file(file, handle, path, channels=channels, statements=statements)

    with open_hdf5(path) as handle:
        yield read_contents(handle, use)


def recording_of_file(
    file: NwbContents,
    handle: h5py.File,
    path: str | PathLike[str],
    *,
    channels: Sequence[str] = (),
    statements: Statements | None = None,
) -> Recording:
    """Return an open NWB file as a recording, like :func:`open_nwb`."""
    return recording_in(
        file,
        name=str(path),
        sha256=sha256_of([Path(path)]),
        channels=channels,
        statements=statements,
        missing=missing_targets(handle),
    )


def recording_in(
    file: NwbContents,
    *,
    name: str,
    sha256: str = "",
    channels: Sequence[str] = (),
    statements: Statements | None = None,
    missing: Mapping[str, str] | None = None,
) -> Recording:
    """Return an NWB file in memory as a recording, like :func:`open_nwb`.

    Parameters
    ----------
    file : NwbContents
        Read from disk, or built in memory and not yet written.
    name : str
        Path, or a description of the file, for messages.
    sha256 : str
        Checksum of the file on disk, if there is one.
    channels : sequence of str
        Channels to read (:func:`open_nwb`).
    statements : Statements, optional
        As for :func:`open_nwb`.
    missing : mapping of str to str
        From :func:`~nwb_mepp.nwb.linked_files.missing_targets`.

    Raises
    ------
    ReadError, UsageError
        As :func:`open_nwb`.
    """
    found, left_out = electrical_traces(file, statements=statements)
    lost = leave_out_missing(missing or {}, {one.place for one in found}, left_out)
    found = [one for one in found if one.place not in left_out]
    if statements is not None:
        statements.check([*(one.trace.channel for one in found), *left_out], path=name)
    _check_wanted(channels, found, left_out, name)
    taken = [one for one in found if one.recorded or one.trace.channel in channels]
    if statements is not None:
        units = {one.trace.channel: one.trace.unit for one in taken}
        statements.refuse_common_gain(
            {one: unit for one, unit in units.items() if not channels or one in channels}, path=name
        )
    notes = (*_notes(file, found, left_out), *lost)
    if not taken:
        reasons = " ".join((*notes, *_advice(left_out))) or "/acquisition is empty."
        raise ReadError(
            "expected a regularly sampled series in volts or amperes in /acquisition of "
            f"{name}, found none. {reasons}"
        )
    return Recording(
        traces=tuple(one.trace for one in taken),
        source=SourceFile(
            name=storable(Path(name).name),
            sha256=sha256,
            reader="nwb",
            reader_version=f"pynwb {version('pynwb')}",
        ),
        session_start=file.session_start_time,
        annotations=_annotations(file),
        invalid_times=stated_times(file),
        command_steps=command_steps(file),
        stimuli_s=event_times(file),
        stated={one.trace.channel: one.stated.described() for one in taken},
        notes=notes,
    )


def _advice(left_out: Mapping[str, str]) -> list[str]:
    """Return how to go on if units are all that is missing."""
    unknown = [name for name, reason in left_out.items() if reason.startswith("its unit is ")]
    if not unknown:
        return []
    return [f"If it is known, state it with `unit={{{unknown[0]!r}: 'UNIT'}}`."]


def _check_wanted(
    wanted: Sequence[str], found: Sequence[SeriesTrace], left_out: dict[str, str], path: str
) -> None:
    """Say why a requested channel is unsuitable; one that is nowhere in the file is refused later."""
    channels = {one.trace.channel for one in found}
    for name in wanted:
        columns = [one.trace.channel for one in found if one.place == name and one.n_columns > 1]
        if name in left_out:
            raise ReadError(
                f"expected series {name!r} of {path} to be regularly sampled volts or amperes, found that "
                f"{left_out[name]}; choose another with `channels`."
            )
        if name not in channels and columns:
            raise UsageError(
                f"`channels`: expected one column of series {name!r} of {path}, found that it has "
                f"{len(columns)}; name one, from {columns[0]} to {columns[-1]}."
            )


def _notes(file: NwbContents, found: Sequence[SeriesTrace], left_out: dict[str, str]) -> tuple[str, ...]:
    """Return a sentence for each recorded series that was left out, and one for what lies elsewhere."""
    notes = [
        f"Series {name!r} was left out: {reason}."
        for name, reason in left_out.items()
        if name.partition("/")[0] in file.acquisition
    ]
    elsewhere = [one.trace.channel for one in found if not (one.recorded or is_command(one.series))]
    if elsewhere:
        n_more = len(elsewhere) - N_NAMED
        more = f" and {n_more} more" if n_more > 0 else ""
        notes.append(
            f"Outside /acquisition there is {', '.join(elsewhere[:N_NAMED])}{more}, which is only used if "
            "`channels` names it."
        )
    return tuple(notes)


def _annotations(file: NwbContents) -> dict[str, str]:
    names = ("session_id", "session_description", "experiment_description", "protocol", "notes")
    stated = {name: getattr(file, name) for name in names}
    return {name: str(text) for name, text in stated.items() if text}


def electrical_traces(
    file: NwbContents, *, statements: Statements | None = None
) -> tuple[list[SeriesTrace], dict[str, str]]:
    """Return the traces of a file in order of channel and sweep, and why each other series was left out.

    Recorded channels come first; a channel outside ``/acquisition`` is named by its path. What the summary of
    the file says was stated holds unless ``statements`` are given.
    """
    stated = Statements.in_file(file) if statements is None else statements
    found: list[SeriesTrace] = []
    left_out: dict[str, str] = {}
    places = list(series_places(file))
    sweeps, names = sweeps_of_channels(file, places), {place.name for place in places}
    blocks = KeptBlocks()
    for number, place in enumerate(places):
        one = sweeps.get(place.name) or SweepOf(channel=place.name, order=number, sweep=0)
        try:
            found += _series_traces(place, one, stated=stated, taken=names, blocks=blocks)
        except UnsuitableError as error:
            left_out[place.name] = str(error)
    first_seen = {
        channel: rank for rank, channel in enumerate(dict.fromkeys(one.trace.channel for one in found))
    }
    found.sort(key=lambda one: (not one.recorded, one.number, first_seen[one.trace.channel], one.trace.sweep))
    return found, left_out


def _series_traces(
    place: Place, sweep: SweepOf, *, stated: Statements, taken: set[str], blocks: KeptBlocks
) -> Iterator[SeriesTrace]:
    """Return the traces of the columns of a series that can be analyzed; raise if none can."""
    series = place.content
    n = n_columns(series)
    unsuitable: UnsuitableUnitError | None = None
    n_found = 0
    for column, channel in _columns(sweep.channel, n, taken=taken):
        statement = stated.of(channel, sweep.channel)
        try:
            trace = column_trace(
                series, column, channel=channel, sweep=sweep.sweep, blocks=blocks, stated=statement
            )
        except UnsuitableUnitError as error:
            unsuitable = error
            continue
        n_found += 1
        yield SeriesTrace(
            trace=trace,
            series=series,
            number=sweep.order,
            place=place.name,
            recorded=place.recorded,
            n_columns=n or 1,
            stated=statement,
            stem=sweep.stem,
        )
    if unsuitable is not None and not n_found:
        raise unsuitable


def _columns(channel: str, n_columns: int | None, *, taken: set[str]) -> Iterator[tuple[int | None, str]]:
    """Return the columns of a series and the names of their channels; None for a one-dimensional series."""
    if n_columns is None or n_columns == 1:
        yield None if n_columns is None else 0, channel
        return
    for column in range(n_columns):
        name = f"{channel}_{column}"
        while name in taken:
            name += "_"
        yield column, name


def traces_by_object(found: Iterable[SeriesTrace]) -> dict[str, list[Trace]]:
    """Map object identifier and path of each series to the traces it holds, one for each column."""
    traces: dict[str, list[Trace]] = {}
    for one in found:
        for key in (one.series.object_id, one.path):
            traces.setdefault(key, []).append(one.trace)
    return traces


def series_stems(found: Iterable[SeriesTrace]) -> dict[str, str]:
    """Map each channel of ``/acquisition`` to the stem of its series' names (see :func:`channel_stems`)."""
    sweeps: dict[str, list[SeriesTrace]] = {}
    for one in found:
        if one.recorded:
            sweeps.setdefault(one.trace.channel, []).append(one)
    return {channel: safe_name(_stem(channel, ones)) for channel, ones in sweeps.items()}


def _stem(channel: str, sweeps: list[SeriesTrace]) -> str:
    if sweeps[0].n_columns > 1 or sweeps[0].stem is not None:
        return channel
    name = sweeps[0].place
    return name.removesuffix(f"_sweep_{sweeps[0].trace.sweep:03d}") if len(sweeps) > 1 else name
