"""Validation of a file by pynwb and nwbinspector."""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from nwb_mepp._utils.bounded_memory import bounded_memory
from nwb_mepp.nwb.hdf5_access import open_hdf5
from nwb_mepp.nwb.schema_validation import schema_errors

__all__ = ["Finding", "is_failure", "validate_nwb"]

# There is no atlas of muscles: for mice, nwbinspector expects a term of the Allen *brain* atlas as the
# location of an electrode, and its own message says to ignore the check if that does not fit.
DEMOTED = ["check_intracellular_electrode_location_allen_ccf"]
# Errors in the checks themselves or of the schema, and whatever makes data wrong or hard to use.
FAILURES = {"ERROR", "PYNWB_VALIDATION", "CRITICAL", "BEST_PRACTICE_VIOLATION"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding about a file.

    Attributes
    ----------
    severity : str
        ``PYNWB_VALIDATION``, or nwbinspector's name for the importance: ``ERROR``, ``CRITICAL``,
        ``BEST_PRACTICE_VIOLATION`` or ``BEST_PRACTICE_SUGGESTION``.
    message : str
    location : str
        Path in the file.
    source : str
        ``"pynwb"``, or the name of nwbinspector's check.
    """

    severity: str
    message: str
    location: str
    source: str


def is_failure(finding: Finding) -> bool:
    """Return whether a finding makes a file unfit to share; a suggestion does not.

    Examples
    --------
    >>> is_failure(Finding(severity="BEST_PRACTICE_SUGGESTION", message="", location="/", source=""))
    False
    """
    return finding.severity in FAILURES


def validate_nwb(path: str | PathLike[str], *, dandi: bool = False) -> list[Finding]:
    """Check a file against the NWB schema and the best practices.

    Parameters
    ----------
    path : path-like
    dandi : bool, default False
        Weigh the findings as the DANDI archive does.

    Returns
    -------
    list of Finding
        Most severe first.

    Raises
    ------
    ReadError
        If the file cannot be opened as NWB.
    """
    place = Path(path)
    with open_hdf5(place):
        pass
    with warnings.catch_warnings():
        # What is wrong is among the findings, in their words.
        warnings.simplefilter("ignore")
        errors, inspected = schema_errors(place), _inspect(place, dandi=dandi)
    findings = [
        Finding(severity="PYNWB_VALIDATION", message=reason, location=location, source="pynwb")
        for location, _, reason in (error.partition(": ") for error in errors)
    ]
    findings += inspected
    order = ["ERROR", "PYNWB_VALIDATION", "CRITICAL", "BEST_PRACTICE_VIOLATION", "BEST_PRACTICE_SUGGESTION"]
    return sorted(
        findings, key=lambda one: (order.index(one.severity), one.location, one.source, one.message)
    )


def _inspect(path: Path, *, dandi: bool) -> list[Finding]:
    # nwbinspector takes a second to import, and only 'validate' needs it.
    import nwbinspector

    config = nwbinspector.load_config("dandi") if dandi else {}
    config = {**config, "BEST_PRACTICE_SUGGESTION": [*config.get("BEST_PRACTICE_SUGGESTION", ()), *DEMOTED]}
    # Both libraries warn and print; only their findings concern the user.
    with (
        bounded_memory(path),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        messages = list(nwbinspector.inspect_nwbfile(nwbfile_path=path, skip_validate=True, config=config))
    return [
        Finding(
            severity=message.importance.name,
            # The message of a check that crashed is a traceback: its last line says what happened.
            message=message.message.strip().splitlines()[-1]
            if message.importance.name == "ERROR"
            else message.message,
            location=message.location or f"/{message.object_name or ''}",
            source=message.check_function_name,
        )
        for message in messages
    ]
