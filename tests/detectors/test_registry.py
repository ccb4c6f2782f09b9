"""The registry: detectors by name, from this package and from others."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from nwb_mepp.core.errors import DetectionError, UsageError
from nwb_mepp.detectors import (
    DETECTOR_GROUP,
    Detector,
    MatchedFilter,
    detector_names,
    get_detector,
    gives_probability,
    registry,
    takes_weights,
)


def register(monkeypatch: pytest.MonkeyPatch, **things: object) -> None:
    points = [
        SimpleNamespace(name=name, load=lambda thing=thing: thing, dist=SimpleNamespace(name="their-package"))
        for name, thing in things.items()
    ]
    monkeypatch.setattr(registry, "plugins", lambda group: points if "detectors" in group else [])


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


def test_one_that_cannot_be_loaded_is_refused_with_the_name_of_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point = EntryPoint(name="theirs", value="no_such_module:Theirs", group=DETECTOR_GROUP)
    monkeypatch.setattr(registry, "plugins", lambda _: [point])
    with pytest.raises(
        DetectionError,
        match=r"The detector 'theirs' of that package cannot be loaded \(No module .*\); update or remove",
    ):
        get_detector("theirs")


def test_two_of_the_same_name_are_refused_with_the_names_of_their_packages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = [
        SimpleNamespace(name="theirs", load=lambda: MatchedFilter, dist=SimpleNamespace(name=package))
        for package in ("one-package", "other-package")
    ]
    monkeypatch.setattr(registry, "plugins", lambda _: points)
    assert detector_names() == ("theirs",)
    with pytest.raises(UsageError, match=r"called 'theirs' \(one-package, other-package\); keep only one"):
        get_detector("theirs")


class Weighted(MatchedFilter):
    """A detector of another package that takes weights."""

    def __init__(self, weights: Path | None = None) -> None:
        super().__init__()
        self.weights = weights


def test_weights_reach_a_detector_that_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, theirs=Weighted, plain=MatchedFilter)
    assert (takes_weights("theirs"), takes_weights("plain")) == (True, False)
    found = get_detector("theirs", weights=Path("folder"))
    assert isinstance(found, Weighted)
    assert found.weights == Path("folder")
    with pytest.raises(
        UsageError,
        match=r"`weights`: expected a detector that has weights \(theirs\), found plain, which has none",
    ):
        get_detector("plain", weights=Path("folder"))


def test_a_detector_gives_probabilities_unless_it_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = {name: gives_probability(name) for name in detector_names()}
    assert [name for name, claimed in claims.items() if claimed] == ["miniunet"]
    register(monkeypatch, theirs=SimpleNamespace())
    assert gives_probability("theirs")
