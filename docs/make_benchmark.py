"""Run the whole benchmark and write docs/benchmark.md: the page of `nwb-mepp benchmark`, and more.

    python docs/make_benchmark.py WINCHESTER [--recordings N] [--keep DIR] [--jobs N]
    python docs/make_benchmark.py --only filters [--recordings N] [--weights WEIGHTS] [--keep DIR] [--jobs N]

Adds what concerns only this project: its targets with what `miniunet` reached, and the real recordings of
Winchester et al. (acp29/Winchester_EVENTER, BSD-3-Clause). These are not part of the project: WINCHESTER is
a folder with ``GroupA.abf``, ``GroupA_consensus.csv`` and ``Train1`` to ``Train4``. It takes an hour on two
cores. The section on conversion, which docs/make_storage.py writes, stays as it is.

With ``--only filters`` the section on recordings as amplifiers filter them is measured and replaced, and the
rest of the page stays as it is.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.evaluation import (
    common_shift,
    count_matches,
    f1,
    match_times,
    paired_bootstrap,
    precision,
    recall,
)
from nwb_mepp.ml.benchmark import BenchmarkPlan, BenchmarkResults, LevelScores, run_benchmark, write_benchmark
from nwb_mepp.ml.benchmark.conditions import SILENCE, Condition
from nwb_mepp.ml.benchmark.detector_runs import AnyDetector, find_all, survey_trace
from nwb_mepp.ml.benchmark.filtered import filtered, filtered_pairs, filtered_silence, pooled_counts
from nwb_mepp.ml.benchmark.page import filters_section, with_filters
from nwb_mepp.ml.benchmark.recordings import Outcome
from nwb_mepp.ml.benchmark.robustness import change_of_f1, count_false_alarms, invariant_pairs
from nwb_mepp.ml.benchmark.tables import gap_closed, interval, markdown
from nwb_mepp.readers import ReadOptions, read_recording
from nwb_mepp.workflows import choose_weights

PAGE = Path(__file__).with_name("benchmark.md")
LEVELS_HEADING = "## Reference recordings\n"
CONVERSION_HEADING = "## Conversion\n"

# False positives per minute without MEPPs; change of F1 where nothing must change.
MOST_PER_MINUTE = 0.2
LARGEST_CHANGE = 0.01
# What miniML (eLife 13:RP98485) reaches on recordings of this kind, the best of its models and window sizes.
MINIML_F1 = {6.0: 0.95, 10.0: 0.97}
# The level at which overlap and the autoencoders are judged; for each IoU the target, and what was published
# for a MiniUnet on recordings that are not public.
JUDGED_LEVEL = 6.0
LEAST_IOU = {"iou": (0.80, 0.5), "iou_patches": (0.93, 0.91)}
# F1 published for autoencoders, trained on normal and on anomalous data.
AUTOENCODER_F1 = {"autoencoder": 0.72, "autoencoder_anomalous": 0.55}
# Behind filters: the largest loss of F1 of the first detector and of the yardsticks, F1 behind slow filters,
# and precision where the noise is not steady.
FILTERED_LOSS = 0.01
YARDSTICKS, YARDSTICK_LOSS = ("matched_filter", "deconvolution", "template"), 0.03
LEAST_F1 = {"bessel4-300": 0.96, "bessel4-150-coarse": 0.93}
LEAST_PRECISION = {
    ("telegraph", "miniunet"): 0.95,
    ("growing", "autoencoder"): 0.9,
    ("growing", "autoencoder_anomalous"): 0.9,
}
# On Group A miniML reaches this much, the mean of five people against the majority of the other four 0.75.
GROUP_A, GROUP_A_F1 = "GroupA", 0.84
TRAIN_F1 = 0.90

# People mark within 2 ms of each other, and judged that events below 4 SD of the noise are none.
TOLERANCE_S = 0.002
MIN_VOTES = 3
MIN_AMPLITUDE_SD = 4.0

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Row = tuple[str, str, str]

TARGETS = """## Targets, and what `{detector}` reached

`nwb-mepp benchmark` prints this page without this section, the targets behind filters and the last two
sections, which concern the project only.
"Not certain" means that the confidence interval includes the target. Oracle and ceiling are explained in
the next section.

{table}

"""
REAL_HEADING = "## Real recordings\n"
REAL = f"""{REAL_HEADING}
Currents marked by five people (GroupA: what at least three of them marked, with `--min-amplitude-sd 4`)
and simulated currents in real noise (Train1 to Train4), from Winchester et al.
(acp29/Winchester_EVENTER). Onsets are matched within 2 ms after one common shift for each recording. No
weights were trained on them.

{{table}}

"""
CONVERSION = f"""{CONVERSION_HEADING}
Sizes, times and memory of conversions to NWB, beside those of NeuroConv on the same recordings, are
measured by `docs/make_storage.py`; [Storage](storage.md) says what they mean.
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class RealScores:
    """One detector on one real recording: matched, missed and false events, and the common shift."""

    recording: str
    detector: str
    counts: IntArray
    shift_s: float


def run_winchester(folder: Path, *, detectors: Sequence[AnyDetector]) -> list[RealScores]:
    """Run detectors over Group A and over Train1 to Train4."""
    consensus = folder / "GroupA_consensus.csv"
    if not consensus.is_file():
        raise ReadError(
            f"expected GroupA_consensus.csv in {folder}, found none; name the folder 'winchester' itself."
        )
    with consensus.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    marked_s = np.sort([float(row["time_s"]) for row in rows if int(row["votes_of_5"]) >= MIN_VOTES])
    # The header of Group A says mV; the numbers are milliamperes.
    scores = score_recording(
        folder / f"{GROUP_A}.abf",
        marked_s,
        detectors=detectors,
        options=ReadOptions(unit={"": "mA"}),
        min_amplitude_sd=MIN_AMPLITUDE_SD,
    )
    for number in range(1, 5):
        part = folder / f"Train{number}"
        true_s = np.sort(np.loadtxt(part / "EventTimes.txt").ravel())
        scores += score_recording(part / "Simulation.abf", true_s, detectors=detectors)
    return scores


def score_recording(
    path: Path,
    truth_s: FloatArray,
    *,
    detectors: Sequence[AnyDetector],
    options: ReadOptions | None = None,
    min_amplitude_sd: float | None = None,
) -> list[RealScores]:
    """Run detectors over one recording and match what they find with the true onsets."""
    (trace,) = read_recording(path, options=options).traces
    surveyed = survey_trace(trace, polarity=Polarity.NEGATIVE)
    found = find_all(surveyed, detectors=detectors, min_amplitude_sd=min_amplitude_sd)
    name = path.stem if path.stem != "Simulation" else path.parent.name
    scores = []
    for detector, mepps in found.items():
        # People mark the onset or the peak, and differently early: one shift per recording is allowed.
        shift_s = common_shift(truth_s, mepps.start_s, tolerance_s=TOLERANCE_S)
        counts = count_matches(match_times(truth_s, mepps.start_s + shift_s, tolerance_s=TOLERANCE_S))
        scores.append(RealScores(recording=name, detector=detector, counts=counts, shift_s=shift_s))
    return scores


def real_table(scores: Iterable[RealScores]) -> str:
    """Return the table of the real recordings."""
    rows = [
        [
            one.recording,
            one.detector,
            f"{f1(one.counts):.3f}",
            f"{precision(one.counts):.3f}",
            f"{recall(one.counts):.3f}",
            f"{1e3 * one.shift_s:+.1f}",
        ]
        for one in scores
    ]
    return markdown(["recording", "detector", "F1", "precision", "recall", "shift, ms"], rows)


def yes(reached: bool, *, certain: bool = True) -> str:
    """Return the word for whether a target is reached."""
    return ("yes" if reached else "no") + ("" if certain else ", not certain")


def target_table(
    detector: str,
    *,
    levels: Sequence[LevelScores],
    outcomes: Mapping[str, Sequence[Outcome]],
    real: Sequence[RealScores],
) -> str:
    """Return the table of the targets and what one detector reached."""
    rows = [
        *against_oracle(detector, levels),
        *against_miniml(detector, levels),
        *without_mepps(detector, outcomes),
        *unchanged(detector, outcomes),
        *overlaps(detector, levels),
        *on_real(detector, real),
        *autoencoders(levels),
    ]
    return markdown(["target", "measured", "reached"], rows)


def against_oracle(detector: str, levels: Sequence[LevelScores]) -> Iterator[Row]:
    """Compare F1 with that of the oracle."""
    for scores in levels:
        counts, oracle = scores.counts(detector), scores.oracle_counts
        difference = paired_bootstrap(counts, oracle, statistic=f1, rng=np.random.default_rng(0))
        gone = gap_closed(scores, detector).value
        yield (
            f"level {scores.level:g}: F1 above the oracle's ({f1(oracle):.3f})",
            f"{f1(counts):.3f}, {difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f}); "
            f"{100.0 * gone:.0f} % of the gap to the ceiling ({f1(scores.ceiling_counts):.3f})",
            yes(
                difference.value > 0.0,
                certain=len(counts) > 1 and (difference.low > 0.0 or difference.high <= 0.0),
            ),
        )


def against_miniml(detector: str, levels: Sequence[LevelScores]) -> Iterator[Row]:
    """Compare F1 with that of miniML."""
    for scores in levels:
        if scores.level in MINIML_F1:
            peer, own = MINIML_F1[scores.level], f1(scores.counts(detector))
            yield f"level {scores.level:g}: F1 of miniML ({peer:g}) or more", f"{own:.3f}", yes(own >= peer)


def without_mepps(
    detector: str,
    outcomes: Mapping[str, Sequence[Outcome]],
    *,
    conditions: Sequence[Condition] = SILENCE,
    name: str = "",
) -> Iterator[Row]:
    """Judge the false positives in recordings without MEPPs."""
    for one in count_false_alarms(outcomes, conditions=conditions):
        if one.detector == detector:
            low, high = one.interval_per_minute
            yield (
                f"{name}no MEPPs, {one.words}: at most {MOST_PER_MINUTE:g} false positives per minute",
                f"{one.per_minute:.2f} ({low:.2f} to {high:.2f})",
                yes(
                    one.per_minute <= MOST_PER_MINUTE,
                    certain=high <= MOST_PER_MINUTE or low > MOST_PER_MINUTE,
                ),
            )


def unchanged(detector: str, outcomes: Mapping[str, Sequence[Outcome]]) -> Iterator[Row]:
    """Judge the change of F1 where the way of recording must make no difference."""
    for condition, against in invariant_pairs():
        change = change_of_f1(outcomes, condition, against=against, detector=detector)
        within = change.low > -LARGEST_CHANGE and change.high < LARGEST_CHANGE
        beyond = change.low >= LARGEST_CHANGE or change.high <= -LARGEST_CHANGE
        # A single recording leaves nothing to resample.
        certain = len(outcomes[condition.name]) > 1 and (within or beyond)
        yield (
            f"{condition.words}: F1 changes by less than {LARGEST_CHANGE:g}",
            interval(change, sign="+"),
            yes(abs(change.value) < LARGEST_CHANGE, certain=certain),
        )


def overlaps(detector: str, levels: Sequence[LevelScores]) -> Iterator[Row]:
    """Judge how far true and found intervals overlap."""
    for scores in levels:
        if scores.level != JUDGED_LEVEL:
            continue
        for name, where in (("iou", "whole recordings"), ("iou_patches", "patches that hold an event")):
            least, published = LEAST_IOU[name]
            own = float(np.nanmean([getattr(one, name) for one in scores.by_detector[detector]]))
            allowed = float(np.nanmean([getattr(one, f"border_{name}") for one in scores.bounds]))
            yield (
                f"level {scores.level:g}: IoU on {where} at least {least:g} (published: {published:g})",
                f"{own:.3f}; {allowed:.3f} with every MEPP known and its borders as the noise allows",
                yes(own >= least),
            )


def on_real(detector: str, real: Sequence[RealScores]) -> Iterator[Row]:
    """Compare F1 on the real recordings with that of miniML and of people."""
    own = {one.recording: f1(one.counts) for one in real if one.detector == detector}
    yield (
        f"{GROUP_A}: F1 above miniML's ({GROUP_A_F1:g}; people: 0.75)",
        f"{own[GROUP_A]:.3f}",
        yes(own[GROUP_A] > GROUP_A_F1),
    )
    mean = float(np.mean([float(value) for name, value in own.items() if name != GROUP_A]))
    yield f"Train1 to Train4: mean F1 at least {TRAIN_F1:g}", f"{mean:.3f}", yes(mean >= TRAIN_F1)


def autoencoders(levels: Sequence[LevelScores]) -> Iterator[Row]:
    """Compare F1 of the autoencoders with what was published."""
    for scores in levels:
        for name, published in AUTOENCODER_F1.items():
            if scores.level == JUDGED_LEVEL and name in scores.by_detector:
                own = f1(scores.counts(name))
                asked = f"level {scores.level:g}: F1 of `{name}` above {published:g}, published"
                yield asked, f"{own:.3f}", yes(own > published)


def behind_filters(detectors: Sequence[str], outcomes: Mapping[str, Sequence[Outcome]]) -> Iterator[Row]:
    """Compare F1, precision and false positives behind filters with what was to be reached."""
    first, named = detectors[0], filtered()
    for condition, against in filtered_pairs():
        yield loss_row(first, outcomes, condition, against=against, largest=FILTERED_LOSS)
    for name, least in LEAST_F1.items():
        own = f1(pooled_counts(outcomes[named[name].name], first))
        yield f"`{first}`, {named[name].words}: F1 at least {least:g}", f"{own:.3f}", yes(own >= least)
    for (name, detector), least in LEAST_PRECISION.items():
        if detector in detectors:
            own = precision(pooled_counts(outcomes[named[name].name], detector))
            words = f"`{detector}`, {named[name].words}: precision at least {least:g}"
            yield words, f"{own:.3f}", yes(own >= least)
    yield from without_mepps(first, outcomes, conditions=filtered_silence(), name=f"`{first}`, ")
    for detector in (one for one in YARDSTICKS if one in detectors):
        condition, against = min(
            filtered_pairs(),
            key=lambda pair: change_of_f1(outcomes, pair[0], against=pair[1], detector=detector).value,
        )
        yield loss_row(
            detector, outcomes, condition, against=against, largest=YARDSTICK_LOSS, name="worst of all, "
        )


def loss_row(
    detector: str,
    outcomes: Mapping[str, Sequence[Outcome]],
    condition: Condition,
    *,
    against: Condition,
    largest: float,
    name: str = "",
) -> Row:
    """Judge by how much F1 is lower behind a filter."""
    change = change_of_f1(outcomes, condition, against=against, detector=detector)
    certain = len(outcomes[condition.name]) > 1 and (change.low >= -largest or change.high < -largest)
    words = f"`{detector}`, {name}{condition.words}: F1 lower by at most {largest:g}"
    return words, interval(change, sign="+"), yes(change.value >= -largest, certain=certain)


def filters_with_targets(results: BenchmarkResults) -> str:
    """Return the section on recordings as amplifiers filter them, with what was to be reached."""
    rows = behind_filters(results.plan.detectors, results.outcomes)
    table = markdown(["target", "measured", "reached"], rows)
    return f"{filters_section(results)}\nWhat was to be reached, with one threshold:\n\n{table}\n"


def extended(page: str, results: BenchmarkResults, real: Sequence[RealScores], *, before: str) -> str:
    """Return the page with targets and real recordings, and with the conversion of the page before."""
    detector = results.plan.detectors[0]
    table = target_table(detector, levels=results.levels(), outcomes=results.outcomes, real=real)
    page = with_filters(page, filters_with_targets(results), before=REAL_HEADING)
    head, heading, rest = page.partition(LEVELS_HEADING)
    _, found, conversion = before.partition(CONVERSION_HEADING)
    return (
        f"{head}{TARGETS.format(detector=detector, table=table)}{heading}{rest.rstrip()}\n\n"
        f"{REAL.format(table=real_table(real))}{found + conversion or CONVERSION}"
    )


def main() -> None:
    """Run the benchmark and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("winchester", type=Path, nargs="?")
    parser.add_argument("--only", choices=["filters"], help="measure and replace this section alone")
    parser.add_argument("--recordings", type=int, help="at most this many of each kind")
    parser.add_argument("--weights", action="append", default=[], help="as for `nwb-mepp benchmark`")
    parser.add_argument("--keep", type=Path, help="folder of results, to go on after an interruption")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="recordings at a time")
    given = parser.parse_args()
    plan = BenchmarkPlan(weights=choose_weights(given.weights))
    if given.recordings:
        counts = ("n_recordings", "n_silent", "n_varied", "n_filtered")
        plan = replace(plan, **{name: min(getattr(plan, name), given.recordings) for name in counts})
    if given.only:
        plan = replace(plan, parts=("filters",))
        section = filters_with_targets(run_benchmark(plan, n_jobs=given.jobs, keep=given.keep))
        page = with_filters(PAGE.read_text(encoding="utf-8"), section, before=REAL_HEADING)
        PAGE.write_text(page, encoding="utf-8", newline="\n")
        return
    if given.winchester is None:
        parser.error("expected the folder WINCHESTER or --only filters, found neither")
    # First, because a wrong folder must be noticed at once, not after half an hour.
    real = run_winchester(given.winchester, detectors=plan.detectors)
    results = run_benchmark(plan, n_jobs=given.jobs, keep=given.keep)
    before = PAGE.read_text(encoding="utf-8")
    write_benchmark(results, PAGE, command="python docs/make_benchmark.py WINCHESTER")
    page = extended(PAGE.read_text(encoding="utf-8"), results, real, before=before)
    PAGE.write_text(page, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
