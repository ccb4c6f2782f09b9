"""The decisions of a review in the NWB file: the curated table, its summary, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nwb_mepp.conditioning import survey
from nwb_mepp.core.errors import DetectionError
from nwb_mepp.core.mepps import MEPP, Mepps
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.provenance import describe_settings
from nwb_mepp.core.recording import Recording, Trace
from nwb_mepp.core.results import AverageWaveform, ChannelResult, LeftOut, SummaryRow
from nwb_mepp.core.segments import Segment, cut_segments
from nwb_mepp.core.version import __version__
from nwb_mepp.curation.decisions import UNREVIEWED, Review, is_kept
from nwb_mepp.curation.rows import Row, curation_of, mepps_of, sort_rows
from nwb_mepp.measurement.average import average_waveform, describe_average
from nwb_mepp.statistics import summarize

__all__ = ["Reviewed", "result_of", "share_reviewed"]


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """What is reviewed: one channel of an open file.

    Attributes
    ----------
    recording : Recording
    channel : str
    detector : str
        What stands for the person in the summary.
    table : str
        What the review began with; empty if with nothing.
    row : SummaryRow or None
        The summary of that table.
    left_out : tuple of LeftOut
        What was found to be of no use on the channel.
    polarity : Polarity
    """

    recording: Recording
    channel: str
    detector: str
    table: str
    row: SummaryRow | None
    left_out: tuple[LeftOut, ...]
    polarity: Polarity

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The sweeps of the channel."""
        return self.recording.sweeps(self.channel)


def share_reviewed(rows: Sequence[Row]) -> float:
    """Return the fraction of rows that were decided on; NaN without any.

    Examples
    --------
    >>> share_reviewed([{"status": "accepted"}, {"status": "unreviewed"}])
    0.5
    """
    if not rows:
        return float("nan")
    return float(sum(row["status"] != UNREVIEWED for row in rows) / len(rows))


def result_of(
    reviewed: Reviewed, review: Review, *, stated_s: Sequence[tuple[float, float]]
) -> ChannelResult:
    """Return what is written of a review: every row with its decision, and the summary of those that count.

    What nobody has decided on yet does not count, and nor does the time around it.

    Parameters
    ----------
    reviewed : Reviewed
    review : Review
    stated_s : sequence of (start_s, stop_s)
        Invalid times of the file, without those that a person left out.
    """
    rows = _apart(sort_rows(review.rows.values()), rate_hz=reviewed.traces[0].sampling_rate_hz)
    table = mepps_of(rows, channel=reviewed.channel, unit=reviewed.traces[0].unit)
    curation = curation_of(rows)
    excluded = [
        *stated_s,
        *review.excluded,
        *((one.start_s, one.stop_s) for one in reviewed.left_out),
        *curation.undecided_stretches(table),
    ]
    segments = list(cut_segments(reviewed.traces, excluded=excluded))
    mepps = table.select(curation.counted)
    waveform = _average(mepps, segments, reviewed) if segments else None
    return ChannelResult(
        detector=reviewed.detector,
        mepps=table,
        summary=_summary(mepps, segments, reviewed, rows=rows, waveform=waveform),
        left_out=(),
        waveform=waveform,
        curation=curation,
    )


def _apart(rows: Sequence[Row], *, rate_hz: float) -> list[Row]:
    """Return rows such that the intervals of those that count do not overlap."""
    placed = list(rows)
    before: dict[int, int] = {}
    for number, row in enumerate(placed):
        if not is_kept(row):
            continue
        last = before.get(row["sweep"])
        if last is not None:
            earlier, begin_s = placed[last], row["start_s"] - row["start_index"] / rate_hz
            onset = min(max(row["start_index"], earlier["peak_index"] + 1), row["peak_index"])
            if onset != row["start_index"]:
                placed[number] = {**row, "start_index": onset, "start_s": begin_s + onset / rate_hz}
            if earlier["stop_index"] > onset:
                stop = max(onset, earlier["start_index"] + 1)
                stop_s = begin_s + stop / rate_hz
                placed[last] = {**earlier, "stop_index": stop, "stop_s": stop_s, "overlapped": True}
        before[row["sweep"]] = number
    return placed


def _average(mepps: Mepps, segments: Sequence[Segment], reviewed: Reviewed) -> AverageWaveform | None:
    """Return the average of the isolated MEPPs; hum, whose phase differs among them, cancels."""
    return average_waveform(
        mepps.of_kind(MEPP),
        segments,
        polarity=reviewed.polarity,
        readers=[segment.values for segment in segments],
    )


def _summary(
    mepps: Mepps,
    segments: Sequence[Segment],
    reviewed: Reviewed,
    *,
    rows: Sequence[Row],
    waveform: AverageWaveform | None,
) -> SummaryRow:
    kinetics = describe_average(
        waveform, rate_hz=reviewed.traces[0].sampling_rate_hz, polarity=reviewed.polarity
    )
    row = reviewed.row
    known = ("bandwidth_hz", "converter_step", "hum_hz", "noise_growth")
    summary = summarize(
        mepps,
        segments=segments,
        detector=reviewed.detector,
        detector_version="",
        weights_sha256="",
        threshold=np.nan,
        polarity=reviewed.polarity,
        noise_sd=_noise_sd(segments, reviewed) if row is None else row.noise_sd,
        settings=describe_settings(
            {
                "reviewed_table": reviewed.table or "none",
                "n_rows": len(rows),
                # What was stated about the channel holds for every row of the summary.
                **reviewed.recording.stated.get(reviewed.channel, {}),
            }
        ),
        package_version=__version__,
        average={
            **{f"average_{name}": value for name, value in vars(kinetics).items()},
            "average_n": float(waveform.n_mepps) if waveform else 0.0,
        },
        **({} if row is None else {name: getattr(row, name) for name in known}),
    )
    return summary.replace(reviewed=share_reviewed(rows))


def _noise_sd(segments: Sequence[Segment], reviewed: Reviewed) -> float:
    try:
        return survey(segments, polarity=reviewed.polarity).noise_sd
    except DetectionError:
        return np.nan
