"""The comparison of two versions must notice whatever differs, and nothing that is declared."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.equality import compare, declared
from tests.equality.compare import Side, column_from_nwb, compare_job, report, run_jobs
from tests.equality.declared import Job, reason_to_ignore
from tests.equality.differences import Table, Tally, compare_tables, read_csv, read_json, same_settings
from tests.equality.nwb_files import compare_nwb

CSV = """file,channel,detector,start_time,amplitude
run07.nwb,Vm,threshold,0.5,0.001
run07.nwb,Vm,threshold,0.7,
"""


def write_nwb(path: Path, *, change: str = "") -> Path:
    """Write an HDF5 file with samples and one table of two rows, laid out as in NWB."""
    times = np.array([0.5, 0.7])
    with h5py.File(path, "w") as file:
        data = file.create_dataset("acquisition/Vm/data", data=np.array([1, 2, 3], np.int16))
        data.attrs["conversion"] = 1e-3
        file["acquisition/Vm"].attrs.update(object_id=change, description=change)
        file["acquisition/other"] = h5py.SoftLink("/acquisition/Vm")
        file["identifier"] = change
        recordings = file.create_group("general/recordings")
        recordings.attrs["colnames"] = np.empty(0)
        recordings["id"] = np.arange(2)
        table = file.create_group("intervals/mepps_threshold")
        table["id"] = np.arange(2)
        table["start_time"] = times
        table["anomaly"] = np.array([np.nan, 1.25])
        table["settings"] = np.array(["gain=10; unit=V"] * 2, dtype=h5py.string_dtype())
        reference = np.dtype([("idx_start", "<i4"), ("timeseries", h5py.ref_dtype)])
        rows = np.array([(5, file["acquisition/Vm"].ref), (7, file["acquisition/Vm"].ref)], dtype=reference)
        table["timeseries"] = rows
        table["detection_limit_50"] = np.array([np.nan, np.nan])
        table["analysed_s"] = times
        table.attrs["colnames"] = ["start_time", "anomaly", "detection_limit_50", "analysed_s"]
    return path


def differences_after(tmp_path: Path, change: str) -> list[str]:
    """Return what is found different after some statements on the HDF5 file of the version after."""
    before, after = (write_nwb(tmp_path / f"{name}.nwb", change=name) for name in ("before", "after"))
    with h5py.File(after, "r+") as file:
        exec(change, {"file": file, "np": np, "h5py": h5py, "table": file["intervals/mepps_threshold"]})
    return compare_nwb(before, after, where="here").differences


def test_equal_files_are_counted(tmp_path: Path) -> None:
    before, after = (write_nwb(tmp_path / f"{name}.nwb", change=name) for name in ("before", "after"))
    tally = compare_nwb(before, after, where="here")
    assert tally.differences == []
    # One table has only id; the other id, start_time, anomaly, settings, timeseries, detection_limit_50 and
    # analysed_s.
    assert (tally.tables, tally.rows, tally.cells, tally.samples) == (2, 4, 2 + 14, 3)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ("table['start_time'][1] = np.nextafter(0.7, 1)", "start_time, first at [1]: "),
        ("table['start_time'][0] = np.nan", "start_time, first at [0]: "),
        ("table['anomaly'][0] = 0.0", "anomaly, first at [0]: "),
        ("file['acquisition/Vm/data'][2] = 4", "/acquisition/Vm/data, first at [2]: "),
        (
            "file['acquisition/Vm/data'].attrs['conversion'] = np.nextafter(1e-3, 1)",
            "attribute conversion, first at [0]: ",
        ),
        ("file['acquisition/Vm/data'].attrs['offset'] = 0.0", "attribute offset is only there after"),
        ("table['timeseries'][0] = (6, table['timeseries'][0]['timeseries'])", "timeseries, idx_start"),
        ("table['timeseries'][0] = (5, table.ref)", "timeseries, timeseries, first at [0]: "),
        ("del table['start_time']; table['start_time'] = [0.5]", "float64 (2,) before, float64 (1,) after"),
        ("del table['id']; table['id'] = np.arange(2, dtype='i4')", "int64 (2,) before, int32 (2,) after"),
        ("del table['anomaly']", "/intervals/mepps_threshold/anomaly is missing after"),
        ("table['kind'] = [1, 2]", "/intervals/mepps_threshold/kind is only there after"),
        ("table['settings'][1] = 'gain=20; unit=V'", "settings, first at [1]: "),
        ("table.attrs['colnames'] = ['anomaly', 'start_time']", "attribute colnames"),
        ("del file['acquisition/other']; file['acquisition/other'] = h5py.SoftLink('/x')", "leads to /acq"),
        (
            "del file['acquisition/other']; file.create_group('acquisition/other')",
            "is str before, Group after",
        ),
    ],
)
def test_one_change_of_an_nwb_file_is_noticed(tmp_path: Path, change: str, difference: str) -> None:
    (found,) = differences_after(tmp_path, change)
    assert difference in found


@pytest.mark.parametrize(
    "change",
    [
        "table.move('analysed_s', 'analyzed_s'); del table['detection_limit_50']; "
        "table.attrs['colnames'] = ['start_time', 'anomaly', 'analyzed_s']",
        "table['settings'][1] = 'unit=V; gain=10'",
    ],
)
def test_what_is_declared_of_an_nwb_file_is_no_difference(tmp_path: Path, change: str) -> None:
    assert differences_after(tmp_path, change) == []


def test_a_column_that_is_gone_must_have_been_empty(tmp_path: Path) -> None:
    before, after = (write_nwb(tmp_path / f"{name}.nwb") for name in ("before", "after"))
    with h5py.File(before, "r+") as file:
        file["intervals/mepps_threshold/detection_limit_50"][0] = 1e-3
    with h5py.File(after, "r+") as file:
        del file["intervals/mepps_threshold/detection_limit_50"]
    (difference,) = compare_nwb(before, after, where="here").differences
    assert difference == "here: /intervals/mepps_threshold/detection_limit_50 is missing after"


def table_of(path: Path, text: str) -> Table:
    path.write_text(text, encoding="utf-8")
    return (read_json if text.startswith("[") else read_csv)(path)


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        ("a,b\n1,0.1\n", "a,b\n1,0.10000000000000002\n", "b: 1 of 1 cells, first in row 0: '0.1' before"),
        ("a,b\n1,2\n3,4\n", "a,b\n1,2\n", "2 rows before, 1 after"),
        ("a,b\n1,2\n", "a,b\n1\n", "a row has another number of cells than the header"),
        ("a,b\n1,2\n", "a,b,c\n1,2,3\n", "column c is only there after, and not declared"),
        ("a,b\n1,2\n", "a\n1\n", "column b is missing after"),
        ("a,b\n1,2\n", "b,a\n2,1\n", "order of columns"),
        ("a,detection_limit_50\n1,2\n", "a\n1\n", "column detection_limit_50 is missing after"),
        ("a,anomaly\n1,2\n", "a\n1\n", "column anomaly is missing after"),
        ("settings\ngain=1\n", "settings\ngain=2\n", "settings: 1 of 1 cells"),
        ('[{"a": 1}]', '[{"a": "1"}]', "a: 1 of 1 cells"),
        ('[{"a": null}]', '[{"a": "null"}]', "a: 1 of 1 cells"),
        ('[{"a": 1.0}]', '[{"a": 1}]', "'1.0' before, '1' after"),
    ],
)
def test_one_change_of_a_table_is_noticed(tmp_path: Path, before: str, after: str, difference: str) -> None:
    tables = table_of(tmp_path / "before", before), table_of(tmp_path / "after", after)
    (found,) = compare_tables(*tables, where="here").differences
    assert difference in found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("analysed_s,detection_limit_95\n1,\n", "analyzed_s\n1\n"),
        ("analysed_s;b;detection_limit_95\n1,5;2;\n", "analyzed_s;b\n1,5;2\n"),
        ('[{"analysed_s": 1.5, "detection_limit_95": null}]', '[{"analyzed_s": 1.5}]'),
        ("a,package_version\n1,0.1\n", "a,package_version\n1,0.2\n"),
        ("reader\nlabelled-text\n", "reader\nlabeled-text\n"),
        ("settings\ngain=1; unit=V\n", "settings\nunit=V; gain=1\n"),
    ],
)
def test_what_is_declared_of_a_table_is_no_difference(tmp_path: Path, before: str, after: str) -> None:
    tables = table_of(tmp_path / "before", before), table_of(tmp_path / "after", after)
    assert compare_tables(*tables, where="here").differences == []


def test_tables_of_objects_with_other_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected objects that all have the keys \['a'\]"):
        table_of(tmp_path / "table", '[{"a": 1}, {"b": 1}]')


def test_renamed_settings_are_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not same_settings("hum_removed=50 Hz", "mains_removed=50 Hz")
    monkeypatch.setitem(declared.SETTINGS, "hum_removed", "mains_removed")
    assert same_settings("hum_removed=50 Hz", "mains_removed=50 Hz")
    assert not same_settings("hum_removed=50 Hz", "mains_removed=60 Hz")


def test_an_added_column_must_hold_what_the_nwb_file_had(tmp_path: Path) -> None:
    write_nwb(tmp_path / "run07.nwb")
    before = table_of(tmp_path / "before", CSV)
    lines = CSV.splitlines()

    def compared(first: str, second: str) -> list[str]:
        text = f"{lines[0]},anomaly\n{lines[1]},{first}\n{lines[2]},{second}\n"
        after = table_of(tmp_path / "after", text)
        tally = compare_tables(
            before,
            after,
            where="here",
            added=lambda name, rows: column_from_nwb(name, rows, base=tmp_path, table=None),
        )
        return tally.differences

    assert compared("", "1.25") == []
    assert compared("", "1.2") == ["here, anomaly: 1 of 2 cells, first in row 1: '1.25' before, '1.2' after"]
    assert column_from_nwb("kind", before, base=tmp_path, table=None) is None
    assert column_from_nwb("anomaly", Table(["file"], [["run07.nwb"]]), base=tmp_path, table=None) is None
    longer = Table(before.columns, [*before.rows, before.rows[0]])
    assert column_from_nwb("anomaly", longer, base=tmp_path, table=None) is None


def test_files_of_one_version_only_are_noticed(tmp_path: Path) -> None:
    job = Job("marks", "convert IN/a.abf -o marks", "a")
    for name in ("before/marks", "after/marks"):
        (tmp_path / name).mkdir(parents=True)
    tallies: dict[str, Tally] = defaultdict(Tally)
    compare_job(job, tmp_path / "before", tmp_path / "after", tallies)
    assert tallies["a"].differences == ["marks: nothing was written before"]
    tallies.clear()
    compare_job(replace(job, exit_code=1), tmp_path / "before", tmp_path / "after", tallies)
    assert (tallies["a"].differences, list(tallies["a"].declared)) == ([], ["refused marks: exit code 1"])
    (tmp_path / "before/marks/a.abf").write_bytes(bytes(compare.ABF_HEADER_BYTES + 4))
    (tmp_path / "after/marks/a.abf").write_bytes(bytes(compare.ABF_HEADER_BYTES + 3) + b"1")
    (tmp_path / "after/marks/b.abf").touch()
    tallies.clear()
    compare_job(job, tmp_path / "before", tmp_path / "after", tallies)
    assert tallies["a"].differences == ["marks/a.abf: the bytes differ", "marks: b.abf is only there after"]
    assert tallies["a"].samples == 2


def test_one_difference_fails_the_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    assert report({"run07": Tally(tables=1)}) == 0
    assert report({"run07": Tally(tables=1), "run08": Tally(differences=["what differs"])}) == 1
    assert "DIFFERENT what differs" in capsys.readouterr().out


# In place of the package: notes each call, refuses the word of the version before, prints a table.
FAKE = """
import sys
with open("calls.txt", "a") as file:
    print(*sys.argv[1:], file=file)
if "labelled-text" in sys.argv:
    sys.exit(2)
print("a", 1, sep="\\n")
sys.exit(3 if "wrong" in sys.argv else 0)
"""


def test_a_call_is_made_once_in_the_words_of_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nwb_mepp.py").write_text(FAKE, encoding="utf-8")
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    jobs = (Job("one", "simulate labelled-text", printed="a.csv"), Job("two", "run wrong", "run07"))
    monkeypatch.setattr(compare, "JOBS", jobs)

    def calls_of(name: str, version: str) -> tuple[list[str], dict[str, Tally]]:
        (tmp_path / "calls.txt").write_text("")
        tallies: dict[str, Tally] = defaultdict(Tally)
        run_jobs(Side(name, Path(sys.executable), tmp_path, version), inputs, tallies)
        return (tmp_path / "calls.txt").read_text().splitlines(), tallies

    calls, tallies = calls_of("after", "1")
    assert calls == ["simulate labeled-text", "run wrong"]
    assert (tmp_path / "one/a.csv").read_text() == "a\n1\n"
    assert tallies["run07"].differences == [
        "two: expected exit code 0 after, found 3: nothing on standard error"
    ]
    assert calls_of("after", "1")[0] == ["run wrong"]
    assert calls_of("after", "2")[0] == ["simulate labeled-text", "run wrong"]
    (inputs / "new.abf").touch()
    assert calls_of("after", "2")[0] == ["simulate labeled-text", "run wrong"]
    calls, tallies = calls_of("before", "2")
    assert calls == ["run wrong"]  # done by the version after, which has the same code here
    calls, tallies = calls_of("before", "3")
    assert "one: expected exit code 0 before, found 2" in tallies["one"].differences[0]


def test_every_job_has_a_folder_of_its_own_and_reads_what_is_there() -> None:
    names = [job.name for job in declared.JOBS]
    assert len(set(names)) == len(names)
    for number, job in enumerate(declared.JOBS):
        assert set(job.needs) <= set(names[:number]), job.name
        assert job.printed or f"-o {job.name}" in job.call, job.name


def test_what_is_measured_is_never_ignored() -> None:
    for name in (
        "acquisition/Vm/data",
        "intervals/mepps_miniunet/amplitude",
        "amplitude",
        "n_mepps",
        "settings",
    ):
        assert reason_to_ignore(name) is None


def test_reworded_settings_are_declared_one_by_one() -> None:
    before = "polarity_from=potentials depolarise; gain=2"
    assert same_settings(before, "polarity_from=potentials depolarize; gain=2")
    assert not same_settings(before, "polarity_from=potentials depolarize; gain=3")
    assert not same_settings(before, "polarity_from=currents depolarise; gain=2")


def test_a_new_list_and_rows_sorted_by_file_are_declared(tmp_path: Path) -> None:
    job = Job("batch", "run a b -o batch", recording="a")
    for side, rows in (("before", "b.nwb,2\na.nwb,1\n"), ("after", "a.nwb,1\nb.nwb,2\n")):
        (tmp_path / side / "batch").mkdir(parents=True)
        (tmp_path / side / "batch" / "mepps.csv").write_text(f"file,sweep\n{rows}", encoding="utf-8")
    (tmp_path / "after" / "batch" / ".nwb-mepp.json").touch()
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    compare_job(job, tmp_path / "before", tmp_path / "after", tallies)
    assert tallies["a"].differences == []
    assert tallies["a"].cells == 4
    assert set(tallies["a"].declared) == {
        "file .nwb-mepp.json: list of the tables that nwb-mepp wrote",
        "mepps.csv: rows sorted by file",
    }
    (tmp_path / "after" / "batch" / "stray.csv").touch()
    compare_job(job, tmp_path / "before", tmp_path / "after", tallies)
    assert tallies["a"].differences == ["batch: stray.csv is only there after"]
