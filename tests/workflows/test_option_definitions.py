"""Each option is defined once: the doors that lead to it say the same."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import quantities as pq

import nwb_mepp
from nwb_mepp.api import ConvertArguments
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.options import Options, options_of
from nwb_mepp.detectors import FIT_MODES
from nwb_mepp.nwb.clamp import CLAMP_UNITS
from nwb_mepp.readers import ReadArguments, ReadOptions
from nwb_mepp.workflows import (
    DetectionArguments,
    DetectionSettings,
    FileDetectionArguments,
    WriteArguments,
    WriteOptions,
)

PACKAGE = Path(nwb_mepp.__file__).parent
PAIRS = [
    (DetectionSettings, FileDetectionArguments),
    (ReadOptions, ReadArguments),
    (WriteOptions, WriteArguments),
]


@pytest.mark.parametrize(("settings", "arguments"), PAIRS)
def test_what_type_checkers_see_is_what_the_settings_define(settings: type[Options], arguments: type) -> None:
    defined = options_of(settings)
    seen = get_type_hints(arguments, localns={"pq": pq})
    assert set(seen) <= set(defined)
    assert {name for name, one in defined.items() if one.flag is not None} <= set(seen)
    held = get_type_hints(settings)
    for name, annotation in seen.items():
        # Options of a kind of their own, paths and words are held otherwise than they are given.
        if defined[name].kind is None and not defined[name].choices and name != "metadata":
            assert annotation == held[name], name


def test_one_signal_has_neither_channels_nor_sweeps_to_choose() -> None:
    seen = set(FileDetectionArguments.__annotations__) - set(DetectionArguments.__annotations__)
    assert seen == {"all_channels", "channels", "exclude_per_sweep"}


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (nwb_mepp.read, ReadArguments),
        (nwb_mepp.convert, ConvertArguments),
        (nwb_mepp.detect, DetectionArguments),
        (nwb_mepp.annotate, FileDetectionArguments),
    ],
)
def test_functions_in_python_have_every_option_in_signature_and_docstring(
    function: Any, arguments: type
) -> None:
    parameters = inspect.signature(function).parameters
    documented = re.findall(r"^(\w+) : ", inspect.getdoc(function).partition("Returns\n")[0], re.MULTILINE)  # type: ignore[union-attr]
    assert list(parameters) == documented
    assert set(arguments.__annotations__) <= set(parameters)
    assert not [one for one in parameters.values() if one.kind is one.VAR_KEYWORD]


def test_an_option_is_called_by_its_flag_in_one_place() -> None:
    # Commands that mean something else by a word, or take it without the other settings (benchmark, review),
    # define their own option of that name.
    others = {
        "--channel",
        "--detector",
        "--extension",
        "--polarity",
        "--sampling-rate",
        "--reader",
        "--weights",
    }
    sources = {path: path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    for settings, _ in PAIRS:
        for one in options_of(settings).values():
            if one.flag is not None and one.flag not in others:
                found = [path.name for path, text in sources.items() if f'"{one.flag}"' in text]
                assert found == [Path(inspect.getfile(settings)).name], one.flag


def test_the_words_to_choose_from_are_those_that_do_the_work() -> None:
    assert options_of(DetectionSettings)["fit_recording"].choices == FIT_MODES
    assert options_of(WriteOptions)["clamp"].choices == tuple(CLAMP_UNITS)


def test_help_is_a_phrase_that_stands_alone() -> None:
    for settings, _ in PAIRS:
        for name, one in options_of(settings).items():
            assert one.help[0].isupper(), name
            assert not one.help.endswith("."), name


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ([(500 * pq.ms, 1 * pq.s)], ((0.5, 1.0),)),
        (["0.5:1", (2, 3.5)], ((0.5, 1.0), (2.0, 3.5))),
        ("0.5:1", ((0.5, 1.0),)),
        ((), ()),
    ],
)
def test_stretches_come_as_pairs_quantities_or_text(
    given: Any, held: tuple[tuple[float, float], ...]
) -> None:
    assert DetectionSettings(exclude=given).exclude == held


@pytest.mark.parametrize("wrong", [(0.5, 1.0), [(1, 2, 3)], [3.0], 3.0, [(1 * pq.mV, 2 * pq.mV)]])
def test_what_is_no_stretch_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match="`exclude`: expected a start and a stop in seconds, such as"):
        DetectionSettings(exclude=wrong)


def test_a_text_is_one_name_or_one_unit() -> None:
    assert DetectionSettings(detectors="matched_filter").detectors == ("matched_filter",)  # type: ignore[arg-type]
    assert DetectionSettings(channels="Vm").channels == ("Vm",)  # type: ignore[arg-type]
    assert ReadOptions(unit="mV").unit == {"": "mV"}  # type: ignore[arg-type]
    assert ReadOptions(unit=["Im=pA"]).unit == {"Im": "pA"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": 3}, "`weights`: expected a folder, found 3"),
        ({"detectors": 3}, "`detectors`: expected names, found 3"),
    ],
)
def test_what_is_no_sequence_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DetectionSettings(**options)
    with pytest.raises(UsageError, match=r"`unit`: expected a unit such as .*, found 3"):
        ReadOptions(unit=3)  # type: ignore[arg-type]
