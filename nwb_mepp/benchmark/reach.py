"""What is asked of a detector beside what was measured, shortfalls included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from nwb_mepp.benchmark.real import GROUP_A, RealScores
from nwb_mepp.benchmark.reference import LevelScores
from nwb_mepp.benchmark.robustness import (
    LARGEST_CHANGE,
    MOST_PER_MINUTE,
    change_of_f1,
    count_false_alarms,
    invariant_pairs,
    yes,
)
from nwb_mepp.benchmark.running import Outcome
from nwb_mepp.benchmark.tables import interval, markdown, way
from nwb_mepp.evaluation import f1, paired_bootstrap

__all__ = ["reach_table"]

# What miniML (eLife 13:RP98485) reaches on recordings of this kind, the best of its models and window sizes.
_PEER_F1 = {6.0: 0.95, 10.0: 0.97}
# IoU published for a MiniUnet, on recordings that cannot be had: on whole ones and on patches.
_PUBLISHED_IOU = {"iou": 0.5, "iou_patches": 0.91}
# F1 of each of five people marking Group A against the majority of the other four: least and greatest.
_PEOPLE_F1 = (0.61, 0.87)

Row = tuple[str, str, str]


def reach_table(
    detector: str,
    *,
    levels: Sequence[LevelScores],
    outcomes: Mapping[str, Sequence[Outcome]],
    real: Sequence[RealScores],
) -> str:
    """Return the table of what is asked and what one detector reached, as Markdown.

    Parameters
    ----------
    detector : str
    levels : sequence of LevelScores
    outcomes : mapping of str to sequence of Outcome
        By name of condition.
    real : sequence of RealScores
        Empty where the real recordings are not there.
    """
    rows = [
        *_over_levels(detector, levels),
        *_in_silence(detector, outcomes),
        *_unchanged(detector, outcomes),
        *_overlaps(detector, levels),
        *_among_people(detector, real),
    ]
    return markdown(["asked", "measured", "reached"], rows)


def _over_levels(detector: str, levels: Sequence[LevelScores]) -> Iterator[Row]:
    for scores in levels:
        counts, oracle = scores.counts(detector), scores.oracle_counts
        difference = paired_bootstrap(counts, oracle, statistic=f1, rng=np.random.default_rng(0))
        gone = way(scores, detector).value
        yield (
            f"level {scores.level:g}: F1 of the oracle ({f1(oracle):.3f}) or more",
            f"{f1(counts):.3f}, {difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f}); "
            f"{100.0 * gone:.0f} % of the way to the ceiling ({f1(scores.ceiling_counts):.3f})",
            yes(
                difference.value >= 0.0,
                certain=len(counts) > 1 and (difference.low >= 0.0 or difference.high < 0.0),
            ),
        )
    for scores in levels:
        if scores.level in _PEER_F1:
            peer, own = _PEER_F1[scores.level], f1(scores.counts(detector))
            yield f"level {scores.level:g}: F1 of miniML ({peer:g}) or more", f"{own:.3f}", yes(own >= peer)


def _in_silence(detector: str, outcomes: Mapping[str, Sequence[Outcome]]) -> Iterator[Row]:
    for one in count_false_alarms(outcomes):
        if one.detector == detector:
            low, high = one.interval_per_minute
            yield (
                f"no MEPPs, {one.words}: at most {MOST_PER_MINUTE:g} false positives a minute",
                f"{one.per_minute:.2f} ({low:.2f} to {high:.2f})",
                one.reached,
            )


def _unchanged(detector: str, outcomes: Mapping[str, Sequence[Outcome]]) -> Iterator[Row]:
    for condition, against in invariant_pairs():
        change, small = change_of_f1(outcomes, condition, against=against, detector=detector)
        asked = f"{condition.words}: F1 moves by less than {LARGEST_CHANGE:g}"
        yield asked, interval(change, sign="+"), small


def _overlaps(detector: str, levels: Sequence[LevelScores]) -> Iterator[Row]:
    for name, where in (("iou", "whole recordings"), ("iou_patches", "patches that hold an event")):
        published = _PUBLISHED_IOU[name]
        values = {
            scores.level: float(np.nanmean([getattr(one, name) for one in scores.by_detector[detector]]))
            for scores in levels
        }
        if values:
            reached = [level for level, value in values.items() if value >= published]
            yield (
                f"IoU on {where}: {published:g}, published for other recordings",
                "; ".join(f"level {level:g}: {value:.3f}" for level, value in values.items()),
                f"from level {min(reached):g} on" if reached else "no",
            )


def _among_people(detector: str, real: Sequence[RealScores]) -> Iterator[Row]:
    low, high = _PEOPLE_F1
    for one in real:
        if one.recording == GROUP_A and one.detector == detector:
            own = f1(one.counts)
            yield (
                f"{GROUP_A}: agree with the majority as people do (F1 {low:g} to {high:g})",
                f"{own:.3f}",
                yes(own >= low),
            )
