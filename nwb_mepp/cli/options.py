"""The options, each defined once, and what they amount to."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nwb_mepp.core.polarity import Polarity

if TYPE_CHECKING:
    from nwb_mepp.readers import ReadOptions
    from nwb_mepp.workflows import DetectionSettings, WriteOptions


class Fit(StrEnum):
    """What an autoencoder is fitted on."""

    EMPTY = "empty"
    ALL = "all"


class Clamp(StrEnum):
    """How the cell was held."""

    CURRENT = "current"
    VOLTAGE = "voltage"
    IZERO = "izero"


class Units(StrEnum):
    """Units of tables."""

    SI = "si"
    LAB = "lab"


class Decimal(StrEnum):
    """Decimal sign of tables."""

    POINT = "point"
    COMMA = "comma"


class TableFormat(StrEnum):
    """Formats of a table of MEPPs."""

    CSV = "csv"
    JSON = "json"


class SummaryFormat(StrEnum):
    """Formats of summaries."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


class InfoFormat(StrEnum):
    """Formats of what is in a file."""

    TEXT = "text"
    JSON = "json"


def _option(*names: str, help: str, metavar: str | None = None) -> Any:  # noqa: A002
    return typer.Option(*names, help=help, metavar=metavar, show_default=False)


Recordings = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", help="Recordings: files, folders, patterns.", show_default=False),
]
NwbFiles = Annotated[
    list[Path], typer.Argument(metavar="PATH", help="NWB files, or folders of them.", show_default=False)
]
NwbFile = Annotated[Path, typer.Argument(metavar="FILE.nwb", help="NWB file.", show_default=False)]
OutputFile = Annotated[
    Path | None, _option("--output", "-o", metavar="OUT.nwb", help="Write another file instead.")
]
OverwriteFile = Annotated[bool, typer.Option("--overwrite", help="Replace OUT.nwb if it is there.")]
OutputFolder = Annotated[
    Path, _option("--output", "-o", metavar="DIR", help="Folder of the outputs: DIR/path/name.ext.nwb.")
]
DandiNames = Annotated[
    bool,
    typer.Option(
        "--dandi-names",
        help="Name outputs DIR/sub-ID/sub-ID_ses-ID_icephys.nwb after subject_id and session_id.",
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace outputs that are there from other input or settings.")
]
Jobs = Annotated[
    int, typer.Option("--jobs", min=1, metavar="N", help="How many files are worked on at a time.")
]

Detectors = Annotated[
    list[str] | None,
    _option("--detector", metavar="NAME", help="Which detector [miniunet and autoencoder]; can be repeated."),
]
Threshold = Annotated[
    float | None,
    _option("--threshold", metavar="X", help="In units of the detector's output [its own default]."),
]
FalseDiscoveryRate = Annotated[
    float | None,
    _option(
        "--false-discovery-rate",
        metavar="X",
        help="Instead of a threshold: keep as many as leave this fraction to doubt, such as 0.05.",
    ),
]
WeightsFolders = Annotated[
    list[str] | None,
    _option(
        "--weights",
        metavar="[DETECTOR=]WEIGHTS",
        help="Use other weights: a folder that 'nwb-mepp train' wrote, or shipped ones such as miniunet@3; "
        "can be repeated.",
    ),
]
FitRecording = Annotated[
    Fit | None,
    _option(
        "--fit-recording",
        metavar="|".join(Fit),
        help="Fit the autoencoder to each recording first, where miniunet finds nothing or on all of it "
        "(needs TensorFlow).",
    ),
]
MinAmplitude = Annotated[
    str | None, _option("--min-amplitude", metavar="X", help="Drop smaller MEPPs; with unit, such as 0.2mV.")
]
MinAmplitudeSd = Annotated[
    float | None,
    _option("--min-amplitude-sd", metavar="X", help="The same in standard deviations of the noise."),
]
Channels = Annotated[
    list[str] | None,
    _option("--channel", metavar="NAME", help="Channel to analyze, if there are several; can be repeated."),
]
PolarityOption = Annotated[
    Polarity, typer.Option("--polarity", metavar="|".join(Polarity), help="Which way MEPPs point.")
]
Exclude = Annotated[
    list[str] | None,
    _option(
        "--exclude",
        metavar="START:STOP",
        help="Leave out, in seconds from the session start; can be repeated.",
    ),
]
ExcludePerSweep = Annotated[
    list[str] | None,
    _option(
        "--exclude-per-sweep",
        metavar="START:STOP",
        help="Leave out of every sweep, in seconds from its start (test pulses); can be repeated.",
    ),
]

Events = Annotated[
    str | None,
    _option(
        "--events",
        metavar="TABLE",
        help="Marks made by hand, carried into the table mepps_curated: an event table of Mini Analysis, a "
        "CSV table with peak_time or start_time in seconds, or labeled text. For several recordings with {} "
        "for the name of each without its last suffix, beside which the table lies.",
    ),
]
EventsChannel = Annotated[
    str | None, _option("--channel", metavar="NAME", help="Channel of the --events, if there are several.")
]

Reader = Annotated[
    str | None, _option("--reader", metavar="NAME", help="Reader ('nwb-mepp formats' lists them).")
]
Unit = Annotated[
    list[str] | None,
    _option("--unit", metavar="[CHANNEL=]UNIT", help="Replaces the unit of the file; the numbers stay."),
]
SamplingRate = Annotated[
    float | None, _option("--sampling-rate", metavar="HZ", help="Replaces the sampling rate of the file.")
]
Gain = Annotated[
    float | None, _option("--gain", metavar="X", help="Gain of the amplifier: numbers are divided by it.")
]
Dtype = Annotated[str | None, _option("--dtype", metavar="TYPE", help="Of a raw binary file, such as int16.")]
NChannels = Annotated[int | None, _option("--n-channels", metavar="N", help="Of a raw binary file.")]
SweepInterval = Annotated[
    float | None,
    _option(
        "--sweep-interval", metavar="S", help="Start to start, where the file gives all sweeps one time."
    ),
]

ClampOption = Annotated[
    Clamp | None,
    _option(
        "--clamp",
        metavar="|".join(Clamp),
        help="How the cell was held; izero: no current, bridge and capacitance compensation off.",
    ),
]
Extension = Annotated[
    bool,
    typer.Option("--extension", help="Write tables of MEPPs as types of ndx-mepp instead of core ones."),
]
SessionStart = Annotated[
    str | None,
    _option("--session-start", metavar="ISO", help="Such as 2020-01-31T09:30:00+01:00; for one file."),
]
Timezone = Annotated[
    str | None,
    _option("--timezone", metavar="NAME", help="Completes the file's own time, such as Europe/Berlin."),
]
SessionStartFrom = Annotated[
    str | None,
    _option(
        "--session-start-from", metavar="WHERE", help="mtime, or filename:PATTERN such as filename:%Y%m%d."
    ),
]
Override = Annotated[bool, typer.Option("--override", help="Permit what contradicts the file.")]
Subject = Annotated[str | None, _option("--subject", metavar="ID", help="Identifier of the subject.")]
MetadataFile = Annotated[
    Path | None,
    _option("--metadata", metavar="FILE.yaml", help="What else is known ('nwb-mepp metadata template')."),
]
Sessions = Annotated[
    Path | None,
    _option(
        "--sessions",
        metavar="TABLE.csv",
        help="A row a file: file, session_start, timezone, session_start_from, subject, session_id, "
        "metadata.",
    ),
]

NoPicture = Annotated[bool, typer.Option("--no-picture", help="Draw no pictures.")]
UnitsOption = Annotated[
    Units, typer.Option("--units", metavar="|".join(Units), help="Of tables; lab: mV, pA, ms.")
]
DecimalOption = Annotated[
    Decimal,
    typer.Option(
        "--decimal", metavar="|".join(Decimal), help="Of CSV; with a comma, semicolons separate the cells."
    ),
]


def read_options(
    *,
    reader: str | None,
    unit: list[str] | None,
    sampling_rate: float | None,
    gain: float | None,
    dtype: str | None,
    n_channels: int | None,
    sweep_interval: float | None,
) -> ReadOptions:
    """Return what the options say of the file."""
    from nwb_mepp.readers import ReadOptions, parse_unit_options

    return ReadOptions(
        reader=reader,
        units=parse_unit_options(unit or ()),
        sampling_rate_hz=sampling_rate,
        gain=gain,
        dtype=dtype,
        n_channels=n_channels,
        sweep_interval_s=sweep_interval,
    )


def write_options(
    *,
    clamp: Clamp | None,
    session_start: str | None,
    timezone: str | None,
    session_start_from: str | None,
    override: bool,
    subject: str | None,
    metadata: Path | None,
    extension: bool = False,
) -> WriteOptions:
    """Return what the options say of the session and of writing."""
    from nwb_mepp.workflows import WriteOptions

    return WriteOptions(
        clamp=None if clamp is None else clamp.value,
        session_start=session_start,
        timezone=timezone,
        session_start_from=session_start_from,
        override=override,
        subject=subject,
        metadata=metadata,
        extension=extension,
    )


def detection_settings(
    *,
    detector: list[str] | None,
    threshold: float | None,
    false_discovery_rate: float | None,
    weights: list[str] | None,
    fit_recording: Fit | None,
    min_amplitude: str | None,
    min_amplitude_sd: float | None,
    channel: list[str] | None,
    polarity: Polarity,
    exclude: list[str] | None,
    exclude_per_sweep: list[str] | None,
) -> DetectionSettings:
    """Return what the options say of detection."""
    from nwb_mepp.workflows import (
        DEFAULT_DETECTORS,
        DetectionSettings,
        choose_weights,
        parse_amplitude,
        parse_stretches,
    )

    amplitude, unit = (None, None) if min_amplitude is None else parse_amplitude(min_amplitude)
    return DetectionSettings(
        detectors=tuple(detector or DEFAULT_DETECTORS),
        threshold=threshold,
        false_discovery_rate=false_discovery_rate,
        weights=choose_weights(weights or ()),
        fit_recording=None if fit_recording is None else fit_recording.value,
        min_amplitude=amplitude,
        min_amplitude_unit=unit,
        min_amplitude_sd=min_amplitude_sd,
        channels=tuple(channel or ()),
        polarity=polarity,
        exclude=parse_stretches(exclude or (), option="--exclude"),
        exclude_per_sweep=parse_stretches(exclude_per_sweep or (), option="--exclude-per-sweep"),
    )
