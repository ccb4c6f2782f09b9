"""What was freed goes back, where the C library can do that."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
import subprocess
import sys

import pytest

from nwb_mepp._utils.heap import give_back, rare_collections, share_one_heap

FAREWELL = """
from nwb_mepp._utils.heap import leave_to_the_system

class Loop:
    def __init__(self):
        self.itself = self
    def __del__(self):
        print("looked at", flush=True)

Loop()
"""
# 200 MB in small pieces, of which the last one stays.
FREED = """
import sys
from pathlib import Path
from nwb_mepp._utils.heap import give_back, rare_collections, share_one_heap

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

pieces = [b"x" * (100_000 + number) for number in range(2_000)]
last = pieces[-1]
full = resident()
del pieces
give_back()
print(full - resident())
"""
# A heap of a thread's own begins at a multiple of 64 MB, as hardly any other mapping does.
THREADS = """
import threading
from pathlib import Path
from nwb_mepp._utils.heap import share_one_heap
{call}

def heaps():
    ends = [line.split()[0].split("-") for line in Path("/proc/self/maps").read_text().splitlines()]
    places = sorted((int(first, 16), int(last, 16)) for first, last in ends)
    return sum(first % 2**26 == 0 and 0 < last - first <= 2**26 for first, last in places)

held, done = [], threading.Barrier(5)
def hold():
    held.append([bytes(1000 + number) for number in range(1000)])
    done.wait()
before = heaps()
threads = [threading.Thread(target=hold) for _ in range(4)]
for one in threads:
    one.start()
done.wait()
print(heaps() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="expected glibc, which gives threads heaps")
@pytest.mark.parametrize(("call", "n_heaps"), [("", 4), ("share_one_heap()", 0)], ids=["as ever", "shared"])
def test_threads_share_one_heap_where_they_are_told_to(call: str, n_heaps: int) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", THREADS.format(call=call)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert int(done.stdout) == n_heaps


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="expected glibc, which can give memory back")
def test_freed_memory_goes_back_although_what_was_made_last_stays() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True)
    assert float(done.stdout) > 150.0


@pytest.mark.parametrize("error", [OSError, TypeError])
def test_another_c_library_is_left_alone(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: object) -> object:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", none)
    give_back()
    share_one_heap()


def test_collections_are_rare_within_the_block_alone() -> None:
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold() == (10_000, *before[1:])
    assert gc.get_threshold() == before


def test_collections_are_as_before_after_an_error() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError), rare_collections():
        raise KeyError
    assert gc.get_threshold() == before


@pytest.mark.parametrize(
    ("end", "said"), [("", "looked at\n"), ("leave_to_the_system()", "")], ids=["as ever", "left"]
)
def test_a_process_that_leaves_its_memory_to_the_system_looks_at_nothing_again(end: str, said: str) -> None:
    done = subprocess.run([sys.executable, "-c", FAREWELL + end], capture_output=True, text=True, check=True)
    assert done.stdout == said
