"""The harness of ``make faults``, briefly: it harms nothing, and notices what is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.children import Ended
from tests.faults.folders import damaged, hidden, missing
from tests.faults.mutations import Edit, applied, draw_edits
from tests.faults.page import PARTS, summary, write_page
from tests.faults.records import LOST, REFUSED, SURVIVED, Log, Record, read_records

PROJECT = Path(__file__).resolve().parents[2]
linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="forks, /proc and preloading are Linux's here"
)


@linux_only
def test_a_few_trials_of_each_part_lose_nothing(tmp_path: Path) -> None:
    parts = ["kills", "pair-kills", "pairs", "disk", "mutants"]
    options = [word for part in parts for word in ("--part", part)]
    called = subprocess.run(
        [sys.executable, "-m", "tests.faults", *options, "--brief", "--work", str(tmp_path), "--jobs", "1"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert called.returncode == 0, called.stderr + called.stdout
    found = {record.part for record in read_records(tmp_path / "records.jsonl")}
    assert found == set(PARTS) - {"load"}


def record(part: str, number: int, outcome: str, **stated: Any) -> Record:
    return Record(part=part, kind="run", number=number, outcome=outcome, **stated)


def test_the_page_counts_each_outcome(tmp_path: Path) -> None:
    log = Log(tmp_path / "records.jsonl")
    for number, outcome in enumerate([SURVIVED, SURVIVED, REFUSED, LOST]):
        log.add(record("pairs", number, outcome))
    log.add(record("load", 0, SURVIVED, figures="3 s, 200 MB"))
    page = tmp_path / "page.md"
    write_page(page, tmp_path / "records.jsonl", seed=5)
    text = page.read_text(encoding="utf-8")
    assert "| Two writers at once | 4 | 2 | 1 | 1 |" in text
    assert "| run | survived | 3 s, 200 MB |" in text
    assert "seed 5" in text
    assert summary(tmp_path / "records.jsonl")[1] == 1


def test_a_line_that_was_cut_off_ends_the_records(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    Log(path).add(record("pairs", 0, SURVIVED))
    path.write_text(path.read_text(encoding="utf-8") + '{"part": "pai', encoding="utf-8")
    assert list(read_records(path)) == [record("pairs", 0, SURVIVED)]


@pytest.mark.parametrize(
    ("code", "said", "fault"),
    [
        (0, "done", ""),
        (1, "nwb-mepp: a.abf: expected more.", ""),
        (-9, "", ""),
        (1, "", "failed without a sentence"),
        (-11, "", "exit code -11"),
        (1, "nwb-mepp: this is a bug in nwb-mepp (KeyError: 1)", "this is a bug in nwb-mepp"),
        (99, "Traceback (most recent call last):", "Traceback (most recent call last)"),
    ],
)
def test_what_no_user_should_see_is_a_fault(code: int, said: str, fault: str) -> None:
    assert Ended(code, said, 0.1, 1).fault() == fault


def test_a_hang_is_a_fault() -> None:
    assert Ended(-9, "", 61.0, 1, excess="time").fault() == "over the limit of time"


def test_a_file_that_is_none_of_what_it_may_be_is_noticed() -> None:
    old, new = {"a.nwb": "1", "mine.txt": "x"}, {"a.nwb": "2", "mine.txt": "x"}
    assert damaged({"a.nwb": "2", "mine.txt": "x"}, [old, new]) == ""
    assert damaged({"a.nwb": "3", "mine.txt": "x"}, [old, new]) == "a.nwb is none of what it may be"
    assert damaged({"a.nwb": "1"}, [old, new]) == "mine.txt is gone"
    assert missing({"a.nwb": "1", "mine.txt": "x"}, [new]) == "differs from what it should be in a.nwb"


def test_what_is_left_behind_is_noticed(tmp_path: Path) -> None:
    (tmp_path / ".a.nwb.nwb-mepp-lock").touch()
    (tmp_path / ".nwb-mepp.json").touch()
    assert hidden(tmp_path) == [".a.nwb.nwb-mepp-lock"]


def test_edits_give_the_same_bytes_again() -> None:
    import random

    content = b"Time_ms,Voltage\n0,-0.07\n0.1,-0.0701\n"
    first, second = (draw_edits(content, random.Random(3), text=True) for _ in range(2))
    assert applied(content, first) == applied(content, second)
    assert applied(b"abc", [Edit(1, 1, b"XY"), Edit(0, 0, b"-")]) == b"-aXYc"


def test_the_corpus_names_inputs_that_the_harness_writes() -> None:
    recipes = json.loads((Path(__file__).with_name("corpus.json")).read_text(encoding="utf-8"))
    assert recipes
    for one in recipes:
        assert {"base", "edits", "was"} <= set(one)
