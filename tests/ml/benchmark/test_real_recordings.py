from __future__ import annotations

from pathlib import Path

import pytest

from nwb_mepp.core.errors import ReadError
from nwb_mepp.ml.benchmark import run_winchester
from nwb_mepp.ml.benchmark.tables import real_table


def test_marked_currents_are_found(shared_data: Path) -> None:
    scores = run_winchester(shared_data / "recordings" / "winchester", detectors=("miniunet",))
    assert [one.recording for one in scores] == ["GroupA", "Train1", "Train2", "Train3", "Train4"]
    # 57 onsets have the votes of three people or more; 40 were simulated in each of the others.
    assert [int(one.counts[:2].sum()) for one in scores] == [57, 40, 40, 40, 40]
    assert real_table(scores).splitlines()[2].startswith("| GroupA | miniunet | 0.")


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"expected GroupA_consensus\.csv in .*, found none; name the folder"):
        run_winchester(tmp_path, detectors=("miniunet",))
