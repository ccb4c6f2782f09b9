"""One line for each trial, appended as it ends, so that an interrupted run counts."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["LOST", "REFUSED", "SURVIVED", "Log", "Record", "read_records"]

SURVIVED, REFUSED, LOST = "survived", "refused", "lost"


@dataclass(frozen=True, kw_only=True)
class Record:
    """Outcome of one trial.

    Attributes
    ----------
    part, kind : str
    number : int
        Together with the seed of the run it gives the same trial again.
    outcome : {"survived", "refused", "lost"}
    detail : str
        What is wrong if it is lost; otherwise what is worth knowing.
    seconds : float
    figures : str
        Measured values, for the page.
    """

    part: str
    kind: str
    number: int
    outcome: str
    detail: str = ""
    seconds: float = 0.0
    figures: str = ""


class Log:
    """The file of records; several processes append to it, a line at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def add(self, record: Record) -> None:
        line = json.dumps({**asdict(record), "at": round(time.time())})
        os.write(self._descriptor, f"{line}\n".encode())


def read_records(path: Path) -> Iterator[Record]:
    """Return the records of a file; a line that was cut off ends it."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            content = json.loads(line)
        except ValueError:
            return
        content.pop("at")
        yield Record(**content)
