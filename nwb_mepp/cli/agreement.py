"""agreement: how far two reviewers agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nwb_mepp.cli import options
from nwb_mepp.cli.console import aligned, data_stream
from nwb_mepp.core.safe_text import json_text
from nwb_mepp.workflows.limits import LimitOptions

if TYPE_CHECKING:
    from nwb_mepp.curation.agreement import Agreement


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(options.spread(agreement))


def agreement(
    *,
    path: options.NwbFile,
    format: Annotated[  # noqa: A002 - the name of the option
        options.InfoFormat,
        typer.Option("--format", metavar="|".join(options.InfoFormat), help="Format of the output."),
    ] = options.InfoFormat.TEXT,
    limits: LimitOptions,
) -> None:
    """Compare the decisions of two reviewers, and list what they differ in.

    Prints F1 of their MEPPs and Cohen's kappa over the candidates that both decided on, matched by their
    peaks. 'nwb-mepp review FILE.nwb --disagreements' goes through the differences.
    """
    from nwb_mepp.curation.agreement import agreements_in

    with limits.kept(path, worded=options.as_typed):
        found = agreements_in(path)
    with data_stream() as stream:
        if format is options.InfoFormat.JSON:
            stream.write(json_text([_described(one) for one in found], indent=1) + "\n")
        else:
            stream.write("\n\n".join(map(_text, found)) + "\n")


def _described(one: Agreement) -> dict[str, object]:
    numbers = {
        name: None if value != value else value for name, value in (("f1", one.f1), ("kappa", one.kappa))
    }
    return {
        "reviewers": list(one.reviewers),
        "channel": one.channel,
        **numbers,
        "n_candidates": one.n_candidates,
        "n_undecided": one.n_undecided,
        "differences": [
            {"peak_time": different.peak_s, "decisions": list(different.decisions)}
            for different in one.differences
        ],
    }


def _text(one: Agreement) -> str:
    undecided = f", {one.n_undecided} undecided left out" if one.n_undecided else ""
    heading = (
        f"{' and '.join(one.reviewers)} on {one.channel}: F1 {_number(one.f1)}, Cohen's kappa "
        f"{_number(one.kappa)} ({one.n_candidates} candidates{undecided})"
    )
    if not one.differences:
        return heading
    rows = [["  peak_time", *one.reviewers]]
    rows += [[f"  {different.peak_s:.4f}", *different.decisions] for different in one.differences]
    return f"{heading}\n{aligned(rows)}"


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.3f}"
