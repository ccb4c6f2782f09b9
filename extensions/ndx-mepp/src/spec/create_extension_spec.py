"""Write the specification of ndx-mepp into ``spec/``.

    python extensions/ndx-mepp/src/spec/create_extension_spec.py [FOLDER]

The YAML files are never changed by hand: a test fails where they are not what this script writes. The
columns are those that nwb-mepp defines; the package ``ndx_mepp`` itself needs no nwb-mepp.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pynwb.spec import (
    NWBAttributeSpec,
    NWBDatasetSpec,
    NWBGroupSpec,
    NWBLinkSpec,
    NWBNamespaceBuilder,
    export_spec,
)

from nwb_mepp.core.columns import Column
from nwb_mepp.core.schema import (
    DETECTOR_COLUMNS,
    DETECTOR_OPTIONAL,
    CurationColumns,
    EventColumns,
    SummaryColumns,
)

NAME = "ndx-mepp"
VERSION = "0.3.0"
FOLDER = Path(__file__).resolve().parents[2] / "spec"

# What stands for {u} in the summary, whose rows can be of channels in different units.
UNIT_COLUMN = "amplitude_unit"
# What stands for it in a table of MEPPs, all of which are of one channel.
OPEN_UNIT = "V or A"


def known(columns: Iterable[Column[Any]]) -> list[Column[Any]]:
    """Return the columns that this version has; later ones wait for theirs."""

    def number(version: str) -> tuple[int, ...]:
        return tuple(map(int, version.split(".")))

    return [column for column in columns if number(column.since) <= number(VERSION)]


def dataset(column: Column[Any], *, trace_unit: str) -> NWBDatasetSpec:
    """Return the specification of a column; with a unit it is a ``MEPPQuantity``.

    Parameters
    ----------
    column : Column
    trace_unit : str
        What stands for the unit of the trace. The specification fixes the unit of the column, unless it
        depends on the trace and is open: "V or A".
    """
    doc, attributes = column.describe(trace_unit), []
    if column.unit:
        unit = column.unit_in(trace_unit)
        fixed = {} if "{u}" in column.unit and trace_unit == OPEN_UNIT else {"value": unit}
        attributes = [NWBAttributeSpec(name="unit", doc=f"Unit: {unit}.", dtype="text", **fixed)]
    return NWBDatasetSpec(
        name=column.name,
        doc=doc,
        dtype=column.dtype,
        neurodata_type_inc="MEPPQuantity" if column.unit else "VectorData",
        attributes=attributes,
        quantity="?" if column.optional else 1,
    )


def quantity_type() -> NWBDatasetSpec:
    """Return the type of columns with a unit."""
    return NWBDatasetSpec(
        neurodata_type_def="MEPPQuantity",
        neurodata_type_inc="VectorData",
        doc="A column of numbers with a unit.",
        dtype="float64",
        attributes=[
            NWBAttributeSpec(
                name="unit",
                dtype="text",
                doc="SI unit of the numbers without prefix, such as V, A, s or 'V s'; in a MEPPSummary "
                f"'{UNIT_COLUMN}' stands for what the column of that name says in each row.",
            )
        ],
    )


def detector_type() -> NWBGroupSpec:
    """Return the type of what found the MEPPs."""
    return NWBGroupSpec(
        neurodata_type_def="MEPPDetector",
        neurodata_type_inc="NWBDataInterface",
        doc="What found MEPPs on one channel: a detector, its weights and how it was set.",
        attributes=[
            NWBAttributeSpec(
                name=one.name,
                dtype=one.dtype,
                doc=one.description,
                required=one.name not in DETECTOR_OPTIONAL,
            )
            for one in DETECTOR_COLUMNS
        ],
    )


def table_type() -> NWBGroupSpec:
    """Return the type of a table of MEPPs."""
    columns = known([*EventColumns.measures(), *CurationColumns.columns()])
    return NWBGroupSpec(
        neurodata_type_def="MEPPTable",
        neurodata_type_inc="TimeIntervals",
        doc="Miniature end-plate potentials (MEPPs) of one channel: an interval each, from the onset to the "
        "first sample after the peak below 1/e of the amplitude, or to the next onset if that is earlier; "
        "sorted by onset.",
        datasets=[dataset(column, trace_unit=OPEN_UNIT) for column in columns],
        links=[
            NWBLinkSpec(
                name="detector",
                target_type="MEPPDetector",
                quantity="?",
                doc="What found these MEPPs; none for MEPPs of a person or a simulation.",
            )
        ],
    )


def summary_type() -> NWBGroupSpec:
    """Return the type of the summary."""
    columns = known(SummaryColumns.columns())
    return NWBGroupSpec(
        neurodata_type_def="MEPPSummary",
        neurodata_type_inc="DynamicTable",
        doc="What each detector found on each channel, pooled over sweeps; one row each, also where nothing "
        "was found. A statistic that too few MEPPs leave undefined is NaN.",
        datasets=[dataset(column, trace_unit=UNIT_COLUMN) for column in columns],
    )


def main(folder: Path = FOLDER) -> None:
    """Write ``ndx-mepp.namespace.yaml`` and ``ndx-mepp.extensions.yaml``."""
    namespace = NWBNamespaceBuilder(
        name=NAME,
        version=VERSION,
        doc="Miniature end-plate potentials: typed tables of events and statistics, and what found them.",
        author=["The nwb-mepp developers"],
        contact=[],  # the specification language demands the key; there is no public address yet
    )
    namespace.include_namespace("core")
    folder.mkdir(exist_ok=True)
    export_spec(
        namespace, [quantity_type(), detector_type(), table_type(), summary_type()], output_dir=str(folder)
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
