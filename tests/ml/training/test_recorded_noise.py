"""Recorded noise of the calibration: what is read of a file, and what MEPPs are put into."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from builders.known_mepps import write_text
from builders.traces import NOISE_SD, white_noise
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.ml.training.recorded_noise import (
    NoiseFile,
    keep_noise,
    mepps_in_noise,
    parse_noise,
    read_all_noise,
    read_noise,
)
from nwb_mepp.ml.training.reporter import Reporter
from nwb_mepp.readers import ReadOptions
from nwb_mepp.simulation import Scenario
from nwb_mepp.workflows import DetectionSettings

RATE_HZ = 5_000.0
IN_VOLTS = ReadOptions(unit={"": "V"})


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 20 s of noise at rest; not to be changed."""
    values = -0.07 + white_noise(round(20 * RATE_HZ), seed=3)
    return write_text(tmp_path_factory.mktemp("noise") / "quiet.csv", values, rate_hz=RATE_HZ)


def test_noise_is_in_units_of_its_own_sd_around_its_median(file: Path) -> None:
    noise = read_noise(NoiseFile(path=file), options=IN_VOLTS)
    (stretch,) = noise.stretches
    assert noise.duration_s == 20.0
    np.testing.assert_allclose(
        stretch, (white_noise(100_000, seed=3) - np.median(white_noise(100_000, seed=3))) / NOISE_SD, atol=0.2
    )
    assert abs(np.median(stretch)) < 1e-6


def test_only_the_stretches_that_are_named_are_taken_if_they_are_long_enough(file: Path) -> None:
    named = [f"{file}:{stretch}" for stretch in ("12:17", "2.5:6.5", "14:18.5", "8:9")]
    (one,) = parse_noise(named)
    noise = read_noise(one, options=IN_VOLTS)
    assert [len(stretch) / RATE_HZ for stretch in noise.stretches] == [4.0, 6.5]
    whole = read_noise(NoiseFile(path=file), options=IN_VOLTS)
    assert noise.sha256 == whole.sha256
    assert noise.mark != whole.mark
    # Named whole as well, it is whole.
    assert parse_noise([named[0], str(file), named[1]]) == [NoiseFile(path=file)]


def test_stretches_to_leave_out_are_left_out_of_noise_too(file: Path) -> None:
    noise = read_noise(
        NoiseFile(path=file), options=IN_VOLTS, settings=DetectionSettings(exclude=((5.0, 6.0),))
    )
    assert [len(stretch) / RATE_HZ for stretch in noise.stretches] == [5.0, 14.0]


def test_what_cannot_serve_as_noise_is_refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a stretch that ends after its start, found 5:3"):
        parse_noise([f"{file}:5:3"])
    with pytest.raises(UsageError, match=r"a stretch of at least 4 s in quiet\.csv, found none"):
        read_noise(NoiseFile(path=file, stretches=((2.0, 5.0),)), options=IN_VOLTS)
    with pytest.raises(UsageError, match=r"a stretch of at least 4 s in quiet\.csv, found none"):
        read_noise(NoiseFile(path=file, stretches=((30.0, 50.0),)), options=IN_VOLTS)
    copy = tmp_path / "copy.csv"
    copy.write_bytes(file.read_bytes())
    with pytest.raises(UsageError, match=r"each recording once, found .*quiet\.csv and .*copy\.csv"):
        read_all_noise([file, copy], options=IN_VOLTS, settings=DetectionSettings(), reporter=Reporter())


@pytest.mark.parametrize("polarity", [Polarity.POSITIVE, Polarity.NEGATIVE])
def test_mepps_are_put_into_a_stretch_of_the_noise(file: Path, tmp_path: Path, polarity: Polarity) -> None:
    noise = read_noise(NoiseFile(path=file), options=IN_VOLTS)
    kept = keep_noise(tmp_path, [noise])
    scenario = Scenario(duration_s=10.0, rate_hz=2.0, noise_sd=1e-3, polarity=polarity)
    directions = set()
    for seed in range(8):
        made = mepps_in_noise(kept, scenario, seed=seed)
        # At another pace, so the same duration takes another number of samples.
        assert 0.75 * RATE_HZ <= made.scenario.sampling_rate_hz <= RATE_HZ / 0.75
        assert len(made.values) == round(10.0 * made.scenario.sampling_rate_hz)
        assert np.all(np.sign(made.truth.amplitude) == polarity.sign)
        below = ((made.values - polarity.sign * made.clean) / 1e-3).astype(np.float32)
        for direction in (1, -1):
            placed = _place_of(below[::direction], noise.stretches[0])
            directions |= set() if placed is None else {direction}
    assert directions == {1, -1}
    again = mepps_in_noise(keep_noise(tmp_path, [noise]), scenario, seed=7)
    np.testing.assert_array_equal(again.values, made.values)


def _place_of(part: np.ndarray, whole: np.ndarray) -> int | None:
    """Return where a part begins in a whole, if it is there."""
    for start in np.flatnonzero(np.abs(whole - part[0]) < 1e-4):
        inside = whole[start : start + len(part)]
        if len(inside) == len(part) and np.allclose(inside, part, rtol=0, atol=1e-4):
            return int(start)
    return None


def test_a_recording_is_as_short_as_the_noise_is(file: Path, tmp_path: Path) -> None:
    noise = read_noise(NoiseFile(path=file, stretches=((1.0, 6.0),)), options=IN_VOLTS)
    made = mepps_in_noise(keep_noise(tmp_path, [noise]), Scenario(duration_s=60.0), seed=1)
    assert len(made.values) == 25_000
    assert made.scenario.duration_s == pytest.approx(25_000 / made.scenario.sampling_rate_hz)
