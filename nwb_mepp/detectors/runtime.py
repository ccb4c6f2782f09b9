"""Running a network: by LiteRT, or where that is not installed by a registered runtime.

The Keras runtime of ``nwb_mepp.ml.networks`` is registered as an entry point in the group
``nwb_mepp.runtimes``, so that TensorFlow is not imported here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.native_stderr import quiet_stderr
from nwb_mepp._utils.plugins import plugins
from nwb_mepp.core.errors import DetectionError, MissingDependencyError
from nwb_mepp.detectors.weights import Weights

__all__ = [
    "RUNTIME_GROUP",
    "LazyRuntime",
    "LiteRTRuntime",
    "Runtime",
    "SharedRuntime",
    "make_runtime",
    "run_over",
]

RUNTIME_GROUP = "nwb_mepp.runtimes"
# Standard error is redirected while a network is loaded, which is a matter of the whole process.
_loading = threading.Lock()
Float32Array = npt.NDArray[np.float32]


class Runtime(Protocol):
    """Runs a network on blocks of one fixed length."""

    @property
    def n_samples(self) -> int:
        """Length of a block."""

    def run(self, block: Float32Array) -> Float32Array:
        """Return the output for one block, shape (n_samples,) in and out."""


class LiteRTRuntime:
    """Runs a network with LiteRT, the runtime of TensorFlow that does not need TensorFlow, in one thread."""

    def __init__(self, weights: Weights) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            with quiet_stderr():
                self._interpreter = Interpreter(model_content=weights.network, num_threads=1)
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


class SharedRuntime:
    """Runs a network that is there once, for one thread after the other."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = threading.Lock()

    @property
    def n_samples(self) -> int:
        """Length of a block."""
        return self._runtime.n_samples

    def run(self, block: Float32Array) -> Float32Array:
        """Return the output for one block, shape (n_samples,) in and out."""
        with self._lock:
            return self._runtime.run(block)


class LazyRuntime:
    """Runs a network in any number of threads.

    It is loaded (:func:`make_runtime`) when it is first needed; by LiteRT, which takes milliseconds, again
    for each thread that needs it while others do.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._free: list[LiteRTRuntime] = []
        self._shared: SharedRuntime | None = None

    @cached_property
    def n_samples(self) -> int:
        """Length of a block."""
        with self._lent() as runtime:
            return runtime.n_samples

    def run(self, block: Float32Array) -> Float32Array:
        """Return the output for one block, shape (n_samples,) in and out."""
        with self._lent() as runtime:
            return runtime.run(block)

    @contextmanager
    def _lent(self) -> Iterator[Runtime]:
        with _loading:
            runtime = self._shared or (self._free.pop() if self._free else make_runtime(self._weights))
            if not isinstance(runtime, SharedRuntime | LiteRTRuntime):
                runtime = self._shared = SharedRuntime(runtime)
        try:
            yield runtime
        finally:
            if isinstance(runtime, LiteRTRuntime):
                self._free.append(runtime)


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
