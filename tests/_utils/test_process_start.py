"""Processes that are forked from a server: like those that are started afresh, but with the imports done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nwb_mepp._utils.process_pool import run_jobs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")

LIGHT = "nwb_mepp._utils.limits"


def results_of(*jobs: str) -> list[object]:
    return list(run_jobs(jobs, work=eval, on_crash=_no_result, n_processes=1, imported_first=LIGHT))


def _no_result(_job: str, why: str) -> str:
    return why


def said_by(script: str, **environment: str) -> str:
    """Return what a script prints in a process of its own, which has a server of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"import os, sys\nfrom {run_jobs.__module__} import run_jobs\n{script}"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_environment_and_folder_are_those_of_the_process_that_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = "(__import__('os').environ.get('NWB_MEPP_SEEN'), __import__('os').getcwd())"
    monkeypatch.setenv("NWB_MEPP_SEEN", "before")
    (first,) = results_of(seen)
    assert first == ("before", str(Path.cwd()))
    monkeypatch.delenv("NWB_MEPP_SEEN")
    monkeypatch.chdir(tmp_path)
    assert results_of(seen) == [(None, str(tmp_path))]


def test_what_a_job_writes_goes_where_the_process_that_asks_writes(capfd: pytest.CaptureFixture[str]) -> None:
    results_of("__import__('os').write(1, b'data')", "__import__('os').write(2, b'words')")
    assert capfd.readouterr() == ("data", "words")


def test_no_signal_stays_blocked() -> None:
    blocked = "__import__('signal').pthread_sigmask(0, [])"
    assert results_of(blocked) == [set()]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


@pytest.mark.parametrize(("named", "is_there"), [("'fractions'", "True"), ("None", "False")])
def test_what_was_imported_first_is_there(named: str, is_there: str) -> None:
    job = "'fractions' in __import__('sys').modules"
    stated = f"on_crash=max, n_processes=1, imported_first={named}"
    assert said_by(f"print(*run_jobs([{job!r}], work=eval, {stated}))") == f"{is_there}\n"


# How many threads each library has, and a sum whose order depends on them.
THREADS = """
import threadpoolctl
import numpy as np

def work(n):
    x = np.random.default_rng(0).normal(size=(n, n))
    return [one["num_threads"] for one in threadpoolctl.threadpool_info()], (x @ x.T).tobytes()
"""


def test_libraries_that_are_loaded_have_as_many_threads_as_in_a_process_that_starts_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "of_threads.py").write_text(THREADS, encoding="utf-8")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    script = (
        "from of_threads import work\n"
        "for n in (1, 2):\n"
        "    forked, afresh = (\n"
        "        list(run_jobs([300], work=work, on_crash=max, n_processes=n, imported_first=name))\n"
        "        for name in ('of_threads', None)\n"
        "    )\n"
        "    assert forked == afresh\n"
        "    print(*forked[0][0])\n"
    )
    alone, together = said_by(script, PYTHONPATH=str(tmp_path)).splitlines()
    assert int(alone) == os.cpu_count()
    assert together == "1"


def test_where_the_server_cannot_be_reached_a_process_starts_afresh(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)  # too long for the address of a socket
    deep.mkdir()
    stated = f"work=eval, on_crash=max, n_processes=2, imported_first={LIGHT!r}"
    assert said_by(f"print(*run_jobs(['1', '1'], {stated}))", TMPDIR=str(deep)) == "1 1\n"


def test_a_server_that_was_killed_is_started_again() -> None:
    stated = f"work=eval, on_crash=max, n_processes=1, imported_first={LIGHT!r}"
    script = (
        f"(server,) = run_jobs(['__import__(\"os\").getppid()'], {stated})\n"
        "assert server != os.getpid()\n"
        "os.kill(server, 9)\n"
        f"print(*run_jobs(['1'], {stated}))\n"
    )
    assert said_by(script) == "1\n"


SLOW = """
import pathlib, time
pathlib.Path(__file__).with_suffix(".begun").touch()
time.sleep(1)
"""


def test_the_server_can_import_before_any_process_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    stated = "work=eval, on_crash=max, n_processes=1, imported_first='slow'"
    job = "'slow' in __import__('sys').modules"
    script = (
        "import pathlib, time\n"
        "from nwb_mepp._utils.process_start import start_server\n"
        "start_server(imported_first='slow')\n"
        f"begun = pathlib.Path({str(tmp_path / 'slow.begun')!r})\n"
        "while not begun.exists(): time.sleep(0.01)\n"
        "begun.unlink()\n"
        f"print(*run_jobs([{job!r}], {stated}), begun.exists())\n"
    )
    assert said_by(script, PYTHONPATH=str(tmp_path)) == "True False\n"


def test_where_the_server_cannot_be_started_nothing_happens(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)  # too long for the address of a socket
    deep.mkdir()
    script = f"from nwb_mepp._utils.process_start import start_server\nstart_server(imported_first={LIGHT!r})"
    assert said_by(script, TMPDIR=str(deep)) == ""


def test_ctrl_c_during_the_imports_is_left_to_the_process_that_asked(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    script = (
        f"from {run_jobs.__module__} import run_jobs\n"
        "stated = {'on_interrupt': lambda: print('ends'), 'imported_first': 'slow'}\n"
        "print(*run_jobs(['1'], work=eval, on_crash=max, n_processes=1, **stated))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        while not (tmp_path / "slow.begun").exists():
            assert running.poll() is None
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGINT)
        assert running.communicate() == ("ends\n\n", "")
