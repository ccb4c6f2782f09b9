"""LiteRT and Keras find the same, with the shipped weights, where there is much to be found."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from nwb_mepp.conditioning import ChannelNoise, compress, survey, whiten
from nwb_mepp.core.segments import Segment, cut_segments
from nwb_mepp.detectors import Autoencoder, AutoencoderAnomalous, MiniUnet, load_weights, shipped_weights
from nwb_mepp.detectors.runtime import LiteRTRuntime
from nwb_mepp.evaluation import match_times
from nwb_mepp.ml.networks.runtime import KerasRuntime
from nwb_mepp.simulation import Scenario, simulate_recording

SCENARIOS = {
    "large and rare": Scenario(duration_s=12.0, rate_hz=2.0, noise_sd=0.05e-3),
    "small and many": Scenario(duration_s=12.0, rate_hz=12.0, noise_sd=0.15e-3, bursts_per_s=0.3),
    "among artifacts": Scenario(
        duration_s=12.0,
        rate_hz=5.0,
        artifacts={"spike": 4, "step": 3, "pop": 2, "test_pulse": 2},
    ),
}


@cache
def recording(name: str) -> tuple[list[Segment], ChannelNoise]:
    simulated = simulate_recording(SCENARIOS[name], seed=500_990_000)
    segments = list(cut_segments([simulated.trace()]))
    return segments, survey(segments, polarity="positive")


@cache
def both(kind: type[MiniUnet | Autoencoder]) -> tuple[MiniUnet | Autoencoder, MiniUnet | Autoencoder]:
    """A detector run by LiteRT, and the same one run by Keras."""
    # In single precision; Keras has no other.
    folder = shipped_weights(kind.name, version="4" if kind is MiniUnet else None)
    litert = LiteRTRuntime(load_weights(folder, detector=kind.name))
    return kind(folder, runtime=litert), kind(folder, runtime=KerasRuntime(folder))


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("kind", [MiniUnet, Autoencoder, AutoencoderAnomalous])
def test_both_runtimes_give_the_same_intervals(kind: type[MiniUnet | Autoencoder], name: str) -> None:
    segments, learned = recording(name)
    (by_litert,), (by_keras,) = (one.find(segments, noise=learned) for one in both(kind))
    assert len(by_litert) >= 15
    np.testing.assert_array_equal(by_keras.start, by_litert.start)
    np.testing.assert_array_equal(by_keras.peak, by_litert.peak)
    np.testing.assert_array_equal(by_keras.stop, by_litert.stop)
    np.testing.assert_allclose(by_keras.probability, by_litert.probability, atol=1e-4)


@pytest.mark.parametrize("name", SCENARIOS)
def test_integers_of_8_bits_give_nearly_the_same_intervals(name: str) -> None:
    segments, learned = recording(name)
    folder = shipped_weights("miniunet")
    (by_integers,), (by_keras,) = (
        one.find(segments, noise=learned) for one in (MiniUnet(), MiniUnet(runtime=KerasRuntime(folder)))
    )
    rate_hz = segments[0].sampling_rate_hz
    pairs = match_times(by_keras.peak / rate_hz, by_integers.peak / rate_hz, tolerance_s=5e-3).pairs
    n_alone = len(by_keras) + len(by_integers) - 2 * len(pairs)
    assert len(pairs) >= 15
    assert n_alone <= 0.05 * len(pairs) + 1
    keras, integers = pairs.T
    apart_s = np.abs(by_integers.start[integers] - by_keras.start[keras]) / rate_hz
    assert np.median(apart_s) <= 0.2e-3
    difference = np.abs(by_integers.probability[integers] - by_keras.probability[keras])
    assert 0.0 < np.mean(difference) < 0.03
    assert np.quantile(difference, 0.9) < 0.1


def test_near_large_samples_every_output_is_that_of_single_precision() -> None:
    simulated = simulate_recording(Scenario(duration_s=12.0, rate_hz=2.0, noise_sd=0.02e-3), seed=500_990_001)
    segments = list(cut_segments([simulated.trace()]))
    (trace,) = whiten(segments, noise=survey(segments, polarity="positive"))
    by_integers, by_single = (
        np.concatenate(list(MiniUnet(shipped_weights("miniunet", version=version)).outputs(trace)))
        for version in ("5", "4")
    )
    large = np.abs(compress(trace.read_tile(0))) > 6.0
    near = np.convolve(large, np.ones(201), mode="same") > 0.5
    assert 0.03 < near.mean() < 0.5
    np.testing.assert_array_equal(by_integers[near], by_single[near])
    assert 0.0 < np.abs(by_integers[~near] - by_single[~near]).mean() < 0.005
