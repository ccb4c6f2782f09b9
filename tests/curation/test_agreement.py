"""What two people agree on, against numbers worked out by hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from builders.reviews import row_at
from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.curation.agreement import Difference, agreements_in, compare, consensus_rows
from nwb_mepp.curation.session import Session
from nwb_mepp.nwb import open_for_review, read_events

WHO = ("anna", "ben")


def test_f1_kappa_and_differences_are_those_worked_out_by_hand() -> None:
    anna = [row_at(0.1 * number, status="accepted") for number in range(1, 7)]
    anna += [row_at(0.1 * number, status="rejected") for number in range(7, 10)]
    ben = [row_at(0.1 * number + 0.001, status="accepted") for number in range(1, 5)]
    ben += [row_at(0.1 * number, status="rejected") for number in range(5, 9)]
    ben += [row_at(0.9, status="accepted", kind="artifact"), row_at(1.5, status="added")]
    found = compare(anna, ben, reviewers=WHO, channel="Vm")
    # Ten candidates: both say yes to 4 and no to 3; anna says yes to 6, ben to 5.
    assert found.f1 == pytest.approx(2 * 4 / (6 + 5))
    by_chance = 0.6 * 0.5 + 0.4 * 0.5
    assert found.kappa == pytest.approx((0.7 - by_chance) / (1 - by_chance))
    assert (found.n_candidates, found.n_undecided) == (10, 0)
    assert found.differences == (
        Difference(0.5, ("accepted", "rejected")),
        Difference(pytest.approx(0.6), ("accepted", "rejected")),
        Difference(1.5, ("not there", "added")),
    )


def test_what_is_undecided_is_left_out_and_numbers_may_be_undefined() -> None:
    found = compare(
        [row_at(0.1), row_at(0.2, status="rejected")],
        [row_at(0.1, status="accepted"), row_at(0.2, status="rejected")],
        reviewers=WHO,
        channel="Vm",
    )
    assert (found.n_candidates, found.n_undecided) == (1, 1)
    assert np.isnan([found.f1, found.kappa]).all()
    nothing = compare([], [], reviewers=WHO, channel="Vm")
    assert np.isnan([nothing.f1, nothing.kappa]).all()


@pytest.fixture(scope="module")
def twice(annotated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that two people reviewed, who differ in one event."""
    path = Path(shutil.copy(annotated, tmp_path_factory.mktemp("twice") / "run07.nwb"))
    for reviewer, rejected in (("anna", ["2"]), ("ben", ["2", "5"])):
        with Session(path, reviewer=reviewer) as session:
            session.decide(session.decider.accept(session.history.now, session.history.now.rows))
            session.decide(session.decider.reject(session.history.now, rejected))
            session.save()
    return path


def test_the_differences_are_walked_through_and_a_consensus_is_saved(twice: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(twice, tmp_path / "run07.nwb"))
    (found,) = agreements_in(path)
    assert found.reviewers == WHO
    (table,) = read_events(path, table="curated_ben")
    assert table.curation is not None
    assert table.curation.reviewer.tolist() == ["ben"] * 8
    assert [one.decisions for one in found.differences] == [("accepted", "rejected")]
    with Session(path, rows=consensus_rows) as session:
        rows = session.history.now.rows
        assert [name for name, row in rows.items() if row["status"] == "unreviewed"] == ["5"]
        assert rows["5"]["note"] == "anna: accepted; ben: rejected"
        assert [row["status"] for row in rows.values()].count("accepted") == 6
        session.decide(session.decider.accept(session.history.now, ["5"]))
        session.save()
    (table,) = read_events(path, table="mepps_curated", accepted_only=True)
    assert len(table.mepps) == 7


def test_the_command_prints_numbers_and_differences(twice: Path, call) -> None:  # type: ignore[no-untyped-def]
    called = call("agreement", twice)
    assert called.code == 0
    first, heading, difference = called.out.splitlines()
    assert first == "anna and ben on Voltage: F1 0.923, Cohen's kappa 0.600 (8 candidates)"
    assert heading.split() == ["peak_time", "anna", "ben"]
    assert difference.split()[1:] == ["accepted", "rejected"]
    assert '"kappa": 0.6' in call("agreement", twice, "--format", "json").out


def test_one_reviewer_alone_agrees_with_nobody(annotated: Path, twice: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ReadError, match=r"expected tables of two reviewers in .*, found none; let each review"
    ):
        agreements_in(annotated)
    path = Path(shutil.copy(twice, tmp_path / "three.nwb"))
    with h5py.File(path, "r+") as file:
        file["processing/icephys/mepp_detections/detector"][-1] = "miniunet"
        file.move("intervals/mepps_curated_ben", "intervals/mepps_miniunet")
    with pytest.raises(ReadError, match=r"two reviewers in .*three\.nwb, found anna"):
        agreements_in(path)


def test_three_reviewers_have_no_common_disagreement(twice: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(twice, tmp_path / "three.nwb"))
    with Session(path, reviewer="cleo") as session:
        session.save()
    assert [one.reviewers for one in agreements_in(path)] == [WHO, ("anna", "cleo"), ("ben", "cleo")]
    with (
        open_for_review(path) as file,
        pytest.raises(UsageError, match=r"two reviewers on one channel, found anna on Voltage, ben on"),
    ):
        consensus_rows(file)
