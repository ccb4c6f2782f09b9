"""Work in several processes: a job that kills its process costs itself and no other."""

from __future__ import annotations

import pytest

from nwb_mepp._utils.process_pool import run_jobs

# Python's own eval is known to every process, so that none has to import this module.
DIE = "__import__('os')._exit(1)"


def _give_up(job: str) -> str:
    return f"gave up {job}"


@pytest.mark.parametrize("n_processes", [1, 2])
def test_every_job_gives_its_result(n_processes: int) -> None:
    results = run_jobs(["1 * 1", "2 * 2", "3 * 3"], work=eval, on_crash=_give_up, n_processes=n_processes)
    assert sorted(results) == [1, 4, 9]


def test_a_job_that_kills_its_process_fails_alone() -> None:
    results = set(run_jobs(["1 * 1", DIE, "2 * 2", "3 * 3"], work=eval, on_crash=_give_up, n_processes=2))
    assert results == {1, f"gave up {DIE}", 4, 9}


@pytest.mark.parametrize("n_processes", [1, 2])
def test_an_exception_that_the_work_lets_through_reaches_the_caller(n_processes: int) -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        list(run_jobs(["1 / 0", "2 / 0"], work=eval, on_crash=_give_up, n_processes=n_processes))


def test_a_caller_that_stops_early_ends_the_processes() -> None:
    results = run_jobs(["1"] * 100, work=eval, on_crash=_give_up, n_processes=2)
    assert next(results) == 1
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert list(results) == []


def test_without_jobs_there_are_no_results() -> None:
    assert list(run_jobs([], work=eval, on_crash=_give_up, n_processes=4)) == []


def test_an_interruption_is_left_to_the_process_that_started_the_others() -> None:
    ignores = "(lambda s: s.getsignal(s.SIGINT) is s.SIG_IGN)(__import__('signal'))"
    assert set(run_jobs([ignores] * 2, work=eval, on_crash=_give_up, n_processes=2)) == {True}
