from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
import quantities as pq

from nwb_mepp.readers.annotations import Annotations, as_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  edges go \r\n", "edges go"),
        (b"caf\xc3\xa9\x00\x00", "café"),
        (np.int16(-3), "-3"),
        (True, "True"),
        (22.5, "22.5"),
        (np.float32(1.83), "1.83"),
        (np.array([7]), "7"),
        (np.array([]), ""),
        (np.array(["wash"]), "wash"),
        (2.5 * pq.mV, "2.5 mV"),
        (datetime(2026, 1, 15, 10), "2026-01-15T10:00:00"),
        (None, ""),
        ([1], None),
        ({"a": 1}, None),
        (np.arange(3), None),
    ],
)
def test_a_text_or_a_single_number_is_kept_as_text(value: object, text: str | None) -> None:
    assert as_text(value) == text


def test_annotations_of_the_file_are_not_repeated_for_each_sweep() -> None:
    found = Annotations()
    found.add({"abf_version": 2.0, "file_origin": "D:/run.abf"})
    for sweep in range(2):
        found.add({"abf_version": 2.0, "drug": ["none", "TTX"][sweep]}, of=f"sweep {sweep}")
    assert found.texts == {"abf_version": "2", "sweep 0, drug": "none", "sweep 1, drug": "TTX"}
    assert found.notes == []


def test_personal_and_structured_annotations_are_named_in_a_note() -> None:
    found = Annotations()
    found.add({"patient_name": "A. B.", "levels": [1, 2], "ok": "yes"})
    assert found.texts == {"ok": "yes"}
    assert found.notes == [
        "Left out because they identify a person: patient_name.",
        "Annotations left out because they are not a text or a single number: levels.",
    ]


def test_many_unwritable_ones_are_counted() -> None:
    found = Annotations()
    found.add({f"list{number}": [number, number] for number in range(7)})
    assert found.notes[0].endswith("list0, list1, list2, list3, list4 and 2 more.")


def test_values_of_several_channels_share_a_line() -> None:
    found = Annotations()
    rows = {"gain": np.array([10, 10]), "kind": np.array(["V", "I"]), "channel_names": np.array(["a", "b"])}
    found.add_rows({**rows, "odd": np.arange(3), "lone": 1}, of=["a", "b"], what="channels")
    assert found.texts == {"channels, gain": "10", "channels, kind": "a=V; b=I"}
    assert found.notes == [
        "Annotations left out because they are not a text or a single number: channels, lone, channels, odd."
    ]
