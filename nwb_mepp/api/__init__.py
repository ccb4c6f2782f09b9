"""The package in Python: Neo signals in, Neo epochs out, NWB at rest.

Times and amplitudes of signals and epochs carry their units. Errors that a user can mend are subclasses of
:class:`nwb_mepp.core.errors.MeppError`; their messages name the options of the command line, which the
parameters here are named after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import neo
import quantities as pq

from nwb_mepp.api.neo_objects import (
    Stretch,
    amplitude_settings,
    block_of,
    column_of,
    epoch_of,
    in_seconds,
    mepps_of,
    recording_of,
    stretch_of,
)
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.results import SummaryRow
from nwb_mepp.nwb import open_nwb
from nwb_mepp.readers import ReadOptions, read_recording
from nwb_mepp.statistics import Baseline
from nwb_mepp.statistics import summarize as summarize_mepps
from nwb_mepp.workflows import (
    DEFAULT_DETECTORS,
    DetectionSettings,
    WriteOptions,
    analyze,
    choose_weights,
    convert_file,
    detect_file,
)

__all__ = ["annotate", "convert", "detect", "read", "summarize"]

FitMode = Literal["empty", "all"]
Weights = str | PathLike[str] | Mapping[str, str | PathLike[str]]


def read(
    path: str | PathLike[str],
    *,
    reader: str | None = None,
    unit: str | Mapping[str, str] | None = None,
    sampling_rate_hz: float | None = None,
    gain: float | None = None,
    dtype: str | None = None,
    n_channels: int | None = None,
    sweep_interval_s: float | None = None,
) -> neo.Block:
    """Read a lab file or an NWB file wholly into memory.

    Parameters
    ----------
    path : path-like
    reader : str, optional
        Registered name of the reader; without it suffix and content choose.
    unit : str or mapping of channel to str, optional
        Replaces the unit that the file states; the numbers stay.
    sampling_rate_hz : float, optional
        Replaces the rate that the file states.
    gain : float, optional
        The numbers are divided by it.
    dtype : str, optional
    n_channels : int, optional
        Of a raw binary file.
    sweep_interval_s : float, optional
        Start to start, for files that give all sweeps the same time.

    Returns
    -------
    neo.Block
        A segment for each sweep, in it a signal for each channel, named after it; volts and amperes are
        without prefix. Hand marks that came with the file are epochs.

    Raises
    ------
    ReadError
        If the file cannot be read, or what it says is not plausible or not complete.
    UsageError
        If an option is wrong or contradicts the file.

    Examples
    --------
    >>> import nwb_mepp
    >>> block = nwb_mepp.read("data/simulated.abf")
    >>> block.segments[0].analogsignals[0].shape
    (100000, 1)
    """
    if Path(path).suffix.lower() == ".nwb":
        with open_nwb(path) as recording:
            return block_of(recording)
    options = _read_options(
        reader=reader,
        unit=unit,
        sampling_rate_hz=sampling_rate_hz,
        gain=gain,
        dtype=dtype,
        n_channels=n_channels,
        sweep_interval_s=sweep_interval_s,
    )
    return block_of(read_recording(Path(path), options=options))


def convert(
    path: str | PathLike[str],
    output: str | PathLike[str],
    *,
    reader: str | None = None,
    unit: str | Mapping[str, str] | None = None,
    sampling_rate_hz: float | None = None,
    gain: float | None = None,
    dtype: str | None = None,
    n_channels: int | None = None,
    sweep_interval_s: float | None = None,
    session_start: str | None = None,
    timezone: str | None = None,
    session_start_from: str | None = None,
    override: bool = False,
    subject: str | None = None,
    metadata: str | PathLike[str] | None = None,
    clamp: Literal["current", "voltage", "izero"] | None = None,
    exclude: Iterable[Stretch] = (),
    events: str | PathLike[str] | None = None,
    channel: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a lab file as NWB; the raw numbers are kept to the last bit.

    Parameters
    ----------
    path : path-like
    output : path-like
        The NWB file. One that is there from the same input and settings is kept as it is.
    reader, unit, sampling_rate_hz, gain, dtype, n_channels, sweep_interval_s
        As for :func:`read`.
    session_start : str, optional
        ISO 8601; needed where the file does not state it.
    timezone : str, optional
        Name of the zone that completes a time without one.
    session_start_from : str, optional
        ``"mtime"`` or ``"filename:PATTERN"``.
    override : bool, default False
        Permit what contradicts the file.
    subject : str, optional
        Identifier of the subject.
    metadata : path-like, optional
        YAML file with everything else that is known.
    clamp : {"current", "voltage", "izero"}, optional
        How the cell was held; plain series are written where that is not stated.
    exclude : iterable of (start, stop), Quantity or seconds from the session start
        Written as ``invalid_times``, which detection leaves out.
    events : path-like, optional
        Marks that a person made (an event table of Mini Analysis, a CSV table of times, labeled text),
        written as ``mepps_curated``.
    channel : str, optional
        Which the marks belong to, if there are several.
    overwrite : bool, default False
        Replace an output from another input or other settings.

    Returns
    -------
    Path
        ``output``.

    Raises
    ------
    ReadError
        If the file cannot be read.
    MetadataError
        If what is known is missing, wrong or contradictory.
    OutputError
        If the output cannot be written, or is there from something else.
    """
    outcome = convert_file(
        path,
        output,
        read_options=_read_options(
            reader=reader,
            unit=unit,
            sampling_rate_hz=sampling_rate_hz,
            gain=gain,
            dtype=dtype,
            n_channels=n_channels,
            sweep_interval_s=sweep_interval_s,
        ),
        write_options=WriteOptions(
            session_start=session_start,
            timezone=timezone,
            session_start_from=session_start_from,
            override=override,
            subject=subject,
            metadata=None if metadata is None else Path(metadata),
            clamp=clamp,
        ),
        exclude=in_seconds(exclude),
        events=None if events is None else str(events),
        channel=channel,
        overwrite=overwrite,
    )
    return outcome.output


def detect(
    signal: neo.AnalogSignal,
    *,
    detector: str | Sequence[str] = DEFAULT_DETECTORS,
    channel: str | int | None = None,
    threshold: float | None = None,
    false_discovery_rate: float | None = None,
    weights: Weights | None = None,
    fit_recording: FitMode | None = None,
    polarity: Polarity | str = Polarity.AUTO,
    min_amplitude: pq.Quantity | None = None,
    min_amplitude_sd: float | None = None,
    exclude: Iterable[Stretch] = (),
) -> neo.Epoch:
    """Find and measure the MEPPs of a signal.

    Parameters
    ----------
    signal : neo.AnalogSignal, shape (n_samples, n_channels)
        In a unit of voltage or current, at 2 kHz or more.
    detector : str or sequence of str, default ("miniunet", "autoencoder")
        Registered names. The MEPPs are those of the first; an autoencoder after it gives its second opinion
        on them, without which ``anomaly`` is NaN.
    channel : str or int, optional
        Name (``array_annotations["channel_names"]``) or number of the channel; not needed for a single one.
    threshold : float, optional
        In units of the detector's own output; its default if not given.
    false_discovery_rate : float, optional
        Instead of a threshold: keep as many of the most probable MEPPs as leave this fraction to doubt.
    weights : path-like or mapping of detector to path-like, optional
        Weights to use instead of the default ones: a folder that a training wrote, or shipped weights by name
        and version (``"miniunet@3"``).
    fit_recording : {"empty", "all"}, optional
        Fit the autoencoder to the signal first, where MiniUnet finds nothing or on all of it. Needs
        TensorFlow.
    polarity : Polarity or str, default "auto"
        Which way MEPPs point: ``"positive"``, ``"negative"``, or ``"auto"``, which counts clear deflections.
    min_amplitude : Quantity, optional
        Smaller MEPPs are dropped.
    min_amplitude_sd : float, optional
        The same in standard deviations of the noise.
    exclude : iterable of (start, stop), Quantity or seconds on the signal's own clock
        Stretches that are left out.

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
        If the signal does not allow detection, or weights are not what they should be.
    MissingDependencyError
        If fitting is asked for without TensorFlow.

    Examples
    --------
    >>> import nwb_mepp
    >>> signal = nwb_mepp.read("data/simulated.abf").segments[0].analogsignals[0]
    >>> epoch = nwb_mepp.detect(signal, detector="matched_filter")
    >>> amplitude_mv = epoch.array_annotations["amplitude"].rescale("mV").magnitude
    >>> bool(0.6 < amplitude_mv.mean() < 1.0)
    True
    """
    recording = recording_of(signal, column=column_of(signal, channel))
    settings = DetectionSettings(
        detectors=(detector,) if isinstance(detector, str) else tuple(detector),
        threshold=threshold,
        false_discovery_rate=false_discovery_rate,
        weights=_chosen_weights(weights),
        fit_recording=fit_recording,
        polarity=Polarity(polarity),
        min_amplitude_sd=min_amplitude_sd,
        exclude=in_seconds(exclude),
        **amplitude_settings(min_amplitude),
    )
    result = analyze(recording, settings=settings)[0]
    return epoch_of(result, recording, settings=settings)


def annotate(
    path: str | PathLike[str],
    *,
    output: str | PathLike[str] | None = None,
    detectors: Sequence[str] = DEFAULT_DETECTORS,
    channels: Sequence[str] = (),
    threshold: float | None = None,
    false_discovery_rate: float | None = None,
    weights: Weights | None = None,
    fit_recording: FitMode | None = None,
    polarity: Polarity | str = Polarity.AUTO,
    min_amplitude: pq.Quantity | None = None,
    min_amplitude_sd: float | None = None,
    exclude: Iterable[Stretch] = (),
    exclude_per_sweep: Iterable[Stretch] = (),
    extension: bool = False,
    overwrite: bool = False,
) -> list[neo.Epoch]:
    """Put the MEPPs of an NWB file into it.

    Only the tables and summary rows of the same detectors on the same channels are replaced.

    Parameters
    ----------
    path : path-like
        Written by this package or by any other.
    output : path-like, optional
        Where to put the result instead of replacing ``path``.
    detectors : sequence of str, default ("miniunet", "autoencoder")
        Registered names. An autoencoder among others gives its second opinion on what they find.
    channels : sequence of str
        Needed where the file has several channels in volts or amperes.
    threshold, false_discovery_rate, weights, fit_recording, polarity, min_amplitude, min_amplitude_sd
        As for :func:`detect`.
    exclude : iterable of (start, stop), Quantity or seconds from the session start
    exclude_per_sweep : iterable of (start, stop), Quantity or seconds from the start of each sweep
        Stretches that are left out, besides the ``invalid_times`` of the file.
    extension : bool, default False
        Write tables of the extension ``ndx-mepp`` instead of core ones.
    overwrite : bool, default False
        Replace ``output`` if it is there.

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
        If the samples do not allow detection, or weights are not what they should be.
    MissingDependencyError
        If fitting is asked for without TensorFlow.
    OutputError
        If the result cannot be written.
    """
    settings = DetectionSettings(
        detectors=tuple(detectors),
        channels=tuple(channels),
        threshold=threshold,
        false_discovery_rate=false_discovery_rate,
        weights=_chosen_weights(weights),
        fit_recording=fit_recording,
        polarity=Polarity(polarity),
        min_amplitude_sd=min_amplitude_sd,
        exclude=in_seconds(exclude),
        exclude_per_sweep=in_seconds(exclude_per_sweep),
        **amplitude_settings(min_amplitude),
    )
    results = detect_file(path, output=output, settings=settings, extension=extension, overwrite=overwrite)
    with open_nwb(path if output is None else output, channels=settings.channels) as recording:
        return [epoch_of(result, recording, settings=settings) for result in results]


def summarize(epoch: neo.Epoch) -> dict[str, Any]:
    """Return the summary statistics of the MEPPs in an epoch.

    They are computed from the epoch as it is, so MEPPs may have been selected or moved since.

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
        If the epoch does not say what was analyzed.
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
    )
    return row.as_dict()


def _read_options(*, unit: str | Mapping[str, str] | None, **options: Any) -> ReadOptions:
    units = {"": unit} if isinstance(unit, str) else dict(unit or {})
    return ReadOptions(units=units, **options)


def _chosen_weights(weights: Weights | None) -> tuple[tuple[str, Path], ...]:
    if isinstance(weights, Mapping):
        return choose_weights(f"{detector}={folder}" for detector, folder in weights.items())
    return choose_weights([] if weights is None else [weights])
