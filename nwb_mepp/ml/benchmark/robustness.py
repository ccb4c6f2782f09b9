"""What must not matter to a detector, and how much it does: silence, gain, sign, rate, and the curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nwb_mepp.evaluation import Estimate, f1, paired_bootstrap
from nwb_mepp.ml.benchmark.conditions import INVERTED, PLAIN, SILENCE, Condition, Curve, curves
from nwb_mepp.ml.benchmark.recordings import Outcome
from nwb_mepp.ml.benchmark.tables import interval, markdown
from nwb_mepp.statistics import rate_interval

__all__ = [
    "LARGEST_CHANGE",
    "MOST_PER_MINUTE",
    "FalseAlarms",
    "change_of_f1",
    "count_false_alarms",
    "f1_by_detector",
    "false_alarm_table",
    "invariant_pairs",
    "invariant_table",
    "measured_curves",
    "yes",
]

# What is asked of a detector: so many false positives a minute in silence, so small a change of F1.
MOST_PER_MINUTE = 0.2
LARGEST_CHANGE = 0.01

Outcomes = Mapping[str, Sequence[Outcome]]


@dataclass(frozen=True, kw_only=True)
class FalseAlarms:
    """How often a detector finds something where nothing is.

    Attributes
    ----------
    words, detector : str
        Which silence, and who broke it.
    n_found, worst : int
        In all recordings, and in the worst of them.
    minutes : float
    """

    words: str
    detector: str
    n_found: int
    worst: int
    minutes: float

    @property
    def per_minute(self) -> float:
        """False positives a minute."""
        return self.n_found / self.minutes

    @property
    def interval_per_minute(self) -> tuple[float, float]:
        """Exact 95 % interval of the rate, a minute, if they came as a Poisson process."""
        low, high = rate_interval(self.n_found, duration_s=60.0 * self.minutes)
        return 60.0 * low, 60.0 * high

    @property
    def reached(self) -> str:
        """Whether there are as few as is asked for: yes, no, or not to be told from so many minutes."""
        low, high = self.interval_per_minute
        certain = high <= MOST_PER_MINUTE or low > MOST_PER_MINUTE
        return yes(self.per_minute <= MOST_PER_MINUTE, certain=certain)


def count_false_alarms(outcomes: Outcomes) -> list[FalseAlarms]:
    """Count what was found in recordings without MEPPs.

    Parameters
    ----------
    outcomes : mapping of str to sequence of Outcome
        By name of condition.

    Returns
    -------
    list of FalseAlarms
        For each condition and detector.
    """
    found = []
    for condition in SILENCE:
        recordings = outcomes[condition.name]
        minutes = sum(condition.scenario(number).duration_s for number in range(len(recordings))) / 60.0
        for detector in recordings[0].scores:
            counts = [int(one.scores[detector].counts[2]) for one in recordings]
            found.append(
                FalseAlarms(
                    words=condition.words,
                    detector=detector,
                    n_found=sum(counts),
                    worst=max(counts),
                    minutes=minutes,
                )
            )
    return found


def false_alarm_table(alarms: Sequence[FalseAlarms]) -> str:
    """Return the table of what is found where nothing is, as Markdown."""
    rows = []
    for one in alarms:
        low, high = one.interval_per_minute
        rate = f"{one.per_minute:.2f} ({low:.2f} to {high:.2f})"
        rows.append([one.words, one.detector, str(one.n_found), rate, str(one.worst), one.reached])
    header = ["condition", "detector", "false positives", "a minute (95 %)", "in the worst minute"]
    return markdown([*header, f"at most {MOST_PER_MINUTE:g} a minute"], rows)


def f1_by_detector(recordings: Sequence[Outcome]) -> dict[str, float]:
    """Return the F1 of each detector over recordings, events pooled."""
    return {
        name: f1(np.array([one.scores[name].counts for one in recordings])) for name in recordings[0].scores
    }


def invariant_pairs() -> tuple[tuple[Condition, Condition], ...]:
    """Return the conditions that are to make no difference, each with the one it is compared with.

    Gain and sign are compared with nothing changed, sampling rates with the same recordings at 10 kHz.
    """
    points = {curve.name: dict(curve.points) for curve in curves()}
    gain, sampling = points["gain"], points["sampling"]
    changed = [(condition, PLAIN) for condition in (gain[1e-3], gain[1e3], INVERTED)]
    return (*changed, *((sampling[rate_khz], sampling[10.0]) for rate_khz in (5.0, 20.0, 50.0)))


def change_of_f1(
    outcomes: Outcomes, condition: Condition, *, against: Condition, detector: str
) -> tuple[Estimate, str]:
    """Return how F1 differs between two conditions, and whether by as little as is asked.

    Parameters
    ----------
    outcomes : mapping of str to sequence of Outcome
        By name of condition.
    condition, against : Condition
        The same MEPPs in the same noise.
    detector : str

    Returns
    -------
    change : Estimate
        Recordings are resampled in pairs.
    reached : str
        Yes or no, and whether that is certain, which it never is with one recording.
    """
    changed, before = (
        np.array([one.scores[detector].counts for one in outcomes[which.name]])
        for which in (condition, against)
    )
    change = paired_bootstrap(changed, before, statistic=f1, rng=np.random.default_rng(0))
    within = change.low > -LARGEST_CHANGE and change.high < LARGEST_CHANGE
    beyond = change.low >= LARGEST_CHANGE or change.high <= -LARGEST_CHANGE
    certain = len(changed) > 1 and (within or beyond)
    return change, yes(abs(change.value) < LARGEST_CHANGE, certain=certain)


def yes(reached: bool, *, certain: bool = True) -> str:
    """Return the word for whether something asked is reached.

    Examples
    --------
    >>> yes(True), yes(False, certain=False)
    ('yes', 'no, not certain')
    """
    return ("yes" if reached else "no") + ("" if certain else ", not certain")


def invariant_table(outcomes: Outcomes) -> str:
    """Return the table of how F1 changes where it is not to, as Markdown.

    Parameters
    ----------
    outcomes : mapping of str to sequence of Outcome
        By name of condition.
    """
    rows = []
    for condition, against in invariant_pairs():
        before = f1_by_detector(outcomes[against.name])
        for name, value in f1_by_detector(outcomes[condition.name]).items():
            change, small = change_of_f1(outcomes, condition, against=against, detector=name)
            both = f"{before[name]:.3f}", f"{value:.3f}"
            rows.append([condition.words, against.words, name, *both, interval(change, sign="+"), small])
    header = ["condition", "compared with", "detector", "F1 there", "F1 here", "change (95 %)"]
    return markdown([*header, f"less than {LARGEST_CHANGE:g}"], rows)


def measured_curves(outcomes: Outcomes) -> Iterator[tuple[Curve, list[tuple[float, dict[str, float]]]]]:
    """Give each curve with the F1 by detector at each of its values.

    Parameters
    ----------
    outcomes : mapping of str to sequence of Outcome
        By name of condition.

    Yields
    ------
    curve : Curve
    points : list of (float, dict of str to float)
    """
    for curve in curves():
        yield curve, [(value, f1_by_detector(outcomes[one.name])) for value, one in curve.points]
