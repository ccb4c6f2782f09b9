"""Do each work once, in a process of its own, and note what it took."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.works import Work


def test_cost(work: Work, interpreter: Path, benchmark: Any, pytestconfig: pytest.Config) -> None:
    """Measure a work."""
    checkout = pytestconfig.getoption("--checkout").resolve()
    costs: list[dict[str, float]] = []
    benchmark.pedantic(lambda: costs.append(cost_of(work, python=interpreter, checkout=checkout)), rounds=1)
    benchmark.extra_info.update(work=work.name, group=work.group, peer=work.peer, **costs[0])


def cost_of(work: Work, *, python: Path, checkout: Path) -> dict[str, float]:
    """Return seconds and megabytes that a program took."""
    for argument in map(Path, work.arguments):
        if argument.parent.name == "out":  # what is there already would be kept
            shutil.rmtree(argument, ignore_errors=True)
            argument.unlink(missing_ok=True)
    began_s = time.perf_counter()
    done = subprocess.run(
        [python, "-W", "ignore", "-c", work.code, *work.arguments],
        capture_output=True,
        text=True,
        check=False,
        # Code that is given as text imports from where it runs before anything that is installed.
        cwd=checkout,
        env={name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"},
    )
    wall_s = time.perf_counter() - began_s
    assert done.returncode == 0, done.stderr
    return {"wall_s": wall_s, **json.loads(done.stderr.splitlines()[-1])}
