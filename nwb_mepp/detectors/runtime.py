"""Running a network: by LiteRT, or where that is not installed by a registered runtime.

The Keras runtime of ``nwb_mepp.ml.networks`` is registered as an entry point in the group
``nwb_mepp.runtimes``, so that TensorFlow is not imported here.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.native_stderr import quiet_stderr
from nwb_mepp._utils.plugins import plugins
from nwb_mepp.core.errors import DetectionError, MissingDependencyError
from nwb_mepp.detectors.weights import Weights

__all__ = ["RUNTIME_GROUP", "LazyRuntime", "LiteRTRuntime", "Runtime", "make_runtime", "run_over"]

RUNTIME_GROUP = "nwb_mepp.runtimes"
Float32Array = npt.NDArray[np.float32]


class Runtime(Protocol):
    """Runs a network on blocks of one fixed length."""

    @property
    def n_samples(self) -> int:
        """Length of a block."""

    def run(self, block: Float32Array) -> Float32Array:
        """Return the output for one block, shape (n_samples,) in and out."""


class LiteRTRuntime:
    """Runs a network with LiteRT, the runtime of TensorFlow that does not need TensorFlow."""

    def __init__(self, weights: Weights) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            with quiet_stderr():
                self._interpreter = Interpreter(model_content=weights.network, num_threads=_n_threads())
                self._interpreter.allocate_tensors()
            self._input = self._interpreter.get_input_details()[0]
            output = self._interpreter.get_output_details()[0]
            shapes = [tuple(map(int, one["shape"])) for one in (self._input, output)]
            if shapes[0][::2] != (1, 1) or shapes[0][1] < 1 or shapes[1] != shapes[0]:
                raise ValueError(f"input and output of shapes {shapes}")
        except (ValueError, RuntimeError, IndexError) as error:
            raise DetectionError(
                f"{weights.folder.name}/{weights.file}: expected a network that takes and gives a shape of "
                f"(1, n, 1), found: {' '.join(str(error).split())[:200]}; export the weights again."
            ) from error
        self._output = output["index"]

    @property
    def n_samples(self) -> int:
        """Length of a block."""
        return int(self._input["shape"][1])

    def run(self, block: Float32Array) -> Float32Array:
        """Return the output for one block, shape (n_samples,) in and out."""
        self._interpreter.set_tensor(self._input["index"], block.reshape(1, -1, 1))
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output)[0, :, 0], dtype=np.float32)


class LazyRuntime:
    """Runs a network, which is loaded when it is first needed (:func:`make_runtime`)."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    @cached_property
    def _loaded(self) -> Runtime:
        return make_runtime(self._weights)

    @property
    def n_samples(self) -> int:
        """Length of a block."""
        return self._loaded.n_samples

    def run(self, block: Float32Array) -> Float32Array:
        """Return the output for one block, shape (n_samples,) in and out."""
        return self._loaded.run(block)


def _n_threads() -> int:
    """Return how many threads to use: OMP_NUM_THREADS, as for other numerical libraries, else up to four."""
    stated = os.environ.get("OMP_NUM_THREADS", "")
    return max(int(stated), 1) if stated.isdigit() else min(os.cpu_count() or 1, 4)


def make_runtime(weights: Weights) -> Runtime:
    """Load a network into LiteRT, or where that is not installed into the first runtime that is registered.

    Raises
    ------
    MissingDependencyError
        If there is neither.
    """
    try:
        return LiteRTRuntime(weights)
    except ImportError:
        for point in plugins(RUNTIME_GROUP):
            try:
                runtime: Runtime = point.load()(weights.folder)
            except ImportError:
                continue
            return runtime
    raise MissingDependencyError(
        "expected ai-edge-litert or TensorFlow to run the network, found neither; "
        "install one of them: pip install ai-edge-litert, or pip install 'nwb-mepp[train]'."
    )


def run_over(runtime: Runtime, trace: Float32Array, *, margin: int) -> Float32Array:
    """Run a network over a trace of any length in overlapping blocks.

    Parameters
    ----------
    runtime : Runtime
    trace : ndarray of float32, shape (margin + n_samples + margin,)
    margin : int
        At least half of the receptive field; output this close to the end of a block is discarded.

    Returns
    -------
    ndarray of float32, shape (n_samples,)
    """
    n_samples = len(trace) - 2 * margin
    hop = runtime.n_samples - 2 * margin
    output = np.empty(n_samples, dtype=np.float32)
    for start in range(0, n_samples, hop):
        block = trace[start : start + runtime.n_samples]
        if len(block) < runtime.n_samples:
            block = np.pad(block, (0, runtime.n_samples - len(block)))
        stop = min(start + hop, n_samples)
        output[start:stop] = runtime.run(block)[margin : margin + stop - start]
    return output
