"""Every option of the detection is part of what tells one output from another."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

from nwb_mepp.core.provenance import fingerprint
from nwb_mepp.detectors.weights import shipped_weights
from nwb_mepp.workflows import DetectionSettings
from nwb_mepp.workflows.annotation import chosen_by

# A value of each option that is not its default, beside what it needs.
OTHERS: dict[str, dict[str, Any]] = {
    "detectors": {"detectors": ("threshold",)},
    "threshold": {"threshold": 0.8},
    "false_discovery_rate": {"false_discovery_rate": 0.05},
    "fit_recording": {"fit_recording": "all"},
    "min_amplitude": {"min_amplitude": "0.2mV"},
    "min_amplitude_sd": {"min_amplitude_sd": 4.0},
    "channels": {"channels": ("Vm",)},
    "polarity": {"polarity": "negative"},
    "exclude": {"exclude": ((1.0, 2.0),)},
    "exclude_per_sweep": {"exclude_per_sweep": ((1.0, 2.0),)},
    "max_amplitude": {"max_amplitude": "5mV"},
    "all_channels": {"all_channels": True},
    "stimuli": {"stimuli": "EVERY:1"},
    "exclude_around_stimuli": {"stimuli": "EVERY:1", "exclude_around_stimuli": ((0.0, 0.02),)},
    "keep_all_time": {"keep_all_time": True},
}
# Options that are no part of it, each with the reason.
LEFT_OUT = {"block_s": "the result does not depend on it"}


def mark_of(**stated: Any) -> str:
    settings = DetectionSettings(**stated)
    return fingerprint({**settings.described(), **chosen_by(settings)})


def test_another_value_of_an_option_gives_another_fingerprint() -> None:
    default = mark_of()
    assert [name for name, stated in OTHERS.items() if mark_of(**stated) == default] == []


def test_other_weights_give_another_fingerprint(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shipped_weights("miniunet"), tmp_path / "own"))
    network = (folder / "model.tflite").read_bytes() + b"other"
    (folder / "model.tflite").write_bytes(network)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["sha256"] = hashlib.sha256(network).hexdigest()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert mark_of(weights=(("miniunet", folder),)) != mark_of()


def test_every_option_is_tested_or_left_out_with_its_reason() -> None:
    named = {one.name for one in fields(DetectionSettings)}
    assert named == {*OTHERS, "weights", *LEFT_OUT}
