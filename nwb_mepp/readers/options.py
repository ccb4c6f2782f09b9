"""What a user states about a file because the file does not, or says it wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.options import Kind, Options, documented, option, options_of, positive

__all__ = ["RAW_BINARY_READER", "ReadArguments", "ReadOptions", "parse_unit_options"]

# The one format in which nothing is stated; its reader is the only one that dtype and n_channels serve.
RAW_BINARY_READER = "rawbinarysignal"


def _units(name: str, given: Any) -> dict[str, str]:
    """Return units by channel, "" standing for every channel: of one unit, a mapping, or "[CHANNEL=]UNIT"."""
    from nwb_mepp.core.units import UNIT_EXAMPLES, parse_unit

    if isinstance(given, str) or not isinstance(given, Iterable):
        given = {"": given}
    units = dict(given) if isinstance(given, Mapping) else parse_unit_options(given)
    for channel, unit in units.items():
        if not isinstance(unit, str) or parse_unit(unit) is None:
            where = f" of channel {channel!r}" if channel else ""
            raise UsageError(
                f"`{name}`: expected a unit such as {UNIT_EXAMPLES}{where}, found {unit!r}; state it as "
                f"`{name}='UNIT'` or `{name}={{'CHANNEL': 'UNIT'}}`."
            )
    return units


def _check_gain(name: str, gain: float) -> None:
    if not math.isfinite(gain) or gain == 0:
        raise UsageError(f"`{name}`: expected a finite number other than 0, found {gain}.")


def _check_dtype(name: str, dtype: str) -> None:
    import numpy as np

    try:
        is_numeric = np.dtype(dtype).kind in ("i", "u", "f")
    except TypeError:
        is_numeric = False
    if not is_numeric:
        raise UsageError(
            f"`{name}`: expected a type of numbers such as int16, <i4 or float32, found {dtype!r}."
        )


def _check_count(name: str, count: int) -> None:
    if count < 1:
        raise UsageError(f"`{name}`: expected 1 or more, found {count}.")


@documented
@dataclass(frozen=True, kw_only=True)
class ReadOptions(Options):
    """How to read a file, where the file itself does not decide.

    Raises
    ------
    UsageError
        If a value is not possible, whatever the file.
    """

    reader: str | None = option(
        help="Reader to use instead of the one that suffix and content choose ('nwb-mepp formats' lists "
        "them)",
        flag="--reader",
        metavar="NAME",
    )
    unit: Mapping[str, str] = option(
        default=(),
        help="Unit of a channel, or of all, instead of the one in the file; the numbers stay",
        flag="--unit",
        metavar="[CHANNEL=]UNIT",
        kind=Kind(
            convert=_units,
            typed=list[str],
            stored=str | dict[str, str],
            accepts="str or mapping of channel to str",
        ),
    )
    sampling_rate_hz: float | None = option(
        help="Sampling rate in Hz instead of the one in the file; times in a text file are then not used",
        flag="--sampling-rate",
        metavar="HZ",
        check=positive("Hz"),
    )
    gain: float | None = option(
        help="Gain of the amplifier, by which the numbers are divided",
        flag="--gain",
        metavar="X",
        check=_check_gain,
    )
    dtype: str | None = option(
        help="Type of the numbers in a raw binary file, e.g. int16",
        flag="--dtype",
        metavar="TYPE",
        check=_check_dtype,
    )
    n_channels: int | None = option(
        help="Number of interleaved channels in a raw binary file",
        flag="--n-channels",
        metavar="N",
        check=_check_count,
    )
    salvage: bool = option(
        default=False,
        help="Take the samples that follow a header that counts none, as after a crash (Axon files)",
        flag="--salvage",
    )
    sweep_interval_s: float | None = option(
        help="Seconds from the start of a sweep to that of the next, where the file gives all the same time",
        flag="--sweep-interval",
        metavar="S",
        check=positive("s"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        given = [f"`{name}`" for name in ("dtype", "n_channels") if getattr(self, name)]
        if given and self.reader != RAW_BINARY_READER:
            raise UsageError(
                f"{' and '.join(given)} describe a raw binary file; add `reader='{RAW_BINARY_READER}'`, "
                "or leave them out."
            )

    def described(self) -> dict[str, str]:
        """Return what was given as text, for the provenance of the output."""
        stated = {name: getattr(self, name) for name in options_of(ReadOptions)}
        stated["unit"] = "; ".join(
            f"{name}={unit}" if name else unit for name, unit in sorted(self.unit.items())
        )
        return {name: str(value) for name, value in stated.items() if value not in (None, "", False)}


class ReadArguments(TypedDict, total=False):
    """What functions in Python take for :class:`ReadOptions`."""

    reader: str | None
    unit: str | Mapping[str, str] | None
    sampling_rate_hz: float | None
    gain: float | None
    dtype: str | None
    n_channels: int | None
    salvage: bool
    sweep_interval_s: float | None


def parse_unit_options(values: Iterable[str]) -> dict[str, str]:
    """Return the values of ``--unit [CHANNEL=]UNIT`` as a mapping for :class:`ReadOptions`.

    Parameters
    ----------
    values : iterable of str
        Each ``UNIT`` or ``CHANNEL=UNIT``; a channel name may itself hold ``=``.

    Raises
    ------
    UsageError
        If one channel is given two units.

    Examples
    --------
    >>> parse_unit_options(["mV", "Im=pA"])
    {'': 'mV', 'Im': 'pA'}
    """
    units: dict[str, str] = {}
    for value in values:
        channel, _, unit = value.rpartition("=")
        channel, unit = channel.strip(), unit.strip()
        if units.get(channel, unit) != unit:
            of = f"channel {channel!r}" if channel else "every channel"
            raise UsageError(f"`unit`: {of} is given two units, {units[channel]!r} and {unit!r}; keep one.")
        units[channel] = unit
    return units
