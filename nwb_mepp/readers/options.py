"""What a user states about a file because the file does not, or says it wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypedDict

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.options import NAMES, Kind, Options, documented, option, options_of, positive

__all__ = ["MATLAB_READER", "RAW_BINARY_READER", "ReadArguments", "ReadOptions", "parse_channel_options"]

# The one format in which nothing is stated; its reader is the only one that dtype and n_channels serve.
RAW_BINARY_READER = "rawbinarysignal"
# The one whose files hold variables.
MATLAB_READER = "matlab"


def _units(name: str, given: Any) -> dict[str, str]:
    """Return units by channel, "" standing for every channel: of one unit, a mapping, or "[CHANNEL=]UNIT"."""
    from nwb_mepp.core.units import UNIT_EXAMPLES, parse_unit

    units = _by_channel(name, given)
    for channel, unit in units.items():
        if not isinstance(unit, str) or parse_unit(unit) is None:
            where = f" of channel {channel!r}" if channel else ""
            raise UsageError(
                f"`{name}`: expected a unit such as {UNIT_EXAMPLES}{where}, found {unit!r}; state it as "
                f"`{name}='UNIT'` or `{name}={{'CHANNEL': 'UNIT'}}`."
            )
    return units


def _gains(name: str, given: Any) -> dict[str, float]:
    """Return gains by channel, "" standing for every channel: of a number, a mapping, or "[CHANNEL=]X"."""
    gains = {channel: _as_number(gain) for channel, gain in _by_channel(name, given).items()}
    for channel, gain in gains.items():
        where = f" for channel {channel!r}" if channel else ""
        if not isinstance(gain, Real) or isinstance(gain, bool):
            raise UsageError(
                f"`{name}`: expected a number{where}, found {gain!r}; state it as `{name}=X` or "
                f"`{name}={{'CHANNEL': 'X'}}`."
            )
        if not math.isfinite(gain) or gain == 0:
            raise UsageError(f"`{name}`: expected a finite number other than 0{where}, found {gain}.")
    return gains


def _as_number(given: Any) -> Any:
    try:
        return float(given) if isinstance(given, str) else given
    except ValueError:
        return given


def _by_channel(name: str, given: Any) -> dict[str, Any]:
    """Return what is given for channels, "" standing for every channel."""
    if isinstance(given, Mapping):
        return dict(given)
    if (isinstance(given, str) and "=" not in given) or not isinstance(given, Iterable):
        return {"": given}
    return parse_channel_options([given] if isinstance(given, str) else given, name=name)


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
    gain: Mapping[str, float] = option(
        default=(),
        help="Gain of the amplifier, by which the numbers of a channel, or of all, are divided",
        flag="--gain",
        metavar="[CHANNEL=]X",
        kind=Kind(
            convert=_gains,
            typed=list[str],
            stored=float | dict[str, float],
            accepts="float or mapping of channel to float",
        ),
    )
    variable: tuple[str, ...] = option(
        default=(),
        help="Variable of a MATLAB file that holds samples, a field of a structure as STRUCTURE.FIELD",
        flag="--variable",
        metavar="NAME",
        kind=NAMES,
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
        stated["variable"] = ", ".join(self.variable)
        for option_name in ("unit", "gain"):
            stated[option_name] = "; ".join(
                f"{channel}={value}" if channel else str(value)
                for channel, value in sorted(stated[option_name].items())
            )
        return {name: str(value) for name, value in stated.items() if value not in (None, "", False)}


class ReadArguments(TypedDict, total=False):
    """What functions in Python take for :class:`ReadOptions`."""

    reader: str | None
    unit: str | Mapping[str, str] | None
    sampling_rate_hz: float | None
    gain: float | Mapping[str, float] | None
    variable: str | Sequence[str] | None
    dtype: str | None
    n_channels: int | None
    salvage: bool
    sweep_interval_s: float | None


def parse_channel_options(values: Iterable[str], *, name: str) -> dict[str, str]:
    """Return the values of ``--unit [CHANNEL=]UNIT`` or ``--gain [CHANNEL=]X`` as a mapping.

    Parameters
    ----------
    values : iterable of str
        Each ``VALUE`` or ``CHANNEL=VALUE``; a channel name may itself hold ``=``.
    name : str
        Of the option, for messages.

    Raises
    ------
    UsageError
        If one channel is given two values, or a value is no text.

    Examples
    --------
    >>> parse_channel_options(["mV", "Im=pA"], name="unit")
    {'': 'mV', 'Im': 'pA'}
    """
    stated: dict[str, str] = {}
    for one in values:
        if not isinstance(one, str):
            raise UsageError(f"`{name}`: expected text such as CHANNEL=VALUE, found {one!r}.")
        channel, _, value = one.rpartition("=")
        channel, value = channel.strip(), value.strip()
        if stated.get(channel, value) != value:
            of = f"channel {channel!r}" if channel else "every channel"
            raise UsageError(
                f"`{name}`: {of} is given two values, {stated[channel]!r} and {value!r}; keep one."
            )
        stated[channel] = value
    return stated
