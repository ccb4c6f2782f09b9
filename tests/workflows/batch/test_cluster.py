"""A batch on a Dask cluster: the same outputs and tables as here, whatever is killed in the middle."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from builders.command_line import STATED, Call
from builders.known_mepps import mepp_trace, write_text
from nwb_mepp._utils import cluster as clusters
from nwb_mepp.core.errors import UsageError
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings, FileOutcome, WriteOptions
from nwb_mepp.workflows.batch import BatchOutcome, Failure, convert_batch, plan_batch, run_batch
from nwb_mepp.workflows.batch.cluster import REASONS
from nwb_mepp.workflows.limits import BatchLimits

SETTINGS = DetectionSettings(detectors=("threshold",))
VOLTS = ReadOptions(unit={"": "V"})
KNOWN = WriteOptions(session_start="2026-01-15T10:00:00Z", override=True)
Tell = Callable[[FileOutcome | Failure], None]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        write_text(tmp_path / "rec" / f"run{number}.txt", mepp_trace(seed=number))
    return tmp_path


def run(folder: str, on_done: Tell | None = None, **stated: Any) -> BatchOutcome:
    plan = plan_batch(sorted(Path("rec").iterdir()), folder=folder, write_options=KNOWN)
    return run_batch(plan, settings=SETTINGS, read_options=VOLTS, picture=False, on_done=on_done, **stated)


def convert(on_done: Tell | None = None, **stated: Any) -> BatchOutcome:
    plan = plan_batch(["rec"], folder="out", write_options=KNOWN)
    return convert_batch(plan, read_options=VOLTS, on_done=on_done, **stated)


def address(cluster: Any) -> str:
    return str(cluster.scheduler_address)


def once(action: Callable[[], object]) -> Tell:
    """Return a report of which the first call does something."""
    left = [action]

    def report(_: FileOutcome | Failure) -> None:
        if left:
            left.pop()()

    return report


def test_a_cluster_gives_the_same_tables(work: Path, dask_cluster: Any) -> None:
    (work / "rec" / "run3.txt").write_text("Dear diary,\ntoday the fiber died.\n")
    there, here = run("there", scheduler=address(dask_cluster)), run("here", n_processes=2)
    assert [one.path for one in there.done] == [one.path for one in here.done]
    assert [one.status for one in there.done] == ["written"] * 3
    assert there.failures == here.failures
    assert len(there.failures) == 1
    for name in ("mepps.csv", "summary.csv", "failures.csv"):
        assert (work / "there" / name).read_text() == (work / "here" / name).read_text()
    # What is there already is kept.
    assert [one.status for one in run("there", scheduler=address(dask_cluster)).done] == ["kept"] * 3


def test_a_worker_killed_in_the_middle_loses_no_file(work: Path, dask_cluster: Any) -> None:
    def kill_a_worker() -> None:
        os.kill(dask_cluster.workers[0].pid, signal.SIGKILL)

    outcome = convert(once(kill_a_worker), scheduler=address(dask_cluster))
    assert len(outcome.done) == 3
    assert outcome.failures == ()
    assert len(list((work / "out" / "rec").iterdir())) == 3


def test_a_file_that_vanishes_in_the_middle_is_named(work: Path, dask_cluster: Any) -> None:
    plan = plan_batch(["rec"], folder="out", write_options=KNOWN)
    (work / "rec" / "run0.txt").unlink()
    outcome = convert_batch(plan, read_options=VOLTS, scheduler=address(dask_cluster))
    assert len(outcome.done) == 2
    (failure,) = outcome.failures
    assert failure.path == Path("rec/run0.txt")
    assert "found no such file" in failure.reason
    assert len(list((work / "out" / "rec").iterdir())) == 2


@contextmanager
def started(port: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run a scheduler and a worker in processes of their own."""
    parts = (["scheduler", "--port", port], ["worker", f"127.0.0.1:{port}", "--nthreads", "1", "--no-nanny"])
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{part}", *stated, "--no-dashboard"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for part, *stated in parts
    ]
    try:
        end = time.monotonic() + 60.0
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", int(port))):
                break
            assert time.monotonic() < end
            time.sleep(0.2)
        yield processes
    finally:
        for one in processes:
            one.kill()
            one.wait()


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@pytest.mark.usefixtures("distributed")
def test_a_scheduler_that_is_started_anew_in_the_middle_loses_no_file(work: Path) -> None:
    port = free_port()
    with ExitStack() as later, started(port) as (scheduler, _):

        def start_anew() -> None:
            scheduler.kill()
            scheduler.wait()
            later.enter_context(started(port))  # the worker ends with its scheduler

        outcome = convert(once(start_anew), scheduler=f"tcp://127.0.0.1:{port}")
    assert len(outcome.done) == 3
    assert outcome.failures == ()
    assert len(list((work / "out" / "rec").iterdir())) == 3


@pytest.mark.usefixtures("distributed")
def test_a_scheduler_that_does_not_come_back_leaves_what_is_done(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "_RECONNECT_S", 1.0)
    for number in range(3, 8):
        write_text(work / "rec" / f"run{number}.txt", mepp_trace(seed=number))
    port = free_port()
    with started(port) as (scheduler, _):
        outcome = run("out", once(scheduler.kill), scheduler=f"tcp://127.0.0.1:{port}")
    reasons = {one.reason for one in outcome.failures}
    assert reasons <= {REASONS["lost"], REASONS["unbegun"]}
    assert REASONS["unbegun"] in reasons
    assert len(outcome.done) + len(outcome.failures) == 8
    assert len(outcome.done) >= 1
    # Files that a worker finished while nobody could hear of it are in the tables as well.
    files = set((work / "out" / "summary.csv").read_text().splitlines()[1:])
    assert len(files) == len(list((work / "out" / "rec").glob("*.nwb")))


def test_processes_and_a_scheduler_contradict_each_other(work: Path) -> None:
    message = "`n_processes`: expected none beside `scheduler`, found 2; the workers of the cluster decide"
    with pytest.raises(UsageError, match=message):
        run("out", scheduler="tcp://127.0.0.1:9", n_processes=2)
    with pytest.raises(UsageError, match="`memory_budget_gb`: expected none beside `scheduler`, found 8 GB"):
        run("out", scheduler="tcp://127.0.0.1:9", limits=BatchLimits(memory_budget_gb=8))
    assert not (work / "out").exists()


@pytest.mark.usefixtures("work")
def test_the_command_line_reaches_the_cluster(dask_cluster: Any, call: Call) -> None:
    where = ("--scheduler", address(dask_cluster))
    called = call("run", "rec/run1.txt", "-o", "out", *STATED, *where, "--no-picture")
    assert called.code == 0, called.err
    assert "rec/run1.txt -> out/rec/run1.txt.nwb: " in called.err
    # A single file, too, is detected there.
    called = call("detect", "out/rec/run1.txt.nwb", "--detector", "threshold", *where)
    assert called.code == 0, called.err
    assert "(threshold)" in called.err


def test_the_command_line_names_what_contradicts_and_what_is_missing(
    work: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = call("convert", "rec", "-o", "out", "--unit", "V", "--jobs", "2", "--scheduler", "127.0.0.1:9")
    assert called.code == 2
    assert "--jobs: expected none beside --scheduler, found 2" in " ".join(called.err.split())
    monkeypatch.setitem(sys.modules, "distributed", None)
    called = call("convert", "rec", "-o", "out", "--unit", "V", "--scheduler", "127.0.0.1:9")
    assert called.code == 1
    assert "--scheduler needs distributed; install it with" in " ".join(called.err.split())
    assert not (work / "out").exists()
