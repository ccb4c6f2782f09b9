"""Which way MEPPs point."""

from __future__ import annotations

from enum import StrEnum
from typing import NoReturn

from nwb_mepp.core.errors import UsageError

__all__ = ["Polarity"]


class Polarity(StrEnum):
    """Which way MEPPs point. A text that is none of the three raises UsageError."""

    AUTO = "auto"  # the survey decides
    POSITIVE = "positive"
    NEGATIVE = "negative"

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        raise UsageError(f"polarity: expected one of {', '.join(cls)}, found {value!r}.")

    @property
    def sign(self) -> int:
        """+1 or -1: a trace times its sign has MEPPs that point upward.

        Raises
        ------
        ValueError
            If it is ``AUTO``.

        Examples
        --------
        >>> Polarity("negative").sign
        -1
        """
        if self is Polarity.AUTO:
            raise ValueError("expected a positive or negative polarity, found auto; survey() decides which.")
        return 1 if self is Polarity.POSITIVE else -1
