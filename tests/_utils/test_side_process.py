"""A process that imports before it has a job."""

from __future__ import annotations

import math
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from nwb_mepp._utils.child_process import CrashError, tell_parent
from nwb_mepp._utils.side_process import SideProcess


def told_half(number: float) -> float:
    tell_parent(f"half of {number:g}")
    return number / 2.0


def is_imported(name: str) -> bool:
    return name in sys.modules


def end_at_once(number: int) -> None:
    os.kill(os.getpid(), number)


def test_jobs_follow_each_other_and_say_what_they_do() -> None:
    said: list[str] = []
    done: list[str] = []
    with SideProcess([]) as process:
        half = process.do(told_half, 8.0, on_message=said.append, meanwhile=lambda: done.append("meanwhile"))
        assert process.do(told_half, half) == 2.0
    assert said == ["half of 8"]
    assert done == ["meanwhile"]


def test_the_imports_are_done_before_the_first_job() -> None:
    with SideProcess(["missing_for_sure", "colorsys"]) as process:
        assert process.do(is_imported, "colorsys")
        assert not process.do(is_imported, "missing_for_sure")


def test_an_error_of_a_job_is_raised_here_and_the_next_job_is_done() -> None:
    with SideProcess([]) as process:
        with pytest.raises(ValueError, match="math domain error"):
            process.do(math.sqrt, -1.0)
        assert process.do(math.sqrt, 9.0) == 3.0


@pytest.mark.skipif(os.name != "posix", reason="processes are ended by signals")
def test_a_job_that_kills_its_process_is_a_crash() -> None:
    with SideProcess([]) as process, pytest.raises(CrashError):
        process.do(end_at_once, signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="processes are looked up in /proc")
def test_the_process_ends_with_the_block_whatever_it_is_doing() -> None:
    with SideProcess([]) as process:
        pid = process.do(eval, "__import__('os').getpid()")
        with pytest.raises(KeyboardInterrupt):
            process.do(time.sleep, 60.0, meanwhile=_interrupt)
    assert not Path(f"/proc/{pid}").exists()


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_what_ended_does_no_further_job() -> None:
    with SideProcess([]) as process:
        process.end()
        with pytest.raises(CrashError):
            process.do(math.sqrt, 4.0)
