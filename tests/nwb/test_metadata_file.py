from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nwb_mepp.core.errors import MetadataError
from nwb_mepp.nwb import load_metadata, metadata_template
from nwb_mepp.nwb.metadata import Device, Electrode, Metadata, Session, Subject


def load(folder: Path, text: str) -> Metadata:
    path = folder / "metadata.yaml"
    path.write_text(text, encoding="utf-8")
    return load_metadata(path)


def filled_template() -> str:
    """The template with the example of every comment written behind the key below it."""
    lines = metadata_template().splitlines()
    filled = []
    for above, line in zip(["", *lines], lines, strict=False):
        _, found, example = above.partition(" For example: ")
        if found and example.startswith("- "):
            line = f"{line}\n{' ' * (len(line) - len(line.lstrip()) + 2)}{example}"
        elif found:
            line = f"{line} {example}"
        filled.append(line)
    return "\n".join(filled)


def test_the_template_is_yaml_with_every_key() -> None:
    template = yaml.safe_load(metadata_template())
    assert list(template) == ["session", "subject", "devices", "electrodes"]
    assert set(template["subject"]) == set(Subject.__dataclass_fields__)
    assert set(template["electrodes"][0]) == set(Electrode.__dataclass_fields__)


def test_the_template_as_it_is_states_nothing(folder: Path) -> None:
    assert load(folder, metadata_template()) == Metadata()


def test_the_template_filled_with_its_own_examples_loads(folder: Path) -> None:
    metadata = load(folder, filled_template())
    assert metadata.session.stated.keys() == set(Session.__dataclass_fields__)
    assert metadata.subject.stated.keys() == set(Subject.__dataclass_fields__)
    assert metadata.devices[0].stated.keys() == set(Device.__dataclass_fields__)
    assert metadata.electrodes[0].stated.keys() == set(Electrode.__dataclass_fields__)
    assert metadata.session.experimenter == ("Last, First",)
    assert metadata.session.related_publications == ("doi:10.1113/JP288183",)


def test_what_is_written_is_taken_as_it_is_written(folder: Path) -> None:
    text = (
        "session:\n  session_id: 007\n  notes: no\nsubject:\n  subject_id: 1e3\n  date_of_birth: 2019-11-02\n"
    )
    metadata = load(folder, text)
    assert metadata.session == Session(session_id="007", notes="no")
    assert metadata.subject == Subject(subject_id="1e3", date_of_birth="2019-11-02")


def test_an_empty_file_states_nothing(folder: Path) -> None:
    assert load(folder, "# nothing yet\n") == Metadata()
    assert load(folder, "session:\nsubject:\ndevices: []\n") == Metadata()


def test_a_byte_order_mark_is_not_part_of_the_first_key(folder: Path) -> None:
    assert load(folder, "\ufeffsubject:\n  sex: F\n").subject.sex == "F"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("session:\n  lab: a\nsubjct:\n  sex: F\n", "line 3: .* found 'subjct'; did you mean 'subject'"),
        ("subject:\n  # comment\n  specie: Mus\n", "line 3: .* found 'specie'; did you mean 'species'"),
        ("devices:\n  - name: a\n  - name: b\n    zzzzz: 1\n", "line 4: .* found 'zzzzz'; known keys are"),
        ("subject:\n  sex: male\n", r"line 2: subject\.sex: expected M \(male\)"),
        ("subject:\n  age: 3 months\n", "line 2: .*; write P3M"),
        ("subject:\n  sex: F\n  sex: M\n", "line 3: expected each key of subject once, found 'sex' twice"),
        ("session:\n  lab: [a]\n", r"line 2: session\.lab: expected one text, found a list"),
        ("session:\n  lab:\n    name: a\n", r"line 3: session\.lab: expected one text, found further keys"),
        ("session:\n  keywords: a\n", "line 2: .* expected a list, found 'a'; begin each entry with '- '"),
        ("session:\n  keywords:\n    a: b\n", "line 3: .* expected a list, found further keys"),
        ("devices:\n  name: a\n", "line 2: devices: expected a list, found further keys"),
        ("devices:\n  - a\n", "line 2: expected keys with values in devices"),
        ("- a\n", "line 1: expected keys with values in the file"),
        ("devices:\n  - description: a\n", "line 2: expected 'name' in each entry of devices, found none"),
        ("devices:\n  - name: a/b\n", r"line 2: devices\.name: expected a name without"),
        ("subject:\n  sex: 'F\n", "line 3: expected YAML, found: found unexpected end of stream"),
        ("subject:\n\tsex: F\n", "line 2: expected YAML, .* that cannot start any token"),
        ("a: 1\n---\nb: 2\n", "expected YAML, found: but found another document"),
        ("subject:\n  sex: \x01\n", "expected YAML, found: an unreadable character"),
        ("electrodes:\n  - name: e\n    device: d\n    description: x\n", "expected electrode 'e' to name"),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_with_its_line(folder: Path, text: str, message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        load(folder, text)


def test_a_missing_file_is_named(folder: Path) -> None:
    with pytest.raises(
        MetadataError, match=r"expected a metadata file, found that .*m\.yaml cannot be read \(No such file"
    ):
        load_metadata(folder / "m.yaml")


def test_other_than_utf8_is_refused(folder: Path) -> None:
    (folder / "m.yaml").write_bytes("session:\n  lab: Universität".encode("latin-1"))
    with pytest.raises(
        MetadataError, match=r"expected metadata as UTF-8 text, found other bytes in .*m\.yaml"
    ):
        load_metadata(folder / "m.yaml")


def test_yaml_that_would_run_code_runs_none(folder: Path) -> None:
    metadata = load(folder, "session:\n  lab: !!python/object/apply:os.getcwd ''\n  notes: x\n")
    assert metadata.session == Session(notes="x")
