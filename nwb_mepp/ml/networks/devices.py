"""Devices for training: graphics processor or processor, precision, number of threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from nwb_mepp._utils.native_stderr import quiet_stderr
from nwb_mepp.core.errors import MissingDependencyError, UsageError

__all__ = ["Precision", "has_gpu", "precision", "prepare_tensorflow"]

Precision = Literal["float32", "mixed_float16"]


def prepare_tensorflow(*, n_threads: int | None = None) -> None:
    """Load TensorFlow without its messages, and set its number of threads.

    Parameters
    ----------
    n_threads : int, optional
        All cores by default. With one thread the order of operations is fixed, so that the same seed and
        data give the same weights to the last bit.

    Raises
    ------
    MissingDependencyError
        If TensorFlow is not installed.
    UsageError
        If another number of threads is in use already, which TensorFlow cannot change.
    """
    # Messages of TensorFlow about processors and drivers do not concern the user.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with quiet_stderr():
            import tensorflow as tf
    except ImportError as error:
        raise MissingDependencyError(
            "expected TensorFlow to train a network, found it not installed: pip install 'nwb-mepp[train]'."
        ) from error
    if n_threads is None:
        return
    threading = tf.config.threading
    try:
        for kind in ("intra", "inter"):
            if getattr(threading, f"get_{kind}_op_parallelism_threads")() != n_threads:
                getattr(threading, f"set_{kind}_op_parallelism_threads")(n_threads)
    except RuntimeError as error:
        raise UsageError(
            f"`n_threads`: expected TensorFlow not to have started yet, found it running with another number "
            f"than {n_threads}; start the training in a new process."
        ) from error
    if n_threads == 1:
        tf.config.experimental.enable_op_determinism()


def has_gpu() -> bool:
    """Return whether TensorFlow sees a graphics processor."""
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


@contextmanager
def precision(name: Precision) -> Iterator[None]:
    """Build networks at a given precision within a ``with`` block; weights always have single precision.

    Parameters
    ----------
    name : {"float32", "mixed_float16"}
        Mixed computes in half precision, which is fast on graphics processors and slow on processors.
    """
    from keras import mixed_precision

    before = mixed_precision.dtype_policy()
    mixed_precision.set_dtype_policy(name)
    try:
        yield
    finally:
        mixed_precision.set_dtype_policy(before)
