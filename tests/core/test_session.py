from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nwb_mepp.core.errors import MetadataError
from nwb_mepp.core.session import resolve_session_start

NAIVE = datetime(2017, 11, 16, 10, 5, 30)
AWARE = datetime(2017, 11, 16, 10, 5, 30, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("found", "stated", "expected"),
    [
        # The time in the file, with its own time zone or the user's.
        (AWARE, {}, "2017-11-16T10:05:30+01:00"),
        (NAIVE, {"timezone": "America/New_York"}, "2017-11-16T10:05:30-05:00"),
        (datetime(2017, 7, 16, 10), {"timezone": "America/New_York"}, "2017-07-16T10:00:00-04:00"),
        (AWARE, {"timezone": "Europe/Berlin"}, "2017-11-16T10:05:30+01:00"),
        # The user's, where the file states none.
        (None, {"given": "2020-01-01T00:00:00Z"}, "2020-01-01T00:00:00+00:00"),
        (None, {"given": "2020-01-01 09:30", "timezone": "Asia/Tokyo"}, "2020-01-01T09:30:00+09:00"),
        # The user's, confirming the file's to the second.
        (NAIVE, {"given": "2017-11-16T10:05:31-05:00"}, "2017-11-16T10:05:31-05:00"),
        (AWARE, {"given": "2017-11-16T09:05:30Z"}, "2017-11-16T09:05:30+00:00"),
        (NAIVE, {"given": "2017-11-16T10:05:30", "timezone": "UTC"}, "2017-11-16T10:05:30+00:00"),
        # The user's, against the file's.
        (NAIVE, {"given": "2020-01-01T00:00:00Z", "override": True}, "2020-01-01T00:00:00+00:00"),
        (AWARE, {"timezone": "America/New_York", "override": True}, "2017-11-16T10:05:30-05:00"),
        # The time in the file has priority over its name and modification time.
        (AWARE, {"start_from": "mtime", "path": "none.abf"}, "2017-11-16T10:05:30+01:00"),
        (NAIVE, {"start_from": "filename:%Y%m%d", "path": "20200131", "timezone": "UTC", "override": True},
         "2020-01-31T00:00:00+00:00"),
    ],
)  # fmt: skip
def test_the_start_combines_what_file_and_user_state(
    found: datetime | None, stated: dict[str, Any], expected: str
) -> None:
    assert resolve_session_start(found, **stated).isoformat() == expected


@pytest.mark.parametrize(
    ("found", "stated", "message"),
    [
        (None, {}, "found none in the file; give `session_start` .* or `session_start_from`"),
        (None, {"timezone": "UTC"}, "expected a session start, found none"),
        (NAIVE, {}, "a time zone, found 2017-11-16T10:05:30 without one in the file; give `timezone`"),
        (None, {"given": "2020-01-01T00:00:00"}, "without one in `session_start`; give `timezone`"),
        (NAIVE, {"given": "2017-11-16T11:05:30Z"},
         "`session_start` to agree with the file, found 2017-11-16T11:05:30Z against 2017-11-16T10:05:30"),
        (AWARE, {"given": "2017-11-16T10:05:30Z"}, "`session_start` to agree .* give `override=True`"),
        (NAIVE, {"given": "2017-11-16T10:05:32Z"}, "expected `session_start` to agree"),
        (AWARE, {"timezone": "America/New_York"},
         r"`timezone` to agree with the file, found America/New_York \(2017-11-16T04:05:30-05:00\) against"),
        (None, {"given": "2020-01-01T00:00:00Z", "timezone": "Asia/Tokyo", "override": True},
         "expected `timezone` to agree with `session_start`, .*; drop `timezone`.$"),
        (None, {"given": "yesterday"}, "`session_start`: expected ISO 8601, .* found 'yesterday'"),
        (None, {"given": "2020-01-01", "timezone": "UTC"}, "of day .* found only a date, '2020-01-01'"),
        (None, {"given": "2999-01-01T00:00:00Z"}, "start in the past, found 2999.* `session_start`.$"),
        (datetime(2999, 1, 1, tzinfo=UTC), {}, "found 2999.*`session_start` and `override=True`"),
        (NAIVE, {"timezone": "Europe/Berln"}, "database, found 'Europe/Berln'; did you mean Europe/Berlin"),
        (NAIVE, {"timezone": "America"}, "expected a time zone from the IANA database, found 'America'"),
        (NAIVE, {"timezone": "../etc/passwd"}, "expected a time zone from the IANA database"),
        (NAIVE, {"timezone": "+01:00"}, "found '\\+01:00'; give a name such as Europe/Berlin"),
        (None, {"given": "2020-01-01T00:00:00Z", "start_from": "mtime"}, "one of `session_start` and"),
    ],
)  # fmt: skip
def test_missing_or_contradictory_statements_are_refused(
    found: datetime | None, stated: dict[str, Any], message: str
) -> None:
    with pytest.raises(MetadataError, match=message):
        resolve_session_start(found, **stated)


@pytest.mark.parametrize(
    ("clock", "reason"),
    [(datetime(2021, 3, 28, 2, 30), "did not exist"), (datetime(2021, 10, 31, 2, 30), "occurred twice")],
)
def test_an_ambiguous_or_nonexistent_local_time_is_refused(clock: datetime, reason: str) -> None:
    with pytest.raises(
        MetadataError, match=rf"which {reason} in Europe/Berlin .*such as {clock.isoformat()}\+0"
    ):
        resolve_session_start(clock, timezone="Europe/Berlin")
    exact = resolve_session_start(clock, given=f"{clock.isoformat()}+01:00")
    assert exact.utcoffset() == timedelta(hours=1)


@settings(max_examples=50)
@given(
    clock=st.datetimes(datetime(1990, 1, 1), datetime(2024, 1, 1)),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]),
)
def test_adding_a_time_zone_keeps_the_local_time(clock: datetime, zone: str) -> None:
    first, second = (clock.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    assume(first.utcoffset() == second.utcoffset())
    start = resolve_session_start(clock, timezone=zone)
    assert start.replace(tzinfo=None) == clock
    assert start.utcoffset() == first.utcoffset()


def test_the_modification_time_is_an_absolute_time(tmp_path: Path) -> None:
    path = tmp_path / "a.abf"
    path.touch()
    os.utime(path, (1_500_000_000, 1_500_000_000))
    assert resolve_session_start(None, path=path, start_from="mtime").timestamp() == 1_500_000_000
    local = resolve_session_start(None, path=path, start_from="mtime", timezone="Asia/Tokyo")
    assert local.isoformat() == "2017-07-14T11:40:00+09:00"


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [
        ("171116sh_0020.abf", "%y%m%d", "2017-11-16T00:00:00+00:00"),
        ("fiber 2017-11-16 10.05.30.txt", "%Y-%m-%d %H.%M.%S", "2017-11-16T10:05:30+00:00"),
        ("16Nov2017_a.abf", "%d%b%Y", "2017-11-16T00:00:00+00:00"),
        ("2017_320.abf", "%Y_%j", "2017-11-16T00:00:00+00:00"),
        ("x_20171116T1005+0000.abf", "%Y%m%dT%H%M%z", "2017-11-16T10:05:00+00:00"),
        # Six of eight digits are not a date, although they could be parsed as one.
        ("20171116_171116.abf", "%y%m%d", "2017-11-16T00:00:00+00:00"),
        ("991399_171116.abf", "%y%m%d", "2017-11-16T00:00:00+00:00"),
        ("100%_171116.abf", "%%_%y%m%d", "2017-11-16T00:00:00+00:00"),
    ],
)
def test_a_date_is_found_in_the_name_of_the_file(name: str, pattern: str, expected: str) -> None:
    start = resolve_session_start(None, path=f"a/{name}", start_from=f"filename:{pattern}", timezone="UTC")
    assert start.isoformat() == expected


@pytest.mark.parametrize(
    ("name", "start_from", "message"),
    [
        (
            "fiber.abf",
            "filename:%Y%m%d",
            "expected one date like '%Y%m%d' in the file name 'fiber', found none",
        ),
        ("171116_171117.abf", "filename:%y%m%d", "found 2017-11-16T00:00:00 and 2017-11-17T00:00:00"),
        ("20171116.abf", "filename:%y%m%d", "found none"),
        ("171116.abf", "filename:%y%Q", "expected directives among %Y .*found '%Q'"),
        ("171116.abf", "filename:%y%m%", "found '%'; correct the pattern"),
        ("1711.abf", "filename:%y%m", "expected year, month and day in the pattern '%y%m'"),
        (
            "a.abf",
            "filename:",
            "`session_start_from`: expected mtime or filename:PATTERN .*found 'filename:'",
        ),
        ("a.abf", "ctime", "found 'ctime'; give one of these"),
        ("a.abf", "mtime", r"expected a\.abf to have a modification time .*found no file"),
    ],
)
def test_a_name_without_a_unique_date_is_refused(name: str, start_from: str, message: str) -> None:
    with pytest.raises(MetadataError, match=message):
        resolve_session_start(None, path=name, start_from=start_from, timezone="UTC")


def test_a_date_in_the_name_needs_a_time_zone() -> None:
    with pytest.raises(MetadataError, match="found 2017-11-16T00:00:00 without one in the name of the file"):
        resolve_session_start(None, path="171116.abf", start_from="filename:%y%m%d")


def test_deriving_the_start_without_a_path_is_a_bug() -> None:
    with pytest.raises(ValueError, match="expected the path of the recording because start_from is given"):
        resolve_session_start(None, start_from="mtime")
