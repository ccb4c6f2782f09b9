"""Networks with integers of 8 bits: nearly the same output, as far as the crops reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nwb_mepp.detectors import LiteRTRuntime, Weights
from nwb_mepp.ml.networks import BLOCK_SAMPLES, Quantized, build_miniunet, quantize_miniunet

pytestmark = pytest.mark.usefixtures("tensorflow")


@pytest.fixture(scope="module")
def model(tensorflow: None) -> Any:  # noqa: ARG001 (what is made here needs it)
    """Return a network with random weights whose outputs spread over 0 to 1."""
    model = build_miniunet(kernel_size=5, logits=True, seed=1)
    model.get_layer("logit").kernel.assign(3.0 * model.get_layer("logit").kernel)
    return model


def blocks(n_blocks: int, *, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n_blocks, BLOCK_SAMPLES)).astype(np.float32)


def expected(model: Any, block: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.asarray(model(block.reshape(1, -1, 1)))[0, :, 0]))


def loaded(network: Quantized) -> LiteRTRuntime:
    return LiteRTRuntime(Weights(folder=Path("quantized"), config={}, network=network.integers))


@pytest.fixture(scope="module")
def network(model: Any) -> Quantized:
    return quantize_miniunet(model, blocks(4, seed=2))


def test_output_is_nearly_that_of_the_network(model: Any, network: Quantized) -> None:
    block = blocks(1, seed=3)[0]
    of_model, of_integers = expected(model, block), loaded(network).run(block)
    assert np.ptp(of_model) > 0.5
    assert 0.0 < np.abs(of_integers - of_model).mean() < 0.01
    assert np.corrcoef(of_integers, of_model)[0, 1] > 0.998


def test_single_precision_goes_with_it_for_what_is_larger_than_the_crops(
    model: Any, network: Quantized
) -> None:
    assert network.above == np.abs(blocks(4, seed=2)).max()
    single = LiteRTRuntime(Weights(folder=Path("single"), config={}, network=network.single))
    loud = 5.0 * blocks(1, seed=4)[0]
    np.testing.assert_allclose(single.run(loud), expected(model, loud), rtol=0, atol=1e-5)


def test_all_but_the_ends_are_integers(network: Quantized) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=network.integers)
    interpreter.allocate_tensors()
    kernels = [
        one for one in interpreter.get_tensor_details() if len(one["shape"]) == 4 and one["shape"][2] == 5
    ]
    kinds = {tuple(one["shape"].tolist()): one["dtype"] for one in kernels}
    assert kinds.pop((16, 1, 5, 1)) == np.float32
    assert len(kinds) > 5
    assert set(kinds.values()) == {np.int8}
    ends = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    assert [one["dtype"] for one in ends] == [np.float32, np.float32]


def test_what_no_crop_reaches_is_cut_off(model: Any, network: Quantized) -> None:
    loud = 5.0 * blocks(4, seed=4)
    error_by_quiet, error_by_loud = (
        np.abs(loaded(one).run(loud[0]) - expected(model, loud[0])).mean()
        for one in (network, quantize_miniunet(model, loud[1:]))
    )
    assert error_by_quiet > 3.0 * error_by_loud
