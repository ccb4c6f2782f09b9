"""The panels of the picture; each function draws one on the axes it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.units import DisplayUnit
from nwb_mepp.plots.display_units import choose_unit, number
from nwb_mepp.plots.envelope import TimeAxis, envelope_of
from nwb_mepp.plots.selection import aligned_mepps, intervals_between
from nwb_mepp.plots.style import (
    ACCENT,
    FAINT,
    INK,
    MEAN,
    MUTED,
    SHADE,
    SMALL_SIZE,
    TRACE,
    label_axes,
    show_message,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "draw_amplitudes",
    "draw_intervals",
    "draw_overlay",
    "draw_recording",
    "draw_stretch",
    "mark_unexplained",
]

FloatArray = npt.NDArray[np.float64]
Stretch = tuple[Trace, float, float]

_N_COLUMNS = 2200
_N_BINS = (6, 40)
_BARS = 0.68  # of the height of a histogram; its labels are above


def draw_recording(
    axes: Axes,
    traces: Sequence[Trace],
    mepps: Mepps,
    *,
    unit: DisplayUnit,
    stretch: Stretch,
    excluded: Sequence[tuple[float, float]],
    others: Mepps | None = None,
) -> None:
    """Draw all sweeps over time, a tick above each event, and the stretch that the next panel shows."""
    time_axis = TimeAxis(traces)
    lows, highs = [], []
    for trace in traces:
        share = trace.duration_s / time_axis.duration_s
        envelope, analyzed = envelope_of(trace, n_columns=round(_N_COLUMNS * share), excluded=excluded)
        time_s, values = envelope.zigzag()
        axes.plot(
            time_axis.positions(time_s, sweep=trace.sweep),
            unit.factor * values,
            color=TRACE,
            lw=0.6,
            rasterized=True,
        )
        lows.append(envelope.low[analyzed])
        highs.append(envelope.high[analyzed])
        for start_s, stop_s in excluded:
            edges_s = np.clip([start_s, stop_s], trace.start_s, trace.start_s + trace.duration_s)
            if edges_s[0] < edges_s[1]:
                axes.axvspan(*time_axis.positions(edges_s, sweep=trace.sweep), color=FAINT, alpha=0.35, lw=0)
    low, high = np.concatenate(lows), np.concatenate(highs)
    known = np.isfinite(low) & np.isfinite(high)
    low, high = low[known], high[known]
    bottom, top = (unit.factor * limit for limit in _limits(low, high))
    # The ticks for MEPPs lie above the trace.
    axes.set_ylim(bottom - 0.05 * (top - bottom), bottom + 1.35 * (top - bottom))
    axes.set_xlim(time_axis.start_s, time_axis.start_s + time_axis.duration_s)
    for border_s in time_axis.borders_s if len(time_axis.borders_s) <= 100 else ():
        axes.axvline(border_s, color=FAINT, lw=0.5)
    if others is not None and len(others):
        not_counted_s = time_axis.positions(others.peak_s, sweep=others.sweep)
        axes.vlines(not_counted_s, 0.85, 0.9, transform=axes.get_xaxis_transform(), color=MEAN, lw=0.8)
    if len(mepps):
        onsets_s = time_axis.positions(mepps.start_s, sweep=mepps.sweep)
        width = float(np.clip(400 / len(mepps), 0.4, 1.3))
        axes.vlines(onsets_s, 0.9, 0.99, transform=axes.get_xaxis_transform(), color=ACCENT, lw=width)
        shown_s = time_axis.positions(stretch[1:], sweep=stretch[0].sweep)
        axes.axvspan(*shown_s, color=MEAN, alpha=0.18, lw=0)
    label = "Recorded time, sweeps end to end (s)" if time_axis.end_to_end else "Time from session start (s)"
    label_axes(axes, title=_title_of_whole(traces, excluded), xlabel=label, ylabel=unit.name)


def mark_unexplained(axes: Axes, traces: Sequence[Trace], unexplained: Sequence[tuple[int, float]]) -> None:
    """Mark clear deflections that no MEPP explains, given by sweep and time, by triangles below the ticks."""
    sweeps, times_s = np.array(unexplained, dtype=np.float64).reshape(-1, 2).T
    axes.plot(
        TimeAxis(traces).positions(times_s, sweep=sweeps.astype(np.int64)),
        np.full(len(times_s), 0.85),
        "v",
        transform=axes.get_xaxis_transform(),
        color="none",
        mec=MUTED,
        mew=0.8,
        ms=4,
    )


def _title_of_whole(traces: Sequence[Trace], excluded: Sequence[tuple[float, float]]) -> str:
    title = "Whole recording" if len(traces) == 1 else f"Whole recording, {len(traces)} sweeps"
    return f"{title} (gray: left out)" if excluded else title


def _limits(low: FloatArray, high: FloatArray) -> tuple[float, float]:
    """Return the range to show: everything, unless a few extremes would flatten the rest."""
    if not len(low):
        return -1.0, 1.0
    bottom, top = float(low.min()), float(high.max())
    usual_bottom, usual_top = float(np.quantile(low, 0.01)), float(np.quantile(high, 0.99))
    margin = 0.3 * (usual_top - usual_bottom)
    if top - bottom > 5.0 * (usual_top - usual_bottom) > 0.0:
        bottom, top = max(bottom, usual_bottom - margin), min(top, usual_top + margin)
    if top > bottom:
        return bottom, top
    width = max(abs(bottom), 1e-12)  # A constant trace still needs an axis.
    return bottom - width, top + width


def draw_stretch(axes: Axes, mepps: Mepps, *, unit: DisplayUnit, stretch: Stretch) -> None:
    """Draw a stretch in full, with the interval and the peak of each MEPP."""
    trace, start_s, stop_s = stretch
    rate_hz = trace.sampling_rate_hz
    first = max(round((start_s - trace.start_s) * rate_hz), 0)
    last = min(round((stop_s - trace.start_s) * rate_hz), trace.n_samples)
    time_s = trace.start_s + np.arange(first, last) / rate_hz
    axes.plot(time_s, unit.factor * trace.values(first, last), color=TRACE, lw=0.8)
    shown = (mepps.sweep == trace.sweep) & (mepps.start_s < stop_s) & (mepps.stop_s > start_s)
    inside = mepps.select(shown)
    for left_s, right_s in zip(inside.start_s, inside.stop_s, strict=True):
        axes.axvspan(left_s, right_s, color=SHADE, alpha=0.3, lw=0)
    peaks = unit.factor * (inside.baseline + inside.amplitude)
    axes.plot(inside.peak_s, peaks, "o", color=ACCENT, ms=5, mec="white", mew=0.6, zorder=3)
    axes.set_xlim(start_s, stop_s)
    axes.margins(y=0.1)
    title = (
        "Stretch marked above: intervals shaded, peaks dotted" if len(mepps) else "A stretch of the recording"
    )
    label_axes(axes, title=title, xlabel="Time from session start (s)", ylabel=unit.name)


def draw_overlay(axes: Axes, traces: Sequence[Trace], mepps: Mepps) -> None:
    """Draw MEPPs superimposed at their onset, with their mean and their median kinetics."""
    from matplotlib.collections import LineCollection

    time_s, values, n_available = aligned_mepps(mepps, traces)
    if not len(values):
        show_message(axes, "No whole MEPP to overlay")
        return
    unit = choose_unit(mepps.amplitude, unit=mepps.unit)
    time_ms, values = 1e3 * time_s, unit.factor * values
    lines = [np.column_stack([time_ms, row]) for row in values]
    alpha = float(np.clip(8.0 / len(values), 0.08, 0.6))
    axes.add_collection(LineCollection(lines, colors=TRACE, linewidths=0.6, alpha=alpha, rasterized=True))
    axes.axhline(0.0, color=FAINT, lw=0.8, zorder=0)
    mean = values.mean(axis=0)
    axes.plot(time_ms, mean, color=MEAN, lw=2.2)
    # The axis holds all but the most extreme MEPPs, and always the mean.
    bottom = min(float(np.quantile(values.min(axis=1), 0.02)), float(mean.min()))
    top = max(float(np.quantile(values.max(axis=1), 0.98)), float(mean.max()))
    margin = 0.06 * (top - bottom) or 1.0
    axes.set_ylim(bottom - margin, top + margin)
    axes.set_xlim(time_ms[0], time_ms[-1])
    label_axes(
        axes, title="MEPPs from onset, and their mean", xlabel="Time from onset (ms)", ylabel=unit.name
    )
    count = f"{len(values)} of {n_available}" if n_available > len(values) else str(len(values))
    entries = [(INK, f"n = {count}")]
    for name, measured_s in (
        ("rise", mepps.rise_10_90_s),
        ("half-width", mepps.half_width_s),
        ("decay", mepps.decay_tau_s),
    ):
        if np.isfinite(measured_s).any():
            entries.append((MUTED, f"{name} {number(1e3 * float(np.nanmedian(measured_s)), digits=2)} ms"))
    _label(axes, entries, right=True, below=bool(abs(mean.min()) > abs(mean.max())))


def draw_amplitudes(axes: Axes, mepps: Mepps, *, noise_sd: float) -> None:
    """Draw the histogram of amplitudes, with their mean and the noise for comparison."""
    unit = choose_unit(mepps.amplitude, unit=mepps.unit)
    amplitude = unit.factor * mepps.amplitude
    low, high = _histogram_range(amplitude)
    _draw_histogram(axes, amplitude, low=low, high=high)
    mean = float(amplitude.mean())
    entries = [(ACCENT, f"mean {number(mean)} {unit.name}")]
    if low <= mean <= high:
        axes.axvline(mean, ymax=_BARS, color=ACCENT, lw=1.6)
    noise = unit.factor * noise_sd
    if np.isfinite(noise):
        axes.axvspan(-noise, noise, ymax=_BARS, color=FAINT, alpha=0.35, lw=0, zorder=0)
        entries.append((MUTED, "gray: ±1 SD of noise"))
    entries.extend(_beyond(amplitude, low=low, high=high))
    label_axes(axes, title="Amplitudes", xlabel=f"Amplitude ({unit.name})", ylabel="MEPPs")
    _label(axes, entries, right=bool(0.5 * (low + high) > np.median(amplitude)))


def draw_intervals(axes: Axes, mepps: Mepps, *, excluded: Sequence[tuple[float, float]]) -> None:
    """Draw the histogram of intervals, with that of a Poisson process of the same mean."""
    intervals_s = intervals_between(mepps, excluded=excluded)
    if len(intervals_s) < 2:
        show_message(axes, "Too few MEPPs for intervals")
        return
    factor, unit = (1e3, "ms") if float(intervals_s.mean()) < 0.1 else (1.0, "s")
    intervals = factor * intervals_s
    mean = float(intervals.mean())
    _, high = _histogram_range(intervals)
    width = _draw_histogram(axes, intervals, low=0.0, high=high)
    time = np.linspace(0.0, high, 300)
    expected = len(intervals) * width / mean * np.exp(-time / mean)
    axes.plot(time, expected, color=ACCENT, lw=1.8)
    axes.set_ylim(0.0, max(axes.get_ylim()[1], 1.05 * float(expected[0])))
    label_axes(axes, title="Intervals between MEPPs", xlabel=f"Interval ({unit})", ylabel="Intervals")
    entries = [(ACCENT, f"exponential, mean {number(mean)} {unit}"), *_beyond(intervals, low=0.0, high=high)]
    _label(axes, entries, right=True)


def _histogram_range(values: FloatArray) -> tuple[float, float]:
    """Return limits from 0 that hold all values, or all but a few that would flatten the rest."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    usual_low, usual_high = np.quantile(values, [0.02, 0.98])
    if high - low > 3.0 * (max(usual_high, 0.0) - min(usual_low, 0.0)):
        low, high = 1.3 * min(float(usual_low), 0.0), 1.3 * max(float(usual_high), 0.0)
    margin = 0.04 * (high - low) if high > low else 1.0
    return low - margin * (low < 0.0), high + margin * (high > 0.0 or high == low)


def _beyond(values: FloatArray, *, low: float, high: float) -> list[tuple[str, str]]:
    """Return a label for the values that a histogram does not show."""
    n_beyond = int(np.sum((values < low) | (values > high)))
    return [(MUTED, f"{n_beyond} beyond the axis")] if n_beyond else []


def _draw_histogram(axes: Axes, values: FloatArray, *, low: float, high: float) -> float:
    """Draw bars from ``low`` to ``high`` and return their width."""
    from matplotlib.ticker import MaxNLocator

    # The rule of Freedman and Diaconis, or the square root where half of the values are equal.
    spread = float(np.subtract(*np.quantile(values, [0.75, 0.25])))
    wanted = (high - low) / (2.0 * spread) * len(values) ** (1 / 3) if spread > 0.0 else np.sqrt(len(values))
    counts, edges = np.histogram(values, bins=int(np.clip(np.ceil(wanted), *_N_BINS)), range=(low, high))
    axes.bar(
        edges[:-1], counts, width=np.diff(edges), align="edge", color=MEAN, alpha=0.75, ec="white", lw=0.6
    )
    axes.set_xlim(low, high)
    axes.set_ylim(0.0, max(int(counts.max()), 1) / _BARS)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    return float(edges[1] - edges[0])


def _label(axes: Axes, entries: Sequence[tuple[str, str]], *, right: bool, below: bool = False) -> None:
    """Write labels in the color of what they name, in a corner away from the data."""
    rows = range(len(entries))
    for row, (color, text) in zip(reversed(rows) if below else rows, entries, strict=True):
        axes.text(
            0.98 if right else 0.02,
            0.03 + 0.1 * row if below else 0.97 - 0.1 * row,
            text,
            transform=axes.transAxes,
            ha="right" if right else "left",
            va="bottom" if below else "top",
            fontsize=SMALL_SIZE,
            color=color,
        )
