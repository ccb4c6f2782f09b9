"""What the page is given of a session: rows, traces, small pictures of events, the average."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.segments import Segment
from nwb_mepp.core.units import lab_unit
from nwb_mepp.curation.clock import Part
from nwb_mepp.curation.decisions import KINDS, UNREVIEWED, is_kept
from nwb_mepp.curation.rows import Row, mepps_of, plain, sort_rows
from nwb_mepp.curation.session import Session
from nwb_mepp.measurement.average import average_waveform

__all__ = ["average", "counts", "fit", "rows_for_page", "snippets", "state", "trace"]

FloatArray = npt.NDArray[np.float64]

# By attribute, what the page is told of each row beside its place on the axis.
_SHOWN = (
    "amplitude", "rise_10_90_s", "half_width_s", "decay_tau_s", "area", "baseline", "probability", "anomaly",
    "overlapped", "kind", "quality", "source", "status", "note",
)  # fmt: skip
_HIDDEN_WHEN_BLIND = {"probability": None, "anomaly": None, "source": ""}
_PLACES = ("x_start", "x_peak", "x_stop", "time")
# Beyond so many samples a view is drawn from the envelope.
_MOST_SAMPLES = 400_000
_SAMPLES_PER_COLUMN = 3
SNIPPET_S = (-4e-3, 16e-3)
_SNIPPET_POINTS = 120
_MOST_AVERAGED = 400


def state(session: Session, *, blind: bool) -> dict[str, Any]:
    """Return all that the page needs to begin, as JSON can hold it."""
    trace = session.reviewed.traces[0]
    unit = lab_unit(trace.unit)
    row = session.reviewed.row
    return {
        "channel": "" if blind else session.reviewed.channel,
        "table": session.table or "",
        "target": session.target,
        "unit": unit.name,
        "factor": unit.factor,
        "sign": session.reviewed.polarity.sign,
        "rate_hz": session.clock.rate_hz,
        "duration_s": session.clock.duration_s,
        "borders": session.clock.borders(),
        "kinds": KINDS,
        "columns": ["id", *_PLACES, *_SHOWN],
        "rows": list(rows_for_page(session, session.history.now.rows, blind=blind).values()),
        "left_out": [
            [session.clock.x_of_time(one.start_s), session.clock.x_of_time(one.stop_s), one.reason]
            for one in session.reviewed.left_out
        ],
        "stated": [
            [session.clock.x_of_time(start_s), session.clock.x_of_time(stop_s)]
            for start_s, stop_s in session.reviewed.recording.invalid_times
            if (start_s, stop_s) not in session.file.excluded
        ],
        "threshold": None if row is None else plain({"threshold": row.threshold})["threshold"],
        "noise_sd": None if row is None else plain({"noise_sd": row.noise_sd})["noise_sd"],
        "snippet_s": SNIPPET_S,
        "envelope": session.envelope.fraction,
        **standing(session),
    }


def standing(session: Session) -> dict[str, Any]:
    """Return what changes with every decision beside the rows."""
    excluded = [
        [session.clock.x_of_time(start_s), session.clock.x_of_time(stop_s)]
        for start_s, stop_s in session.history.now.excluded
    ]
    return {
        "excluded": excluded,
        "can_undo": session.history.can_undo,
        "can_redo": session.history.can_redo,
        "saved": session.saved,
    }


def rows_for_page(session: Session, names: Iterable[str], *, blind: bool) -> dict[str, list[Any] | None]:
    """Return rows as the page takes them, by name; None for one that is gone."""
    rows = session.history.now.rows
    return {name: _shown(session, name, rows[name], blind=blind) if name in rows else None for name in names}


def _shown(session: Session, name: str, row: Row, *, blind: bool) -> list[Any]:
    places = [session.clock.x(row["sweep"], row[f"{which}_index"]) for which in ("start", "peak", "stop")]
    values = plain({one: row[one] for one in _SHOWN})
    if blind:
        values |= _HIDDEN_WHEN_BLIND
    return [name, *places, row["peak_s"], *values.values()]


def doubted_for_page(session: Session, rows: Sequence[Row]) -> list[list[Any]]:
    """Return candidates that a detector doubted: place on the axis, probability, amplitude."""
    return [
        [
            session.clock.x(row["sweep"], row["peak_index"]),
            *plain({one: row[one] for one in _DOUBTED}).values(),
        ]
        for row in rows
    ]


_DOUBTED = ("probability", "amplitude")


def counts(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many rows there are of each kind of decision.

    Examples
    --------
    >>> counts([{"status": "accepted"}, {"status": "moved"}, {"status": "unreviewed"}])
    {'todo': 1, 'accepted': 2, 'rejected': 0, 'added': 0}
    """
    found = [str(row["status"]) for row in rows]
    return {
        "todo": found.count(UNREVIEWED),
        "accepted": found.count("accepted") + found.count("moved"),
        "rejected": found.count("rejected"),
        "added": found.count("added"),
    }


def trace(session: Session, start_x: float, stop_x: float, *, n_columns: int, hum: bool) -> bytes | None:
    """Return a stretch of the trace as the page draws it; None while its envelope is not built.

    Parameters
    ----------
    session : Session
    start_x, stop_x : float
        Places on the axis.
    n_columns : int
        How many points side by side can be drawn.
    hum : bool
        Leave the hum in, where there is some.

    Returns
    -------
    bytes or None
        Number of parts; then for each where it begins and the distance of its points on the axis (float64),
        how many points, whether each is a pair of minimum and maximum, and the values (float32). All is
        little-endian.
    """
    parts = list(session.clock.parts(start_x, stop_x))
    total = sum(part.stop - part.start for part in parts)
    if total > _MOST_SAMPLES and session.envelope.fraction < 1.0:
        return None
    written = [struct.pack("<I", len(parts))]
    for part in parts:
        share = max(round(n_columns * (part.stop - part.start) / max(total, 1)), 1)
        written.append(_part(session, part, n_columns=share, whole=total > _MOST_SAMPLES, hum=hum))
    return b"".join(written)


def _part(session: Session, part: Part, *, n_columns: int, whole: bool, hum: bool) -> bytes:
    rate_hz = session.clock.rate_hz
    number = [one.sweep for one in session.reviewed.traces].index(part.sweep)
    if whole and part.stop - part.start > 64 * n_columns:
        first, extremes = session.envelope.columns(number, part.start, part.stop, n_columns=n_columns)
        step = int(first[-1] - first[-2]) if len(first) > 1 else 64
        begin = part.x_s + (int(first[-1]) - (len(first) - 1) * step - part.start) / rate_hz
        return _packed(begin, step / rate_hz, extremes, pairs=True)
    values = _read(session, part, number=number, hum=hum)
    step = len(values) // (n_columns * _SAMPLES_PER_COLUMN)
    if step < 2:
        return _packed(part.x_s, 1.0 / rate_hz, values, pairs=False)
    starts = np.arange(0, len(values), step)
    extremes = np.stack([np.fmin.reduceat(values, starts), np.fmax.reduceat(values, starts)], axis=1)
    return _packed(part.x_s, step / rate_hz, extremes, pairs=True)


def _read(session: Session, part: Part, *, number: int, hum: bool) -> FloatArray:
    if hum:
        return session.reviewed.traces[number].values(part.start, part.stop)
    return session.measuring.values(part.sweep, part.start, part.stop)


def _packed(begin_x: float, step_x: float, values: FloatArray, *, pairs: bool) -> bytes:
    return struct.pack("<ddII", begin_x, step_x, len(values), pairs) + values.astype("<f4").tobytes()


def snippets(session: Session, names: Sequence[str]) -> bytes:
    """Return small traces of events, baseline subtracted, onset at the same point; float32, row by row.

    Parameters
    ----------
    session : Session
    names : sequence of str
        Of rows; one that is gone is NaN throughout.
    """
    rate_hz = session.clock.rate_hz
    at_s = np.linspace(*SNIPPET_S, _SNIPPET_POINTS)
    sweeps = {one.sweep: one for one in session.reviewed.traces}
    drawn = np.full((len(names), _SNIPPET_POINTS), np.nan, dtype="<f4")
    for number, name in enumerate(names):
        row = session.history.now.rows.get(name)
        if row is None:
            continue
        one = sweeps[row["sweep"]]
        first = row["start_index"] + round(SNIPPET_S[0] * rate_hz)
        last = row["start_index"] + round(SNIPPET_S[1] * rate_hz) + 1
        low, high = max(first, 0), min(last, one.n_samples)
        values = one.values(low, high) - row["baseline"]
        times_s = (np.arange(low, high) - row["start_index"]) / rate_hz
        drawn[number] = np.interp(at_s, times_s, values, left=np.nan, right=np.nan)
    return drawn.tobytes()


def average(session: Session) -> dict[str, Any]:
    """Return the mean of the accepted MEPPs; of those that nobody rejected while too few are accepted."""
    rows = [row for row in session.history.now.rows.values() if is_kept(row) and row["kind"] in ("", "mepp")]
    accepted = [row for row in rows if row["status"] != UNREVIEWED]
    for chosen in (accepted, rows):
        some = sort_rows(chosen)[:: max(len(chosen) // _MOST_AVERAGED, 1)]
        if len(some) < 3:
            continue
        segments = [Segment(trace=one, start=0, stop=one.n_samples) for one in session.reviewed.traces]
        found = average_waveform(
            mepps_of(some, channel=session.reviewed.channel, unit=segments[0].trace.unit),
            segments,
            polarity=session.reviewed.polarity,
            readers=[one.values for one in segments],
        )
        if found is not None:
            return {
                "time_s": found.time_s.tolist(),
                "values": found.values.tolist(),
                "n": found.n_mepps,
                "accepted": chosen is accepted,
            }
    return {"time_s": [], "values": [], "n": 0, "accepted": True}


def fit(session: Session, name: str) -> dict[str, Any]:
    """Return the fitted shape of an event with its level, on the axis; no values where there is none.

    Parameters
    ----------
    session : Session
    name : str
        Of a row, which may be gone.
    """
    row = session.history.now.rows.get(name)
    if row is None:
        return {"x": 0.0, "step": 0.0, "values": []}
    rate_hz = session.clock.rate_hz
    start = max(row["start_index"] - round(2e-3 * rate_hz), 0)
    stop = row["stop_index"] + 2 * (row["stop_index"] - row["peak_index"])
    others = [one for key, one in session.history.now.rows.items() if key != name and is_kept(one)]
    curve = session.measuring.curve(row, start, stop, others=others)
    values = [] if curve is None or not np.isfinite(curve).all() else curve.tolist()
    return {"x": session.clock.x(row["sweep"], start), "step": 1.0 / rate_hz, "values": values}
