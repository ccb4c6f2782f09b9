"""Docstrings say what signatures say; calls read by name; chance comes from seeded generators only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "nwb_mepp"
Function = ast.FunctionDef | ast.AsyncFunctionDef

# Seeded generators and what they are made of; everything else in numpy.random is the global state.
SEEDED = {"BitGenerator", "Generator", "PCG64", "SeedSequence", "default_rng"}
MAX_POSITIONAL = 3  # What is worked on comes first, as in draw_picture(traces, result, path, *, title).


@cache
def modules() -> dict[str, ast.Module]:
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): ast.parse(path.read_text("utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def public_names(module: ast.Module) -> set[str]:
    """Return the names in ``__all__``, or without one all that do not begin with an underscore."""
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    defined = (node.name for node in module.body if isinstance(node, Function | ast.ClassDef))
    return {name for name in defined if not name.startswith("_")}


def public_definitions() -> Iterator[tuple[str, Function | ast.ClassDef]]:
    for module_name, module in modules().items():
        names = public_names(module)
        for node in module.body:
            if isinstance(node, Function | ast.ClassDef) and node.name in names:
                yield f"{module_name}.{node.name}", node


def signature(function: Function) -> list[str]:
    """Return the names of the parameters, ``self`` and ``cls`` left out."""
    arguments = function.args
    named = [
        *arguments.posonlyargs,
        *arguments.args,
        arguments.vararg,
        *arguments.kwonlyargs,
        arguments.kwarg,
    ]
    names = [argument.arg for argument in named if argument is not None]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def documented(docstring: str, section: str) -> list[str] | None:
    """Return the names that a numpydoc section describes, None without that section."""
    match = re.search(
        rf"^{section}\n-{{{len(section)}}}\n(.*?)(?=^\S[^\n]*\n-{{3,}}|\Z)", docstring, re.M | re.S
    )
    if match is None:
        return None
    # "name : type", "first, second : type", "*args", "name"; deeper lines are the description.
    heads = re.findall(r"^([*\w][^:\n]*?)(?: ?:.*)?$", match[1], re.M)
    return [name.strip().lstrip("*") for head in heads for name in head.split(",")]


def mismatch(function: Function, docstring: str | None) -> str | None:
    """Return how the Parameters section contradicts the signature, None if it does not."""
    section = documented(docstring or "", "Parameters")
    names = signature(function)
    if section is not None and section != names:
        return f"documents {section} but takes {names}"
    return None


@cache
def definitions() -> dict[str, Function | ast.ClassDef]:
    return dict(public_definitions())


def classes() -> dict[str, ast.ClassDef]:
    return {name: node for name, node in definitions().items() if isinstance(node, ast.ClassDef)}


@cache
def exported() -> set[str]:
    """Return what a part of the package hands out in its __init__; names in other modules serve the part."""
    return {
        name
        for module_name, module in modules().items()
        if module_name.endswith(".__init__")
        for name in public_names(module)
    }


def called_by_people() -> dict[str, Function]:
    """Return the functions; Typer calls commands, and takes parameters and help from the annotations."""
    return {
        name: node
        for name, node in definitions().items()
        if isinstance(node, Function) and ".cli" not in name
    }


def parameter_complaints(function: Function) -> Iterator[str]:
    """Say what a docstring leaves out or gets wrong about the parameters of a function."""
    docstring = ast.get_docstring(function) or ""
    if problem := mismatch(function, docstring):
        yield problem
    # A single parameter may be plain from the first line; two or more are listed.
    several = function.name in exported() and len(signature(function)) > 1
    if several and documented(docstring, "Parameters") is None:
        yield "is exported, takes several parameters and has no section Parameters"


def call_complaints(function: Function) -> Iterator[str]:
    """Say which parameters a call would give by position although a name would read better."""
    positional = [*function.args.posonlyargs, *function.args.args]
    if len(positional) > MAX_POSITIONAL:
        yield f"takes {len(positional)} parameters by position; make the rest keyword-only"
    if function.args.defaults:
        yield "takes a parameter with a default by position; make it keyword-only"


def class_complaints(node: ast.ClassDef) -> Iterator[str]:
    """Say what the docstrings of a class and its methods leave out or get wrong."""
    methods = [item for item in node.body if isinstance(item, Function)]
    for method in methods:
        docstring = ast.get_docstring(node if method.name == "__init__" else method)
        if problem := mismatch(method, docstring):
            yield f"{method.name} {problem}"
        if not docstring and not method.name.startswith("_"):
            yield f"{method.name} has no docstring"
    fields = {ast.unparse(item.target) for item in node.body if isinstance(item, ast.AnnAssign)}
    described = documented(ast.get_docstring(node) or "", "Attributes") or []
    unknown = set(described) - fields - {method.name for method in methods}
    if fields and not node.bases and unknown:
        yield f"describes attributes that it does not have: {sorted(unknown)}"


def test_every_public_definition_has_a_docstring() -> None:
    assert len(definitions()) > 500
    assert [name for name, node in definitions().items() if not ast.get_docstring(node)] == []


def test_every_function_documents_exactly_its_parameters() -> None:
    found = [
        f"{name} {text}" for name, node in called_by_people().items() for text in parameter_complaints(node)
    ]
    assert found == []


def test_every_class_and_its_methods_document_exactly_their_parameters() -> None:
    assert [f"{name} {text}" for name, node in classes().items() for text in class_complaints(node)] == []


def test_what_is_worked_on_comes_first_and_all_else_by_keyword() -> None:
    assert [
        f"{name} {text}" for name, node in called_by_people().items() for text in call_complaints(node)
    ] == []


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("def f(a, b, c, d): ...", "takes 4 parameters by position"),
        ("def f(a, b=1): ...", "with a default by position"),
    ],
)
def test_a_call_that_would_not_read_by_name_is_noticed(source: str, complaint: str) -> None:
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    (found,) = call_complaints(function)
    assert complaint in found


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("def run(self): ...", "run has no docstring"),
        (
            "def run(self, a):\n    'Do.\\n\\nParameters\\n----------\\nb : int'",
            "run documents ['b'] but takes ['a']",
        ),
        ("a: int", "describes attributes that it does not have: ['z']"),
    ],
)
def test_a_class_whose_docstrings_are_wrong_is_noticed(body: str, complaint: str) -> None:
    node = ast.parse(f"class C:\n  'It is.\\n\\nAttributes\\n----------\\nz : int'\n  {body}").body[0]
    assert isinstance(node, ast.ClassDef)
    assert list(class_complaints(node)) == [complaint]


def global_chance(tree: ast.AST) -> list[str]:
    """Return every use of a random generator that all of a process shares."""
    found = []
    for node in ast.walk(tree):
        text = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Import | ast.ImportFrom) else ""
        attribute = re.fullmatch(r"(?:np|numpy)\.random\.(\w+)", text)
        imported = re.fullmatch(r"from numpy\.random import (.+)", text)
        names = {attribute[1]} if attribute else set(imported[1].split(", ")) if imported else set()
        if names - SEEDED or re.match(r"(import|from) random\b", text):
            found.append(text)
    return found


def test_every_module_draws_from_seeded_generators_only() -> None:
    found = {name: global_chance(module) for name, module in modules().items()}
    assert {name: uses for name, uses in found.items() if uses} == {}


@pytest.mark.parametrize(
    "source",
    [
        "np.random.seed(1)",
        "x = numpy.random.normal()",
        "import random",
        "from numpy.random import rand, default_rng",
    ],
)
def test_global_chance_is_noticed(source: str) -> None:
    assert len(global_chance(ast.parse(source))) == 1


@pytest.mark.parametrize(
    ("signature_text", "documented_names", "agrees"),
    [
        ("a, *, b", "a : int\n    Text.\nb : float", True),
        ("first, second", "first, second : ndarray\n    Both.", True),
        ("*parts, **options", "*parts : int\n**options : object", True),
        ("a, *, b", "a : int\n    Text: with a colon.", False),
        ("a, b", "b : int\na : int", False),
    ],
)
def test_a_docstring_that_contradicts_the_signature_is_noticed(
    signature_text: str, documented_names: str, agrees: bool
) -> None:
    function = ast.parse(f"def f({signature_text}): ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    docstring = f"Do it.\n\nParameters\n----------\n{documented_names}\n\nReturns\n-------\nint"
    assert (mismatch(function, docstring) is None) == agrees
