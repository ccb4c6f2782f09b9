"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings that lies beside the project, not in it."""
    folder = SHARED / "data"
    if not (folder / "recordings").is_dir():
        reason = (
            f"expected real recordings in ../shared/data beside the project, found none in {folder.name}/"
        )
        if os.environ.get("CI") == "true" and SHARED.exists():
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def tensorflow() -> None:
    """Skip where TensorFlow is not installed; fail in continuous integration, where it must be."""
    if importlib.util.find_spec("tensorflow") is None:
        reason = "expected TensorFlow, found none; install it with pip install 'nwb-mepp[train]'"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
