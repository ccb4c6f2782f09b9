"""Follow a how-to of the documentation: write its files, register its entry points, run its commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
HOW_TO = PROJECT / "docs" / "how-to"


def named_blocks(page: str) -> dict[str, str]:
    """Return the fenced blocks of a page that begin with the comment ``# file.name``, by that name."""
    blocks = re.findall(r"^```\w+\n# (\S+\.\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return dict(blocks)


def install(page_name: str, folder: Path) -> None:
    """Write the files of a how-to into a folder, as ``pip install`` would leave them on the path."""
    blocks = named_blocks((HOW_TO / page_name).read_text("utf-8"))
    for name, text in blocks.items():
        (folder / name).write_text(text, encoding="utf-8")
    project = tomllib.loads(blocks["pyproject.toml"])["project"]
    installed = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
    )
    points = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (installed / "entry_points.txt").write_text("\n".join(points), encoding="utf-8")


def nwb_mepp(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder whose modules and entry points can be imported."""
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "nwb_mepp", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def followed(page_name: str, folder: Path, *, needs: str) -> list[str]:
    """Copy the project, as far as it is needed, and follow a how-to there: change its files, write its test.

    ``needs`` is the page of ``docs`` that the how-to renews. Return which files were changed.
    """
    shutil.copytree(
        PROJECT / "nwb_mepp", folder / "nwb_mepp", ignore=shutil.ignore_patterns("weights", "__pycache__")
    )
    (folder / "nwb_mepp" / "weights").symlink_to(PROJECT / "nwb_mepp" / "weights")
    shutil.copytree(PROJECT / "tests" / "builders", folder / "tests" / "builders")
    (folder / "docs").mkdir()
    for name in {needs, "make_command_line.py"}:
        shutil.copy(PROJECT / "docs" / name, folder / "docs")
    page = (HOW_TO / page_name).read_text("utf-8")
    changes = re.findall(r"^```diff\n--- (\S+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for name, lines in changes:
        apply(lines.splitlines(), folder / name)
    for name, text in named_blocks(page).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return list(dict.fromkeys(name for name, _ in changes))


def apply(lines: list[str], path: Path) -> None:
    """Put the lines that begin with ``+`` between the others, which stand in a file once."""
    old = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
    new = "".join(f"{line[1:]}\n" for line in lines)
    source = path.read_text("utf-8")
    assert source.count(old) == 1, f"{path.name} has changed: bring the page up to date"
    path.write_text(source.replace(old, new), encoding="utf-8")


def run_in(folder: Path, *words: str) -> str:
    """Run Python in a followed copy of the project and return what it prints."""
    finished = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(folder), str(folder / "tests")]),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout
