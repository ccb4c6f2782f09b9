"""The picture of a channel: the recording, its MEPPs, and how they are distributed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.results import ChannelResult, SummaryRow
from nwb_mepp.core.safe_text import visible
from nwb_mepp.core.units import DisplayUnit
from nwb_mepp.plots.display_units import choose_unit, duration, number
from nwb_mepp.plots.image_files import check_format, save_figure
from nwb_mepp.plots.panels import (
    draw_amplitudes,
    draw_intervals,
    draw_overlay,
    draw_recording,
    draw_stretch,
    mark_unexplained,
)
from nwb_mepp.plots.selection import choose_stretch
from nwb_mepp.plots.style import ACCENT, INK, LABEL_SIZE, MUTED, SMALL_SIZE, TITLE_SIZE, show_message

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpecFromSubplotSpec

__all__ = ["draw_picture"]

FloatArray = npt.NDArray[np.float64]

# A slide of 16:9.
_SIZE_INCHES = (13.33, 7.5)
_ROW_HEIGHTS = [0.85, 1.05, 1.3]
_MARGINS = {"left": 0.078, "right": 0.977, "top": 0.815, "bottom": 0.078}
_BETWEEN = "   ·   "
_MAX_TITLE = 90
_MAX_RESERVATIONS = 170
_MAX_FACTS = 160
# Recordings are described by these only where they stand out.
_NARROW_HZ, _GROWN, _COARSE_SD = 1500.0, 1.3, 0.5


def draw_picture(
    traces: Sequence[Trace],
    result: ChannelResult,
    path: Path,
    *,
    title: str,
    excluded: Sequence[tuple[float, float]] = (),
) -> None:
    """Draw what a detector found on a channel and save it.

    Parameters
    ----------
    traces : sequence of Trace
        All sweeps of the channel.
    result : ChannelResult
    path : Path
        Its suffix gives the format: ``.png``, ``.pdf`` or ``.svg``. Written completely or not at all.
    title : str
        Shortened in the middle where it is too long.
    excluded : sequence of (start_s, stop_s)
        Stretches that were left out, in seconds from the session start: shown gray, and intervals do not
        cross them.

    Raises
    ------
    UsageError
        If the suffix is another one, or there is no trace.
    OutputError
        If the file cannot be written.

    Notes
    -----
    Nothing of matplotlib's global state (``pyplot``, ``rcParams``) is left changed.
    """
    path = Path(path)
    check_format(path)
    if not traces:
        raise UsageError("expected at least one sweep to draw, found none; name a channel of the recording.")
    from matplotlib.figure import Figure

    mepps, summary = result.mepps.of_kind("mepp"), result.summary
    others = result.mepps.select(~np.isin(result.mepps.kind, ("", "mepp")))
    figure = Figure(figsize=_SIZE_INCHES, facecolor="white")
    _write_head(figure, title=title, mepps=mepps, result=result)
    whole, zoomed, below = _rows(figure)
    stretch = choose_stretch(mepps, traces, others=others)
    unit = choose_unit(_levels(traces, mepps), unit=mepps.unit)
    draw_recording(whole, traces, mepps, unit=unit, stretch=stretch, excluded=excluded, others=others)
    mark_unexplained(whole, traces, result.unexplained)
    draw_stretch(zoomed, mepps, unit=unit, stretch=stretch)
    if len(mepps):
        overlay, amplitudes, intervals = (figure.add_subplot(below[0, n]) for n in range(3))
        draw_overlay(overlay, traces, mepps, waveform=result.waveform)
        # The mean in the summary leaves out lower bounds.
        whole_peaks = mepps.select(np.char.find(mepps.quality.astype(np.str_), "clipped") < 0)
        if len(whole_peaks):
            draw_amplitudes(amplitudes, whole_peaks, noise_sd=summary.noise_sd)
        else:
            show_message(amplitudes, "Every peak is clipped")
        draw_intervals(intervals, mepps, excluded=excluded)
    else:
        show_message(figure.add_subplot(below[0, :]), "No MEPP found")

    with warnings.catch_warnings():
        # A file name may hold characters that the font lacks; a box in the title is acceptable.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        save_figure(figure, path)


def _rows(figure: Figure) -> tuple[Axes, Axes, GridSpecFromSubplotSpec]:
    """Return the axes of the two upper rows and the three cells of the lowest one."""
    grid = figure.add_gridspec(3, 1, height_ratios=_ROW_HEIGHTS, hspace=0.62, **_MARGINS)
    below = grid[2].subgridspec(1, 3, wspace=0.27)
    return figure.add_subplot(grid[0]), figure.add_subplot(grid[1]), below


def _write_head(figure: Figure, *, title: str, mepps: Mepps, result: ChannelResult) -> None:
    found, how = _key_numbers(mepps, result.summary)
    for height, text, size, color, weight in (
        (0.985, _shortened(visible(title)), TITLE_SIZE, INK, "bold"),
        (0.938, found, LABEL_SIZE + 1, INK, "normal"),
        (0.903, how, SMALL_SIZE, MUTED, "normal"),
        (0.873, _shortened(visible(_reservations(result)), _MAX_RESERVATIONS), SMALL_SIZE, ACCENT, "normal"),
    ):
        # A dollar sign in a file name does not begin a formula.
        figure.text(
            _MARGINS["left"],
            height,
            text,
            fontsize=size,
            color=color,
            fontweight=weight,
            va="top",
            parse_math=False,
        )


def _levels(traces: Sequence[Trace], mepps: Mepps) -> FloatArray:
    """Return values from which the unit of the trace is chosen."""
    first = traces[0].values(0, min(traces[0].n_samples, 100_000))
    return np.concatenate(
        [
            np.nanquantile(first, [0.05, 0.95]) if np.isfinite(first).any() else [],
            mepps.baseline,
            mepps.amplitude,
        ]
    )


def _key_numbers(mepps: Mepps, summary: SummaryRow) -> tuple[str, str]:
    """Return one line of results and one on how they were obtained."""
    size = choose_unit(mepps.amplitude if len(mepps) else summary.noise_sd, unit=mepps.unit)
    level = choose_unit(summary.baseline_mean, unit=mepps.unit)
    # Below one in five seconds, a rate per minute is easier to grasp.
    factor, period = (60.0, "minute") if summary.rate_hz < 0.2 else (1.0, "second")
    rate, low, high = (
        number(factor * r) for r in (summary.rate_hz, summary.rate_hz_low, summary.rate_hz_high)
    )
    found = [
        f"{len(mepps)} MEPP{'' if len(mepps) == 1 else 's'} in {duration(summary.analyzed_s)}",
        f"{rate} per {period} (95 %: {low} to {high})",
    ]
    if len(mepps):
        mean = number(size.factor * summary.amplitude_mean)
        spread = number(size.factor * summary.amplitude_cv * abs(summary.amplitude_mean), digits=2)
        found.append(
            f"amplitude {mean} ± {spread} {size.name}" if len(mepps) > 1 else f"amplitude {mean} {size.name}"
        )
    if np.isfinite(mepps.decay_tau_s).any():
        found.append(f"decay {number(1e3 * float(np.nanmedian(mepps.decay_tau_s)), digits=2)} ms")
    how = [
        f"noise SD {number(size.factor * summary.noise_sd, digits=2)} {size.name}",
        *_recorded(summary, size=size),
        f"baseline {number(level.factor * summary.baseline_mean)} {level.name}",
        _how_found(summary),
    ]
    if summary.n_unexplained > 0:
        how.append(f"{summary.n_unexplained:.0f} clear but not explained (triangles)")
    how.append(f"nwb-mepp {summary.package_version}")
    return _BETWEEN.join(found), _fitting(how)


def _how_found(summary: SummaryRow) -> str:
    if np.isfinite(summary.reviewed):
        return f"{summary.detector}, {100.0 * summary.reviewed:.3g} % reviewed"
    return f"{summary.detector} {summary.detector_version}, threshold {summary.threshold:.3g}"


def _fitting(facts: list[str]) -> str:
    """Join facts to a line that fits the picture; the last ones are left out where it would not."""
    for n_facts in range(len(facts), 0, -1):
        for between in (_BETWEEN, _BETWEEN.strip().center(3)):
            line = between.join(facts[:n_facts])
            if len(line) <= _MAX_FACTS:
                return line
    return _shortened(facts[0], _MAX_FACTS)


def _recorded(summary: SummaryRow, *, size: DisplayUnit) -> list[str]:
    """Return what stands out in how a channel was recorded."""
    found = []
    if summary.bandwidth_hz < _NARROW_HZ:
        found.append(f"nothing above {summary.bandwidth_hz:.0f} Hz")
    if summary.noise_growth >= _GROWN:
        found.append(f"noise grows {summary.noise_growth:.1f}-fold")
    if summary.converter_step >= _COARSE_SD * summary.noise_sd:
        found.append(f"converter step {number(size.factor * summary.converter_step, digits=2)} {size.name}")
    if np.isfinite(summary.hum_hz):
        found.append(f"{summary.hum_hz:.1f} Hz hum removed")
    return found


def _reservations(result: ChannelResult) -> str:
    """Return what was left out and why, what is not counted, and what is doubtful."""
    counts = {kind: len(result.mepps.of_kind(kind)) for kind in ("evoked", "spike", "artifact")}
    others = [f"{count} {kind}" for kind, count in counts.items() if count]
    lasting: dict[str, float] = {}
    for one in result.left_out:
        lasting[one.reason] = lasting.get(one.reason, 0.0) + one.stop_s - one.start_s
    said = (
        [f"left out: {', '.join(f'{reason} {s:.3g} s' for reason, s in lasting.items())}"] if lasting else []
    )
    if others:
        said.append(f"not counted (blue ticks): {', '.join(others)}")
    if result.summary.warnings:
        said.append(result.summary.warnings.replace("`", ""))
    return _BETWEEN.join(said)


def _shortened(title: str, longest: int = _MAX_TITLE) -> str:
    if len(title) <= longest:
        return title
    half = (longest - 1) // 2
    return f"{title[:half]}…{title[-half:]}"
