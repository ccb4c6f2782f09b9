"""Analysis of a recording: each detector on each channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from nwb_mepp._utils.blas import one_thread
from nwb_mepp._utils.interim_results import InterimResults
from nwb_mepp.conditioning import MIN_DURATION_S, ChannelNoise, end_values, find_unusable, survey
from nwb_mepp.core.errors import DetectionError, MetadataError, UsageError
from nwb_mepp.core.recording import Recording, Trace
from nwb_mepp.core.results import ChannelResult, LeftOut
from nwb_mepp.core.segments import Segment, cut_segments
from nwb_mepp.core.units import ELECTRICAL_UNITS
from nwb_mepp.detectors import Detector, find_clear_deflections, get_detector
from nwb_mepp.statistics import sample_baseline
from nwb_mepp.workflows.detection import fit_where_asked, run_detector
from nwb_mepp.workflows.event_sorting import EventSorting
from nwb_mepp.workflows.remarks import describe_left_out
from nwb_mepp.workflows.settings import DetectionSettings
from nwb_mepp.workflows.steps import CLEAR, FIND, JUDGE, MEASURE, NOISE, ProgressCallback, Steps
from nwb_mepp.workflows.stimuli import Stimuli, around_command_steps, around_stimuli, find_stimuli
from nwb_mepp.workflows.stretches import check_stretches, stretches_in_sweep

__all__ = [
    "analyze",
    "analyze_channel",
    "choose_channels",
    "cut_channel",
    "survey_channel",
]

# An hour takes a minute, for which nothing is left behind that an interruption would cost.
_LONG_S = 3600.0


def analyze(
    recording: Recording,
    *,
    settings: DetectionSettings | None = None,
    on_progress: ProgressCallback | None = None,
    interim: InterimResults | None = None,
) -> list[ChannelResult]:
    """Find, measure and summarize the MEPPs of a recording.

    Parameters
    ----------
    recording : Recording
    settings : DetectionSettings, optional
    on_progress : callable, optional
    interim : InterimResults, optional
        What an interrupted analysis of the same has left; the steps of a channel of an hour and more are kept
        there.

    Returns
    -------
    list of ChannelResult
        One for each channel and detector, in the order of the settings.

    Raises
    ------
    MetadataError
        If the recording has several channels in volts or amperes and none was chosen.
    UsageError
        If a channel or stretch of the settings is not in the recording.
    DetectionError
        If the samples do not allow detection, or too few of them fitting to the recording.
    MissingDependencyError
        If fitting is asked for without TensorFlow.

    Notes
    -----
    A MEPP whose amplitude turns out to point against the polarity, or not to exceed twice its standard
    error, is dropped, and so is one below a least amplitude; what was measured of the others does not change
    by that.
    """
    wanted = settings or DetectionSettings()
    detectors = [get_detector(name, weights=wanted.weights_of(name)) for name in wanted.detectors]
    channels = choose_channels(recording, names=wanted.channels, every=wanted.all_channels)
    steps = Steps(on_progress, work=len(channels) * _work(detectors))
    with one_thread():
        return [
            result
            for channel in channels
            for result in analyze_channel(
                recording, channel, detectors=detectors, settings=wanted, steps=steps, interim=interim
            )
        ]


def analyze_channel(
    recording: Recording,
    channel: str,
    *,
    detectors: Sequence[Detector],
    settings: DetectionSettings,
    steps: Steps | None = None,
    interim: InterimResults | None = None,
) -> Iterator[ChannelResult]:
    """Yield what each detector finds on one channel; see :func:`analyze`.

    Parameters
    ----------
    recording : Recording
    channel : str
    detectors : sequence of Detector
    settings : DetectionSettings
    steps : Steps, optional
        Tells what is being done.
    interim : InterimResults, optional
    """
    steps = steps or Steps(None, work=_work(detectors))
    judge = next((one for one in detectors if one.name == settings.second_opinion), None)
    _check_amplitude_unit(recording.sweeps(channel)[0], settings=settings)
    steps.begin(f"noise of {channel}", work=NOISE)
    sorting, noise = survey_channel(recording, channel, settings=settings)
    segments = sorting.segments
    baseline = sample_baseline(segments)
    if interim is not None and sum(one.n_samples / one.sampling_rate_hz for one in segments) >= _LONG_S:
        noise = replace(noise, interim=interim)
    steps.begin(f"clear deflections on {channel}", work=CLEAR)
    clear_s = noise.interim.get_parts(
        f"clear deflections on {channel}",
        lambda: [{"onset_s": onset_s} for onset_s in find_clear_deflections(segments, noise=noise)],
    )
    for detector in detectors:
        yield run_detector(
            fit_where_asked(detector, segments, noise=noise, settings=settings),
            segments,
            noise=noise,
            baseline=baseline,
            settings=settings,
            sorting=sorting,
            # It judges as it is, also where it is fitted to look for MEPPs itself.
            judge=None if detector is judge else judge,
            clear_s=[one["onset_s"] for one in clear_s],
            stated=recording.stated.get(channel),
            steps=steps,
        )


def _work(detectors: Sequence[Detector]) -> float:
    """Return what the steps of one channel take together."""
    return NOISE + CLEAR + len(detectors) * (FIND + MEASURE + JUDGE)


def survey_channel(
    recording: Recording, channel: str, *, settings: DetectionSettings
) -> tuple[EventSorting, ChannelNoise]:
    """Return what of a channel is analyzed, and what the survey finds there.

    Parameters
    ----------
    recording : Recording
    channel : str
    settings : DetectionSettings

    Raises
    ------
    UsageError
        If a stretch to leave out lies wholly outside the channel.
    DetectionError
        If nothing is left to analyze, or no noise can be told from it.
    """
    stimuli = find_stimuli(recording, channel=channel, settings=settings)
    left_out, steps = _find_left_out(recording, channel, stimuli=stimuli, settings=settings)
    segments = cut_channel(recording, channel, settings=settings, left_out=left_out)
    _check_anything_left(segments, channel=channel, left_out=left_out)
    sorting = EventSorting(
        traces=recording.sweeps(channel),
        segments=segments,
        ends=end_values(segments),
        left_out=left_out,
        stimuli=stimuli,
        steps=steps,
    )
    return sorting, survey(segments, polarity=settings.polarity)


def choose_channels(
    recording: Recording, *, names: Sequence[str] = (), every: bool = False
) -> tuple[str, ...]:
    """Return the channels to analyze: those named, else the only one in volts or amperes.

    Parameters
    ----------
    recording : Recording
    names : sequence of str
    every : bool, default False
        Return all in volts or amperes, if none is named.

    Raises
    ------
    UsageError
        If a name is not that of a channel.
    MetadataError
        If none is named and there is not exactly one that could be meant.
    """
    source, channels = recording.source.name, recording.channels
    for name in names:
        if name not in channels:
            raise UsageError(
                f"{source} has no channel {name!r}; pass `channels` with one of its channels "
                f"({', '.join(channels)})."
            )
    if names:
        return tuple(names)
    electrical = [channel for channel in channels if recording.sweeps(channel)[0].unit in ELECTRICAL_UNITS]
    if len(electrical) == 1 or (every and electrical):
        return tuple(electrical)
    if electrical:
        raise MetadataError(
            f"{source} has {len(electrical)} channels in volts or amperes ({', '.join(electrical)}); pass "
            f"`channels={electrical[0]!r}` (or another) to choose one, or `all_channels=True`."
        )
    units = ", ".join(f"{channel} in {recording.sweeps(channel)[0].unit}" for channel in channels)
    raise MetadataError(
        f"{source} has no channel in volts or amperes ({units or 'it has no channel at all'}); pass `unit` "
        "if a label is wrong."
    )


def cut_channel(
    recording: Recording, channel: str, *, settings: DetectionSettings, left_out: Sequence[LeftOut] = ()
) -> list[Segment]:
    """Return the stretches of a channel that are to be analyzed.

    Parameters
    ----------
    recording : Recording
    channel : str
    settings : DetectionSettings
    left_out : sequence of LeftOut
        What else is left out.

    Raises
    ------
    UsageError
        If a stretch to leave out lies wholly outside the channel.
    DetectionError
        If the sweeps differ in sampling rate.
    """
    traces = recording.sweeps(channel)
    rates_hz = sorted({trace.sampling_rate_hz for trace in traces})
    if len(rates_hz) > 1:
        raise DetectionError(
            f"channel {channel!r}: expected one sampling rate in all sweeps, found "
            f"{', '.join(f'{rate_hz:g} Hz' for rate_hz in rates_hz)}; save the sweeps into separate files."
        )
    check_stretches(traces, settings=settings)
    further = [*recording.invalid_times, *((one.start_s, one.stop_s) for one in left_out)]
    return [
        segment
        for trace in traces
        for segment in cut_segments([trace], excluded=[*further, *stretches_in_sweep(trace, settings)])
    ]


def _find_left_out(
    recording: Recording, channel: str, *, stimuli: Stimuli, settings: DetectionSettings
) -> tuple[tuple[LeftOut, ...], tuple[LeftOut, ...]]:
    """Return what is left out, and the command steps that are not, as too little would be left to analyze."""
    segments = cut_channel(recording, channel, settings=settings)
    found = find_unusable(segments, only_missing=settings.keep_all_time)
    traces = recording.sweeps(channel)
    others = _within(traces, [*found, *around_stimuli(stimuli, settings=settings)])
    steps = () if settings.keep_all_time else _within(traces, around_command_steps(recording))
    without = cut_channel(recording, channel, settings=settings, left_out=(*others, *steps))
    if steps and not any(one.n_samples >= MIN_DURATION_S * one.sampling_rate_hz for one in without):
        return others, steps
    return tuple(sorted([*others, *steps])), ()


def _within(traces: Sequence[Trace], stretches: Sequence[LeftOut]) -> tuple[LeftOut, ...]:
    """Return the parts of stretches that lie within the sweeps."""
    return tuple(
        one._replace(start_s=max(one.start_s, trace.start_s), stop_s=min(one.stop_s, end_s))
        for one in sorted(stretches)
        for trace, end_s in ((trace, trace.start_s + trace.duration_s) for trace in traces)
        if one.start_s < end_s and one.stop_s > trace.start_s
    )


def _check_anything_left(segments: Sequence[Segment], *, channel: str, left_out: Sequence[LeftOut]) -> None:
    if left_out and not segments:
        raise DetectionError(
            f"channel {channel!r}: nothing is left to analyze ({describe_left_out(left_out)}); choose "
            "another channel with `channels`, or another recording."
        )


def _check_amplitude_unit(trace: Trace, *, settings: DetectionSettings) -> None:
    limits = {"min_amplitude": settings.min_amplitude, "max_amplitude": settings.max_amplitude}
    advice = {"min_amplitude": ", or `min_amplitude_sd` for any channel", "max_amplitude": ""}
    for name, limit in limits.items():
        if limit is not None and limit.unit != trace.unit:
            raise UsageError(
                f"`{name}`: expected the unit of channel {trace.channel!r} ({trace.unit}), found "
                f"{limit.unit}; give it in that unit{advice[name]}."
            )
