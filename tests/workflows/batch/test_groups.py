"""Failures and skipped files with one reason are put together."""

from __future__ import annotations

from pathlib import Path

from nwb_mepp.workflows.batch import Failure, group_by_reason, group_by_suffix


def test_reasons_that_differ_in_names_and_numbers_are_one() -> None:
    failures = [
        Failure(path=Path(f"day1/run{number}.abf"), reason=f"run{number}.abf has {number * 11} bytes.")
        for number in (1, 2, 3)
    ]
    other = Failure(path=Path("b.abf"), reason="it has no unit.")
    first, second = group_by_reason([failures[0], other, *failures[1:]])
    assert (first.first, len(first.members)) == (failures[0], 3)
    assert second.members == (other,)


def test_skipped_files_are_grouped_by_suffix_and_reason() -> None:
    skipped = [Failure(path=Path(name), reason="export it") for name in ("a.adicht", "b.ADICHT", "c.pl2")]
    assert [len(group.members) for group in group_by_suffix(skipped)] == [2, 1]
