"""What a user states about a file because the file does not, or says it wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.units import UNIT_EXAMPLES, parse_unit

__all__ = ["RAW_BINARY_READER", "ReadOptions", "parse_unit_options"]

# The one format in which nothing is stated; its reader is the only one that --dtype and --n-channels serve.
RAW_BINARY_READER = "rawbinarysignal"


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How to read a file, where the file itself does not decide.

    Attributes
    ----------
    reader : str, optional
        Registered name of the reader; without it suffix and content choose.
    units : mapping of str to str
        Unit of each channel, by channel name; the key ``""`` stands for every channel. It replaces
        the label of the source, the numbers stay.
    sampling_rate_hz : float, optional
        Replaces the rate that the source states; the times of a text file are then not used.
    gain : float, optional
        Gain of the amplifier: the numbers of every channel are divided by it.
    dtype : str, optional
    n_channels : int, optional
        Type of the numbers (``int16``) and number of interleaved channels of a raw binary file.
    sweep_interval_s : float, optional
        Start to start, for sources that give all sweeps the same time.

    Raises
    ------
    UsageError
        If a value is not possible, whatever the file.
    """

    reader: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    sampling_rate_hz: float | None = None
    gain: float | None = None
    dtype: str | None = None
    n_channels: int | None = None
    sweep_interval_s: float | None = None

    def __post_init__(self) -> None:
        for channel, unit in self.units.items():
            if parse_unit(unit) is None:
                where = f" of channel {channel!r}" if channel else ""
                raise UsageError(
                    f"--unit: expected a unit such as {UNIT_EXAMPLES}{where}, found {unit!r}; "
                    "write --unit UNIT or --unit CHANNEL=UNIT."
                )
        _check_positive("--sampling-rate", self.sampling_rate_hz, unit="Hz")
        _check_positive("--sweep-interval", self.sweep_interval_s, unit="s")
        if self.gain is not None and (not math.isfinite(self.gain) or self.gain == 0):
            raise UsageError(f"--gain: expected a finite number other than 0, found {self.gain}.")
        if self.n_channels is not None and self.n_channels < 1:
            raise UsageError(f"--n-channels: expected 1 or more, found {self.n_channels}.")
        self._check_raw_binary()

    def _check_raw_binary(self) -> None:
        if self.dtype is not None:
            try:
                is_numeric = np.dtype(self.dtype).kind in ("i", "u", "f")
            except TypeError:
                is_numeric = False
            if not is_numeric:
                raise UsageError(
                    "--dtype: expected a type of numbers such as int16, <i4 or float32, "
                    f"found {self.dtype!r}."
                )
        given = [
            option for option, value in (("--dtype", self.dtype), ("--n-channels", self.n_channels)) if value
        ]
        if given and self.reader != RAW_BINARY_READER:
            raise UsageError(
                f"{' and '.join(given)} describe a raw binary file; add --reader {RAW_BINARY_READER}, "
                "or leave them out."
            )

    def described(self) -> dict[str, str]:
        """Return what was given as text, for the provenance of the output."""
        units = "; ".join(f"{name}={unit}" if name else unit for name, unit in sorted(self.units.items()))
        stated = {
            "reader": self.reader,
            "unit": units or None,
            "sampling_rate_hz": self.sampling_rate_hz,
            "gain": self.gain,
            "dtype": self.dtype,
            "n_channels": self.n_channels,
            "sweep_interval_s": self.sweep_interval_s,
        }
        return {name: str(value) for name, value in stated.items() if value is not None}


def _check_positive(option: str, value: float | None, *, unit: str) -> None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise UsageError(f"{option}: expected a finite number of {unit} above 0, found {value}.")


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
            raise UsageError(f"--unit: {of} is given two units, {units[channel]!r} and {unit!r}; keep one.")
        units[channel] = unit
    return units
