"""Failures and skipped files of a batch, those with one reason together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from nwb_mepp.workflows.batch.plan import Failure

__all__ = ["Group", "group_by_reason", "group_by_suffix"]

_NUMBERS = re.compile(r"\d+(?:\.\d+)?")


class Group(NamedTuple):
    """Files that failed, or were skipped, for one reason; the first of them is the example."""

    members: tuple[Failure, ...]

    @property
    def first(self) -> Failure:
        """The example."""
        return self.members[0]


def group_by_reason(failures: Sequence[Failure]) -> list[Group]:
    """Put those together whose reasons differ only in the name of the file and in numbers.

    Parameters
    ----------
    failures : sequence of Failure

    Returns
    -------
    list of Group
        In the order of their first members.

    Examples
    --------
    >>> from pathlib import Path
    >>> same = [Failure(path=Path(name), reason=f"{name} is empty.") for name in ("a.abf", "b.abf")]
    >>> [(group.first.path.name, len(group.members)) for group in group_by_reason(same)]
    [('a.abf', 2)]
    """
    groups: dict[str, list[Failure]] = {}
    for one in failures:
        reason = one.reason
        for name in (str(one.path), one.path.name, one.path.stem):
            reason = reason.replace(name, "FILE") if name else reason
        groups.setdefault(_NUMBERS.sub("N", reason), []).append(one)
    return [Group(tuple(members)) for members in groups.values()]


def group_by_suffix(skipped: Sequence[Failure]) -> list[Group]:
    """Put those together that have one suffix and one reason.

    Parameters
    ----------
    skipped : sequence of Failure

    Returns
    -------
    list of Group
        In the order of their first members.
    """
    groups: dict[tuple[str, str], list[Failure]] = {}
    for one in skipped:
        groups.setdefault((one.path.suffix.lower(), one.reason), []).append(one)
    return [Group(tuple(members)) for members in groups.values()]
