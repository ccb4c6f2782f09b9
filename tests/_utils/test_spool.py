"""Rows that are kept outside of memory come back as they were."""

from __future__ import annotations

import tempfile
import tracemalloc

import numpy as np
import pytest

from nwb_mepp._utils import spool
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


@pytest.mark.parametrize("most_at_once", [0, 1 << 23])
@pytest.mark.parametrize("indices", [[3], [4, 5, 6], [7, 3, 5, 5], [3, 9]])
def test_rows_of_equal_length_come_stacked_in_the_order_asked_for(
    indices: list[int], most_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_MOST_AT_ONCE", most_at_once)
    rows = Spool(max_bytes=100)
    # Before the last one there is a row of another length.
    made = [np.arange(float(number), number + length) for number, length in enumerate([2] * 8 + [4, 2])]
    for row in made:
        rows.append(row)
    found = rows.stacked(np.array(indices))
    np.testing.assert_array_equal(found, [made[index] for index in indices])
    # What was read does not keep the rows from growing.
    rows.append(np.ones(2))
    assert len(rows) == 11


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
