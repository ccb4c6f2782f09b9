"""Do harm to nwb-mepp and count what it survives.

    python -m tests.faults                    everything, about an hour on two cores
    python -m tests.faults --part kills --minutes 2 --trials 100

What each trial gave is appended to build/faults/records.jsonl, so an interrupted run goes on where it was,
and docs/reliability.md is written from it. The exit code is 1 if anything was lost.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nwb_mepp._utils.limits import GRACE_S
from tests.faults.records import LOST, Log, Record, read_records

if TYPE_CHECKING:
    from tests.faults import kills, mutants

PROJECT = Path(__file__).resolve().parents[2]
WORK = PROJECT / "build" / "faults"
# Each part with the number of trials of the long run.
PARTS = {"kills": 1400, "pair-kills": 600, "pairs": 200, "disk": 1000, "mutants": 20_000, "load": 6}
# Those of the suite.
BRIEF = {"kills": 1, "pair-kills": 1, "pairs": 1, "disk": 2, "mutants": 8}


def main() -> int:
    """Run the parts that are asked for; return the exit code."""
    options = _options()
    from tests.faults.injection import preloaded

    if not preloaded(options.work):
        sys.stderr.write("no C compiler or no Linux: processes are killed by the clock alone\n")
    sys.path.insert(0, str(PROJECT / "tests"))
    from tests.faults.page import summary, write_page

    _import_everything()
    log = options.work / "records.jsonl"
    if options.fresh:
        log.unlink(missing_ok=True)
    parts = options.part or list(PART_NAMES)
    _run_parts([part for part in parts if part != "load"], options, log, n_processes=options.jobs)
    if "load" in parts:
        _run_parts(["load"], options, log, n_processes=1)  # two would measure each other
    if options.page:
        write_page(options.page, log, seed=options.seed)
    text, n_lost = summary(log)
    sys.stdout.write(f"{text}\n")
    return 1 if n_lost else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--part", action="append", choices=list(PART_NAMES), help="can be repeated [all]")
    parser.add_argument("--trials", type=int, help="number of trials of each part [those of the long run]")
    parser.add_argument("--brief", action="store_true", help="as few trials as the suite does")
    parser.add_argument("--minutes", type=float, help="end each part after this time [no limit]")
    parser.add_argument("--jobs", type=int, default=2, help="processes [2]")
    parser.add_argument("--seed", type=int, default=1, help="[1]")
    parser.add_argument("--fresh", action="store_true", help="forget the records of earlier runs")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of records and of what failed")
    parser.add_argument("--page", type=Path, help="write the page to this file")
    return parser.parse_args()


def _import_everything() -> None:
    """Import what the commands import, so that forked processes need not; none of it may start a thread."""
    # Workers, too, are forked: to import everything takes longer than most trials.
    import h5py  # noqa: F401
    import scipy.signal
    import scipy.stats  # noqa: F401

    import nwb_mepp.workflows.batch
    import nwb_mepp.workflows.evaluate
    import nwb_mepp.workflows.extension
    import nwb_mepp.workflows.simulate  # noqa: F401
    from nwb_mepp._utils import child_process

    child_process.forked = _forked
    _warm_up()
    # That of the allocator of pyarrow, which pandas imports, is begun anew in each fork.
    names = [one.joinpath("comm").read_text().strip() for one in Path("/proc/self/task").iterdir()]
    if len([name for name in names if name != "jemalloc_bg_thd"]) != 1:
        raise RuntimeError(f"expected one thread before the first fork, found {', '.join(names)}")


def _forked(target: Callable[..., None], *arguments: object, **_: str) -> object:
    from nwb_mepp._utils.process_start import Forked

    process = multiprocessing.get_context("fork").Process(
        target=_serve, args=(target, arguments), daemon=True
    )
    process.start()
    return Forked(process)


def _serve(target: Callable[..., None], arguments: tuple[object, ...]) -> None:
    # A fork holds the other end of its own pipe, too, so that it does not see it closed.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    target(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


def _warm_up() -> None:
    """Call the usual commands once, so that what they load and cache is there in every fork."""
    import contextlib
    import gc
    import io

    from nwb_mepp.cli import main as command

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()) as said:
        start, detector = ("--session-start", "2026-01-15T10:00:00Z"), ("--detector", "threshold")
        abf, nwb = f"{folder}/simulated_0000.abf", f"{folder}/simulated_0000.abf.nwb"
        with contextlib.redirect_stdout(io.StringIO()):
            for call in (
                ("simulate", "-o", folder, *start, "--duration", "1", "--format", "abf"),
                ("info", abf),
                ("run", abf, "-o", folder, *start, *detector),
                ("detect", nwb, "--detector", "matched_filter"),
                ("extension", "add", nwb),
                ("events", nwb),
                ("validate", nwb),
            ):
                if command(call) and call[0] != "validate":  # which misses a subject
                    raise RuntimeError(f"{call}: {said.getvalue()}")
    gc.collect()
    gc.freeze()


def _run_parts(parts: list[str], options: argparse.Namespace, log: Path, *, n_processes: int) -> None:
    """Do the trials that are not on record yet, shared among processes."""
    waiting = {part: _waiting(part, options, log) for part in parts}
    if not any(waiting.values()):
        return
    sys.stderr.write("".join(f"{part}: {len(numbers)} trials\n" for part, numbers in waiting.items()))
    pids = []
    for process in range(n_processes):
        pid = os.fork()
        if pid == 0:
            shares = {part: numbers[process::n_processes] for part, numbers in waiting.items()}
            os._exit(_work_on(shares, options, log))
        pids.append(pid)
    try:
        failed = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    except KeyboardInterrupt:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        raise
    if any(failed):
        raise RuntimeError(f"a process of the harness itself failed in {', '.join(parts)}")


def _waiting(part: str, options: argparse.Namespace, log: Path) -> list[int]:
    """Return the numbers of the trials that are not on record."""
    total = (BRIEF if options.brief else PARTS)[part] if options.trials is None else options.trials
    done = {record.number for record in read_records(log) if record.part == PART_NAMES[part]}
    return [number for number in range(total) if number not in done]


PART_NAMES = {
    "kills": "kills, one writer",
    "pair-kills": "kills, two writers",
    "pairs": "pairs",
    "disk": "full disk",
    "mutants": "mutated inputs",
    "load": "load",
}


def _work_on(shares: dict[str, list[int]], options: argparse.Namespace, log: Path) -> int:
    """Do some trials of each part in this process, which makes what they need once."""
    import traceback

    try:
        place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        with tempfile.TemporaryDirectory(prefix="faults-", dir=place) as folder:
            bench, records = _Bench(Path(folder), options), Log(log)
            for part, share in shares.items():
                end_s = time.monotonic() + 60.0 * options.minutes if options.minutes else float("inf")
                for number in share:
                    if time.monotonic() > end_s:
                        break
                    record = _tried(bench.trial_of(part), part, number)
                    records.add(record)
                    if record.outcome == LOST:
                        told = f"LOST {record.part} {record.number} {record.kind}: {record.detail}"
                        sys.stderr.write(f"{told}\n")
        return 0
    except BaseException:
        traceback.print_exc()
        return 1


def _tried(trial: Callable[[int], Record], part: str, number: int) -> Record:
    """Do a trial; a fault of the harness itself is on record, too, and ends nothing else."""
    try:
        return trial(number)
    except Exception as error:
        detail = f"the harness itself: {type(error).__name__}: {error}"
        return Record(part=PART_NAMES[part], kind="harness", number=number, outcome=LOST, detail=detail)


class _Bench:
    """What the trials of a process need, made when the first one needs it."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        from tests.faults.children import Server

        self._folder, self._options = folder, options
        self._server = Server(folder / "said")

    def trial_of(self, part: str) -> Callable[[int], Record]:
        """Return what does a trial of a part, given its number."""
        from tests.faults import kills

        if part == "mutants":
            return lambda number: self._mutants.trial(number, self._options.seed)
        if part == "load":
            from tests.faults.load import load_trial

            return lambda number: load_trial(number, self._folder)
        function = {
            "kills": kills.kill_trial,
            "pair-kills": kills.pair_kill_trial,
            "pairs": kills.pair_trial,
            "disk": kills.full_disk_trial,
        }[part]
        return lambda number: function(self._trials, number, self._options.seed)

    @cached_property
    def _trials(self) -> kills.Trials:
        from tests.faults import kills
        from tests.faults.scenarios import Workshop

        return kills.Trials(Workshop(self._server, self._folder / "workshop"))

    @cached_property
    def _mutants(self) -> mutants.Mutants:
        from tests.faults import mutants

        return mutants.Mutants(self._server, self._folder / "mutants", keep=self._options.work / "failed")


if __name__ == "__main__":
    sys.exit(main())
