"""The checks for authors of detectors: each fails for a detector that breaks its promise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nwb_mepp import testing
from nwb_mepp.conditioning import ChannelNoise
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors import Candidates, Detector, MatchedFilter


class Changed(MatchedFilter):
    """A matched filter whose result is changed."""

    def __init__(
        self, change: Callable[..., list[Candidates]] = lambda found, **_: found, **attributes: Any
    ) -> None:
        super().__init__()
        self.change = change
        self.calls = 0
        for name, value in attributes.items():
            setattr(self, name, value)

    def find(
        self,
        segments: Sequence[Segment],
        *,
        noise: ChannelNoise,
        threshold: float | None = None,
        block_s: float = 60.0,
    ) -> list[Candidates]:
        found = super().find(segments, noise=noise, threshold=threshold, block_s=block_s)
        self.calls += 1
        return self.change(found, segments=segments, noise=noise, block_s=block_s, call=self.calls)


def fewer(found: list[Candidates]) -> list[Candidates]:
    """Leave out every other candidate."""
    return [one.select(np.arange(len(one)) % 2 == 0) for one in found]


def fewer_where(condition: Callable[..., bool]) -> Callable[..., list[Candidates]]:
    return lambda found, **known: fewer(found) if condition(**known) else found


def at_5_khz(found: list[Candidates], **_: object) -> list[Candidates]:
    """Forget to go back to the samples of the segment."""
    return [replace(one, start=one.start // 4, peak=one.peak // 4, stop=one.stop // 4 + 1) for one in found]


def refuse_loud_traces(found: list[Candidates], *, noise: ChannelNoise, **_: object) -> list[Candidates]:
    if noise.noise_sd > 0.1:
        raise ValueError("too loud")
    return found


class Reversed(MatchedFilter):
    """It finds the more, the higher the threshold."""

    def find(self, segments: Sequence[Segment], *, threshold: float | None = None, **known: Any) -> Any:
        given = self.default_threshold if threshold is None else threshold
        return super().find(segments, threshold=2.0 * self.default_threshold - given, **known)


BROKEN: dict[str, tuple[Detector, str]] = {
    "check_identity": (Changed(version="newest"), "version: expected numbers and dots, found 'newest'"),
    "check_large_mepps": (
        Changed(default_threshold=60.0),
        "expected 85% of 37 MEPPs and few others, found 1 and 0 others",
    ),
    "check_repetition": (
        Changed(fewer_where(lambda call, **_: call == 2)),
        "same candidates with a second call",
    ),
    "check_blocks": (
        Changed(fewer_where(lambda block_s, **_: block_s < 5.0)),
        "same candidates with block_s=1 ",
    ),
    "check_gain_and_polarity": (
        Changed(fewer_where(lambda noise, **_: noise.polarity.sign < 0)),
        "same candidates with samples multiplied by -1 ",
    ),
    "check_threshold": (Reversed(), "expected a threshold 1.3 times as high to keep some"),
    "check_sampling_rates": (Changed(at_5_khz), r"expected 85% of \d+ MEPPs at 2500 Hz"),
    "check_noise_alone": (Changed(default_threshold=2.0), "expected at most 2 candidates in 32 s"),
    "check_excluded_stretch": (
        Changed(fewer_where(lambda segments, **_: len(segments) > 1)),
        "MEPPs beside a stretch that was left out",
    ),
    "check_sweeps": (
        Changed(fewer_where(lambda segments, **_: len(segments) > 1)),
        r"expected the same in two sweeps as in one, found \d+ that differ",
    ),
    "check_short_segments": (
        Changed(fewer_where(lambda segments, **_: len(segments) > 1)),
        "expected as many in a long segment beside short ones",
    ),
    "check_any_trace": (Changed(refuse_loud_traces), "too loud"),
}


def test_every_check_has_a_detector_that_it_refuses() -> None:
    assert [check.__name__ for check in testing.DETECTOR_CHECKS] == list(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_noticed(name: str) -> None:
    detector, message = BROKEN[name]
    with pytest.raises((AssertionError, ValueError), match=message):
        getattr(testing, name)(detector)


def test_a_trace_that_breaks_a_detector_is_named() -> None:
    with pytest.raises(ValueError, match="too loud") as raised:
        testing.check_any_trace(Changed(refuse_loud_traces))
    assert "The trace: " in raised.value.__notes__[0]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"name": "My Detector"}, "name: expected a lower-case identifier, found 'My Detector'"),
        ({"weights_sha256": "abc"}, "weights_sha256: expected a SHA-256 or '', found 'abc'"),
        ({"default_threshold": np.nan}, "default_threshold: expected a finite number, found nan"),
    ],
)
def test_a_detector_says_what_it_is(attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        testing.check_identity(Changed(**attributes))


def test_what_is_no_detector_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"methods of nwb_mepp\.detectors\.Detector, found dict"):
        testing.check_identity({})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda found, **_: found[1:], "expected Candidates for each of 1 segments, found 0"),
        (lambda found, **_: [replace(found[0], peak=found[0].peak[1:])], "arrays of shape"),
        (
            lambda found, **_: [replace(found[0], start=found[0].start.astype(np.int32))],
            "float64, found int32, int64, int64, float64",
        ),
        (lambda found, **_: [replace(found[0], peak=found[0].stop)], "expected 0 <= start <= peak < stop"),
        (lambda found, **_: [found[0].select(np.arange(len(found[0]))[::-1])], "sorted and do not overlap"),
        (
            lambda found, **_: [replace(found[0], probability=np.full(len(found[0]), 2.0))],
            "expected probabilities from 0 to 1, or NaN",
        ),
    ],
)
def test_candidates_that_cannot_be_measured_are_refused(change: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        testing.check_repetition(Changed(change))


def test_intervals_that_miss_the_mepps_are_refused() -> None:
    def too_short(found: list[Candidates], **_: object) -> list[Candidates]:
        return [replace(one, start=one.peak, stop=one.peak + 1) for one in found]

    with pytest.raises(AssertionError, match=r"cover most of the MEPPs, found a median share of 0\.\d\d"):
        testing.check_large_mepps(Changed(too_short))


def test_peaks_that_lie_beside_those_of_the_mepps_are_refused() -> None:
    def late(found: list[Candidates], **_: object) -> list[Candidates]:
        return [replace(one, peak=one.stop - 1) for one in found]

    with pytest.raises(AssertionError, match=r"expected peaks within 1\.5 ms at 2500 Hz, found \d\.\d ms"):
        testing.check_sampling_rates(Changed(late))
