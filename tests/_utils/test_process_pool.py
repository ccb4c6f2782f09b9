"""Work in several processes: a job that kills its process costs itself and no other."""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nwb_mepp._utils.process_pool import run_jobs

# Python's own eval is known to every process, so that none has to import this module.
KILLED = "__import__('os').kill(__import__('os').getpid(), 9)"


def _give_up(job: str) -> str:
    return f"gave up {job}"


@pytest.mark.parametrize("n_processes", [1, 2])
def test_every_job_gives_its_result(n_processes: int) -> None:
    results = run_jobs(["1 * 1", "2 * 2", "3 * 3"], work=eval, on_crash=_give_up, n_processes=n_processes)
    assert sorted(results) == [1, 4, 9]


@pytest.mark.parametrize("die", [KILLED, "__import__('os')._exit(1)", "__import__('os')._exit(0)"])
def test_a_job_that_ends_its_process_fails_alone(die: str) -> None:
    results = set(run_jobs(["1 * 1", die, "2 * 2", "3 * 3"], work=eval, on_crash=_give_up, n_processes=2))
    assert results == {1, f"gave up {die}", 4, 9}


def test_processes_that_die_one_after_another_do_not_stop_the_others() -> None:
    jobs = [f"{number} or {KILLED}" for number in (0, 1, 0, 2, 0, 3)]
    results = list(run_jobs(jobs, work=eval, on_crash=_give_up, n_processes=2))
    assert {one for one in results if one in (1, 2, 3)} == {1, 2, 3}
    assert results.count(f"gave up 0 or {KILLED}") == 3


def test_results_come_as_the_jobs_finish() -> None:
    slow = "__import__('time').sleep(2) or 'slow'"
    assert list(run_jobs([slow, "1", "2"], work=eval, on_crash=_give_up, n_processes=2)) == [1, 2, "slow"]


@pytest.mark.parametrize("n_processes", [1, 2])
def test_an_exception_that_the_work_lets_through_reaches_the_caller(n_processes: int) -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        list(run_jobs(["1 / 0", "2 / 0"], work=eval, on_crash=_give_up, n_processes=n_processes))


def test_an_exception_says_where_in_the_other_process_it_was_raised() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(run_jobs(["1 / 0", "2 / 0"], work=eval, on_crash=_give_up, n_processes=2))
    assert "work(job)" in caught.value.__notes__[0]


def test_a_caller_that_stops_early_does_not_wait_for_the_jobs() -> None:
    results = run_jobs(
        ["1", *["__import__('time').sleep(60)"] * 3], work=eval, on_crash=_give_up, n_processes=2
    )
    assert next(results) == 1
    began_s = time.monotonic()
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert time.monotonic() - began_s < 10.0
    assert list(results) == []


CLEAN_JOB = """
import pathlib, time

def work(job):
    temporary = pathlib.Path(__file__).with_name("temporary")
    if job == "wait until it is there":
        while not temporary.exists():
            time.sleep(0.01)
        return job
    try:
        temporary.touch()
        time.sleep(60)
    finally:
        temporary.unlink()
"""


def test_a_job_that_is_given_up_can_remove_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clean_job.py").write_text(CLEAN_JOB, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    work = importlib.import_module("clean_job").work
    results = run_jobs(["write", "wait until it is there"], work=work, on_crash=_give_up, n_processes=2)
    assert next(results) == "wait until it is there"
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert not (tmp_path / "temporary").exists()


def test_without_jobs_there_are_no_results() -> None:
    assert list(run_jobs([], work=eval, on_crash=_give_up, n_processes=4)) == []


def test_an_interruption_is_left_to_the_process_that_started_the_others() -> None:
    ignores = "(lambda s: s.getsignal(s.SIGINT) is s.SIG_IGN)(__import__('signal'))"
    assert set(run_jobs([ignores] * 2, work=eval, on_crash=_give_up, n_processes=2)) == {True}


def test_processes_end_with_the_one_that_started_them() -> None:
    script = (
        "from nwb_mepp._utils.process_pool import run_jobs\n"
        "if __name__ == '__main__':\n"
        "    job = \"print('at work', flush=True) or __import__('time').sleep(60)\"\n"
        "    list(run_jobs([job] * 2, work=eval, on_crash=str, n_processes=2))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert [parent.stdout.readline(), parent.stdout.readline()] == ["at work\n"] * 2
        parent.kill()
        # Every process holds this pipe open as long as it lives.
        began_s = time.monotonic()
        assert parent.stdout.read() == ""
        assert time.monotonic() - began_s < 10.0
