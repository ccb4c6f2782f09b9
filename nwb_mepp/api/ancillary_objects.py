"""Events, epochs, spikes and irregular signals of a recording as Neo objects."""

from __future__ import annotations

import neo
import numpy as np
import quantities as pq

from nwb_mepp.core.ancillary import AncillaryData, IrregularTrace, SpikeTimes

__all__ = ["add_ancillary"]


def add_ancillary(segment: neo.Segment, ancillary: AncillaryData, *, sweep: int) -> None:
    """Add to a segment what the recording holds besides signals during a sweep."""
    for events in ancillary.events:
        if events.sweep == sweep:
            labels = np.array(events.labels, dtype="U")
            segment.events.append(neo.Event(times=events.times_s * pq.s, labels=labels, name=events.name))
    for epochs in ancillary.epochs:
        if epochs.sweep == sweep:
            segment.epochs.append(
                neo.Epoch(
                    times=epochs.start_s * pq.s,
                    durations=epochs.duration_s * pq.s,
                    labels=np.array(epochs.labels, dtype="U"),
                    name=epochs.name,
                )
            )
    for spikes in ancillary.spikes:
        if spikes.sweep == sweep:
            segment.spiketrains.append(_train(spikes))
    for trace in ancillary.irregular:
        if trace.sweep == sweep:
            segment.irregularlysampledsignals.append(_irregular(trace))


def _train(spikes: SpikeTimes) -> neo.SpikeTrain:
    times_s = spikes.times_s
    return neo.SpikeTrain(
        times_s * pq.s,
        # Neo refuses spikes beyond these; some sources hold a few.
        t_start=min(spikes.start_s, times_s.min(initial=np.inf)) * pq.s,
        t_stop=max(spikes.stop_s, times_s.max(initial=-np.inf)) * pq.s,
        name=spikes.name,
    )


def _irregular(trace: IrregularTrace) -> neo.IrregularlySampledSignal:
    return neo.IrregularlySampledSignal(
        trace.times_s * pq.s,
        (trace.samples * trace.conversion)[:, np.newaxis],
        units=trace.unit,
        time_units="s",
        name=trace.name,
    )
