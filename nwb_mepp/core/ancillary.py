"""What a recording holds besides regularly sampled traces: events, epochs, spikes, irregular signals.

Times are seconds relative to the session start. None of this is analyzed; it is copied to the NWB file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

__all__ = ["Ancillary", "AncillaryObject", "Epochs", "IrregularTrace", "PointEvents", "SpikeTimes"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class PointEvents:
    """Events of one kind during one sweep.

    Attributes
    ----------
    name : str
        Name of this kind of event, unique among the events of the recording.
    sweep : int
    times_s : ndarray, shape (n_events,), seconds
    labels : tuple of str
        One for each event, empty where the source gives none.
    annotations : mapping of str to str
        What else the source says about this kind of event.
    columns : mapping of str to tuple of str
        What it says about each event.
    """

    name: str
    sweep: int
    times_s: FloatArray
    labels: tuple[str, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def shifted(self, shift_s: float) -> PointEvents:
        """Return a copy, shifted in time."""
        return replace(self, times_s=self.times_s + shift_s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Epochs:
    """Stretches of one kind during one sweep.

    Attributes
    ----------
    name : str
        Name of this kind of epoch, unique among the epochs of the recording.
    sweep : int
    start_s, duration_s : ndarray, shape (n_epochs,), seconds
    labels : tuple of str
        One for each epoch, empty where the source gives none.
    annotations : mapping of str to str
        What else the source says about this kind of epoch.
    columns : mapping of str to tuple of str
        What it says about each epoch.
    """

    name: str
    sweep: int
    start_s: FloatArray
    duration_s: FloatArray
    labels: tuple[str, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def shifted(self, shift_s: float) -> Epochs:
        """Return a copy, shifted in time."""
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
        The stretch that was searched for spikes.
    resolution_s : float
        Smallest time difference that the source can express.
    annotations : mapping of str to str
        What else the source says about the unit.
    """

    name: str
    sweep: int
    times_s: FloatArray
    start_s: float
    stop_s: float
    resolution_s: float
    annotations: Mapping[str, str] = field(default_factory=dict)

    def shifted(self, shift_s: float) -> SpikeTimes:
        """Return a copy, shifted in time."""
        return replace(
            self, times_s=self.times_s + shift_s, start_s=self.start_s + shift_s, stop_s=self.stop_s + shift_s
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class IrregularTrace:
    """One channel during one sweep, each sample with its own timestamp.

    Attributes
    ----------
    name : str
        Name of the channel, unique among all channels of the recording.
    sweep : int
    times_s : ndarray, shape (n_samples,), seconds
    samples : ndarray, shape (n_samples,)
        Numbers as stored in the source.
    unit : str
        ``"V"`` or ``"A"`` for anything electrical; another unit as the source states it otherwise.
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
        """Return a copy, shifted in time."""
        return replace(self, times_s=self.times_s + shift_s)


AncillaryObject = PointEvents | Epochs | SpikeTimes | IrregularTrace


@dataclass(frozen=True, kw_only=True, eq=False)
class Ancillary:
    """All ancillary objects of a recording, each kind in the order of the source.

    Attributes
    ----------
    events : tuple of PointEvents
    epochs : tuple of Epochs
    spikes : tuple of SpikeTimes
    irregular : tuple of IrregularTrace
    """

    events: tuple[PointEvents, ...] = ()
    epochs: tuple[Epochs, ...] = ()
    spikes: tuple[SpikeTimes, ...] = ()
    irregular: tuple[IrregularTrace, ...] = ()

    def __iter__(self) -> Iterator[AncillaryObject]:
        yield from self.events
        yield from self.epochs
        yield from self.spikes
        yield from self.irregular

    def described(self) -> str:
        """Return the kinds and the names in each, as part of a sentence; empty if there are none.

        Examples
        --------
        >>> tags = PointEvents(name="Tag", sweep=0, times_s=np.array([1.5]), labels=("wash-in",))
        >>> Ancillary(events=(tags,)).described()
        'events (Tag)'
        """
        kinds: dict[str, tuple[AncillaryObject, ...]] = {
            "events": self.events,
            "epochs": self.epochs,
            "spike trains": self.spikes,
            "irregularly sampled signals": self.irregular,
        }
        return "; ".join(
            f"{kind} ({', '.join(dict.fromkeys(one.name for one in ones))})"
            for kind, ones in kinds.items()
            if ones
        )
