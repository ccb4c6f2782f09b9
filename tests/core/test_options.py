"""A field of a settings class converts and checks whatever is given to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.options import (
    NAMES,
    Options,
    at_least,
    documented,
    option,
    options_of,
    positive,
    settings_from,
)


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


@documented
@dataclass(frozen=True, kw_only=True)
class Painting(Options):
    """How to paint.

    Raises
    ------
    UsageError
        If that cannot be painted.
    """

    names: tuple[str, ...] = option(default=("a",), help="Name to write", flag="--name", kind=NAMES)
    size: float | None = option(help="Size of the picture", check=positive("m"))
    layers: int = option(default=1, help="Number of layers", check=at_least(1))
    color: Color = option(default=Color.RED, help="Color to begin with")
    brush: Literal["thin", "thick"] | None = option(help="Brush to use")
    folder: Path | None = option(help="Folder of the pictures")
    signed: bool = option(default=False, help="Sign it")
    title: str | None = option(help="Title below")


def test_what_is_given_is_held_as_the_field_says() -> None:
    painting = Painting(names="matched_filter", color="blue", folder="out", size=np.float64(2))  # type: ignore[arg-type]
    assert painting.names == ("matched_filter",)
    assert painting.color is Color.BLUE
    assert painting.folder == Path("out")
    assert painting.size == 2.0
    assert Painting(names=["b", "c"]).names == ("b", "c")  # type: ignore[arg-type]


def test_none_stands_for_the_default() -> None:
    assert Painting(names=None, layers=None, color=None) == Painting()  # type: ignore[arg-type]
    assert Painting().stated() == ()
    assert Painting(layers=1, brush="thin", names=("b",)).stated() == ("names", "brush")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"names": ("a", 3)}, "`names`: expected names, found 3"),
        ({"names": 3}, "`names`: expected names, found 3"),
        ({"size": "large"}, "`size`: expected a number, found 'large'"),
        ({"size": True}, "`size`: expected a number, found True"),
        ({"size": 0.0}, r"`size`: expected a finite number of m above 0, found 0\.0"),
        ({"layers": 2.5}, r"`layers`: expected a whole number, found 2\.5"),
        ({"layers": 0}, "`layers`: expected a finite number of 1 or more, found 0"),
        ({"color": "green"}, "`color`: expected one of red, blue, found 'green'"),
        ({"brush": "wide"}, "`brush`: expected one of thin, thick, found 'wide'"),
        ({"brush": ["thin"]}, r"`brush`: expected one of thin, thick, found \['thin'\]"),
        ({"folder": 3}, "`folder`: expected a path, found 3"),
        ({"signed": "yes"}, "`signed`: expected True or False, found 'yes'"),
        ({"title": 3}, "`title`: expected text, found 3"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_the_name_of_the_argument(
    wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        Painting(**wrong)


def test_settings_take_their_own_of_many_arguments() -> None:
    assert settings_from(Painting, {"title": "x", "speed": 3}) == Painting(title="x")


def test_the_docstring_of_a_settings_class_lists_its_fields() -> None:
    text = Painting.__doc__ or ""
    assert text.index("Attributes") < text.index("Raises")
    assert '    names : str or sequence of str, default ("a")\n        Name to write.\n' in text
    assert '    color : {"red", "blue"}, default "red"\n' in text
    assert '    brush : {"thin", "thick"}, optional\n' in text
    assert "    folder : path-like, optional\n" in text
    assert "    signed : bool, default False\n" in text


def test_what_json_can_hold_of_an_option_is_known() -> None:
    options = options_of(Painting)
    assert options["names"].stored == str | list[str] | None
    assert options["names"].stored_default == ["a"]
    assert options["folder"].stored == str | None
    assert options["layers"].stored is int
    assert options["color"].stored_default == "red"
