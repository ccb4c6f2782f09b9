"""The times of the sweeps of a recording, as stated by the file or laid out here."""

from __future__ import annotations

from collections.abc import Sequence
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
    spans: Sequence[tuple[float, float]], *, tolerance_s: float, interval_s: float | None = None
) -> SweepPlacement:
    """Keep the times of sweeps that follow one another; spread out sweeps that overlap.

    Parameters
    ----------
    spans : sequence of (start_s, stop_s)
        One per sweep, relative to the session start, as stated in the file.
    tolerance_s : float
        Overlap up to this is ignored as rounding error (half a sample).
    interval_s : float, optional
        Interval from start to start at which overlapping sweeps are placed; by default end to end.

    Raises
    ------
    UsageError
        If the interval is shorter than a sweep, or contradicts the times in the file.

    Examples
    --------
    >>> place_sweeps([(0.0, 1.0), (0.0, 1.0)], tolerance_s=1e-4).shifts_s
    (0.0, 1.0)
    """
    starts = [start for start, _ in spans]
    unmoved = tuple(0.0 for _ in spans)
    follow = all(later >= stop - tolerance_s for (_, stop), later in zip(spans[:-1], starts[1:], strict=True))
    if follow:
        _check_agreement(starts, tolerance_s=tolerance_s, interval_s=interval_s)
        return SweepPlacement(shifts_s=unmoved, stated=True)
    why = (
        f"The file states the same time for all {len(spans)} sweeps"
        if max(starts) - min(starts) <= tolerance_s
        else f"The file states times for its {len(spans)} sweeps at which they would overlap"
    )
    if interval_s is not None:
        longest_s = max(stop - start for start, stop in spans)
        if interval_s < longest_s - tolerance_s:
            raise UsageError(
                f"`sweep_interval_s`: expected at least the {longest_s:g} s that a sweep lasts, "
                f"found {interval_s:g} s."
            )
        new_starts = [starts[0] + index * interval_s for index in range(len(spans))]
        note = f"{why}; they were placed {interval_s:g} s apart, as stated."
    else:
        new_starts = [starts[0]]
        for start, stop in spans[:-1]:
            new_starts.append(new_starts[-1] + (stop - start))
        note = f"{why}; they were placed end to end. State the sweep interval if it is known."
    shifts = tuple(new_start - start for new_start, start in zip(new_starts, starts, strict=True))
    return SweepPlacement(shifts_s=shifts, stated=interval_s is not None, note=note)


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
