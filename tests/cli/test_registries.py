"""The commands that list readers and detectors."""

from __future__ import annotations

import re

from builders.command_line import Call
from nwb_mepp.readers import reader_table


def test_the_registries_are_listed(call: Call) -> None:
    detectors = call("detectors")
    assert detectors.code == 0
    title, *rows = [re.split(r" {2,}", line.strip()) for line in detectors.out.splitlines()]
    assert title == ["DETECTOR", "VERSION", "THRESHOLD", "WEIGHTS", "WHAT"]
    assert ["matched_filter", "1", "5", "-"] in [row[:4] for row in rows]
    assert ["miniunet", "6", "0.3", "miniunet@6 (default), miniunet@5, miniunet@4, miniunet@3"] in [
        row[:4] for row in rows
    ]
    formats = call("formats")
    title, *rows = [re.split(r" {2,}", line.strip()) for line in formats.out.splitlines()]
    assert title == ["FORMAT", "FILES", "READER", "NEEDS", "LAZY"]
    assert ["Axon (Neo's AxonIO)", ".abf", "axon", "-", "yes"] in rows
    assert ["Axon Text Format (pyabf)", ".atf", "atf", "pyabf (extra formats)", "no"] in rows
    assert ["Ced (Neo's CedIO)", ".smrx", "ced", "sonpy", "yes"] in rows
    assert ["a folder of .ncs .nse .ntt .nev", "neuralynx"] in [row[1:3] for row in rows]
    assert [".raw .bin .dat (with --reader)", "rawbinarysignal"] in [row[1:3] for row in rows]
    assert len(rows) == len(reader_table())
    template = call("metadata", "template")
    assert template.out.startswith("#")
    assert "subject:" in template.out
