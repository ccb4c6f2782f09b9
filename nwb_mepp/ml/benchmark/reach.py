"""What is asked of a detector beside what was measured, shortfalls included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from nwb_mepp.evaluation import f1, paired_bootstrap
from nwb_mepp.ml.benchmark.real_recordings import GROUP_A, RealScores
from nwb_mepp.ml.benchmark.recordings import Outcome
from nwb_mepp.ml.benchmark.reference_levels import LevelScores
from nwb_mepp.ml.benchmark.robustness import (
    LARGEST_CHANGE,
    MOST_PER_MINUTE,
    change_of_f1,
    count_false_alarms,
    invariant_pairs,
    yes,
)
from nwb_mepp.ml.benchmark.tables import interval, markdown, way

__all__ = ["reach_table"]

# What miniML (eLife 13:RP98485) reaches on recordings of this kind, the best of its models and window sizes.
_PEER_F1 = {6.0: 0.95, 10.0: 0.97}
# The level at which overlap and the other networks are judged, the least IoU asked there, and what was
# published for a MiniUnet on recordings that cannot be had.
_JUDGED_LEVEL = 6.0
_LEAST_IOU = {"iou": (0.80, 0.5), "iou_patches": (0.93, 0.91)}
# F1 published for autoencoders, trained on normal and on anomalous data.
_AUTOENCODER_F1 = {"autoencoder": 0.72, "autoencoder_anomalous": 0.55}
# On Group A miniML reaches this much, the mean of five people against the majority of the other four 0.75.
_GROUP_A_F1 = 0.84
_TRAIN_F1 = 0.90

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
        *_on_real(detector, real),
        *_autoencoders(levels),
    ]
    return markdown(["asked", "measured", "reached"], rows)


def _over_levels(detector: str, levels: Sequence[LevelScores]) -> Iterator[Row]:
    for scores in levels:
        counts, oracle = scores.counts(detector), scores.oracle_counts
        difference = paired_bootstrap(counts, oracle, statistic=f1, rng=np.random.default_rng(0))
        gone = way(scores, detector).value
        yield (
            f"level {scores.level:g}: F1 above the oracle's ({f1(oracle):.3f})",
            f"{f1(counts):.3f}, {difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f}); "
            f"{100.0 * gone:.0f} % of the way to the ceiling ({f1(scores.ceiling_counts):.3f})",
            yes(
                difference.value > 0.0,
                certain=len(counts) > 1 and (difference.low > 0.0 or difference.high <= 0.0),
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
    for scores in levels:
        if scores.level != _JUDGED_LEVEL:
            continue
        for name, where in (("iou", "whole recordings"), ("iou_patches", "patches that hold an event")):
            least, published = _LEAST_IOU[name]
            own = float(np.nanmean([getattr(one, name) for one in scores.by_detector[detector]]))
            allowed = float(np.nanmean([getattr(one, f"border_{name}") for one in scores.bounds]))
            yield (
                f"level {scores.level:g}: IoU on {where} at least {least:g} (published: {published:g})",
                f"{own:.3f}; {allowed:.3f} with every MEPP known and its borders as the noise allows",
                yes(own >= least),
            )


def _on_real(detector: str, real: Sequence[RealScores]) -> Iterator[Row]:
    own = {one.recording: f1(one.counts) for one in real if one.detector == detector}
    if GROUP_A in own:
        yield (
            f"{GROUP_A}: F1 above miniML's ({_GROUP_A_F1:g}; people: 0.75)",
            f"{own[GROUP_A]:.3f}",
            yes(own[GROUP_A] > _GROUP_A_F1),
        )
    others = [float(value) for name, value in own.items() if name != GROUP_A]
    if others:
        mean = float(np.mean(others))
        yield f"Train1 to Train4: mean F1 at least {_TRAIN_F1:g}", f"{mean:.3f}", yes(mean >= _TRAIN_F1)


def _autoencoders(levels: Sequence[LevelScores]) -> Iterator[Row]:
    for scores in levels:
        if scores.level != _JUDGED_LEVEL:
            continue
        for name, published in _AUTOENCODER_F1.items():
            if name in scores.by_detector:
                own = f1(scores.counts(name))
                yield (
                    f"level {scores.level:g}: F1 of `{name}` above {published:g}, published",
                    f"{own:.3f}",
                    yes(own > published),
                )
