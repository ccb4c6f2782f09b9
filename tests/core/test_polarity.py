"""The three polarities, their signs, and texts that are none of them."""

from __future__ import annotations

import json
import re

import pytest

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.polarity import Polarity


@pytest.mark.parametrize(
    ("text", "polarity", "sign"), [("positive", Polarity.POSITIVE, 1), ("negative", Polarity.NEGATIVE, -1)]
)
def test_a_text_is_turned_into_a_polarity_with_its_sign(text: str, polarity: Polarity, sign: int) -> None:
    assert Polarity(text) is polarity
    assert polarity.sign == sign
    assert Polarity(polarity) is polarity


def test_what_is_still_to_be_decided_has_no_sign() -> None:
    with pytest.raises(ValueError, match=r"positive or negative polarity, found auto; survey\(\) decides"):
        _ = Polarity("auto").sign


@pytest.mark.parametrize("value", ["up", "", "Positive", 1, -1, None])
def test_anything_else_is_refused_in_a_sentence(value: object) -> None:
    message = f"polarity: expected one of auto, positive, negative, found {value!r}."
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        Polarity(value)


def test_in_settings_and_json_it_is_its_text() -> None:
    assert f"{Polarity.AUTO}" == "auto"
    assert json.dumps(Polarity.NEGATIVE) == '"negative"'
