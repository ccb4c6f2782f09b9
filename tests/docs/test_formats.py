"""The page on formats says how each registered reader is given its files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nwb_mepp.readers import ReaderEntry, reader_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
SECTIONS = dict(
    re.findall(r"^## (\S+)\n\n(.*?)(?=\n## |\Z)", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
)


def test_the_page_has_a_section_for_each_reader_in_order() -> None:
    assert list(SECTIONS) == [entry.name for entry in reader_table()]


@pytest.mark.parametrize("entry", reader_table(), ids=lambda entry: entry.name)
def test_a_section_says_how_files_are_given_and_what_is_carried_over(entry: ReaderEntry) -> None:
    lines = re.findall(
        r"^- (Files|Given|Carried over|Not carried over): \S", SECTIONS[entry.name], re.MULTILINE
    )
    assert lines == ["Files", "Given", "Carried over", "Not carried over"]
    named = re.search(r"^- Files: (.*?)\n- Given", SECTIONS[entry.name], re.DOTALL | re.MULTILINE)
    assert named is not None
    assert re.findall(r"`([^`]+)`", named[1]) == list(entry.suffixes)
    assert ("--reader" in SECTIONS[entry.name]) == (
        entry.explicit or (entry.reads_folder and entry.claims is None)
    )


@pytest.mark.parametrize("entry", reader_table(), ids=lambda entry: entry.name)
def test_a_package_that_no_extra_installs_is_named(entry: ReaderEntry) -> None:
    for package in entry.requires:
        if package in ("sonpy", "MEArec", "dhn_med_py"):
            assert package in SECTIONS[entry.name]
