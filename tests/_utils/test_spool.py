"""Rows that are kept outside of memory come back as they were."""

from __future__ import annotations

import tempfile
import tracemalloc

import numpy as np
import pytest

from nwb_mepp._utils.spool import Spool
from nwb_mepp.core.errors import OutputError


def test_rows_come_back_in_any_order_also_beyond_the_limit() -> None:
    rows = Spool(max_bytes=100)
    made = [np.arange(float(number), 2.0 * number) for number in range(20)]
    for row in made:
        rows.append(row)
        np.testing.assert_array_equal(rows[0], made[0])
    assert len(rows) == 20
    for number in reversed(range(20)):
        np.testing.assert_array_equal(rows[number], made[number])


def test_memory_does_not_grow_beyond_the_limit() -> None:
    row = np.ones(1_000)
    rows = Spool(max_bytes=80_000)
    tracemalloc.start()
    for _ in range(2_000):  # 16 MB
        rows.append(row)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> object:
        class File:
            def seek(self, _: int) -> None: ...
            def close(self) -> None: ...
            def write(self, _: bytes) -> None:
                raise OSError(28, "No space left on device")

        return File()

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", full)
    with pytest.raises(OutputError, match=r"expected room for intermediate results in .*, found none"):
        Spool().append(np.ones(3))
