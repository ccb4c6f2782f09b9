"""evaluate: agreement of detected MEPPs with the truth."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.comparison import LabelsAlone, by_detector, comparison_text
from nwb_mepp.cli.console import aligned, complain, complain_of, data_stream
from nwb_mepp.cli.train import find_labeled
from nwb_mepp.core.errors import MeppError, UsageError
from nwb_mepp.core.safe_text import csv_cell, json_text, visible
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.workflows.limits import LimitOptions
from nwb_mepp.workflows.settings import DetectionSettings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from nwb_mepp.workflows.evaluate import FileScores

Row: TypeAlias = dict[str, str | int | float]

_ALL = "all"
# What can be said of detectors that run on labeled recordings.
_OF_DETECTION = (
    "detectors",
    "threshold",
    "false_discovery_rate",
    "weights",
    "min_amplitude",
    "min_amplitude_sd",
    "max_amplitude",
    "polarity",
    "exclude",
    "exclude_per_sweep",
    "stimuli",
    "exclude_around_stimuli",
    "keep_all_time",
)
_OVERLAPS = ("iou", "iou_patches")
_ERRORS = {
    "onset_error": "onset_error_s",
    "peak_error": "peak_error_s",
    "amplitude_error": "amplitude_error",
    "decay_error": "decay_error",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=LabelsAlone)(options.spread(evaluate))


def evaluate(
    *,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            help="NWB files in which MEPPs were detected, or with --labels or --detector labeled recordings: "
            "files, folders, patterns.",
            show_default=False,
        ),
    ],
    truth: Annotated[
        str | None,
        typer.Option(
            "--truth",
            metavar="TABLE|FILE",
            help="Where the true MEPPs are: a table of the same file, e.g. mepps_curated or mepps_truth; a "
            "CSV table with peak_time or start_time in seconds, an event table of Mini Analysis, or labeled "
            "text. Needed to evaluate what was detected.",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            metavar="NAME",
            help="Table to evaluate, needed if several detectors were run.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            metavar="[TABLE|FILE]",
            help="Run detectors on labeled recordings and compare them. The labels are a table or file as "
            "for --truth ({} in its name stands for that of the recording); without a value, those in the "
            "recordings: a column of labels, mepps_curated, else mepps_truth.",
            show_default=False,
        ),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel",
            metavar="NAME",
            help="Channel to evaluate, needed if several have MEPPs.",
            show_default=False,
        ),
    ] = None,
    tolerance_s: Annotated[
        float,
        typer.Option(
            "--tolerance",
            metavar="S",
            help="Largest difference in time within a matched pair.",
        ),
    ] = 0.005,
    shift: Annotated[
        bool, typer.Option("--shift", help="Allow one common shift in time, up to 3 ms, in each file.")
    ] = False,
    format: Annotated[  # noqa: A002 - the name of the option
        options.SummaryFormat,
        typer.Option("--format", metavar="|".join(options.SummaryFormat), help="Format of the output."),
    ] = options.SummaryFormat.TEXT,
    detection: Annotated[DetectionSettings, options.Only(*_OF_DETECTION)],
    read_options: ReadOptions,
    limits: LimitOptions,
) -> None:
    """Compare detected MEPPs with the truth, matched one to one in time.

    Prints precision, recall, F1, the overlap of intervals (iou in the whole recording, iou_patches in the
    patches of 10 ms that hold a true event), and the errors of onset, peak, amplitude and decay (median, and
    median without sign; amplitude and decay relative to the truth). From two files on, a
    last row pools them, with 95 % bootstrap intervals over recordings. Without peaks in the truth, onsets
    are matched.

    With --labels or --detector, detectors run on labeled recordings (lab or NWB files, which stay as they
    are), and the text is a table with a row for each detector: counts, precision, recall and F1 of all events
    together, and the mean overlap of the recordings.
    """
    stated = [*detection.stated(), *read_options.stated()]
    if labels is None and "detectors" not in stated:
        if stated:
            raise UsageError(
                f"expected `{stated[0]}` together with `labels` or `detectors`, found it alone: it is for "
                "detectors that run on recordings."
            )
        if truth is None:
            raise UsageError(
                "expected `truth`, or `labels` to run detectors on labeled recordings, found neither."
            )
        scores, failed = _evaluated(
            paths, limits, truth=truth, table=table, channel=channel, tolerance_s=tolerance_s, shift=shift
        )
    else:
        if table is not None or (labels is not None and truth is not None):
            raise UsageError(
                f"expected `labels` without `{'table' if table is not None else 'truth'}`, found both; leave "
                "that out."
            )
        scores, failed = _compared(
            find_labeled(paths, reader=read_options.reader),
            limits,
            labels=labels or truth,
            options=read_options,
            settings=replace(detection, channels=(channel,) if channel else ()),
            tolerance_s=tolerance_s,
            shift=shift,
        )
    _show(scores, format)
    if failed:
        raise typer.Exit(1)


def _evaluated(
    paths: Sequence[Path], limits: LimitOptions, *, truth: str, **how: Any
) -> tuple[list[FileScores], bool]:
    """Return the scores of what was detected in NWB files, and whether some could not be evaluated."""
    from nwb_mepp.workflows.batch import find_nwb_files
    from nwb_mepp.workflows.evaluate import evaluate_file

    files = find_nwb_files(paths)
    if len(files) > 1 and Path(truth).is_file():
        raise UsageError(
            f"expected one NWB file for --truth {truth}, found {len(files)}: a file of marks belongs to one "
            "recording; name a table that is in every file, or evaluate them one by one."
        )
    return _each(files, limits, lambda path: [evaluate_file(path, truth=truth, **how)])


def _compared(
    files: Sequence[Path], limits: LimitOptions, *, labels: str | None, **how: Any
) -> tuple[list[FileScores], bool]:
    """Return the scores of detectors on labeled recordings, and whether some could not be analyzed."""
    from nwb_mepp.workflows.evaluate import compare_detectors

    if labels is not None and "{}" not in labels and len(files) > 1 and Path(labels).is_file():
        raise UsageError(
            f"`labels`: expected one recording for {labels}, found {len(files)}: a file of marks belongs to "
            "one; write {} for the name of each recording, as in `labels='{}.truth.csv'`."
        )
    return _each(files, limits, lambda path: compare_detectors(path, labels=labels, **how))


def _each(
    files: Sequence[Path], limits: LimitOptions, work: Callable[[Path], list[FileScores]]
) -> tuple[list[FileScores], bool]:
    from nwb_mepp.evaluation import LARGEST_SHIFT_S

    scores, failed = [], False
    for path in files:
        try:
            with limits.kept(path, worded=options.as_typed):
                found = work(path)
        except UsageError:
            raise
        except MeppError as error:
            complain_of(path, error)
            failed = True
            continue
        scores += found
        for one in found:
            if abs(one.shift_s) >= LARGEST_SHIFT_S:
                named = f"{path}, {one.detector}" if one.detector else str(path)
                complain(
                    f"{named}: the best shift, {1e3 * one.shift_s:+.1f} ms, lies at the limit; a larger one "
                    "may fit better: check that the times of the truth count from the start of the recording."
                )
    return scores, failed


def _show(scores: Sequence[FileScores], format: options.SummaryFormat) -> None:  # noqa: A002
    rows, pooled = [_row(str(one.path), [one]) for one in scores], []
    grouped = by_detector(scores)
    pooled = [_pooled(theirs) for theirs in grouped.values() if len(theirs) > 1]
    compared = any(grouped)
    with data_stream() as stream:
        if format is options.SummaryFormat.JSON:
            every = [_jsonable(row) for row in pooled]
            document = {
                "files": list(map(_jsonable, rows)),
                "all": every if compared else every[0] if every else None,
            }
            stream.write(json_text(document, indent=1) + "\n")
        elif format is options.SummaryFormat.CSV:
            columns = list(pooled[0] if pooled else rows[0] if rows else _row(_ALL, []))
            writer = csv.DictWriter(stream, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(_blank_unknown(row) for row in [*rows, *pooled])
        elif rows:
            stream.write((comparison_text(scores) if compared else _text([*rows, *pooled])) + "\n")


def _row(name: str, scores: Sequence[FileScores]) -> Row:
    """Return the figures of one file, or of several pooled."""
    import numpy as np

    from nwb_mepp.workflows.evaluate import POOLED

    counts = np.sum([one.counts for one in scores], axis=0) if scores else np.zeros(3, dtype=np.int64)
    n_matched, n_missed, n_false = map(int, counts)
    alone = scores[0] if len(scores) == 1 else None
    row: Row = {
        "file": name,
        **({"detector": scores[0].detector} if scores and scores[0].detector else {}),
        "channel": alone.channel if alone else "",
        "matched_by": " ".join(sorted({one.matched_by for one in scores})),
        "shift": alone.shift_s if alone else math.nan,
        "n_true": n_matched + n_missed,
        "n_found": n_matched + n_false,
        "n_matched": n_matched,
        "n_missed": n_missed,
        "n_false": n_false,
        **{figure: statistic(counts) for figure, statistic in POOLED.items()},
        **{name: _mean([getattr(one, name) for one in scores]) for name in _OVERLAPS},
    }
    for column, field in _ERRORS.items():
        errors = np.concatenate([np.empty(0), *(getattr(one, field) for one in scores)])
        row[column] = _median(errors)
        row[f"{column}_abs"] = _median(np.abs(errors))
    return row


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def _median(values: npt.NDArray[np.float64]) -> float:
    import numpy as np

    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan


def _pooled(scores: Sequence[FileScores]) -> Row:
    from nwb_mepp.workflows.evaluate import estimate_scores

    row = _row(_ALL, scores)
    for figure, estimate in estimate_scores(scores).items():
        row[f"{figure}_low"], row[f"{figure}_high"] = estimate.low, estimate.high
    return row


def _jsonable(row: Row) -> dict[str, str | int | float | None]:
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()
    }


def _blank_unknown(row: Row) -> dict[str, str | int | float]:
    cells = {name: "" if value is None else value for name, value in _jsonable(row).items()}
    return {name: csv_cell(cell) if isinstance(cell, str) else cell for name, cell in cells.items()}


def _text(rows: Sequence[Row]) -> str:
    return "\n\n".join(f"{visible(str(row['file']))}\n{aligned(_lines(row))}" for row in rows)


def _lines(row: Row) -> list[list[str]]:
    """Return name and value of what one row says, with the intervals it has."""
    counts = f"{row['n_matched']} of {row['n_true']} found, {row['n_missed']} missed, {row['n_false']} false"
    lines = [["  matched", f"{counts} (by {row['matched_by']})"]]
    if row["channel"]:
        lines.insert(0, ["  channel", str(row["channel"])])
    for figure in ("precision", "recall", "f1", *_OVERLAPS):
        low, high = row.get(f"{figure}_low"), row.get(f"{figure}_high")
        interval = "" if low is None else f" (95 %: {low:.3f} to {high:.3f})"
        lines.append([f"  {figure}", _shown(row[figure], "{:.3f}") + interval])
    for name, shape, scale in (
        ("onset_error", "{:.3f} ms", 1e3),
        ("peak_error", "{:.3f} ms", 1e3),
        ("amplitude_error", "{:.1f} %", 1e2),
        ("decay_error", "{:.1f} %", 1e2),
    ):
        median, size = (_shown(row[column], shape, scale) for column in (name, f"{name}_abs"))
        lines.append([f"  {name}", "-" if median == "-" else f"median {median}, without sign {size}"])
    if row["shift"] and row["channel"]:
        lines.append(["  shift", _shown(row["shift"], "{:.1f} ms", 1e3)])
    return lines


def _shown(value: str | float, shape: str, scale: float = 1.0) -> str:
    return "-" if isinstance(value, str) or math.isnan(value) else shape.format(scale * value)
