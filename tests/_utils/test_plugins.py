"""Plug-ins: the metadata of the installed packages are read once."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from nwb_mepp._utils import plugins as module
from nwb_mepp._utils.plugins import plugins


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record which groups are read, each with two entry points."""
    groups: list[str] = []

    def entry_points(*, group: str) -> EntryPoints:
        groups.append(group)
        return EntryPoints(EntryPoint(name=name, value=f"theirs:{name}", group=group) for name in ("b", "a"))

    monkeypatch.setattr(module, "entry_points", entry_points)
    plugins.cache_clear()
    yield groups
    plugins.cache_clear()


def test_a_group_is_read_once_and_sorted(read: list[str]) -> None:
    for _ in range(3):
        assert [point.name for point in plugins("one")] == ["a", "b"]
    plugins("other")
    assert read == ["one", "other"]


def test_it_can_be_read_again(read: list[str]) -> None:
    plugins("one")
    plugins.cache_clear()
    plugins("one")
    assert read == ["one", "one"]
