"""Data of a recording besides its traces: events, epochs, spikes, irregular signals, commands.

Times are seconds relative to the session start. These data are not analyzed but copied to the NWB file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.command import Command

__all__ = ["AncillaryData", "AncillaryItem", "Epochs", "IrregularTrace", "PointEvents", "SpikeTimes"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class PointEvents:
    """Events of one kind during one sweep.

    Attributes
    ----------
    name : str
        Name of the kind, unique among the events of the recording.
    sweep : int
    times_s : ndarray, shape (n_events,), seconds
    labels : tuple of str
        One for each event, empty if the source has none.
    annotations : mapping of str to str
        Other information about this kind of events.
    columns : mapping of str to tuple of str
        Other information about each event, by name.
    """

    name: str
    sweep: int
    times_s: FloatArray
    labels: tuple[str, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def shifted(self, shift_s: float) -> PointEvents:
        """Return a copy with all times shifted."""
        return replace(self, times_s=self.times_s + shift_s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Epochs:
    """Epochs of one kind during one sweep.

    Attributes
    ----------
    name : str
        Name of the kind, unique among the epochs of the recording.
    sweep : int
    start_s, duration_s : ndarray, shape (n_epochs,), seconds
    labels : tuple of str
        One for each epoch, empty if the source has none.
    annotations : mapping of str to str
        Other information about this kind of epochs.
    columns : mapping of str to tuple of str
        Other information about each epoch, by name.
    """

    name: str
    sweep: int
    start_s: FloatArray
    duration_s: FloatArray
    labels: tuple[str, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def shifted(self, shift_s: float) -> Epochs:
        """Return a copy with all times shifted."""
        return replace(self, start_s=self.start_s + shift_s)


@dataclass(frozen=True, kw_only=True, eq=False)
class SpikeTimes:
    """The spikes of one unit during one sweep.

    Attributes
    ----------
    name : str
        Name of the unit, unique among the units of the recording.
    sweep : int
    times_s : ndarray, shape (n_spikes,), seconds
    start_s, stop_s : float
        The period in which spikes were detected.
    resolution_s : float
        Smallest time difference that the source can represent.
    annotations : mapping of str to str
        Other information about the unit.
    """

    name: str
    sweep: int
    times_s: FloatArray
    start_s: float
    stop_s: float
    resolution_s: float
    annotations: Mapping[str, str] = field(default_factory=dict)

    def shifted(self, shift_s: float) -> SpikeTimes:
        """Return a copy with all times shifted."""
        return replace(
            self, times_s=self.times_s + shift_s, start_s=self.start_s + shift_s, stop_s=self.stop_s + shift_s
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class IrregularTrace:
    """One irregularly sampled channel during one sweep.

    Attributes
    ----------
    name : str
        Name of the channel, unique among all channels of the recording.
    sweep : int
    times_s : ndarray, shape (n_samples,), seconds
    samples : ndarray, shape (n_samples,)
        Numbers as stored in the source.
    unit : str
        ``"V"`` or ``"A"`` for electrical signals, otherwise the unit stated in the source.
    conversion : float
        ``value = sample * conversion``, in ``unit``.
    """

    name: str
    sweep: int
    times_s: FloatArray
    samples: npt.NDArray[np.number]
    unit: str
    conversion: float = 1.0

    def shifted(self, shift_s: float) -> IrregularTrace:
        """Return a copy with all times shifted."""
        return replace(self, times_s=self.times_s + shift_s)


AncillaryItem = PointEvents | Epochs | SpikeTimes | IrregularTrace | Command


@dataclass(frozen=True, kw_only=True, eq=False)
class AncillaryData:
    """All ancillary data of a recording, each kind in the order of the source.

    Attributes
    ----------
    events : tuple of PointEvents
    epochs : tuple of Epochs
    spikes : tuple of SpikeTimes
    irregular : tuple of IrregularTrace
    commands : tuple of Command
    """

    events: tuple[PointEvents, ...] = ()
    epochs: tuple[Epochs, ...] = ()
    spikes: tuple[SpikeTimes, ...] = ()
    irregular: tuple[IrregularTrace, ...] = ()
    commands: tuple[Command, ...] = ()

    def __iter__(self) -> Iterator[AncillaryItem]:
        yield from self.events
        yield from self.epochs
        yield from self.spikes
        yield from self.irregular
        yield from self.commands

    def describe(self) -> str:
        """Return the kinds of data with the names in each as text; empty if there are none.

        Examples
        --------
        >>> tags = PointEvents(name="Tag", sweep=0, times_s=np.array([1.5]), labels=("wash-in",))
        >>> AncillaryData(events=(tags,)).describe()
        'events (Tag)'
        """
        kinds: dict[str, tuple[AncillaryItem, ...]] = {
            "events": self.events,
            "epochs": self.epochs,
            "spike trains": self.spikes,
            "irregularly sampled signals": self.irregular,
            "commands": self.commands,
        }
        return "; ".join(
            f"{kind} ({', '.join(dict.fromkeys(item.name for item in items))})"
            for kind, items in kinds.items()
            if items
        )
