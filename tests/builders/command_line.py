"""What a call of the command line gives, and what the builders' lab file leaves for it to state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from nwb_mepp.workflows.batch import event_columns

# What every run of a text file without date and unit has to state.
STATED = ("--unit", "V", "--session-start", "2026-01-15T10:00:00Z", "--detector", "matched_filter")

# What `events` prints first.
EVENT_COLUMNS = ",".join(column.name for column in event_columns())


@dataclass(frozen=True)
class Called:
    """What a call of the command line gave."""

    code: int
    out: str
    err: str


Call = Callable[..., Called]


def answer(monkeypatch: pytest.MonkeyPatch, command: str, said: bool) -> list[str]:
    """Answer what a command asks at a terminal; return the list into which its questions come."""
    questions: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        questions.append(question)
        return said

    monkeypatch.setattr(f"nwb_mepp.cli.{command}.at_terminal", lambda: True)
    monkeypatch.setattr(f"nwb_mepp.cli.{command}.typer.confirm", confirm)
    return questions
