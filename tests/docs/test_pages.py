"""What the documentation says is there: links, options, examples; nothing of the machine it was made on."""

from __future__ import annotations

import doctest
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from builders.how_to import HOW_TO, PROJECT, named_blocks


def own_files() -> list[Path]:
    """Return the files of the project: what git tracks or would, all files where there is no git."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0:
        paths = [PROJECT / name for name in listing.stdout.decode().split("\0") if name]
    else:
        hidden = {".venv", ".demo", "build", "dist", "__pycache__"}
        paths = [path for path in PROJECT.rglob("*") if not hidden & set(path.relative_to(PROJECT).parts)]
    return sorted(path for path in paths if path.is_file())


FILES = own_files()
PAGES = [path for path in FILES if path.suffix == ".md"]


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def anchors(page: str) -> set[str]:
    """Return the anchors that the headings of a page get."""
    headings = re.findall(r"^#+ +(.+?) *$", page, re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def broken_links(page: str, folder: Path) -> list[str]:
    """Return the local links of a page, given as Markdown or HTML, that lead nowhere."""
    found = []
    links = re.findall(r"\]\(<?([^)\s>]+)>?[^)]*\)|(?:src|href)=\"([^\"]+)\"", page)
    for link in (markdown or html for markdown, html in links):
        if re.match(r"[a-z][a-z+.-]*:", link):
            continue
        place, _, anchor = link.partition("#")
        target = folder / place
        missing = bool(place) and not target.exists()
        if missing or (anchor and anchor not in anchors(target.read_text("utf-8") if place else page)):
            found.append(link)
    return found


def test_local_links_lead_somewhere() -> None:
    found = {name_of(path): broken_links(path.read_text("utf-8"), path.parent) for path in PAGES}
    assert {page: links for page, links in found.items() if links} == {}


def test_a_broken_link_is_noticed() -> None:
    page = "# A heading\n[a](Makefile) [b](none.md) [c](#a-heading) [d](#other) [e](https://example.org/x)"
    assert broken_links(page, PROJECT) == ["none.md", "#other"]


def blocks(page: str, *languages: str) -> list[str]:
    """Return the fenced blocks of a page that are in one of the languages ("" for none given)."""
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


EXAMPLES = [
    pytest.param(text, id=f"{name_of(path)}-{number}")
    for path in PAGES
    for number, text in enumerate(blocks(path.read_text("utf-8"), "python", "pycon"))
    if ">>>" in text
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_in_the_documentation_runs_as_printed(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Examples read from data/ and may write beside it: they run in a folder that has the project's data.
    (tmp_path / "data").symlink_to(PROJECT / "data")
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(example, {}, "example", None, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    report: list[str] = []
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


@pytest.mark.parametrize(
    ("page", "block", "place"),
    [
        ("add-a-detector.md", "step_detector.py", "nwb_mepp/detectors/step.py"),
        ("add-a-reader.md", "rig_reader.py", "nwb_mepp/readers/rig.py"),
        ("add-a-column.md", "tests/measurement/test_rise_slope.py", "tests/measurement/test_rise_slope.py"),
        (
            "add-an-option.md",
            "tests/workflows/test_max_amplitude_sd.py",
            "tests/workflows/test_max_amplitude_sd.py",
        ),
    ],
)
def test_the_code_of_a_how_to_passes_the_linter_in_its_place(page: str, block: str, place: str) -> None:
    code = named_blocks((HOW_TO / page).read_text("utf-8"))[block]
    ruff = [sys.executable, "-m", "ruff", "check", "--quiet", "--stdin-filename", place, "-"]
    done = subprocess.run(ruff, cwd=PROJECT, input=code, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Return every command of the command line with the words that call it."""
    from nwb_mepp.cli import app

    waiting: list[tuple[tuple[str, ...], Any]] = [((), typer.main.get_command(app))]
    while waiting:
        words, command = waiting.pop()
        yield words, command
        waiting.extend(((*words, name), inner) for name, inner in getattr(command, "commands", {}).items())


@pytest.fixture(scope="module")
def options() -> dict[tuple[str, ...], set[str]]:
    """Option names by command."""
    return {
        words: {
            name
            for parameter in command.params
            if parameter.param_type_name == "option"
            for name in (*parameter.opts, *parameter.secondary_opts)
        }
        | {"--help"}
        for words, command in commands()
    }


def unknown_words(line: str, options: dict[tuple[str, ...], set[str]]) -> list[str]:
    """Return what a command line beginning with ``nwb-mepp`` names that the command line lacks."""
    # A pipe, a redirection or a comment ends what the command itself gets.
    words = re.split(r"\s[|>#;&]", line)[0].split()[1:]
    command: tuple[str, ...] = ()
    while words and (*command, words[0]) in options:
        command = (*command, words.pop(0))
    plain = [word for word in words if not word.startswith("-")]
    # ``()`` has commands only: a plain word that follows it must have been meant as one.
    unknown = plain[:1] if not command and plain else []
    named = (word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word))
    return unknown + [option for option in named if option not in options[command]]


def command_lines(page: str) -> list[str]:
    """Return what a page shows of the command line, in blocks and inline; continued lines are joined."""
    lines = [
        line.strip().removeprefix("$ ")
        for block in blocks(page, "", "sh", "bash", "console", "shell", "text")
        for line in re.sub(r"\\\n", " ", block).splitlines()
    ]
    outside = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    lines += re.findall(r"`([^`\n]+)`", outside)
    return [line for line in lines if re.match(r"nwb-mepp(\s|$)", line)]


def unknown_in(page: str, options: dict[tuple[str, ...], set[str]]) -> list[str]:
    """Return the commands and options that a page names and the command line lacks."""
    found = [f"{word} in {line}" for line in command_lines(page) for word in unknown_words(line, options)]
    # An option on its own: `--gain` or `--unit [CHANNEL=]UNIT`.
    alone = {re.split(r"[ =]", code)[0] for code in re.findall(r"`(--[a-z][^`\n]*)`", page)}
    of_other_tools = {"--constraint", "--editable"}
    return found + sorted(alone - set.union(*options.values()) - of_other_tools)


def test_pages_name_only_commands_and_options_that_exist(options: dict[tuple[str, ...], set[str]]) -> None:
    found = {name_of(path): unknown_in(path.read_text("utf-8"), options) for path in PAGES}
    assert {page: words for page, words in found.items() if words} == {}


def test_an_unknown_option_or_command_is_noticed() -> None:
    known = {
        (): {"--help"},
        ("run",): {"-o", "--gain"},
        ("metadata",): set(),
        ("metadata", "template"): set(),
    }
    assert unknown_words("nwb-mepp run a.abf --gain 10 -o out", known) == []
    assert unknown_words("nwb-mepp metadata template > my.yaml", known) == []
    assert unknown_words("nwb-mepp run a.abf --gian=10 | head -3", known) == ["--gian"]
    assert unknown_words("nwb-mepp rum a.abf", known) == ["rum"]
    page = "`nwb-mepp run a.abf --gian 10`, `--gain` or `--giant`; pip has `--editable`"
    assert unknown_in(page, known) == ["--gian in nwb-mepp run a.abf --gian 10", "--giant"]


# Spelled in two parts, so that this file does not hold what it looks for.
REGISTRIES = ("py" + "pi.org", "python" + "hosted", "conda" + ".org", "conda" + ".anaconda")
MACHINE_PATHS = (
    r"(?<![\w.:/-])/(?:" + "|".join(("wo" + "rk", "ro" + "ot", "ho" + "me", "Us" + "ers")) + r")/\w"
)


def readable(path: Path) -> str:
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8", errors="replace")


def test_no_file_names_a_package_registry_or_a_path_of_the_machine_it_was_made_on() -> None:
    found = {
        name_of(path): match[0]
        for path in FILES
        if (match := re.search("|".join([*map(re.escape, REGISTRIES), MACHINE_PATHS]), readable(path)))
    }
    assert found == {}


def shipped_networks() -> dict[str, str]:
    """Return the SHA-256 of the newest network of every detector, all versions checked for theirs."""
    newest = {}
    folders = sorted((PROJECT / "nwb_mepp" / "weights").glob("*/*/"), key=lambda folder: int(folder.name))
    for folder in folders:
        sha256 = hashlib.sha256((folder / "model.tflite").read_bytes()).hexdigest()
        config = json.loads((folder / "config.json").read_text("utf-8"))
        assert (config["detector"], config["version"], config["sha256"]) == (
            folder.parent.name,
            folder.name,
            sha256,
        )
        newest[config["detector"]] = sha256
    return newest


def test_the_benchmark_was_made_with_the_weights_in_the_package() -> None:
    page = (PROJECT / "docs" / "benchmark.md").read_text("utf-8")
    newest = shipped_networks()
    assert set(newest) == {"miniunet", "autoencoder", "autoencoder_anomalous"}
    assert set(re.findall(r"\b[0-9a-f]{64}\b", page)) == set(newest.values())
    # Each stands in the line that names its detector.
    for detector, sha256 in newest.items():
        assert re.search(rf"`{detector}`[^\n]*`{sha256}`", page)


def test_every_dependency_is_explained() -> None:
    import tomllib

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(name for names in extras.values() for name in names)]
    names = {re.split(r"[\s<>=!~;\[]", requirement)[0] for requirement in wanted}
    page = (PROJECT / "docs" / "dependencies.md").read_text("utf-8")
    assert names - set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE)) == set()


def test_every_dependency_is_pinned_by_the_constraints() -> None:
    import tomllib

    def normal(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    projects = [
        tomllib.loads((PROJECT / folder / "pyproject.toml").read_text("utf-8"))["project"]
        for folder in (".", "extensions/ndx-mepp")
    ]
    wanted = {
        normal(re.split(r"[\s<>=!~;\[]", requirement)[0])
        for project in projects
        for requirements in (project["dependencies"], *project["optional-dependencies"].values())
        for requirement in requirements
    }
    lines = (PROJECT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = {normal(line.partition("==")[0]) for line in lines if "==" in line and not line.startswith("#")}
    # What the repository holds itself is installed from it.
    assert wanted - {normal(project["name"]) for project in projects} - pinned == set()
