"""Traces as series in ``/acquisition``, and sweeps as rows of the intracellular recordings table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from pynwb import NWBFile, TimeSeries
from pynwb.icephys import CurrentClampSeries, IZeroClampSeries, PatchClampSeries, VoltageClampSeries

from nwb_mepp.core.recording import Recording, Trace
from nwb_mepp.core.units import nwb_unit_name
from nwb_mepp.nwb.clamp import CLAMP_UNITS
from nwb_mepp.nwb.header import describe_source
from nwb_mepp.nwb.metadata import Metadata
from nwb_mepp.nwb.names import channel_stems, series_name
from nwb_mepp.nwb.sample_stream import compressed_samples
from nwb_mepp.nwb.series_copies import Copies

__all__ = ["SeriesOf", "SeriesOrPath", "add_acquisition"]

_KINDS: Mapping[str, type[PatchClampSeries]] = {
    "current": CurrentClampSeries,
    "voltage": VoltageClampSeries,
    "izero": IZeroClampSeries,
}

SeriesOf = dict[tuple[str, int], TimeSeries]
# The path in the file stands for a series that is a link to another file.
SeriesOrPath = Mapping[tuple[str, int], TimeSeries | str]


def add_acquisition(
    file: NWBFile,
    recording: Recording,
    *,
    clamp: str | None,
    metadata: Metadata,
    stimuli: Mapping[int, PatchClampSeries] | None = None,
    copies: Copies | None = None,
) -> SeriesOf:
    """Add one series per channel and sweep.

    With a clamp mode, channels in its unit become series of its type; others (such as a monitor of the
    command) stay plain series, because the mode does not apply to them. ``stimuli`` are the series of what
    was commanded, by sweep, which the table of intracellular recordings names. What ``copies`` takes is not
    added.

    Returns
    -------
    dict of (channel, sweep) to TimeSeries
    """
    stems = channel_stems(recording.traces)
    n_sweeps = Counter(trace.channel for trace in recording.traces)
    numbers = {channel: number for number, channel in enumerate(recording.channels)}
    series: SeriesOf = {}
    for trace in recording.traces:
        n = n_sweeps[trace.channel]
        name = series_name(stems[trace.channel], sweep=trace.sweep, n_sweeps=n)
        texts = _texts(trace, recording, number=numbers[trace.channel], n_sweeps=n)
        is_clamped = clamp is not None and trace.unit == CLAMP_UNITS[clamp]
        if copies is not None and not is_clamped and copies.take("/acquisition", name, trace, **texts):
            continue
        fields = {"name": name, **_fields(trace), **texts}
        if clamp is not None and is_clamped:
            one = _clamped(file, trace, fields, clamp=clamp, metadata=metadata)
        else:
            one = TimeSeries(**fields)
        file.add_acquisition(one)
        series[trace.channel, trace.sweep] = one
    if clamp is not None:
        _add_recordings_table(file, recording, series, stimuli or {})
    return series


def _texts(trace: Trace, recording: Recording, *, number: int, n_sweeps: int) -> dict[str, str]:
    sentences = [f"Channel {trace.channel}" + (f", sweep {trace.sweep}." if n_sweeps > 1 else ".")]
    if not recording.sweep_times_stated and n_sweeps > 1:
        sentences.append("Sweep times not stated by the source: the sweeps are laid end to end.")
    sentences.append(describe_source(recording.source))
    return {
        "comments": f"channel={trace.channel}; channel_number={number}; sweep={trace.sweep}",
        "description": " ".join(sentences),
    }


def _fields(trace: Trace) -> dict[str, Any]:
    return {
        "data": compressed_samples(trace),
        "unit": nwb_unit_name(trace.unit),
        # The schema asks for float32; a Python float is stored as float64, so that volts are exact.
        "conversion": float(trace.conversion),
        "offset": float(trace.offset),
        "starting_time": float(trace.start_s),
        "rate": float(trace.sampling_rate_hz),
    }


def _clamped(
    file: NWBFile, trace: Trace, fields: dict[str, Any], *, clamp: str, metadata: Metadata
) -> PatchClampSeries:
    kind = _KINDS[clamp]
    # Without injected current there is no stimulus to describe, and NWB requires its default.
    stimulus = {} if kind is IZeroClampSeries else {"stimulus_description": "not stated"}
    return kind(
        **fields,
        **stimulus,
        electrode=file.icephys_electrodes[metadata.electrode_of(trace.channel).name],
        sweep_number=np.uint32(trace.sweep),
    )


def _add_recordings_table(
    file: NWBFile, recording: Recording, series: SeriesOf, stimuli: Mapping[int, PatchClampSeries]
) -> None:
    """Group the clamped sweeps: one recording per series, one simultaneous recording per sweep.

    Sequential recordings are left out: they state that sweeps share a type of stimulus.
    """
    clamped = [
        trace
        for trace in recording.traces
        if isinstance(series.get((trace.channel, trace.sweep)), PatchClampSeries)
    ]
    if len({trace.sweep for trace in clamped}) < 2:
        return
    rows: dict[tuple[int, float], list[int]] = {}
    for trace in sorted(clamped, key=lambda trace: trace.sweep):
        one = series[trace.channel, trace.sweep]
        row = file.add_intracellular_recording(
            electrode=one.electrode,
            response=one,
            response_start_index=0,
            response_index_count=trace.n_samples,
            **({"stimulus": stimuli[trace.sweep]} if trace.sweep in stimuli else {}),
        )
        rows.setdefault((trace.sweep, trace.start_s), []).append(row)
    for together in rows.values():
        file.add_icephys_simultaneous_recording(recordings=together)
