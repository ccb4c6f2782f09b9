"""Write the reference part of command-line.md from the commands themselves.

    python docs/make_command_line.py

A test fails where the page does not say what the commands say.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from nwb_mepp.cli import app

PAGE = Path(__file__).with_name("command-line.md")
MARK = "<!-- What follows is written by docs/make_command_line.py. -->\n"


def leaves(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Return the commands that do something, each with the words that call it."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
        return
    for name, one in inner.items():
        yield from leaves(one, (*words, name))


def section(words: tuple[str, ...], command: Any) -> str:
    """Return what is to be said of one command."""
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and "--help" not in one.opts]
    several = {one.name: "..." if one.nargs == -1 else "" for one in arguments}
    call = " ".join([*words, *(f"{one.metavar}{several[one.name]}" for one in arguments)])
    lines = [f"## {' '.join(words)}", "", "```text", f"{call}{' [OPTIONS]' if options else ''}", "```", ""]
    lines += [_wrapped(paragraph) + "\n" for paragraph in (command.help or "").split("\n\n")]
    if options:
        lines += ["| option | meaning |", "|---|---|", *map(row, options), ""]
    return "\n".join(lines)


def _wrapped(paragraph: str) -> str:
    # Not within a word: "--units" and paths stay whole.
    return textwrap.fill(" ".join(paragraph.split()), 110, break_long_words=False, break_on_hyphens=False)


def row(option: Any) -> str:
    """Return the row of one option: its names, what it takes, its help and what it is without being given."""
    takes = "" if option.is_flag else f" {option.metavar}".replace("|", "\\|")
    names = ", ".join(f"`{name}`" for name in reversed(option.opts[1:]))
    meaning = str(option.help).replace("|", "\\|")
    default = getattr(option.default, "value", option.default)
    shown = option.show_default and default is not None and not option.is_flag
    needed = " Needed." if option.required else f" Without it: {default}." if shown else ""
    return f"| {names + ', ' if names else ''}`{option.opts[0]}{takes}` | {meaning}{needed} |"


def reference() -> str:
    """Return the reference of all commands."""
    program = typer.main.get_command(app)
    return "\n".join(section(words, command) for words, command in leaves(program, ("nwb-mepp",)))


def main() -> None:
    """Replace what the page says below the mark."""
    by_hand, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(f"{by_hand}{MARK}\n{reference()}", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
