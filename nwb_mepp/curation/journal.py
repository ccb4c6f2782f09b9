"""The journal of a review: every decision is on the disk before the page shows it.

A journal is a text file of JSON, a line for each decision; the first line holds all that was there at the
beginning, so that the journal alone says how things stand. A last line that an interruption has cut short is
left out, and removed when the review goes on.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nwb_mepp._utils.atomic_files import complete_or_absent
from nwb_mepp._utils.process_identity import short_hash
from nwb_mepp.core.errors import OutputError, ReadError
from nwb_mepp.core.safe_text import json_text
from nwb_mepp.curation.decisions import Change, History, Review
from nwb_mepp.curation.rows import from_plain, plain

__all__ = ["Beginning", "Journal", "Told", "journal_place", "read_journal"]

VERSION = 1
_VERSION_KEY = "nwb_mepp_review"


@dataclass(frozen=True)
class Beginning:
    """What was there when a review began.

    Attributes
    ----------
    about : mapping of str to str
        File, table, channel, unit and reviewer.
    base : str
        Checksum of the tables that the review was begun from.
    review : Review
    """

    about: Mapping[str, str]
    base: str
    review: Review


@dataclass(frozen=True)
class Told:
    """What a journal tells.

    Attributes
    ----------
    beginning : Beginning
    history : History
        All that was decided since.
    base : str
        Checksum of the tables as they were when the decisions were last saved, else at the beginning.
    complete_bytes : int
        Length of the file without a line that was cut short.
    saved : bool
        Whether the file holds all that was decided.
    """

    beginning: Beginning
    history: History
    base: str
    complete_bytes: int
    saved: bool


def journal_place(path: Path, *, reviewer: str) -> tuple[Path, bool]:
    """Return where the journal of a file belongs, and whether that is beside it.

    Parameters
    ----------
    path : Path
        The NWB file.
    reviewer : str
        May be empty.

    Returns
    -------
    place : Path
        Beside the file; in the user's folder for states (``$XDG_STATE_HOME``) if the file or its folder is
        read-only.
    beside : bool
    """
    name = f"{path.name}.review{'-' if reviewer else ''}{reviewer}.jsonl"
    # An administrator may write everything, but a file that is marked read-only is not replaced.
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) and path.stat().st_mode & stat.S_IWUSR:
        return path.with_name(name), True
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "nwb-mepp" / "review" / f"{short_hash(str(path.resolve()))}-{name}", False


def read_journal(place: Path) -> Told | None:
    """Return what a journal tells, None if there is none.

    Raises
    ------
    ReadError
        If it is not a journal, or a line but the last is damaged.
    """
    try:
        content = place.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ReadError(f"expected to read the journal {place}, found: {error.strerror}.") from error
    complete = content[: content.rfind(b"\n") + 1]
    lines = complete.splitlines()
    if not lines:
        return None
    number = 1
    try:
        beginning = _beginning(json.loads(lines[0]))
        history, base, saved = History(beginning.review), beginning.base, True
        for number, line in enumerate(lines[1:], start=2):  # noqa: B007 - for the message
            entry = json.loads(line)
            base, saved = entry.get("base", base), entry["do"] == "save"
            _repeat(history, entry)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ReadError(
            f"expected the journal of a review in {place}, found that its line {number} is not one of "
            "nwb-mepp; move the file away to begin anew."
        ) from error
    return Told(beginning, history, base, len(complete), saved)


def _repeat(history: History, entry: Mapping[str, Any]) -> None:
    what = entry["do"]
    if what == "undo":
        history.undo()
    elif what == "redo":
        history.redo()
    elif what != "save":
        history.do(_change(entry))


class Journal:
    """A journal that is open for writing.

    Parameters
    ----------
    place : Path
        Of a complete journal, see :meth:`begin`.
    length : int
        Of its complete lines; what follows is cut off.

    Raises
    ------
    OutputError
        If it cannot be written.
    """

    def __init__(self, place: Path, *, length: int) -> None:
        self.place = place
        self._length = length
        try:
            self._file = place.open("r+b", buffering=0)
            self._file.truncate(length)
        except OSError as error:
            raise _refused(place, error) from error

    @classmethod
    def begin(cls, place: Path, beginning: Beginning) -> Journal:
        """Begin a journal; what stands there is replaced in one step.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        line = _line(_described(beginning))
        with complete_or_absent(place) as temporary:
            temporary.write_bytes(line)
        return cls(place, length=len(line))

    def change(self, change: Change) -> None:
        """Write a change; when this returns, it is on the disk.

        Raises
        ------
        OutputError
            If it cannot be written; nothing of it is in the journal then.
        """
        rows = {name: None if row is None else plain(row) for name, row in change.rows.items()}
        entry: dict[str, Any] = {"do": change.name, "at": change.at, "rows": rows}
        if change.excluded is not None:
            entry["excluded"] = change.excluded
        self._append(entry)

    def note(self, what: str, **further: str) -> None:
        """Write that something was undone, repeated or saved; raises as :meth:`change`."""
        self._append({"do": what, **further})

    def _append(self, entry: Mapping[str, Any]) -> None:
        line = _line(entry)
        try:
            self._file.seek(self._length)
            written = 0
            while written < len(line):
                written += self._file.write(line[written:]) or 0
            os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(self._length)
            raise _refused(self.place, error) from error
        self._length += len(line)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _refused(place: Path, error: OSError) -> OutputError:
    return OutputError(
        f"expected to write the journal {place}, found: {error.strerror}; the decision was not taken. Check "
        "the folder's permissions and free space, then decide again."
    )


def _line(entry: Mapping[str, Any]) -> bytes:
    return json_text(entry).encode() + b"\n"


def _described(beginning: Beginning) -> dict[str, Any]:
    rows = beginning.review.rows
    columns = list(next(iter(rows.values()), {}))
    table = {name: list(map(plain(row).get, columns)) for name, row in rows.items()}
    return {
        _VERSION_KEY: VERSION,
        **beginning.about,
        "base": beginning.base,
        "excluded": beginning.review.excluded,
        "columns": columns,
        "rows": table,
    }


def _beginning(entry: Mapping[str, Any]) -> Beginning:
    if entry[_VERSION_KEY] != VERSION:
        raise ValueError("expected another version")
    columns = entry["columns"]
    rows = {
        name: from_plain(dict(zip(columns, values, strict=True))) for name, values in entry["rows"].items()
    }
    known = {_VERSION_KEY, "base", "excluded", "columns", "rows"}
    about = {name: str(value) for name, value in entry.items() if name not in known}
    return Beginning(about, entry["base"], Review(rows, _stretches(entry["excluded"])))


def _change(entry: Mapping[str, Any]) -> Change:
    rows = {name: None if row is None else from_plain(row) for name, row in entry["rows"].items()}
    excluded = _stretches(entry["excluded"]) if "excluded" in entry else None
    return Change(entry["do"], rows, excluded, at=entry["at"])


def _stretches(listed: list[list[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(start_s), float(stop_s)) for start_s, stop_s in listed)
