"""Files of every version are read, by this one and by a program that has none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ndx_mepp import MEPPDetector, MEPPQuantity, MEPPSummary, MEPPTable
from pynwb import NWBHDF5IO, validate

BACK_COMPAT = Path(__file__).resolve().parents[3] / "back_compat"
FILES = sorted(BACK_COMPAT.glob("*.nwb"))

# pynwb says that it reads a file of another version by the specification of this one: it is meant to.
pytestmark = pytest.mark.filterwarnings("ignore:Ignoring the following cached namespace:UserWarning")

# See back_compat/README.md.
START_TIMES = {
    "0.2.0.nwb": [0.1835, 0.4484, 1.4625],
    "0.3.0.nwb": [0.1833, 0.4482, 1.4623],
}
AMPLITUDES = {
    "0.2.0.nwb": [0.0008272446153846091, 0.00067820461538462, 0.0006873507692307379],
    "0.3.0.nwb": [0.00081655040169211, 0.000709991380806814, 0.0006198415739941889],
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_of_an_earlier_version_is_read(path: Path) -> None:
    assert validate(path=str(path)) == []
    with NWBHDF5IO(path, "r") as io:
        file = io.read()
        table, icephys = file.intervals["mepps_miniunet"], file.processing["icephys"]
        assert type(table) is MEPPTable
        assert table["start_time"][:].tolist() == START_TIMES[path.name]
        assert table["amplitude"][:].tolist() == AMPLITUDES[path.name]
        assert type(table["amplitude"]) is MEPPQuantity
        assert table["amplitude"].unit == "V"
        assert type(table.detector) is MEPPDetector
        assert (table.detector.detector, table.detector.threshold) == ("miniunet", 0.35)
        summary = icephys["mepp_detections"]
        assert type(summary) is MEPPSummary
        assert summary["n_mepps"][:].tolist() == [3, 0]
        assert icephys["mepp_detector_template"].threshold == 1000.0


WITHOUT_THE_PACKAGE = """
import os
import sys
sys.modules["ndx_mepp"] = None  # any import of it fails
from importlib import import_module
try:
    import_module("ndx_mepp")
except ImportError:
    pass
else:
    raise SystemExit("ndx_mepp can be imported: this shows nothing")

from hdmf.common import DynamicTable
from pynwb import NWBHDF5IO, validate
from pynwb.epoch import TimeIntervals

folder, *sources = sys.argv[1:]
for source in sources:
    target = os.path.join(folder, os.path.basename(source))
    with NWBHDF5IO(source, "r") as io:
        file = io.read()
        for name, table in file.intervals.items():
            assert isinstance(table, TimeIntervals), type(table)
            print(name, len(table), *table["amplitude"][:], table["amplitude"].unit, table.detector.threshold)
        assert isinstance(file.processing["icephys"]["mepp_detections"], DynamicTable)
        with NWBHDF5IO(target, "w") as out:
            out.export(io, file)
    assert validate(path=target) == []
assert "ndx_mepp" not in {name for name, module in sys.modules.items() if module is not None}
"""


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder into which a program without the package exported all files, and what it printed of each."""
    folder = tmp_path_factory.mktemp("exports")
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_THE_PACKAGE, str(folder), *map(str, FILES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    names = [path.name for path in FILES]
    return folder, dict(zip(names, finished.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_program_without_the_package_opens_lists_and_exports(
    path: Path, exports: tuple[Path, dict[str, str]]
) -> None:
    folder, printed = exports
    name, n_rows, *amplitudes, unit, threshold = printed[path.name].split()
    assert (name, n_rows, unit, threshold) == ("mepps_miniunet", "3", "V", "0.35")
    assert list(map(float, amplitudes)) == AMPLITUDES[path.name]
    # What it exported is of the extension still.
    with NWBHDF5IO(folder / path.name, "r") as io:
        file = io.read()
        assert type(file.intervals["mepps_miniunet"]) is MEPPTable
        assert type(file.intervals["mepps_miniunet"].detector) is MEPPDetector
        assert file.intervals["mepps_miniunet"]["start_time"][:].tolist() == START_TIMES[path.name]
