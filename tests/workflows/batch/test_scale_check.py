"""A file whose numbers are 10 or 1000 times those of the others is named."""

from pathlib import Path

import pytest

from nwb_mepp.workflows.batch import files_of_another_scale
from nwb_mepp.workflows.files import ChannelScale, FileOutcome


def outcome(name: str, factor: float, *, amplitude: float = 0.5e-3) -> FileOutcome:
    scale = ChannelScale("Vm", "miniunet", "V", amplitude * factor, -70e-3 * factor, 0.05e-3 * factor)
    return FileOutcome(path=Path(name), output=Path(f"{name}.nwb"), status="written", scales=(scale,))


@pytest.mark.parametrize(
    ("factor", "said"), [(10.0, "about 10 times"), (0.1, "about 1/10 times"), (1000.0, "about 1000 times")]
)
def test_the_file_is_named_with_the_factor(factor: float, said: str) -> None:
    (found,) = files_of_another_scale([outcome("a", 1.0), outcome("b", factor), outcome("c", 1.1)])
    assert found.startswith("b: ")
    assert said in found


def test_files_of_one_scale_are_not_named() -> None:
    assert files_of_another_scale([outcome("a", 1.0), outcome("b", 1.4), outcome("c", 0.7)]) == []
    # Large MEPPs in the noise and at the level of the others are large MEPPs.
    assert (
        files_of_another_scale([outcome("a", 1.0), outcome("b", 1.0, amplitude=5e-3), outcome("c", 1.0)])
        == []
    )


def test_of_two_files_none_is_the_odd_one() -> None:
    assert files_of_another_scale([outcome("a", 1.0), outcome("b", 10.0)]) == []
