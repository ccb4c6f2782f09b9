"""These tests run networks with TensorFlow, which the extra ``train`` installs."""

from __future__ import annotations

import importlib.util
import os

import pytest


@pytest.fixture(scope="session")
def tensorflow() -> None:
    """Skip where TensorFlow is not installed; fail in continuous integration, where it must be."""
    if importlib.util.find_spec("tensorflow") is None:
        reason = "expected TensorFlow, found none; install it with pip install 'nwb-mepp[train]'"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
