"""Measure what ten minutes of review teach, and write it into docs/review.md.

    python docs/make_teaching.py [--folder DIR] [--steps 800] [--calibration 200] [--show]

Recordings of a kind that the shipped weights do not know are simulated: slow and small MEPPs under strong
drift. In ten of a minute MEPPs are looked for with the shipped weights, and a review decides on each as the
truth says: what was found is accepted or rejected, what was missed is added where it peaks, measured and
saved as a person's decision is. 'nwb-mepp train' learns from these tables, and both weights are run on other
recordings of that kind. With ``--folder``, what is there already is not made again. ``--show`` prints the
table without writing it. It takes about a quarter of an hour of one core.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import textwrap
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.recording import Recording, SourceFile
from nwb_mepp.curation.beginnings import TOLERANCE_S
from nwb_mepp.curation.session import Session
from nwb_mepp.detectors import get_detector
from nwb_mepp.evaluation import match_times
from nwb_mepp.nwb import CURATED_TABLE, interval_tables, read_events, write_nwb
from nwb_mepp.simulation import Scenario, simulate_recording, true_mepps
from nwb_mepp.workflows import DetectionSettings, detect_file
from nwb_mepp.workflows.evaluate import FileScores, compare_detectors, estimate_scores

PAGE = Path(__file__).with_name("review.md")
MARK, END = "<!-- What follows is written by docs/make_teaching.py. -->", "<!-- Until here. -->"
SECTION = """## What ten minutes of review teach

Measured on simulated recordings of a kind that the shipped weights do not know: MEPPs that rise in 3 ms and
decay in 12 ms, of four times the SD of the noise on average, one a second, under a drift of 1 mV in a second.
Ten recordings of a minute were reviewed as the truth says, `train` learned from them as above ({steps} steps,
{calibration} simulated recordings to calibrate on), and both weights were run on {others} other recordings:

{table}
"""
KIND = {
    "duration_s": 60.0,
    "rate_hz": 1.0,
    "amplitude_mean": 0.2e-3,
    "noise_sd": 0.05e-3,
    "rise_s": 3e-3,
    "decay_s": 12e-3,
    "drift_per_sqrt_s": 1e-3,
    "giant_fraction": 0.0,
    "slow_fraction": 0.0,
}
N_REVIEWED, N_OTHERS = 10, 10
REVIEWED_FROM, OTHERS_FROM = 7_100, 7_200
MINIUNET = DetectionSettings(detectors=("miniunet",))
START = datetime(2026, 1, 15, 10, tzinfo=UTC)


def simulated(folder: Path, seed: int) -> Path:
    """Write one recording of the kind, with its truth."""
    path = folder / f"simulated_{seed}.nwb"
    if not path.exists():
        made = simulate_recording(Scenario(**KIND), seed=seed)  # type: ignore[arg-type]
        source = SourceFile(name=path.stem, sha256=f"{seed:064d}", reader="simulation", reader_version="")
        recording = Recording(traces=(made.trace(),), source=source, session_start=None)
        write_nwb(recording, path, session_start=START, truth=true_mepps(made.truth, made.trace()))
    return path


def review(path: Path) -> None:
    """Decide on all that was found as the truth says, add what was missed, and save."""
    (truth,) = read_events(path, table="mepps_truth")
    with Session(path, table="miniunet") as session:
        rows = session.history.now.rows
        names = sorted(rows, key=lambda name: rows[name]["peak_s"])
        matching = match_times(
            truth.mepps.peak_s, [rows[name]["peak_s"] for name in names], tolerance_s=2.5 * TOLERANCE_S
        )
        right = [names[number] for number in matching.pairs[:, 1]]
        wrong = [names[number] for number in matching.false]
        session.decide(session.decider.accept(session.history.now, right))
        session.decide(session.decider.reject(session.history.now, wrong))
        for number in matching.missed:
            # Refused where it would be an event twice: on the flank of another one a person sees one, too.
            with suppress(UsageError):
                session.add(session.clock.x_of_time(float(truth.mepps.peak_s[number])))
        session.save()


def decided(path: Path) -> dict[str, int]:
    """Return how often a review decided what."""
    status = [
        one
        for part in read_events(path, table="curated")
        if part.curation is not None
        for one in part.curation.status.tolist()
    ]
    return {one: status.count(one) for one in ("accepted", "rejected", "added")}


def taught(folder: Path, *, steps: int, calibration: int) -> tuple[Path, dict[str, int]]:
    """Review ten minutes and train on them; return the weights and the number of decisions."""
    paths = [simulated(folder / "reviewed", REVIEWED_FROM + number) for number in range(N_REVIEWED)]
    for path in paths:
        if CURATED_TABLE not in interval_tables(path):
            detect_file(path, settings=MINIUNET)
            review(path)
    counts = [decided(path) for path in paths]
    decisions = {name: sum(one[name] for one in counts) for name in counts[0]}
    weights = folder / "weights"
    command = [
        sys.executable, "-m", "nwb_mepp", "train", *map(str, paths), "--truth", "curated",
        "--from", "shipped", "--steps", str(steps), "--calibration", str(calibration), "--threads", "1",
        "-o", str(weights),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return weights, decisions


def scored(folder: Path, weights: Path) -> dict[str, list[FileScores]]:
    """Run the shipped weights and the new ones on other recordings of the kind."""
    detectors = {
        "shipped weights": get_detector("miniunet"),
        "after ten minutes of review": get_detector("miniunet", weights=weights),
    }
    scores: dict[str, list[FileScores]] = {name: [] for name in detectors}
    for number in range(N_OTHERS):
        path = simulated(folder / "others", OTHERS_FROM + number)
        found = compare_detectors(path, labels="mepps_truth", detectors=detectors, settings=MINIUNET)
        for one in found:
            scores[one.detector].append(one)
    return scores


def table(scores: dict[str, list[FileScores]], decisions: dict[str, int]) -> str:
    """Return what was measured as Markdown."""
    lines = [
        "| weights | found | missed | false | precision | recall | F1 |",
        "|---|---|---|---|---|---|---|",
    ]
    wrong = []
    for name, ones in scores.items():
        matched, missed, false = (sum(int(one.counts[number]) for one in ones) for number in range(3))
        wrong.append(missed + false)
        estimates = estimate_scores(ones)
        cells = [
            f"{estimates[one].value:.2f} ({estimates[one].low:.2f} to {estimates[one].high:.2f})"
            for one in ("precision", "recall", "f1")
        ]
        lines.append(f"| {name} | {matched} | {missed} | {false} | {' | '.join(cells)} |")
    said = ", ".join(f"{count} {name}" for name, count in decisions.items())
    told = (
        f"The decisions: {said}. In brackets 95 % intervals over recordings. Missed and false together were "
        f"{wrong[0]} with the shipped weights and {wrong[1]} after the review: the threshold that training "
        "chooses is the one of the highest F1, which weighs what is found more than what is not."
    )
    return "\n".join([*lines, "", *textwrap.wrap(told, 110, break_on_hyphens=False)])


def main() -> None:
    """Do it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--calibration", type=int, default=200)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        for name in ("reviewed", "others"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        weights, decisions = taught(folder, steps=given.steps, calibration=given.calibration)
        found = SECTION.format(
            steps=given.steps,
            calibration=given.calibration,
            others=N_OTHERS,
            table=table(scored(folder, weights), decisions),
        )
    if given.show:
        sys.stdout.write(f"{found}\n")
        return
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{MARK}\n\n{found}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
