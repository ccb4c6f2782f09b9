"""Messages name options as Python does; the command line shows what is typed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer.main

import nwb_mepp
from nwb_mepp.cli import app
from nwb_mepp.cli.options import as_typed, flag_of

PACKAGE = Path(nwb_mepp.__file__).parent


@cache
def parameters() -> dict[str, set[str]]:
    """Return what each parameter of the commands is called on the command line."""
    found: dict[str, set[str]] = {}
    waiting = [typer.main.get_command(app)]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        for one in command.params:
            if one.param_type_name == "option":
                found.setdefault(str(one.name), set()).update(one.opts)
    return found


def texts() -> Iterator[tuple[str, str]]:
    """Return the texts in the code outside the command line, docstrings left out, as "file: line"."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] in ("cli", "plots"):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        plain = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        flags = {
            id(node.value) for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "flag"
        }
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in plain | flags and "\n" not in node.value:  # type: ignore[attr-defined]
                yield f"{path.relative_to(PACKAGE)}: {node.lineno}", node.value  # type: ignore[attr-defined]


@cache
def messages() -> dict[str, str]:
    return dict(texts())


def test_no_message_outside_the_command_line_names_what_is_typed_there() -> None:
    found = {place: text for place, text in messages().items() if re.search(r"(?<!-)--[a-z]|(^| )-o\b", text)}
    assert found == {}


def test_every_argument_that_a_message_names_is_an_option_of_a_command() -> None:
    named = {name for text in messages().values() for name in re.findall(r"`([a-z]\w*)(?==[^`]*`|`)", text)}
    assert {"threshold", "exclude", "sampling_rate_hz", "overwrite"} <= named
    every = set.union(*parameters().values())
    unknown = {name: flag_of(name) for name in named if flag_of(name) not in every}
    assert unknown == {}


@pytest.mark.parametrize(
    ("message", "typed"),
    [
        ("`threshold`: expected a number", "--threshold: expected a number"),
        (
            "`false_discovery_rate` without `sampling_rate_hz`",
            "--false-discovery-rate without --sampling-rate",
        ),
        ("`detectors` and `channels`, `n_processes`", "--detector and --channel, --jobs"),
        ("`exclude=[(START, STOP)]`.", "--exclude START:STOP."),
        ("`unit={'CHANNEL': 'UNIT'}` or `unit='UNIT'`", "--unit CHANNEL=UNIT or --unit UNIT"),
        ("`reader='NAME'`, `sampling_rate_hz=HZ`", "--reader NAME, --sampling-rate HZ"),
        ("give `override=True`, or another `output`", "give --override, or another --output"),
        ("the file a`b.abf", "the file a`b.abf"),
        ("`channels='IN 0'` or `gain={'Vm (1)': 10}`", '--channel "IN 0" or --gain "Vm (1)=10"'),
        ("`exclude=[(1.0, 2.5)]`, `channels='Канал'`", "--exclude 1.0:2.5, --channel Канал"),
        ("""`channels='a"b'`""", """--channel 'a"b'"""),
    ],
)
def test_an_option_is_shown_as_it_is_typed(message: str, typed: str) -> None:
    assert as_typed(message) == typed
