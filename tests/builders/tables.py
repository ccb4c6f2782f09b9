"""Tables of MEPPs, their summaries, and both together as a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.results import ChannelResult, SummaryRow

# A MEPP of a muscle fiber at rest.
TYPICAL = {
    "amplitude": 0.5e-3,
    "rise_10_90_s": 0.43e-3,
    "half_width_s": 2.7e-3,
    "decay_tau_s": 2.5e-3,
    "area": 1e-6,
    "baseline": -70e-3,
    "probability": 0.9,
}


def mepps_of(*, channel: str = "Vm", unit: str = "V", **columns: npt.ArrayLike) -> Mepps:
    """Return a table of the given columns; a number counts for all rows, other columns are absent."""
    n_mepps = max((np.size(values) for values in columns.values() if np.ndim(values)), default=1)
    arrays: dict[str, Any] = {}
    for column in Mepps.columns():
        blank = column.blank(n_mepps)
        values = np.asarray(columns.pop(column.attribute, blank), dtype=blank.dtype.type)
        arrays[column.attribute] = np.broadcast_to(values, n_mepps).copy()
    assert not columns, f"Mepps has no {', '.join(columns)}"
    return Mepps(channel=channel, unit=unit, **arrays)


def mepps_at(
    *onsets_s: npt.ArrayLike,
    sweep_starts_s: Sequence[float] = (),
    rate_hz: float = 10_000.0,
    **columns: Any,
) -> Mepps:
    """Return typical MEPPs of 37 samples whose peak is the 8th, from their onsets within each sweep.

    Sweeps begin at ``sweep_starts_s`` from the session start, all at 0 where none are given.
    """
    onsets = [np.asarray(one, dtype=np.float64) for one in onsets_s]
    lengths = [len(one) for one in onsets]
    start = np.round(np.concatenate(onsets) * rate_hz).astype(np.int64)
    begin_s = np.repeat(sweep_starts_s if len(sweep_starts_s) else np.zeros(len(onsets)), lengths)
    placed = {
        "sweep": np.repeat(np.arange(len(onsets)), lengths),
        "start_index": start,
        "peak_index": start + 8,
        "stop_index": start + 37,
        "start_s": begin_s + start / rate_hz,
        "peak_s": begin_s + (start + 8) / rate_hz,
        "stop_s": begin_s + (start + 37) / rate_hz,
    }
    return mepps_of(**(placed | TYPICAL | columns))


def mepps_on(traces: Sequence[Trace], onsets: Sequence[tuple[int, int]]) -> Mepps:
    """Return MEPPs of 50 samples whose peak is the 10th, at (sweep, first sample), with made-up measures."""
    of_sweep = {trace.sweep: trace for trace in traces}
    start = np.array([first for _, first in onsets], dtype=np.int64)
    begin_s = np.array([of_sweep[number].start_s for number, _ in onsets])
    rate_hz = np.array([of_sweep[number].sampling_rate_hz for number, _ in onsets])
    random = np.random.default_rng(len(onsets))
    made_up = ("amplitude", "rise_10_90_s", "half_width_s", "area", "baseline", "probability")
    return mepps_of(
        channel=traces[0].channel,
        unit=traces[0].unit,
        sweep=np.array([number for number, _ in onsets]),
        start_index=start,
        stop_index=start + 50,
        peak_index=start + 10,
        start_s=begin_s + start / rate_hz,
        stop_s=begin_s + (start + 50) / rate_hz,
        peak_s=begin_s + (start + 10) / rate_hz,
        decay_tau_s=np.where(np.arange(len(onsets)) % 2, np.nan, 0.004),
        overlapped=np.arange(len(onsets)) % 3 == 0,
        **{name: random.normal(size=len(onsets)) for name in made_up},
    )


def summary_row(**stated: Any) -> SummaryRow:
    """Return a row of the summary; what is not stated is NaN, 0 or empty."""
    given = {"detector": "", "channel": "", "amplitude_unit": "", "n_mepps": 0}
    return SummaryRow(**(given | stated))


def result_of(mepps: Mepps, detector: str = "miniunet", **summary: Any) -> ChannelResult:
    """Return what a detector found, with a summary that says so."""
    stated: dict[str, Any] = {
        "detector": detector,
        "channel": mepps.channel,
        "amplitude_unit": mepps.unit,
        "n_mepps": len(mepps),
        "analyzed_s": 1 / 3,
        "threshold": 0.5,
        "polarity": "positive",
        "detector_version": "1",
        "settings": "block_s=60.0; exclude=1:2",
    }
    return ChannelResult(detector=detector, mepps=mepps, summary=summary_row(**(stated | summary)))
