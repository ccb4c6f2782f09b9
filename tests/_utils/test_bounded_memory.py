from __future__ import annotations

import struct
import subprocess
import sys
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

from nwb_mepp._utils.bounded_memory import bounded_memory
from nwb_mepp.core.errors import ReadError
from nwb_mepp.nwb.hdf5_access import open_hdf5

GIGABYTE = 2**30
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is bounded on Linux only")


@linux
def test_a_small_file_does_not_allow_a_gigabyte_and_a_large_one_does(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"1")
    large.touch()
    with large.open("r+b") as file:
        file.truncate(GIGABYTE // 16)  # allows twice a gigabyte, and takes no room on the disk
    with bounded_memory(small), pytest.raises(MemoryError):
        np.empty(GIGABYTE, dtype=np.uint8)
    with bounded_memory(large):
        np.empty(GIGABYTE, dtype=np.uint8)


@linux
def test_the_bound_ends_with_the_block_also_after_an_error_and_inside_another(tmp_path: Path) -> None:
    with pytest.raises(MemoryError), bounded_memory(tmp_path), bounded_memory(tmp_path):
        np.empty(GIGABYTE, dtype=np.uint8)
    np.empty(GIGABYTE, dtype=np.uint8)


def test_other_threads_are_not_bounded(tmp_path: Path) -> None:
    failed: list[BaseException] = []

    def allocate() -> None:
        try:
            with bounded_memory(tmp_path):
                np.empty(GIGABYTE, dtype=np.uint8)
        except MemoryError as error:
            failed.append(error)

    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
    assert not failed


@pytest.fixture
def too_long(tmp_path: Path) -> Path:
    """Return a file in which the version of NWB is said to be a text of 3 GB."""
    path = tmp_path / "damaged.nwb"
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    at = content.index(struct.pack("<IQ", len("2.7.0"), heap))
    content[at : at + 4] = struct.pack("<I", 3 * GIGABYTE)
    path.write_bytes(content)
    return path


def test_a_text_of_3_gb_in_a_small_file_is_an_error(too_long: Path) -> None:
    with pytest.raises((ReadError, OSError), match="read"), open_hdf5(too_long):
        pass


@linux
def test_a_text_of_3_gb_in_a_small_file_takes_no_memory(too_long: Path) -> None:
    script = (
        "import re, sys\n"
        "from nwb_mepp.nwb.hdf5_access import open_hdf5\n"
        "try:\n"
        "    with open_hdf5(sys.argv[1]): pass\n"
        "except Exception: pass\n"
        # The peak of this process alone: that of `getrusage` is at least what its parent had.
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, too_long], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 500_000  # kB
