"""When the sweeps of a recording were, as far as the source says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nwb_mepp.core.errors import UsageError

__all__ = ["SweepPlacement", "place_sweeps"]


@dataclass(frozen=True, kw_only=True)
class SweepPlacement:
    """By how much each sweep is moved from where the source puts it.

    Attributes
    ----------
    shifts_s : tuple of float
        To be added to every time of the sweep; all 0 where the source's times are kept.
    stated : bool
        False where the sweeps were laid end to end for want of times.
    note : str
        A sentence for the user where sweeps were moved, else empty.
    """

    shifts_s: tuple[float, ...]
    stated: bool
    note: str = ""


def place_sweeps(
    spans: Sequence[tuple[float, float]], *, tolerance_s: float, interval_s: float | None = None
) -> SweepPlacement:
    """Keep the times of sweeps that follow each other, lay out those that coincide.

    Parameters
    ----------
    spans : sequence of (start_s, stop_s)
        One per sweep, relative to the session start, by the source's clock.
    tolerance_s : float
        Overlap up to this is rounding (half a sample).
    interval_s : float, optional
        Start to start of sweeps that coincide; without it they are laid end to end.

    Raises
    ------
    UsageError
        If the interval is shorter than a sweep, or contradicts times that the source states.

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
        f"The source gives all {len(spans)} sweeps the same time"
        if max(starts) - min(starts) <= tolerance_s
        else f"The source gives the {len(spans)} sweeps times at which they would overlap"
    )
    if interval_s is not None:
        longest_s = max(stop - start for start, stop in spans)
        if interval_s < longest_s - tolerance_s:
            raise UsageError(
                f"`sweep_interval_s`: expected at least the {longest_s:g} s that a sweep lasts, "
                f"found {interval_s:g} s."
            )
        places = [starts[0] + index * interval_s for index in range(len(spans))]
        note = f"{why}; they were put {interval_s:g} s apart, as stated."
    else:
        places = [starts[0]]
        for start, stop in spans[:-1]:
            places.append(places[-1] + (stop - start))
        note = f"{why}; they were laid end to end. State the sweep interval if it is known."
    shifts = tuple(place - start for place, start in zip(places, starts, strict=True))
    return SweepPlacement(shifts_s=shifts, stated=interval_s is not None, note=note)


def _check_agreement(starts: Sequence[float], *, tolerance_s: float, interval_s: float | None) -> None:
    """Refuse an interval that contradicts the source; one that repeats it does no harm."""
    if interval_s is None:
        return
    for start, later in pairwise(starts):
        if abs(later - start - interval_s) > tolerance_s:
            raise UsageError(
                f"`sweep_interval_s={interval_s:g}` contradicts the source, which states its sweep times "
                f"(one "
                f"begins {later - start:g} s after the one before); leave the option out."
            )
