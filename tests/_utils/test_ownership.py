from __future__ import annotations

import json
from pathlib import Path

import pytest

from nwb_mepp._utils.ownership import (
    LIST_NAME,
    claim,
    is_ours,
    owned_file,
    picture_metadata,
    refuse_foreign,
    remove_ours,
)
from nwb_mepp.core.errors import OutputError

# printf 'ours\n' | sha256sum
SHA256_OF_OURS = "13102ad5e68a577a21dbe1aa6b16189e93e979278d6b9917d7f279a9a3dabd16"


def write(path: Path, text: str) -> Path:
    with owned_file(path) as temporary:
        temporary.write_text(text)
    return path


def test_a_table_that_was_written_is_ours_and_is_replaced(tmp_path: Path) -> None:
    table = write(tmp_path / "mepps.csv", "first\n")
    assert is_ours(table)
    write(table, "second\n")
    assert table.read_text() == "second\n"
    assert is_ours(table)


def test_a_table_of_someone_else_is_refused_by_name_and_stays(tmp_path: Path) -> None:
    table = tmp_path / "mepps.csv"
    table.write_text("mine\n")
    with pytest.raises(OutputError, match=r"mepps\.csv to be free or written by nwb-mepp.*move or rename it"):
        write(table, "theirs\n")
    assert not remove_ours(table)
    assert table.read_text() == "mine\n"


def test_a_table_that_was_edited_is_no_longer_ours(tmp_path: Path) -> None:
    table = write(tmp_path / "mepps.csv", "ours\n")
    table.write_text("ours, and a remark\n")
    assert not is_ours(table)


def test_after_an_interruption_before_the_move_the_old_table_is_still_ours(tmp_path: Path) -> None:
    table = write(tmp_path / "mepps.csv", "old\n")
    new = tmp_path / "new"
    new.write_text("new\n")
    claim(table, content=new)
    assert is_ours(table)
    new.replace(table)
    assert is_ours(table)


def test_a_table_of_the_same_content_under_another_name_is_not_ours(tmp_path: Path) -> None:
    write(tmp_path / "mepps.csv", "ours\n")
    (tmp_path / "copy.csv").write_text("ours\n")
    assert not is_ours(tmp_path / "copy.csv")


def test_the_list_holds_name_and_checksum(tmp_path: Path) -> None:
    write(tmp_path / "mepps.csv", "ours\n")
    listed = json.loads((tmp_path / LIST_NAME).read_text())["files"]
    assert listed == {"mepps.csv": [SHA256_OF_OURS]}


def test_what_is_ours_is_removed_and_forgotten(tmp_path: Path) -> None:
    table = write(tmp_path / "failures.csv", "ours\n")
    assert remove_ours(table)
    assert not table.exists()
    table.write_text("ours\n")
    assert not is_ours(table)


def test_where_nothing_stands_nothing_is_ours_nor_in_the_way(tmp_path: Path) -> None:
    refuse_foreign(tmp_path / "mepps.csv")
    assert remove_ours(tmp_path / "mepps.csv")
    assert not is_ours(tmp_path / "mepps.csv")
    assert not is_ours(tmp_path)


def test_a_link_that_points_nowhere_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "mepps.csv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="found another file"):
        refuse_foreign(tmp_path / "mepps.csv")


@pytest.mark.parametrize(
    "text", ["no JSON", "[]", '{"files": []}', '{"files": {"mepps.csv": 1}}', "[" * 20_000]
)
def test_a_damaged_list_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / LIST_NAME).write_text(text)
    (tmp_path / "mepps.csv").write_text("whose?\n")
    with pytest.raises(OutputError, match=r"\.nwb-mepp\.json, found no such list; remove it"):
        is_ours(tmp_path / "mepps.csv")


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_a_picture_is_known_by_its_marker(tmp_path: Path, suffix: str) -> None:
    from matplotlib.figure import Figure

    ours, foreign = tmp_path / f"ours{suffix}", tmp_path / f"foreign{suffix}"
    Figure().savefig(ours, metadata=picture_metadata(suffix))
    Figure().savefig(foreign)
    assert is_ours(ours)
    assert not is_ours(foreign)
    assert list(tmp_path.glob(".*")) == []
