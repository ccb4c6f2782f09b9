"""What may differ between two versions, each with its reason, and the calls that are compared.

Names are declared once, before -> after, and may be used by the version after. Whatever else differs is a
difference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "ADDED_FILES",
    "ADDED_TO_TEXT",
    "GONE",
    "IGNORED",
    "IGNORED_ATTRIBUTES",
    "JOBS",
    "NAMES",
    "SETTINGS",
    "SETTING_VALUES",
    "SORTED_BY",
    "SOURCES_WITHOUT_FILE",
    "STAGED",
    "VALUES",
    "WORDS",
    "Job",
    "reason_to_ignore",
]

# Columns of tables, objects of NWB files and files.
NAMES: dict[str, str] = {"analysed_s": "analyzed_s"}

# Words on the command line: the word after is tried first, the word before if that is a usage error.
WORDS: dict[str, str] = {"labelled-text": "labeled-text"}

# Values of columns, by the name of the column before.
VALUES: dict[str, dict[str, str]] = {"reader": {"labelled-text": "labeled-text"}}

# Names within a column "settings", which holds 'name=value' separated by '; '. The values are compared.
SETTINGS: dict[str, str] = {}

# Values within it, by name and value before.
SETTING_VALUES: dict[tuple[str, str], str] = {
    ("polarity_from", "potentials depolarise"): "potentials depolarize",
}

# What stands for the bytes of a source that is no file; follows from the words of its settings.
SOURCES_WITHOUT_FILE: frozenset[str] = frozenset({"simulation"})

# Columns that nothing filled: NaN in every row before, absent after.
GONE: frozenset[str] = frozenset({"detection_limit_50", "detection_limit_95"})

# Columns of MEPPs that only NWB files had before and CSV and JSON have after: compared with the NWB files
# before.
ADDED_TO_TEXT: frozenset[str] = frozenset({"anomaly"})

# Files that only the version after writes, by their name, with the reason.
ADDED_FILES: dict[str, str] = {".nwb-mepp.json": "list of the tables that nwb-mepp wrote"}

# Tables of batches whose rows are sorted by this column after, and came in the order of the work before.
SORTED_BY: dict[str, str] = {"mepps.csv": "file", "summary.csv": "file"}

# Columns of tables and datasets of NWB files, by pattern of the whole path or name, with the reason.
IGNORED: dict[str, str] = {
    r"(.*/)?package_version": "version",
    r"(.*/)?fingerprint": "fingerprint",
    r"identifier": "follows from the fingerprint",
    r"file_create_date": "moment of writing",
    r"general/notes": "sentences, whose words may change",
    r"general/source_script": "version",
    r"general/was_generated_by": "version",
    r"specifications(/.*)?": "text of the schemas",
}

IGNORED_ATTRIBUTES: dict[str, str] = {
    "object_id": "drawn at random",
    ".specloc": "where the schemas are",
    "description": "a sentence, whose words may change",
    "help": "a sentence, whose words may change",
    "package_version": "version",
}


def reason_to_ignore(name: str) -> str | None:
    """Return why a column or a dataset is not compared, or None if it is."""
    return next((reason for pattern, reason in IGNORED.items() if re.fullmatch(pattern, name)), None)


# What is read: its name in the comparison, and where it lies, under one of several names. "shared:" is the
# folder of real recordings beside the project, everything else is a path in the project.
STAGED: dict[str, tuple[str, ...]] = {
    "shipped_abf.abf": ("data/simulated.abf",),
    "shipped_labchart.txt": ("data/simulated_labchart.txt",),
    "shipped_labels.csv": ("data/simulated_labelled.csv", "data/simulated_labeled.csv"),
    "metadata.yaml": ("data/metadata.yaml",),
    "marks.csv": ("data/truth/mepps.csv",),
    "marks.txt": ("data/truth/mepps_events.txt",),
    "171116sh_0020.abf": ("shared:recordings/171116sh_0020.abf",),
    "17o05026_vc_stim.abf": ("shared:recordings/17o05026_vc_stim.abf",),
    "GroupA.abf": ("shared:recordings/winchester/GroupA.abf",),
    "GroupA_consensus.csv": ("shared:recordings/winchester/GroupA_consensus.csv",),
    "Train1.abf": ("shared:recordings/winchester/Train1/Simulation.abf",),
    "Train2.abf": ("shared:recordings/winchester/Train2/Simulation.abf",),
    "Train3.abf": ("shared:recordings/winchester/Train3/Simulation.abf",),
    "Train4.abf": ("shared:recordings/winchester/Train4/Simulation.abf",),
    "formats": ("shared:formats",),
}


@dataclass(frozen=True)
class Job:
    """One call of ``nwb-mepp``; it writes into a folder of its own, which has its name.

    Attributes
    ----------
    name : str
    call : str
        Arguments, separated by spaces, in the words of the version before. ``IN/`` is the folder of what is
        read; other paths start from the folder of all jobs, so outputs of earlier jobs can be named.
    recording : str
        Whose tables it writes; empty where it is about several recordings.
    printed : str
        File for what it prints, if that is a table.
    needs : tuple of str
        Jobs whose outputs it reads.
    exit_code : int
        Other than 0 where both versions refuse.
    """

    name: str
    call: str
    recording: str = ""
    printed: str = ""
    needs: tuple[str, ...] = ()
    exit_code: int = 0


START = "--session-start 2026-01-15T10:00:00Z"
ALL = " ".join(
    f"--detector {name}"
    for name in (
        "miniunet",
        "autoencoder",
        "autoencoder_anomalous",
        "threshold",
        "template",
        "matched_filter",
        "deconvolution",
    )
)


def _run(name: str, file: str, options: str) -> Job:
    return Job(name, f"run IN/{file} -o {name} --no-picture {options}", recording=file.partition(".")[0])


_SHIPPED = (
    _run("abf", "shipped_abf.abf", f"{START} {ALL} --clamp izero --metadata IN/metadata.yaml"),
    _run("abf_lab", "shipped_abf.abf", f"{START} --extension --units lab --decimal comma"),
    _run(
        "abf_rate",
        "shipped_abf.abf",
        f"{START} --false-discovery-rate 0.05 --exclude 1:2.5 --exclude 7.5:8 --min-amplitude-sd 4",
    ),
    _run(
        "abf_strict",
        "shipped_abf.abf",
        f"{START} --detector template --threshold 3.5 --polarity positive --min-amplitude 0.4mV",
    ),
    _run("labchart", "shipped_labchart.txt", f"{START} {ALL} --gain 10"),
    _run("labels", "shipped_labels.csv", f"{START} {ALL} --unit V"),
    Job("marks_csv", f"convert IN/shipped_abf.abf -o marks_csv {START} --events IN/marks.csv", "shipped_abf"),
    Job(
        "marks_txt",
        f"convert IN/shipped_abf.abf -o marks_txt {START} --events IN/marks.txt --extension",
        "shipped_abf",
    ),
    Job(
        "marks_labels",
        f"convert IN/shipped_abf.abf -o marks_labels {START} --events IN/shipped_labels.csv",
        "shipped_abf",
    ),
    Job(
        "typed",
        "extension add abf/shipped_abf.abf.nwb -o typed/shipped_abf.abf.nwb",
        "shipped_abf",
        needs=("abf",),
    ),
    Job(
        "plain",
        "extension remove abf_lab/shipped_abf.abf.nwb -o plain/shipped_abf.abf.nwb",
        "shipped_abf",
        needs=("abf_lab",),
    ),
)

_REAL = (
    _run(
        "171116sh", "171116sh_0020.abf", f"--timezone UTC {ALL} --clamp voltage --metadata IN/metadata.yaml"
    ),
    # The test pulse of each sweep is left out.
    _run("17o05026", "17o05026_vc_stim.abf", f"--timezone UTC {ALL} --exclude-per-sweep 0.1:0.4"),
    # Its header says mV, its numbers are milliamperes.
    _run("group_a", "GroupA.abf", f"{START} {ALL} --unit mA --extension"),
    *(_run(f"train{number}", f"Train{number}.abf", f"{START} {ALL}") for number in (1, 2, 3, 4)),
    Job(
        "group_a_marks",
        f"convert IN/GroupA.abf -o group_a_marks {START} --unit mA --events IN/GroupA_marks.csv",
        "GroupA",
    ),
)

_FORMATS = (
    Job("formats", "convert IN/formats -o formats --session-start-from mtime --timezone UTC"),
    Job(
        "raw",
        f"convert IN/formats/File_RAW_1_10kHz_2channels.raw -o raw {START} --reader rawbinarysignal "
        "--dtype int16 --n-channels 2 --sampling-rate 10000 --unit V",
        "File_RAW_1_10kHz_2channels",
    ),
    # Nothing in it says what it is, so both versions refuse it where nothing is stated.
    Job(
        "raw_unstated",
        f"convert IN/formats/File_RAW_1_10kHz_2channels.raw -o raw_unstated {START}",
        "File_RAW_1_10kHz_2channels",
        exit_code=1,
    ),
)

_EVERY_FORMAT = "--format nwb --format abf --format labelled-text"
_SETS = ("reference", "training", "downward", "in_real_noise")

_SIMULATED = (
    Job(
        "reference",
        f"simulate -o reference {_EVERY_FORMAT} {START} --recordings 4 --seed 100 --duration 20",
    ),
    Job(
        "training",
        f"simulate -o training {_EVERY_FORMAT} {START} --recordings 3 --seed 200 --training-distribution",
    ),
    Job(
        "downward",
        f"simulate -o downward {_EVERY_FORMAT} {START} --recordings 2 --seed 300 --duration 15 "
        "--level 4 --rate 2 --sampling-rate 20000 --polarity negative",
    ),
    Job(
        "in_real_noise",
        f"simulate -o in_real_noise {_EVERY_FORMAT} {START} --recordings 1 --seed 400 "
        "--noise IN/GroupA.abf --unit mA",
    ),
    Job(
        "simulated",
        "run reference/*.abf training/*.abf downward/*.abf in_real_noise/*.abf -o simulated --no-picture "
        f"--sessions IN/sessions.csv {ALL}",
        needs=_SETS,
    ),
    Job(
        "simulated_text",
        f"run reference/simulated_0100.csv -o simulated_text --no-picture {START} --unit V "
        "--detector matched_filter",
        "simulated_0100",
        needs=("reference",),
    ),
    Job(
        "detected",
        "detect reference/simulated_0101.nwb -o detected/simulated_0101.nwb",
        "simulated_0101",
        needs=("reference",),
    ),
    Job(
        "detected_typed",
        "detect training/simulated_0201.nwb -o detected_typed/simulated_0201.nwb --extension",
        "simulated_0201",
        needs=("training",),
    ),
    Job(
        "detected_downward",
        "detect downward/simulated_0300.nwb -o detected_downward/simulated_0300.nwb",
        "simulated_0300",
        needs=("downward",),
    ),
    # Found again in the same file: one table and one row are replaced.
    Job(
        "detected_again",
        "detect detected/simulated_0101.nwb -o detected_again/simulated_0101.nwb "
        "--detector miniunet --threshold 0.8",
        "simulated_0101",
        needs=("detected",),
    ),
)

_FOUND = (
    "abf abf_lab abf_rate abf_strict labchart labels typed plain 171116sh 17o05026 group_a "
    "train1 train2 train3 train4 simulated simulated_text "
    "detected detected_typed detected_downward detected_again"
)
_RAN = tuple(_FOUND.split())
# Both units, one and several sweeps, plain and typed, with events and without.
_FEW = ("abf", "labels", "171116sh", "group_a", "detected_typed")
_CURATED = ("marks_csv", "marks_txt", "marks_labels", "group_a_marks")
_TRUTH = ("detected", "detected_downward")

_PRINTED = (
    Job("events_si", f"events {_FOUND}", printed="events.csv", needs=_RAN),
    Job(
        "events_lab", f"events {' '.join(_FEW)} --units lab --decimal comma", printed="events.csv", needs=_FEW
    ),
    Job("events_json", f"events {' '.join(_FEW)} --format json", printed="events.json", needs=_FEW),
    Job(
        "events_json_lab",
        "events abf group_a --format json --units lab",
        printed="events.json",
        needs=("abf", "group_a"),
    ),
    Job("summary_si", f"summary {_FOUND} --format csv", printed="summary.csv", needs=_RAN),
    Job(
        "summary_lab",
        f"summary {' '.join(_FEW)} --format csv --units lab --decimal comma",
        printed="summary.csv",
        needs=_FEW,
    ),
    Job("summary_json", f"summary {' '.join(_FEW)} --format json", printed="summary.json", needs=_FEW),
    Job(
        "summary_json_lab",
        "summary abf group_a --format json --units lab",
        printed="summary.json",
        needs=("abf", "group_a"),
    ),
    Job(
        "events_curated",
        f"events {' '.join(_CURATED)} --table mepps_curated",
        printed="events.csv",
        needs=_CURATED,
    ),
    Job("events_truth", f"events {' '.join(_TRUTH)} --table mepps_truth", printed="events.csv", needs=_TRUTH),
    Job(
        "scores",
        f"evaluate {' '.join(_TRUTH)} --truth mepps_truth --table mepps_miniunet --format csv",
        printed="scores.csv",
        needs=_TRUTH,
    ),
)

JOBS: tuple[Job, ...] = (*_SHIPPED, *_REAL, *_FORMATS, *_SIMULATED, *_PRINTED)
