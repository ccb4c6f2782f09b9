"""evaluate: agreement of detected MEPPs with the truth."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.console import aligned, complain_of, data_stream
from nwb_mepp.core.errors import MeppError, UsageError
from nwb_mepp.core.safe_text import csv_cell, json_text, visible
from nwb_mepp.workflows.limits import LimitOptions

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from nwb_mepp.workflows.evaluate import FileScores

Row: TypeAlias = dict[str, str | int | float]

_ALL = "all"
_OVERLAPS = ("iou", "iou_patches")
_ERRORS = {
    "onset_error": "onset_error_s",
    "peak_error": "peak_error_s",
    "amplitude_error": "amplitude_error",
    "decay_error": "decay_error",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(options.spread(evaluate))


def evaluate(
    *,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="FOUND.nwb", help="NWB files or folders of NWB files.", show_default=False),
    ],
    truth: Annotated[
        str,
        typer.Option(
            "--truth",
            metavar="TABLE|FILE",
            help="Where the true MEPPs are: a table of the same file, e.g. mepps_curated or mepps_truth; a "
            "CSV table with peak_time or start_time in seconds, an event table of Mini Analysis, or labeled "
            "text.",
            show_default=False,
        ),
    ],
    table: Annotated[
        str | None,
        typer.Option(
            "--table",
            metavar="NAME",
            help="Table to evaluate, needed if several detectors were run.",
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
    limits: LimitOptions,
) -> None:
    """Compare detected MEPPs with the truth, matched one to one in time.

    Prints precision, recall, F1, the overlap of intervals (iou in the whole recording, iou_patches in the
    patches of 10 ms that hold a true event), and the errors of onset, peak, amplitude and decay (median, and
    median without sign; amplitude and decay relative to the truth). From two files on, a
    last row pools them, with 95 % bootstrap intervals over recordings. Without peaks in the truth, onsets
    are matched.
    """
    from nwb_mepp.workflows.batch import find_nwb_files
    from nwb_mepp.workflows.evaluate import evaluate_file

    files = find_nwb_files(paths)
    if len(files) > 1 and Path(truth).is_file():
        raise UsageError(
            f"expected one NWB file for --truth {truth}, found {len(files)}: a file of marks belongs to one "
            "recording; name a table that is in every file, or evaluate them one by one."
        )
    scores, failed = [], False
    for path in files:
        try:
            with limits.kept(path, worded=options.as_typed):
                scored = evaluate_file(
                    path, truth=truth, table=table, channel=channel, tolerance_s=tolerance_s, shift=shift
                )
            scores.append(scored)
        except UsageError:
            raise
        except MeppError as error:
            complain_of(path, error)
            failed = True
    rows = [_row(str(one.path), [one]) for one in scores]
    pooled = _pooled(scores) if len(scores) > 1 else None
    with data_stream() as stream:
        if format is options.SummaryFormat.JSON:
            document = {"files": list(map(_jsonable, rows)), "all": pooled and _jsonable(pooled)}
            stream.write(json_text(document, indent=1) + "\n")
        elif format is options.SummaryFormat.CSV:
            columns = list(pooled or _row(_ALL, []))
            writer = csv.DictWriter(stream, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(_blank_unknown(row) for row in [*rows, *([pooled] if pooled else [])])
        elif rows:
            stream.write(_text([*rows, *([pooled] if pooled else [])]) + "\n")
    if failed:
        raise typer.Exit(1)


def _row(name: str, scores: Sequence[FileScores]) -> Row:
    """Return the figures of one file, or of several pooled."""
    import numpy as np

    from nwb_mepp.workflows.evaluate import POOLED

    counts = np.sum([one.counts for one in scores], axis=0) if scores else np.zeros(3, dtype=np.int64)
    n_matched, n_missed, n_false = map(int, counts)
    alone = scores[0] if len(scores) == 1 else None
    row: Row = {
        "file": name,
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
