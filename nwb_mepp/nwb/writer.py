"""Writing a recording and its MEPPs to a new NWB file."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path

import h5py
from pynwb import NWBHDF5IO, NWBFile

from nwb_mepp._utils.atomic_files import complete_or_absent, refuse_unwritten
from nwb_mepp.core.errors import MetadataError, OutputError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.core.units import ELECTRICAL_UNITS
from nwb_mepp.nwb.ancillary_tables import add_ancillary
from nwb_mepp.nwb.clamp import check_clamp, common_electrode
from nwb_mepp.nwb.commands import add_commands
from nwb_mepp.nwb.header import (
    SOURCE_TABLE,
    add_equipment,
    describe_source,
    make_file,
    source_row,
    source_table,
)
from nwb_mepp.nwb.invalid_times import InvalidTime, found_on, invalid_times_table
from nwb_mepp.nwb.mepp_tables import hand_table, mepp_table, truth_table, waveform_table
from nwb_mepp.nwb.metadata import Metadata
from nwb_mepp.nwb.names import channel_stems, table_name, waveform_name
from nwb_mepp.nwb.row_references import RowReferences
from nwb_mepp.nwb.schema_validation import schema_errors
from nwb_mepp.nwb.series import SeriesOf, SeriesOrPath, add_acquisition
from nwb_mepp.nwb.series_copies import Copies
from nwb_mepp.nwb.summary_table import icephys_module, summary_table
from nwb_mepp.nwb.typed_tables import add_types, forget_types

__all__ = ["add_mepp_tables", "add_recording", "write_nwb"]


def write_nwb(
    recording: Recording,
    path: str | PathLike[str],
    *,
    session_start: datetime,
    metadata: Metadata | None = None,
    clamp: str | None = None,
    results: Sequence[ChannelResult] = (),
    fingerprint: str = "",
    excluded: Sequence[tuple[float, float]] = (),
    truth: Mepps | None = None,
    hand_marks: Mepps | None = None,
    extension: bool = False,
) -> None:
    """Write a recording, and what detectors found in it, to an NWB file.

    The samples are copied block by block as stored in the source, so that memory does not grow with the
    duration. The file is complete and valid, or absent; an existing file at ``path`` is replaced.

    Parameters
    ----------
    recording : Recording
    path : path-like
    session_start : datetime
        With a time zone; the times of the recording count from it.
    metadata : Metadata, optional
        What is known besides the recording; what is missing is not written.
    clamp : {"current", "voltage", "izero"}, optional
        The clamp mode, if it is known; None writes plain series. ``izero`` states that no current was
        injected, with bridge balance and capacitance compensation off.
    results : sequence of ChannelResult
        One for each detector and channel.
    fingerprint : str
        Of input and settings (:func:`nwb_mepp.core.provenance.fingerprint`).
    excluded : sequence of (start_s, stop_s), seconds from the session start
        Stretches excluded from the analysis besides the invalid times of the recording.
    truth : Mepps, optional
        What was added to a simulated channel; written as ``/intervals/mepps_truth``, without a row in the
        summary, which is for detectors.
    hand_marks : Mepps, optional
        What a person marked with another program; written as ``/intervals/mepps_curated``.
    extension : bool, default False
        Write tables of the extension ``ndx-mepp`` instead of core ones.

    Raises
    ------
    MetadataError
        If ``session_start`` has no time zone, or the clamp mode contradicts units or metadata.
    OutputError
        If the file cannot be written.
    """
    stated = metadata or Metadata()
    if session_start.utcoffset() is None:
        raise MetadataError(
            f"expected a session start with a time zone, found {session_start.isoformat()}; give `timezone`."
        )
    file = make_file(recording, session_start=session_start, metadata=stated, fingerprint=fingerprint)
    tables = [*(one.mepps for one in results), *(one for one in (truth, hand_marks) if one is not None)]
    references = RowReferences()
    copies = Copies({(table.channel, int(sweep)) for table in tables for sweep in table.sweep})
    series = add_recording(
        file,
        recording,
        clamp=clamp,
        metadata=stated,
        fingerprint=fingerprint,
        excluded=[*excluded, *found_on(results)],
        copies=copies,
    )
    if results:
        electrical = [trace for trace in recording.traces if trace.unit in ELECTRICAL_UNITS]
        stems = channel_stems(recording.traces)
        own = {trace.channel: stems[trace.channel] for trace in electrical}
        add_mepp_tables(file, results, series=series, stems=own, references=references)
        icephys_module(file).add(summary_table([result.summary for result in results]))
    if truth is not None and len(truth):
        file.add_time_intervals(truth_table(truth, series=series, references=references))
    if hand_marks is not None and len(hand_marks):
        file.add_time_intervals(hand_table(hand_marks, series=series, references=references))
    with complete_or_absent(Path(path)) as temporary:
        with warnings.catch_warnings():
            # The user chooses the name of the file.
            warnings.filterwarnings("ignore", message=".*does not end in '.nwb'", category=UserWarning)
            io = NWBHDF5IO(temporary, "w")
        with io:
            io.write(file)
        refuse_unwritten(Path(path))
        with h5py.File(temporary, "r+") as handle:
            forget_types(handle)
            references.write(handle)
        if extension:
            refuse_unwritten(Path(path))
            add_types(temporary)
        refuse_unwritten(Path(path))
        # Copies are as their models, which are checked here.
        refuse_invalid(schema_errors(temporary), path)
        with h5py.File(temporary, "r+") as handle:
            copies.write(handle)


def add_recording(
    file: NWBFile,
    recording: Recording,
    *,
    clamp: str | None,
    metadata: Metadata,
    fingerprint: str = "",
    excluded: Sequence[tuple[float, float] | InvalidTime] = (),
    copies: Copies | None = None,
) -> SeriesOf:
    """Add the samples of a recording, its equipment and its source to a file in memory.

    Parameters
    ----------
    file : NWBFile
        It may already hold other recordings.
    recording, clamp, metadata, fingerprint, excluded
        As for :func:`write_nwb`.
    copies : Copies, optional
        Takes series that are to be written later.

    Returns
    -------
    dict of (channel, sweep) to TimeSeries

    Raises
    ------
    MetadataError
        If the clamp mode contradicts units or metadata.
    """
    check_clamp(recording, clamp=clamp, metadata=metadata)
    add_equipment(file, metadata=metadata)
    source = describe_source(recording.source)
    stimuli = add_commands(
        file,
        recording.ancillary.commands,
        clamp=clamp,
        electrode=common_electrode(recording, clamp=clamp, metadata=metadata),
        source=source,
        copies=copies,
    )
    series = add_acquisition(file, recording, clamp=clamp, metadata=metadata, stimuli=stimuli, copies=copies)
    add_ancillary(file, recording.ancillary, source=source)
    invalid = invalid_times_table([*recording.invalid_times, *excluded])
    if invalid is not None and file.invalid_times is None:
        file.invalid_times = invalid
    elif invalid is not None:
        for start_s, stop_s in zip(invalid["start_time"][:], invalid["stop_time"][:], strict=True):
            file.invalid_times.add_row(start_time=start_s, stop_time=stop_s)
    module = icephys_module(file)
    if SOURCE_TABLE in module.data_interfaces:
        module[SOURCE_TABLE].add_row(**source_row(recording.source, fingerprint=fingerprint))
    else:
        module.add(source_table(recording.source, fingerprint=fingerprint))
    return series


def add_mepp_tables(
    file: NWBFile,
    results: Sequence[ChannelResult],
    *,
    series: SeriesOrPath,
    stems: dict[str, str],
    references: RowReferences | None = None,
) -> None:
    """Add a table for each result; one without MEPPs has only a row in the summary.

    ``references`` takes what is to be written later; without it all is added to the file in memory.
    """
    names: dict[str, tuple[str, str]] = {}
    for result in results:
        pair = (result.detector, result.mepps.channel)
        name = table_name(*pair, stems=stems, curated=result.curation is not None)
        if name in names:
            raise OutputError(
                f"expected one result for each table, found {names[name]} and {pair} for {name}; name each "
                "detector once, or write these channels to separate files with `channels`."
            )
        names[name] = pair
        if len(result.mepps):
            file.add_time_intervals(mepp_table(result, name=name, series=series, references=references))
        if result.waveform is not None:
            place = waveform_name(name)
            icephys_module(file).add(waveform_table(result.waveform, name=place, unit=result.mepps.unit))


def refuse_invalid(errors: list[str], path: str | PathLike[str]) -> None:
    """Raise if a file that was just written does not follow the schema."""
    if errors:
        raise OutputError(
            f"what would be written to {path} is not valid NWB ({'; '.join(errors[:3])}), so nothing was "
            "written; please report this as a bug."
        )
