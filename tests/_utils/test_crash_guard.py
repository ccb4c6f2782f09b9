"""The crash of a native library is told by the process that waits for it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nwb_mepp._utils.crash_guard import CRASHES

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the guard is for Linux")

GUARDED = """
import os, signal, sys, time
from nwb_mepp._utils.crash_guard import guarded

def work():
    print(os.getpid(), flush=True)
    {work}

def tell(name):
    print("crashed:", name, flush=True)
    return 7

sys.exit(guarded(work, on_crash=tell))
"""


def started(work: str) -> subprocess.Popen[str]:
    script = GUARDED.format(work=work)
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


def ended(work: str) -> tuple[int, list[str]]:
    process = started(work)
    said, _ = process.communicate(timeout=60)
    return process.returncode, said.splitlines()[1:]


@pytest.mark.parametrize("crash", CRASHES, ids=lambda one: one.name)
def test_a_crash_is_told_by_its_name(crash: signal.Signals) -> None:
    code, said = ended(f"signal.signal({crash.value}, signal.SIG_DFL); os.kill(os.getpid(), {crash.value})")
    assert (code, said) == (7, [f"crashed: {crash.name}"])


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_the_exit_code_is_that_of_the_work(code: int) -> None:
    assert ended(f"return {code}") == (code, [])


def test_a_killed_child_gives_the_code_that_shells_give() -> None:
    assert ended("os.kill(os.getpid(), signal.SIGKILL)") == (137, [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_is_sent_to_the_parent_reaches_the_child(number: signal.Signals) -> None:
    answers = f"signal.signal({number.value}, lambda *_: sys.exit(5))"
    with started(f"{answers}; print('ready', flush=True); time.sleep(60)") as process:
        assert child_of(process) != process.pid
        process.send_signal(number)
        assert process.wait(60) == 5


def child_of(process: subprocess.Popen[str]) -> int:
    """Return the process that does the work, once it has said that it is ready."""
    assert process.stdout is not None
    child = int(process.stdout.readline())
    assert process.stdout.readline() == "ready\n"
    return child


def test_the_child_dies_with_its_parent() -> None:
    with started("print('ready', flush=True); time.sleep(600)") as process:
        child = child_of(process)
        process.kill()
        process.wait(60)
        end = time.monotonic() + 30
        while runs(child) and time.monotonic() < end:
            time.sleep(0.01)
        assert not runs(child)


def runs(pid: int) -> bool:
    """Return whether a process is there and not only its exit code (a zombie, where nobody asks for it)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_command_that_crashes_ends_with_a_sentence() -> None:
    script = (
        "import nwb_mepp.cli, os, signal\n"
        "nwb_mepp.cli.main = lambda _: os.kill(os.getpid(), signal.SIGSEGV)\n"
        "from nwb_mepp.__main__ import command\n"
        "command()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "nwb-mepp: a library that nwb-mepp stands on crashed (SIGSEGV), probably on a damaged file or a full "
        "disk; copy or export that file anew, or free some space. Complete files are kept, nothing else was "
        "written.\n"
    )
