"""Outputs named as the DANDI archive has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from nwb_mepp.core.errors import UsageError
from nwb_mepp.workflows import WriteOptions
from nwb_mepp.workflows.batch import Failure, Job, Plan, dandi_name, with_dandi_names


def plan(**stated: WriteOptions) -> Plan:
    jobs = tuple(
        Job(path=Path(f"{name}.abf"), output=Path("out", name), write_options=options)
        for name, options in stated.items()
    )
    return Plan(folder=Path("out"), jobs=jobs, failures=(Failure(path=Path("x"), reason="y"),))


@pytest.mark.parametrize(
    ("subject", "session", "expected"),
    [
        ("m1", "s1", "sub-m1/sub-m1_ses-s1_icephys.nwb"),
        # An underscore would end the field, a dot or slash the name.
        ("m_1 (b)", "2020.01.31 µ", "sub-m-1-b/sub-m-1-b_ses-2020-01-31_icephys.nwb"),
    ],
)
def test_a_name_has_nothing_that_parts_its_fields(subject: str, session: str, expected: str) -> None:
    assert dandi_name(subject, session).as_posix() == expected


def test_outputs_are_named_after_options_and_metadata_file(tmp_path: Path) -> None:
    metadata = tmp_path / "m.yaml"
    metadata.write_text("subject:\n  subject_id: from-file\nsession:\n  session_id: one\n", encoding="utf-8")
    named = with_dandi_names(
        plan(
            a=WriteOptions(subject="m1", session_id="s1"),
            b=WriteOptions(metadata=metadata),
            c=WriteOptions(metadata=metadata, session_id="two"),
        )
    )
    assert [job.output.as_posix() for job in named.jobs] == [
        "out/sub-m1/sub-m1_ses-s1_icephys.nwb",
        "out/sub-from-file/sub-from-file_ses-one_icephys.nwb",
        "out/sub-from-file/sub-from-file_ses-two_icephys.nwb",
    ]
    assert named.failures == (Failure(path=Path("x"), reason="y"),)


def test_what_lacks_an_identifier_fails_alone() -> None:
    named = with_dandi_names(
        plan(
            a=WriteOptions(subject="m1"),
            b=WriteOptions(session_id="s1"),
            c=WriteOptions(subject="m", session_id="s"),
        )
    )
    assert [job.path.name for job in named.jobs] == ["c.abf"]
    assert [failure.reason for failure in named.failures[1:]] == [
        f"expected subject_id and session_id for `dandi_names`, found no {lacking}; state it in the "
        "`metadata` file or in `sessions`."
        for lacking in ("session_id", "subject_id")
    ]


def test_two_recordings_of_one_session_are_refused() -> None:
    same = WriteOptions(subject="m1", session_id="s1")
    with pytest.raises(
        UsageError,
        match=r"`dandi_names`: expected a session of its own for each recording, found a.abf and b.abf "
        r"both to be sub-m1_ses-s1_icephys.nwb; give `sessions` with a column session_id",
    ):
        with_dandi_names(plan(a=same, b=same))


def test_an_identifier_of_which_nothing_can_stand_in_a_name_fails_alone() -> None:
    named = with_dandi_names(
        plan(
            a=WriteOptions(subject="мышь", session_id="s1"),
            b=WriteOptions(subject="m1", session_id="№"),
            c=WriteOptions(subject="мышь 7", session_id="s1"),
        )
    )
    assert [job.output.name for job in named.jobs] == ["sub-7_ses-s1_icephys.nwb"]
    assert [failure.reason for failure in named.failures[1:]] == [
        f"expected a letter from A to Z or a digit in {name} for `dandi_names`, found {given!r}; state "
        "another one."
        for name, given in (("subject_id", "мышь"), ("session_id", "№"))
    ]
