"""Native code greets into the void, and what people are to read gets through afterwards."""

from __future__ import annotations

import os

import pytest

from nwb_mepp._utils.native_stderr import quiet_stderr


def test_what_is_written_below_python_is_silenced_within_the_block_only(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with quiet_stderr():
        os.write(2, b"greeting\n")
    os.write(2, b"message\n")
    assert capfd.readouterr().err == "message\n"


def test_an_error_within_the_block_gets_through_and_the_silence_ends(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ImportError, match="no such thing"), quiet_stderr():
        raise ImportError("no such thing")
    os.write(2, b"message\n")
    assert capfd.readouterr().err == "message\n"
