"""What a column of a table is, and classes whose attributes are columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from typing import Any, Generic, Literal, NoReturn, Self, TypeVar, overload

import numpy as np
import numpy.typing as npt

__all__ = ["FIRST_VERSION", "Column", "Columns", "added"]

DType = Literal["float64", "int64", "bool", "text"]
Value = TypeVar("Value")

# The first version of the extension ndx-mepp that stays readable.
FIRST_VERSION = "0.2.0"
_ABSENT: dict[DType, float | int | bool | str] = {"float64": np.nan, "int64": 0, "bool": False, "text": ""}


@dataclass(frozen=True)
class Column(Generic[Value]):
    """One column of a table.

    It is an attribute of a class derived from :class:`Columns`. Asked of the class, the attribute is the
    column itself; asked of an object, it is the object's value.

    Attributes
    ----------
    name : str
        In NWB, CSV and JSON (a contract: other programs read it).
    unit : str
        SI unit; ``"{u}"`` stands for the unit of the trace (V or A), ``""`` for no unit.
    description : str
        What the values are, without the unit.
    dtype : {"float64", "int64", "bool", "text"}
    since : str
        The first version of ndx-mepp that has the column.
    optional : bool
        Whether a table in a file may lack it. Every column later than the first version is optional: files
        written before do not have it.
    given : bool
        Whether it must be given to build a row. Any other column that is not given holds :attr:`absent`.
    in_nwb, in_csv : bool
        Whether the column is written to NWB tables; to CSV and JSON.
    attribute : str
        Name of the attribute in Python.

    Raises
    ------
    ValueError
        If the parts contradict each other.

    Examples
    --------
    >>> area = Column("area", "{u} s", "Integral over the interval.")
    >>> area.unit_in("V"), area.unit_in("V or A"), area.describe("A")
    ('V s', '(V or A) s', 'Integral over the interval. Unit: A s.')
    """

    name: str
    unit: str = ""
    description: str = ""
    _: KW_ONLY
    dtype: DType = "float64"
    since: str = FIRST_VERSION
    optional: bool = False
    given: bool = False
    in_nwb: bool = True
    in_csv: bool = True
    attribute: str = ""

    def __post_init__(self) -> None:
        if self.unit and self.dtype != "float64":
            raise ValueError(f"column {self.name!r}: expected float64 for a unit, found {self.dtype}.")
        if self.dtype == "int64" and not self.given:
            raise ValueError(f"column {self.name!r}: no integer stands for 'absent'; expected given=True.")
        if self.since != FIRST_VERSION and not self.optional:
            raise ValueError(
                f"column {self.name!r}: files written before {self.since} lack it; expected optional=True."
            )

    def __set_name__(self, owner: type, attribute: str) -> None:
        object.__setattr__(self, "attribute", attribute)

    @overload
    def __get__(self, row: None, owner: type) -> Column[Value]: ...
    @overload
    def __get__(self, row: object, owner: type) -> Value: ...
    def __get__(self, row: object | None, owner: type) -> Column[Value] | Value:
        # What an object holds stands in its __dict__ and is found there first.
        if row is None:
            return self
        raise AttributeError(f"this {owner.__name__} was built before it had the column {self.attribute!r}.")

    @property
    def absent(self) -> float | int | bool | str:
        """What stands where nothing is known: NaN, False, an empty text."""
        return _ABSENT[self.dtype]

    def blank(self, n_rows: int) -> npt.NDArray[Any]:
        """Return the column for rows of which nothing is known, shape (n_rows,)."""
        return np.full(n_rows, self.absent, dtype=np.str_ if self.dtype == "text" else self.dtype)

    def unit_in(self, trace_unit: str) -> str:
        """Return the unit of the column for a trace in that unit (or "V or A")."""
        inner = f"({trace_unit})" if " " in trace_unit and self.unit != "{u}" else trace_unit
        return self.unit.replace("{u}", inner)

    def describe(self, trace_unit: str) -> str:
        """Return the description with the unit for a trace in that unit."""
        return f"{self.description} Unit: {self.unit_in(trace_unit)}." if self.unit else self.description


class Columns:
    """Base of classes whose attributes are columns; their objects hold a value for each and are immutable."""

    @classmethod
    def columns(cls) -> tuple[Column[Any], ...]:
        """Return the columns in the order in which they are defined."""
        return tuple(
            value
            for base in reversed(cls.__mro__)
            for value in vars(base).values()
            if isinstance(value, Column)
        )

    @classmethod
    def _completed(cls, given: Mapping[str, Any], *, absent: Callable[[Column[Any]], Any]) -> dict[str, Any]:
        """Return a value for every column: the one given, else what stands where it is absent."""
        columns = {column.attribute: column for column in cls.columns()}
        unknown = [name for name in given if name not in columns]
        if unknown:
            raise TypeError(
                f"expected columns of {cls.__name__} ({', '.join(columns)}), found {unknown[0]!r}."
            )
        missing = [name for name, column in columns.items() if column.given and name not in given]
        if missing:
            raise TypeError(f"expected {missing[0]!r}, which every {cls.__name__} states, found none.")
        return {name: given[name] if name in given else absent(column) for name, column in columns.items()}

    def replace(self, **changes: Any) -> Self:
        """Return a copy with other values in some columns.

        Parameters
        ----------
        **changes : object
            By attribute.
        """
        return type(self)(**(vars(self) | changes))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed; use replace({name}=...).")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed.")

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"


@contextmanager
def added(table: type[Columns], attribute: str, column: Column[Value]) -> Iterator[Column[Value]]:
    """Add a column to a table for the length of a ``with`` block, as if it had been defined there.

    This is how a test, or a trial, sees a column everywhere; a column that stays is defined in
    :mod:`nwb_mepp.core.schema`.

    Parameters
    ----------
    table : subclass of Columns
    attribute : str
        Name of the attribute in Python.
    column : Column

    Raises
    ------
    ValueError
        If the table has that attribute or a column of that name.

    Examples
    --------
    >>> from nwb_mepp.core.mepps import Mepps
    >>> from nwb_mepp.core.schema import EventColumns
    >>> with added(EventColumns, "snr", Column("snr", "", "Signal to noise.", since="0.3.0", optional=True)):
    ...     Mepps.empty("Vm", "V").snr
    array([], dtype=float64)
    """
    if hasattr(table, attribute) or column.name in {one.name for one in table.columns()}:
        raise ValueError(f"expected a new column, found that {table.__name__} has {attribute!r} already.")
    column.__set_name__(table, attribute)
    setattr(table, attribute, column)
    try:
        yield column
    finally:
        delattr(table, attribute)
