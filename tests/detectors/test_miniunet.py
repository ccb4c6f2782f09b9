"""MiniUnet as a detector, with a stand-in for the network: from its output to candidates."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from builders.detectors import RATE_HZ, by_score_alone, write_weights
from builders.traces import NOISE_SD, segments_of, white_noise
from nwb_mepp.conditioning import survey, whiten
from nwb_mepp.core.errors import DetectionError, UsageError
from nwb_mepp.detectors import Candidates, MiniUnet
from nwb_mepp.detectors.miniunet import RawCandidates

MARGIN = 16


class Rectifier:
    """A network in miniature: sure of a MEPP where the mean of 9 samples stands out of the noise."""

    n_samples = 256

    def run(self, block: np.ndarray) -> np.ndarray:
        smooth = np.convolve(block, np.full(9, 1.0 / 9.0), mode="same")
        return (1.0 / (1.0 + np.exp(-4.0 * (smooth - 2.0)))).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of weights whose network is never run."""
    return write_weights(
        tmp_path_factory.mktemp("weights") / "3",
        "miniunet",
        version="3",
        sampling_rate_hz=5000.0,
        threshold=0.45,
        margin=MARGIN,
        probability=by_score_alone().to_config(),
    )


@pytest.fixture(scope="module")
def detector(folder: Path) -> MiniUnet:
    return MiniUnet(folder, runtime=Rectifier())


def with_events(places: list[int], *, duration_s: float = 10.0) -> np.ndarray:
    samples = white_noise(int(RATE_HZ * duration_s))
    for place in places:
        samples[place : place + 60] += 20.0 * NOISE_SD * np.exp(-np.arange(60) / 12.0)
    return samples


def test_it_is_what_its_configuration_says(detector: MiniUnet) -> None:
    assert (detector.name, detector.version, detector.default_threshold) == ("miniunet", "3", 0.45)
    assert detector.weights_sha256 == hashlib.sha256(b"").hexdigest()


def test_a_configuration_without_the_probability_model_is_refused(tmp_path: Path) -> None:
    write_weights(tmp_path, "miniunet", margin=MARGIN)
    with pytest.raises(DetectionError, match="probability missing; export the weights again"):
        MiniUnet(tmp_path, runtime=Rectifier())


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"threshold": "high"}, "could not convert string to float: 'high'"),
        ({"threshold": 10**400}, "int too large"),
        ({"margin": None}, "int"),
        ({"probability": {"members": 3}}, "expected 'centre', 'scale' and 'members' of numbers"),
    ],
)
def test_a_configuration_whose_values_do_not_fit_is_refused(
    folder: Path, tmp_path: Path, change: dict[str, object], found: str
) -> None:
    (tmp_path / "model.tflite").write_bytes(b"")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**config, **change}), encoding="utf-8")
    expected = (
        rf"config\.json: expected values as a training exports them, found one that .*{found}.*; export"
    )
    with pytest.raises(DetectionError, match=expected):
        MiniUnet(tmp_path, runtime=Rectifier())


def test_events_are_found_where_the_network_says(detector: MiniUnet) -> None:
    places = [4_000, 4_100, 20_000, 40_000]
    segments = segments_of(with_events(places), rate_hz=RATE_HZ)
    (found,) = detector.find(segments, noise=survey(segments, polarity="positive"))
    assert len(found) == len(places)
    assert np.all(np.abs(found.start - places) < 15)
    assert np.all(found.probability > 0.9)


def test_samples_are_those_of_the_trace_at_its_own_rate(detector: MiniUnet) -> None:
    fine = np.repeat(with_events([4_000, 20_000]), 4)
    segments = segments_of(fine, rate_hz=20_000.0)
    (found,) = detector.find(segments, noise=survey(segments, polarity="positive"))
    assert np.all(np.abs(found.start - [16_000, 80_000]) < 60)


@pytest.mark.parametrize("threshold", [7.0, -0.1, float("nan")])
def test_a_threshold_that_is_not_a_probability_is_refused(detector: MiniUnet, threshold: float) -> None:
    segments = segments_of(with_events([10_000]), rate_hz=RATE_HZ)
    with pytest.raises(UsageError, match=r"`threshold`: expected a probability between 0 and 1 for miniunet"):
        detector.find(segments, noise=survey(segments), threshold=threshold)


def test_a_segment_without_candidates_gives_none(detector: MiniUnet) -> None:
    segments = segments_of(with_events([]), rate_hz=RATE_HZ)
    (found,) = detector.find(segments, noise=survey(segments, polarity="positive"), threshold=0.99)
    assert len(found) == 0
    assert isinstance(found, Candidates)
    assert found.start.dtype == np.int64


@pytest.mark.parametrize("block_s", [1.0, 3.0])
def test_output_does_not_depend_on_the_tile(detector: MiniUnet, block_s: float) -> None:
    segments = segments_of(with_events([4_000, 8_190, 24_570]), rate_hz=RATE_HZ)
    learned = survey(segments, polarity="positive")
    (whole,) = whiten(segments, noise=learned)
    (tiled,) = whiten(segments, noise=learned, block_s=block_s)
    assert tiled.n_tiles > 1
    output = np.concatenate(list(detector.outputs(tiled)))
    assert output.shape == (whole.n_samples,)
    np.testing.assert_allclose(output, np.concatenate(list(detector.outputs(whole))), atol=1e-5)


def test_a_hand_drawn_output_gives_the_candidates_drawn() -> None:
    output = np.zeros(60)
    output[10:16] = [0.1, 0.6, 0.9, 0.8, 0.5, 0.2]  # borders where half of 0.9 is reached
    output[30:39] = [0.4, 0.8, 0.8, 0.3, 0.1, 0.4, 0.6, 0.6, 0.1]  # two, parted by the dip
    output[50:52] = 1.0  # too short
    raw = RawCandidates([output])
    assert raw.start.tolist() == [11, 30, 35]
    assert raw.stop.tolist() == [15, 33, 38]
    assert raw.score.tolist() == [0.9, 0.8, 0.6]
    # 0.35 of the length after the start, rounded.
    assert raw.peak.tolist() == [12, 31, 36]


def test_nothing_above_the_lowest_score_gives_no_candidate() -> None:
    raw = RawCandidates([np.full(100, 0.05)])
    assert (len(raw.start), len(raw.stop), len(raw.peak), len(raw.score)) == (0, 0, 0, 0)


@settings(max_examples=80)
@given(output=arrays(np.float32, st.integers(0, 80), elements=st.floats(0.0, 1.0, width=32)))
def test_candidates_are_sorted_apart_and_hold_their_maximum(output: np.ndarray) -> None:
    raw = RawCandidates([output])
    assert np.all(raw.start < raw.stop)
    assert np.all(raw.stop[:-1] <= raw.start[1:])
    assert np.all((raw.start <= raw.peak) & (raw.peak < raw.stop))
    for start, stop, score in zip(raw.start, raw.stop, raw.score, strict=True):
        assert score == output[start:stop].max() > 0.05
