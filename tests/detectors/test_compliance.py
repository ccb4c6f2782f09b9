"""What every registered detector promises to those who call it, whatever the trace."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable

import pytest

import nwb_mepp.detectors
from nwb_mepp.detectors import Detector, detector_names, get_detector
from nwb_mepp.detectors.interface import SecondOpinion
from nwb_mepp.testing import DETECTOR_CHECKS


@pytest.fixture(scope="module", params=detector_names())
def detector(request: pytest.FixtureRequest) -> Detector:
    return get_detector(request.param)


@pytest.mark.parametrize("check", DETECTOR_CHECKS, ids=lambda check: check.__name__)
def test_every_detector_keeps_its_promises(detector: Detector, check: Callable[[Detector], None]) -> None:
    check(detector)


@pytest.mark.parametrize("name", detector_names())
def test_a_detector_bears_the_name_that_it_is_registered_by(name: str) -> None:
    assert get_detector(name).name == name


def test_no_detector_of_the_package_escapes_this_suite() -> None:
    written = set()
    for module in pkgutil.walk_packages(nwb_mepp.detectors.__path__, "nwb_mepp.detectors."):
        for _, thing in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if thing not in (Detector, SecondOpinion) and callable(getattr(thing, "find", None)):
                written.add(thing.name)
    assert {"matched_filter", "miniunet"} <= written
    assert written <= set(detector_names())
