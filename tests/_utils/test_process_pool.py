"""Work in several processes: a job that kills its process costs itself and no other."""

from __future__ import annotations

import importlib
import itertools
import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nwb_mepp._utils import process_pool
from nwb_mepp._utils.limits import Limits

# Python's own eval is known to every process, so that none has to import this module.
KILLED = "__import__('os').kill(__import__('os').getpid(), 9)"
# Where processes come from: started afresh, or forked from a server that imported this.
SERVED = "nwb_mepp._utils.limits"

RunJobs = Callable[..., Iterator[Any]]


@pytest.fixture(params=[None, SERVED], ids=["afresh", "forked"])
def imported_first(request: pytest.FixtureRequest) -> str | None:
    if request.param is not None and sys.platform != "linux":
        pytest.skip("processes are forked on Linux only")
    named: str | None = request.param
    return named


@pytest.fixture
def run_jobs(imported_first: str | None) -> RunJobs:
    return partial(process_pool.run_jobs, imported_first=imported_first)


def _give_up(job: str, why: str) -> str:
    return f"gave up {job}: {why}"


@pytest.mark.parametrize("n_processes", [0, 1, 2])
def test_every_job_gives_its_result(n_processes: int, run_jobs: RunJobs) -> None:
    results = run_jobs(["1 * 1", "2 * 2", "3 * 3"], work=eval, on_crash=_give_up, n_processes=n_processes)
    assert sorted(results) == [1, 4, 9]


@pytest.mark.parametrize("die", [KILLED, "__import__('os')._exit(1)", "__import__('os')._exit(0)"])
def test_a_job_that_ends_its_process_fails_alone(die: str, run_jobs: RunJobs) -> None:
    results = set(run_jobs(["1 * 1", die, "2 * 2", "3 * 3"], work=eval, on_crash=_give_up, n_processes=2))
    assert results == {1, f"gave up {die}: crash", 4, 9}


def test_processes_that_die_one_after_another_do_not_stop_the_others(run_jobs: RunJobs) -> None:
    jobs = [f"{number} or {KILLED}" for number in (0, 1, 0, 2, 0, 3)]
    results = list(run_jobs(jobs, work=eval, on_crash=_give_up, n_processes=2))
    assert {one for one in results if one in (1, 2, 3)} == {1, 2, 3}
    assert results.count(f"gave up 0 or {KILLED}: crash") == 3


GIVING_UP = "(__import__('nwb_mepp._utils.child_process', fromlist=['']).give_up_process(), {})[1]"
PID = "__import__('os').getpid()"


def test_in_a_process_that_a_job_gave_up_no_other_job_runs(run_jobs: RunJobs) -> None:
    jobs = [PID, GIVING_UP.format(PID), PID, PID]
    first, given_up, third, fourth = run_jobs(jobs, work=eval, on_crash=_give_up, n_processes=1)
    assert first == given_up != third == fourth


@pytest.mark.parametrize(("budget", "most"), [(2e9, 1), (5e9, 2)])
def test_no_more_jobs_run_at_a_time_than_fit_into_the_budget(
    budget: float, most: int, tmp_path: Path, run_jobs: RunJobs
) -> None:
    log = tmp_path / "log"
    say = f"open({str(log)!r}, 'a').write"
    job = f"({say}('+'), __import__('time').sleep(0.05), {say}('-'), 1)[-1]"
    jobs = [f"{job} + {number}" for number in range(4)]
    results = run_jobs(
        jobs,
        work=eval,
        on_crash=_give_up,
        n_processes=4,
        limits=lambda _: Limits(60.0, 2e9),
        budget_bytes=budget,
    )
    assert sorted(results) == [1, 2, 3, 4]
    running = list(itertools.accumulate(1 if sign == "+" else -1 for sign in log.read_text()))
    assert len(running) == 8
    assert max(running) <= most


def test_a_job_that_does_not_fit_into_the_budget_is_not_begun_and_holds_up_no_other(
    run_jobs: RunJobs,
) -> None:
    results = run_jobs(
        ["1", "open('/nowhere')", "2"],
        work=eval,
        on_crash=_give_up,
        n_processes=2,
        limits=lambda job: Limits(60.0, 9e9 if "open" in job else 1e9),
        budget_bytes=4e9,
    )
    assert set(results) == {1, "gave up open('/nowhere'): budget", 2}


SAYING = "__import__('nwb_mepp._utils.child_process', fromlist=['']).tell_parent('halfway')"
# Native code that hangs as HDF5 does on damaged files: no other thread runs, no signal is heard.
HANGING = (
    "(lambda library, mutex: library.pthread_mutex_lock(mutex) or library.pthread_mutex_lock(mutex))"
    "(__import__('ctypes').PyDLL(None), bytes(64))"
)


@pytest.mark.skipif(sys.platform != "linux", reason="a mutex of zeros is one of Linux")
@pytest.mark.parametrize("n_processes", [1, 2])
def test_a_job_that_hangs_in_native_code_is_ended_after_its_time(n_processes: int, run_jobs: RunJobs) -> None:
    limits = Limits(1.0, math.inf)
    results = run_jobs(
        ["1", HANGING, "2"],
        work=eval,
        on_crash=_give_up,
        n_processes=n_processes,
        limits=lambda _: limits,
    )
    assert set(results) == {1, f"gave up {HANGING}: time", 2}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is watched by /proc")
def test_a_job_that_takes_more_memory_than_its_limit_is_ended(run_jobs: RunJobs) -> None:
    greedy = "(bytearray(900 << 20), __import__('time').sleep(60))"
    limits = Limits(60.0, float(800 << 20))
    results = run_jobs([greedy, "1"], work=eval, on_crash=_give_up, n_processes=1, limits=lambda _: limits)
    assert list(results) == [f"gave up {greedy}: memory", 1]


def test_a_job_can_say_how_far_it_is(run_jobs: RunJobs) -> None:
    job = f"{SAYING} or 1"
    said: list[object] = []
    results = run_jobs([job], work=eval, on_crash=_give_up, n_processes=1, on_message=said.append)
    assert list(results) == [1]
    assert said == ["halfway"]


def test_after_ctrl_c_the_running_jobs_are_finished_and_no_others_begun(run_jobs: RunJobs) -> None:
    told: list[str] = []
    job = f"{SAYING} or __import__('time').sleep(1)"
    results = run_jobs(
        [job] * 3,
        work=eval,
        on_crash=_give_up,
        n_processes=1,
        on_message=lambda _: signal.raise_signal(signal.SIGINT),
        on_interrupt=lambda: told.append("ends"),
    )
    before = signal.getsignal(signal.SIGINT)
    assert list(results) == [None]
    assert told == ["ends"]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def hears_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C count also where it is ignored, as in what a shell runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_twice_ends_at_once(run_jobs: RunJobs) -> None:
    job = f"{SAYING} or __import__('time').sleep(60)"

    def interrupt_twice(_: object) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    began_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(
            run_jobs(
                [job, "1"],
                work=eval,
                on_crash=_give_up,
                n_processes=1,
                on_message=interrupt_twice,
                on_interrupt=lambda: None,
            )
        )
    assert time.monotonic() - began_s < 15.0


def test_results_come_as_the_jobs_finish(run_jobs: RunJobs, tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    is_allowed = f"lambda: __import__('os').path.exists({str(allowed)!r})"
    waits = f"[__import__('time').sleep(0.01) for _ in iter({is_allowed}, True)]"
    results = run_jobs([f"({waits}, 'slow')[1]", "1", "2"], work=eval, on_crash=_give_up, n_processes=2)
    assert [next(results), next(results)] == [1, 2]
    allowed.touch()
    assert list(results) == ["slow"]


@pytest.mark.parametrize("n_processes", [0, 1, 2])
def test_an_exception_that_the_work_lets_through_reaches_the_caller(
    n_processes: int, run_jobs: RunJobs
) -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        list(run_jobs(["1 / 0", "2 / 0"], work=eval, on_crash=_give_up, n_processes=n_processes))


def test_an_exception_says_where_in_the_other_process_it_was_raised(run_jobs: RunJobs) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(run_jobs(["1 / 0", "2 / 0"], work=eval, on_crash=_give_up, n_processes=2))
    assert "work(job)" in caught.value.__notes__[0]


def test_a_caller_that_stops_early_does_not_wait_for_the_jobs(run_jobs: RunJobs) -> None:
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


def test_a_job_that_is_given_up_can_remove_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_jobs: RunJobs
) -> None:
    (tmp_path / "clean_job.py").write_text(CLEAN_JOB, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    work = importlib.import_module("clean_job").work
    results = run_jobs(["write", "wait until it is there"], work=work, on_crash=_give_up, n_processes=2)
    assert next(results) == "wait until it is there"
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert not (tmp_path / "temporary").exists()


def test_without_jobs_there_are_no_results(run_jobs: RunJobs) -> None:
    assert list(run_jobs([], work=eval, on_crash=_give_up, n_processes=4)) == []


def test_an_interruption_is_left_to_the_process_that_started_the_others(run_jobs: RunJobs) -> None:
    ignores = "(lambda s: s.getsignal(s.SIGINT) is s.SIG_IGN)(__import__('signal'))"
    assert set(run_jobs([ignores] * 2, work=eval, on_crash=_give_up, n_processes=2)) == {True}


def test_a_script_is_not_run_again_in_each_process(imported_first: str | None, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from nwb_mepp._utils.process_pool import run_jobs\n"
        f"stated = {{'n_processes': 2, 'imported_first': {imported_first!r}}}\n"
        "print(sorted(run_jobs(['1', '2'], work=eval, on_crash=max, **stated)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[1, 2]\n", "")


def test_processes_end_with_the_one_that_started_them(imported_first: str | None) -> None:
    script = (
        "from nwb_mepp._utils.process_pool import run_jobs\n"
        # Each line is one write: a pipe that two processes share keeps it whole.
        "job = \"__import__('os').write(1, b'at work\\\\n') and __import__('time').sleep(60)\"\n"
        "job = f\"{job} or __import__('os').write(1, b'ended\\\\n')\"\n"
        f"stated = {{'n_processes': 2, 'imported_first': {imported_first!r}}}\n"
        "list(run_jobs([job] * 2, work=eval, on_crash=max, **stated))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert [parent.stdout.readline(), parent.stdout.readline()] == ["at work\n"] * 2
        parent.kill()
        # Every process holds this pipe open as long as it lives, and says so where it outlives its job.
        assert parent.stdout.read() == ""


@pytest.mark.skipif(sys.platform != "linux", reason="a mutex of zeros is one of Linux")
def test_even_a_process_that_hangs_in_native_code_ends_with_the_one_that_started_it(
    imported_first: str | None,
) -> None:
    script = (
        "from nwb_mepp._utils.process_pool import run_jobs\n"
        f"job = '''print('at work', flush=True) or {HANGING.replace('PyDLL', 'CDLL')}'''\n"
        f"stated = {{'n_processes': 1, 'imported_first': {imported_first!r}}}\n"
        "list(run_jobs([job], work=eval, on_crash=max, **stated))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "at work\n"
        parent.kill()
        # It would hang for ever.
        assert parent.communicate(timeout=60) == ("", None)


@pytest.mark.parametrize(
    ("n_processes", "share_cores", "n_threads"), [(1, None, "all"), (2, None, "1"), (1, True, "1")]
)
def test_only_processes_that_share_the_cores_are_kept_to_one_thread(
    n_processes: int,
    share_cores: bool | None,
    n_threads: str,
    monkeypatch: pytest.MonkeyPatch,
    run_jobs: RunJobs,
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    read = "__import__('os').environ.get('OMP_NUM_THREADS', 'all')"
    results = run_jobs([read], work=eval, on_crash=_give_up, n_processes=n_processes, share_cores=share_cores)
    assert list(results) == [n_threads]
