"""Autoencoder as a detector, with a stand-in for the network: from its error to candidates."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from builders.detectors import write_weights
from builders.tables import mepps_at
from builders.traces import NOISE_SD, segments_of, white_noise
from nwb_mepp.conditioning import survey
from nwb_mepp.core.errors import DetectionError
from nwb_mepp.detectors import Autoencoder, AutoencoderAnomalous, shipped_weights
from nwb_mepp.detectors.anomalies import find_anomalies, sample_anomaly, steady_anomaly

SHIPPED = {
    "autoencoder": "92c2c700f5be70175dd95a84d0d9be2b4ccdc04e24048867da8e1de794aaf83f",
    "autoencoder_anomalous": "0f23bdb727194cb01acfa2bd11c70195a5f943b4a4c43041b335f8257c998b3e",
}


class Saturating:
    """A network in miniature: it reproduces what lies within two SD of the noise, and no more."""

    n_samples = 256

    def run(self, block: np.ndarray) -> np.ndarray:
        return np.clip(block, -2.0, 2.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of weights whose network is never run."""
    return write_weights(
        tmp_path_factory.mktemp("weights") / "3",
        "autoencoder",
        version="3",
        threshold=0.3,
        margin=16,
        floor=0.1,
    )


def test_a_sample_counts_for_as_much_as_the_least_window_that_covers_it() -> None:
    # 60 samples of error 1: only samples all of whose 40-sample windows lie inside would score 1, and
    # there are none (that takes 79); the middle ones are covered by windows with at least 30 of the 60.
    error = np.zeros(300)
    error[100:160] = 1.0
    score = sample_anomaly(error)
    plain = np.convolve(np.convolve(error, np.full(5, 0.2), mode="same"), np.full(40, 0.025), mode="valid")
    by_hand = [plain[max(i - 39, 0) : i + 1].min() for i in range(100, 200)]
    np.testing.assert_allclose(score[100:200], by_hand, atol=1e-12)
    assert np.all(score[:95] == pytest.approx(0.0))


def test_an_error_that_changes_its_sign_from_sample_to_sample_is_noise() -> None:
    steady, alternating = np.ones(400), (-1.0) ** np.arange(400)
    assert sample_anomaly(steady)[200] == pytest.approx(1.0)
    assert sample_anomaly(alternating)[200] == pytest.approx(0.2)  # one of five is left over


def test_where_the_noise_is_stronger_its_errors_count_less() -> None:
    rng = np.random.default_rng(0)
    strength = np.concatenate([np.ones(200_000), np.full(40_000, 3.0)])
    error = strength * rng.standard_normal(len(strength))
    (steady,) = steady_anomaly([error], sampling_rate_hz=10_000.0)
    plain = sample_anomaly(error)
    np.testing.assert_array_equal(steady[:190_000], plain[:190_000])
    assert np.median(plain[220_000:]) == pytest.approx(3.0 * np.median(plain[:190_000]), rel=0.05)
    # The noise may be a tenth stronger before it counts.
    assert np.median(steady[220_000:]) == pytest.approx(1.1 * np.median(steady[:190_000]), rel=0.05)


@pytest.mark.parametrize(("sign", "n_found"), [(1.0, 1), (-1.0, 0)])
def test_only_upright_anomalies_count(sign: float, n_found: int) -> None:
    trace = np.zeros(400)
    trace[180:220] = sign * np.hanning(40)
    found = find_anomalies(trace, sample_anomaly(trace), floor=0.05)
    assert len(found.score) == n_found
    if n_found:
        assert abs(int(found.peak[0]) - 200) <= 1
        assert found.start[0] <= found.peak[0] < found.stop[0]


def test_a_trace_without_anomalies_has_none() -> None:
    found = find_anomalies(np.zeros(100), np.zeros(100), floor=0.1)
    assert {len(found.start), len(found.peak), len(found.stop), len(found.score)} == {0}


def test_events_are_found_where_the_network_fails_and_no_probability_is_claimed(folder: Path) -> None:
    places = [10_000, 30_000, 70_000]
    samples = white_noise(100_000)
    for place in places:
        samples[place : place + 100] += 20.0 * NOISE_SD * np.exp(-np.arange(100) / 25.0)
    samples[50_000:50_100] -= 20.0 * NOISE_SD * np.exp(-np.arange(100) / 25.0)
    detector = Autoencoder(folder, runtime=Saturating())
    segments = segments_of(samples)
    (found,) = detector.find(segments, noise=survey(segments, polarity="positive"))
    assert len(found) == len(places)
    assert np.all(np.abs(found.peak - places) <= 20)
    assert np.all(np.isnan(found.probability))


def test_the_network_runs_once_over_a_channel_whatever_is_asked_of_it(folder: Path) -> None:
    class Counting(Saturating):
        n_runs = 0

        def run(self, block: np.ndarray) -> np.ndarray:
            self.n_runs += 1
            return super().run(block)

    runtime = Counting()
    detector, segments = Autoencoder(folder, runtime=runtime), segments_of(white_noise(20_000))
    noise, n_runs = survey(segments, polarity="positive"), []
    detector.judge(segments, noise=noise, mepps=mepps_at([0.05, 0.9]))
    n_runs.append(runtime.n_runs)
    detector.find(segments, noise=noise, threshold=0.3)
    n_runs.append(runtime.n_runs)
    # Of another channel nothing is known.
    detector.find(segments, noise=survey(segments, polarity="negative"), threshold=0.3)
    n_runs.append(runtime.n_runs)
    # 20,000 samples in blocks that give 256 less two margins of 16.
    assert n_runs == [90, 90, 180]


def test_it_is_what_its_configuration_says(folder: Path) -> None:
    detector = Autoencoder(folder, runtime=Saturating())
    assert (detector.name, detector.version, detector.default_threshold) == ("autoencoder", "3", 0.3)


def test_weights_of_one_regime_are_refused_by_the_other(folder: Path) -> None:
    with pytest.raises(DetectionError, match="3: expected weights of autoencoder_anomalous, found those of"):
        AutoencoderAnomalous(folder, runtime=Saturating())


def test_a_configuration_without_the_floor_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del config["floor"]
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(DetectionError, match="floor missing; export the weights again"):
        Autoencoder(tmp_path, runtime=Saturating())


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_are_the_ones_that_were_measured(name: str) -> None:
    network = (shipped_weights(name) / "model.tflite").read_bytes()
    assert hashlib.sha256(network).hexdigest() == SHIPPED[name]
