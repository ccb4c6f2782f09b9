"""The steps of an analysis: what is being done, and when all of it will be."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

__all__ = ["CLEAR", "FIND", "JUDGE", "MEASURE", "NOISE", "ProgressCallback", "Steps"]

# Called with a few words on what is being done now.
ProgressCallback = Callable[[str], None]

# How long the steps take in proportion to each other, measured on an hour with 1.5 MEPPs per second.
NOISE, CLEAR, FIND, MEASURE, JUDGE = 5.0, 14.0, 24.0, 25.0, 20.0
# Nobody waits for what takes less.
_TOLD_AFTER_S = 20.0
# A step that was taken over from an interrupted run says nothing of how long others take.
_TIMED_FROM_S = 1.0


class Steps:
    """Tells of each step as it begins, and from what the ones before it took when the last will end.

    Parameters
    ----------
    tell : callable, optional
        Called with a few words.
    work : float
        Of all steps together.
    clock : callable
        Returns seconds.
    now : callable
        Returns the time of day.

    Examples
    --------
    >>> seconds = iter([0.0, 0.0, 30.0])
    >>> steps = Steps(print, work=4.0, clock=lambda: next(seconds), now=lambda: datetime(2026, 1, 15, 10, 0))
    >>> steps.begin("looking", work=1.0)
    looking
    >>> steps.begin("measuring", work=3.0)
    measuring (analysis ends at about 10:02)
    """

    def __init__(
        self,
        tell: ProgressCallback | None,
        *,
        work: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._tell, self._clock, self._now = tell or (lambda _: None), clock, now
        self._left = work
        self._current, self._since_s = 0.0, clock()
        self._timed, self._took_s = 0.0, 0.0

    def begin(self, what: str, *, work: float) -> None:
        """Tell that the steps before are done, and that one begins.

        Parameters
        ----------
        what : str
        work : float
            What it takes in proportion to the others.
        """
        now_s = self._clock()
        if now_s - self._since_s >= _TIMED_FROM_S:
            self._timed, self._took_s = self._timed + self._current, self._took_s + now_s - self._since_s
        self._left -= self._current
        self._current, self._since_s = work, now_s
        if not self._timed or self._took_s < _TOLD_AFTER_S:
            self._tell(what)
            return
        left_s = self._took_s / self._timed * self._left
        # Half a minute more, so that the minute is rounded and not cut.
        end = self._now() + timedelta(seconds=left_s + 30.0)
        self._tell(f"{what} (analysis ends at about {end:%H:%M})")
