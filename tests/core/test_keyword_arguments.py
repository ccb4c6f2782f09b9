"""Functions that take options have them in their signature and docstring."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TypedDict, Unpack

import pytest

from nwb_mepp.core.keyword_arguments import takes
from nwb_mepp.core.options import Options, option


@dataclass(frozen=True, kw_only=True)
class Cutting(Options):
    """How to cut."""

    margin_s: float | None = option(help="Leave out so much at each end")
    upside_down: bool = option(default=False, help="Turn it before")


class CuttingArguments(TypedDict, total=False):
    margin_s: float | None
    upside_down: bool


@takes(CuttingArguments, Cutting)
def cut(paper: str, *, color: str = "red", **options: Unpack[CuttingArguments]) -> str:
    """Cut paper.

    Parameters
    ----------
    paper : str
    color : str, default "red"
    **options
        How to cut, told in
        two lines.

    Returns
    -------
    str
    """
    return f"{paper} {color} {options}"


@takes(CuttingArguments, Cutting, stored=True)
class Scissors:
    """Cut often.

    Parameters
    ----------
    **options
        How to cut.
    """

    def __init__(self, **options: Unpack[CuttingArguments]) -> None:
        self.options = options


def test_the_signature_names_every_option() -> None:
    assert str(inspect.signature(cut)) == (
        "(paper: 'str', *, color: 'str' = 'red', margin_s: 'float | None' = None, "
        "upside_down: 'bool' = False) -> 'str'"
    )
    assert cut("a", upside_down=True) == "a red {'upside_down': True}"


def test_the_docstring_describes_every_option() -> None:
    assert inspect.getdoc(cut) == (
        'Cut paper.\n\nParameters\n----------\npaper : str\ncolor : str, default "red"\n'
        "margin_s : float, optional\n    Leave out so much at each end.\n"
        "upside_down : bool, default False\n    Turn it before.\n\nReturns\n-------\nstr"
    )


def test_any_other_keyword_is_refused_as_python_does() -> None:
    with pytest.raises(TypeError, match=r"cut\(\): got an unexpected keyword argument 'margin'"):
        cut("a", margin=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"__init__\(\): got an unexpected keyword argument 'margin'"):
        Scissors(margin=3)  # type: ignore[call-arg]


def test_a_class_gets_them_in_its_constructor() -> None:
    assert list(inspect.signature(Scissors).parameters) == ["margin_s", "upside_down"]
    assert inspect.signature(Scissors).parameters["margin_s"].annotation == float | None
    assert "upside_down : bool, default False" in (Scissors.__doc__ or "")
    assert Scissors(margin_s=2.0).options == {"margin_s": 2.0}
