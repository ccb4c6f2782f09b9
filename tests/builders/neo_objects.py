"""A block with one of everything that Neo can hold, and files of the formats that Neo can write."""

from __future__ import annotations

import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import neo
import numpy as np
import quantities as pq

START = datetime(2026, 1, 15, 10, 0, 0)


def full_block(*, n_sweeps: int = 2, t_start_s: float = 0.0) -> neo.Block:
    """Two channels of 2 kHz, one of 500 Hz, irregular samples, events, epochs, spikes and annotations."""
    random = np.random.default_rng(5)
    block = neo.Block(name="fiber 3", rec_datetime=START)
    block.annotate(temperature=22.5, muscle="diaphragm")
    for sweep in range(n_sweeps):
        begin = (t_start_s + 10.0 * sweep) * pq.s
        segment = neo.Segment(name=f"sweep {sweep}", index=sweep)
        segment.analogsignals = [
            neo.AnalogSignal(
                random.normal(-70.0, 1.0, (400, 2)),
                units="mV",
                sampling_rate=2 * pq.kHz,
                t_start=begin,
                name="Vm",
            ),
            neo.AnalogSignal(
                random.normal(0.0, 5.0, (100, 1)),
                units="pA",
                sampling_rate=500 * pq.Hz,
                t_start=begin,
                name="Im",
            ),
        ]
        segment.irregularlysampledsignals = [
            neo.IrregularlySampledSignal(
                begin + np.sort(random.uniform(0, 0.2, 7)) * pq.s,
                random.normal(22.0, 0.1, (7, 1)),
                units="degC",
                time_units="s",
                name="bath",
            )
        ]
        segment.events = [
            neo.Event(begin + np.array([0.01, 0.15]) * pq.s, labels=["wash in", "wash out"], name="drug")
        ]
        segment.epochs = [
            neo.Epoch(
                begin + np.array([0.02, 0.1]) * pq.s,
                durations=np.array([30.0, 50.0]) * pq.ms,
                labels=["pulse", "noise"],
                name="artifact",
            )
        ]
        segment.spiketrains = [
            neo.SpikeTrain(
                begin + np.array([0.03, 0.05, 0.19]) * pq.s,
                t_start=begin,
                t_stop=begin + 0.2 * pq.s,
                name="unit A",
            )
        ]
        block.segments.append(segment)
    return block


def write_nix(path: Path, block: neo.Block) -> Path:
    io = neo.io.NixIO(str(path), "ow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of nixio and quantities, for their programmers
        io.write_block(block)
    io.close()
    return path


def write_matlab(path: Path, block: neo.Block) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        neo.io.NeoMatlabIO(str(path)).write_block(block)
    return path


def write_neo_text(path: Path, block: neo.Block) -> Path:
    """Write the first signal of the first segment as Neo does: numbers only, without titles."""
    signal: Any = block.segments[0].analogsignals[0]
    segment = neo.Segment()
    segment.analogsignals = [signal]
    neo.io.AsciiSignalIO(str(path), delimiter="\t", timecolumn=0, time_units=pq.s).write_segment(segment)
    return path
