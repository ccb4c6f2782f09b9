"""The types: columns with a unit, what found MEPPs, their table, their summary."""

from __future__ import annotations

from typing import Any

from hdmf.common import DynamicTable, VectorData
from hdmf.utils import AllowPositional, docval, get_docval, popargs
from pynwb import register_class
from pynwb.core import NWBDataInterface
from pynwb.epoch import TimeIntervals

from ndx_mepp.namespace import NAMESPACE, attributes, columns

__all__ = ["MEPPDetector", "MEPPQuantity", "MEPPSummary", "MEPPTable"]

# How the specification writes the unit of a trace, which differs from table to table.
_OPEN_UNITS = ("(V or A)", "V or A")


@register_class("MEPPQuantity", NAMESPACE)
class MEPPQuantity(VectorData):
    """A column of numbers with a unit.

    Attributes
    ----------
    unit : str
        SI unit without prefix, such as ``"V"`` or ``"V s"``.

    Examples
    --------
    >>> from ndx_mepp import MEPPQuantity
    >>> MEPPQuantity(name="half_width", description="Time beyond half.", data=[0.002], unit="s").unit
    's'
    """

    __fields__ = ("unit",)

    @docval(
        {"name": "name", "type": str, "doc": "the name of this column"},
        {"name": "description", "type": str, "doc": "what the numbers are"},
        {"name": "unit", "type": str, "doc": "SI unit of the numbers, without prefix"},
        *get_docval(VectorData.__init__, "data"),
        allow_positional=AllowPositional.ERROR,
    )
    def __init__(self, **kwargs: Any) -> None:
        unit = popargs("unit", kwargs)
        super().__init__(**kwargs)
        self.unit = unit


@register_class("MEPPDetector", NAMESPACE)
class MEPPDetector(NWBDataInterface):
    """What found MEPPs on one channel: a detector, its weights and how it was set.

    Attributes
    ----------
    detector, detector_version : str
    weights_sha256 : str
        Empty for a detector without weights.
    threshold : float
    polarity : str
        ``"positive"`` or ``"negative"``.
    package_version, settings : str or None

    Examples
    --------
    >>> from ndx_mepp import MEPPDetector
    >>> found_by = MEPPDetector(
    ...     name="mepp_detector_template",
    ...     detector="template",
    ...     detector_version="1",
    ...     weights_sha256="",
    ...     threshold=4.0,
    ...     polarity="negative",
    ... )
    >>> found_by.threshold
    4.0
    """

    __nwbfields__ = tuple(attribute["name"] for attribute in attributes("MEPPDetector"))

    @docval(
        {"name": "name", "type": str, "doc": "the name of this object"},
        *attributes("MEPPDetector"),
        allow_positional=AllowPositional.ERROR,
    )
    def __init__(self, **kwargs: Any) -> None:
        fields = {name: kwargs.pop(name) for name in list(kwargs) if name != "name"}
        super().__init__(**kwargs)
        for name, value in fields.items():
            setattr(self, name, value)


@register_class("MEPPTable", NAMESPACE)
class MEPPTable(TimeIntervals):
    """The MEPPs of one channel, one row each, sorted by onset.

    Build it from whole columns (``columns=[...]``), or give ``amplitude_unit`` and add row by row.

    Attributes
    ----------
    detector : MEPPDetector or None
        What found these MEPPs; none for those of a person or a simulation.

    Raises
    ------
    ValueError
        If neither columns nor the unit of the amplitude are given.

    Examples
    --------
    >>> from ndx_mepp import MEPPTable
    >>> table = MEPPTable(name="mepps_by_eye", description="Marked by hand.", amplitude_unit="V")
    >>> table["area"].unit
    'V s'
    """

    __fields__ = ({"name": "detector", "child": False, "doc": "what found these MEPPs"},)
    __columns__ = tuple(columns("MEPPTable", quantity=MEPPQuantity))

    @docval(
        {"name": "name", "type": str, "doc": "the name of this table"},
        {"name": "description", "type": str, "doc": "what is in this table"},
        {"name": "detector", "type": MEPPDetector, "doc": "what found these MEPPs", "default": None},
        {
            "name": "amplitude_unit",
            "type": str,
            "doc": "unit of the trace, V or A; needed without columns",
            "enum": ["V", "A"],
            "default": None,
        },
        *(one for one in get_docval(TimeIntervals.__init__) if one["name"] not in ("name", "description")),
        allow_positional=AllowPositional.ERROR,
    )
    def __init__(self, **kwargs: Any) -> None:
        detector, unit = popargs("detector", "amplitude_unit", kwargs)
        if not kwargs["columns"]:
            if unit is None:
                raise ValueError(
                    "expected amplitude_unit ('V' or 'A') for a table without columns, found none."
                )
            kwargs["columns"] = [_empty_column(one, unit) for one in self.__columns__ if one.get("required")]
            kwargs["colnames"] = [column.name for column in kwargs["columns"]]
        super().__init__(**kwargs)
        self.detector = detector


def _empty_column(described: dict[str, Any], trace_unit: str) -> VectorData:
    """Return a column without rows, in the unit of the trace where the specification leaves it open."""

    def stated(text: str) -> str:
        for words in _OPEN_UNITS:
            text = text.replace(words, trace_unit)
        return text

    kind = described.get("class", VectorData)
    unit = {"unit": stated(described["unit"])} if "unit" in described else {}
    return kind(name=described["name"], description=stated(described["description"]), data=[], **unit)


@register_class("MEPPSummary", NAMESPACE)
class MEPPSummary(DynamicTable):
    """What each detector found on each channel, one row each, also where nothing was found.

    Examples
    --------
    >>> from ndx_mepp import MEPPSummary
    >>> MEPPSummary(name="mepp_detections", description="One row a detector.")["rate_hz"].unit
    'Hz'
    """

    __columns__ = tuple(columns("MEPPSummary", quantity=MEPPQuantity))

    @docval(*get_docval(DynamicTable.__init__), allow_positional=AllowPositional.ERROR)
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
