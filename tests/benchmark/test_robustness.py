from __future__ import annotations

import pytest

from nwb_mepp.benchmark import FalseAlarms, Variant, robustness, run_event_free, run_variants
from nwb_mepp.benchmark.tables import false_alarm_table, variant_table
from nwb_mepp.simulation import reference_scenario


def test_recordings_without_mepps_hold_none() -> None:
    conditions = dict(robustness._event_free_conditions())
    assert conditions["noise alone"]["artefacts"] == {}
    step = conditions["the same, converter step of one noise SD"]["step"]
    assert step == reference_scenario(level=6.0, index=0).noise_sd


def test_what_is_found_in_silence_is_counted_by_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [pair for pair in robustness._event_free_conditions() if pair[0] == "noise alone"]
    monkeypatch.setattr(robustness, "_event_free_conditions", lambda: iter(chosen))
    told: list[str] = []
    (alarms,) = run_event_free(detectors=("miniunet",), n_recordings=2, on_condition=told.append)
    assert told == ["noise alone"]
    assert alarms.per_minute <= 0.5
    assert alarms.worst_per_minute <= 1.0


def test_the_sign_of_a_recording_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ("as it is", "inverted, polarity stated")
    chosen = [pair for pair in robustness._variant_conditions() if pair[0] in wanted]
    monkeypatch.setattr(robustness, "_variant_conditions", lambda: iter(chosen))
    plain, inverted = run_variants(detectors=("matched_filter",), n_recordings=1)
    assert (plain.condition, inverted.condition) == wanted
    assert inverted.f1 == pytest.approx(plain.f1, abs=0.01)


def test_tables_give_rates_and_changes() -> None:
    alarms = FalseAlarms(condition="silence", detector="some", per_minute=0.25, worst_per_minute=2.0)
    assert false_alarm_table([alarms]).splitlines()[-1] == "| silence | some | 0.25 | 2 |"
    variants = [
        Variant(condition="as it is", detector="some", f1=0.9),
        Variant(condition="louder", detector="some", f1=0.85),
    ]
    assert variant_table(variants).splitlines()[-1] == "| louder | some | 0.850 | -0.050 |"
