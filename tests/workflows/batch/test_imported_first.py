from __future__ import annotations

import importlib
import sys

import pytest

from nwb_mepp.workflows.batch import imported_first, runner


@pytest.mark.parametrize("name", imported_first.MODULES)
def test_what_is_imported_first_is_there(name: str) -> None:
    assert importlib.import_module(name) is sys.modules[name]


def test_a_batch_names_the_module_that_imports() -> None:
    assert imported_first.__name__ == runner._IMPORTED_FIRST
