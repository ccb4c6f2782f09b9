"""The times of the sweeps of a recording, as stated by the file or laid out here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nwb_mepp.core.errors import UsageError

__all__ = ["SweepPlacement", "place_sweeps"]


@dataclass(frozen=True, kw_only=True)
class SweepPlacement:
    """How far each sweep is shifted from the time that the file states.

    Attributes
    ----------
    shifts_s : tuple of float
        Added to all times of the sweep; all 0 if the times in the file are kept.
    stated : bool
        Whether the file or the user states the times; False if the sweeps were placed end to end.
    note : str
        A sentence for the user if sweeps were shifted, else empty.
    """

    shifts_s: tuple[float, ...]
    stated: bool
    note: str = ""


def place_sweeps(
    sweeps: Sequence[Mapping[str, tuple[float, int, float]]],
    *,
    interval_s: float | None = None,
    nominal_s: float | None = None,
) -> SweepPlacement:
    """Keep the times of sweeps that follow one another; spread out sweeps that overlap.

    Sweeps overlap if one of their channels does, by more than half of its own samples: in a recording of
    several streams each has its own rate, and the last sample of a slow one may end after the next sweep
    began.

    Parameters
    ----------
    sweeps : sequence of mapping of str to (start_s, n_samples, sampling_rate_hz)
        For each sweep its channels, with their start relative to the session start, as stated in the file.
    interval_s : float, optional
        Interval from start to start at which overlapping sweeps are placed; by default end to end.
    nominal_s : float, optional
        An interval that the file states besides the times; ``interval_s`` may choose it instead of them.

    Raises
    ------
    UsageError
        If the interval is shorter than a sweep, or contradicts the times in the file.

    Examples
    --------
    >>> place_sweeps([{"Vm": (0.0, 1000, 1000.0)}, {"Vm": (0.0, 1000, 1000.0)}]).shifts_s
    (0.0, 1.0)
    """
    starts = [min(start for start, _, _ in sweep.values()) for sweep in sweeps]
    stops = [max(start + n / rate for start, n, rate in sweep.values()) for sweep in sweeps]
    tolerance_s = 0.5 / max(rate for sweep in sweeps for _, _, rate in sweep.values())
    as_nominal = (
        interval_s is not None
        and nominal_s is not None
        and abs(interval_s - nominal_s) <= 1e-6 * nominal_s
        and any(abs(later - start - interval_s) > tolerance_s for start, later in pairwise(starts))
    )
    if _follow(sweeps) and not as_nominal:
        _check_agreement(starts, tolerance_s=tolerance_s, interval_s=interval_s)
        return SweepPlacement(shifts_s=tuple(0.0 for _ in sweeps), stated=True)
    if as_nominal:
        why = "The protocol asks for another interval than the recorded times of the sweeps"
    elif max(starts) - min(starts) <= tolerance_s:
        why = f"The file states the same time for all {len(sweeps)} sweeps"
    else:
        why = f"The file states times for its {len(sweeps)} sweeps at which they would overlap"
    if interval_s is not None:
        longest_s = max(stop - start for start, stop in zip(starts, stops, strict=True))
        if interval_s < longest_s - tolerance_s:
            raise UsageError(
                f"`sweep_interval_s`: expected at least the {longest_s:g} s that a sweep lasts, "
                f"found {interval_s:g} s."
            )
        new_starts = [starts[0] + index * interval_s for index in range(len(sweeps))]
        note = f"{why}; they were placed {interval_s:g} s apart, as stated."
    else:
        new_starts = [starts[0]]
        for start, stop in list(zip(starts, stops, strict=True))[:-1]:
            new_starts.append(new_starts[-1] + (stop - start))
        note = f"{why}; they were placed end to end. State the sweep interval if it is known."
    shifts = tuple(new_start - start for new_start, start in zip(new_starts, starts, strict=True))
    return SweepPlacement(shifts_s=shifts, stated=interval_s is not None, note=note)


def _follow(sweeps: Sequence[Mapping[str, tuple[float, int, float]]]) -> bool:
    """Return whether no channel goes on in a sweep when it begins in a later one."""
    for sweep, later in pairwise(sweeps):
        for channel, (start_s, n_samples, rate_hz) in sweep.items():
            begins_s = later[channel][0] if channel in later else min(start for start, _, _ in later.values())
            if begins_s < start_s + (n_samples - 0.5) / rate_hz:
                return False
    return True


def _check_agreement(starts: Sequence[float], *, tolerance_s: float, interval_s: float | None) -> None:
    """Raise an error for an interval that contradicts the file; one that agrees with it is harmless."""
    if interval_s is None:
        return
    for start, later in pairwise(starts):
        if abs(later - start - interval_s) > tolerance_s:
            raise UsageError(
                f"`sweep_interval_s={interval_s:g}` contradicts the file, which states its sweep times (one "
                f"begins {later - start:g} s after the previous one); leave the option out."
            )
