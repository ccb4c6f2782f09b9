"""Functions that take options: signature and docstring are completed from the settings."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

from nwb_mepp.core.options import Option, options_of

__all__ = ["takes"]

Function = TypeVar("Function", bound=Callable[..., Any])

# The entry of a docstring that stands for all options, with its deeper lines.
_ENTRY = re.compile(r"^( *)\*\*options\n(?:\1 +.*\n)*", re.MULTILINE)


def takes(arguments: type, *settings: type, stored: bool = False) -> Callable[[Function], Function]:
    """Return a decorator that completes a function which ends in ``**options: Unpack[arguments]``.

    Parameters
    ----------
    arguments : type
        The TypedDict of the options that the function takes; it is what type checkers see.
    *settings : type
        The settings classes that define them.
    stored : bool, default False
        Annotate each option with what JSON can hold of it, instead of what the TypedDict says.

    Returns
    -------
    callable
        It gives the function, or the constructor of a class, a signature and a docstring with every option,
        and refuses any other keyword.
    """
    known = {name: one for cls in settings for name, one in options_of(cls).items()}
    taken = []
    for name, annotation in arguments.__annotations__.items():
        # A forward reference keeps the annotation as it is written.
        written = known[name].stored if stored else getattr(annotation, "__forward_arg__", annotation)
        default = known[name].stored_default if stored else known[name].default
        taken.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=written)
        )

    def complete(function: Function) -> Function:
        options = [known[one.name] for one in taken]
        if isinstance(function, type):
            function.__init__ = _completed(function.__init__, taken)  # type: ignore[misc]
            function.__doc__ = _with_entries(function.__doc__ or "", options)
            return function
        completed: Function = _completed(function, taken)
        completed.__doc__ = _with_entries(function.__doc__ or "", options)
        return completed

    return complete


def _completed(function: Any, taken: list[inspect.Parameter]) -> Any:
    """Return a function with a signature that names what it takes, and that takes nothing else."""
    signature = inspect.signature(function)
    own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    whole = signature.replace(parameters=[*own, *taken])

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            whole.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{function.__name__}(): {error}") from None
        return function(*args, **kwargs)

    checked.__signature__ = whole  # type: ignore[attr-defined]
    checked.__annotations__ = {
        name: one.annotation for name, one in whole.parameters.items() if one.annotation is not one.empty
    }
    return checked


def _with_entries(docstring: str, options: list[Option]) -> str:
    def entries(found: re.Match[str]) -> str:
        indent = found[1]
        lines = [f"{indent}{one.name} : {one.accepts}\n{indent}    {one.help}.\n" for one in options]
        return "".join(lines)

    return _ENTRY.sub(entries, docstring, count=1)
