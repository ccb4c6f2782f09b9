"""Outputs named after subject and session, as in the DANDI archive."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from nwb_mepp.core.errors import MeppError, MetadataError, UsageError
from nwb_mepp.workflows import stated_metadata
from nwb_mepp.workflows.batch.plan import Failure, Job, Plan

__all__ = ["dandi_name", "with_dandi_names"]

# Underscores part the fields of a name, and a dash parts the key of a field from its value.
_REPLACED = re.compile(r"[^A-Za-z0-9-]+")


def dandi_name(subject_id: str, session_id: str) -> Path:
    """Return where the archive puts the recording of a session, relative to the folder of the data set.

    Parameters
    ----------
    subject_id, session_id : str

    Returns
    -------
    Path

    Raises
    ------
    MetadataError
        If nothing of one of them can stand in a name.

    Examples
    --------
    >>> dandi_name("mouse_12", "2020-01-31 fiber 3").as_posix()
    'sub-mouse-12/sub-mouse-12_ses-2020-01-31-fiber-3_icephys.nwb'
    """
    subject, session = (_REPLACED.sub("-", text).strip("-") for text in (subject_id, session_id))
    for name, given, kept in (("subject_id", subject_id, subject), ("session_id", session_id, session)):
        if not kept:
            raise MetadataError(
                f"expected a letter from A to Z or a digit in {name} for `dandi_names`, found {given!r}; "
                "state another one."
            )
    return Path(f"sub-{subject}", f"sub-{subject}_ses-{session}_icephys.nwb")


def with_dandi_names(plan: Plan) -> Plan:
    """Return a plan whose outputs are named after subject and session; recordings that lack one of them fail.

    Parameters
    ----------
    plan : Plan

    Raises
    ------
    UsageError
        If two recordings are of the same session of the same subject.
    """
    jobs: dict[str, Job] = {}
    failures = list(plan.failures)
    for job in plan.jobs:
        try:
            named = replace(job, output=plan.folder / _name_of(job))
        except MeppError as error:
            failures.append(Failure.because(job.path, str(error)))
            continue
        other = jobs.setdefault(os.path.normcase(named.output), named)
        if other is not named:
            raise UsageError(
                f"`dandi_names`: expected a session of its own for each recording, found {other.path} and "
                f"{job.path} both to be {named.output.name}; give `sessions` with a column session_id."
            )
    return replace(plan, jobs=tuple(jobs.values()), failures=tuple(failures))


def _name_of(job: Job) -> Path:
    stated = stated_metadata(job.write_options)
    subject_id, session_id = stated.subject.subject_id, stated.session.session_id
    if subject_id is None or session_id is None:
        lacking = "subject_id" if subject_id is None else "session_id"
        raise MetadataError(
            f"expected subject_id and session_id for `dandi_names`, found no {lacking}; state it in the "
            "`metadata` file or in `sessions`."
        )
    return dandi_name(subject_id, session_id)
