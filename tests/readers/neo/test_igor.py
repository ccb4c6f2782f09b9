"""Igor waves without a scale."""

from __future__ import annotations

import numpy as np

from nwb_mepp.core.recording import ArraySource
from nwb_mepp.readers import FileContents, RawTrace
from nwb_mepp.readers.neo.igor import refine


def contents(*rates_hz: float) -> FileContents:
    traces = (
        RawTrace(
            channel=str(number),
            sweep=0,
            source=ArraySource(np.zeros(3)),
            unit_label="V",
            sampling_rate_hz=rate,
        )
        for number, rate in enumerate(rates_hz)
    )
    return FileContents(reader_version="", format="Igor", traces=tuple(traces), files=())


def test_a_rate_of_1_hz_is_that_of_a_wave_without_a_scale() -> None:
    assert [trace.sampling_rate_hz for trace in refine(contents(1.0, 1.0)).traces] == [None, None]


def test_an_experiment_with_scaled_waves_is_unchanged() -> None:
    assert [trace.sampling_rate_hz for trace in refine(contents(4000.0, 1.0)).traces] == [4000.0, 1.0]
