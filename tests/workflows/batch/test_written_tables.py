"""What a batch has put into its outputs is kept, however much it is, and forgotten once a file changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.tables import mepps_on, result_of
from builders.traces import int16_trace
from nwb_mepp._utils.file_lock import FileState
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.nwb import written_tables
from nwb_mepp.workflows.batch import written_tables as module
from nwb_mepp.workflows.batch.written_tables import WrittenTables
from nwb_mepp.workflows.outcomes import Written

TRACES = [int16_trace("Vm", sweep=sweep) for sweep in range(2)]


def result(n_mepps: int) -> ChannelResult:
    return result_of(mepps_on(TRACES, [(0, 30 + 200 * one) for one in range(n_mepps)]), "miniunet")


@pytest.mark.parametrize("in_memory_bytes", [0, 64_000_000])
def test_tables_come_back_by_their_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory_bytes: int
) -> None:
    monkeypatch.setattr(module, "_IN_MEMORY_BYTES", in_memory_bytes)
    outputs = [tmp_path / f"{number}.nwb" for number in range(3)]
    with WrittenTables() as kept:
        for number, path in enumerate(outputs):
            path.touch()
            tables = written_tables(TRACES, [result(number)])
            kept.add(path, Written(tables=tables, state=FileState.of(path)))
        for number, path in reversed(list(enumerate(outputs))):
            found = kept.of(path)
            assert found is not None
            assert [row.n_mepps for row in found.summaries] == [number]
            # A table without MEPPs is not in the file.
            assert [len(one.mepps) for one in found.events] == [number] * (number > 0)
            assert all(one.series == ("Vm_sweep_000",) * number for one in found.events)


def test_nothing_is_known_of_a_file_that_was_changed_or_never_written(tmp_path: Path) -> None:
    path = tmp_path / "a.nwb"
    path.touch()
    with WrittenTables() as kept:
        kept.add(path, Written(tables=written_tables(TRACES, []), state=FileState.of(path)))
        path.write_text("changed")
        assert kept.of(path) is None
        assert kept.of(tmp_path / "b.nwb") is None
