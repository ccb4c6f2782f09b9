"""The start of a session as an unambiguous time, as stated by the file, the user or both; never guessed."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta, tzinfo
from os import PathLike
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from nwb_mepp.core.errors import MetadataError

__all__ = ["resolve_session_start"]

# The time in the file may have a fraction of a second that the user omits.
TOLERANCE = timedelta(seconds=1)
FILE = "the file"

# What strptime's directives match in a file name. The number of digits is fixed, so 171116 is not 17-1-11.
_DIRECTIVES = {
    "Y": r"\d{4}", "y": r"\d{2}", "j": r"\d{3}",
    "m": r"\d{2}", "b": r"[^\W\d_]+", "B": r"[^\W\d_]+", "d": r"\d{2}",
    "H": r"\d{2}", "I": r"\d{2}", "p": r"[AaPp][Mm]", "M": r"\d{2}", "S": r"\d{2}", "f": r"\d{1,6}",
    "z": r"(?:[+-]\d{2}:?\d{2}|Z)", "%": "%",
}  # fmt: skip


def resolve_session_start(
    found: datetime | None,
    *,
    given: str | None = None,
    timezone: str | None = None,
    path: str | PathLike[str] | None = None,
    start_from: str | None = None,
    override: bool = False,
) -> datetime:
    """Return the start of a recording, with its time zone.

    The time in the file has priority. ``given`` may confirm or complete it, but contradict it only with
    ``override``; ``timezone`` completes a time without time zone; ``start_from`` is used if the file states
    no time (or, with ``override``, in any case).

    Parameters
    ----------
    found : datetime or None
        The time stated in the file, with or without time zone.
    given : str, optional
        ISO 8601 with date and time (``--session-start``).
    timezone : str, optional
        Name in the IANA time zone database (``--timezone``).
    path : path-like, optional
        Path of the recording, for ``start_from``.
    start_from : str, optional
        ``"mtime"``, the modification time of the file; or ``"filename:PATTERN"``, a date in the name of the
        file in the format of :meth:`datetime.datetime.strptime`, anywhere in the name, but not within a
        longer run of digits. Without ``%H`` the time is midnight (``--session-start-from``).
    override : bool, default False
        Let what the user states prevail over the file (``--override``).

    Returns
    -------
    datetime
        With a time zone, not in the future.

    Raises
    ------
    MetadataError
        If no start is stated, a time zone is missing or unknown, the local time did not exist or occurred
        twice (because the clocks changed), two statements contradict each other, or the time is in the
        future.

    Examples
    --------
    >>> from datetime import datetime
    >>> resolve_session_start(datetime(2017, 11, 16, 10, 5), timezone="America/New_York").isoformat()
    '2017-11-16T10:05:00-05:00'
    >>> resolve_session_start(
    ...     None, path="171116sh_0020.abf", start_from="filename:%y%m%d", timezone="UTC"
    ... ).isoformat()
    '2017-11-16T00:00:00+00:00'
    """
    zone = _zone(timezone) if timezone is not None else None
    if given is not None and start_from is not None:
        raise MetadataError("expected one of `session_start` and `session_start_from`, found both; omit one.")
    if given is not None:
        start = _given(given, found, zone, override=override)
    elif start_from is not None and (found is None or override):
        start = _derived(start_from, path, zone)
    elif found is not None:
        start = _completed(found, zone, stated_by=FILE, override=override)
    else:
        raise MetadataError(
            "expected a session start, found none in the file; give `session_start` (such as "
            "2020-01-31T09:30:00+01:00) or `session_start_from` (mtime or filename:PATTERN)."
        )
    if start > datetime.now(UTC):
        raise MetadataError(
            f"expected a session start in the past, found {start.isoformat()}; correct it with "
            + ("`session_start` and `override=True`." if found is not None else "`session_start`.")
        )
    return start


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        nearest = difflib.get_close_matches(name, available_timezones(), n=1)
        advice = f"did you mean {nearest[0]}?" if nearest else "give a name such as Europe/Berlin or UTC."
        raise MetadataError(
            f"expected a time zone from the IANA database, found {name!r}; {advice}"
        ) from error


def _given(text: str, found: datetime | None, zone: ZoneInfo | None, *, override: bool) -> datetime:
    """Return the start that the user states, after comparing it with the file."""
    try:
        start = datetime.fromisoformat(text)
    except ValueError as error:
        raise MetadataError(
            f"`session_start`: expected ISO 8601, such as 2020-01-31T09:30:00+01:00, found {text!r}."
        ) from error
    if not re.search(r"\d[T ]\d", text):
        raise MetadataError(
            f"expected a time of day in `session_start`, found only a date, {text!r}; write {text}T09:30:00 "
            "with the actual time."
        )
    start = _completed(start, zone, stated_by="`session_start`")
    if found is None or override:
        return start
    # If the file states no time zone, local times are compared.
    difference = start - found if found.utcoffset() is not None else start.replace(tzinfo=None) - found
    if abs(difference) > TOLERANCE:
        raise MetadataError(
            f"expected `session_start` to agree with the file, found {text} against {found.isoformat()} in "
            "the file; drop `session_start` (and give `timezone`), or give `override=True` if the "
            "file is wrong."
        )
    return start


def _completed(start: datetime, zone: ZoneInfo | None, *, stated_by: str, override: bool = False) -> datetime:
    """Return a time with its own time zone, or else with the one that the user states."""
    if start.utcoffset() is None:
        if zone is None:
            raise MetadataError(
                f"expected a time zone, found {start.isoformat()} without one in {stated_by}; give "
                "`timezone`, such as Europe/Berlin."
            )
        return _localized(start, zone)
    if zone is None:
        return start
    local = start.astimezone(zone)
    if local.utcoffset() != start.utcoffset():
        if not override:
            remedy = (
                f", or give `override=True` to take its local time in {zone.key}" if stated_by == FILE else ""
            )
            raise MetadataError(
                f"expected `timezone` to agree with {stated_by}, found {zone.key} ({local.isoformat()}) "
                f"against {start.isoformat()}; drop `timezone`{remedy}."
            )
        return _localized(start.replace(tzinfo=None), zone)
    return local


def _localized(clock: datetime, zone: tzinfo) -> datetime:
    """Return a local time in a time zone; raise if it is ambiguous or did not exist."""
    first, second = (clock.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    exists = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == clock
    reason = "occurred twice" if exists else "did not exist"
    example = f"{clock.isoformat()}{first.isoformat()[-6:]}"
    raise MetadataError(
        f"expected an unambiguous local time, found {clock.isoformat()}, which {reason} in {zone} because "
        f"the clocks changed; give `session_start` with an offset, such as {example}."
    )


def _derived(start_from: str, path: str | PathLike[str] | None, zone: ZoneInfo | None) -> datetime:
    """Return the start given by the modification time or the name of the file."""
    if path is None:
        raise ValueError("expected the path of the recording because start_from is given, found None.")
    if start_from == "mtime":
        try:
            seconds = Path(path).stat().st_mtime
        except OSError as error:
            raise MetadataError(
                f"expected {path} to have a modification time (`session_start_from='mtime'`), found no file; "
                "check the path."
            ) from error
        return datetime.fromtimestamp(seconds, UTC).astimezone(zone)
    kind, _, pattern = start_from.partition(":")
    if kind != "filename" or not pattern:
        raise MetadataError(
            f"`session_start_from`: expected mtime or filename:PATTERN (such as filename:%Y%m%d), found "
            f"{start_from!r}; give one of these."
        )
    start = _from_name(Path(path).stem, pattern)
    return _completed(start, zone, stated_by="the name of the file")


def _from_name(stem: str, pattern: str) -> datetime:
    expression = _expression(pattern)
    matches = set()
    # A lookahead, because matches may overlap.
    for match in re.finditer(f"(?=({expression}))", stem):
        try:
            matches.add(datetime.strptime(match[1], pattern))
        except ValueError:
            continue  # digits that do not form a date
    if len(matches) != 1:
        found = "none" if not matches else " and ".join(sorted(match.isoformat() for match in matches))
        raise MetadataError(
            f"expected one date like {pattern!r} in the file name {stem!r}, found {found}; correct the "
            "pattern of `session_start_from='filename:PATTERN'`."
        )
    return matches.pop()


def _expression(pattern: str) -> str:
    """Return the regular expression that matches a strptime pattern."""
    parts = re.split(r"(%.?)", pattern)
    letters = [part[1:] for part in parts[1::2]]
    unknown = [letter for letter in letters if letter not in _DIRECTIVES]
    if unknown:
        known = " ".join(f"%{letter}" for letter in _DIRECTIVES)
        raise MetadataError(
            f"expected directives among {known} in {pattern!r} (`session_start_from`), found "
            f"'%{unknown[0]}'; correct the pattern."
        )
    has_day = "j" in letters or ("d" in letters and {"m", "b", "B"} & set(letters))
    if not ({"Y", "y"} & set(letters) and has_day):
        raise MetadataError(
            f"expected year, month and day in the pattern {pattern!r} (`session_start_from`), found only "
            "some of them; complete it, for example %Y%m%d."
        )
    expression = "".join(
        _DIRECTIVES[part[1:]] if number % 2 else re.escape(part) for number, part in enumerate(parts)
    )
    before = r"(?<!\d)" if expression.startswith(r"\d") else ""
    after = r"(?!\d)" if expression.endswith("}") else ""
    return f"{before}{expression}{after}"
