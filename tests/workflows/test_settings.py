"""What a user decides about detection is checked before any file is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nwb_mepp.core.errors import UsageError
from nwb_mepp.workflows import DetectionSettings


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("0.2mV", 0.2e-3, "V"),
        ("10 pA", 10e-12, "A"),
        ("150µV", 150e-6, "V"),
        ("1e-4V", 1e-4, "V"),
        (".5 mV", 0.5e-3, "V"),
    ],
)
def test_an_amplitude_is_given_with_its_unit(text: str, value: float, unit: str) -> None:
    found = DetectionSettings(min_amplitude=text).min_amplitude  # type: ignore[arg-type]  # a text is converted
    assert found is not None
    assert found.value == pytest.approx(value, rel=1e-12)
    assert found.unit == unit


@pytest.mark.parametrize("text", ["0.2", "mV", "", "0.2 furlong", "2 Hz", "0,2mV", "1-2mV"])
def test_an_amplitude_without_number_or_unit_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected a number with its unit, such as 0\.2mV or 10pA, found"):
        DetectionSettings(min_amplitude=text)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["1", "1-2", "a:b", "1:", ":2", "1:2:3", "0,5:1"])
def test_a_stretch_that_is_not_two_numbers_is_refused(text: str) -> None:
    with pytest.raises(
        UsageError, match=r"`exclude`: expected a start and a stop in seconds, such as 12\.5:13, found"
    ):
        DetectionSettings(exclude=[text])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"exclude": ((2.0, 1.0),)},
            "`exclude`: expected the start before the stop, found 2:1; exchange them",
        ),
        ({"exclude": ((1.0, 1.0),)}, "`exclude`: expected the start before the stop"),
        (
            {"exclude_per_sweep": ((0.0, float("inf")),)},
            "`exclude_per_sweep`: expected finite seconds, found 0:inf",
        ),
        (
            {"detectors": ("sharpshooter",)},
            "`detectors`: expected one of .*matched_filter.*, found 'sharpshooter'",
        ),
        ({"detectors": ()}, "`detectors`: expected one of .*, found none"),
        ({"detectors": ("matched_filter",) * 2}, "`detectors`: expected each detector once"),
        (
            {"detectors": ("matched_filter", "miniunet"), "threshold": 4.0},
            "`threshold`: expected one detector, .* found matched_filter, miniunet",
        ),
        (
            {"detectors": ("autoencoder", "autoencoder_anomalous"), "threshold": 0.4},
            "`threshold`: expected one detector, .* found autoencoder, autoencoder_anomalous",
        ),
        *(
            (
                {"false_discovery_rate": rate},
                f"`false_discovery_rate`: expected a fraction between 0 and 1, .*, found {rate:g}",
            )
            for rate in (0.0, 1.0, -0.1, 5.0, float("nan"))
        ),
        (
            {"false_discovery_rate": 0.1, "threshold": 0.5},
            r"`false_discovery_rate` and `threshold` are both stated \(0\.1 and 0\.5\)",
        ),
        *(
            (
                {"detectors": detectors, "false_discovery_rate": 0.1},
                rf"expected a detector that gives probabilities \(miniunet\), found {detectors[-1]}, which",
            )
            for detectors in (("template",), ("autoencoder",), ("miniunet", "threshold"))
        ),
        (
            {"weights": (("miniunet", Path("a")), ("miniunet", Path("b")))},
            "`weights`: expected one folder for each detector, found miniunet, miniunet",
        ),
        (
            {"weights": (("autoencoder_anomalous", Path("a")),)},
            r"`weights`: expected weights of a detector that is run \(miniunet, autoencoder\), found some of "
            "autoencoder_anomalous; add autoencoder_anomalous to `detectors`",
        ),
        ({"fit_recording": "half"}, "`fit_recording`: expected one of empty, all, found 'half'"),
        (
            {"detectors": ("miniunet",), "fit_recording": "all"},
            r"`fit_recording`: .* can be fitted \(autoencoder, autoencoder_anomalous\), found miniunet",
        ),
        ({"threshold": float("nan")}, "`threshold`: expected a finite number, found nan"),
        ({"min_amplitude": "-1mV"}, "`min_amplitude`: expected a finite number of 0 or more, found -0.001"),
        ({"min_amplitude_sd": float("inf")}, "`min_amplitude_sd`: expected a finite number of 0 or more"),
        ({"polarity": "up"}, "`polarity`: expected one of auto, positive, negative, found 'up'"),
        ({"channels": ("Vm", "Vm")}, "`channels`: expected each channel once, found Vm, Vm"),
        ({"block_s": 0.0}, "expected blocks of more than 0 s, found 0.0 s"),
    ],
)
def test_an_impossible_setting_is_refused_with_its_option(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DetectionSettings(**wrong)


def test_a_second_opinion_needs_another_detector_to_judge() -> None:
    both = DetectionSettings()
    assert (both.detectors, both.second_opinion, both.leading) == (
        ("miniunet", "autoencoder"),
        "autoencoder",
        ("miniunet",),
    )
    for names in (("autoencoder",), ("autoencoder", "autoencoder_anomalous"), ("miniunet", "template")):
        alone = DetectionSettings(detectors=names)
        assert (alone.second_opinion, alone.leading) == (None, names)


def test_weights_are_found_by_detector() -> None:
    settings = DetectionSettings(weights=(("miniunet", Path("a")),))
    assert settings.weights_of("miniunet") == Path("a")
    assert settings.weights_of("autoencoder") is None
