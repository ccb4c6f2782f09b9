"""Options: a field of a settings class says once what an option takes, means, and is called.

The command line, the functions in Python and the interfaces for NeuroConv take theirs from these fields.
Messages name an option as Python does, between backticks (```exclude=[(START, STOP)]```); the command line
shows it as it is typed there.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeVar

from nwb_mepp.core.errors import UsageError

__all__ = [
    "NAMES",
    "Kind",
    "Option",
    "Options",
    "at_least",
    "documented",
    "option",
    "options_of",
    "positive",
    "settings_from",
]

_OPTION = "nwb_mepp.option"
_NUMBERS = {int: "a whole number", float: "a number"}

Settings = TypeVar("Settings")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """What an option takes that is more than a number, a text or one of a few words.

    Attributes
    ----------
    convert : callable (name, value) -> object
        Turns whatever was given, text of the command line included, into the value that the settings hold; a
        converted value stays as it is.
    typed : type
        What the command line takes: ``str``, or ``list[str]`` for an option that can be repeated.
    stored : type
        What JSON can hold of it, for NeuroConv.
    accepts : str
        What Python takes, in words of a docstring.
    """

    convert: Callable[[str, Any], Any]
    typed: Any
    stored: Any
    accepts: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Option:
    """One option, as a field of a settings class defines it.

    Attributes
    ----------
    name : str
        Of the field, and of the argument in Python.
    type : type
        What is held, without the None that stands for "not stated".
    default : object
    help : str
        A phrase that stands alone, without a full stop.
    flag : str, optional
        What the command line calls it; without it the command line does not offer it.
    metavar : str, optional
        What stands for its value in the help.
    default_text : str, optional
        What holds if it is not stated, where the default itself does not say.
    kind : Kind, optional
    check : callable (name, value), optional
        Raises UsageError for what is not possible.
    """

    name: str = ""
    type: Any = None
    default: Any = None
    help: str
    flag: str | None = None
    metavar: str | None = None
    default_text: str | None = None
    kind: Kind | None = None
    check: Callable[[str, Any], None] | None = None

    @property
    def choices(self) -> tuple[str, ...]:
        """The words to choose from, if it takes one of a few."""
        if typing.get_origin(self.type) is Literal:
            return typing.get_args(self.type)
        return tuple(self.type) if isinstance(self.type, type) and issubclass(self.type, Enum) else ()

    @property
    def accepts(self) -> str:
        """What Python takes, in words of a docstring."""
        if self.kind is not None:
            kind = self.kind.accepts
        elif self.choices:
            kind = "{" + ", ".join(f'"{choice}"' for choice in self.choices) + "}"
        else:
            kind = "path-like" if self.type is Path else self.type.__name__
        unstated = self.default is None or self.default == () or isinstance(self.default, Mapping)
        return f"{kind}, optional" if unstated else f"{kind}, default {_shown(self.default)}"

    @property
    def stored(self) -> Any:
        """What JSON can hold of it."""
        if self.kind is not None:
            return self.kind.stored | None
        held = str if self.type is Path else self.type
        return held | None if self.default is None else held

    @property
    def stored_default(self) -> Any:
        """The default, as JSON can hold it."""
        if isinstance(self.default, tuple):
            return list(self.default) or None
        return str(self.default) if isinstance(self.default, str) else self.default

    def value_of(self, given: Any) -> Any:
        """Return the value that is held for what was given, checked.

        Raises
        ------
        UsageError
            If it is of another kind, or not possible.
        """
        if given is None:
            given = self.default
        if given is None:
            return None
        value = self._converted(given)
        if self.check is not None:
            self.check(self.name, value)
        return value

    def _converted(self, given: Any) -> Any:
        if self.kind is not None:
            return self.kind.convert(self.name, given)
        if self.choices:
            if given not in self.choices:
                raise UsageError(
                    f"`{self.name}`: expected one of {', '.join(self.choices)}, found {given!r}."
                )
            return self.type(given) if isinstance(self.type, type) else given
        if self.type is Path:
            if not isinstance(given, str | PathLike):
                raise UsageError(f"`{self.name}`: expected a path, found {given!r}.")
            return Path(given)
        if self.type in _NUMBERS:
            return _number(self.name, given, whole=self.type is int)
        if not isinstance(given, self.type):
            expected = "True or False" if self.type is bool else "text"
            raise UsageError(f"`{self.name}`: expected {expected}, found {given!r}.")
        return given


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return "(" + ", ".join(f'"{one}"' for one in default) + ")"
    return f'"{default}"' if isinstance(default, str) else repr(default)


def _number(name: str, given: Any, *, whole: bool) -> Any:
    # What __index__ or __float__ turns into a number is one, also in the types of NumPy; text is not.
    is_number = hasattr(given, "__index__" if whole else "__float__") and not isinstance(given, bool)
    if not is_number:
        raise UsageError(f"`{name}`: expected {_NUMBERS[int if whole else float]}, found {given!r}.")
    return given


def option(
    *,
    default: Any = None,
    help: str,  # noqa: A002 - what it is called everywhere
    flag: str | None = None,
    metavar: str | None = None,
    default_text: str | None = None,
    kind: Kind | None = None,
    check: Callable[[str, Any], None] | None = None,
) -> Any:
    """Return a field of a settings class that is an option; :class:`Option` explains the arguments.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True, kw_only=True)
    ... class Cutting(Options):
    ...     margin_s: float | None = option(
    ...         help="Leave out so much at each end", flag="--margin", metavar="S", check=at_least(0)
    ...     )
    >>> Cutting(margin_s=-1.0)
    Traceback (most recent call last):
    nwb_mepp.core.errors.UsageError: `margin_s`: expected a finite number of 0 or more, found -1.0.
    """
    about = Option(
        default=default,
        help=help,
        flag=flag,
        metavar=metavar,
        default_text=default_text,
        kind=kind,
        check=check,
    )
    return dataclasses.field(default=default, metadata={_OPTION: about})


def options_of(settings: type) -> dict[str, Option]:
    """Return the options that a settings class defines, by name."""
    return _options_of(settings)


@cache
def _options_of(settings: Any) -> dict[str, Option]:
    types_of = typing.get_type_hints(settings)
    return {
        field.name: dataclasses.replace(
            field.metadata[_OPTION], name=field.name, type=_without_none(types_of[field.name])
        )
        for field in dataclasses.fields(settings)
    }


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        (annotation,) = (one for one in typing.get_args(annotation) if one is not type(None))
    return annotation


class Options:
    """Base of the settings classes: each field converts and checks what it is given; None is its default."""

    def __post_init__(self) -> None:
        for name, about in options_of(type(self)).items():
            object.__setattr__(self, name, about.value_of(getattr(self, name)))

    def stated(self) -> tuple[str, ...]:
        """Return the names of the options that say something else than their default."""
        every = options_of(type(self)).items()
        return tuple(name for name, about in every if getattr(self, name) != about.value_of(None))


def settings_from(settings: type[Settings], arguments: Mapping[str, Any]) -> Settings:
    """Return settings made of those arguments that are theirs."""
    return settings(**{name: arguments[name] for name in options_of(settings) if name in arguments})


def documented(settings: type[Settings]) -> type[Settings]:
    """Complete the docstring of a settings class: its fields, from what they say of themselves."""
    text = (settings.__doc__ or "").rstrip()
    head, raises, tail = text.partition("\n    Raises\n")
    lines = ["", "    Attributes", "    ----------"]
    for about in options_of(settings).values():
        lines += [f"    {about.name} : {about.accepts}", f"        {about.help}."]
    settings.__doc__ = "\n".join([head.rstrip(), *lines, "", (raises + tail).lstrip("\n") if raises else ""])
    return settings


def at_least(least: int) -> Callable[[str, Any], None]:
    """Return a check for finite numbers that are not below a least one."""

    def check(name: str, value: float) -> None:
        if not (math.isfinite(value) and value >= least):
            raise UsageError(f"`{name}`: expected a finite number of {least} or more, found {value}.")

    return check


def positive(unit: str) -> Callable[[str, Any], None]:
    """Return a check for finite numbers of a unit above 0."""

    def check(name: str, value: float) -> None:
        if not (math.isfinite(value) and value > 0):
            raise UsageError(f"`{name}`: expected a finite number of {unit} above 0, found {value}.")

    return check


def _names(name: str, given: str | Iterable[str]) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else (given,)
    wrong = [one for one in names if not isinstance(one, str)]
    if wrong:
        raise UsageError(f"`{name}`: expected names, found {wrong[0]!r}.")
    return names


# A single text is one name, never a sequence of letters.
NAMES = Kind(convert=_names, typed=list[str], stored=str | list[str], accepts="str or sequence of str")
