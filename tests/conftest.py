"""Fixtures that every part of the suite shares."""

from __future__ import annotations

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
