"""Running code of other packages without letting it write to the user's terminal."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

__all__ = ["suppress_output"]


class _Collector(logging.Handler):
    def __init__(self, messages: list[str]) -> None:
        super().__init__(level=logging.WARNING)
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self._messages.append(record.getMessage())


@contextlib.contextmanager
def suppress_output() -> Iterator[list[str]]:
    """Suppress what Neo and the packages it uses print, log or warn.

    Several of Neo's readers print while they parse, and its log handler writes to standard error; both
    would end up in the middle of a progress bar or in a table that is piped to another program. Warnings that
    Neo logs are handed to the caller instead. Python warnings are dropped: those of Neo and quantities are
    meant for developers (deprecations), and what matters to the user is checked after reading.

    Yields
    ------
    list of str
        The warnings that Neo has logged so far; it grows as Neo logs more.
    """
    messages: list[str] = []
    logger = logging.getLogger("neo")
    handlers, propagate = list(logger.handlers), logger.propagate
    logger.handlers, logger.propagate = [_Collector(messages)], False
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            with contextlib.redirect_stderr(io.StringIO()):
                yield messages
    finally:
        logger.handlers, logger.propagate = handlers, propagate
