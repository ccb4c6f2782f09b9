from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hdmf.common import DynamicTable, VectorData
from pynwb import NWBFile

from builders.tables import result_of
from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.schema import SummaryColumns
from nwb_mepp.nwb.summary_table import icephys_module, read_summary, summary_table


@pytest.fixture
def file(session_start: datetime) -> NWBFile:
    return NWBFile(session_description="d", identifier="i", session_start_time=session_start)


def test_rows_come_back_as_they_were(file: NWBFile) -> None:
    rows = [
        result_of(Mepps.empty("Vm", "V"), rate_hz=1 / 3, weights_sha256="").summary,
        result_of(Mepps.empty("Im: µ", "A"), "threshold", n_mepps=2**40, weights_sha256="ab").summary,
    ]
    icephys_module(file).add(summary_table(rows))
    back = read_summary(file)
    # NaN differs from itself; written out it does not.
    assert repr(back) == repr(rows)


def test_columns_are_typed_and_name_their_unit() -> None:
    table = summary_table([result_of(Mepps.empty("Vm", "V")).summary])
    assert table.colnames == tuple(column.name for column in SummaryColumns.columns())
    assert table["n_mepps"].data.dtype == np.int64
    assert table["poisson_p"].data.dtype == np.float64
    assert table["rate_hz"].description.endswith("Unit: Hz.")
    assert table["baseline_drift"].description.endswith("Unit: amplitude_unit/s.")


def test_a_file_without_summary_has_no_rows(file: NWBFile) -> None:
    assert read_summary(file) == []
    icephys_module(file)
    assert read_summary(file) == []


def test_the_module_of_another_program_is_used_as_it_is(file: NWBFile) -> None:
    other = file.create_processing_module(name="icephys", description="Of another program.")
    assert icephys_module(file) is other


def test_a_table_of_another_program_is_refused(file: NWBFile) -> None:
    table = summary_table([result_of(Mepps.empty("Vm", "V")).summary])
    other = DynamicTable(
        name=table.name,
        description="Of another program.",
        columns=[
            VectorData(name=column.name, description=column.description, data=column.data)
            for column in table.columns
            if column.name != "noise_sd"
        ],
    )
    icephys_module(file).add(other)
    with pytest.raises(ReadError, match=r"expected the columns of nwb-mepp .* found none named 'noise_sd'"):
        read_summary(file)
