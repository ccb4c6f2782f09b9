"""Neo's classes with another function in the place of one that Neo calls to read a header."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

__all__ = ["with_functions"]


def with_functions(neo_class: Any, **functions: Callable[..., Any]) -> Any:
    """Return a class derived from one of Neo whose method ``_parse_header`` calls other functions.

    Neo has no way to hand it a header. Nothing of Neo itself is changed: other users of it in this process
    get what they always got.

    Parameters
    ----------
    neo_class : type
    **functions : callable
        By the names of the functions of Neo's module that they stand for.
    """
    method = neo_class._parse_header
    scope = {**method.__globals__, **functions}
    copy = FunctionType(method.__code__, scope, method.__name__, method.__defaults__, method.__closure__)
    # Its module decides where Neo logs.
    members = {"_parse_header": copy, "__module__": neo_class.__module__}
    return type(neo_class.__name__, (neo_class,), members)
