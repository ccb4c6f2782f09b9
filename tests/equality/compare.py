"""Show that two versions of nwb-mepp find, measure, convert and simulate the same, to the last bit.

    python -m tests.equality.compare --before BEFORE/bin/python --after AFTER/bin/python [--work FOLDER]

The two are interpreters of environments in which the versions are installed. Every call of
``declared.JOBS`` runs with both, and everything that they write is compared: tables cell by cell as text,
NWB files dataset by dataset, bit for bit. What may differ is stated in ``declared.py``. A call whose
version, arguments and input are those of an earlier comparison in the same folder is not made again. The
exit code is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import math
import os
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.equality.declared import ADDED_FILES, JOBS, NAMES, SORTED_BY, STAGED, WORDS, Job
from tests.equality.differences import Table, Tally, compare_bytes, compare_tables, read_csv, read_json
from tests.equality.nwb_files import column_of, compare_nwb

PROJECT = Path(__file__).resolve().parents[2]
# Of everything that is read, so that a session start taken from it is always the same: 2020-01-01, UTC.
READ_AT_S = 1_577_836_800
# An ABF 1 file as pyabf writes it: this header, then two bytes a sample.
ABF_HEADER_BYTES = 6144

# Prints the folders of the package and of its extension, without importing them.
FIND_PACKAGES = (
    "from importlib.util import find_spec\n"
    "for name in ('nwb_mepp', 'ndx_mepp'): print(find_spec(name).submodule_search_locations[0])"
)


@dataclass(frozen=True)
class Side:
    """One of the two versions.

    Attributes
    ----------
    name : str
        ``before`` or ``after``.
    python : Path
    folder : Path
        Where each job has its folder.
    version : str
        Digest of the code.
    """

    name: str
    python: Path
    folder: Path
    version: str


def main(arguments: list[str] | None = None) -> int:
    """Run both versions, compare, print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, required=True, help="interpreter with the version before")
    parser.add_argument("--after", type=Path, required=True, help="interpreter with the version after")
    parser.add_argument(
        "--work", type=Path, default=PROJECT / "build" / "equality", help="folder of all outputs"
    )
    parser.add_argument(
        "--shared", type=Path, default=PROJECT.parent / "shared" / "data", help="folder of real recordings"
    )
    options = parser.parse_args(arguments)
    work = options.work.resolve()
    inputs = stage(work / "inputs", options.shared)
    tallies: dict[str, Tally] = defaultdict(Tally)
    sides = [_side(name, getattr(options, name), work) for name in ("before", "after")]
    for side in sides:
        run_jobs(side, inputs, tallies)
    for job in JOBS:
        compare_job(job, *(side.folder for side in sides), tallies)
    return report(tallies)


def stage(folder: Path, shared: Path) -> Path:
    """Copy what is read into one folder, under names that no version changes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, places in STAGED.items():
        paths = [
            shared / p.removeprefix("shared:") if p.startswith("shared:") else PROJECT / p for p in places
        ]
        found = next((path for path in paths if path.exists()), None)
        if found is None:
            sys.exit(f"expected {' or '.join(map(str, paths))}, found none; name the folder with --shared.")
        copy = shutil.copytree if found.is_dir() else shutil.copyfile
        copy(found, folder / name)
    with (folder / "GroupA_consensus.csv").open(encoding="utf-8", newline="") as stream:
        agreed = [row["time_s"] for row in csv.DictReader(stream) if int(row["votes_of_5"]) >= 3]
    (folder / "GroupA_marks.csv").write_text("\n".join(["start_time", *agreed, ""]), encoding="utf-8")
    seeds = [*range(100, 104), *range(200, 203), 300, 301, 400]
    rows = [f"simulated_{seed:04d}.abf,2026-01-15T10:00:00Z" for seed in seeds]
    (folder / "sessions.csv").write_text("\n".join(["file,session_start", *rows, ""]), encoding="utf-8")
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (READ_AT_S, READ_AT_S))
    return folder


def _side(name: str, python: Path, work: Path) -> Side:
    # Not resolved: the link to the interpreter is what tells the environment.
    python = python.absolute()
    found = subprocess.run([python, "-c", FIND_PACKAGES], capture_output=True, text=True, check=True, cwd="/")
    version = _digest(map(Path, found.stdout.split()))
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    return Side(name, python, folder, version)


def _digest(folders: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                whole.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def run_jobs(side: Side, inputs: Path, tallies: dict[str, Tally]) -> None:
    """Make every call that was not made yet with the same version, arguments and input."""
    read = _digest([inputs])
    keys: dict[str, str] = {}
    for job in JOBS:
        parts = [side.version, read, job.call, str(job.exit_code), *(keys[name] for name in job.needs)]
        keys[job.name] = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        done = side.folder / f"{job.name}.done"
        if done.exists() and done.read_text(encoding="utf-8") == keys[job.name]:
            continue
        done.unlink(missing_ok=True)
        started = time.monotonic()
        failure = _call(side, job, inputs)
        sys.stderr.write(f"{side.name}: {job.name}, {time.monotonic() - started:.1f} s\n")
        if failure:
            tallies[job.recording or job.name].differences.append(failure)
        else:
            done.write_text(keys[job.name], encoding="utf-8")


def _call(side: Side, job: Job, inputs: Path) -> str | None:
    words = [
        word.replace("IN/", f"{inputs}/") if word.startswith("IN/") else word for word in job.call.split()
    ]
    new_words = [WORDS.get(word, word) for word in words]
    calls = [words] if side.name == "before" or new_words == words else [new_words, words]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"TZ": "UTC"}
    for call in calls:
        shutil.rmtree(side.folder / job.name, ignore_errors=True)
        (side.folder / job.name).mkdir()
        made = subprocess.run(
            [side.python, "-m", "nwb_mepp", *call],
            cwd=side.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 2:
            break
    (side.folder / f"{job.name}.stderr").write_text(made.stderr, encoding="utf-8")
    if job.printed:
        (side.folder / job.name / job.printed).write_text(made.stdout, encoding="utf-8")
    if made.returncode == job.exit_code:
        return None
    last = (made.stderr.strip().splitlines() or ["nothing on standard error"])[-1]
    return f"{job.name}: expected exit code {job.exit_code} {side.name}, found {made.returncode}: {last}"


def compare_job(job: Job, before: Path, after: Path, tallies: dict[str, Tally]) -> None:
    """Compare all files that a job wrote."""
    old, new = (_files(folder / job.name) for folder in (before, after))
    if job.exit_code:
        tallies[job.recording or job.name].declared[f"refused {job.name}: exit code {job.exit_code}"] += 1
    elif not old:
        tallies[job.recording or job.name].differences.append(f"{job.name}: nothing was written before")
    for name in sorted(set(old) | set(new)):
        recording = _recording(job, name)
        added = ADDED_FILES.get(name.rpartition("/")[2]) if name not in old else None
        if added is not None:
            tallies[recording].declared[f"file {name}: {added}"] += 1
            continue
        if name not in old or name not in new:
            when = "before" if name in old else "after"
            tallies[recording].differences.append(f"{job.name}: {name} is only there {when}")
            continue
        where = f"{job.name}/{name}"
        tallies[recording].add(_compare_files(job, old[name], new[name], where, before))


def _files(folder: Path) -> dict[str, Path]:
    """Return the files of a folder by their path, in the names after."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            parts = path.relative_to(folder).parts
            found["/".join(NAMES.get(part, part) for part in parts)] = path
    return found


def _recording(job: Job, name: str) -> str:
    if job.recording:
        return job.recording
    stem, _, suffix = name.rpartition("/")[2].partition(".")
    several = job.printed or (suffix == "csv" and not job.call.startswith("simulate"))
    return f"tables of several: {job.name}" if several else stem


def _compare_files(job: Job, before: Path, after: Path, where: str, folder: Path) -> Tally:
    if before.suffix == ".nwb":
        return compare_nwb(before, after, where=where)
    if before.suffix == ".abf":
        tally = compare_bytes(before, after, where=where)
        tally.samples = (before.stat().st_size - ABF_HEADER_BYTES) // 2
        return tally
    if before.suffix in (".csv", ".json"):
        read = read_csv if before.suffix == ".csv" else read_json
        base = folder if job.printed else before.parent
        words = job.call.split()
        table = words[words.index("--table") + 1] if "--table" in words else None
        declared: Counter[str] = Counter()
        old = read(before) if job.printed else _sorted(before.name, read(before), declared)
        tally = compare_tables(
            old,
            read(after),
            where=where,
            added=lambda column, rows: column_from_nwb(column, rows, base=base, table=table),
        )
        tally.declared += declared
        return tally
    return Tally(differences=[f"{where}: it is not known how to compare such a file"])


def _sorted(name: str, table: Table, declared: Counter[str]) -> Table:
    """Return a table with its rows in the order of the version after."""
    column = SORTED_BY.get(name)
    if column not in table.columns:
        return table
    at = table.columns.index(str(column))
    rows = sorted(table.rows, key=lambda row: row[at])
    if rows != table.rows:
        declared[f"{name}: rows sorted by {column}"] += 1
    return replace(table, rows=rows)


def column_from_nwb(column: str, rows: Table, *, base: Path, table: str | None) -> list[str] | None:
    """Return a column of MEPPs as the NWB files of the version before have it, for the rows of a text table.

    Parameters
    ----------
    column : str
    rows : Table
        Of MEPPs; its rows name file, channel and detector.
    base : Path
        Folder that the names of files start from.
    table : str, optional
        Table of all rows; by default that of each row's detector.

    Returns
    -------
    list of str, or None
        None where the rows are not MEPPs, or an NWB file lacks the column.
    """
    if not {"file", "channel", "detector", "start_time"} <= {
        name.removesuffix("_ms") for name in rows.columns
    }:
        return None
    values: dict[tuple[str, ...], list[float]] = {}
    texts = []
    for key in zip(*(rows.column(name) for name in ("file", "channel", "detector")), strict=True):
        if key not in values:
            file, channel, detector = key
            names = [table] if table else [f"mepps_{detector}", f"mepps_{detector}_{channel}"]
            found = [column_of(base / file, name, column) for name in names]
            present = [one for one in found if one is not None]
            if len(present) != 1:
                return None
            values[key] = present[0][::-1]
        if not values[key]:
            return None
        value = values[key].pop()
        text = rows.missing if math.isnan(value) else repr(value).replace(".", rows.decimal)
        texts.append(rows.cell(text))
    return texts


def report(tallies: dict[str, Tally]) -> int:
    """Print a line for each recording, what was declared, and every difference; return the exit code."""
    headings = f"{'tables':>8}{'rows':>9}{'cells':>10}{'samples':>11}{'differences':>13}"
    lines = [f"{'recording':36}{headings}"]
    total = Tally()
    for name, one in sorted(tallies.items()):
        lines.append(_line(name, one))
        total.add(one)
    lines += [_line("all", total), "", "Declared, and met:"]
    lines += [f"  {declaration} ({times})" for declaration, times in sorted(total.declared.items())]
    lines += [f"DIFFERENT {difference}" for difference in total.differences]
    sys.stdout.write("\n".join([*lines, ""]))
    return 1 if total.differences else 0


def _line(name: str, one: Tally) -> str:
    numbers = f"{one.tables:8}{one.rows:9}{one.cells:10}{one.samples:11}{len(one.differences):13}"
    return f"{name:36}{numbers}"


if __name__ == "__main__":
    sys.exit(main())
