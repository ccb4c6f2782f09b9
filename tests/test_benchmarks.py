"""The list of works that `make benchmark` does, and what it says of them; nothing is timed here."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def page() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_performance", PROJECT / "docs" / "make_performance.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = before
    return module


def test_every_work_is_a_program_with_a_name_of_its_own_and_an_aim_that_exists(page: ModuleType) -> None:
    works = list(page.works(page.inputs_of(1.0)))
    names = [one.name for one in works]
    assert len(set(names)) == len(names)
    assert {one.group for one in works} == set(page.HEADINGS)
    for one in works:
        compile(one.code, one.name, "exec")
        assert one.aim is None or one.aim.over in {"", *names}


@pytest.mark.parametrize(
    ("convert_s", "expected"),
    [(1.1, ("0.65 of conversion of 10 min by NeuroConv", "no: 0.688")), (1.0, ("0.65 of *", "yes"))],
)
def test_what_was_asked_is_compared_with_the_other_program(
    page: ModuleType, convert_s: float, expected: tuple[str, str]
) -> None:
    works = {one.name: one for one in page.works(page.inputs_of(1.0))}
    costs = {
        "`convert` of 10 min": {"wall_s": convert_s},
        "conversion of 10 min by NeuroConv": {"wall_s": 1.6},
    }
    asked, reached = page.verdict(works["`convert` of 10 min"], costs)
    assert asked.startswith(expected[0].rstrip("*"))
    assert reached == expected[1]
    assert page.verdict(works["`--help`"], costs) == ("", "")
    assert page.verdict(works["`run` of 60 s"], costs) == ("3 s", "not measured")


def test_runs_are_summed_up_by_their_median(page: ModuleType) -> None:
    runs = [{"wall_s": one, "cpu_s": 2 * one, "peak_mb": 100.0} for one in (1.0, 4.0, 2.0)]
    assert page.summed_up(runs) == {"wall_s": 2.0, "cpu_s": 4.0, "peak_mb": 100.0, "spread": 1.5}
