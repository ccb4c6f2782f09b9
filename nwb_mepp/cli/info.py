"""Description of a file, as a dictionary for programs and as text for people."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from nwb_mepp.cli.console import aligned
from nwb_mepp.cli.options import as_typed
from nwb_mepp.core.errors import DetectionError
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.safe_text import visible
from nwb_mepp.core.units import ELECTRICAL_UNITS
from nwb_mepp.nwb import open_with_results
from nwb_mepp.readers import FileInfo, ReadOptions, inspect
from nwb_mepp.workflows.recording_files import open_recording, statements_of

__all__ = ["describe_lab_file", "describe_nwb_file", "describe_survey", "info_text"]

Described = dict[str, Any]


def describe_lab_file(path: Path, read_options: ReadOptions) -> tuple[Described, tuple[str, ...]]:
    """Return the description of a lab file and the problems that prevent reading it."""
    found: FileInfo = inspect(path, options=read_options)
    channels = [
        {
            "channel": channel.name,
            "unit_stated": channel.unit_label,
            "unit": channel.unit,
            "sampling_rate_hz": channel.sampling_rate_hz,
            "sweeps": len(channel.n_samples),
            "duration_s": sum(channel.durations_s) if channel.durations_s else None,
            "minimum": _finite(channel.minimum),
            "median": _finite(channel.median),
            "maximum": _finite(channel.maximum),
            "marks": channel.n_labels,
        }
        for channel in found.channels
    ]
    if found.reader is None:
        return {}, found.problems
    described: Described = {
        "file": str(path),
        "format": found.format,
        "reader": f"{found.reader} ({found.reader_version})",
        "session_start": found.session_start.isoformat() if found.session_start else None,
        "sweep_times_stated": found.sweep_times_stated,
        "channels": channels,
        "besides": found.ancillary or "nothing",
        "annotations": found.annotations,
        "notes": list(map(as_typed, found.notes)),
    }
    return described, found.problems


def describe_nwb_file(path: Path, read_options: ReadOptions) -> tuple[Described, tuple[str, ...]]:
    """Return the description of the recording and MEPPs in an NWB file, and no problems."""
    statements = statements_of(read_options, path=path) if read_options.stated() else None
    with open_with_results(path, statements=statements) as (recording, results):
        channels = _channels(recording)
        described: Described = {
            "file": str(path),
            "format": "NWB",
            "reader": f"{recording.source.reader} ({recording.source.reader_version})",
            "session_start": recording.session_start.isoformat() if recording.session_start else None,
            "channels": channels,
            "invalid_times_s": [list(stretch) for stretch in recording.invalid_times],
            "annotations": dict(recording.annotations),
            "notes": list(map(as_typed, recording.notes)),
        }
    described["detections"] = [
        {
            "detector": result.detector,
            "channel": result.mepps.channel,
            "n_mepps": result.summary.n_mepps,
            **_survey(result.summary, hum_hz=result.summary.hum_hz),
        }
        for result in results
    ]
    return described, ()


def describe_survey(path: Path, read_options: ReadOptions) -> tuple[list[Described], tuple[str, ...]]:
    """Return what the survey before a detection finds on each electrical channel, and what it doubts."""
    from nwb_mepp.workflows import DetectionSettings, survey_channel

    rows, problems = [], []
    with open_recording(path, options=read_options) as recording:
        for channel in recording.channels:
            if recording.sweeps(channel)[0].unit not in ELECTRICAL_UNITS:
                continue
            try:
                sorting, noise = survey_channel(recording, channel, settings=DetectionSettings())
            except DetectionError as error:
                problems.append(str(error))
                continue
            analyzed_s = sum(one.n_samples / one.sampling_rate_hz for one in sorting.segments)
            hum_hz = math.nan if noise.hum is None else noise.hum.frequency_hz
            rows.append(
                {
                    "channel": channel,
                    "unit": noise.unit,
                    "analyzed_s": analyzed_s,
                    **_survey(noise, hum_hz=hum_hz),
                    "polarity": str(noise.polarity),
                }
            )
            problems += noise.warnings
    return rows, tuple(problems)


def _survey(found: Any, *, hum_hz: float) -> Described:
    """Return what was found of the noise: in a survey, or in a row of the summary."""
    names = ("noise_sd", "bandwidth_hz", "converter_step", "noise_growth")
    return {**{name: _finite(getattr(found, name)) for name in names}, "hum_hz": _finite(hum_hz)}


def _channels(recording: Recording) -> list[Described]:
    rows = []
    for channel in recording.channels:
        sweeps = recording.sweeps(channel)
        rows.append(
            {
                "channel": channel,
                "unit": sweeps[0].unit,
                "sampling_rate_hz": sweeps[0].sampling_rate_hz,
                "sweeps": len(sweeps),
                "duration_s": sum(trace.duration_s for trace in sweeps),
            }
        )
    return rows


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def info_text(described: Described) -> str:
    """Return a description as text: plain entries as lines, lists of objects as tables."""
    plain = [
        [name, _shown(value)] for name, value in described.items() if not isinstance(value, (list, dict))
    ]
    parts = [aligned(plain)]
    for name, value in described.items():
        if isinstance(value, dict) and value:
            rows = [[f"  {key}", " ".join(str(text).split())] for key, text in value.items()]
            parts.append(f"{name}:\n{aligned(rows)}")
        elif isinstance(value, list) and value:
            parts.append(f"{name}:\n{_list_text(value)}")
    return "\n\n".join(parts)


def _list_text(entries: list[Any]) -> str:
    if isinstance(entries[0], dict):
        values = ([_shown(value, unknown="-") for value in entry.values()] for entry in entries)
        rows = [list(entries[0]), *values]
        return aligned([[f"  {first}", *others] for first, *others in rows])
    return "\n".join(f"  {visible(_shown(entry))}" for entry in entries)


def _shown(value: object, *, unknown: str = "not stated") -> str:
    if value is None:
        return unknown
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return " to ".join(_shown(one) for one in value)
    return str(value) or unknown
