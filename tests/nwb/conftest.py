"""Recordings and results made by hand, for everything that writes and reads NWB files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from nwb_mepp.nwb.metadata import Device, Electrode, Metadata, Session, Subject

START = datetime(2017, 11, 16, 10, 5, tzinfo=UTC)


# A third of a microvolt: no float32, and no float64 with few digits, equals it.
@pytest.fixture
def full_metadata() -> Metadata:
    """Everything that nwbinspector asks for."""
    return Metadata(
        session=Session(
            session_id="fiber-3",
            session_description="Spontaneous activity of one fiber.",
            experiment_description="MEPPs at rest.",
            experimenter=("Last, First",),
            institution="University of Example",
            keywords=("neuromuscular junction",),
        ),
        subject=Subject(
            subject_id="mouse-12",
            species="Mus musculus",
            sex="F",
            age="P90D",
            weight="25 g",
            description="Housed in groups.",
        ),
        devices=(Device(name="amplifier", description="Two-electrode amplifier.", manufacturer="Axon"),),
        electrodes=(
            Electrode(
                name="electrode",
                device="amplifier",
                description="Sharp glass electrode.",
                cell_id="fiber-3",
                location="Diaphragm",
            ),
        ),
    )


@pytest.fixture(scope="session")
def session_start() -> datetime:
    return START


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose content a test may list: nothing but what it wrote."""
    place = tmp_path / "out"
    place.mkdir()
    return place
