"""How robust detectors are: false positives without MEPPs, changes of gain, sign and rate, and the curves."""

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
    "FalseAlarms",
    "change_of_f1",
    "count_false_alarms",
    "f1_by_detector",
    "false_alarm_table",
    "invariant_pairs",
    "invariant_table",
    "measured_curves",
]

Outcomes = Mapping[str, Sequence[Outcome]]


@dataclass(frozen=True, kw_only=True)
class FalseAlarms:
    """False positives of one detector in recordings without MEPPs.

    Attributes
    ----------
    words, detector : str
        The condition in words, and the name of the detector.
    n_found, worst : int
        Their number in all recordings, and in the worst of them.
    minutes : float
    """

    words: str
    detector: str
    n_found: int
    worst: int
    minutes: float

    @property
    def per_minute(self) -> float:
        """False positives per minute."""
        return self.n_found / self.minutes

    @property
    def interval_per_minute(self) -> tuple[float, float]:
        """Exact 95 % confidence interval of that rate, for a Poisson process."""
        low, high = rate_interval(self.n_found, duration_s=60.0 * self.minutes)
        return 60.0 * low, 60.0 * high


def count_false_alarms(outcomes: Outcomes, *, conditions: Sequence[Condition] = SILENCE) -> list[FalseAlarms]:
    """Count the false positives in recordings without MEPPs.

    Parameters
    ----------
    outcomes : mapping of str to sequence of Outcome
        By name of condition.
    conditions : sequence of Condition
        Recordings without MEPPs.

    Returns
    -------
    list of FalseAlarms
        For each condition and detector.
    """
    found = []
    for condition in conditions:
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
    """Return the table of false positives in recordings without MEPPs, as Markdown."""
    rows = []
    for one in alarms:
        low, high = one.interval_per_minute
        rate = f"{one.per_minute:.2f} ({low:.2f} to {high:.2f})"
        rows.append([one.words, one.detector, str(one.n_found), rate, str(one.worst)])
    header = ["condition", "detector", "false positives", "per minute (95 %)", "in the worst recording"]
    return markdown(header, rows)


def f1_by_detector(recordings: Sequence[Outcome]) -> dict[str, float]:
    """Return the F1 of each detector over recordings, events pooled."""
    return {
        name: f1(np.array([one.scores[name].counts for one in recordings])) for name in recordings[0].scores
    }


def invariant_pairs() -> tuple[tuple[Condition, Condition], ...]:
    """Return the conditions that must make no difference, each with the one it is compared with.

    Gain and sign are compared with nothing changed, sampling rates with the same recordings at 10 kHz.
    """
    points = {curve.name: dict(curve.points) for curve in curves()}
    gain, sampling = points["gain"], points["sampling"]
    changed = [(condition, PLAIN) for condition in (gain[1e-3], gain[1e3], INVERTED)]
    return (*changed, *((sampling[rate_khz], sampling[10.0]) for rate_khz in (5.0, 20.0, 50.0)))


def change_of_f1(outcomes: Outcomes, condition: Condition, *, against: Condition, detector: str) -> Estimate:
    """Return how F1 differs between two conditions.

    Parameters
    ----------
    outcomes : mapping of str to sequence of Outcome
        By name of condition.
    condition, against : Condition
        The same MEPPs in the same noise.
    detector : str

    Returns
    -------
    Estimate
        Recordings are resampled in pairs.
    """
    changed, before = (
        np.array([one.scores[detector].counts for one in outcomes[which.name]])
        for which in (condition, against)
    )
    return paired_bootstrap(changed, before, statistic=f1, rng=np.random.default_rng(0))


def invariant_table(outcomes: Outcomes) -> str:
    """Return the table of how F1 changes where it must not, as Markdown.

    Parameters
    ----------
    outcomes : mapping of str to sequence of Outcome
        By name of condition.
    """
    rows = []
    for condition, against in invariant_pairs():
        before = f1_by_detector(outcomes[against.name])
        for name, value in f1_by_detector(outcomes[condition.name]).items():
            change = change_of_f1(outcomes, condition, against=against, detector=name)
            both = f"{before[name]:.3f}", f"{value:.3f}"
            rows.append([condition.words, against.words, name, *both, interval(change, sign="+")])
    header = ["condition", "compared with", "detector", "F1 there", "F1 here", "change (95 %)"]
    return markdown(header, rows)


def measured_curves(outcomes: Outcomes) -> Iterator[tuple[Curve, list[tuple[float, dict[str, float]]]]]:
    """Yield each curve with the F1 of each detector at each of its values.

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
