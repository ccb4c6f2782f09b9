"""Limits of this process, kept from outside."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nwb_mepp._utils import limits
from nwb_mepp._utils.limits import LimitError, Limits, limited, resident_bytes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are ended by signals")

WORDS = {"time": "", "memory": ""}


def test_a_block_that_takes_too_long_is_interrupted() -> None:
    before = signal.getsignal(signal.SIGTERM)
    began_s = time.monotonic()
    with pytest.raises(LimitError, match="time") as caught, limited(Limits(0.5, math.inf), last_words=WORDS):
        time.sleep(60)
    assert caught.value.limit == "time"
    assert time.monotonic() - began_s < 5.0
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(not resident_bytes(os.getpid()), reason="memory is watched by /proc")
def test_a_block_that_takes_too_much_memory_is_interrupted() -> None:
    limit = resident_bytes(os.getpid()) + (100 << 20)

    def grow() -> None:
        held: list[bytearray] = []
        while len(held) < 1000:
            held.append(bytearray(b"\1") * (10 << 20))
            time.sleep(0.05)

    with pytest.raises(LimitError, match="memory"), limited(Limits(60.0, limit), last_words=WORDS):
        grow()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="memory is watched by /proc")
def test_memory_of_a_process_that_the_block_has_started_counts() -> None:
    limit = resident_bytes(os.getpid()) + (100 << 20)
    hungry = "import time; held = bytes(bytearray(b'1') * (300 << 20)); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", hungry]) as process:
        try:
            with pytest.raises(LimitError, match="memory"), limited(Limits(30.0, limit), last_words=WORDS):
                time.sleep(30)
        finally:
            process.kill()


@pytest.mark.parametrize(("told", "exceeded"), [((9e9, 3e8), None), ((9e9, 9e9), "memory"), ((3e8,), None)])
def test_memory_counts_as_exceeded_when_it_is_told_twice(
    told: tuple[float, ...], exceeded: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = iter(told)
    monkeypatch.setattr(limits, "_children", lambda _: [])
    monkeypatch.setattr(limits, "resident_bytes", lambda _: next(readings))
    assert Limits(60.0, 4e9).exceeded_by(os.getpid(), since_s=time.monotonic()) == exceeded


def test_a_block_within_its_limits_gives_what_it_gives() -> None:
    with limited(Limits(60.0, math.inf), last_words=WORDS):
        pass
    with pytest.raises(ZeroDivisionError), limited(Limits(60.0, math.inf), last_words=WORDS):
        raise ZeroDivisionError


def test_other_requests_to_end_are_passed_on() -> None:
    script = (
        "import math, signal\n"
        "from nwb_mepp._utils.limits import Limits, limited\n"
        "with limited(Limits(60.0, math.inf), last_words={'time': '', 'memory': ''}):\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGTERM


@pytest.mark.skipif(sys.platform != "linux", reason="a mutex of zeros is one of Linux")
def test_a_process_that_hangs_in_native_code_ends_with_last_words() -> None:
    script = (
        "import ctypes, math\n"
        "library, mutex = ctypes.PyDLL(None), ctypes.create_string_buffer(64)\n"
        "from nwb_mepp._utils.limits import Limits, limited\n"
        "with limited(Limits(0.5, math.inf), last_words={'time': 'it took too long', 'memory': ''}):\n"
        "    library.pthread_mutex_lock(mutex)\n"
        "    library.pthread_mutex_lock(mutex)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=30
    )
    assert ended.returncode == -signal.SIGKILL
    assert ended.stderr == "it took too long\n"
