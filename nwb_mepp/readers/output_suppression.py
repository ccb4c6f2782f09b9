"""Running code of other packages without letting it write on the user's screen."""

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
    """Keep what Neo and the packages below it print, log or warn off the standard streams.

    Several of Neo's readers print while they parse, and its log handler writes to standard error; both
    would land in the middle of a progress bar or in a table that is piped on. What they log as a
    warning is handed to the caller instead. Python warnings are dropped: those of Neo and quantities
    concern their programmers (deprecations), and what matters to a user is checked after the read.

    Yields
    ------
    list of str
        Grows by one entry for each warning that Neo logs.
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
