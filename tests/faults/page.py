"""The page ``docs/reliability.md``, from the records of all trials."""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.faults.records import LOST, REFUSED, SURVIVED, Record, read_records

__all__ = ["PARTS", "summary", "write_page"]

PROJECT = Path(__file__).resolve().parents[2]
# Each part of the page: what is done, and what counts as survived.
PARTS = {
    "kills, one writer": (
        "Writers killed (`SIGKILL`)",
        """A command is killed at a random call that changes a file (before it, in the middle of a write, or
after it) or at a random moment. Afterwards every file is as it was or complete, and after the next
run of the command everything is there and nothing is left behind: no temporary file, no lock.""",
    ),
    "kills, two writers": (
        "Writers killed beside another writer",
        """Two commands work at once on one file or folder, one of them is killed. The other ends as ever or
is refused; the rest is as above, after both commands have run once more.""",
    ),
    "pairs": (
        "Two writers at once",
        "Both results are there, or one command is refused with a sentence that says why.",
    ),
    "full disk": (
        "Full disk",
        """The call that opens, writes, flushes, links or replaces fails for want of space: once, or from then
on, also after half of a write; or files may not grow beyond some size. Every file is as it was or
complete, a sentence says what happened, no temporary file stays, and the next run succeeds.""",
    ),
    "mutated inputs": (
        "Mutated inputs",
        """Bytes or words of a sound input are changed, removed, inserted or repeated, and the file goes
through the command line. It is refused in a sentence or accepted; there is no traceback, no request
to report a bug, no call of more than 60 s, none with more than 1 GB of memory. What is accepted of
the formats that Neo reads has the values that Neo gives. Inputs that failed once are recipes in
`tests/faults/corpus.json`.""",
    ),
    "load": ("Load", "Large inputs, each through the command line as a user calls it."),
}
_ABOUT = """What nwb-mepp survives when it is killed, has no space left, works beside another writer or reads
damaged files. `make faults` writes this page: it tries all that at random and counts. *Survived*
means that the result is there, *refused* that a sentence says why there is none, *lost* everything
else."""
_HOW = """Trials start from a process that has imported everything and is forked for each call, as importing
takes longer than most trials; processes that a batch starts are forked as well. Every trial is
drawn from the seed and its number. Records go on from one version to the next: a trial that lost
something is repeated when that is mended, the others are not. Commands that only print (`info`,
`events`, `summary`, `evaluate`, `metadata template`) leave no files. `train` and `benchmark` take
minutes and write by the same functions; they are not among what is killed."""
_PACKAGES = ("nwb-mepp", "neo", "pynwb", "hdmf", "h5py", "numpy", "scipy", "ai-edge-litert")


def summary(log: Path) -> tuple[str, int]:
    """Return a line for each part, and how many trials were lost."""
    lines, n_lost = [], 0
    for part, records in _by(read_records(log), "part").items():
        count = Counter(record.outcome for record in records)
        n_lost += count[LOST]
        told = ", ".join(f"{count[one]} {one}" for one in (SURVIVED, REFUSED, LOST))
        lines.append(f"{part}: {len(records)} tried, {told}")
    return "\n".join(lines), n_lost


def write_page(path: Path, log: Path, *, seed: int) -> None:
    """Write the page."""
    records = _by(read_records(log), "part")
    text = "\n".join([*_head(log, records, seed=seed), *_parts(records)])
    path.write_text(f"{text.rstrip()}\n", encoding="utf-8")


def _by(records: Iterable[Record], name: str) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        groups[getattr(record, name)].append(record)
    return groups


def _head(log: Path, records: dict[str, list[Record]], *, seed: int) -> list[str]:
    when = datetime.fromtimestamp(log.stat().st_mtime, tz=UTC)
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    hours = sum(record.seconds for group in records.values() for record in group) / 3600
    rows = [(what, *_counts(records.get(part, ()))) for part, (what, _) in PARTS.items() if records.get(part)]
    return [
        "# Reliability",
        "",
        *_wrapped(_ABOUT),
        "",
        *_table(("what", "tried", "survived", "refused", "lost"), rows),
        "",
        *_wrapped(
            f"{when:%Y-%m-%d}, commit {_commit()}, seed {seed}, {hours:.1f} hours of trials. Python "
            f"{platform.python_version()} on {platform.system()}, {os.cpu_count()} cores; {versions}."
        ),
        "",
        *_wrapped(_HOW),
        "",
    ]


def _parts(records: dict[str, list[Record]]) -> list[str]:
    lines = []
    for part, (what, how) in PARTS.items():
        if not records.get(part):
            continue
        kinds = sorted(_by(records[part], "kind").items())
        lines += [f"## {what}", "", *_wrapped(how), ""]
        if part == "load":
            rows = [(kind, one[-1].outcome, one[-1].figures) for kind, one in kinds]
            lines += [*_table(("input", "outcome", "measured"), rows), ""]
        else:
            rows = [(kind, *_counts(group)) for kind, group in kinds]
            lines += [*_table(("what", "tried", "survived", "refused", "lost"), rows), ""]
    return lines


def _counts(records: Sequence[Record]) -> tuple[str, ...]:
    count = Counter(record.outcome for record in records)
    return tuple(f"{n:,}" for n in (len(records), count[SURVIVED], count[REFUSED], count[LOST]))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(" ".join(text.split()), 110)


def _commit() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "unknown"
