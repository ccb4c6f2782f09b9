"""The package in Python: Neo signals in, Neo epochs out, NWB at rest.

Times and amplitudes of signals and epochs carry their units. Errors that a user can correct are subclasses of
:class:`nwb_mepp.core.errors.MeppError`; their messages name the arguments of these functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypedDict, Unpack

import neo

from nwb_mepp.api.data_frames import to_dataframe
from nwb_mepp.api.neo_objects import (
    add_mepps,
    block_of,
    column_of,
    epoch_of,
    mepps_of,
    recording_of,
    stretch_of,
)
from nwb_mepp.api.reviewing import review
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.keyword_arguments import takes
from nwb_mepp.core.options import settings_from
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.results import SummaryRow
from nwb_mepp.nwb import CURATED_TABLE, TRUTH_TABLE, EventTable, interval_tables, open_nwb, read_events
from nwb_mepp.readers import ReadArguments, ReadOptions
from nwb_mepp.statistics import Baseline
from nwb_mepp.statistics import summarize as summarize_mepps
from nwb_mepp.workflows import (
    DetectionArguments,
    DetectionSettings,
    FileDetectionArguments,
    Stretch,
    WriteArguments,
    WriteOptions,
    analyze,
    convert_file,
    detect_file,
    is_nwb,
    open_recording,
)

__all__ = ["annotate", "convert", "detect", "read", "review", "summarize", "to_dataframe"]


class ConvertArguments(ReadArguments, WriteArguments):
    """What :func:`convert` takes: how to read, and what is known of the session."""


@takes(ReadArguments, ReadOptions)
def read(path: str | PathLike[str], **options: Unpack[ReadArguments]) -> neo.Block:
    """Read a lab file or an NWB file wholly into memory.

    Parameters
    ----------
    path : path-like
    **options
        How to read a lab file. Of an NWB file only ``unit``, ``gain`` and ``sampling_rate_hz`` can be stated.

    Returns
    -------
    neo.Block
        A segment for each sweep, with a signal for each channel, named after it, in V or A. Hand-made marks
        that came with the file are epochs, and so are the MEPPs in the tables of an NWB file, with their
        measures as ``array_annotations``: one for each table (``annotations["table"]``) and sweep, those of
        ``mepps_curated`` (and ``mepps_curated_<reviewer>``) without what was rejected or is unreviewed.

    Raises
    ------
    ReadError
        If the file cannot be read, or its content is implausible or incomplete.
    UsageError
        If an argument is wrong, contradicts the file, or is for lab files and the file is NWB.

    Examples
    --------
    >>> import nwb_mepp
    >>> block = nwb_mepp.read("data/simulated.abf")
    >>> block.segments[0].analogsignals[0].shape
    (100000, 1)
    """
    with open_recording(path, options=settings_from(ReadOptions, options)) as recording:
        block = block_of(recording)
    if is_nwb(path):
        add_mepps(block, _tables_of(path))
    return block


def _tables_of(path: str | PathLike[str]) -> list[EventTable]:
    """Return the tables of MEPPs of an NWB file: of detectors, of a person, and of a simulation."""
    further = [
        name
        for name in interval_tables(path)
        if name in (CURATED_TABLE, TRUTH_TABLE) or name.startswith(f"{CURATED_TABLE}_")
    ]
    tables = [read_events(path), *(read_events(path, table=one, accepted_only=True) for one in further)]
    return [one for some in tables for one in some]


@takes(ConvertArguments, ReadOptions, WriteOptions)
def convert(
    path: str | PathLike[str],
    output: str | PathLike[str],
    *,
    exclude: Iterable[Stretch] = (),
    events: str | PathLike[str] | None = None,
    event_column: str | None = None,
    channel: str | None = None,
    overwrite: bool = False,
    **options: Unpack[ConvertArguments],
) -> Path:
    """Write a lab file as NWB; the raw numbers are kept to the last bit.

    Parameters
    ----------
    path : path-like
    output : path-like
        The NWB file. If it exists from the same input and settings, it is kept as it is.
    exclude : iterable of (start, stop), Quantity or seconds from the session start
        Written as ``invalid_times``, which detection leaves out.
    events : path-like, optional
        Marks that a person made (an event table of this package, Mini Analysis, Clampfit and other programs,
        a CSV table of times, labeled text), written as ``mepps_curated``.
    event_column : str, optional
        Title of the column with the times of the peaks in a table of another program, such as ``"Time of Peak
        (ms)"``.
    channel : str, optional
        Channel to which the marks belong, needed if there are several.
    overwrite : bool, default False
        Replace an output that was made from other input or settings.
    **options
        How to read the file, and what is known about the session.

    Returns
    -------
    Path
        ``output``.

    Raises
    ------
    ReadError
        If the file cannot be read.
    MetadataError
        If metadata are missing, wrong or contradictory.
    OutputError
        If the output cannot be written, or exists from other input or settings.
    """
    outcome = convert_file(
        path,
        output,
        read_options=settings_from(ReadOptions, options),
        write_options=settings_from(WriteOptions, options),
        exclude=exclude,
        events=None if events is None else str(events),
        event_column=event_column,
        channel=channel,
        overwrite=overwrite,
    )
    return outcome.output


@takes(DetectionArguments, DetectionSettings)
def detect(
    signal: neo.AnalogSignal, *, channel: str | int | None = None, **options: Unpack[DetectionArguments]
) -> neo.Epoch:
    """Find and measure the MEPPs of a signal.

    Parameters
    ----------
    signal : neo.AnalogSignal, shape (n_samples, n_channels)
        A voltage or current, sampled at 2 kHz or more. Times of ``exclude`` are on the clock of the signal.
    channel : str or int, optional
        Name (``array_annotations["channel_names"]``) or number of the channel; not needed for a single one.
    **options
        How MEPPs are looked for.

    Returns
    -------
    neo.Epoch
        From onset to decay, on the clock of the signal. ``array_annotations`` hold the columns of a table of
        MEPPs (``peak_time``, ``amplitude``, ...; "What the NWB file holds" explains them) and ``sweep``;
        ``annotations`` hold the summary (:func:`summarize`), how the MEPPs were found, and what was analyzed.

    Raises
    ------
    UsageError
        If an argument is wrong.
    DetectionError
        If the signal does not allow detection, or weights are unusable.
    MissingDependencyError
        If fitting is asked for without TensorFlow.

    Examples
    --------
    >>> import nwb_mepp
    >>> signal = nwb_mepp.read("data/simulated.abf").segments[0].analogsignals[0]
    >>> epoch = nwb_mepp.detect(signal, detectors="matched_filter")
    >>> amplitude_mv = epoch.array_annotations["amplitude"].rescale("mV").magnitude
    >>> bool(0.6 < amplitude_mv.mean() < 1.0)
    True
    """
    recording = recording_of(signal, column=column_of(signal, channel))
    settings = settings_from(DetectionSettings, options)
    result = analyze(recording, settings=settings)[0]
    return epoch_of(result, recording, settings=settings)


class StatedArguments(TypedDict, total=False):
    """What can be stated about an NWB file."""

    unit: str | Mapping[str, str] | None
    sampling_rate_hz: float | None
    gain: float | Mapping[str, float] | None


class AnnotateArguments(FileDetectionArguments, StatedArguments):
    """What :func:`annotate` takes: how MEPPs are looked for, and what the file says wrong."""


@takes(AnnotateArguments, DetectionSettings, ReadOptions)
def annotate(
    path: str | PathLike[str],
    *,
    output: str | PathLike[str] | None = None,
    extension: bool = False,
    overwrite: bool = False,
    **options: Unpack[AnnotateArguments],
) -> list[neo.Epoch]:
    """Find the MEPPs of an NWB file and add them to it.

    Only the tables and summary rows of the same detectors on the same channels are replaced. The
    ``invalid_times`` of the file are left out in addition to ``exclude``.

    Parameters
    ----------
    path : path-like
        An NWB file from any program.
    output : path-like, optional
        File to write instead of replacing ``path``.
    extension : bool, default False
        Write tables of the extension ``ndx-mepp`` instead of core ones.
    overwrite : bool, default False
        Replace ``output`` if it exists.
    **options
        How MEPPs are looked for, and what the file says wrong.

    Returns
    -------
    list of neo.Epoch
        As :func:`detect` gives them, one for each channel and detector.

    Raises
    ------
    ReadError
        If the file cannot be read.
    UsageError, MetadataError
        If an argument is wrong, or the channel has to be named.
    DetectionError
        If the samples do not allow detection, or weights are unusable.
    MissingDependencyError
        If fitting is asked for without TensorFlow.
    OutputError
        If the result cannot be written.
    """
    settings = settings_from(DetectionSettings, options)
    results = detect_file(
        path,
        output=output,
        settings=settings,
        read_options=settings_from(ReadOptions, options),
        extension=extension,
        overwrite=overwrite,
    )
    with open_nwb(path if output is None else output, channels=settings.channels) as recording:
        return [epoch_of(result, recording, settings=settings) for result in results]


def summarize(epoch: neo.Epoch) -> dict[str, Any]:
    """Return the summary statistics of the MEPPs in an epoch.

    They are computed from the epoch as it is, also after MEPPs were selected or moved. The averaged waveform
    (``average_n``, ``average_decay_tau``, ...) is that of detection, and NaN once MEPPs were added or
    removed.

    Parameters
    ----------
    epoch : neo.Epoch
        From :func:`detect` or :func:`annotate`, or a selection of such (``epoch[mask]``).

    Returns
    -------
    dict of str to object
        With the columns of the summary table as keys, in SI units; NaN where there are too few MEPPs.

    Raises
    ------
    UsageError
        If the epoch does not state what was analyzed.
    """
    known = epoch.annotations
    needed = {column.name for column in SummaryRow.columns() if not column.optional}
    if not {"analyzed", *needed} <= set(known):
        raise UsageError(
            "expected an epoch from nwb_mepp.detect or nwb_mepp.annotate, found one that does not say what "
            "was analyzed; statistics of rate and intervals need that."
        )
    rate_hz, stretches = known["sampling_rate_hz"], known["analyzed"]
    origin_s = min((start_s for _, start_s, _ in stretches), default=0.0)
    row = summarize_mepps(
        mepps_of(epoch, rate_hz=rate_hz, origin_s=origin_s),
        segments=[stretch_of(*stretch, rate_hz=rate_hz, origin_s=origin_s) for stretch in stretches],
        polarity=Polarity(known["polarity"]),
        sampled_baseline=Baseline(known["baseline_mean"], known["baseline_drift"]),
        warnings=[known["warnings"]] if known.get("warnings") else [],
        average=_average(known) if known.get("n_mepps") == len(epoch) else None,
        **{
            name: known[name]
            for name in (
                "detector",
                "detector_version",
                "weights_sha256",
                "threshold",
                "noise_sd",
                "settings",
                "package_version",
            )
        },
        # Of the recording, whatever rows of the epoch are left; an epoch of an older version has none.
        **{
            name: known[name]
            for name in ("bandwidth_hz", "converter_step", "hum_hz", "noise_growth", "n_unexplained")
            if name in known
        },
    )
    return row.as_dict()


def _average(known: Mapping[str, Any]) -> dict[str, float]:
    """Return what detection found of the averaged waveform, by attribute of a summary row."""
    columns = (column for column in SummaryRow.columns() if column.name.startswith("average_"))
    return {column.attribute: known[column.name] for column in columns if column.name in known}
