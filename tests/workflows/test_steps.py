"""When an analysis will be done, from what its steps took."""

from __future__ import annotations

from datetime import datetime

from nwb_mepp.workflows.steps import Steps


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def told(durations_s: list[float], works: list[float]) -> list[str]:
    lines: list[str] = []
    watch = Watch()
    steps = Steps(lines.append, work=sum(works), clock=watch, now=lambda: datetime(2026, 1, 15, 10, 0))
    for number, (duration_s, work) in enumerate(zip(durations_s, works, strict=True)):
        steps.begin(f"step {number}", work=work)
        watch.seconds += duration_s
    return lines


def test_the_end_follows_from_what_the_steps_before_took() -> None:
    # After 60 s for 1 of 6 parts, 5 parts are left: 300 s. After 240 s for 3, 3 are left: 240 s.
    assert told([60.0, 180.0, 0.0], [1.0, 2.0, 3.0]) == [
        "step 0",
        "step 1 (analysis ends at about 10:05)",
        "step 2 (analysis ends at about 10:04)",
    ]


def test_of_a_short_analysis_no_end_is_told() -> None:
    assert told([5.0, 5.0, 5.0], [1.0, 1.0, 1.0]) == ["step 0", "step 1", "step 2"]


def test_steps_that_were_taken_over_do_not_count() -> None:
    # Only the second step was done: 60 s for 2 parts, so 60 s for the last 2.
    assert told([0.1, 60.0, 0.0], [4.0, 2.0, 2.0])[-1] == "step 2 (analysis ends at about 10:01)"


def test_nobody_need_be_told() -> None:
    Steps(None).begin("anything", work=1.0)
