"""What detectors found on a channel is measured, in the noise that is left without it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from nwb_mepp.conditioning import ChannelNoise, measure_noise_left
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.segments import BlockReader, Segment
from nwb_mepp.detectors import Candidates
from nwb_mepp.measurement.kinetics import LocatedEvents, locate

__all__ = ["are_frequent", "locate_candidates", "measure_candidates", "readers_of"]

_MEASURED_BLOCK_S = 10.0
# MEPPs so frequent matter for the noise: they are looked for and taken away once more.
_FREQUENT_HZ = 25.0


def measure_candidates(
    segments: Sequence[Segment],
    candidates: Sequence[Candidates],
    *,
    noise: ChannelNoise,
    split: bool = False,
) -> tuple[Mepps, float]:
    """Measure the events of one channel, with hum taken out where there is any.

    Parameters
    ----------
    segments : sequence of Segment
    candidates : sequence of Candidates
        One for each segment.
    noise : ChannelNoise
    split : bool, default False
        Make two MEPPs of a deflection that two explain better.

    Returns
    -------
    mepps : Mepps
    noise_sd : float
        SD of the noise when the events are taken away.

    Notes
    -----
    The events are fitted twice: roughly, to subtract them for a spectrum of what is left; then weighted by
    that. Frequent ones, of which the rough fits leave too much, are fitted a third time, beginning with the
    second fits, weighted by what these leave.
    """
    located = locate_candidates(segments, candidates, noise=noise)
    left = measure_noise_left(segments, noise=noise.knowing(located.fit(roughly=True).curves))
    if left is None:
        return located.fit(split=split).mepps(), noise.noise_sd
    measured = located.fit(left.autocovariance, split=split)
    if are_frequent(candidates, segments):
        left = measure_noise_left(segments, noise=noise.knowing(measured.curves)) or left
        measured = measured.again(left.autocovariance, split=split)
    return measured.mepps(), left.sd


def locate_candidates(
    segments: Sequence[Segment], candidates: Sequence[Candidates], *, noise: ChannelNoise
) -> LocatedEvents:
    """Return the candidates of one channel with the trace around them, hum taken out."""
    readers = readers_of(segments, noise=noise)
    return locate(segments, candidates, polarity=noise.polarity, readers=readers)


def are_frequent(candidates: Sequence[Candidates], segments: Sequence[Segment]) -> bool:
    """Return whether hardly any excerpt of a channel is free of events."""
    duration_s = sum(segment.n_samples / segment.sampling_rate_hz for segment in segments)
    return sum(map(len, candidates)) > _FREQUENT_HZ * duration_s


def readers_of(segments: Sequence[Segment], *, noise: ChannelNoise) -> list[BlockReader]:
    """Return what reads each segment with hum taken out, in blocks."""
    # Taking hum out costs a second of context on either side of each block.
    block = round(_MEASURED_BLOCK_S * segments[0].sampling_rate_hz)
    return [BlockReader(partial(noise.values, segment), block=block) for segment in segments]
