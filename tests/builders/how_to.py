"""Follow a how-to of the documentation: write its files, register its entry points, run its commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"


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
