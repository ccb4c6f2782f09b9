"""What a user states about series instead of what their file says, and where a file keeps it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.core.results import SummaryRow
from nwb_mepp.nwb.file_interface import NwbContents
from nwb_mepp.nwb.summary_table import read_summary

__all__ = ["Statement", "Statements", "refuse_contradictions"]

_Value = TypeVar("_Value")
_STATED = re.compile(r"(?:^|; )(unit|gain|sampling_rate_hz)=([^;]*)")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What is stated about one channel.

    Attributes
    ----------
    unit : str or None
        Instead of the one in the file; the numbers stay.
    gain : float or None
        By which the numbers are divided.
    sampling_rate_hz : float or None
        Instead of the one in the file.
    """

    unit: str | None = None
    gain: float | None = None
    sampling_rate_hz: float | None = None

    def described(self) -> dict[str, object]:
        """Return what is stated, for the settings in a row of the summary."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Statements:
    """What is stated about the channels of a file.

    Attributes
    ----------
    unit, gain, sampling_rate_hz : mapping of str to str or float
        By channel, ``""`` standing for every channel (:class:`Statement`).

    Examples
    --------
    >>> Statements(unit={"": "V", "Im": "pA"}, gain={"Vm": 10.0}).of("Vm").described()
    {'unit': 'V', 'gain': 10.0}
    """

    unit: Mapping[str, str] = field(default_factory=dict)
    gain: Mapping[str, float] = field(default_factory=dict)
    sampling_rate_hz: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def in_rows(cls, rows: Iterable[SummaryRow]) -> Statements:
        """Return what was stated when the rows of a summary were made."""
        found: dict[str, dict[str, str]] = {"unit": {}, "gain": {}, "sampling_rate_hz": {}}
        for row in rows:
            for name, value in _STATED.findall(row.settings):
                found[name][row.channel] = value
        return cls(
            unit=found["unit"],
            gain={channel: float(gain) for channel, gain in found["gain"].items()},
            sampling_rate_hz={channel: float(rate) for channel, rate in found["sampling_rate_hz"].items()},
        )

    @classmethod
    def in_file(cls, file: NwbContents) -> Statements:
        """Return what the summary of a file says was stated."""
        try:
            return cls.in_rows(read_summary(file))
        except ReadError:  # of another program, which is said where results are read
            return cls()

    def of(self, *names: str) -> Statement:
        """Return what is stated about a channel, by the first of its names that is given."""
        return Statement(
            unit=_first(self.unit, names),
            gain=_first(self.gain, names),
            sampling_rate_hz=_first(self.sampling_rate_hz, names),
        )

    def check(self, channels: Iterable[str], *, path: str) -> None:
        """Refuse a name that no channel has.

        Raises
        ------
        UsageError
        """
        known = list(dict.fromkeys(channels))
        for option, stated in (("unit", self.unit), ("gain", self.gain)):
            for channel in stated:
                if channel and channel not in known:
                    raise UsageError(
                        f"`{option}`: {path} has no channel {channel!r}; its channels are "
                        f"{', '.join(map(repr, known))}."
                    )

    def refuse_common_gain(self, units: Mapping[str, str], *, path: str) -> None:
        """Refuse one gain for voltages and currents: an amplifier has one for each.

        Parameters
        ----------
        units : mapping of str to str
            By channel.
        path : str

        Raises
        ------
        UsageError
        """
        affected = {channel: unit for channel, unit in units.items() if channel not in self.gain}
        if "" not in self.gain or len(set(affected.values())) < 2:
            return
        listed = ", ".join(f"{channel!r} in {unit}" for channel, unit in list(affected.items())[:5])
        gain = self.gain[""]
        raise UsageError(
            f"`gain`: expected a gain for channels of one kind, found {gain:g} for channels of {path} that "
            f"differ ({listed}); say which it is for with `gain={{{next(iter(affected))!r}: {gain:g}}}`."
        )


def _first(stated: Mapping[str, _Value], names: Iterable[str]) -> _Value | None:
    return next((stated[name] for name in (*names, "") if name in stated), None)


def refuse_contradictions(rows: Iterable[SummaryRow]) -> None:
    """Refuse rows of one channel for which different things were stated.

    Raises
    ------
    UsageError
    """
    first: dict[str, tuple[str, Statement]] = {}
    for row in rows:
        stated = Statements.in_rows([row]).of(row.channel)
        detector, before = first.setdefault(row.channel, (row.detector, stated))
        if before != stated:
            raise UsageError(
                f"expected one unit, gain and sampling rate of channel {row.channel!r} for all detectors, "
                f"found {_text(before)} for {detector} and {_text(stated)} for {row.detector}; run both "
                f"again together, with `detectors={{'{detector}', '{row.detector}'}}`."
            )


def _text(stated: Statement) -> str:
    pairs = (f"{name} {value}" for name, value in stated.described().items())
    return ", ".join(pairs) or "those in the file"
