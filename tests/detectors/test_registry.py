"""The registry: detectors by name, from this package and from others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nwb_mepp.detectors import Detector, MatchedFilter, detector_names, get_detector, registry
from nwb_mepp.errors import DetectionError, UsageError


def register(monkeypatch: pytest.MonkeyPatch, **things: object) -> None:
    points = [
        SimpleNamespace(name=name, load=lambda thing=thing: thing, dist=SimpleNamespace(name="their-package"))
        for name, thing in things.items()
    ]
    monkeypatch.setattr(registry, "entry_points", lambda *, group: points if "detectors" in group else [])


def test_the_packages_own_detectors_are_registered_and_sorted() -> None:
    names = detector_names()
    assert {"matched_filter", "miniunet"} <= set(names)
    assert list(names) == sorted(set(names))


def test_a_detector_is_got_by_its_name() -> None:
    detector = get_detector("matched_filter")
    assert isinstance(detector, MatchedFilter)
    assert isinstance(detector, Detector)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"among .*matched_filter, miniunet.*, found 'minunet'"):
        get_detector("minunet")


def test_another_package_can_register_one(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, theirs=MatchedFilter, also=MatchedFilter)
    assert detector_names() == ("also", "theirs")
    assert isinstance(get_detector("theirs"), MatchedFilter)


def test_one_that_lacks_the_interface_is_refused_with_the_name_of_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    register(monkeypatch, theirs=dict)
    with pytest.raises(DetectionError, match=r"detector 'theirs': .* found dict; .* author of their-package"):
        get_detector("theirs")
