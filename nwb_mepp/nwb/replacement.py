"""Writing new results into an existing file without touching anything else in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import h5py
from pynwb import NWBFile, TimeSeries

from nwb_mepp._utils.atomic_files import complete_or_absent, hold, refuse_unwritten
from nwb_mepp.core.errors import OutputError, UsageError
from nwb_mepp.core.results import ChannelResult, SummaryRow
from nwb_mepp.nwb.contents import read_contents
from nwb_mepp.nwb.file_interface import NwbContents
from nwb_mepp.nwb.free_space import reclaim_space
from nwb_mepp.nwb.hdf5_access import DETECTED_SINCE, FINGERPRINT_DATASET, open_hdf5
from nwb_mepp.nwb.invalid_times import add_found, invalid_times_table, take_found
from nwb_mepp.nwb.linked_files import refuse_broken_links, refuse_foreign_places, set_aside
from nwb_mepp.nwb.names import table_name, waveform_name
from nwb_mepp.nwb.pynwb_access import parse_file
from nwb_mepp.nwb.reader import SeriesTrace, electrical_traces, series_stems
from nwb_mepp.nwb.results import name_of_row
from nwb_mepp.nwb.row_references import RowReferences
from nwb_mepp.nwb.schema_validation import schema_errors
from nwb_mepp.nwb.series import SeriesOrPath
from nwb_mepp.nwb.series_paths import series_by_path
from nwb_mepp.nwb.statements import Statements, refuse_contradictions
from nwb_mepp.nwb.summary_table import ICEPHYS, SUMMARY_PATH, icephys_module, read_summary, summary_table
from nwb_mepp.nwb.typed_tables import SCHEMA_PATH, add_types, detector_path, forget_types, is_typed
from nwb_mepp.nwb.writer import add_mepp_tables, refuse_invalid

__all__ = ["add_results", "replace_results"]


def replace_results(
    path: str | PathLike[str],
    results: Sequence[ChannelResult],
    *,
    out: str | PathLike[str] | None = None,
    extension: bool = False,
    excluded: Sequence[tuple[float, float]] | None = None,
) -> None:
    """Replace the tables and summary rows of some detectors on some channels, and nothing else.

    The file is copied, the copy is changed and checked, and then replaces the original in one step, so that
    a complete file is there whatever happens. Every other dataset and attribute stays as it was, even those
    that the NWB schema does not know, which an export by pynwb would drop.

    Parameters
    ----------
    path : path-like
        Written by this or any other program.
    results : sequence of ChannelResult
        At most one for each detector and channel. They replace what the file holds for these pairs; the
        results of other detectors and channels stay, and so do tables of other programs and people. The
        fingerprint of a file that this package wrote is marked as changed.
    out : path-like, optional
        Where to write the result instead; ``path`` is then left unchanged.
    extension : bool, default False
        Write tables of the extension ``ndx-mepp``, whichever kind was there before. A summary of that type
        remains one in any case.
    excluded : sequence of (start_s, stop_s), optional
        What a person leaves out in review, for ``invalid_times``; it replaces what was left out so before.

    Raises
    ------
    ReadError
        If the file cannot be read.
    UsageError
        If it has no channel of that name, or another unit, gain or sampling rate of it was stated for the
        results of another detector, which stay.
    OutputError
        If it cannot be written, another process is writing it, another program has used the name of a table,
        ``out`` is in another folder and the file names others relative to its own, or the place of a table
        is a link to another file, or a link has another name than the series that it leads to.
    """
    source = Path(path)
    target = source if out is None else Path(out)
    if not results:
        raise UsageError("expected at least one result to put into the file, found none.")
    pairs = [(result.detector, result.mepps.channel) for result in results]
    if pairs != [(result.summary.detector, result.summary.channel) for result in results]:
        raise ValueError("expected the summary of each result to be of its detector and channel.")
    with hold(target):
        _replace(source, target, results, extension=extension, excluded=excluded)


def _replace(
    source: Path,
    target: Path,
    results: Sequence[ChannelResult],
    *,
    extension: bool,
    excluded: Sequence[tuple[float, float]] | None,
) -> None:
    with open_hdf5(source) as handle:
        plan = read_contents(handle, lambda file: _plan(file, results, source))
    channels = {result.mepps.channel for result in results}
    linked = {path for (channel, _), path in plan.linked.items() if channel in channels}
    refuse_foreign_places(source, linked)
    refuse_broken_links(source, target)
    with complete_or_absent(target) as temporary:
        shutil.copyfile(source, temporary)
        typed = _rewrite(temporary, results, plan, source=source, excluded=excluded)
        refuse_unwritten(target)
        if extension or typed:
            add_types(temporary, tables=plan.replaced if extension else ())
            refuse_unwritten(target)
        reclaim_space(temporary)
        errors = schema_errors(temporary)
        if errors:
            # Files of other programs may already be invalid; only new errors are refused.
            refuse_invalid(sorted(set(errors) - set(schema_errors(source))), target)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is written where.

    Attributes
    ----------
    rows : list of SummaryRow
        All rows of the new summary.
    replaced : set of str
        Names of the tables that the results need.
    paths : mapping of (channel, sweep) to str
        Where each series is.
    linked : mapping of (channel, sweep) to str
        The same of channels of which a series is in another file.
    stems : dict of str to str
        What stands for each channel in the names of tables.
    """

    rows: list[SummaryRow]
    replaced: set[str]
    paths: Mapping[tuple[str, int], str]
    linked: Mapping[tuple[str, int], str]
    stems: dict[str, str]


def _plan(file: NwbContents, results: Sequence[ChannelResult], source: Path) -> _Plan:
    old_rows = read_summary(file)
    rows = _merge(old_rows, results)
    refuse_contradictions(rows)
    traces, _ = electrical_traces(file, statements=Statements.in_rows(rows))
    replaced, known = _tables(results, old_rows, traces)
    _refuse_foreign(set(file.intervals or ()), replaced, known | _of_people(file, results), source)
    return _Plan(
        rows=rows,
        replaced=replaced,
        paths={(one.trace.channel, one.trace.sweep): one.path for one in traces},
        linked={key: one for key, one in _series(file, traces).items() if isinstance(one, str)},
        stems=series_stems(traces),
    )


def _tables(
    results: Iterable[ChannelResult], old_rows: Iterable[SummaryRow], traces: Sequence[SeriesTrace]
) -> tuple[set[str], set[str]]:
    """Return the names of the tables that ``results`` need, and of those that the summary knows."""
    stems, channels = series_stems(traces), list(dict.fromkeys(one.trace.channel for one in traces))
    for result in results:
        if result.mepps.channel not in channels:
            possible = ", ".join(channels) or "it has none in volts or amperes"
            raise UsageError(
                f"expected a channel of the file ({possible}), found {result.mepps.channel!r}; choose "
                "one of these with `channels`."
            )
    needed = {
        table_name(one.detector, one.mepps.channel, stems=stems, curated=one.curation is not None)
        for one in results
    }
    known = {name_of_row(row, stems=stems) for row in old_rows if row.channel in channels}
    return needed, known


def _of_people(file: NwbContents, results: Sequence[ChannelResult]) -> set[str]:
    """Return the tables of people without a row in the summary, such as imported marks.

    Only what a person decided may replace them.
    """
    if any(result.curation is None for result in results):
        return set()
    return {name for name, table in (file.intervals or {}).items() if "status" in table.colnames}


def _series(file: NwbContents, traces: Iterable[SeriesTrace]) -> dict[tuple[str, int], TimeSeries | str]:
    """Return the series of each channel and sweep; their paths if one of the channel is in another file."""
    own = {None, _read_from(file)}
    linked = {one.trace.channel for one in traces if _read_from(one.series) not in own}
    return {
        (one.trace.channel, one.trace.sweep): one.path if one.trace.channel in linked else one.series
        for one in traces
    }


def _read_from(content: object) -> str | None:
    """Return the file that pynwb read an object from; links to other files are left to pynwb."""
    source: str | None = getattr(content, "container_source", None)
    return source


def _refuse_foreign(intervals: set[str], needed: set[str], known: set[str], path: Path) -> None:
    foreign = sorted((intervals & needed) - known)
    if foreign:
        raise OutputError(
            f"the table {foreign[0]!r} in /intervals of {path} was not written by nwb-mepp (it has no row in "
            f"{SUMMARY_PATH}) and would be overwritten; rename it."
        )


def _merge(old: Sequence[SummaryRow], results: Sequence[ChannelResult]) -> list[SummaryRow]:
    """Return the rows of the summary: a replaced row keeps its place, new ones come last."""
    rows = {(row.detector, row.channel): row for row in old}
    rows |= {(result.detector, result.mepps.channel): result.summary for result in results}
    return list(rows.values())


def _rewrite(
    path: Path,
    results: Sequence[ChannelResult],
    plan: _Plan,
    *,
    source: Path,
    excluded: Sequence[tuple[float, float]] | None,
) -> bool:
    """Remove the old results from a copy and add the new ones in one session, so that HDF5 reuses the space.

    Returns
    -------
    bool
        Whether the summary that was replaced had the type of the extension.
    """
    with h5py.File(path, "r+") as handle:
        typed, schema_known = is_typed(handle.get(SUMMARY_PATH)), SCHEMA_PATH in handle
        for name in plan.replaced:
            if f"intervals/{name}" in handle:
                del handle[f"intervals/{name}"]
            waveform = f"processing/{ICEPHYS}/{waveform_name(name)}"
            if waveform in handle:
                del handle[waveform]
            if is_typed(handle.get(detector_path(name))):
                del handle[detector_path(name)]
        if SUMMARY_PATH in handle:
            del handle[SUMMARY_PATH]
        _mark_as_changed(handle)
        invalid = take_found(handle, results, by_hand=excluded)
        with set_aside(handle, source):
            io, file = parse_file(handle, mode="r+")
            if invalid is not None:
                file.invalid_times = invalid_times_table(invalid)
            there = series_by_path(file)
            own = {key: there[path] for key, path in plan.paths.items() if path in there}
            references = RowReferences()
            series = {**own, **plan.linked}
            _add(file, results, plan.rows, series=series, stems=plan.stems, references=references)
            io.write(file)
            references.write(handle)
        if not schema_known:
            forget_types(handle)
        return typed


def add_results(file: NWBFile, results: Sequence[ChannelResult]) -> None:
    """Add tables and summary rows to a file that is being built in memory.

    Parameters
    ----------
    file : NWBFile
    results : sequence of ChannelResult
        On series that the file already holds.

    Raises
    ------
    OutputError
        If the file already has results; they can only be replaced in a file on disk.
    """
    if read_summary(file):
        raise OutputError(
            f"the file already has results in {SUMMARY_PATH}; replace them with 'nwb-mepp detect' once it is "
            "written."
        )
    add_found(file, results)
    rows = [result.summary for result in results]
    traces, _ = electrical_traces(file, statements=Statements.in_rows(rows))
    _add(file, results, rows, series=_series(file, traces), stems=series_stems(traces))


def _add(
    file: NWBFile,
    results: Sequence[ChannelResult],
    rows: Sequence[SummaryRow],
    *,
    series: SeriesOrPath,
    stems: dict[str, str],
    references: RowReferences | None = None,
) -> None:
    unknown = {one.mepps.channel for one in results} - {channel for channel, _ in series}
    if unknown:
        raise OutputError(
            f"expected a series for channel {min(unknown)!r} where NWB puts series, found only a second name "
            "of it in a group that NWB does not know; remove that name."
        )
    add_mepp_tables(file, results, series=series, stems=stems, references=references)
    icephys_module(file).add(summary_table(rows))


def _mark_as_changed(handle: h5py.File) -> None:
    """Mark the fingerprint, so that the file is not taken for the original conversion."""
    marks = handle.get(FINGERPRINT_DATASET)
    if isinstance(marks, h5py.Dataset):
        marks[:] = [f"{mark.removesuffix(DETECTED_SINCE)}{DETECTED_SINCE}" for mark in marks.asstr()[:]]
