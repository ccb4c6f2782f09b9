"""Detecting the encoding of a text file."""

from __future__ import annotations

import pytest

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.text.encodings import detect_encoding

NUMBERS = "\n0,0001\t-0,7880" * 5


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Время, s\tКанал 1, V", "cp1251"),  # noqa: RUF001 - Cyrillic is meant
        ("Время, с\tПотенциал, мВ", "cp1251"),  # noqa: RUF001 - Cyrillic is meant
        ("Durée (s)\tPotentiel (mV)", "cp1252"),
        ("Zeit, s\tKanal für Vm, mV", "cp1252"),
        ("Time (s)\tVm (µV)", "cp1252"),
        ("Time (s)\tT (°C)", "cp1252"),
    ],
)
def test_the_single_byte_encoding_is_the_one_that_yields_words_of_one_script(
    text: str, encoding: str
) -> None:
    assert detect_encoding((text + NUMBERS).encode(encoding), name="run.txt") == encoding


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"])
def test_unicode_is_recognized(encoding: str) -> None:
    head = ("Время, s\tVm, V" + NUMBERS).encode(encoding)
    assert detect_encoding(head, name="run.txt") == encoding


def test_utf_16_with_byte_order_mark_is_recognized() -> None:
    assert detect_encoding("Time".encode("utf-16"), name="run.txt") == "utf-16"


def test_a_character_cut_at_the_end_of_the_head_is_harmless() -> None:
    assert detect_encoding("Время".encode()[:-1], name="run.txt") == "utf-8"


def test_zero_bytes_are_refused() -> None:
    with pytest.raises(ReadError, match=r"run\.txt: expected text, found zero bytes as in a binary file"):
        detect_encoding(bytes(range(256)), name="run.txt")
